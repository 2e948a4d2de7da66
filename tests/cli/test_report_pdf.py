"""test_report_pdf -- the PDF of a report by WeasyPrint: tagged, with the title and the finding, and none
where it cannot be made. Skips where WeasyPrint or Poppler's pdfinfo and pdftotext are missing."""
import json
import os
import re
import shutil
import stat
import subprocess

import cli_support as support

NEEDED = ("weasyprint", "pdfinfo", "pdftotext")


def words(text):
    """Text without the spaces, line ends and tags that differ between a page and its print."""
    return re.sub(r"\s+", "", re.sub(r"<[^>]*>", "", text)).replace("\u00a0", "")


class ReportPdf(support.Case):
    def make_evidence(self):
        support.write(self.folder, "e.yaml", support.SMALL.replace("subjects: 16", "subjects: 12"))
        self.good("run", "e.yaml", "-o", "out", "-q")
        steps = self.json("run", "e.yaml", "-o", "out", "--json", "-q")["steps"]
        return [step["path"] for step in steps if step["step"] == "compare"]

    def fake(self, script):
        """A folder for PATH with a weasyprint that does what script says, and the rest of PATH."""
        where = self.path("bin")
        path = support.write(self.folder, "bin/weasyprint", "#!/bin/sh\n" + script)
        os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
        return {"PATH": where + os.pathsep + os.environ["PATH"]}

    def test_a_report_becomes_a_tagged_pdf_that_says_the_finding(self):
        evidence = self.make_evidence()
        done = self.json("report", *evidence, "-o", "r", "--title", "Of <two> & a half", "--pdf", "--json", "-q")
        self.assertEqual(done["pdf"], "r/report.pdf")
        pdf = self.path("r", "report.pdf")
        info = subprocess.run(["pdfinfo", pdf], capture_output=True, text=True, check=True).stdout
        self.assertGreater(int(re.search(r"^Pages:\s+(\d+)", info, re.M).group(1)), 2)
        self.assertRegex(info, r"(?m)^Title:\s+Of <two> & a half$")
        self.assertRegex(info, r"(?m)^Tagged:\s+yes$")
        printed = words(subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True,
                                       check=True).stdout)
        page = support.read(self.path("r", "index.html"))
        first = re.search(r'class="finding"[^>]*>\s*<p>(.*?)</p>', page, re.S).group(1)
        start = words(first)[:30]
        self.assertGreater(len(start), 20)
        self.assertIn(start, printed)
        for release in json.loads(support.read(self.path("r", "summary.json")))["releases"]:
            for point in release["operating_points"]:
                rate = point["fnmr"]
                self.assertIn(words("({:,} of {:,}".format(rate["errors"], rate["trials"])), printed)
        # Again without one: the earlier PDF is of an earlier report.
        self.good("report", *evidence, "-o", "r", "-q")
        self.assertFalse(os.path.exists(pdf))

    def test_where_weasyprint_fails_the_page_stays_and_no_half_pdf(self):
        evidence = self.make_evidence()
        broken = self.fake('[ "$1" = --version ] && exit 0\nfor last; do :; done\n'
                           'echo half > "$last"\necho "no such font" >&2\nexit 3\n')
        said = self.bad(1, "report", *evidence, "-o", "r", "--pdf", "-q", environment=broken)
        self.assertIn("making the PDF of a page that is whole: weasyprint ended with status 3: no such font", said)
        self.assertTrue(os.path.exists(self.path("r", "index.html")))
        self.assertEqual([name for name in os.listdir(self.path("r")) if "pdf" in name], [])

    def test_without_weasyprint_it_stops_before_any_work(self):
        evidence = self.make_evidence()
        support.write(self.folder, "p.yaml", support.SMALL.replace("by: [group]", "by: [group], pdf: true"))
        nowhere = {"PATH": self.path("empty")}
        said = self.bad(1, "report", *evidence, "-o", "r", "--pdf", "-q", environment=nowhere)
        self.assertIn("the program weasyprint was not found", said)
        self.assertFalse(os.path.exists(self.path("r")))
        said = self.bad(1, "run", "p.yaml", "-o", "other", "-q", environment=nowhere)
        self.assertIn("the program weasyprint was not found", said)
        self.assertFalse(os.path.exists(self.path("other", "dataset.h5")))


if __name__ == "__main__":
    for program in NEEDED:
        if not shutil.which(program):
            support.skip("no %s here" % program)
    support.main()
