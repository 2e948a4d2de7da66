"""test_galleries -- identification by brute force over the dense matrix of scores: 1,000 random galleries of the built-in
population, every gallery of small sets, given galleries search by search, ranks below the tail, look-alikes."""
import csv
import itertools
import json
import math
import os
import sys

from cli_support import Case, main, skip, write

try:
    import h5py
    import numpy
except ImportError:
    skip("h5py and numpy are needed")

ABOUT = ["--release", "r", "--version", "1"]
NONE = -numpy.inf


def flight_of(row):
    return f"F{row // 2 % 20}"


class Galleries(Case):
    def population(self, subjects, failed):
        """Two samples each; those of the rows `failed` have no usable template."""
        self.good("synth", "--templates", "--subjects", str(subjects), "--samples", "2", "--length", "8", "--planted", "-o",
                  "p")
        vectors = numpy.load(self.path("p", "templates.npy"))
        with open(self.path("p", "labels.csv"), encoding="utf-8", newline="") as text:
            rows = list(csv.DictReader(text))
        vectors[list(failed)] = 0
        self.templates(vectors, [r["subject"] for r in rows])

    def templates(self, vectors, subjects, name="t.h5", more=ABOUT):
        numpy.save(self.path("x.npy"), numpy.asarray(vectors, "f4"))
        lines = [f"s{n},{subject},{flight_of(n)}" for n, subject in enumerate(subjects)]
        write(self.folder, "x.csv", "sample_id,subject_id,flight\n" + "\n".join(lines) + "\n")
        self.good("import", "templates", "x.npy", "--labels", "x.csv", "-o", name, "-q", *more)
        self.names, self.subjects = subjects, numpy.unique(subjects, return_inverse=True)[1]

    def compare(self, *more, templates="t.h5", out="e.h5"):
        self.good("compare", templates, "-o", out, "-q", "--matrix", "m.h5", *more)
        with h5py.File(self.path("m.h5")) as file:
            rows, scores = file["/row"][:], file["/scores"][:]
        count = len(self.subjects)
        dense = numpy.full((count, count), numpy.nan)
        dense[numpy.ix_(rows, rows)] = scores
        self.enrolled = numpy.zeros(count, bool)
        self.enrolled[rows] = True
        return dense

    def best(self, dense):
        """[row][person] best score with any of the person's samples; the row's own apart."""
        people = self.subjects.max() + 1
        found = numpy.full((len(dense), people), NONE)
        for person in range(people):
            part = dense[:, self.subjects == person]
            found[:, person] = numpy.where(numpy.isnan(part), NONE, part).max(1)
        own = found[numpy.arange(len(dense)), self.subjects].copy()
        found[numpy.arange(len(dense)), self.subjects] = NONE
        return found, own

    def near(self, value, rates, what):
        """value within five standard errors of the mean of what each of many galleries gave."""
        error = numpy.std(rates) / math.sqrt(len(rates))
        self.assertLess(error, 0.2 * value, what)
        self.assertLess(abs(value - numpy.mean(rates)), 5 * error, (what, value, numpy.mean(rates), error))

    def test_a_thousand_random_galleries_of_the_population(self):
        size, galleries, failed = 60, 1000, [0, 1, 9, 30, 31, 44, 77]
        self.population(150, failed)
        dense = self.compare()
        others, own = self.best(dense)
        threshold = float(numpy.nanquantile(dense[self.subjects[:, None] != self.subjects[None, :]], 0.997))
        found = {rank: self.json("identify", "e.h5", "--threshold", repr(threshold), "--sizes", str(size), "--rank",
                                 str(rank), "--json") for rank in (0, 1, 3)}
        draw = numpy.random.default_rng(8)
        people = numpy.unique(self.subjects[self.enrolled])  # who can be in a gallery, with a template
        everybody = numpy.unique(self.subjects)
        rates = {}
        for _ in range(galleries):
            for kind, pool in (("", people), ("g", everybody)):
                gallery = draw.choice(pool, size, replace=False)
                inside = numpy.isin(self.subjects, gallery)
                beside = others[:, gallery]
                hit = (beside >= threshold).any(1)
                has_score = numpy.isfinite(own) & self.enrolled
                ahead = (beside >= own[:, None]).sum(1)
                outside = ~inside & (self.enrolled if not kind else True)
                rates.setdefault(kind + "fpir", []).append(hit[outside].mean())
                mated = inside & (has_score if not kind else True)
                for rank in found:
                    missed = ~has_score | (own < threshold) | ((ahead >= rank) if rank else False)
                    rates.setdefault((kind + "fnir", rank), []).append(missed[mated].mean())
                if not kind:
                    for rank in (1, 2, 5):
                        rates.setdefault(("found", rank), []).append((ahead < rank)[mated].mean())
        for rank, told in found.items():
            [one] = told["random_galleries"]
            self.near(one["fpir"], rates["fpir"], "FPIR")
            self.near(one["gfpir"], rates["gfpir"], "generalized FPIR")
            self.near(one["fnir"], rates["fnir", rank], ("FNIR", rank))
            self.near(one["gfnir"], rates["gfnir", rank], ("generalized FNIR", rank))
            self.assertGreater(one["gfnir"], one["fnir"])
            self.assertGreater(one["comparisons_times_fmr"], 1.1 * one["fpir"])
            self.assertLess(one["fnir_low"], one["fnir"])
            self.assertLess(one["fnir"], one["fnir_high"])
        [curve] = [c for c in found[0]["recognition"] if c["galleries"] == "random"]
        for rank in (1, 2, 5):
            self.near(1 - curve["ranks"][rank - 1]["value"], 1 - numpy.array(rates["found", rank]), ("rank", rank))
        [curve] = [c for c in found[0]["recognition"] if c["galleries"] == "all"]
        searched = numpy.isfinite(own)
        ahead = (others >= own[:, None]).sum(1)[searched]
        self.assertEqual((curve["people"], curve["searches"], curve["censored"]), (len(people), searched.sum(), 0))
        for rank in range(1, curve["people"] + 1):
            if rank <= len(curve["ranks"]):
                self.assertAlmostEqual(curve["ranks"][rank - 1]["value"], (ahead < rank).mean(), 12)
        self.accounted(found[0], failed)

    def accounted(self, told, failed):
        pairs = {tuple(numpy.flatnonzero(self.subjects == p)) for p in numpy.unique(self.subjects)}
        both = sum(a in failed and b in failed for a, b in pairs)
        one = sum((a in failed) != (b in failed) for a, b in pairs)
        self.assertEqual(told["mated_searches"], {
            "attempted": len(self.subjects), "completed": len(self.subjects) - 2 * both - 2 * one,
            "probe_without_template": len(failed), "person_without_template": one, "comparison_failed": 0})
        self.assertEqual((told["probes"], told["probes_attempted"]), (len(self.subjects) - len(failed), len(self.subjects)))
        self.assertEqual((told["people"], told["people_attempted"]), (len(pairs) - both, len(pairs)))

    def small(self):
        """Eight people in two dimensions, with equal templates, so with ties; one without a template."""
        angles = [0, 10, 10, 10, 25, 40, 40, 80, 90, 10, 200, 215, 300, 300, 180, 190]
        vectors = [[math.cos(math.radians(a)), math.sin(math.radians(a))] for a in angles]
        vectors[6] = [0, 0]
        self.templates(vectors, [f"p{n // 2}" for n in range(16)])
        return self.compare()

    def test_every_gallery_of_a_small_set_is_what_is_expected_exactly(self):
        others, own = self.best(self.small())
        scores = numpy.unique(others[numpy.isfinite(others)])
        threshold = float(scores[len(scores) * 3 // 4])  # at it is a match
        self.assertGreater((others == threshold).sum(), 0)
        searched = numpy.flatnonzero(numpy.isfinite(own) & self.enrolled)
        self.assertTrue(any((others[p] == own[p]).any() for p in searched))  # ties with the mate
        for size, rank in itertools.product((1, 3, 5, 7), (0, 1, 2)):
            told = self.json("identify", "e.h5", "--threshold", repr(threshold), "--sizes", str(size), "--rank", str(rank),
                             "--json")
            [one] = told["random_galleries"]
            hits, misses, ranks = [], [], []
            for probe in numpy.flatnonzero(self.enrolled):
                beside = [p for p in range(8) if p != self.subjects[probe]]
                for gallery in itertools.combinations(beside, size):
                    hits.append(any(others[probe, list(gallery)] >= threshold))
                if probe not in searched:
                    continue
                for companions in itertools.combinations(beside, size - 1):
                    ahead = sum(others[probe, list(companions)] >= own[probe])
                    misses.append(own[probe] < threshold or (rank > 0 and ahead >= rank))
                    ranks.append(ahead)
            self.assertAlmostEqual(one["fpir"], numpy.mean(hits), 12)
            self.assertAlmostEqual(one["fnir"], numpy.mean(misses), 12)
            [curve] = [c for c in told["recognition"] if c["galleries"] == "random"]
            for at in curve["ranks"]:
                self.assertAlmostEqual(at["value"], (numpy.array(ranks) < at["rank"]).mean(), 12)

    def test_given_galleries_are_searched_one_by_one(self):
        failed = [0, 1, 9, 30, 31, 44, 77]
        self.population(150, failed)
        dense = self.compare()
        others, own = self.best(dense)
        threshold = float(numpy.nanquantile(dense[self.subjects[:, None] != self.subjects[None, :]], 0.99))
        told = self.json("identify", "e.h5", "--threshold", repr(threshold), "--galleries", "flight", "--rank", "1",
                         "--sizes", "5", "--json")["given_galleries"]
        flights = {}
        for person in numpy.unique(self.subjects):
            flights.setdefault(flight_of(numpy.flatnonzero(self.subjects == person)[0]), []).append(person)
        missed, attempted, beside, searches = 0, 0, 0, 0
        for row in range(len(dense)):
            gallery = flights[flight_of(row)]
            best = others[row, gallery].max()
            attempted += 1
            searches += bool(self.enrolled[row])
            good = numpy.isfinite(own[row]) and own[row] >= threshold and best < own[row]
            missed += not good
            beside += bool(self.enrolled[row]) and best >= threshold
        self.assertEqual((told["gfnir"]["errors"], told["gfnir"]["searches"]), (missed, attempted))
        lost = told["mated_searches"]["attempted"] - told["mated_searches"]["completed"]
        self.assertEqual((told["fnir"]["errors"], told["fnir"]["searches"]), (missed - lost, attempted - lost))
        self.assertEqual((told["others"]["errors"], told["others"]["searches"]), (beside, searches))
        self.assertGreater(beside, 5)
        alone = sum(bool(self.enrolled[row]) and not numpy.isfinite(own[row]) for row in range(len(dense)))
        self.assertEqual((told["fpir"]["searches"], told["galleries"], told["people_without_template"]), (alone, 20, 2))
        sizes = sorted(sum(self.enrolled[self.subjects == p].any() for p in flight) for flight in flights.values())
        self.assertEqual((told["least_people"], told["median_people"], told["most_people"]),
                         (sizes[0], sizes[10], sizes[-1]))

    def test_ranks_below_the_tail_are_censored_or_computed_again(self):
        self.population(60, [])
        self.compare("--tail-cap", "200", out="e.h5")
        others, own = self.best(self.compare(out="all.h5"))
        ahead = (others >= own[:, None]).sum(1)
        options = ["--sizes", "10", "--json", "--fmr", "0.01"]
        censored = self.json("identify", "e.h5", *options)["recognition"]
        self.good("compare", "t.h5", "--rows", "e.h5", "-o", "rows.h5", "-q")
        whole = self.json("identify", "e.h5", "--rows", "rows.h5", *options)["recognition"]
        self.assertEqual(whole, self.json("identify", "all.h5", *options)["recognition"])
        self.assertGreater(censored[0]["censored"], 10)
        wide = False
        for at, true in zip(censored[0]["ranks"], whole[0]["ranks"]):
            self.assertAlmostEqual(true["value"], (ahead < at["rank"]).mean(), 12)
            self.assertLessEqual(at["value"], true["value"])
            self.assertGreaterEqual(at["at_most"], true["value"])
            self.assertTrue(at["low"] is None or at["value"] == at["at_most"])
            wide = wide or at["at_most"] > at["value"]
        self.assertTrue(wide)
        said = self.good("identify", "e.h5", *options[:2], "--fmr", "0.01").stdout
        self.assertIn(f"{censored[0]['censored']} mates lie below the kept non-mated scores", said)
        self.assertIn("do not go on from", self.bad(2, "identify", "all.h5", "--rows", "rows.h5"))
        lines = self.good("identify", "e.h5", "--rows", "rows.h5", "--csv", *options[:2], "--fmr", "0.01").stdout.splitlines()
        values = [line.split(",") for line in lines if line.startswith("all,60,recognition,")]
        self.assertEqual([float(v[6]) for v in values], [at["value"] for at in whole[0]["ranks"]])

    def look_alikes(self, dense, nearest):
        """Pairs of rows: of each sample the closest one of each of so many people."""
        pairs = set()
        for row in numpy.flatnonzero(self.enrolled):
            by_person = {}
            for other in numpy.flatnonzero(self.enrolled):
                person, score = self.subjects[other], dense[row, other]
                if person != self.subjects[row] and (person not in by_person or score > by_person[person][0]):
                    by_person[person] = (score, other)
            for _, other in sorted(by_person.values(), key=lambda s: -s[0])[:nearest]:
                pairs.add((min(row, other), max(row, other)))
        return pairs

    def test_look_alikes_are_those_of_the_reference_release(self):
        self.population(60, [3])
        reference = self.compare("--tail-cap", "300", out="reference.h5")
        self.good("compare", "t.h5", "--rows", "reference.h5", "--top", "3", "-o", "rows.h5", "-q")
        draw = numpy.random.default_rng(4)
        vectors = numpy.load(self.path("x.npy")) + draw.normal(scale=0.25, size=(120, 8))
        vectors[3], vectors[7] = vectors[3] + 1, 0
        self.templates(vectors, self.names, name="u.h5", more=["--release", "s", "--version", "2"])
        pairs = {k: self.look_alikes_of(reference, k) for k in (1, 3)}
        dense = self.compare("--fmr-targets", "0.01", templates="u.h5", out="judged.h5")
        self.good("report", "judged.h5", "-o", "report", "--look-alikes", "reference.h5", "--rows", "rows.h5", "--nearest",
                  "1,3", "-q")
        with open(self.path("report", "summary.json"), encoding="utf-8") as text:
            summary = json.load(text)
        threshold = summary["releases"][0]["operating_points"][0]["threshold"]
        self.assertIsNotNone(summary["releases"][0]["look_alikes"], summary["releases"][0].get("look_alikes_reason"))
        found = {one["nearest"]: one for one in summary["releases"][0]["look_alikes"]}
        lists = {one["nearest"]: one for one in summary["look_alikes"]["lists"]}
        for k in (1, 3):
            done = [p for p in pairs[k] if self.enrolled[p[0]] and self.enrolled[p[1]]]
            matches = sum(dense[p] >= threshold for p in done)
            self.assertEqual((lists[k]["pairs"], lists[k]["samples_short_of_it"]), (len(pairs[k]), 0))
            self.assertEqual((found[k]["fmr"]["errors"], found[k]["fmr"]["trials"]), (matches, len(done)))
            self.assertEqual((found[k]["gfmr"]["errors"], found[k]["gfmr"]["trials"]), (matches, len(pairs[k])))
            self.assertGreater(found[k]["fmr"]["value"], 5 * summary["releases"][0]["operating_points"][0]["fmr"]["value"])
            self.check_interval(found[k]["fmr"], done, dense, threshold)
        self.good("report", "judged.h5", "-o", "short", "--look-alikes", "reference.h5", "--nearest", "3", "-q")
        with open(self.path("short", "summary.json"), encoding="utf-8") as text:
            self.assertGreater(json.load(text)["look_alikes"]["lists"][0]["samples_short_of_it"], 10)
        self.own_choice()

    def look_alikes_of(self, dense, nearest):
        kept = self.enrolled
        self.enrolled = ~numpy.isnan(dense).all(1)
        pairs = self.look_alikes(dense, nearest)
        self.enrolled = kept
        return pairs

    def check_interval(self, told, pairs, dense, threshold):
        """The variance by the literal sum over pairs of pairs of people who share one, where the reference is there."""
        folder = os.path.join(os.environ.get("ASSAY_DATA", ""), "..", "oracle")
        if not os.path.exists(os.path.join(folder, "oracle.py")):
            return
        sys.path.insert(0, folder)
        import oracle
        people = self.subjects.max() + 1
        made, matched = numpy.zeros((people, people)), numpy.zeros((people, people))
        for i, j in pairs:
            a, b = self.subjects[i], self.subjects[j]
            for x, y in ((a, b), (b, a)):
                made[x, y] += 1
                matched[x, y] += dense[i, j] >= threshold
        sums = oracle.dyad_dense(matched, made)
        variance = sums["meat"] / sums["M"] ** 2
        independent = told["value"] * (1 - told["value"]) / told["trials"]
        self.assertEqual(told["trials"], sums["M"])
        if told["dependence"] == "from these errors":
            self.assertAlmostEqual(told["design_effect"], max(variance, sums["S2"] / sums["M"] ** 2) / independent, 9)
        self.assertLess(told["low"], told["value"])
        self.assertGreater(told["high"], told["value"])

    def own_choice(self):
        self.good("report", "judged.h5", "-o", "own", "--look-alikes", "judged.h5", "-q")
        with open(self.path("own", "summary.json"), encoding="utf-8") as text:
            release = json.load(text)["releases"][0]
        self.assertIsNone(release["look_alikes"])
        self.assertIn("chose the pairs by its own scores", release["look_alikes_reason"])
        self.assertIn("not in this report", self.bad(2, "report", "judged.h5", "-o", "x", "--rows", "rows.h5", "-q"))
        self.assertIn("--nearest is of --look-alikes", self.bad(2, "report", "judged.h5", "-o", "x", "--nearest", "2"))


if __name__ == "__main__":
    main()
