"""numpy_usual -- what is usually written: a product of some rows with all, a mask that leaves mated pairs and the
lower triangle out, np.histogram with edges; mated scores kept. One histogram for all groups, no tail.

    numpy_usual.py FOLDER THRESHOLD"""
import sys

import peer

np, = peer.needed("numpy")
ROWS = 1000


def histogram(vectors, subjects):
    edges = np.linspace(-1, 1, 4097)
    found, mated = np.zeros(len(edges) - 1, dtype=np.int64), []
    for first in range(0, len(vectors), ROWS):
        scores = vectors[first:first + ROWS] @ vectors[first:].T
        upper = np.triu(np.ones(scores.shape, dtype=bool), 1)
        same = subjects[first:first + ROWS, None] == subjects[None, first:]
        mated.append(scores[same & upper])
        found += np.histogram(scores[~same & upper], bins=edges)[0]
    return found, np.concatenate(mated)


def main():
    vectors, subjects, _ = peer.templates(sys.argv[1])
    peer.measure(lambda: histogram(vectors, subjects), len(vectors) * (len(vectors) - 1) // 2,
                 "numpy " + np.__version__, lambda made: {"counted": int(made[0].sum()) + len(made[1])})


main()
