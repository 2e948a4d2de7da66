"""test_planted -- the harness finds the differential that a population was given, with the rates that its
closed form says, and finds none where none was given.

Tolerances. Non-mated comparisons of templates share subjects, so their count varies more than binomially:
for k samples of each of n subjects and independent uniform directions the comparisons of two subjects
cluster in blocks of k^2, so the variance is at most k^2 times the binomial one (every block agreeing), and
mated ones cluster in C(k, 2) a subject. Five such standard errors, over about 40 comparisons with the
closed form, leave less than 1 in 10,000 for chance."""
import bisect
import json
import math
import unittest

from cli_support import Case, main

SUBJECTS, SAMPLES = 800, 2


def interpolate(xs, ys, x):
    """Between two points of the truth's grid; log scale, as tails are."""
    n = min(max(bisect.bisect_right(xs, x) - 1, 0), len(xs) - 2)
    share = (x - xs[n]) / (xs[n + 1] - xs[n])
    low, high = max(ys[n], 1e-300), max(ys[n + 1], 1e-300)
    return math.exp((1 - share) * math.log(low) + share * math.log(high))


class Planted(Case):
    def evaluate(self, seed, planted):
        options = ["--planted"] if planted else []
        self.good("synth", "--templates", "--subjects", str(SUBJECTS), "--samples", str(SAMPLES), "--seed", str(seed),
                  *options, "-o", "s", "-q")
        self.good("import", "templates", "s/templates.npy", "--labels", "s/labels.csv", "--release", "synth",
                  "--version", "1", "--comparator", "cosine", "-o", "t.h5", "-q")
        self.good("compare", "t.h5", "-o", "e.h5", "--fmr-targets", "1e-3,1e-4", "-q")
        self.good("report", "e.h5", "--by", "group", "-o", "r", "-q")
        with open(self.path("r/summary.json"), encoding="utf-8") as text:
            release = json.load(text)["releases"][0]
        with open(self.path("s/truth.json"), encoding="utf-8") as text:
            truth = json.load(text)
        return release, truth

    def near(self, errors, trials, rate, cluster, what):
        spread = math.sqrt(cluster * max(rate * (1 - rate) * trials, 1))
        self.assertLess(abs(errors - rate * trials), 5 * spread, "%s: %d of %d, true rate %g"
                        % (what, errors, trials, rate))

    def check_against_truth(self, release, truth):
        checked = 0
        for pair in release["group_pairs"]:
            known = [t for t in truth["non_mated"] if {t["a"], t["b"]} == {pair["a"], pair["b"]}]
            self.assertEqual(len(known), 1)
            for point in pair["operating_points"]:
                threshold = [p["threshold"] for p in release["operating_points"]
                             if p["fmr_target"] == point["fmr_target"]][0]
                rate = interpolate(truth["thresholds"], known[0]["fmr"], threshold)
                self.near(point["fmr"]["errors"], point["fmr"]["trials"], rate, SAMPLES ** 2,
                          "FMR %(a)s x %(b)s" % pair)
                checked += 1
        for group in release["groups"]:
            known = [t for t in truth["mated"] if t["group"] == group["group"]][0]
            for point in group["operating_points"]:
                threshold = [p["threshold"] for p in release["operating_points"]
                             if p["fmr_target"] == point["fmr_target"]][0]
                rate = interpolate(truth["thresholds"], known["fnmr"], threshold)
                self.near(point["fnmr"]["errors"], point["fnmr"]["trials"], rate, 1, "FNMR " + group["group"])
                checked += 1
        self.assertEqual(checked, 2 * (10 + 4))

    def rates(self, release, kind, target):
        return {group["group"]: [p[kind]["value"] for p in group["operating_points"] if p["fmr_target"] == target][0]
                for group in release["groups"]}

    def test_a_planted_differential_is_found_with_its_size(self):
        for seed in (1, 2, 3):
            release, truth = self.evaluate(seed, planted=True)
            self.check_against_truth(release, truth)
            fmr, fnmr = self.rates(release, "fmr", 1e-3), self.rates(release, "fnmr", 1e-4)
            self.assertEqual(max(fmr, key=fmr.get), "west")
            self.assertGreater(fmr["west"], 3 * max(fmr["north"], fmr["east"], fmr["south"]))
            self.assertGreater(fnmr["south"], max(fnmr["north"], fnmr["east"]))

    def test_without_one_nothing_is_found_beyond_what_the_counts_allow(self):
        for seed in (1, 2, 3):
            release, truth = self.evaluate(seed, planted=False)
            self.check_against_truth(release, truth)
            whole = {p["fmr_target"]: p for p in release["operating_points"]}
            for group in release["groups"]:
                for point in group["operating_points"]:
                    overall = whole[point["fmr_target"]]
                    for kind, cluster in (("fmr", SAMPLES ** 2), ("fnmr", 1)):
                        self.near(point[kind]["errors"], point[kind]["trials"], overall[kind]["value"], cluster,
                                  kind + " " + group["group"])


if __name__ == "__main__":
    main()
