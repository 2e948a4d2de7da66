"""test_plan -- how many people it takes: the formulas' own numbers, and what a set of known size can show."""
import math

from cli_support import SMALL, Case, main, write


class Plan(Case):
    def test_sizes_are_those_of_the_formulas(self):
        found = self.json("plan", "--json", "--fmr-targets", "1e-3,1e-6", "--margin", "0.002", "--base-rate", "0.001",
                          "--groups", "8")
        self.assertEqual([[c["subjects"] for c in f["known"]] for f in found["fmr"]][0][1:], [626, 3382])
        self.assertEqual([c["propensity_cv2"] for c in found["fmr"][1]["known"]], [0.5, 2, 15])
        self.assertEqual(found["fmr"][1]["no_false_match_independent"], 2449)
        self.assertEqual(found["fmr"][1]["no_false_match_guaranteed"], 5991462)
        self.assertEqual(found["margin"]["subjects"], 15457)
        self.assertEqual(found["ratio"]["subjects_each"], 34768)
        self.assertIsNone(found["at_hand"])

    def test_cost_is_what_compare_says_and_time_is_known_only_with_a_speed(self):
        found = self.json("plan", "--json", "--subjects", "500", "--samples", "4", "--rate", "1e6")
        cost = found["cost"][0]
        self.assertEqual((cost["templates"], cost["comparisons"]), (2000, 1999000))
        self.assertAlmostEqual(cost["seconds"], 1.999)
        self.assertGreater(cost["memory_bytes"], 2000 * 512 * 6)
        found = self.json("plan", "--json", "--fmr-targets", "1e-14", "--samples", "1000")
        self.assertEqual(found["cost"][0]["reason"], "more templates than one comparison takes")
        found = self.json("plan", "--json")
        self.assertEqual((found["cost"][0]["seconds"], found["cost"][0]["seconds_reason"]), (None, "not known"))

    def test_a_set_at_hand(self):
        write(self.folder, "small.yaml", SMALL)
        self.good("run", "small.yaml", "-q")
        path = "out/small/lbp-1.0/evidence.h5"
        found = self.json("plan", path, "--json", "--fmr", "0.1", "--by", "group")["at_hand"]
        everybody = found["reach"][0]
        self.assertEqual((everybody["subjects"], everybody["non_mated"]), (16, 32 * 31 // 2 - 16))
        self.assertAlmostEqual(everybody["bound_independent"], -math.log(0.05) / everybody["non_mated"])
        self.assertAlmostEqual(everybody["bound_guaranteed"], 1 - 0.05 ** (1 / 8))
        self.assertEqual(sum(r["subjects"] for r in found["reach"][1:]), 16)
        text = self.good("plan", path, "--fmr", "0.1", "--by", "group").stdout
        self.assertIn("of lbp 1.0 at FMR 0.1 on this set, threshold %r" % found["threshold"], text)
        self.assertIn("by group", text)
        self.assertIn("no attribute 'colour'", self.bad(2, "plan", path, "--by", "colour"))

    def test_wrong_requests_are_told(self):
        self.assertIn("--fmr-targets asks for sizes", self.bad(2, "plan", "--fmr", "1e-3"))
        self.assertIn("is not below the margin", self.bad(2, "plan", "--margin", "0.01", "--difference", "0.01"))
        self.assertIn("is no rate, expected less than 1", self.bad(2, "plan", "--ratio", "200"))
        self.assertIn("takes one number, not 2", self.bad(2, "plan", "--margin", "0.1,0.2"))
        self.assertIn("nothing.h5", self.bad(1, "plan", "nothing.h5"))


if __name__ == "__main__":
    main()
