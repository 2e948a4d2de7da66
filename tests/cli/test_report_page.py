"""test_report_page -- the page of a report in a real browser: it opens without a word on the console,
asks nothing of anyone, and holds the numbers of summary.json. Skips where Chromium is missing."""
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest

import cli_support as support

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
HOSTILE = ["<script>console.error(1)</script>", "`id`$(id)", "a_b^c{d}%s", "plain & simple"]


def open_page(path, profile, *options):
    """The page's document as it stands after loading, and what the browser said on its console."""
    done = subprocess.run(
        [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
         "--disable-background-networking", "--disable-dev-shm-usage", "--enable-logging=stderr",
         "--user-data-dir=" + profile, *options, "--dump-dom", "file://" + path],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return done.stdout, console


def make_report(folder):
    """Two releases on 80 people in four groups with names that mean mischief."""
    chance = random.Random(5)
    evidence = []
    for version in ("1.0", "1.1"):
        rows, labels = [], ["sample,subject,region"]
        for subject in range(80):
            centre = [chance.gauss(0, 1) for _ in range(16)]
            for sample in range(3):
                rows.append([c + chance.gauss(0, 0.7) for c in centre])
                labels.append('s%d-%d,p%d,"%s"' % (subject, sample, subject, HOSTILE[subject % 4]))
        rows[7] = [0.0] * 16
        matrix = os.path.join(folder, "x%s.npy" % version)
        support.write_npy(matrix, rows)
        table = support.write(folder, "x.csv", "\n".join(labels) + "\n")
        templates = os.path.join(folder, "t%s.h5" % version)
        evidence.append(os.path.join(folder, "e%s.h5" % version))
        for command in (["import", "templates", matrix, "--labels", table, "--release", "vendor",
                         "--version", version, "-o", templates, "-q"],
                        ["compare", templates, "-o", evidence[-1], "--fmr-targets", "1e-1,1e-2,1e-3", "-q"]):
            done = support.assay(*command)
            if done.returncode:
                raise AssertionError("%s: %s" % (command, done.stderr))
    out = os.path.join(folder, "report")
    done = support.assay("report", *evidence, "-o", out, "-q")
    if done.returncode:
        raise AssertionError(done.stderr)
    return out


class ReportPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.profile = os.path.join(cls.folder.name, "profile")
        cls.report = make_report(cls.folder.name)
        cls.page = os.path.join(cls.report, "index.html")
        with open(os.path.join(cls.report, "summary.json"), encoding="utf-8") as text:
            cls.summary = json.load(text)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_a_browser_that_is_given_reason_to_complain_does(self):
        bad = support.write(self.folder.name, "bad.html",
                            "<!DOCTYPE html><meta http-equiv=Content-Security-Policy "
                            "content=\"default-src 'none'\"><script>1</script>")
        self.assertTrue(open_page(bad, self.profile)[1])

    def test_the_page_opens_without_a_word_on_the_console(self):
        for options in ((), ("--window-size=390,844",), ("--blink-settings=preferredColorScheme=0",)):
            document, console = open_page(self.page, self.profile, *options)
            self.assertEqual(console, [])
            self.assertIn("</html>", document)

    def test_names_are_text_in_the_document(self):
        document, _ = open_page(self.page, self.profile)
        self.assertNotIn("<script", document)
        self.assertIn("&lt;script&gt;console.error(1)", document)

    def test_the_page_has_no_address_of_anyone_else(self):
        text = support.read(self.page)
        self.assertIn("default-src 'none'", text)
        rest = text.replace("http://www.w3.org/2000/svg", "").replace("http://www.w3.org/1999/xlink", "")
        for word in ("http:", "https:", "src=", "@import", "url(http"):
            self.assertNotIn(word, rest)

    def test_the_page_holds_the_numbers_of_the_summary(self):
        document, _ = open_page(self.page, self.profile)
        for release in self.summary["releases"]:
            for point in release["operating_points"]:
                for rate in (point["fmr"], point["fnmr"], point["gfnmr"]):
                    self.assertIn("({:,} of {:,})".format(rate["errors"], rate["trials"]), document)

    def test_the_protocol_stands_beside_the_title(self):
        document, _ = open_page(self.page, self.profile)
        head = document.split("</header>")[0]
        self.assertIn("Compared: every pair of samples; mated pairs of one session are left out", head)

    def test_no_title_ranks_releases_whose_intervals_overlap(self):
        document, _ = open_page(self.page, self.profile)
        self.assertIn("<h3>vendor 1.1 misses ", document)
        for word in (" more mated comparisons than ", " fewer mated comparisons than "):
            self.assertNotIn(word, document)

    def test_ids_of_the_document_are_all_different(self):
        document, _ = open_page(self.page, self.profile)
        ids = [part.split('"')[0] for part in document.split(' id="')[1:]]
        self.assertGreater(len(ids), 10)
        self.assertEqual(len(ids), len(set(ids)))


if __name__ == "__main__":
    if not BROWSER:
        print("skipped: no Chromium here to open the page in")
        sys.exit(77)
    unittest.main()
