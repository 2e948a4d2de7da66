"""sklearn_roc -- scikit-learn as its examples have it: cosine_similarity of all with all, the upper triangle, and
roc_curve of the scores. Takes 9 bytes a score many times over: for some thousands of templates only.

    sklearn_roc.py FOLDER THRESHOLD MOST"""
import sys

import peer

np, sklearn = peer.needed("numpy", "sklearn")
from sklearn.metrics import roc_curve # noqa: E402 (needed() has to look first)
from sklearn.metrics.pairwise import cosine_similarity # noqa: E402


def roc(vectors, subjects):
    similarity = cosine_similarity(vectors)
    rows, columns = np.triu_indices(len(vectors), 1)
    mated, scores = subjects[rows] == subjects[columns], similarity[rows, columns]
    roc_curve(mated, scores)
    return mated, scores


def main():
    vectors, subjects, _ = peer.templates(sys.argv[1], int(sys.argv[3]))
    threshold = float(sys.argv[2])
    peer.measure(lambda: roc(vectors, subjects), len(vectors) * (len(vectors) - 1) // 2,
                 "scikit-learn " + sklearn.__version__,
                 lambda made: {"false_matches": int(np.count_nonzero(made[1][~made[0]] >= threshold))})


main()
