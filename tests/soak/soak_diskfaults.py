"""soak_diskfaults -- every call by which a small run, a comparison and an import change a file fails: the disk is full from
there on, one I/O error, a write that takes half; and file systems that are really full. Each is told in one line with exit
status 1, or does no harm, and the command given again comes to the same result.

ASSAY_SOAK_MOST=N takes N calls of each work and fault at most, evenly over them; the table says how many there were.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "faults"))
import diskfaults
import faults

SIZES = [4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024]


def main():
    faults.ready()
    most = int(os.environ.get("ASSAY_SOAK_MOST", 0)) or None
    rows, wrong = [], []
    with faults.holder() as folder:
        mounts = diskfaults.can_mount(folder)
        for kind in faults.WORKS:
            work = kind(folder)
            for fault, onward in diskfaults.KINDS:
                calls, told, unharmed, met = diskfaults.at_every_call(work, fault, onward, most)
                rows.append((work.name, fault + (", from there on" if onward else ", once"), calls, told, unharmed,
                             len(met)))
                wrong += met
            if mounts:
                told, fitted, met = diskfaults.really_full(work, SIZES)
                rows.append((work.name, "full file system", len(SIZES), told, fitted, len(met)))
                wrong += met
    print("| work | fault | calls (sizes) | told in one line, then exact | no harm done | wrong |\n|---|---|---|---|---|---|")
    for row in rows:
        print("| %s | %s | %d | %d | %d | %d |" % row)
    if not mounts:
        print("\nNo file system could be mounted: full ones were not tried.")
    if wrong:
        print("\n" + "\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
