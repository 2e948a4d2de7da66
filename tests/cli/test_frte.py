"""test_frte -- the plug-in for libraries with NIST's FRTE 1:1 interface, against a library of our own with the
same exported symbols (tests/frte): versions, return codes, scores of -1, and vectors that stand for its scores."""
import json
import os
import shutil

from cli_support import Case, assay, main, skip, write

try:
    import h5py
except ImportError:
    skip("h5py is needed")

BUILT = os.environ.get("ASSAY_FRTE_TEST") or os.path.join(os.environ.get("ASSAY_BUILD", ""), "tests", "frte")
SUBJECTS, SAMPLES = 6, 2
ROWS = SUBJECTS * SAMPLES
VECTOR = ", roles: 0, vector_offset: 8, vector_length: 144, vector_scale: 1, vector_shift: 1, vector_bound: %s"


class Frte(Case):
    def vendor(self, version, name="acme"):
        os.makedirs(self.path(name, "config"))
        os.makedirs(self.path(name, "lib"))
        shutil.copy(os.path.join(BUILT, "v%d" % version, "libfrvt_11_test.so"),
                    self.path(name, "lib", "libfrvt_11_test_00%d.so" % version))

    def images(self, first=None):
        """first: {row: value of the first pixel}."""
        rows = ["sample_id,subject_id,path"]
        for number in range(ROWS):
            subject, sample = divmod(number, SAMPLES)
            pixels = bytearray((x * (3 + subject) + y * (7 + 2 * subject) + x * y * subject // 5 + sample * (x * 5 ^ y))
                               % 251 for y in range(48) for x in range(48))
            pixels[0] = (first or {}).get(number, number)
            with open(self.path("%d.pgm" % number), "wb") as out:
                out.write(b"P5\n48 48\n255\n" + pixels)
            rows.append("s%02d,p%d,%d.pgm" % (number, subject, number))
        write(self.folder, "manifest.csv", "\n".join(rows) + "\n")

    def run_it(self, releases, status=0):
        """releases: (name, version of the plug-in, configuration directory, parameters)."""
        text = "assay: 1\nname: frte\ndataset: { name: frte, root: ., manifest: manifest.csv }\nreleases:\n"
        for name, version, config, parameters in releases:
            text += "  - { name: %s, version: \"1\", plugin: %s/frte%d.so, config: %s, parameters: { %s } }\n" % (
                name, BUILT, version, config, parameters)
        write(self.folder, "e.yaml", text + "comparison: { fmr_targets: [1e-1] }\n")
        done = assay("run", "e.yaml", "--json", folder=self.folder)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def open(self, name, file="evidence.h5"):
        return h5py.File(self.path("out", "frte", name + "-1", file), "r")

    def scores(self, name):
        with self.open(name) as file:
            return {(int(row["i"]), int(row["j"])): float(row["score"])
                    for which in ("mated", "tail") for row in file["result"][which][:]}

    def test_both_versions_give_the_same_scores(self):
        self.images()
        self.vendor(4, "four")
        self.vendor(5, "five")
        done = self.run_it([("four", 4, "four", "grey: 1"), ("five", 5, "five", "grey: 0")])
        self.assertIn("%d comparisons by the plug-in" % (ROWS * (ROWS - 1) // 2), done.stderr)
        four, five = self.scores("four"), self.scores("five")
        self.assertEqual(len(four), ROWS * (ROWS - 1) // 2)
        self.assertEqual(four, five)
        with self.open("four", "templates.h5") as file:
            self.assertEqual(file.attrs["algorithm"].decode() if isinstance(file.attrs["algorithm"], bytes) else
                             file.attrs["algorithm"], "frte-11 library=libfrvt_11_test_004.so api=4.0")
            self.assertEqual(int(file["opaque"].attrs["roles"]), 2)

    def test_the_other_version_is_refused(self):
        self.images()
        self.vendor(4)
        done = self.run_it([("x", 5, "acme", "grey: 1")], 2)
        self.assertIn("it speaks version 4.0, and this plug-in was built against version 5", done.stderr)

    def test_return_codes_are_refusals_and_failures_with_their_names(self):
        # rows 0 to 11 get the codes 1, 3, 4, 6, 8, 9, 13, 15, 16, 17, 18 and none
        codes = [1, 3, 4, 6, 8, 9, 13, 15, 16, 17, 18]
        self.images({row: 200 + code for row, code in enumerate(codes)})
        self.vendor(5)
        done = self.run_it([("x", 5, "acme", "roles: 0")])
        self.assertIn("1 enrolled, 3 refused, 8 failed", done.stdout)
        with self.open("x", "templates.h5") as file:
            labels = [label.decode() for label in file["labels/enrolment_reason"][:]]
            reasons = [labels[code] for code in file["samples/enrolment_reason"][:]]
        self.assertEqual(reasons[1], "RefuseInput (3): as the image says")
        self.assertEqual(reasons[9], "VendorError (17): as the image says")
        self.assertEqual(reasons[10], "UnknownError (18): as the image says")
        self.assertEqual(reasons[11], "")

    def test_a_score_of_minus_one_and_an_exception_are_failed_comparisons(self):
        self.images({0: 50, 3: 51, 5: 52})
        self.vendor(5)
        self.run_it([("x", 5, "acme", "grey: 1")])
        scores = self.scores("x")
        self.assertEqual(len(scores), (ROWS - 3) * (ROWS - 4) // 2)
        self.assertFalse([pair for pair in scores if {0, 3, 5} & set(pair)])
        with self.open("x") as file:
            failed = file["result/failed"]
            self.assertEqual(int(failed.attrs["mated"]) + int(failed.attrs["non_mated"]), 66 - len(scores))
            self.assertEqual(int(failed.attrs["mated"]), 3)

    def test_vectors_in_the_templates_stand_for_matching_or_stop(self):
        self.images()
        self.vendor(5)
        done = self.run_it([("own", 5, "acme", "roles: 0"), ("vectors", 5, "acme", "grey: 0" + VECTOR % "1e-6")])
        self.assertIn("pairs were compared by the plug-in too", done.stderr)
        own, vectors = self.scores("own"), self.scores("vectors")
        self.assertEqual(set(own), set(vectors))
        for pair, score in own.items():
            self.assertAlmostEqual(score, 1 + vectors[pair], delta=1e-6)
        by = lambda scores: sorted(scores, key=lambda pair: (-scores[pair], pair))
        self.assertEqual(by(own), by(vectors)) # the same order, so the same counts at every threshold
        done = self.run_it([("vectors", 5, "acme", "grey: 0" + (VECTOR % "1e-6").replace("shift: 1", "shift: 1.1"))], 1)
        self.assertIn("do not stand for its own comparison", done.stderr)

    def test_wrong_layouts_are_told(self):
        self.images()
        os.makedirs(self.path("acme", "config"))
        done = self.run_it([("x", 5, "acme", "grey: 1")], 2)
        self.assertIn("expected one lib/libfrvt_11_*.so", done.stderr)
        done = self.run_it([("x", 5, "acme", "gray: 1")], 2)
        self.assertIn("wrong parameter gray=1", done.stderr)


if __name__ == "__main__":
    main()
