"""faiss_range -- FAISS asked for every pair above a threshold: IndexFlatIP.range_search of all with all. It computes
both orders of a pair; pairs are counted once. No histogram.

    faiss_range.py FOLDER THRESHOLD"""
import sys

import peer

np, faiss = peer.needed("numpy", "faiss")
faiss.omp_set_num_threads(1)


def search(vectors, threshold):
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    limits, _, found = index.range_search(vectors, threshold)
    return limits, found


def false_matches(subjects, limits, found):
    """Found pairs of two subjects, each once."""
    rows = np.repeat(np.arange(len(subjects)), np.diff(limits.astype(np.int64)))
    return int(np.count_nonzero((rows < found) & (subjects[rows] != subjects[found])))


def main():
    vectors, subjects, _ = peer.templates(sys.argv[1])
    peer.measure(lambda: search(vectors, float(sys.argv[2])), len(vectors) * (len(vectors) - 1) // 2,
                 "faiss " + faiss.__version__, lambda made: {"false_matches": false_matches(subjects, *made)})


main()
