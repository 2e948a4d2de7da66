"""test_overwrite -- no output replaces an input, another output, or what assay did not make."""
import os
import shutil

from cli_support import SMALL, Case, assay, listing, main, read, write, write_npy

IMPORT = ["import", "templates", "x.npy", "--labels", "x.csv", "--release", "r", "--version", "1"]
FACES = ["synth", "--images", "--subjects", "3", "--samples", "2", "--size", "48"]
POPULATION = ["synth", "--templates", "--subjects", "4", "--length", "8"]


def contents(folder):
    """Every file below folder with its bytes."""
    found = {}
    for path in listing(folder):
        with open(path, "rb") as data:
            found[path] = data.read()
    return found


class Overwrite(Case):
    def setUp(self):
        super().setUp()
        write_npy(self.path("x.npy"), [[1, 0, 0.5], [0.9, 0.1, 0.5], [0, 1, 0]])
        write(self.folder, "x.csv", "sample,subject\na,1\nb,1\nc,2\n")
        write(self.folder, "pairs.csv", "reference,probe\na,b\n")
        self.good(*IMPORT, "-o", "t.h5")
        self.good("compare", "t.h5", "-o", "e.h5")

    def refused(self, *arguments):
        """The one line that is said; every byte of the folder stays."""
        before = contents(self.folder)
        said = self.bad(2, *arguments)
        self.assertEqual(said.count("\n"), 1, said)
        self.assertEqual(contents(self.folder), before, said)
        return said

    def test_an_output_is_no_input(self):
        self.good(*FACES, "-o", "f")
        self.good("ingest", "f/assay.yaml", "-o", "d.h5")
        os.symlink("x.npy", self.path("link.npy"))
        os.link(self.path("x.csv"), self.path("hard.csv"))
        os.mkdir(self.path("deep"))
        enroll = ["enroll", "d.h5", "-a", "lbp", "--version", "1", "-o"]
        pairs = ["compare", "t.h5", "--protocol", "pairs", "--pairs", "pairs.csv", "-o"]
        for arguments in (IMPORT + ["-o", "x.npy"], IMPORT + ["-o", "deep/../x.csv"], IMPORT + ["-o", self.path("x.npy")],
                          IMPORT + ["-o", "link.npy"], IMPORT + ["-o", "hard.csv"],
                          ["compare", "t.h5", "-o", "t.h5"], ["compare", "t.h5", "-o", "f.h5", "--matrix", "t.h5"],
                          ["compare", "t.h5", "-o", "./e.h5", "--matrix", "t.h5"],
                          pairs + ["pairs.csv"], enroll + ["d.h5"],
                          ["ingest", "f/assay.yaml", "-o", "f/manifest.csv"],
                          ["ingest", "f/assay.yaml", "-o", "f/assay.yaml"]):
            with self.subTest(arguments=arguments):
                self.assertIn("it is the same file as the input", self.refused(*arguments))

    def test_an_input_that_a_seal_would_replace_is_an_input(self):
        shutil.copy(self.path("x.csv"), self.path("u.h5.seal"))
        arguments = [argument.replace("x.csv", "u.h5.seal") for argument in IMPORT]
        self.assertIn("cannot write u.h5.seal: it is the same file as the input", self.refused(*arguments, "-o", "u.h5"))
        self.assertIn("u.h5.seal is there and is no seal of assay", self.refused(*IMPORT, "-o", "u.h5"))

    def test_two_outputs_are_two_files(self):
        os.mkdir(self.path("deep"))
        for first, second in (("n.h5", "n.h5"), ("n.h5", "./n.h5"), ("n.h5", "deep/../n.h5"), ("n.h5", "n.h5.seal"),
                              ("n.h5.seal", "n.h5"), ("e.h5", "e.h5")):
            with self.subTest(first=first, second=second):
                said = self.refused("compare", "t.h5", "-o", first, "--matrix", second)
                self.assertIn("as matrix: it is the same file as", said)

    def test_what_assay_did_not_make_stays(self):
        self.good(*FACES, "-o", "f")
        write(self.folder, "notes.txt", "mine")
        write(self.folder, "sealed.txt", "mine")
        write(self.folder, "sealed.txt.seal", "{}")
        image = os.path.join("f/images", sorted(os.listdir(self.path("f/images")))[0])
        said = self.refused("compare", "t.h5", "-o", "notes.txt")
        self.assertIn("a file is there that assay did not make (it has no seal notes.txt.seal), expected evidence", said)
        self.assertIn("sealed.txt.seal is no seal of assay", self.refused("compare", "t.h5", "-o", "sealed.txt"))
        self.refused("compare", "t.h5", "-o", "n.h5", "--matrix", "notes.txt")
        self.refused("ingest", "f/assay.yaml", "-o", image)
        self.refused(*IMPORT, "-o", "f")
        self.refused(*IMPORT, "-o", "assay-ledger.jsonl")
        os.mkfifo(self.path("pipe"))
        self.assertIn("it is no regular file", self.bad(2, *IMPORT, "-o", "pipe"))
        os.unlink(self.path("pipe"))
        os.symlink("nowhere", self.path("dangling"))
        self.good(*IMPORT, "-o", "dangling")

    def test_another_kind_stays_and_the_same_kind_is_replaced(self):
        self.good(*FACES, "-o", "f")
        self.assertIn("it is evidence, expected templates or nothing", self.refused(*IMPORT, "-o", "e.h5"))
        self.assertIn("it is templates, expected a data set", self.refused("ingest", "f/assay.yaml", "-o", "t.h5"))
        self.assertIn("expected a matrix of scores", self.refused("compare", "t.h5", "-o", "n.h5", "--matrix", "e.h5"))
        self.good("compare", "t.h5", "-o", "e.h5", "--matrix", "m.h5")
        self.good("compare", "t.h5", "-o", "e.h5", "--matrix", "m.h5")
        self.good(*IMPORT, "-o", "t.h5")
        for name in ("e.h5", "t.h5"): # what a killed writer and a careful user leave
            os.unlink(self.path(name))
        self.good(*IMPORT, "-o", "t.h5")

    def test_a_report_goes_into_a_folder_of_its_own(self):
        self.assertIn("it is a file, expected a folder", self.refused("report", "e.h5", "-o", "x.csv"))
        self.assertIn("it is a file, expected a folder", self.refused("report", "e.h5", "-o", "e.h5"))
        for name in ("index.html", "summary.json", "tables/mine.csv", "plots/mine.svg"):
            write(self.folder, os.path.join("site-" + name[0], name), "{}")
            said = self.refused("report", "e.h5", "-o", "site-" + name[0])
            self.assertIn("%s is there and assay did not make it" % name.split("/")[0], said)
        write(self.folder, "new/notes.txt", "mine")
        self.good("report", "e.h5", "-o", "new")
        self.good("report", "e.h5", "-o", "new")
        self.assertEqual(read(self.path("new/notes.txt")), "mine")

    def test_a_population_goes_into_a_folder_of_its_own(self):
        write(self.folder, "own/assay.yaml", SMALL)
        write(self.folder, "own/images/me.jpg", "a picture")
        self.assertIn("it has no assay.yaml of one", self.refused(*FACES, "-o", "own"))
        self.refused(*FACES, "-o", "x.csv")
        self.good(*FACES, "-o", "f")
        self.good(*FACES, "-o", "f/")
        write(self.folder, "f/notes.txt", "mine")
        self.assertIn("f/notes.txt is no part of it", self.refused(*FACES, "-o", "f"))
        write(self.folder, "g.partial/notes.txt", "mine")
        self.assertIn("g.partial/notes.txt is no part of it", self.refused(*FACES, "-o", "g"))
        write(self.folder, "own/labels.csv", "mine")
        self.assertIn("own/labels.csv is there", self.refused(*POPULATION, "-o", "own"))
        self.refused(*POPULATION, "-o", "x.csv")
        self.good(*POPULATION, "-o", "p")
        self.good(*POPULATION, "-o", "p")

    def test_a_run_asks_before_it_works(self):
        write(self.folder, "small.yaml", SMALL)
        for name in ("dataset.h5", "lbp-1.0/templates.h5", "lbp-1.1/evidence.h5", "report/index.html"):
            with self.subTest(name=name):
                write(self.folder, os.path.join("out", name), "mine")
                said = self.refused("run", "small.yaml", "-o", "out")
                self.assertIn("assay did not make", said)
                shutil.rmtree(self.path("out"))
        self.assertIn("it is a file, expected a folder", self.refused("run", "small.yaml", "-o", "x.csv"))
        write(self.folder, "given.yaml", """assay: 1
name: given
releases:
  - { name: a, version: 1-2, templates: x.npy, labels: x.csv }
  - { name: a-1, version: "2", templates: x.npy, labels: x.csv }
""")
        self.assertIn("is the same file as out/a-1-2/templates.h5", self.refused("run", "given.yaml", "-o", "out"))
        os.mkdir(self.path("out"))
        os.mkdir(self.path("out/r-1"))
        shutil.copy(self.path("t.h5"), self.path("out/r-1/evidence.h5"))
        shutil.copy(self.path("t.h5.seal"), self.path("out/r-1/evidence.h5.seal"))
        write(self.folder, "given.yaml", """assay: 1
name: given
releases: [{ name: r, version: "1", templates: out/r-1/evidence.h5 }]
""")
        self.assertIn("it is the same file as the input", self.refused("run", "given.yaml", "-o", "out"))

    def test_segments_are_removed_and_what_lies_beside_them_is_not(self):
        write(self.folder, "e.h5.parts/notes.txt", "mine")
        write(self.folder, "e.h5.parts/tiles-000000000000-000000000001.h5", "left over")
        self.good("compare", "t.h5", "-o", "e.h5")
        self.assertEqual(os.listdir(self.path("e.h5.parts")), ["notes.txt"])

    def test_an_estimate_writes_nothing_and_asks_nothing(self):
        before = contents(self.folder)
        self.good("compare", "t.h5", "-o", "t.h5", "--estimate")
        self.assertEqual(contents(self.folder), before)
        self.assertEqual(assay("verify", "t.h5", folder=self.folder).returncode, 0)


if __name__ == "__main__":
    main()
