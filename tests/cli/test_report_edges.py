"""test_report_edges -- no error, one error, nothing but errors, one subject, one group: through the whole command line, with
the values that closed forms give. Every command that reads evidence ends in one of its documented ways."""
import json
import math
import re

from cli_support import Case, assay, main, read, write

PEOPLE = 64


class Edges(Case):
    def evaluate(self, mated, non_mated, people=PEOPLE, group=lambda person: "ab"[person % 2], threshold="0.5"):
        """Two samples a person; mated(person) and non_mated(i, j) are scores. The release in summary.json."""
        pairs, labels = ["reference,probe,score"], ["sample,subject,session,group"]
        for i in range(people):
            labels += ["s%d-%d,p%d,%d,%s" % (i, n, i, n, group(i)) for n in range(2)]
            pairs.append("s%d-0,s%d-1,%r" % (i, i, mated(i)))
            pairs += ["s%d-0,s%d-1,%r" % (i, j, non_mated(i, j)) for j in range(people) if j > i]
        write(self.folder, "p.csv", "\n".join(pairs) + "\n")
        write(self.folder, "x.csv", "\n".join(labels) + "\n")
        self.good("import", "scores", "p.csv", "--labels", "x.csv", "--release", "edge", "--version", "1", "-o", "e.h5", "-q",
                  "--thresholds", threshold, "--fmr-targets", "1e-1,1e-2")
        self.good("report", "e.h5", "e.h5", "-o", "r", "-q")
        for command in (["plan", "e.h5"], ["worklist", "e.h5", "-o", "w"], ["identify", "e.h5", "--sizes", "1"],
                        ["info", "e.h5"], ["verify", "."]):
            done = assay(*command, folder=self.folder)
            self.assertIn(done.returncode, (0, 1, 2), "%s: %s" % (command, done.stderr))
            self.assertEqual(done.returncode == 0, not done.stderr.startswith("assay"), done.stderr)
        self.page = re.sub(r"<[^>]+>", "", read(self.path("r", "index.html")))
        self.assertNotRegex(self.page, r"\b(nan|inf)\b")
        release = json.loads(read(self.path("r", "summary.json")))["releases"][0]
        return release, [p for p in release["operating_points"] if p["kind"] == "threshold"][0]

    def test_no_error(self):
        _, point = self.evaluate(lambda i: 0.9, lambda i, j: 0.1)
        self.assertEqual((point["fnmr"]["errors"], point["fnmr"]["low"]), (0, 0))
        self.assertAlmostEqual(point["fnmr"]["high"], 1 - 0.025 ** (1 / PEOPLE), places=12)
        fmr = point["fmr"]
        self.assertEqual((fmr["errors"], fmr["trials"], fmr["low"]), (0, PEOPLE * (PEOPLE - 1) // 2, 0))
        self.assertAlmostEqual(fmr["high_whatever_dependence"], 1 - 0.05 ** (1 / (PEOPLE // 2)), places=12)
        self.assertIn("no false match", self.page.lower())

    def test_one_error_of_each_kind(self):
        release, point = self.evaluate(lambda i: 0.1 if i == 5 else 0.9, lambda i, j: 0.6 if (i, j) == (2, 7) else 0.1)
        for kind, trials in (("fnmr", PEOPLE), ("fmr", PEOPLE * (PEOPLE - 1) // 2)):
            rate = point[kind]
            self.assertEqual((rate["errors"], rate["trials"]), (1, trials))
            self.assertGreater(rate["low"], 0)
            self.assertLess(rate["low"], 1 / trials)
            self.assertGreater(rate["high"], 3 / trials)  # one of n says less than three of n
        self.assertIn("A rate that rests on fewer than 30 errors", self.page)
        for group in release["groups"]:
            for at in group["operating_points"]:
                self.assertNotEqual(at["fmr"]["standing"], "WORSE")

    def test_nothing_but_errors(self):
        _, point = self.evaluate(lambda i: 0.1, lambda i, j: 0.9)
        self.assertEqual((point["fnmr"]["value"], point["fnmr"]["high"]), (1, 1))
        self.assertAlmostEqual(point["fnmr"]["low"], 0.025 ** (1 / PEOPLE), places=12)
        trials = PEOPLE * (PEOPLE - 1) // 2
        self.assertEqual((point["fmr"]["errors"], point["fmr"]["high"]), (trials, 1))
        self.assertAlmostEqual(point["fmr"]["low"], 0.025 ** (1 / trials), places=12)  # Clopper-Pearson, all of them

    def test_one_subject(self):
        release, point = self.evaluate(lambda i: 0.9, None, people=1)
        self.assertEqual(release["non_mated"]["comparisons"], 0)
        self.assertIsNone(point["fmr"]["value"])
        self.assertIn("no ", point["fmr"]["value_reason"])
        self.assertEqual((point["fnmr"]["errors"], point["fnmr"]["trials"], point["fnmr"]["low"]), (0, 1, 0))
        self.assertAlmostEqual(point["fnmr"]["high"], 0.975, places=12)  # 1 - 0.025 ** (1 / 1)
        self.assertIn("cannot be told", self.page)
        for at in release["operating_points"]:
            if at["kind"] == "fmr_target":
                self.assertIsNone(at["threshold"])

    def test_one_subject_with_errors_has_no_interval(self):
        write(self.folder, "p.csv", "reference,probe,score\na,b,0.9\na,c,0.1\nb,c,0.8\n")
        write(self.folder, "x.csv", "sample,subject,session\na,p,1\nb,p,2\nc,p,3\n")
        self.good("import", "scores", "p.csv", "--labels", "x.csv", "--release", "edge", "--version", "1", "-o", "e.h5",
                  "--thresholds", "0.5", "-q")
        self.good("report", "e.h5", "-o", "r", "-q")
        points = json.loads(read(self.path("r", "summary.json")))["releases"][0]["operating_points"]
        rate = [p for p in points if p["kind"] == "threshold"][0]["fnmr"]
        self.assertEqual((rate["errors"], rate["trials"], rate["low"]), (1, 3, None))
        self.assertTrue(rate["low_reason"])

    def test_one_group(self):
        release, point = self.evaluate(lambda i: 0.1 if i % 9 == 0 else 0.9, lambda i, j: 0.9 if (i * j) % 50 == 1 else 0.1,
                                       group=lambda person: "all")
        self.assertEqual([g["group"] for g in release["groups"]], ["all"])
        at = [p for p in release["groups"][0]["operating_points"] if p["kind"] == "threshold"][0]
        for key in ("errors", "trials", "value", "low", "high"):  # the group is everybody
            self.assertEqual(at["fmr"][key], point["fmr"][key])
        self.assertEqual((at["fmr"]["standing"], at["fnmr"]["standing"]), ("NOT JUDGED", "NOT JUDGED"))
        for measured in release["differentials"]:
            self.assertIsNone(measured["fmr"]["max_min"]["value"])
            self.assertIn("fewer than two groups", measured["fmr"]["max_min"]["value_reason"])
        self.assertIn("cannot be told", self.page)


if __name__ == "__main__":
    main()
