"""test_import_scores -- `assay import scores`: what comes in is what is reported, and bad input is told."""
import json

from cli_support import Case, main, read, write

ABOUT = ("--release", "lab", "--version", "1", "-q")


class Scores(Case):
    def lists(self, mated, non_mated):
        write(self.folder, "m.txt", mated)
        write(self.folder, "n.txt", non_mated)

    def summary(self, *options):
        self.good("import", "scores", "m.txt", "n.txt", "-o", "e.h5", *ABOUT, *options)
        self.good("report", "e.h5", "-o", "r", "-q")
        return json.loads(read(self.path("r", "summary.json")))["releases"][0]

    def test_a_comparison_without_score_is_counted_and_is_a_miss_of_attempted_ones(self):
        self.lists("0.9\nnan\n0.2\n0.8\n", "0.1\n0.3\nNaN\n0.05\n0.6\n")
        release = self.summary("--fmr-targets", "0.5")
        self.assertEqual(release["comparisons_without_score"], {"mated": 1, "non_mated": 1})
        point = release["operating_points"][0]
        self.assertEqual(point["threshold"], 0.3)
        counts = {rate: (point[rate]["errors"], point[rate]["trials"]) for rate in ("fmr", "gfmr", "fnmr", "gfnmr")}
        self.assertEqual(counts, {"fmr": (2, 4), "gfmr": (2, 5), "fnmr": (1, 3), "gfnmr": (2, 4)})
        page = read(self.path("r", "index.html"))
        self.assertIn("gave no score for", page)

    def test_a_failed_value_is_as_nan(self):
        self.lists("0.9\nnan\n0.2\n", "0.1\n0.3\n")
        first = self.summary()
        self.lists("0.9\n-1\n0.2\n", "0.1\n0.3\n")
        self.assertEqual(first, dict(self.summary("--failed", "-1")))

    def test_distances_are_turned_and_thresholds_with_them(self):
        self.lists("0.1\n0.8\n0.2\n", "0.9\n0.7\n0.3\n")
        release = self.summary("--distance", "--fmr-targets", "0.4", "--thresholds", "0.8")
        target, given = release["operating_points"]
        self.assertEqual((target["threshold"], target["fmr"]["errors"], target["fnmr"]["errors"]), (-0.3, 1, 1))
        self.assertEqual((given["threshold"], given["fmr"]["errors"], given["fnmr"]["errors"]), (-0.8, 2, 0))
        self.assertEqual(release["comparator"], "distance")

    def test_doubles_that_differ_in_the_last_bit_stay_apart_and_ties_stay_ties(self):
        self.lists("0.30000000000000004\n", "0.3\n0.3\n0.29999999999999999\n0.1\n")
        release = self.summary("--fmr-targets", "0.8,0.5")
        self.assertEqual(release["auc"]["value"], 1)
        high, low = release["operating_points"]
        self.assertEqual((high["threshold"], high["fmr"]["errors"]), (0.3, 3))  # 0.2999…9 reads as 0.3: a tie
        self.assertEqual((low["threshold"], low["fmr"]["errors"]), (0.30000000000000004, 0))

    def test_the_same_numbers_have_the_same_result_digest_whatever_their_file(self):
        self.lists("0.5\n0.25\n", "0.125\n")
        first = self.json("import", "scores", "m.txt", "n.txt", "-o", "a.h5", "--json", *ABOUT)
        self.lists("5e-1\r\n 0.250\r\n", "+0.125")
        second = self.json("import", "scores", "m.txt", "n.txt", "-o", "b.h5", "--json", *ABOUT)
        self.assertEqual(first["result_digest"], second["result_digest"])
        self.assertIsNone(first["samples"])

    def test_a_column_of_csv_is_a_list(self):
        self.lists("0.5\nnan\n0.25\n", "0.125\n")
        first = self.json("import", "scores", "m.txt", "n.txt", "-o", "a.h5", "--json", *ABOUT)
        self.lists("who,s,t\na,0.5,x\n\"b,c\",NaN,\nd, 0.25 ,9\n", "s\n0.125\n")
        second = self.json("import", "scores", "m.txt", "n.txt", "--column", "s", "-o", "b.h5", "--json", *ABOUT)
        self.assertEqual(first["result_digest"], second["result_digest"])
        self.assertEqual(second["mated_without_score"], 1)
        said = self.bad(2, "import", "scores", "m.txt", "n.txt", "--column", "t", "-o", "c.h5", *ABOUT)
        self.assertIn("m.txt:2:3: t: 'x' is no finite number", said)
        self.assertIn("m.txt:3:3: t: '' is empty", said)
        said = self.bad(2, "import", "scores", "n.txt", "m.txt", "--column", "who", "-o", "c.h5", *ABOUT)
        self.assertIn("n.txt:1:1: the header has no column 'who'; Known: s", said)

    def test_nothing_has_an_interval_where_nobody_knows_whose_scores_they_are(self):
        self.lists("".join("%r\n" % (k / 100) for k in range(40, 100)), "".join("%r\n" % (k / 200) for k in range(100)))
        release = self.summary("--fmr-targets", "0.1")
        for rate in ("fmr", "fnmr", "gfmr", "gfnmr"):
            point = release["operating_points"][0][rate]
            self.assertEqual((point["low"], point["high"]), (None, None), rate)
            self.assertGreater(point["trials"], 0)
        self.assertIn("ependence unknown", read(self.path("r", "index.html")))

    def test_bad_lists_are_told_by_line(self):
        self.lists("0.5\n0,5\n", "0.1\n")
        text = self.bad(2, "import", "scores", "m.txt", "n.txt", "-o", "e.h5", *ABOUT)
        self.assertIn("assay import scores: m.txt:2: the line '0,5' is no finite number", text)
        self.lists("nan\n", "0.1\n")
        self.assertIn("none of its 1 comparisons gave a score",
                      self.bad(2, "import", "scores", "m.txt", "n.txt", "-o", "e.h5", *ABOUT))
        self.lists("0.5\n-3.4e300\n", "0.1\n")
        text = self.bad(2, "import", "scores", "m.txt", "n.txt", "-o", "e.h5", *ABOUT)
        self.assertIn("m.txt: number 2 is -3.4e+300", text)
        self.assertIn("--failed -3.4e+300", text)
        self.assertIn("is not there", self.bad(2, "import", "scores", "m.txt", "gone.txt", "-o", "e.h5", *ABOUT)
                      .replace("No such file or directory", "is not there"))

    def test_what_is_read_is_not_written_over(self):
        self.lists("0.5\n", "0.1\n")
        self.bad(2, "import", "scores", "m.txt", "n.txt", "-o", "m.txt", *ABOUT)
        self.assertEqual(read(self.path("m.txt")), "0.5\n")


class Words(Case):
    def test_import_lists_what_it_can_take_in(self):
        text = self.good("import", "--help").stdout
        for word in ("templates", "scores"):
            self.assertIn("\n  %-12s" % word, text)
        self.assertEqual(text, self.good("help", "import").stdout)
        self.assertIn("Usage: assay import WHAT", self.bad(2, "import"))

    def test_a_word_nearly_right_is_named(self):
        self.assertIn("assay import: cannot import 'score': did you mean 'scores'?", self.bad(2, "import", "score", "a", "b"))


if __name__ == "__main__":
    main()
