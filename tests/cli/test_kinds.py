"""test_kinds -- plug-ins whose templates are bit strings with masks, or differ by role, from the images to the report:
every score against one computed here from the templates; and codes as of irises, whose distributions are known."""
import json
import math
import os

from cli_support import Case, assay, main, skip, write
from test_opaque import MATED, NON_MATED, PLUGINS, SAMPLES, SUBJECTS, write_images

try:
    import h5py
    import numpy
except ImportError:
    skip("h5py and numpy are needed")

COUNT = SUBJECTS * SAMPLES
SIDE = 12


def bits(packed):
    return numpy.unpackbits(packed, axis=1, bitorder="little").astype(bool)


def hamming(reference, probe, shifts, minimum):
    """Best share of agreeing bits over shifts of the probe within its rows, or None."""
    best = None
    for shift in range(-shifts, shifts + 1):
        code, mask = (numpy.roll(part.reshape(SIDE, SIDE), shift, axis=1).ravel() for part in probe)
        valid = reference[1] & mask
        count = int(valid.sum())
        if count >= minimum:
            share = (count - int(((reference[0] ^ code) & valid).sum())) / count
            best = share if best is None else max(best, share)
    return best


class Kinds(Case):
    def evaluate(self, parameters):
        write_images(self.folder)
        write(self.folder, "e.yaml", "assay: 1\nname: e\ndataset: { name: twins, root: ., manifest: manifest.csv }\n"
              "releases: [{ name: x, version: \"1\", plugin: %s/twin.so, parameters: { %s } }]\n"
              "comparison: { fmr_targets: [1e-1] }\n" % (PLUGINS, parameters))
        done = assay("run", "e.yaml", "--json", folder=self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        with h5py.File(self.path("out", "e", "x-1", "templates.h5"), "r") as file:
            which = "templates/bits" if "bits" in parameters else "templates/vectors"
            templates = file[which][:]
        with h5py.File(self.path("out", "e", "x-1", "evidence.h5"), "r") as file:
            scores = {(int(row["i"]), int(row["j"])): float(row["score"])
                      for name in ("mated", "tail") for row in file["result"][name][:]}
            lists = {name: len(file["result"][name]) for name in ("mated", "tail")}
            failed = {(int(i), int(j)) for i, j in file["result/failed/pairs"][:]} if "failed" in file["result"] else set()
        return templates, scores, failed, lists

    def pairs_of(self, roles):
        if not roles:
            return [(i, j) for i in range(COUNT) for j in range(i + 1, COUNT)]
        return [(i, COUNT + j) for i in range(COUNT) for j in range(COUNT) if i != j]

    def check_bits(self, roles):
        templates, scores, failed, lists = self.evaluate("kind: bits" + (", roles: 1" if roles else ""))
        codes, masks = bits(templates[:, :SIDE * SIDE // 8]), bits(templates[:, SIDE * SIDE // 8:])
        wanted = {pair: hamming(*((codes[row], masks[row]) for row in pair), 2, 100) for pair in self.pairs_of(roles)}
        self.assertEqual(failed, {pair for pair, score in wanted.items() if score is None})
        self.assertEqual(set(scores), {pair for pair, score in wanted.items() if score is not None})
        for pair, score in scores.items():
            self.assertAlmostEqual(score, wanted[pair], delta=2.0 ** -52)
        with open(self.path("out", "e", "report", "summary.json"), encoding="utf-8") as text:
            release = json.load(text)["releases"][0]
        self.assertTrue(failed)
        self.assertIn("failed_to_compare", json.dumps(release))
        return scores

    def test_bits_of_a_plugin_are_compared_as_they_say(self):
        self.check_bits(False)

    def test_bits_that_differ_by_role_keep_the_direction(self):
        scores = self.check_bits(True)
        self.assertTrue(any(scores.get((j - COUNT, COUNT + i), score) != score for (i, j), score in scores.items()))

    def test_vectors_that_differ_by_role_keep_the_direction(self):
        templates, scores, failed, lists = self.evaluate("kind: vector, roles: 1")
        self.assertEqual((len(templates), failed), (2 * COUNT, set()))
        self.assertEqual((lists["mated"], lists["tail"]), (2 * MATED, 2 * NON_MATED))
        unit = templates.astype(float) / numpy.linalg.norm(templates.astype(float), axis=1, keepdims=True)
        cosine = unit @ unit.T
        self.assertEqual(set(scores), set(self.pairs_of(True)))
        for pair, score in scores.items():
            self.assertAlmostEqual(score, cosine[pair], delta=12 * 2.0 ** -26) # each factor is rounded to 2^-26
        self.assertTrue(any(abs(scores[(j - COUNT, COUNT + i)] - score) > 1e-3 for (i, j), score in scores.items()))
        self.assertTrue((templates[COUNT:, :108] == templates[:COUNT, :108]).all())
        self.assertTrue((templates[COUNT:, 108:] == numpy.roll(templates[:COUNT, 108:], -1, axis=1)).all())

    def test_codes_of_a_population_are_as_its_truth_says(self):
        self.good("synth", "--codes", "--subjects", "120", "--samples", "2", "-o", "c")
        with open(self.path("c", "truth.json"), encoding="utf-8") as text:
            truth = json.load(text)
        # all bits valid and no shifts: the closed forms are of that
        self.good("import", "templates", "c/templates.npy", "--labels", "c/labels.csv", "--release", "s", "--version", "1",
                  "--comparator", "hamming:shifts=0,minimum-valid-bits=2048", "--bit-rows", "8", "-o", "t.h5")
        self.good("compare", "t.h5", "-o", "e.h5")
        with h5py.File(self.path("e.h5"), "r") as file:
            scores = file["result/tail"]["score"]
        self.assertEqual(len(scores), 240 * 238 // 2)
        # Agreements of different pairs of codes of fair bits are uncorrelated: the mean is within 5 of its standard
        # errors. Both samples of a subject tell nearly the same, so 4 scores count as 1: the standard deviation is
        # within 5 of 1 / sqrt(2 n) for n = 7140 of it.
        self.assertAlmostEqual(scores.mean(), 0.5, delta=5 * truth["non_mated_sd"] / math.sqrt(7140))
        self.assertAlmostEqual(scores.std() / truth["non_mated_sd"], 1, delta=5 / math.sqrt(2 * 7140))
        self.assertAlmostEqual(truth["independent_bits"], 249, delta=10)
        done = self.json("run", "c/assay.yaml", "-o", "out", "--json")
        self.assertEqual(done["steps"][-1]["outcome"], "done")
        with h5py.File(self.path("out", "synth-1", "evidence.h5"), "r") as file:
            mated = file["result/mated"]["score"]
            failed = int(file["result/failed"].attrs["mated"])
        self.assertEqual(len(mated) + failed, 120)
        self.assertEqual(failed, 240 // 40) # samples that are hidden but for a little
        # at the shift that undoes the turns the bits that are valid in both agree independently
        wanted = truth["groups"][0]["mated_mean"]
        self.assertAlmostEqual(mated.mean(), wanted, delta=5 * math.sqrt(wanted * (1 - wanted) / 1000 / len(mated)))
        with open(self.path("out", "report", "summary.json"), encoding="utf-8") as text:
            self.assertIn("quality", json.load(text)["releases"][0])

    def test_a_planted_population_of_codes_shows_in_the_groups(self):
        self.good("synth", "--codes", "--subjects", "200", "--samples", "2", "--planted", "-o", "c")
        self.good("run", "c/assay.yaml", "-o", "out")
        with h5py.File(self.path("out", "synth-1", "evidence.h5"), "r") as file:
            codes = file["attributes/0000/codes"][:]
            labels = [label.decode() for label in file["attributes/0000/labels"][:]]
            tail, mated = file["result/tail"][:], file["result/mated"][:]
        name = lambda row: labels[codes[row]]
        top = tail[:len(tail) // 100]
        west = sum(name(row["i"]) == name(row["j"]) == "west" for row in top)
        self.assertGreater(west / len(top), 0.9) # of all pairs they are one in sixteen
        mean = lambda group: numpy.mean([row["score"] for row in mated if name(row["i"]) == group])
        self.assertLess(mean("south"), mean("north") - 0.03)


if __name__ == "__main__":
    main()
