"""memory -- the k-th allocation of a command fails, once or from there on: it ends as it should or says what is missing.

The shim serves main() by forking, so that a case costs milliseconds. A case is
  same      it ended with 0, and its output is that of a run with all memory
  reported  it ended with 1 and a line that says that memory was out, or what HDF5 could not do
  library   a library died of it (HDF5 and others do not check every allocation), and a line says so
and anything else is wrong: another output, another exit status, no line, a death in our own code.
"""
import hashlib
import os
import signal
import subprocess

import h5py

import faults

FOREIGN = ("libhdf5", "libjansson", "libcrypto", "libopenblas", "libyaml", "libcsv", "libstdc++", "libutf8proc")


class Served:
    """A command whose main() is run again and again."""

    def __init__(self, folder, control, arguments, output):
        self.folder, self.control, self.output = folder, control, os.path.join(folder, output) if output else None
        self.serve = os.path.join(folder, "serve")
        os.makedirs(self.serve, exist_ok=True)
        extra = {"LD_PRELOAD": faults.SHIM, "FAULT_CONTROL": control.path, "FAULT_SERVE": self.serve}
        self.process = subprocess.Popen([faults.PROGRAM, *arguments], cwd=folder, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, env=faults.settings(extra), text=True,
                                        start_new_session=True)

    def run(self, allocation, onward):
        """(wait status, standard output, lines of standard error)"""
        if self.output:
            for name in (self.output, self.output + ".seal", os.path.join(os.path.dirname(self.output), "assay-ledger.jsonl")):
                if os.path.exists(name):
                    os.unlink(name)
        self.process.stdin.write(f"{allocation} {int(onward)}\n")
        self.process.stdin.flush()
        status = int(self.process.stdout.readline())
        with open(os.path.join(self.serve, "out"), errors="replace", encoding="utf-8") as out, \
                open(os.path.join(self.serve, "fault"), errors="replace", encoding="utf-8") as fault:
            return status, out.read(), [line for line in fault.read().splitlines() if ": note: " not in line]

    def digest(self):
        """Of every value in the container that it made: where HDF5 puts them in the file is its own affair."""
        if not self.output or not os.path.exists(self.output):
            return ""
        found = hashlib.sha256()

        def add(name, what):
            values = [(name, what[()])] if isinstance(what, h5py.Dataset) else []
            values += [(f"{name}@{key}", what.attrs[key]) for key in sorted(what.attrs)]
            for where, value in values:
                bytes_ = value.tobytes() if hasattr(value, "tobytes") else str(value).encode()
                found.update(f"{where} {len(bytes_)} ".encode() + bytes_)
        with h5py.File(self.output, "r") as made:
            add("/", made)
            made.visititems(add)
        return found.hexdigest()

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def where_it_died(trace):
    """The library of the innermost frame that is not the C library's, and a few frames in words."""
    frames = [line for line in trace if "assay-fault-shim" not in line]
    names = [os.path.basename(line.split("+")[0]) for line in frames]
    inner = next((name for name in names if not name.startswith(("libc.", "libc-", "libpthread", "libm."))), "?")
    return inner, "; ".join(os.path.basename(line) for line in frames[:5])


def judge(served, wanted, allocation, onward):
    """(kind, what it said)"""
    status, out, fault = served.run(allocation, onward)
    seen = served.control.read()
    if seen["fired"] == 0:
        return "past the end", ""
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
    if seen["crashed"]:
        library, frames = where_it_died(seen["trace"])
        if not library.startswith(FOREIGN):
            return "wrong", f"signal {seen['crashed']} in {frames}"
        if code == 1 and len(fault) == 1 and "died of signal" in fault[0]:
            return "library", fault[0]
        return "wrong", f"signal {seen['crashed']} in {frames}, ended with {code}: {fault}"
    if code == 0:
        same = (out, served.digest()) == wanted and not fault
        return ("same", "") if same else ("wrong", f"ended with 0 and another output: {fault}")
    # HDF5 prints its own stack where memory is out before it could be told not to, and names what it lacks.
    said = [line for line in fault if line.startswith("assay")]
    if code == 1 and len(said) == 1 and ("memory" in said[0].lower() or ": HDF5: " in said[0]):
        return "reported", said[0]
    return "wrong", f"ended with {code}: {fault}"


def sweep(folder, control, arguments, output, most=None, onward=False):
    """({kind: cases}, list of what went wrong, allocations)"""
    served = Served(folder, control, arguments, output)
    try:
        status, out, fault = served.run(0, False)
        if status != 0:
            raise RuntimeError(f"{arguments}: {status} {fault}")
        wanted, count = (out, served.digest()), control.read()["allocations"]
        kinds, wrong = {}, []
        for allocation in faults.pick(count, most):
            kind, said = judge(served, wanted, allocation, onward)
            kinds[kind] = kinds.get(kind, 0) + 1
            if kind == "wrong":
                wrong.append(f"assay {arguments[0]}, allocation {allocation}{' and on' if onward else ''}: {said}")
        return kinds, wrong, count
    finally:
        served.close()


LABELS = ["-l", "in/p/labels.csv", "--release", "a", "--version", "1"]
# name: arguments, and the container that it makes and whose values are compared
COMMANDS = {
    "import": (["import", "templates", "in/p/templates.npy", *LABELS, "-o", "root/t.h5", "--json", "-q"], "root/t.h5"),
    "compare": (["compare", "in/t.h5", "-o", "root/e.h5", "--threads", "1", "--json", "-q"], None),
    "info": (["info", "in/e.h5", "--json"], None),
    "verify": (["verify", "in/t.h5", "in/e.h5"], None),
}


def sweeps(folder, most, commands):
    """Of each command, once and onward: (name, {kind: cases}, list of what went wrong, allocations)"""
    folder = os.path.realpath(folder)
    for name in ("in", "root"):
        os.makedirs(os.path.join(folder, name))
    faults.need(["synth", "--templates", "--subjects", "10", "--samples", "2", "--length", "16", "-o", "in/p", "-q"],
                folder)
    faults.need(["import", "templates", "in/p/templates.npy", *LABELS, "-o", "in/t.h5", "-q"], folder)
    faults.need(["compare", "in/t.h5", "-o", "in/e.h5", "-q"], folder)
    control = faults.Control(folder)
    for name, (arguments, output) in commands.items():
        for onward in (False, True):
            kinds, wrong, count = sweep(folder, control, arguments, output, most, onward)
            yield name + (", all from there on" if onward else ", once"), kinds, wrong, count
