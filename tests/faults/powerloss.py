"""powerloss -- what a disk may hold after power was lost at any instant of a recorded piece of work.

The shim's record of a run is played on a model of a file system that keeps nothing which was not synced: data written
since the last fsync of a file, and names changed since the last fsync of their folder, may each have been kept, lost or
torn. States are built of that, and in each two things must hold: what was acknowledged (the ledger's record of a file was
synced) is there, whole and recorded; and the same command, given again, comes to the same result.
"""
import hashlib
import json
import os
import random
import struct

import faults

RECORD = struct.Struct("<IIQQQIIII")
OPEN, WRITE, TRUNCATE, SYNC, RENAME, UNLINK, MKDIR, RMDIR, SYNCFS = range(1, 10)
SECTOR = 512
LEDGER = "assay-ledger.jsonl"


class Record:
    def __init__(self, operation, number, offset, length, path, second, data, existed):
        self.operation, self.number, self.offset, self.length = operation, number, offset, length
        self.path, self.second, self.data, self.existed = path, second, data, existed


def read_log(path):
    with open(path, "rb") as log:
        bytes_, at, records = log.read(), 0, []
    while at < len(bytes_):
        operation, fault, number, offset, length, first, second, data, existed = RECORD.unpack_from(bytes_, at)
        at += RECORD.size
        texts = [bytes_[at:at + first].decode(), bytes_[at + first:at + first + second].decode()]
        at += first + second
        if fault == 0:
            records.append(Record(operation, number, offset, length, *texts, bytes_[at:at + data], existed))
        at += data
    return records


def record(work):
    """The records of the whole work, done once."""
    log = os.path.join(work.folder, "log")
    open(log, "wb").close()
    work.clear()
    code, fault, _ = work.shim(log=log)
    if code != 0:
        raise RuntimeError(fault)
    return read_log(log)


# ---- a file system that forgets ----

class File:
    def __init__(self):
        self.durable = b""   # content at the last sync
        self.pending = []    # (offset, bytes) or (length, None) since then

    def content(self, choose=None):
        """With every pending change, or those parts of them that choose(n, bytes) leaves: None, or bytes to write."""
        bytes_ = bytearray(self.durable)
        for n, (offset, data) in enumerate(self.pending):
            if data is None:
                if choose is not None and choose(n, None) is None:
                    continue
                del bytes_[offset:]
                bytes_.extend(bytes(offset - len(bytes_)))
                continue
            part = data if choose is None else choose(n, data)
            if part is None:
                continue
            if len(bytes_) < offset + len(part):
                bytes_.extend(bytes(offset + len(part) - len(bytes_)))
            bytes_[offset:offset + len(part)] = part
        return bytes(bytes_)

    def sync(self):
        self.durable, self.pending = self.content(), []


class Folder:
    def __init__(self):
        self.durable, self.now = {}, {}
        self.pending = []    # (group, name, object or None): changes of names since the last sync

    def set(self, group, name, what):
        self.pending.append((group, name, what))
        if what is None:
            self.now.pop(name, None)
        else:
            self.now[name] = what

    def sync(self):
        self.durable, self.pending = dict(self.now), []


class Disk:
    """mutant: a kind of fsync that does nothing, to see that the checks notice: segment, directory or ledger."""

    def __init__(self, root, mutant=None):
        self.root_path, self.root, self.mutant, self.groups = root, Folder(), mutant, 0

    def place(self, path):
        """(folder, name) of what path names."""
        parts = os.path.relpath(path, self.root_path).split("/")
        folder = self.root
        for part in parts[:-1]:
            folder = folder.now[part]
        return folder, parts[-1]

    def find(self, path):
        if path == self.root_path:
            return self.root
        folder, name = self.place(path)
        return folder.now.get(name)

    def ignored(self, path, what):
        name = os.path.basename(path)
        return (self.mutant == "directory" and isinstance(what, Folder) or
                self.mutant == "ledger" and name == LEDGER or
                self.mutant == "segment" and isinstance(what, File) and name != LEDGER)

    def play(self, made):
        self.groups += 1
        if made.operation == OPEN:
            folder, name = self.place(made.path)
            if name not in folder.now:
                folder.set(self.groups, name, File())
            elif made.length: # O_TRUNC
                folder.now[name].pending.append((0, None))
        elif made.operation == WRITE:
            what = self.find(made.path.replace(" (deleted)", ""))
            if isinstance(what, File):
                what.pending.append((made.offset, made.data))
        elif made.operation == TRUNCATE:
            self.find(made.path).pending.append((made.length, None))
        elif made.operation == SYNC:
            what = self.find(made.path)
            if what is not None and not self.ignored(made.path, what):
                what.sync()
        elif made.operation == SYNCFS:
            self.sync_all(self.root)
        elif made.operation in (UNLINK, RMDIR):
            folder, name = self.place(made.path)
            folder.set(self.groups, name, None)
        elif made.operation == MKDIR:
            folder, name = self.place(made.path)
            folder.set(self.groups, name, Folder())
        elif made.operation == RENAME:
            folder, name = self.place(made.path)
            what = folder.now[name]
            to, to_name = self.place(made.second)
            folder.set(self.groups, name, None)
            to.set(self.groups, to_name, what)

    def sync_all(self, folder):
        for what in folder.now.values():
            if isinstance(what, Folder):
                self.sync_all(what)
            else:
                what.sync()
        folder.sync()


# ---- what may be left ----

def torn(data, chance):
    """Sectors of a write are kept or lost by themselves; lost ones in front of kept ones are zeros."""
    sectors = [data[n:n + SECTOR] if chance.random() < 0.5 else None for n in range(0, len(data), SECTOR)]
    while sectors and sectors[-1] is None:
        sectors.pop()
    return b"".join(part if part is not None else bytes(SECTOR) for part in sectors) or None


