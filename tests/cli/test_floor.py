"""test_floor -- what the kept scores cannot answer is refused with the floor that it needs, everywhere that a reader may
meet it, and a tail with that floor, or with so many comparisons, answers.

The answer is known from the same comparisons with every score kept."""
import html
import json
import math
import re

from cli_support import Case, main, read, read_csv

WANTED = "0.01"  # 3,192 of 319,200 comparisons may match, so that 3,193 must be seen
NEEDED = 3193


class Floor(Case):
    def setUp(self):
        super().setUp()
        self.good("synth", "--templates", "--subjects", "400", "--samples", "2", "--seed", "5", "-o", "s", "-q")
        self.good("import", "templates", "s/templates.npy", "--labels", "s/labels.csv", "--release", "synth",
                  "--version", "1", "--comparator", "cosine", "-o", "t.h5", "-q")

    def report(self, name, *options):
        """Evidence NAME.h5 with its report in the folder NAME; the release in its summary."""
        self.good("compare", "t.h5", "-o", name + ".h5", "-q", *options)
        self.good("report", name + ".h5", "--by", "group", "-o", name, "-q")
        return json.loads(read(self.path(name, "summary.json")))["releases"][0]

    def point(self, release, target=0.01):
        return [p for p in release["operating_points"] if p["fmr_target"] == target][0]

    def test_a_tail_with_the_floor_that_was_named_answers(self):
        whole = self.report("whole", "--fmr-targets", WANTED)
        short = self.report("short", "--fmr-targets", WANTED, "--tail-cap", "1000")
        needed = self.point(short)["tail_needed"]
        self.assertEqual((needed["comparisons"], needed["at_most"]), (NEEDED, False))
        self.assertNotIn("tail_needed", self.point(whole))
        at_floor = self.report("count", "--thresholds", repr(needed["floor"]))["operating_points"][-1]["fmr"]["errors"]
        self.assertGreaterEqual(at_floor, NEEDED)
        self.assertLess(at_floor, 1.3 * NEEDED)  # the bins are narrower than that
        for cap in (at_floor, NEEDED):  # intervals see how people match at still lower scores, so they may differ
            enough = self.point(self.report("enough", "--fmr-targets", WANTED, "--tail-cap", str(cap)))
            for key in ("source", "threshold", "reached"):
                self.assertEqual(enough[key], self.point(whole)[key])
            for rate in ("fmr", "fnmr", "gfnmr", "gfmr"):
                self.assertEqual(enough[rate]["errors"], self.point(whole)[rate]["errors"])
                self.assertIsNotNone(enough[rate]["low"])
        self.assertIn("tail_needed", self.point(self.report("less", "--fmr-targets", WANTED, "--tail-cap",
                                                            str(NEEDED - 1))))

    def test_nothing_is_given_that_is_not_known_and_each_says_its_floor(self):
        for histogram in ("full", "none", "0.5:3"):
            release = self.report("r", "--fmr-targets", WANTED, "--tail-cap", "1000", "--histogram", histogram)
            point = self.point(release)
            needs = "the 3,193 highest comparisons"
            if histogram == "full":  # in words rounded down, so that it suffices
                needs = "a floor of %.6f (the highest 3,193 comparisons)" % (
                    math.floor(point["tail_needed"]["floor"] * 1e6) / 1e6)
            where = "which end at %.6g: it needs " % self.end("r")
            said = "FMR 0.01 lies below the kept scores, " + where + needs
            if histogram == "full":  # a bound is given, and no interval of it
                self.assertEqual((point["source"], point["fmr"]["source"]), ("coarse", "coarse"))
                self.assertLessEqual(point["fmr"]["fewest_errors"], point["fmr"]["errors"])
                self.assertIn(said, point["fnmr"]["low_reason"])
            else:
                self.assertIsNone(point["threshold"])
                self.assertIsNone(point["fmr"]["value"])
                self.assertIsNone(point["fnmr"]["value"])
                self.assertIn(said, point["threshold_reason"])
            self.assertIsNone(point["fmr"]["low"])
            self.assertIn(said, point["fmr"]["low_reason"])
            for rate in [g["operating_points"][0]["fmr"] for g in release["groups"] + release["group_pairs"]]:
                self.assertEqual((rate["value"], rate["errors"], rate["low"]), (None, None, None))
                self.assertIn(said, rate["value_reason"])
            for table in ("operating_points", "groups", "group_pairs", "alike"):
                for row in read_csv(self.path("r", "tables", table + ".csv")):
                    self.assertEqual(row["tail_comparisons_needed"], "3193")
                    self.assertEqual(row["tail_floor_needed"] != "", histogram == "full")
                    if table != "operating_points":
                        self.assertEqual((row["fmr"], row["fmr_errors"]), ("", ""))
            page = html.unescape(re.sub(r"<[^>]+>", "", read(self.path("r", "index.html"))))
            self.assertGreaterEqual(page.count(said), 2, histogram)  # operating points, and groups

    def end(self, name):
        return json.loads(read(self.path(name, "summary.json")))["provenance"]["releases"][0]["tail_floor"]

    def test_whole_lists_say_what_they_need(self):
        release = self.report("r", "--fmr-targets", "1e-3", "--tail-cap", "100", "--histogram", "none")
        lowest = self.report("all", "--fmr-targets", "1e-3", "--tail-cap", "400000")
        self.assertIsNone(release["auc"]["value"])
        floor = float(re.search(r"needs a floor of ([\d.e-]+)$", release["auc"]["value_reason"])[1])
        below = self.report("b", "--thresholds", repr(floor), "--fmr-targets", "1e-3")["operating_points"][-1]
        self.assertEqual((below["threshold"], below["fnmr"]["errors"]), (floor, 0))
        self.assertIsNotNone(lowest["auc"]["value"])
        self.assertIn("a tail without a floor", release["non_mated"]["mean_reason"])
        self.assertIsNone(release["eer"]["value"])
        most = int(re.search(r"at most the ([\d,]+) highest", release["eer"]["value_reason"])[1].replace(",", ""))
        again = self.report("again", "--fmr-targets", "1e-3", "--tail-cap", str(most), "--histogram", "none")
        self.assertEqual(again["eer"], lowest["eer"])

    def test_commands_refuse_with_the_floor_and_the_way_to_it(self):
        self.good("compare", "t.h5", "-o", "e.h5", "--fmr-targets", "1e-3", "--tail-cap", "1000", "-q")
        for command in (["identify"], ["worklist", "-o", "w"]):
            told = self.bad(2, command[0], "e.h5", "--threshold", "0.2", *command[1:])
            self.assertRegex(told, r"threshold 0\.2 lies below the kept scores, which end at 0\.\d+: it needs a floor of "
                                   r"0\.2 \(at most [\d,]+ comparisons\); compare again with --thresholds 0\.2 and a higher "
                                   r"--tail-cap")
            told = self.bad(2, command[0], "e.h5", "--fmr", WANTED, *command[1:])
            self.assertRegex(told, r"FMR 0\.01 lies below .*it needs .*3,193.*--fmr-targets 0\.01 and a higher --tail-cap")
        self.good("compare", "t.h5", "-o", "n.h5", "--fmr-targets", "1e-3", "--tail-cap", "1000", "--histogram", "none",
                  "-q")
        self.assertIn("it needs the 3,193 highest comparisons", self.bad(2, "plan", "n.h5", "--fmr", WANTED))
        self.assertIn("FMR 0.01 needs 3,193 (--tail-cap)",
                      self.good("compare", "t.h5", "-o", "f.h5", "--fmr-targets", WANTED, "--tail-cap", "1000").stdout)


if __name__ == "__main__":
    main()
