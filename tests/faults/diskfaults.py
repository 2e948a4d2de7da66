"""diskfaults -- a call by which a command changes a file fails: the disk is full from there on, an I/O error once, a write
that takes half; and a real file system that is full. The command must say so in one line that names a file, or be right."""
import os
import subprocess

import faults

REASONS = {"enospc": "No space left on device", "eio": "Input/output error", "short": "No space left on device"}
KINDS = [("enospc", 1), ("eio", 0), ("short", 0)]


def complaint(work, code, fault, reason):
    """"" where it is said as it should be: one line, with a file and the system's word for it."""
    lines = [line for line in fault.splitlines() if line and ": note: " not in line]
    if code != 1:
        return f"ended with {code}: {fault.strip()}"
    if len(lines) != 1:
        return f"{len(lines)} lines: {fault.strip()}"
    if reason not in lines[0] or "root" not in lines[0]:
        return f"does not name a file and '{reason}': {lines[0]}"
    return ""


def at_every_call(work, kind, onward, most=None):
    """(calls, told, unharmed, list of what went wrong)"""
    calls = work.count()
    told, unharmed, wrong = 0, 0, []
    for at in faults.pick(calls, most):
        work.clear()
        code, fault, seen = work.shim(at=at, do=kind, onward=onward)
        if seen["fired"] == 0:
            continue # no write, which alone can be short
        where = f"{work.name}, {kind}{' from' if onward else ' at'} call {at} ({seen['what']})"
        said = ""
        if code == 0:
            unharmed += 1 # and what it made must be right as it lies there
        else:
            said = complaint(work, code, fault, REASONS[kind])
            told += not said
        said = said or work.resume()
        if said:
            wrong.append(f"{where}: {said}")
        faults.progress(f"{work.name} {kind} {at}/{calls} {wrong[-1:] if said else ''}")
    return calls, told, unharmed, wrong


def mount(folder, kib):
    return subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kib}k", "assay-faults", folder],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def can_mount(holder):
    folder = os.path.join(holder, "mount")
    os.makedirs(folder, exist_ok=True)
    if not mount(folder, 16):
        return False
    subprocess.run(["umount", folder], check=True)
    return True


def really_full(work, sizes):
    """The work in a file system of each size in KiB, then in a large one: (told, fitted, list of what went wrong)"""
    told, fitted, wrong = 0, 0, []
    for kib in sizes:
        work.clear()
        if not mount(work.root, kib):
            raise RuntimeError("cannot mount")
        try:
            code, _, fault = faults.call(work.arguments, work.folder)
            said = "" if code == 0 else complaint(work, code, fault, REASONS["enospc"])
            told += code != 0 and not said
            fitted += code == 0
            subprocess.run(["mount", "-o", "remount,size=1g", work.root], check=True)
            said = said or work.resume()
            if said:
                wrong.append(f"{work.name} in {kib} KiB: {said}")
        finally:
            subprocess.run(["umount", "-l", work.root], check=True)
    return told, fitted, wrong