class Variant:
    """One way to lose things: which pending names and which pending data are kept."""

    def __init__(self, name, chance):
        self.name, self.chance = name, chance

    def names(self, pending):
        """Groups of changes that are kept. A rename is one group: it is done, or it is not."""
        groups = sorted({group for group, _, _ in pending})
        if self.name in ("nothing kept", "data without names"):
            return set()
        if self.name == "names up to a point":
            return set(groups[:self.chance.randrange(len(groups) + 1)])
        if self.name in ("some names, torn data", "some names, all data"):
            return {group for group in groups if self.chance.random() < 0.5}
        return set(groups)

    def data(self, n, data):
        if self.name in ("nothing kept", "names without data"):
            return None
        if self.name in ("names, torn data", "some names, torn data"):
            if data is None:
                return b"" if self.chance.random() < 0.5 else None
            return torn(data, self.chance)
        if self.name == "data up to a point":
            if data is None:
                return b""
            return data[:len(data) // 2 // SECTOR * SECTOR] or None if self.chance.random() < 0.5 else data
        return b"" if data is None else data


VARIANTS = ["nothing kept", "names without data", "names, torn data", "data without names", "names up to a point",
            "some names, torn data", "some names, all data", "data up to a point"]


def contents(folder, variant):
    """{name: bytes or dict} of a folder as the variant leaves it."""
    kept = variant.names(folder.pending)
    names = dict(folder.durable)
    for group, name, what in folder.pending:
        if group not in kept:
            continue
        if what is None:
            names.pop(name, None)
        else:
            names[name] = what
    return {name: contents(what, variant) if isinstance(what, Folder) else what.content(variant.data)
            for name, what in names.items()}


def write_state(state, folder):
    os.makedirs(folder, exist_ok=True)
    for name, what in state.items():
        path = os.path.join(folder, name)
        if isinstance(what, dict):
            write_state(what, path)
        else:
            with open(path, "wb") as out:
                out.write(what)


def digest(state):
    found = hashlib.sha256()
    for name in sorted(state):
        what = state[name]
        inner = digest(what) if isinstance(what, dict) else hashlib.sha256(what).digest()
        found.update(b"%d %d %s" % (isinstance(what, dict), len(name.encode()), name.encode()) + inner)
    return found.digest()


# ---- what was acknowledged ----

class Acknowledged:
    """Files whose record in the ledger was synced: they must be there from then on, until they are replaced."""

    def __init__(self):
        self.said, self.files = {}, {}

    def see(self, made):
        name = os.path.basename(made.path)
        if made.operation == WRITE and name == LEDGER:
            self.said[made.path] = made.data
        if made.operation == SYNC and name == LEDGER and made.path in self.said:
            line = json.loads(self.said.pop(made.path).strip().splitlines()[-1])
            if line.get("event") == "sealed":
                self.files[os.path.join(os.path.dirname(made.path), line["file"])] = line
        if made.operation == UNLINK:
            self.files.pop(made.path, None)
            self.files.pop(made.path.removesuffix(".seal"), None)
            if name == LEDGER: # the folder is done with
                self.files = {path: line for path, line in self.files.items()
                              if os.path.dirname(path) != os.path.dirname(made.path)}

    def lost(self, state, root):
        """The first that the state lacks, or ""."""
        for path, line in self.files.items():
            folder = state
            parts = os.path.relpath(path, root).split("/")
            for part in parts[:-1]:
                folder = folder.get(part, {})
            bytes_, seal, ledger = (folder.get(name, b"") for name in (parts[-1], parts[-1] + ".seal", LEDGER))
            if (hashlib.sha256(bytes_).hexdigest() != line["sha256"] or
                    hashlib.sha256(seal).hexdigest() != line["seal_sha256"] or line["seal_sha256"].encode() not in ledger):
                return os.path.relpath(path, root)
        return ""


# ---- the campaign ----

def states(records, root, mutant=None, seeds=1):
    """(number of the call behind which power is lost, variant, state, what of the acknowledged it lacks), no state of
    one work twice. What is lost by chance is drawn anew for each seed."""
    seen = set()
    disk, acknowledged = Disk(root, mutant), Acknowledged()
    for made in records:
        disk.play(made)
        acknowledged.see(made)
        for seed in range(seeds):
            for name in VARIANTS:
                chance = random.Random(f"{seed} {made.number} {name}")
                state = contents(disk.root, Variant(name, chance))
                key = digest(state)
                if key not in seen:
                    seen.add(key)
                    yield made.number, name, state, acknowledged.lost(state, root)


def lost_by(work, mutant):
    """(different states, those that lack something acknowledged) where a kind of fsync does nothing."""
    found = list(states(record(work), work.root, mutant))
    return len(found), sum(1 for state in found if state[3])


def campaign(work, most=None, seeds=1):
    """(different states, resumed, list of what went wrong)"""
    found = list(states(record(work), work.root, None, seeds))
    wrong = [f"{work.name}, power lost behind call {number}, {name}: {lost} was acknowledged and is lost"
             for number, name, _, lost in found if lost]
    resumed = 0
    for n in faults.pick(len(found), most):
        number, name, state, _ = found[n - 1]
        work.clear()
        write_state(state, work.root)
        said = work.resume()
        resumed += 1
        if said:
            wrong.append(f"{work.name}, power lost behind call {number}, {name}: {said}")
        faults.progress(f"{work.name} {resumed} of {len(found)} {wrong[-1:] if said else ''}")
    return len(found), resumed, wrong
