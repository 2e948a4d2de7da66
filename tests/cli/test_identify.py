"""test_identify -- searches of galleries from the command line, in a set small enough to count by hand."""
from cli_support import Case, main, write, write_npy

# Four people, two photos each; a and b look alike and fly together, as c and d do.
ROWS = [("a1", "a", "F1", [1, 0, 0]), ("a2", "a", "F1", [1, 0.01, 0]), ("b1", "b", "F1", [1, 0.1, 0]),
        ("b2", "b", "F1", [1, 0.12, 0]), ("c1", "c", "F2", [0, 1, 0]), ("c2", "c", "F2", [0, 1, 0.01]),
        ("d1", "d", "F2", [0, 0, 1]), ("d2", "d", "F2", [-1, 0, 0])]


class Identify(Case):
    def evidence(self):
        write_npy(self.path("x.npy"), [r[3] for r in ROWS])
        write(self.folder, "x.csv", "sample_id,subject_id,flight\n" + "".join("%s,%s,%s\n" % r[:3] for r in ROWS))
        self.good("import", "templates", "x.npy", "--labels", "x.csv", "--release", "r", "--version", "1", "-o", "t.h5")
        self.good("compare", "t.h5", "-o", "e.h5", "-q")
        return "e.h5"

    def test_galleries_of_four_people(self):
        path = self.evidence()
        found = self.json("identify", path, "--threshold", "0.9", "--sizes", "1,3,4", "--galleries", "flight", "--json")
        one, three, four = found["random_galleries"]
        self.assertEqual((found["probes"], found["mated_probes"]), (8, 8))
        self.assertAlmostEqual(one["fpir"], 0.5 / 3)    # half the probes match one of three others
        self.assertAlmostEqual(three["fpir"], 0.5)
        self.assertAlmostEqual(three["fnir"], 0.25)     # d's two photos do not match
        self.assertIn("fewer other people", four["reason"])
        given = found["given_galleries"]
        self.assertEqual((given["galleries"], given["least_people"], given["most_people"]), (2, 2, 2))
        self.assertEqual((given["fnir"]["errors"], given["fnir"]["searches"]), (2, 8))
        self.assertEqual(given["fnir"]["interval_reason"], "fewer than 10 galleries")
        text = self.good("identify", path, "--threshold", "0.9", "--sizes", "3", "--galleries", "flight").stdout
        self.assertIn("Galleries by flight: 2 of 2 to 2 people, median 2", text)
        self.assertRegex(text, r"all, 4 people +8 +0.75 +0.875 ")  # neither of d's photos finds the other first
        self.assertEqual(found["recognition"][0]["ranks"][0]["value"], 0.75)
        lines = self.good("identify", path, "--threshold", "0.9", "--sizes", "3", "--csv").stdout.splitlines()
        self.assertEqual(lines[0], "galleries,people,figure,rank,errors,searches,value,low,high")
        self.assertTrue(any(line.startswith("random,3,fpir,0,,,0.5") for line in lines), lines)
        self.assertIn("FNIR 0.25, 2 of 8 searches", text)

    def test_wrong_requests_are_told(self):
        path = self.evidence()
        self.assertIn("is not a whole number from 1", self.bad(2, "identify", path, "--sizes", "1.5"))
        self.assertIn("no such attribute", self.bad(2, "identify", path, "--galleries", "ship", "--threshold", "0.9"))
        self.assertIn("exclude each other", self.bad(2, "identify", path, "--json", "--csv"))
        self.assertIn("one threshold is used", self.bad(2, "identify", path, "--fmr", "0.1", "--threshold", "1"))


if __name__ == "__main__":
    main()
