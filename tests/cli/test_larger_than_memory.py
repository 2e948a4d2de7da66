"""test_larger_than_memory -- a set that does not fit the memory that may be used is compared by bands: the same result,
within the memory that was stated before."""
import json
import os
import re
import resource
import subprocess

from cli_support import PROGRAM, Case, main

LIMIT = 220 << 20


class LargerThanMemory(Case):
    def compare(self, *options):
        """(result, notes, peak resident bytes of the process)"""
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        process = subprocess.Popen([PROGRAM, "compare", "t.h5", "-o", "e.h5", "--json", "--threads", "2", *options],
                                   cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        out, notes = process.communicate(timeout=300)
        self.assertEqual(process.returncode, 0, notes)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        self.assertGreaterEqual(peak, before)
        return json.loads(out), notes, peak * 1024

    def test_the_same_result_within_less_memory(self):
        self.good("synth", "--templates", "--subjects", "1400", "--samples", "4", "--length", "2048", "-o", "s", "-q")
        self.good("import", "templates", "s/templates.npy", "--labels", "s/labels.csv", "--release", "large",
                  "--version", "1", "--comparator", "cosine", "-o", "t.h5", "-q")
        # Bands first: the peak is that of the largest process so far.
        banded, notes, peak = self.compare("--memory", str(LIMIT))
        self.assertRegex(notes, r"does not fit memory: \d+ bands of \d+ templates")
        stated = banded["memory_bytes"]
        self.assertLessEqual(stated, LIMIT)
        if not os.environ.get("ASSAY_SANITIZED"): # a sanitizer keeps memory of its own
            self.assertLessEqual(peak, stated)
        bands = int(re.search(r"(\d+) bands of", notes).group(1))
        self.assertEqual(json.loads(self.good("info", "e.h5", "--json").stdout)["provenance"]["bands"], bands)
        whole, notes, _ = self.compare()
        self.assertNotIn("bands", notes)
        self.assertGreater(whole["memory_bytes"], LIMIT)
        self.assertEqual(banded["result_digest"], whole["result_digest"])


if __name__ == "__main__":
    main()
