"""test_between -- references of one release against probes of another, against scores computed here one by one: every
directed pair, sides that fail to enrol, every backend, every protocol, variances by the literal definition; and what
is refused."""
import importlib.util
import itertools
import json
import os

from cli_support import Case, assay, main, skip, write

try:
    import h5py
    import numpy
except ImportError:
    skip("h5py and numpy are needed")

SUBJECTS, EACH, LENGTH = 30, 3, 16
TARGETS = "1e-1,1e-2"
LOST = {"old": (5, 40), "new": (9, 10, 40)}  # rows of zeros: not enrolled
ROWS = SUBJECTS * EACH
ORACLE = os.path.join(os.environ.get("ASSAY_DATA", ""), "..", "oracle", "oracle.py")


def releases():
    draw = numpy.random.default_rng(5)
    faces = draw.integers(-3, 4, (SUBJECTS, LENGTH)).repeat(EACH, 0) * 4
    made = {}
    for name, spread in (("old", 11), ("new", 8)):
        made[name] = (faces + draw.integers(-spread, spread + 1, (ROWS, LENGTH))).astype("f4")
        made[name][list(LOST[name])] = 0
    return made


def subject_of(row):
    return row // EACH


class Between(Case):
    def setUp(self):
        super().setUp()
        self.made = releases()
        lines = ["sample,subject,session,sex,side"]
        for row in range(ROWS):
            lines.append(f"s{row},p{subject_of(row)},{row % EACH % 2},{'FM'[subject_of(row) % 2]},{'rpp'[row % EACH]}")
        write(self.folder, "labels.csv", "\n".join(lines) + "\n")
        for name, vectors in self.made.items():
            numpy.save(self.path(name + ".npy"), vectors)
            self.take(name, name)
        # In whole numbers: an inner product is exact in every type.
        self.scores = self.made["old"].astype("i8") @ self.made["new"].astype("i8").T

    def take(self, name, release, family="f", comparator="inner-product", labels="labels.csv"):
        family = ["--family", family] if family else []
        self.good("import", "templates", release + ".npy", "--labels", labels, "--release", release, "--version", "1",
                  "--comparator", comparator, *family, "-o", name + ".h5", "-q")

    def between(self, out, *options):
        return self.good("compare", "--references", "old.h5", "--probes", "new.h5", "--fmr-targets", TARGETS, "-o", out,
                         "-q", *options)

    def expected(self, mated, taken=lambda i, j: True):
        """{(reference, probe): score}; one session's mated pairs are excluded."""
        return {(i, j): int(self.scores[i, j]) for i, j in itertools.product(range(ROWS), repeat=2)
                if i != j and i not in LOST["old"] and j not in LOST["new"] and taken(i, j) and
                (subject_of(i) == subject_of(j)) == mated and
                not (mated and i % EACH % 2 == j % EACH % 2)}

    def found(self, path):
        with h5py.File(self.path(path)) as file:
            names = [s.decode() for s in file["samples/sample_id"][:]]
            role = file["samples/role"][:]
            lists = {}
            for kind in ("mated", "tail"):
                lists[kind] = {}
                for row in file["result/" + kind][:]:
                    i, j = int(row["i"]), int(row["j"])
                    self.assertEqual((1, 2), (int(role[i]), int(role[j])))
                    self.assertEqual(1, int(row["direction"]))
                    key = (int(names[i][1:]), int(names[j][1:]))
                    self.assertNotIn(key, lists[kind])
                    lists[kind][key] = float(row["score"])
            return lists, dict(zip([s.decode() for s in file["result/relation_names"][:]],
                                   (int(n) for n in file["result/relations"][:]))), \
                {key: file["references"].attrs[key] for key in ("release", "version")}

    def test_every_directed_pair_once_with_its_score(self):
        self.between("e.h5", "--backend", "cpu")
        lists, relations, named = self.found("e.h5")
        self.assertEqual(self.expected(True), lists["mated"])
        self.assertEqual(self.expected(False), lists["tail"])
        self.assertEqual(len(set(range(ROWS)) - set(LOST["old"]) - set(LOST["new"])), relations["excluded: same sample"])
        self.assertEqual("old", named["release"].decode() if isinstance(named["release"], bytes) else named["release"])

    def test_every_backend_and_number_of_threads_gives_the_same_digest(self):
        digests = set()
        for n, options in enumerate((["--backend", "reference"], ["--backend", "cpu", "--threads", "1"],
                                     ["--backend", "cpu", "--threads", "3"])):
            done = self.good("compare", "--references", "old.h5", "--probes", "new.h5", "-o", f"{n}.h5", "--json",
                             *options)
            digests.add(json.loads(done.stdout)["result_digest"])
        self.assertEqual(1, len(digests))
        other = json.loads(self.good("compare", "--references", "new.h5", "--probes", "old.h5", "-o", "turned.h5",
                                     "--json").stdout)
        self.assertNotIn(other["result_digest"], digests)

    def test_cross_and_one_per_subject_hold_for_samples(self):
        self.between("e.h5", "--protocol", "cross", "--role-column", "side", "--reference", "r", "--probe", "p")
        lists, _, _ = self.found("e.h5")
        taken = lambda i, j: i % EACH == 0 and j % EACH > 0
        self.assertEqual(self.expected(True, taken), lists["mated"])
        self.assertEqual(self.expected(False, taken), lists["tail"])
        # The pick is of samples, whatever release made their templates: the one that a release alone has too.
        self.between("one.h5", "--protocol", "one-per-subject")
        self.good("compare", "old.h5", "--protocol", "one-per-subject", "-o", "alone.h5", "-q")
        with h5py.File(self.path("alone.h5")) as file:
            names = [s.decode() for s in file["samples/sample_id"][:]]
            alone = {tuple(sorted((int(names[r["i"]][1:]), int(names[r["j"]][1:])))) for r in file["result/mated"][:]}
        lists, _, _ = self.found("one.h5")
        self.assertTrue(alone)
        lost = set(LOST["old"]) | set(LOST["new"])
        self.assertEqual({pair for pair in alone if not lost & set(pair)},
                         {tuple(sorted(pair)) for pair in lists["mated"] if not lost & set(pair)})

    def test_pairs_of_a_list_keep_their_direction(self):
        write(self.folder, "pairs.csv", "reference,probe\ns0,s1\ns1,s0\ns7,s3\ns60,s2\n")
        self.between("e.h5", "--protocol", "pairs", "--pairs", "pairs.csv", "--same-session")
        lists, _, _ = self.found("e.h5")
        self.assertEqual({pair: int(self.scores[pair]) for pair in ((0, 1), (1, 0))}, lists["mated"])
        self.assertEqual({pair: int(self.scores[pair]) for pair in ((7, 3), (60, 2))}, lists["tail"])

    def test_figures_are_those_of_all_directed_comparisons(self):
        self.between("e.h5")
        self.good("report", "e.h5", "-o", "report", "-q")
        with open(self.path("report", "summary.json"), encoding="utf-8") as text:
            release = json.load(text)["releases"][0]
        self.assertEqual(("new", "1", "old", "1"), (release["name"], release["version"],
                                                    release["references"]["name"], release["references"]["version"]))
        with open(self.path("report", "index.html"), encoding="utf-8") as text:
            self.assertIn("new 1 with references of old 1", text.read())
        mated, non_mated = self.expected(True), self.expected(False)
        for point in release["operating_points"]:
            at = point["threshold"]
            errors = [pair for pair, score in non_mated.items() if score >= at]
            self.assertEqual(len(errors), point["fmr"]["errors"])
            self.assertEqual(len(non_mated), point["fmr"]["trials"])
            self.assertEqual(sum(score < at for score in mated.values()), point["fnmr"]["errors"])
            self.assertEqual(len(mated), point["fnmr"]["trials"])
        if not os.path.exists(ORACLE):
            return
        spec = importlib.util.spec_from_file_location("oracle", ORACLE)
        oracle = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(oracle)
        point = release["operating_points"][0]
        F, m = numpy.zeros((SUBJECTS, SUBJECTS)), numpy.zeros((SUBJECTS, SUBJECTS))
        for (i, j), score in non_mated.items():
            x, y = subject_of(i), subject_of(j)
            for a, b in ((x, y), (y, x)):
                m[a, b] += 1
                F[a, b] += score >= point["threshold"]
        dense = oracle.dyad_dense(F, m)
        n, M, p = m.sum(1), dense["M"], dense["p"]
        s = F.sum(1) - p * n
        d = dict(F=int(round(p * M)), M=M, p=p, S2=dense["S2"], g=max((s @ s) - 2 * dense["S2"], 0) / (p * M) ** 2,
                 nc=(s @ s) ** 2 / (s ** 4).sum(), N=SUBJECTS)
        low, high = (oracle.fmr_ci(d)[key] for key in ("lo", "hi"))
        # The floor of g may widen it: never narrower, and the same where the point's own g is the largest.
        self.assertLessEqual(point["fmr"]["low"], low * (1 + 1e-9))
        self.assertGreaterEqual(point["fmr"]["high"], high * (1 - 1e-9))
        self.assertLess(point["fmr"]["high"] - point["fmr"]["low"], 1.5 * (high - low))

    def test_quantiles_of_scores_are_those_of_all_scores(self):
        for name in ("old", "new"):
            self.good("compare", name + ".h5", "-o", name + "-e.h5", "--fmr-targets", TARGETS, "-q")
            self.good("compare", name + ".h5", "-o", name + "-short.h5", "--fmr-targets", TARGETS, "--tail-cap", "500", "-q")
        for ending in ("-e.h5", "-short.h5"):
            self.good("report", "old" + ending, "new" + ending, "-o", "report" + ending, "-q")
            with open(self.path("report" + ending, "summary.json"), encoding="utf-8") as text:
                scale = json.load(text)["comparisons"][0]["score_scale"]
            for which, release in (("earlier", "old"), ("later", "new")):
                vectors = self.made[release].astype("i8")
                scores = vectors @ vectors.T
                pairs = [(i, j) for i, j in itertools.combinations(range(ROWS), 2)
                         if i not in LOST[release] and j not in LOST[release]]
                of = {"mated": [scores[i, j] for i, j in pairs if subject_of(i) == subject_of(j) and i % EACH % 2 != j % EACH % 2],
                      "non_mated": [scores[i, j] for i, j in pairs if subject_of(i) != subject_of(j)]}
                for kind, shares in scale.items():
                    values = sorted(of[kind])
                    for one in shares["quantiles"]:
                        exact = values[max(int(numpy.ceil(one["share"] * len(values) - 1e-9)), 1) - 1]
                        found = one[which]
                        self.assertLessEqual(abs(found["value"] - exact), found["bound"], (kind, one))
                        if found["source"] == "exact":
                            self.assertEqual(0, found["bound"])
            coarse = [one[which]["source"] == "coarse" for one in scale["non_mated"]["quantiles"]]
            self.assertEqual("short" in ending, any(coarse))
            self.assertFalse(all(coarse))

    def test_what_cannot_be_compared_is_refused_in_one_line(self):
        self.take("other", "new", family="g")
        self.take("silent", "new", family=None)
        self.take("cosine", "new", comparator="cosine")
        write(self.folder, "others.csv", "sample,subject\n" + "".join(f"s{r},q{r // 2}\n" for r in range(ROWS)))
        self.take("people", "new", labels="others.csv")
        numpy.save(self.path("short.npy"), self.made["new"][:, :8])
        self.take("short", "short")
        for probes, said in (("other", "not compatible, by what their algorithms say (family 'f' and 'g')"),
                             ("silent", "new 1 does not state the family of its templates"),
                             ("cosine", "comparator inner-product and probes of new 1 cosine"),
                             ("people", "not of the same samples"),
                             ("short", "16 components and probes of short 1 8 components")):
            text = self.bad(2, "compare", "--references", "old.h5", "--probes", probes + ".h5", "-o", "e.h5")
            self.assertIn(said, text)
            self.assertEqual(1, text.count("\n"), text)
            self.assertFalse(os.path.exists(self.path("e.h5")))
        self.good("compare", "--references", "old.h5", "--probes", "silent.h5", "--assume-compatible", "-o", "e.h5", "-q")
        self.bad(2, "compare", "--references", "old.h5", "--probes", "other.h5", "--assume-compatible", "-o", "x.h5")
        self.bad(2, "compare", "old.h5", "--probes", "new.h5", "-o", "x.h5")
        self.bad(2, "compare", "--references", "old.h5", "--probes", "new.h5", "-o", "old.h5")


if __name__ == "__main__":
    main()
