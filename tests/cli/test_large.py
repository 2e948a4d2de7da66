"""test_large -- 13,000 templates of 512 (85 million pairs): one command line a step, and the memory that was
stated before is kept."""
import json
import os
import re
import resource

from cli_support import Case, main


class Large(Case):
    def test_thirteen_thousand_templates(self):
        self.good("synth", "--templates", "--subjects", "6500", "--samples", "2", "--length", "512", "--planted",
                  "-o", "s", "-q")
        self.good("import", "templates", "s/templates.npy", "--labels", "s/labels.csv", "--release", "large",
                  "--version", "1", "--comparator", "cosine", "-o", "templates.h5", "-q")
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        done = self.good("compare", "templates.h5", "-o", "evidence.h5", "--json")
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        compared = json.loads(done.stdout)
        self.assertEqual(compared["non_mated"] + compared["mated"], 13000 * 12999 // 2)
        stated = float(re.search(r"at most ([0-9.]+) GB of memory", done.stderr).group(1)) * 1e9
        self.assertGreater(peak, before)
        if not os.environ.get("ASSAY_SANITIZED"): # a sanitizer keeps memory of its own
            self.assertLess(peak, stated + 5e6)
        self.good("report", "evidence.h5", "--by", "group", "-o", "report", "-q")
        with open(self.path("report/summary.json"), encoding="utf-8") as text:
            release = json.load(text)["releases"][0]
        point = release["operating_points"][0]
        self.assertEqual(point["fmr"]["trials"], compared["non_mated"])
        self.assertEqual(point["fmr"]["errors"], int(compared["non_mated"] * 1e-3))
        self.assertEqual(release["auc"]["source"], "coarse")


if __name__ == "__main__":
    main()
