"""soak_powerloss -- states that a loss of power can leave behind any call by which a small run, a comparison and an import
change a file (tests/faults/powerloss.py), and going on from each; and three disks on each of which one kind of fsync does
nothing, which must be found out.

ASSAY_SOAK_MOST=N goes on from N states of each work at most, evenly over them; the table says how many there were.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "faults"))
import faults
import powerloss

SEEDS = {"run": 1, "compare": 3, "import": 4} # of what is lost by chance


def main():
    faults.ready()
    most = int(os.environ.get("ASSAY_SOAK_MOST", 0)) or None
    rows, mutants, wrong = [], [], []
    with faults.holder() as folder:
        for kind in faults.WORKS:
            work = kind(folder)
            states, resumed, met = powerloss.campaign(work, most, SEEDS[work.name])
            rows.append((work.name, states, resumed, resumed - len(met)))
            wrong += met
            for mutant in ("segment", "directory", "ledger"):
                mutants.append((work.name, mutant, *powerloss.lost_by(work, mutant)))
    print("| work | different states | gone on from | with the same result |\n|---|---|---|---|")
    for row in rows:
        print("| %s | %d | %d | %d |" % row)
    print("\nIn all states everything that was acknowledged is there. Where one kind of fsync does nothing:\n")
    print("| work | fsync left out of | states | that lack something acknowledged |\n|---|---|---|---|")
    for row in mutants:
        print("| %s | %s | %d | %d |" % row)
    wrong += [f"{row[0]}: no state shows that the {row[1]} is not synced" for row in mutants if row[3] == 0]
    if wrong:
        print("\n" + "\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
