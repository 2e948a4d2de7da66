"""soak_kills -- kill -9 before every call by which a small run, a comparison and an import change a file, and 1,000
kills at random instants; after each the same command is given again, and its result must be that of one that was left
alone.

    soak_kills.py [MOST [RANDOM]]    at most MOST calls of each work (0: all), RANDOM kills in all
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "faults"))
import faults
import kills

RANDOM_WORKS = [faults.Run, faults.Compare]


def main():
    faults.ready()
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    at_random = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
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
