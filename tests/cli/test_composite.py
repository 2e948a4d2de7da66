"""test_composite -- one algorithm or another by the age in the reference document: every routed comparison against one
that is looked up here in the evidence of the two, and what is refused."""
import json
import os

from cli_support import Case, assay, main, skip, write
from test_opaque import PLUGINS, SAMPLES, SUBJECTS, write_images

try:
    import h5py
except ImportError:
    skip("h5py is needed")

ROWS = SUBJECTS * SAMPLES
AGES = [5, 15, 25, 35, 45, 55, 65, None] # in the reference of each subject: 0 to 2 are under 30
YOUNG, ADULT = 0, 1
THRESHOLDS = (0.0, 0.55)
TEXT = """assay: 1
name: e
dataset:
  name: twins
  root: .
  manifest: manifest.csv
  attributes:
    - { name: %s, column: age, kind: numeric, level: sample, source: %s, bins: [0-29, 30+] }
    - { name: sex, level: sample, source: document, values: [f, m] }
releases:
  - { name: young, version: "1", plugin: %s/twin.so, parameters: { kind: vector, refuse: 1 } }
  - { name: adult, version: "1", plugin: %s/twin.so, parameters: { kind: bits } }
composites:
  - name: both
    version: "2"
    age: %s
    parts:
      - { release: young, below: 30, threshold: %s }
      - { release: adult, threshold: %s }
%scomparison: { protocol: %s, roles: { column: session, reference: doc, probe: live }, fmr_targets: [1e-1] }
"""


def fill(age="age", source="document", routed="age", missing="    missing: adult\n", protocol="cross"):
    return TEXT % (age, source, PLUGINS, PLUGINS, routed, *THRESHOLDS, missing, protocol)


class Composite(Case):
    def setUp(self):
        super().setUp()
        write_images(self.folder)
        rows = ["sample_id,subject_id,path,session,age,sex"]
        for number in range(ROWS):
            subject, sample = divmod(number, SAMPLES)
            age = "" if AGES[subject] is None else AGES[subject] # a probe's says otherwise, and must not count
            rows.append("s%02d,p%d,%d.pgm,%s,%s,%s" % (number, subject, number, "live" if sample else "doc",
                                                       90 - 10 * subject if sample else age, "fm"[subject % 2]))
        write(self.folder, "manifest.csv", "\n".join(rows) + "\n")

    def run_it(self, text, status=0):
        write(self.folder, "e.yaml", text)
        done = assay("run", "e.yaml", "--json", folder=self.folder)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def evidence(self, name):
        """Scores by (reference, probe), pairs that failed, and which rows are enrolled."""
        with h5py.File(self.path("out", "e", name, "evidence.h5"), "r") as file:
            scores = {}
            for which in ("mated", "tail"):
                for row in file["result"][which][:]:
                    pair = (int(row["i"]), int(row["j"]))
                    scores[pair if pair[0] % SAMPLES == 0 else pair[::-1]] = float(row["score"])
            failed = set()
            if "failed" in file["result"]:
                for i, j in file["result/failed/pairs"][:].tolist():
                    failed.add((i, j) if i % SAMPLES == 0 else (j, i))
            return scores, failed, file["samples/enrolment"][:].tolist()

    def test_every_comparison_is_routed_by_its_reference(self):
        done = self.run_it(fill())
        parts = [self.evidence("young-1"), self.evidence("adult-1")]
        route = {subject: YOUNG if age is not None and age < 30 else ADULT for subject, age in enumerate(AGES)}
        own = [parts[route[row // SAMPLES]][2][row] for row in range(ROWS)]
        scores, failed = {}, set()
        for reference in range(0, ROWS, SAMPLES):
            for probe in range(ROWS):
                if probe % SAMPLES == 0 or own[reference] != 1 or own[probe] != 1:
                    continue
                part = route[reference // SAMPLES]
                if (reference, probe) in parts[part][0]:
                    scores[reference, probe] = parts[part][0][reference, probe] - THRESHOLDS[part]
                else: # the part could not compare them, or has no template of the probe
                    failed.add((reference, probe))
        made = self.evidence("both-2")
        self.assertEqual(made[0], scores)
        self.assertEqual(made[1], failed)
        self.assertEqual(made[2], own)
        apart = [pair for pair in scores if route[pair[0] // SAMPLES] != route[pair[1] // SAMPLES]]
        self.assertTrue(apart)  # subjects that are routed apart are compared by the reference's algorithm
        self.assertTrue([pair for pair in failed if parts[ADULT][2][pair[1]] == 1 and parts[YOUNG][2][pair[1]] == 2])
        self.assertIn(2, own)   # and some are refused, of those that the other algorithm would take
        with open(self.path("out", "e", "report", "summary.json"), encoding="utf-8") as text:
            release = json.load(text)["releases"][2]
        point, = release["operating_points"]
        mated = {pair for pair in scores if pair[0] // SAMPLES == pair[1] // SAMPLES}
        missed = sum(scores[pair] < 0 for pair in mated)
        false = sum(score >= 0 for pair, score in scores.items() if pair not in mated)
        self.assertEqual((point["threshold"], point["fnmr"]["errors"], point["fnmr"]["trials"]),
                         (0, missed, len(mated)))
        self.assertEqual((point["fmr"]["errors"], point["fmr"]["trials"]), (false, len(scores) - len(mated)))
        self.assertEqual((release["fte"]["errors"], release["fte"]["trials"]), (own.count(2) + own.count(3), ROWS))
        self.assertTrue(0 < missed < len(mated) and 0 < false)
        with open(self.path("out", "e", "report", "index.html"), encoding="utf-8") as page:
            self.assertIn("one declared threshold for each of its algorithms", page.read())
        self.good("verify", "out")
        again = self.run_it(fill())
        steps = [json.loads(run.stdout)["steps"][-2] for run in (done, again)]
        self.assertEqual([(step["step"], step["outcome"]) for step in steps],
                         [("compose", "done"), ("compose", "up to date")])
        self.assertEqual(steps[0]["digest"], steps[1]["digest"])
        moved = self.run_it(fill().replace("threshold: 0.55", "threshold: 0.56"))
        self.assertEqual(json.loads(moved.stdout)["steps"][-2]["outcome"], "done")

    def test_what_may_not_route_is_refused(self):
        for text, said in ((fill(routed="sex"), "never by sex, race, origin"),
                           (fill(age="race", routed="race"), "never by sex, race, origin"),
                           (fill(source="officer"), "must be that of the document"),
                           (fill(missing=""), "the reference 's21' has no age"),
                           (fill(protocol="all").replace("roles: { column: session, reference: doc, probe: live }, ", ""),
                            "each comparison must have a reference"),
                           (fill(missing="    missing: nobody\n"), "is no release of a part"),
                           (fill().replace("below: 30, ", ""), "a part needs `below`"),
                           (fill().replace("release: adult", "release: old"), "is no release of this evaluation")):
            error = self.run_it(text, 2).stderr
            self.assertIn(said, error)
        self.assertFalse(os.path.exists(self.path("out", "e", "both-2", "evidence.h5")))


if __name__ == "__main__":
    main()
