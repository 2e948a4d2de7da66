"""numpy_hamming -- bit strings with masks, best over shifts, histograms by pairs of groups. numpy before version 2 has no
popcount, so agreeing and valid bits are products of matrices of 0 and 1, exact in float32 and left to OpenBLAS; the best
fraction is scaled to bins and counted by bincount. It counts the scores at a threshold and keeps no tail: less than
`assay bench` does.

    numpy_hamming.py FOLDER THRESHOLD SHIFTS"""
import os
import sys

import peer

np, = peer.needed("numpy")
BINS = 4096
BLOCK = 512
ROWS = 8 # of a template, as assay bench lays it out where they divide it


def load(folder):
    """(codes, masks) as [N][bits] of 0 and 1."""
    return [np.unpackbits(np.load(os.path.join(folder, name + ".npy")), axis=1, bitorder="little")
            for name in ("templates", "masks")]


def sides(codes, masks):
    """What agreement and validity are the products of: ones that count, zeros that count, valid ones."""
    ones, zeros = codes & masks, (1 - codes) & masks
    return np.hstack([ones, zeros]).astype(np.float32), masks.astype(np.float32)


def turned(bits, shift):
    rows = ROWS if bits.shape[1] % ROWS == 0 else 1
    return np.roll(bits.reshape(len(bits), rows, -1), shift, axis=2).reshape(len(bits), -1)


def compare(codes, masks, subjects, groups, shifts, minimum, threshold):
    count = groups.max() + 1
    found = np.zeros((count * count, BINS + 1), dtype=np.int64)
    matches = counted = 0
    firsts = range(0, len(codes), BLOCK)
    rows = [sides(codes[first:first + BLOCK], masks[first:first + BLOCK]) for first in firsts]
    for m, other in enumerate(firsts):
        stop = min(other + BLOCK, len(codes))
        best = [np.full((len(rows[n][1]), stop - other), -1.0, dtype=np.float64) for n in range(m + 1)]
        for shift in range(-shifts, shifts + 1):
            code, mask = turned(codes[other:stop], shift), turned(masks[other:stop], shift)
            right = sides(code, mask)
            for n in range(m + 1):
                agreeing, valid = rows[n][0] @ right[0].T, rows[n][1] @ right[1].T
                share = np.divide(agreeing, valid, out=np.full(valid.shape, -1.0), where=valid >= minimum,
                                  dtype=np.float64, casting="unsafe")
                np.maximum(best[n], share, out=best[n])
        for n in range(m + 1):
            scores, first = best[n], firsts[n]
            taken = np.triu(np.ones(scores.shape, dtype=bool), 1) if n == m else np.ones(scores.shape, dtype=bool)
            counted += int(taken.sum())
            taken &= subjects[first:first + len(scores), None] != subjects[None, other:stop]
            taken &= scores >= 0
            pair = groups[first:first + len(scores), None] * count + groups[None, other:stop]
            index = pair * (BINS + 1) + (scores * (BINS / 2)).astype(np.int64)
            found += np.bincount(index[taken], minlength=found.size).reshape(found.shape)
            # Different fractions of at most 2^20 bits are 2^-40 apart: what is nearer is equal.
            matches += int((scores[taken] >= threshold - 2.0 ** -45).sum())
    return counted, matches


def main():
    folder, threshold, shifts = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    codes, masks = load(folder)
    _, subjects, groups = peer.templates(folder)
    minimum = (codes.shape[1] + 3) // 4
    pairs = len(codes) * (len(codes) - 1) // 2
    peer.measure(lambda: compare(codes, masks, subjects, groups, shifts, minimum, threshold), pairs,
                 "numpy " + np.__version__,
                 lambda got: {"lost": pairs - got[0], "false_matches": got[1]})


main()
