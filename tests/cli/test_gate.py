"""test_gate -- the release gate from end to end: filed first, judged at one threshold, words as the numbers."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from cli_support import Case, assay, main, read, write, write_npy

SUBJECTS, SAMPLES, LENGTH = 70, 3, 12


def normal(state):
    """A sum of uniform numbers from a small generator: the same on every machine."""
    total = 0.0
    for _ in range(6):
        state[0] = (state[0] * 6364136223846793005 + 1442695040888963407) % 2 ** 64
        total += (state[0] >> 11) / 2 ** 53
    return (total - 3) * 1.414


def vectors(noise, seed=7):
    """Templates whose samples are as far from their subject as noise says; the same people in every release."""
    rows = []
    for subject in range(SUBJECTS):
        person, own = [seed * 1000 + subject], [seed * 77777 + subject]
        centre = [normal(person) for _ in range(LENGTH)]
        for _ in range(SAMPLES):
            rows.append([c + noise(subject) * normal(own) for c in centre])
    return rows


LABELS = "sample_id,subject_id,session,sex\n" + "".join(
    "s%d-%d,p%d,%d,%s\n" % (n, k, n, k, "female" if n % 2 else "male") for n in range(SUBJECTS) for k in range(SAMPLES))

POLICY = """gate: 1
name: small
threshold: %(threshold)s
data: { minimum: { subjects: 50 }%(data)s }
criteria:
  fmr: { claimed: 0.05, tolerance: 2 }
  gfnmr: { margin: %(margin)s }
  fte: { limit: 0.2 }
  groups: { by: [sex], gfnmr: { margin: %(group_margin)s } }
