"""test_rows -- rows of comparisons that go on below the tail of evidence, against evidence of the same templates that
holds everything: vectors, bit strings, references against probes, every backend; and what is refused."""
import struct
from hashlib import sha256

from cli_support import Case, assay, main, skip, write

try:
    import h5py
    import numpy
except ImportError:
    skip("h5py and numpy are needed")

PEOPLE, EACH, KEPT = 40, 3, 150
LOWEST = -2**63


def labels():
    lines = ["sample_id,subject_id,side"]
    lines += [f"s{row},p{row // EACH},{'rpp'[row % EACH]}" for row in range(PEOPLE * EACH)]
    return "\n".join(lines) + "\n"


def vectors():
    draw = numpy.random.default_rng(5)
    people = draw.normal(size=(PEOPLE, 16))
    return (numpy.repeat(people, EACH, 0) + draw.normal(scale=1.3, size=(PEOPLE * EACH, 16))).astype("f4")


def of_subject(row):
    return int(row) // EACH


class Rows(Case):
    def templates(self, matrix, *more):
        numpy.save(self.path("x.npy"), matrix)
        write(self.folder, "x.csv", labels())
        self.good("import", "templates", "x.npy", "--labels", "x.csv", "--release", "r", "--version", "1", "-o", "t.h5",
                  *more)

    def evidence(self, *more):
        self.good("compare", "t.h5", "-o", "all.h5", "-q", *more)
        self.good("compare", "t.h5", "-o", "e.h5", "-q", "--tail-cap", str(KEPT), *more)

    def check(self, path, people):
        """Every row is there that must be, each as far down as it must go, and holds all that there is to there."""
        with h5py.File(self.path("all.h5")) as file:
            every = {(int(c["i"]), int(c["j"])): int(c["fine"]) for c in file["/result/tail"][:]}
            mated = [(int(c["i"]), int(c["j"]), int(c["fine"])) for c in file["/result/mated"][:]]
        with h5py.File(self.path("e.h5")) as file:
            floor, complete = int(file["/result"].attrs["tail_floor"]), file["/result"].attrs["tail_complete"]
            self.assertFalse(complete)
        with h5py.File(self.path(path)) as file:
            rows, floors, start = file["/row"][:], file["/floor"][:], file["/start"][:]
            found = [(int(c["fine"]), int(c["i"]), int(c["j"])) for c in file["/comparisons"][:]]
        beside, mates = {}, {}
        for (i, j), fine in every.items():
            beside.setdefault(i, []).append((fine, i, j))
            beside.setdefault(j, []).append((fine, i, j))
        for i, j, fine in mated:
            mates[i], mates[j] = max(mates.get(i, LOWEST), fine), max(mates.get(j, LOWEST), fine)
        expected, of_mates = {}, 0
        for row, pairs in beside.items():
            best = {}
            for fine, i, j in pairs:
                other = of_subject(j if i == row else i)
                best[other] = max(best.get(other, LOWEST), fine)
            ranked = sorted(best.values(), reverse=True)
            lowest = None
            if row in mates and mates[row] < floor:
                lowest = mates[row]
                of_mates += 1
            in_tail = sum(value >= floor for value in ranked)
            if in_tail < people or (lowest is not None and people):
                wanted = ranked[people - 1] if len(ranked) > people else LOWEST
                lowest = wanted if lowest is None else min(lowest, wanted)
            if lowest is not None:
                expected[row] = (lowest, sorted((p for p in pairs if p[0] >= lowest), key=lambda p: (-p[0], p[1], p[2])))
        self.assertEqual(rows.tolist(), sorted(expected))
        for n, row in enumerate(rows.tolist()):
            self.assertEqual((int(floors[n]), found[int(start[n]):int(start[n + 1])]), expected[row])
        return len(expected), of_mates

    def test_rows_of_vectors_go_as_far_as_mates_and_people(self):
        self.templates(vectors())
        self.evidence()
        digests = {}
        for people in ("0", "1", "7", "60"):
            more = [] if people == "0" else ["--top", people]
            told = self.json("compare", "t.h5", "--rows", "e.h5", "-o", "rows.h5", "--json", *more)
            rows, of_mates = self.check("rows.h5", int(people))
            self.assertEqual((told["rows"], told["mates_below_tail"]), (rows, of_mates))
            self.assertGreater(of_mates, 5)
            digests[people] = told["digest"]
        self.assertEqual(len(set(digests.values())), 4)
        again = self.json("compare", "t.h5", "--rows", "e.h5", "-o", "rows.h5", "--json", "--top", "7", "--backend",
                          "reference", "--threads", "2")
        self.assertEqual(again["digest"], digests["7"])
        about = self.json("info", "rows.h5", "--json")
        self.assertEqual((about["kind"], about["people"], about["digest"]), ("rows", 7, digests["7"]))
        self.assertEqual(self.digest_of_format(), digests["7"])
        self.assertIn("rows.h5", self.good("verify", ".").stdout)

    def digest_of_format(self):
        """As datasets/FORMAT.md says it is made."""
        def u64(*values):
            return b"".join(struct.pack("<Q", int(v) % 2**64) for v in values)
        with h5py.File(self.path("rows.h5")) as file:
            rows, floors, start, found = (file[name][:] for name in ("row", "floor", "start", "comparisons"))
            text = u64(len("assay-rows/1")) + b"assay-rows/1" + bytes.fromhex(file.attrs["result_digest"])
            text += u64(file.attrs["people"], len(rows))
        for n, row in enumerate(rows):
            here = found[int(start[n]):int(start[n + 1])]
            text += u64(row, floors[n], len(here)) + b"".join(u64(c["fine"], c["i"], c["j"]) for c in here)
        return sha256(text).hexdigest()

    def test_references_have_probes_beside_them_and_bit_strings_rows(self):
        self.templates(vectors())
        self.evidence("--protocol", "cross", "--role-column", "side", "--reference", "r", "--probe", "p")
        self.good("compare", "t.h5", "--rows", "e.h5", "-o", "rows.h5", "--top", "3")
        self.check("rows.h5", 3)
        draw = numpy.random.default_rng(2)
        codes = numpy.repeat(draw.integers(0, 2, (PEOPLE, 64)), EACH, 0)
        codes = numpy.where(draw.random(codes.shape) < 0.3, 1 - codes, codes)
        masks = (draw.random(codes.shape) < 0.9).astype("u1")
        masks[0] = [1] * 8 + [0] * 56  # too few: it fails to compare with anybody
        numpy.save(self.path("m.npy"), numpy.packbits(masks, axis=1, bitorder="little"))
        self.templates(numpy.packbits(codes.astype("u1"), axis=1, bitorder="little"), "--masks", "m.npy", "--comparator",
                       "hamming:shifts=1,minimum-valid-bits=16")
        self.evidence()
        self.good("compare", "t.h5", "--rows", "e.h5", "-o", "rows.h5", "--top", "4")
        self.check_bits()

    def check_bits(self):
        """The row that failed to compare with everybody is there, empty, as far down as there is."""
        with h5py.File(self.path("all.h5")) as file:
            fines = {(int(c["i"]), int(c["j"])): int(c["fine"]) for c in file["/result/tail"][:]}
        with h5py.File(self.path("rows.h5")) as file:
            rows, floors, start, found = (file[name][:] for name in ("row", "floor", "start", "comparisons"))
        self.assertEqual((int(rows[0]), int(floors[0]), int(start[1])), (0, LOWEST, 0))
        self.assertGreater(len(rows), 30)
        for n, row in enumerate(rows.tolist()):
            truth = [fine for pair, fine in fines.items() if row in pair and fine >= int(floors[n])]
            self.assertEqual(sorted(found[int(start[n]):int(start[n + 1])]["fine"].tolist()), sorted(truth))
            best = {}
            for pair, fine in fines.items():
                if row in pair:
                    other = of_subject(sum(pair) - row)
                    best[other] = max(best.get(other, LOWEST), fine)
            kept = {other for other, fine in best.items() if fine >= int(floors[n])}
            self.assertGreaterEqual(len(kept), min(4, len(best)))

    def test_what_holds_everything_has_no_rows(self):
        self.templates(vectors())
        self.evidence()
        told = self.json("compare", "t.h5", "--rows", "all.h5", "-o", "rows.h5", "--top", "3", "--json")
        self.assertEqual((told["rows"], told["comparisons"]), (0, 0))
        self.assertEqual(self.json("info", "rows.h5", "--json")["rows"], 0)

    def test_wrong_requests_are_told(self):
        self.templates(vectors())
        self.evidence()
        said = self.bad(2, "compare", "t.h5", "--rows", "e.h5", "-o", "r.h5", "--top", "40", "--tail-cap", "2000")
        self.assertIn("more than 2000 comparisons would be kept", said)
        said = self.bad(2, "compare", "t.h5", "--rows", "e.h5", "-o", "r.h5", "--protocol", "all")
        self.assertIn("exclude each other", said)
        self.assertIn("is of --rows", self.bad(2, "compare", "t.h5", "-o", "r.h5", "--top", "2"))
        write(self.folder, "pairs.csv", "reference,probe\ns0,s1\ns0,s4\n")
        self.good("compare", "t.h5", "-o", "list.h5", "-q", "--protocol", "pairs", "--pairs", "pairs.csv")
        self.assertIn("list of pairs", self.bad(2, "compare", "t.h5", "--rows", "list.h5", "-o", "r.h5"))
        other = vectors()
        other[0] += 1
        numpy.save(self.path("y.npy"), other)
        self.good("import", "templates", "y.npy", "--labels", "x.csv", "--release", "r", "--version", "1", "-o", "u.h5")
        self.assertIn("are not the templates", self.bad(2, "compare", "u.h5", "--rows", "e.h5", "-o", "r.h5"))
        self.assertNotEqual(assay("info", "r.h5", folder=self.folder).returncode, 0)


if __name__ == "__main__":
    main()
