"""test_bad_input -- the table "Bad input" of README.md, row by row: what is said, and the exit status.

A row's first cell names the maker of its bad input below; its second is the message, with … for what may
be anything; its third is the exit status. Every row has a maker, and every maker a row."""
import os
import re
import shutil
import unittest

from cli_support import SOURCE, Case, assay, main, read, write, write_npy

CONFIG = """assay: 1
name: bad
dataset:
  name: bad
  root: .
  manifest: manifest.csv
  attributes:
    - { name: sex, level: subject, source: document, values: [F, M] }
releases:
  - { name: lbp, version: "1.0", algorithm: lbp }
"""
INGEST = ["ingest", "bad.yaml", "-o", "d.h5"]
IMPORT = ["import", "templates", "x.npy", "--labels", "x.csv", "--release", "r", "--version", "1", "-o", "t.h5"]
LABELS = "sample,subject\na,1\nb,1\nc,2\n"
HEAD = "sample_id,path,subject_id,sex"


def picture(folder, name, seed):
    pixels = bytes((x * seed + y * 7 * seed + x * y) % 251 for y in range(64) for x in range(64))
    os.makedirs(os.path.join(folder, "i"), exist_ok=True)
    with open(os.path.join(folder, name), "wb") as out:
        out.write(b"P5\n64 64\n255\n" + pixels)


class Makers:
    """Each makes its bad input in folder and gives back the arguments of assay."""

    def __init__(self, folder):
        self.folder = folder
        write(folder, "bad.yaml", CONFIG)
        for n in range(1, 4):
            picture(folder, "i/%d.pgm" % n, n)
        self.rows("a,i/1.pgm,1,F", "b,i/2.pgm,1,F", "c,i/3.pgm,2,M")
        write_npy(os.path.join(folder, "x.npy"), [[1, 0, 0.5], [0.9, 0.1, 0.5], [0, 1, 0]])
        write(folder, "x.csv", LABELS)

    def rows(self, *rows, head=HEAD):
        write(self.folder, "manifest.csv", "\n".join((head,) + rows) + "\n")

    def config(self, old, new):
        assert old in CONFIG, old
        write(self.folder, "bad.yaml", CONFIG.replace(old, new))

    def first(self, *arguments):
        done = assay(*arguments, folder=self.folder)
        assert done.returncode == 0, done.stderr

    def templates(self):
        self.first(*IMPORT)

    def evidence(self):
        self.templates()
        self.first("compare", "t.h5", "-o", "e.h5")

    def path(self, name):
        return os.path.join(self.folder, name)

    def unknown_command(self):
        return ["compar"]

    def unknown_option(self):
        return ["compare", "--thread-count", "2", "t.h5", "-o", "e.h5"]

    def option_out_of_range(self):
        return ["compare", "--threads", "0", "t.h5", "-o", "e.h5"]

    def argument_missing(self):
        return ["run"]

    def configuration_not_there(self):
        return ["run", "nowhere.yaml"]

    def configuration_syntax(self):
        write(self.folder, "bad.yaml", "assay: 1\nname: [bad\n")
        return ["run", "bad.yaml"]

    def configuration_unknown_key(self):
        self.config("releases:", "realeases:")
        return ["run", "bad.yaml"]

    def configuration_wrong_type(self):
        self.config("releases:", "comparison: { same_session: perhaps }\nreleases:")
        return ["run", "bad.yaml"]

    def configuration_variable_not_set(self):
        self.config("root: .", "root: ${ASSAY_NOT_SET}/faces")
        return ["run", "bad.yaml"]

    def unknown_algorithm(self):
        self.config("algorithm: lbp", "algorithm: lpb")
        return ["run", "bad.yaml"]

    def unknown_parameter(self):
        self.first(*INGEST)
        return ["enroll", "d.h5", "-a", "lbp", "-p", "gird=8", "--version", "1", "-o", "t.h5"]

    def release_name_not_a_folder(self):
        self.config("{ name: lbp", "{ name: ../lbp")
        return ["run", "bad.yaml"]

    def manifest_duplicate_id(self):
        self.rows("a,i/1.pgm,1,F", "a,i/2.pgm,1,F")
        return INGEST

    def manifest_file_missing(self):
        self.rows("a,i/1.pgm,1,F", "b,i/9.pgm,1,F")
        return INGEST

    def manifest_path_leaves_root(self):
        self.rows("a,i/1.pgm,1,F", "b,../../etc/passwd,1,F")
        return INGEST

    def manifest_bad_utf8(self):
        with open(self.path("manifest.csv"), "wb") as out:
            out.write(HEAD.encode() + b"\na,i/1.pgm,1,F\nb\xff,i/2.pgm,1,F\n")
        return INGEST

    def manifest_value_not_declared(self):
        self.rows("a,i/1.pgm,1,F", "b,i/2.pgm,2,X")
        return INGEST

    def manifest_subject_conflict(self):
        self.rows("a,i/1.pgm,1,F", "b,i/2.pgm,1,M")
        return INGEST

    def manifest_column_missing(self):
        self.rows("a,i/1.pgm,F", head="sample_id,path,sex")
        return INGEST

    def manifest_cells_missing(self):
        self.rows("a,i/1.pgm,1,F", "b,i/2.pgm")
        return INGEST

    def two_subjects_one_image(self):
        shutil.copy(self.path("i/1.pgm"), self.path("i/3.pgm"))
        return INGEST

    def image_digest_differs(self):
        self.rows("a,i/1.pgm,1,F," + "1" * 64, "b,i/2.pgm,1,F,", "c,i/3.pgm,2,M,", head=HEAD + ",sha256")
        return INGEST

    def image_truncated(self):
        os.truncate(self.path("i/1.pgm"), 500)
        return INGEST + ["--json"]

    def labels_do_not_fit(self):
        write(self.folder, "x.csv", LABELS + "d,2\n")
        return IMPORT

    def matrix_not_npy(self):
        write(self.folder, "x.npy", "1,2,3\n" * 20)
        return IMPORT

    def matrix_truncated(self):
        os.truncate(self.path("x.npy"), os.path.getsize(self.path("x.npy")) - 4)
        return IMPORT

    def template_not_finite(self):
        write_npy(self.path("x.npy"), [[1, 0], [float("nan"), 1], [0, 1]])
        return IMPORT

    def unknown_comparator(self):
        return IMPORT + ["--comparator", "cosin"]

    def container_damaged(self):
        self.templates()
        with open(self.path("t.h5"), "r+b") as out:
            out.seek(200)
            byte = out.read(1)[0]
            out.seek(200)
            out.write(bytes([byte ^ 4]))
        return ["compare", "t.h5", "-o", "e.h5"]

    def container_seal_missing(self):
        self.templates()
        os.unlink(self.path("t.h5.seal"))
        return ["compare", "t.h5", "-o", "e.h5"]

    def container_of_another_kind(self):
        self.templates()
        return ["report", "t.h5", "-o", "r"]

    def output_is_an_input(self):
        return IMPORT[:-1] + ["x.npy"]

    def output_of_somebody_else(self):
        self.templates()
        return ["compare", "t.h5", "-o", "x.csv"]

    def output_of_another_kind(self):
        self.templates()
        return ["ingest", "bad.yaml", "-o", "t.h5"]

    def two_outputs_in_one_file(self):
        self.templates()
        return ["compare", "t.h5", "-o", "e.h5", "--matrix", "./e.h5"]

    def report_into_a_file(self):
        self.evidence()
        return ["report", "e.h5", "-o", "x.csv"]

    def report_into_another_site(self):
        self.evidence()
        write(self.folder, "r/index.html", "mine")
        return ["report", "e.h5", "-o", "r"]

    def population_into_another_folder(self):
        return ["synth", "--images", "-o", "i"]

    def nobody_enrolled(self):
        write_npy(self.path("x.npy"), [[0, 0], [0, 0], [0, 0]])
        self.templates()
        return ["compare", "t.h5", "-o", "e.h5"]

    def folder_for_a_file(self):
        return ["info", "."]

    def histogram_by_unknown(self):
        self.templates()
        return ["compare", "t.h5", "-o", "e.h5", "--histogram-by", "sex"]

    def pair_list_unknown_sample(self):
        self.templates()
        write(self.folder, "pairs.csv", "reference,probe\na,z\n")
        return ["compare", "t.h5", "-o", "e.h5", "--protocol", "pairs", "--pairs", "pairs.csv"]

    def roles_missing(self):
        self.templates()
        return ["compare", "t.h5", "-o", "e.h5", "--protocol", "cross"]

    def too_little_memory(self):
        self.templates()
        return ["compare", "t.h5", "-o", "e.h5", "--memory", "1000"]

    def folder_not_there(self):
        self.templates()
        return ["compare", "t.h5", "-o", "no/such/folder/e.h5"]

    def evidence_of_two_data_sets(self):
        self.evidence()
        write(self.folder, "x.csv", LABELS.replace("c,2", "c,3"))
        self.first(*[argument.replace("t.h5", "u.h5") for argument in IMPORT])
        self.first("compare", "u.h5", "-o", "f.h5")
        return ["report", "e.h5", "f.h5", "-o", "r"]

    def report_by_unknown(self):
        self.evidence()
        return ["report", "e.h5", "-o", "r", "--by", "age"]


