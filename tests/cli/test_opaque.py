"""test_opaque -- opaque templates compared by their own algorithm: the same evidence as by vectors, failed
comparisons, roles, vectors that stand for them, and the cost that is said beforehand."""
import json
import os
import shutil

from cli_support import Case, assay, main, skip, write

try:
    import h5py
except ImportError:
    skip("h5py is needed")

PLUGINS = os.path.join(os.environ.get("ASSAY_BUILD", ""), "tests", "plugins")
RELEASE = "  - { name: %s, version: \"1\", plugin: %s/twin.so, parameters: { %s } }\n"
SUBJECTS, SAMPLES = 8, 3
MATED = SUBJECTS * SAMPLES * (SAMPLES - 1) // 2
NON_MATED = SUBJECTS * (SUBJECTS - 1) // 2 * SAMPLES * SAMPLES


def write_images(folder):
    """PGM images of 48 x 48: a subject's pattern with a little of a sample's own; the first pixel counts."""
    rows = ["sample_id,subject_id,path"]
    for number in range(SUBJECTS * SAMPLES):
        subject, sample = divmod(number, SAMPLES)
        pixels = bytearray((x * (3 + subject) + y * (7 + 2 * subject) + x * y * subject // 5 + sample * (x * 5 ^ y)) % 251
                           for y in range(48) for x in range(48))
        pixels[0] = number
        with open(os.path.join(folder, "%d.pgm" % number), "wb") as out:
            out.write(b"P5\n48 48\n255\n" + pixels)
        rows.append("s%02d,p%d,%d.pgm" % (number, subject, number))
    write(folder, "manifest.csv", "\n".join(rows) + "\n")


class Opaque(Case):
    def setUp(self):
        super().setUp()
        write_images(self.folder)

    def run_it(self, releases, comparison="fmr_targets: [1e-1]", status=0, more=()):
        text = "assay: 1\nname: twins\ndataset: { name: twins, root: ., manifest: manifest.csv }\nreleases:\n"
        text += "".join(RELEASE % (name, PLUGINS, parameters) for name, parameters in releases)
        write(self.folder, "e.yaml", text + "comparison: { %s }\n" % comparison)
        done = assay("run", "e.yaml", "--json", *more, folder=self.folder)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def summary(self):
        with open(self.path("out", "twins", "report", "summary.json"), encoding="utf-8") as text:
            return json.load(text)

    def info(self, name):
        return self.json("info", "--json", self.path("out", "twins", name + "-1", "evidence.h5"))

    def test_opaque_and_vector_comparison_give_the_same_evidence(self):
        self.run_it([("vectors", "kind: vector"), ("bytes", "kind: opaque"), ("both", "kind: opaque, vector: 1")])
        found = [self.info(name) for name in ("vectors", "bytes", "both")]
        self.assertEqual(found[0]["pairs"]["mated"], MATED)
        self.assertEqual(found[0]["pairs"]["non-mated"], NON_MATED)
        for other in found[1:]:
            self.assertEqual(other["pairs"], found[0]["pairs"])
        lists = [self.comparisons(name) for name in ("vectors", "bytes", "both")]
        self.assertEqual(len(lists[0]), MATED + NON_MATED)
        self.assertEqual(lists[1], lists[0])
        self.assertEqual(lists[2], lists[0])
        again = self.run_it([("vectors", "kind: vector"), ("bytes", "kind: opaque")])
        self.assertEqual({step["outcome"] for step in json.loads(again.stdout)["steps"]
                          if step["step"] in ("enroll", "compare")}, {"up to date"})

    def evidence(self, name):
        return h5py.File(self.path("out", "twins", name + "-1", "evidence.h5"), "r")

    def failed(self, name):
        with self.evidence(name) as file:
            failed = file["result"].get("failed")
            return (0, 0) if failed is None else (int(failed.attrs["mated"]), int(failed.attrs["non_mated"]))

    def comparisons(self, name):
        """Every comparison of the evidence with its score, to the last bit."""
        with self.evidence(name) as file:
            return [(which, int(row["i"]), int(row["j"]), float(row["score"]).hex())
                    for which in ("mated", "tail") for row in file["result"][which][:]]

    def test_the_number_of_workers_changes_nothing(self):
        digests = set()
        for threads in ("1", "3"):
            done = self.run_it([("bytes", "kind: opaque")], more=("--threads", threads, "--output", "out" + threads))
            steps = json.loads(done.stdout)["steps"]
            digests.add(tuple(step["digest"] for step in steps if step["step"] in ("enroll", "compare")))
        self.assertEqual(len(digests), 1)

    def test_a_comparison_that_breaks_is_a_failed_one_and_no_other(self):
        self.run_it([("breaks", "kind: opaque, breaks: 1")])
        # samples 1 and 2 are of the first subject: with each other and with the third of it
        self.assertEqual(self.failed("breaks"), (3, 2 * (SUBJECTS - 1) * SAMPLES))
        self.assertEqual(len(self.comparisons("breaks")), MATED - 3 + NON_MATED - 2 * (SUBJECTS - 1) * SAMPLES)

    def test_roles_keep_their_direction(self):
        self.run_it([("roles", "kind: opaque, roles: 1")])
        self.assertEqual(self.failed("roles"), (0, 0)) # it fails on two references, and on a turned pair
        self.assertEqual(len(self.comparisons("roles")), MATED + NON_MATED)

    def test_vectors_that_do_not_stand_for_the_comparison_stop_it(self):
        done = self.run_it([("lies", "kind: opaque, vector: 1, lie: 1")], status=1)
        self.assertIn("do not stand for its own comparison", done.stderr)
        self.assertIn("over 1e-09 apart", done.stderr)

    def test_evidence_of_another_library_is_made_again(self):
        library = self.path("twin.so")
        shutil.copy(PLUGINS + "/twin.so", library)
        write(self.folder, "e.yaml", "assay: 1\nname: twins\ndataset: { name: twins, root: ., manifest: manifest.csv }\n"
              "releases:\n  - { name: own, version: \"1\", plugin: twin.so, parameters: { kind: opaque } }\n"
              "comparison: { fmr_targets: [1e-1] }\n")

        def outcomes():
            done = assay("run", "e.yaml", "--json", folder=self.folder)
            self.assertEqual(done.returncode, 0, done.stderr)
            return {step["step"]: step["outcome"] for step in json.loads(done.stdout)["steps"]}

        outcomes()
        self.assertEqual(outcomes()["compare"], "up to date")
        with open(library, "ab") as file: # the same templates, and who knows what scores
            file.write(b"another build")
        self.assertNotEqual(outcomes()["compare"], "up to date")

    def test_the_cost_is_said_and_capped(self):
        done = self.run_it([("bytes", "kind: opaque")])
        self.assertIn("%d comparisons by the plug-in" % (MATED + NON_MATED), done.stderr)
        done = self.run_it([("bytes", "kind: opaque")], "fmr_targets: [1e-1], opaque_cap: 100, same_session: true", 2)
        self.assertIn("%d comparisons by the plug-in itself are more than the 100" % (MATED + NON_MATED), done.stderr)

    def test_only_the_plugin_that_made_them_compares_them(self):
        self.run_it([("bytes", "kind: opaque")])
        error = self.bad(2, "compare", self.path("out", "twins", "bytes-1", "templates.h5"), "-o", "e.h5")
        self.assertIn("only their plug-in compares them", error)
        error = self.bad(2, "compare", self.path("out", "twins", "bytes-1", "templates.h5"), "-o", "e.h5",
                         "--plugin", PLUGINS + "/twin.so", "-p", "kind=opaque", "-p", "lie=1")
        self.assertIn("are not those that made the templates", error)
        made = self.json("compare", self.path("out", "twins", "bytes-1", "templates.h5"), "-o", "e.h5", "--json",
                         "--plugin", PLUGINS + "/twin.so", "-p", "kind=opaque", "--fmr-targets", "1e-1")
        self.assertEqual(made["mated"], MATED)


if __name__ == "__main__":
    main()
