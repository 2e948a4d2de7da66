"""test_real_data -- the London set and MEDS-II from their configurations to a report."""
import json
import os

from cli_support import SOURCE, Case, main, skip

DATA = os.environ.get("ASSAY_DATA", "")


class RealData(Case):
    def evaluate(self, name):
        if not os.path.isdir(os.path.join(DATA, name)):
            self.skipTest("%s is not below ASSAY_DATA" % name)
        config = os.path.join(SOURCE, "configs", name + ".yaml")
        result = self.json("run", config, "--json", "-o", "out")
        with open(self.path("out/report/summary.json"), encoding="utf-8") as text:
            summary = json.load(text)
        slow = self.json("run", config, "--json", "-o", "slow", "--backend", "reference")
        self.assertEqual([step["digest"] for step in result["steps"]], [step["digest"] for step in slow["steps"]])
        again = self.json("run", config, "--json", "-o", "out")
        self.assertEqual({step["outcome"] for step in again["steps"]}, {"up to date"})
        self.good("verify", "out")
        return summary

    def counts(self, summary):
        return {(release["mated"]["comparisons"], release["non_mated"]["comparisons"], release["enrolled"])
                for release in summary["releases"]}

    def test_london(self):
        summary = self.evaluate("london")
        self.assertEqual((summary["dataset"]["samples"], summary["dataset"]["subjects"]), (204, 102))
        self.assertEqual(self.counts(summary), {(102, 20604, 204)})
        groups = {(group["attribute"], group["group"]): group["subjects"]
                  for group in summary["releases"][0]["groups"]}
        self.assertEqual((groups["sex", "female"], groups["sex", "male"]), (49, 53))
        with open(self.path("out/report/index.html"), encoding="utf-8") as page:
            self.assertIn("session", page.read())

    def test_meds2(self):
        summary = self.evaluate("meds2")
        self.assertEqual((summary["dataset"]["samples"], summary["dataset"]["subjects"]), (114, 50))
        # 207 pairs of one person, of which 7 are of one encounter.
        self.assertEqual(self.counts(summary), {(200, 6234, 114)})


if __name__ == "__main__":
    if not DATA:
        skip("ASSAY_DATA does not name the folder that holds london/ and meds2/")
    main()