def table():
    """[(kind, message, status)] of README.md."""
    section = read(os.path.join(SOURCE, "README.md")).split("\n## Bad input\n")[1].split("\n## ")[0]
    rows = []
    for line in section.splitlines():
        if not line.startswith("| ") or line.startswith("| input"):
            continue
        cells = re.split(r"(?<!\\) \| ", line.strip().strip("|"))
        if len(cells) == 3:
            rows.append((cells[0].strip(), cells[1].strip().strip("`"), int(cells[2])))
    return rows


def pattern(message):
    return ".*".join(re.escape(part) for part in message.replace("\\|", "|").split("…"))


class BadInput(Case):
    def test_every_row_of_the_readme_is_true(self):
        rows = table()
        self.assertGreaterEqual(len(rows), 15)
        for kind, message, status in rows:
            with self.subTest(kind=kind):
                folder = self.path(kind.replace(" ", "-"))
                os.mkdir(folder)
                arguments = getattr(Makers(folder), kind.replace(" ", "_"))()
                done = assay(*arguments, folder=folder)
                said = done.stderr if done.stderr.strip() else done.stdout
                both = done.stderr + done.stdout
                self.assertTrue(re.search(pattern(message), both, re.DOTALL), "%s\nsaid: %s" % (message, said))
                self.assertEqual(done.returncode, status, both)
                if status != 0:
                    target = [name for name in ("d.h5", "e.h5") if name in arguments and arguments[0] != "report"]
                    for name in target:
                        if arguments[arguments.index(name) - 1] == "-o":
                            self.assertFalse(os.path.exists(os.path.join(folder, name)))

    def test_every_kind_that_is_known_here_is_in_the_readme(self):
        kinds = {name.replace("_", " ") for name in vars(Makers)
                 if not name.startswith("_") and name not in ("rows", "config", "first", "templates", "evidence", "path")}
        self.assertEqual(kinds, {kind for kind, _, _ in table()})


if __name__ == "__main__":
    main()
