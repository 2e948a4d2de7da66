"""test_import_scores -- the figures of other people's tools on the score lists that they publish, through
`assay import scores` and `assay report`: what a user would type. Skips where ASSAY_DATA, the folder
that holds scores/, is not there."""
import bisect
import json
import os

from cli_support import Case, main, read_csv, skip

LISTS = os.path.join(os.environ.get("ASSAY_DATA", ""), "scores", "pyeer", "non_hist")

# PyEER's own figures, printed to so many digits.
PYEER = {
    "exp1": {"counts": (2793, 4950), "eer": (0.0808623290, 10), "auc": (0.9650048643, 10), "dprime": (2.0590573, 7)},
    "exp2": {"counts": (180, 3619), "eer": (0.0441896165, 10)},
    "exp3": {"counts": (2786, 66633), "eer": (0.1141693075, 10)},
}


def numbers(name):
    with open(os.path.join(LISTS, name), encoding="ascii") as lines:
        return sorted(float(line) for line in lines)


def above(scores, threshold):
    return len(scores) - bisect.bisect_left(scores, threshold)


class Peers(Case):
    def report(self, name, *options):
        mated, non_mated = (os.path.join(LISTS, "%s_%s.txt" % (name, kind)) for kind in ("true", "false"))
        made = self.json("import", "scores", mated, non_mated, "--release", "peer", "--version", name,
                         "-o", "%s.h5" % name, "--json", *options)
        self.good("report", "%s.h5" % name, "-o", name, "-q")
        return made, json.load(open(self.path(name, "summary.json"), encoding="utf-8"))["releases"][0]

    def test_pyeers_figures_are_met_to_every_printed_digit(self):
        for name, known in PYEER.items():
            with self.subTest(name=name):
                made, release = self.report(name)
                self.assertEqual((made["mated"], made["non_mated"]), known["counts"])
                for figure in ("eer", "auc", "dprime"):
                    if figure not in known: continue
                    value, digits = known[figure]
                    self.assertAlmostEqual(release[figure]["value"], value, delta=0.51 * 10 ** -digits)
                    self.assertEqual(release[figure]["source"], "exact")

    def test_bobs_figures_are_met_from_its_own_hdf5_files(self):
        files = [os.path.join(LISTS, "..", "..", "bob", "nonsep-%s.hdf5" % kind) for kind in ("positives", "negatives")]
        self.good("import", "scores", *files, "--release", "bob", "--version", "nonsep", "--fmr-targets", "1,0.1,0.01",
                  "-o", "b.h5", "-q")
        self.good("report", "b.h5", "-o", "b", "-q")
        release = json.load(open(self.path("b", "summary.json"), encoding="utf-8"))["releases"][0]
        self.assertAlmostEqual(release["auc"]["value"], 0.9326, delta=5.1e-5)
        rates = {point["fmr_target"]: point["fnmr"]["value"] for point in release["operating_points"]}
        self.assertEqual(rates, {1: 0, 0.1: 0.12, 0.01: 0.48})

    def test_thresholds_are_observed_scores_and_rates_are_counts_ties_and_all(self):
        for name in PYEER:
            mated, non_mated = numbers(name + "_true.txt"), numbers(name + "_false.txt")
            _, release = self.report(name, "--fmr-targets", "0.5,0.1,0.01,0.001")
            points = release["operating_points"]
            self.assertEqual(len(points), 4)
            for point in points:
                with self.subTest(name=name, target=point["fmr_target"]):
                    allowed = int(point["fmr_target"] * len(non_mated) + 1e-9)
                    allows = [t for t in sorted(set(non_mated)) if above(non_mated, t) <= allowed]
                    self.assertEqual(point["threshold"], allows[0])
                    self.assertEqual(point["fmr"]["errors"], above(non_mated, allows[0]))
                    self.assertEqual(point["fnmr"]["errors"], len(mated) - above(mated, allows[0]))

    def test_without_subjects_nothing_has_an_interval_and_everything_says_why(self):
        _, release = self.report("exp2")
        why = "dependence unknown: the scores came without subject ids"
        for point in release["operating_points"]:
            for rate in ("fmr", "fnmr", "gfmr", "gfnmr"):
                self.assertIsNone(point[rate]["low"])
                self.assertEqual(point[rate]["low_reason"], why)
        self.assertEqual(release["fte"]["value_reason"], "the scores came without samples")
        self.assertIsNone(release["enrolled"])
        page = open(self.path("exp2", "index.html"), encoding="utf-8").read()
        self.assertIn("dependence unknown", page)
        self.assertNotIn("0 samples", page)
        for row in read_csv(self.path("exp2", "tables", "operating_points.csv")):
            self.assertEqual((row["fmr_low"], row["fmr_high"], row["fmr_dependence"]), ("", "", "unknown"))
        self.assertEqual(read_csv(self.path("exp2", "tables", "releases.csv"))[0]["samples"], "")


if __name__ == "__main__":
    if not os.path.isdir(LISTS):
        skip("ASSAY_DATA names no folder with scores/pyeer/ in it")
    main()