"""


def policy(threshold="{ fmr: 0.05 }", margin="0.1", group_margin="0.2", data=""):
    return POLICY % dict(threshold=threshold, margin=margin, group_margin=group_margin, data=data)


class Gate(Case):
    @classmethod
    def setUpClass(cls):
        cls.made = tempfile.mkdtemp()
        write(cls.made, "labels.csv", LABELS)
        releases = {"old": lambda s: 0.5, "same": lambda s: 0.5, "better": lambda s: 0.35, "worse": lambda s: 1.4}
        for name, noise in releases.items():
            write_npy(os.path.join(cls.made, name + ".npy"), vectors(noise, 9 if name == "same" else 7))
            for command in (["import", "templates", name + ".npy", "--labels", "labels.csv", "--release", name,
                             "--version", "1", "--comparator", "cosine", "-o", name + "-t.h5"],):
                done = assay(*command, "-q", folder=cls.made)
                assert done.returncode == 0, done.stderr
        done = assay("compare", "old-t.h5", "-o", "old.h5", "--fmr-targets", "0.05,0.01", "-q", folder=cls.made)
        assert done.returncode == 0, done.stderr

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.made)

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        for name in os.listdir(self.made):
            shutil.copy(os.path.join(self.made, name), self.folder)

    def tearDown(self):
        shutil.rmtree(self.folder)

    def run_in(self, *arguments):
        return assay(*arguments, folder=self.folder)

    def file(self, text, *more):
        write(self.folder, "policy.yaml", text)
        done = self.run_in("gate", "file", "policy.yaml", "--reference", "old.h5", *more)
        self.assertEqual(0, done.returncode, done.stderr)

    def score(self, name):
        done = self.run_in("compare", name + "-t.h5", "-o", name + ".h5", "--fmr-targets", "0.05,0.01", "-q")
        self.assertEqual(0, done.returncode, done.stderr)

    def judge(self, name, status, *more):
        done = self.run_in("gate", "policy.yaml", "-r", "old.h5", "-c", name + ".h5", "-o", "out", *more)
        self.assertEqual(status, done.returncode, done.stdout + done.stderr)
        return done

    def verdict(self):
        return json.loads(read(os.path.join(self.folder, "out", "verdict.json")))

    def page(self):
        return read(os.path.join(self.folder, "out", "index.html"))

    def check_words(self):
        """The page says what verdict.json says: the verdict, every state and the counts of them."""
        verdict, page = self.verdict(), self.page()
        states = [c["state"] for c in verdict["criteria"]]
        passed = sum(s.startswith("PASS") for s in states)
        failed = states.count("FAIL")
        self.assertIn("<b>%s</b>" % verdict["verdict"], page)
        text = re.sub(r"<[^>]*>", "", page)
        self.assertRegex(text, r"%d criteri(on passes|a pass), %d fails?, %d cannot be decided"
                         % (passed, failed, len(states) - passed - failed))
        shown = re.findall(r'class="state">([^<]*)<', page)
        words = {"PASS_SUPERIOR": "passes, and is better", "PASS": "passes", "FAIL": "fails",
                 "NOT_ENOUGH_DATA": "not enough data", "NOT_ENOUGH_DATA_LEANS_WORSE": "not enough data, leans worse"}
        self.assertEqual([words[s] for s in states], shown)
        for c in verdict["criteria"]:
            if not c["sampled"] or c["reason"]:
                continue
            self.assertLessEqual(c["low_one_sided"], c["value"])
            self.assertGreaterEqual(c["high_one_sided"], c["value"])
            if c["key"] == "gfnmr_margin":
                expected = ("PASS_SUPERIOR" if c["high_one_sided"] < 0 else "PASS" if c["high_one_sided"] < c["limit"]
                            else "FAIL" if c["low_one_sided"] > c["limit"] else "NOT_ENOUGH_DATA")
                self.assertTrue(c["state"].startswith(expected), c)
                self.assertAlmostEqual(c["value"], (c["errors"] - c["errors_reference"]) / c["trials"], places=12)
                self.assertIn("%d : %d of %d; %d" % (c["errors"], c["errors_reference"], c["trials"],
                                                     c["subjects"]), text)
            if c["state"].startswith("NOT_ENOUGH"):
                self.assertGreater(c["subjects_needed"], c["subjects"])
        return verdict

    def test_a_better_release_passes_and_the_page_can_be_signed(self):
        self.file(policy())
        self.score("better")
        done = self.judge("better", 0)
        self.assertIn("PASS", done.stdout)
        verdict = self.check_words()
        self.assertEqual("PASS", verdict["verdict"])
        self.assertTrue(verdict["filing"]["filed_before_scoring"])
        self.assertEqual(1, verdict["filing"]["candidates"])
        for part in ("Name and function", "Date and signature", "List of subjects", verdict["policy_digest"]):
            self.assertIn(part, self.page())
        self.assertNotIn("http", self.page().replace("http-equiv", ""))
        if shutil.which("weasyprint") and shutil.which("pdfinfo"):
            out = os.path.join(self.folder, "out")
            subprocess.run(["weasyprint", "-q", "index.html", "page.pdf"], cwd=out, check=True)
            told = subprocess.run(["pdfinfo", "page.pdf"], cwd=out, check=True, capture_output=True, text=True).stdout
            self.assertRegex(told, r"(?m)^Pages:\s+1$")

    def test_a_worse_release_fails_with_exit_status_3(self):
        self.file(policy())
        self.score("worse")
        self.judge("worse", 3)
        verdict = self.check_words()
        margin = [c for c in verdict["criteria"] if c["key"] == "gfnmr_margin"][0]
        self.assertEqual("FAIL", margin["state"])
        self.assertLess(margin["fail_p_holm"], 0.05)
        self.assertEqual("FAIL", verdict["verdict"])

    def test_what_the_data_cannot_decide_is_said_with_the_size_that_would(self):
        self.file(policy(margin="0.001", group_margin="0.0005"))
        self.score("same")
        done = self.judge("same", 4)
        verdict = self.check_words()
        self.assertEqual("NOT ENOUGH DATA", verdict["verdict"])
        self.assertRegex(done.stdout, r"about [0-9,]+ subjects would decide it")
        self.assertRegex(re.sub(r"<[^>]*>", "", self.page()), r"A set that decides what is open needs about")

    def test_a_threshold_far_too_high_does_not_pass(self):
        self.file(policy(threshold="{ reference: 0.5, candidate: 0.9999 }"))
        self.score("better")
        self.judge("better", 3)
        by_key = {c["key"]: c for c in self.verdict()["criteria"] if not c["attribute"]}
        self.assertEqual("FAIL", by_key["gfnmr_margin"]["state"])
        self.assertNotEqual("FAIL", by_key["fmr_limit"]["state"])

    def test_an_unfiled_a_changed_and_a_late_policy_are_told(self):
        self.score("better")
        write(self.folder, "policy.yaml", policy())
        self.assertIn("was not filed", self.judge("better", 2).stderr)
        self.file(policy())
        self.assertIn("was scored before policy small was filed", self.judge("better", 2).stderr)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "out")))
        # Scoring the same templates again, under another name, does not make it later.
        self.assertEqual(0, self.run_in("compare", "better-t.h5", "-o", "again.h5", "--fmr-targets", "0.05",
                                        "-q").returncode)
        self.assertIn("was scored before", self.judge("again", 2).stderr)
        self.score("worse")
        write(self.folder, "policy.yaml", policy(margin="0.9"))
        text = self.judge("worse", 2).stderr
        self.assertRegex(text, "policy small was changed after it was filed on .*its text is not what was filed")
        # As a trial it is judged, and says so.
        self.judge("worse", 3, "--trial")
        self.assertIn("A trial, not a decision.", self.page())
        self.assertTrue(self.verdict()["filing"]["trial"])

    def test_a_list_that_was_changed_and_disclosed_subjects(self):
        everybody = ["p%d" % n for n in range(SUBJECTS)]
        write(self.folder, "subjects.txt", "# who judges\n" + "\n".join(everybody[:-5]) + "\n")
        write(self.folder, "disclosed.txt", "p0\np1\nelsewhere\n")
        self.file(policy(data=", subjects: subjects.txt, disclosed: disclosed.txt"))
        self.score("better")
        self.judge("better", 0)
        data = self.check_words()["data"]
        self.assertEqual((SUBJECTS - 7, 2, 5, 1), (data["subjects"], data["subjects_disclosed"],
                                                   data["subjects_not_listed"], data["disclosed_not_in_data"]))
        self.assertEqual((SUBJECTS - 7) * SAMPLES, data["samples"])
        self.assertEqual((SUBJECTS - 7) * 3, data["mated_attempted"])
        self.assertEqual((SUBJECTS - 7) * (SUBJECTS - 8) // 2 * SAMPLES ** 2, data["non_mated"])
        write(self.folder, "subjects.txt", "\n".join(everybody[:-6]) + "\n")
        self.assertRegex(self.judge("better", 2).stderr, "changed after it was filed .*list of subjects is not")
        write(self.folder, "subjects.txt", "\n".join(everybody + ["nobody"]) + "\n")
        self.assertIn("names subject 'nobody', whom the data set does not have", self.judge("better", 2).stderr)
        write(self.folder, "subjects.txt", "p3\np3\n")
        self.assertIn("names subject 'p3' twice", self.judge("better", 2).stderr)

    def test_candidates_are_counted_by_their_templates(self):
        self.file(policy())
        for name in ("better", "worse"):
            self.score(name)
        self.judge("better", 0)
        self.judge("better", 0)
        self.judge("worse", 3)
        filing = self.verdict()["filing"]
        self.assertEqual((2, 3), (filing["candidates"], filing["looks"]))
        self.assertIn("2 candidates were judged on this data set", re.sub(r"<[^>]*>", "", self.page()))

    def test_groups_that_are_too_small_keep_it_from_passing_or_are_listed(self):
        text = policy().replace("by: [sex],", "by: [sex], minimum_subjects: 60,")
        self.file(text)
        self.score("better")
        self.judge("better", 4)
        self.assertEqual(2, len(self.verdict()["groups_too_small"]))
        write(self.folder, "policy.yaml", text.replace("minimum_subjects: 60,", "minimum_subjects: 60, too_small: list,"))
        self.judge("better", 0, "--trial")
        self.assertIn("The policy lists such groups", self.page())

    def test_scores_without_subjects_are_refused(self):
        for name in ("mated", "non"):
            write(self.folder, name + ".txt", "\n".join("0.%d" % n for n in range(1, 10)) + "\n")
        done = self.run_in("import", "scores", "mated.txt", "non.txt", "--release", "x", "--version", "1", "-o", "s.h5")
        self.assertEqual(0, done.returncode, done.stderr)
        self.file(policy())
        self.assertIn("scores without subject ids", self.judge("s", 2).stderr)
        done = self.run_in("gate", "file", "policy.yaml", "--data", "s.h5")
        self.assertIn("no samples", done.stderr)

    def test_other_outputs_are_not_written_over(self):
        self.file(policy())
        self.score("better")
        write(self.folder, "out/index.html", "mine")
        self.assertIn("assay did not make it", self.judge("better", 2).stderr)
        self.assertEqual("mine", read(os.path.join(self.folder, "out", "index.html")))


class Policies(Case):
    def fault(self, text):
        with tempfile.TemporaryDirectory() as folder:
            write(folder, "p.yaml", text)
            done = assay("gate", "file", "p.yaml", "--data", "nothing.h5", folder=folder)
            self.assertEqual(2, done.returncode, done.stderr)
            return done.stderr

    def test_faults_are_told_with_their_place(self):
        text = self.fault(policy().replace("gfnmr: { margin: 0.1 }", "gfnmr: { margn: 0.1 }"))
        self.assertRegex(text, r"p\.yaml:7:12: .*margn.*\n.*\n.*\^")
        self.assertIn("did you mean 'margin'", text)
        self.assertIn("has no variables", self.fault(policy(margin='"${M:-0.1}"')))
        for threshold in ("[0.1, 0.2]", "{ female: 0.3, male: 0.4 }"):
            self.assertIn("thresholds by group are refused", self.fault(policy(threshold=threshold)))
        self.assertIn("thresholds by group are refused",
                      self.fault(policy().replace("by: [sex],", "by: [sex], threshold: 0.3,")))
        self.assertIn("expected either `fmr`", self.fault(policy(threshold="{ fmr: 0.1, candidate: 0.3 }")))
        self.assertIn("`reference` is missing", self.fault(policy(threshold="{ candidate: 0.3 }")))
        self.assertIn("a `margin` or a `limit`", self.fault(policy().replace("margin: 0.1", "")))

    def test_a_policy_without_misses_is_refused(self):
        text = self.fault("gate: 1\nname: x\nthreshold: 0.5\ncriteria:\n  fmr: { claimed: 1e-3 }\n")
        self.assertIn("gfnmr", text)

    def test_the_examples_are_policies(self):
        source = os.environ["ASSAY_SOURCE"]
        for name in ("population", "border"):
            done = assay("gate", "file", os.path.join(source, "configs", "policies", name + ".yaml"), "--data", "nothing.h5")
            self.assertIn("nothing.h5", done.stderr)

    def test_requests_that_make_no_sense(self):
        self.assertIn("gate file needs a policy", self.bad(2, "gate", "file"))
        self.assertIn("unexpected argument 'b'", self.bad(2, "gate", "a", "b"))
        self.assertIn("--candidate EVIDENCE is needed", self.bad(2, "gate", "a.yaml"))
        self.assertIn("either --reference EVIDENCE or --data FILE", self.bad(2, "gate", "file", "a.yaml"))
        self.assertIn("FAIL", self.good("gate", "--help").stdout)


if __name__ == "__main__":
    main()
