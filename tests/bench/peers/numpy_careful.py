"""numpy_careful -- histograms by pairs of groups as fast as numpy was found to make them: templates sorted by
group, so that a block has one histogram; scores scaled in place, turned into bins, counted by bincount. It
neither leaves mated pairs out nor keeps a tail: less than `assay bench` does.

    numpy_careful.py FOLDER THRESHOLD"""
import sys

import peer

np, = peer.needed("numpy")
BINS = 4096
BLOCK = 512 # the fastest of 256 to 1,667


def blocks_of(groups):
    """Blocks of at most BLOCK rows, each of one group: (first, end, group)."""
    blocks = []
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        parts = -(-len(rows) // BLOCK)
        cuts = [rows[0] + len(rows) * n // parts for n in range(parts + 1)]
        blocks += [(first, end, group) for first, end in zip(cuts, cuts[1:])]
    return blocks


def histograms(vectors, groups):
    count = groups.max() + 1
    found = np.zeros((count, count, BINS + 1), dtype=np.int64)
    scores, bins = np.empty(BLOCK * BLOCK, dtype=np.float32), np.empty(BLOCK * BLOCK, dtype=np.intp)
    blocks = blocks_of(groups)
    for n, (first, end, group) in enumerate(blocks):
        # The scale of the bins is a power of two: scaling the rows first is exact, and saves a pass.
        rows = vectors[first:end] * np.float32(BINS / 2)
        for other_first, other_end, other in blocks[n:]:
            shape = end - first, other_end - other_first
            tile = scores[:shape[0] * shape[1]].reshape(shape)
            index = bins[:shape[0] * shape[1]].reshape(shape)
            np.matmul(rows, vectors[other_first:other_end].T, out=tile)
            np.add(tile, np.float32(BINS / 2), out=tile)
            np.copyto(index, tile, casting="unsafe")
            taken = index[np.triu_indices(shape[0], 1)] if other_first == first else index.ravel()
            found[group, other] += np.bincount(taken, minlength=BINS + 1)
    return found


def main():
    vectors, _, groups = peer.templates(sys.argv[1])
    pairs = len(vectors) * (len(vectors) - 1) // 2
    peer.measure(lambda: histograms(vectors, groups), pairs, "numpy " + np.__version__,
                 lambda found: {"counted": int(found.sum())})


main()
