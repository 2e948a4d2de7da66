"""sort_scores -- np.sort of scores that are there already, which is where tools that take lists of scores begin. Its
rate is in scores: it makes none.

    sort_scores.py FOLDER THRESHOLD MOST"""
import sys

import peer

np, = peer.needed("numpy")


def scores_of(vectors, most):
    """Scores of the first templates' pairs, at most `most` of them."""
    count = min(len(vectors), int((2 * most) ** 0.5))
    return (vectors[:count] @ vectors[:count].T)[np.triu_indices(count, 1)]


def main():
    vectors, _, _ = peer.templates(sys.argv[1])
    scores = scores_of(vectors, int(sys.argv[3]))
    peer.measure(lambda: np.sort(scores), len(scores), "numpy " + np.__version__,
                 lambda made: {"counted": len(made)})


main()
