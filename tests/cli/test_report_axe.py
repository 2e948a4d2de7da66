"""test_report_axe -- axe-core finds nothing on the pages of a report, light, dark and narrow. The
environment variable ASSAY_AXE names axe.min.js (npm install axe-core). Skips without it or Chromium."""
import html
import json
import os
import re
import shutil
import subprocess

import cli_support as support

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
AXE = os.environ.get("ASSAY_AXE", "")
VIEWS = {"light": [], "dark": ["--blink-settings=preferredColorScheme=0"], "narrow": ["--window-size=390,844"]}
ASK = """axe.run(document).then(found => {
  const told = {dark: matchMedia("(prefers-color-scheme:dark)").matches, width: innerWidth, passes: found.passes.length,
    violations: found.violations.map(v => [v.id, v.help, v.nodes.map(n => n.target.join(" "))])};
  document.documentElement.innerHTML = "<body><pre id=axe></pre></body>";
  document.getElementById("axe").textContent = JSON.stringify(told);
})"""


class ReportAxe(support.Case):
    def ask(self, page, options):
        """What axe-core says of the page: of a copy that lets a script run."""
        text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", support.read(page))
        script = "<script>%s</script><script>%s</script></body>" % (support.read(AXE), ASK)
        head, end, rest = text.rpartition("</body>")
        copy = support.write(self.folder, "copy.html", head + script + rest)
        done = subprocess.run(
            [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--disable-background-networking", "--disable-dev-shm-usage", "--virtual-time-budget=60000",
             "--user-data-dir=" + self.path("profile"), *options, "--dump-dom", "file://" + copy],
            capture_output=True, text=True, timeout=240)
        told = re.search(r'<pre id="axe">(.*?)</pre>', done.stdout, re.S)
        self.assertTrue(told, done.stdout[-500:])
        return json.loads(html.unescape(told.group(1)))

    def test_axe_finds_no_violation_in_any_view(self):
        support.write(self.folder, "e.yaml", support.SMALL)
        self.good("run", "e.yaml", "-o", "out", "-q")
        for page in ("index.html", "metrics.html"):
            for view, options in VIEWS.items():
                told = self.ask(self.path("out", "report", page), options)
                self.assertEqual(told["dark"], view == "dark")
                self.assertGreater(told["passes"], 20)
                self.assertEqual(told["violations"], [], "%s, %s" % (page, view))

    def test_axe_complains_of_a_page_that_gives_it_reason(self):
        bad = support.write(self.folder, "bad.html", "<!DOCTYPE html><html><body><img src='data:,'></body></html>")
        self.assertIn("image-alt", [violation[0] for violation in self.ask(bad, [])["violations"]])


if __name__ == "__main__":
    if not BROWSER:
        support.skip("no Chromium here to open the page in")
    if not os.path.isfile(AXE):
        support.skip("ASSAY_AXE does not name axe.min.js of axe-core")
    support.main()
