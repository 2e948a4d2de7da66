"""soak_kills -- kill -9 before every call by which a small run, a comparison and an import change a file, and 1,000
kills at random instants; after each the same command is given again, and its result must be that of one that was left
alone.

ASSAY_SOAK_MOST=N takes N calls of each work and N random kills at most; the table says how many there were.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "faults"))
import faults
import kills

RANDOM_WORKS = [faults.Run, faults.Compare]


def main():
    faults.ready()
    most = int(os.environ.get("ASSAY_SOAK_MOST", 0))
    at_random = most or 1000
    rows, wrong = [], []
    with faults.holder() as folder:
        for kind in faults.WORKS:
            work = kind(folder)
            calls, killed, faults_met = kills.at_every_call(work, most or None)
            rows.append((work.name, f"before a call, of {calls}", killed, killed - len(faults_met)))
            wrong += faults_met
            if kind in RANDOM_WORKS and at_random > 0:
                killed, resumed, faults_met = kills.at_random(work, at_random // len(RANDOM_WORKS))
                rows.append((work.name, f"at random instants, {resumed} resumed", killed, resumed - len(faults_met)))
                wrong += faults_met
    print("| work | killed | kills | finished with the same result |\n|---|---|---|---|")
    for row in rows:
        print("| %s | %s | %d | %d |" % row)
    if wrong:
        print("\n" + "\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
