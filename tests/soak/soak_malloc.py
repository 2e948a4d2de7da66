"""soak_malloc -- every allocation of an import, a comparison, info and verify fails, once and with all behind it
(tests/faults/memory.py says what may come of it).

ASSAY_SOAK_MOST=N takes N allocations of each at most, evenly over them; the table says how many there were.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "faults"))
import faults
import memory


def main():
    faults.ready()
    most = int(os.environ.get("ASSAY_SOAK_MOST", 0)) or None
    wrong = []
    print("| command | allocations | tried | same result | told | a library died of it, and it was told | wrong |")
    print("|---|---|---|---|---|---|---|")
    with faults.holder() as folder:
        for name, kinds, met, count in memory.sweeps(folder, most, memory.COMMANDS):
            print("| %s | %d | %d | %d | %d | %d | %d |" % (
                name, count, sum(kinds.values()), kinds.get("same", 0) + kinds.get("past the end", 0),
                kinds.get("reported", 0), kinds.get("library", 0), len(met)), flush=True)
            wrong += met
    if wrong:
        print("\n" + "\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
