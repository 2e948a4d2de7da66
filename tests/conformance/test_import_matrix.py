"""test_import_matrix -- one population, compared by assay and imported as scores in every form: each way must
report the very same counts, thresholds and intervals. Skips where h5py is absent."""
import json
import os
import struct

from cli_support import Case, assay, main, read, read_csv, skip, write

try:
    import h5py
    import numpy
except ImportError:
    h5py = None

TARGETS = "1e-1,1e-2,1e-3"
ABOUT = ("--release", "synth", "--version", "1", "--fmr-targets", TARGETS, "--same-session", "--json")


def bee(path, kind, cells, order="<"):
    rows, columns = cells.shape
    mark = struct.pack(order + "I", 0x12345678)
    letter = b"MB" if cells.dtype == numpy.uint8 else b"MF"
    with open(path, "wb") as out:
        out.write(kind + b"\nt.xml\nq.xml\n" + letter + b" %d %d " % (rows, columns) + mark + b"\n")
        out.write(cells.tobytes() if letter == b"MB" else cells.astype(order + "f4").tobytes())


class Matrix(Case):
    def setUp(self):
        super().setUp()
        self.good("synth", "--templates", "--subjects", "40", "--samples", "3", "--length", "32", "--planted",
                  "--seed", "5", "-o", "s")
        self.good("import", "templates", "s/templates.npy", "--labels", "s/labels.csv", "--release", "synth",
                  "--version", "1", "-o", "t.h5", "-q")
        self.good("compare", "t.h5", "-o", "own.h5", "--matrix", "m.h5", "--fmr-targets", TARGETS, "--same-session", "-q")
        with h5py.File(self.path("m.h5")) as file:
            self.ids = [name.decode() for name in file["sample_id"][:]]
            self.scores = file["scores"][:]
        self.scores[numpy.isnan(self.scores)] = 0  # the diagonal, which no import looks at
        self.subjects = {row["sample"]: row["subject"] for row in read_csv(self.path("s", "labels.csv"))}

    def figures(self, evidence):
        """What must agree: all that is said of operating points, of groups, and of whole lists."""
        self.good("report", evidence, "-o", "r", "-q")
        release = json.loads(read(self.path("r", "summary.json")))["releases"][0]
        kept = ("operating_points", "eer", "auc", "dprime", "pairs", "mated", "non_mated")
        groups = [{name: point[name] for name in ("fmr", "fnmr")}
                  for group in release["groups"] for point in group["operating_points"]]
        return {name: release[name] for name in kept}, groups

    def assert_alike(self, evidence, expected):
        got = self.figures(evidence)
        for part in ("operating_points", "eer", "auc", "dprime"):
            self.assert_close(got[0][part], expected[0][part], part)
        self.assert_close(got[1], expected[1], "groups")

    def assert_close(self, got, expected, where):
        if isinstance(expected, dict):
            self.assertEqual(got.keys(), expected.keys(), where)
            for key in expected: self.assert_close(got[key], expected[key], where + "." + key)
        elif isinstance(expected, list):
            self.assertEqual(len(got), len(expected), where)
            for n, value in enumerate(expected): self.assert_close(got[n], value, "%s[%d]" % (where, n))
        elif isinstance(expected, float):  # sums over subjects in another order
            self.assertAlmostEqual(got, expected, delta=1e-9 * max(1, abs(expected)), msg=where)
        else:
            self.assertEqual(got, expected, where)

    def test_every_form_of_the_same_scores_reports_the_same(self):
        expected = self.figures("own.h5")
        numpy.save(self.path("m.npy"), self.scores)
        made = self.json("import", "matrix", "m.npy", "--labels", "s/labels.csv", "-o", "npy.h5", *ABOUT)
        self.assertEqual((made["samples"], made["subjects"], made["mated"]), (120, 40, 120))
        self.assert_alike("npy.h5", expected)
        write(self.folder, "m.csv", "".join(",".join(map(repr, map(float, row))) + "\n" for row in self.scores))
        csv = self.json("import", "matrix", "m.csv", "--labels", "s/labels.csv", "-o", "csv.h5", *ABOUT)
        self.assertEqual(csv["result_digest"], made["result_digest"])
        numpy.save(self.path("d.npy"), -numpy.asfortranarray(self.scores))
        turned = self.json("import", "matrix", "d.npy", "--labels", "s/labels.csv", "--distance", "-o", "d.h5", *ABOUT)
        self.assertEqual((turned["mated"], turned["non_mated"]), (made["mated"], made["non_mated"]))
        self.assert_alike("d.h5", expected)
        lines = ["reference,probe,score"]
        for i, first in enumerate(self.ids):
            lines += ["%s,%s,%r" % (first, self.ids[j], float(self.scores[i][j])) for j in range(i + 1, len(self.ids))]
        write(self.folder, "pairs.csv", "\n".join(lines) + "\n")
        self.json("import", "scores", "pairs.csv", "--labels", "s/labels.csv", "-o", "pairs.h5", *ABOUT)
        self.assert_alike("pairs.h5", expected)

    def test_a_bee_matrix_with_a_mask_is_the_comparisons_that_the_mask_says(self):
        targets, queries = self.ids[:70], self.ids[40:]
        cells = self.scores[40:, :70].astype(numpy.float32)
        mask = numpy.array([[0 if q == t or (i + j) % 5 == 0 else 255 if self.subjects[q] == self.subjects[t] else 127
                             for j, t in enumerate(targets)] for i, q in enumerate(queries)], dtype=numpy.uint8)
        both = set(targets) & set(queries)  # compared in both orders: one of the two is left out
        for i, q in enumerate(queries):
            for j, t in enumerate(targets):
                if q in both and t in both and q > t: mask[i][j] = 0
        bee(self.path("s.mtx"), b"D2", -cells, ">")
        bee(self.path("s.mask"), b"S2", mask)
        write(self.folder, "t.txt", "\n".join(targets) + "\n")
        write(self.folder, "q.txt", "\r\n".join(queries))
        made = self.json("import", "matrix", "s.mtx", "--mask", "s.mask", "--labels", "s/labels.csv", "--targets", "t.txt",
                         "--queries", "q.txt", "-o", "bee.h5", *ABOUT)
        self.assertEqual((made["mated"], made["non_mated"]), (int((mask == 255).sum()), int((mask == 127).sum())))
        release = self.figures("bee.h5")[0]
        mated, other = cells[mask == 255], cells[mask == 127]
        for point in release["operating_points"]:
            threshold = point["threshold"]
            self.assertEqual(point["fmr"]["errors"], int((other >= threshold).sum()))
            self.assertEqual(point["fnmr"]["errors"], int((mated < threshold).sum()))
            self.assertIn(numpy.float32(threshold), other)
            self.assertIsNotNone(point["fnmr"]["low"])

    def sigset(self, name, ids, subject=None):
        write(self.folder, name, '<?xml version="1.0"?>\n<biometric-signature-set>\n' + "".join(
            '<biometric-signature name="%s"><presentation name="%s" file-name="%s.jpg"/></biometric-signature>\n'
            % (subject or self.subjects[n], n, n) for n in ids) + "</biometric-signature-set>\n")

    def test_sigsets_say_what_the_rows_and_columns_are_and_who(self):
        targets, queries = self.ids[:60], self.ids[60:]
        bee(self.path("s.mtx"), b"S2", self.scores[60:, :60].astype(numpy.float32))
        self.sigset("t.xml", targets)
        self.sigset("q.xml", queries)
        lists = ("--targets", "t.xml", "--queries", "q.xml")
        made = self.json("import", "matrix", "s.mtx", *lists, "-o", "a.h5", *ABOUT)
        self.assertEqual((made["samples"], made["mated"] + made["non_mated"]), (120, 3600))
        write(self.folder, "ids.csv", "sample,subject\n" + "".join("%s,%s\n" % (n, self.subjects[n]) for n in self.ids))
        write(self.folder, "t.txt", "\n".join(targets))
        write(self.folder, "q.txt", "\n".join(queries))
        plain = self.json("import", "matrix", "s.mtx", "--labels", "ids.csv", "--targets", "t.txt", "--queries", "q.txt",
                          "-o", "b.h5", *ABOUT)
        self.assertEqual(made["result_digest"], plain["result_digest"])
        both = self.json("import", "matrix", "s.mtx", "--labels", "ids.csv", *lists, "-o", "c.h5", *ABOUT)
        self.assertEqual(made["result_digest"], both["result_digest"])
        # The same set for both is all pairs of one list, without the diagonal and each pair once.
        numpy.save(self.path("m.npy"), self.scores)
        self.sigset("all.xml", self.ids)
        square = self.json("import", "matrix", "m.npy", "--targets", "all.xml", "--queries", "all.xml", "-o", "d.h5", *ABOUT)
        plain = self.json("import", "matrix", "m.npy", "--labels", "ids.csv", "-o", "e.h5", *ABOUT)
        self.assertEqual(square["result_digest"], plain["result_digest"])

    def test_sigsets_that_do_not_say_plainly_who_is_who_are_refused(self):
        bee(self.path("s.mtx"), b"S2", self.scores[60:, :60].astype(numpy.float32))
        self.sigset("t.xml", self.ids[:60])
        one = '<biometric-signature name="x"><presentation name="%s"/></biometric-signature>'
        whole = "<biometric-signature-set>%s</biometric-signature-set>"
        wrong = [
            ('<!DOCTYPE s [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>' + whole % (one % "&b;"), "a document type is declared"),
            (whole % (one % "&b;"), "not well-formed XML: undefined entity"),
            (whole % (one % "a") + "<more/>", "not well-formed XML: junk after"),
            (whole % (one % "a"), "and there are 1 samples for them in q.xml"),
            (whole % (one % "a" * 2), "q.xml, number 2: 'a' is there a second time"),
            (whole % '<biometric-signature name="x"><presentation name="a"/><presentation name="b"/></biometric-signature>',
             "signature 1: expected one presentation, and there is also 'b'"),
            (whole % '<biometric-signature name="x"/>', "signature 1 has no presentation"),
            (whole % '<biometric-signature><presentation name="a"/></biometric-signature>', "signature 1 has no name"),
            (whole % "", "holds no signature"), ("<a/>", "'biometric-signature-set' around all, met 'a'"),
            (whole % (one % self.ids[0]), "is of subject '%s' and of 'x'" % self.subjects[self.ids[0]]),
            (whole % ("<biometric-signature name='x'><presentation name='a'>" + "<d>" * 62), "more than 64 deep")]
        for text, said in wrong:
            write(self.folder, "q.xml", text)
            got = self.bad(2, "import", "matrix", "s.mtx", "--targets", "t.xml", "--queries", "q.xml", "-o", "no.h5", *ABOUT)
            self.assertIn(said, got, text)
        self.sigset("q.xml", self.ids[60:], subject="other")
        got = self.bad(2, "import", "matrix", "s.mtx", "--labels", "s/labels.csv", "--targets", "t.xml", "--queries", "q.xml",
                       "-o", "no.h5", *ABOUT)
        self.assertIn("is of subject 'other', and by the labels of", got)
        got = self.bad(2, "import", "matrix", "s.mtx", "--targets", "t.xml", "-o", "no.h5", *ABOUT)
        self.assertIn("a matrix needs labels of its samples", got)

    def test_comparisons_without_score_are_counted_by_subject_and_group(self):
        with_holes = self.scores.copy()
        rows = [i for i in range(0, 120, 7)]
        failed = {"mated": 0, "non_mated": 0}
        for i in rows:
            for j in range(i + 1, 120, 3):
                with_holes[i][j] = with_holes[j][i] = float("nan")
                failed["mated" if self.subjects[self.ids[i]] == self.subjects[self.ids[j]] else "non_mated"] += 1
        numpy.save(self.path("h.npy"), with_holes)
        made = self.json("import", "matrix", "h.npy", "--labels", "s/labels.csv", "-o", "h.h5", *ABOUT)
        self.assertEqual((made["mated_without_score"], made["non_mated_without_score"]),
                         (failed["mated"], failed["non_mated"]))
        self.assertEqual((made["mated"], made["non_mated"]), (120 - failed["mated"], 7020 - failed["non_mated"]))
        self.good("report", "h.h5", "-o", "r", "-q")
        release = json.loads(read(self.path("r", "summary.json")))["releases"][0]
        for point in release["operating_points"]:
            self.assertEqual(point["gfnmr"]["trials"], 120)
            self.assertEqual(point["gfnmr"]["errors"], point["fnmr"]["errors"] + failed["mated"])
            self.assertEqual(point["gfmr"]["trials"], 7020)
        within = sum(group["operating_points"][0]["fnmr"]["trials"] for group in release["groups"]
                     if group["attribute"] == "group")
        self.assertEqual(within, 120 - failed["mated"])
        pairs = sum(pair["operating_points"][0]["fmr"]["trials"] for pair in release["group_pairs"]
                    if pair["attribute"] == "group")
        self.assertEqual(pairs, 7020 - failed["non_mated"])
        self.assertEqual(release["fte"]["value_reason"], "the scores came without word of who was not enrolled")

    def test_what_does_not_fit_is_told(self):
        numpy.save(self.path("m.npy"), self.scores[:, :100])
        text = self.bad(2, "import", "matrix", "m.npy", "--labels", "s/labels.csv", "-o", "x.h5", *ABOUT)
        self.assertIn("100 columns (targets) and there are 120 samples for them in the labels", text)
        one_sided = self.scores.copy()
        one_sided[3][8] += 1
        numpy.save(self.path("m.npy"), one_sided)
        self.assertIn("row 4, column 9", self.bad(2, "import", "matrix", "m.npy", "--labels", "s/labels.csv", "-o", "x.h5", *ABOUT))
        self.good("import", "matrix", "m.npy", "--labels", "s/labels.csv", "-o", "x.h5", "--triangle", "lower", *ABOUT)
        mask = numpy.full((120, 120), 127, dtype=numpy.uint8)
        bee(self.path("m.mask"), b"S2", mask)
        text = self.bad(2, "import", "matrix", "m.npy", "--mask", "m.mask", "--labels", "s/labels.csv", "--triangle",
                        "upper", "-o", "y.h5", *ABOUT)
        self.assertIn("by the labels the samples", text)
        write(self.folder, "p.csv", "reference,probe,score\n%s,%s,0.5\n%s,%s,0.6\n" % (self.ids[0], self.ids[1], self.ids[1], self.ids[0]))
        self.assertIn("are compared twice", self.bad(2, "import", "scores", "p.csv", "--labels", "s/labels.csv", "-o", "y.h5", *ABOUT))
        write(self.folder, "p.csv", "reference,probe,score\n%s,nobody,x\n" % self.ids[0])
        text = self.bad(2, "import", "scores", "p.csv", "--labels", "s/labels.csv", "-o", "y.h5", *ABOUT)
        self.assertIn("p.csv:2:2: probe: no sample has the id 'nobody'", text)
        self.assertIn("p.csv:2:3: score: 'x' is no finite number", text)


class ForeignHdf5(Case):
    ABOUT = ("--release", "r", "--version", "1", "-o", "e.h5", "-q")

    def setUp(self):
        super().setUp()
        write(self.folder, "n.txt", "0.1\n")

    def refused(self, name, said, status=2):
        text = self.bad(status, "import", "scores", name, "n.txt", *self.ABOUT)
        self.assertIn(said, text)

    def test_plain_data_sets_of_every_type_are_read(self):
        for type_name in ("<f2", ">f4", "<f8", "i1", "u1"):
            with h5py.File(self.path("a.h5"), "w") as file:
                file.create_dataset("x/y", data=numpy.array([[3, 2, 1]], dtype=type_name), chunks=True, compression="gzip",
                                    shuffle=True, fletcher32=True)
            made = self.json("import", "scores", "a.h5:/x/y", "n.txt", "--json", *self.ABOUT[:-1])
            self.assertEqual(made["mated"], 3, type_name)

    def test_what_leads_out_of_a_file_is_refused(self):
        write(self.folder, "secret", "12345678" * 4)
        with h5py.File(self.path("b.h5"), "w") as file:
            file["data"] = numpy.arange(4.0)
            file["soft"] = h5py.SoftLink("/data")
            file["external"] = h5py.ExternalLink("e.h5", "/data")
            file.create_dataset("outside", shape=(4,), dtype="<f8", external=[("secret", 0, 32)])
            layout = h5py.VirtualLayout(shape=(4,), dtype="<f8")
            layout[:] = h5py.VirtualSource("b.h5", "data", shape=(4,))
            file.create_virtual_dataset("virtual", layout)
            file.create_dataset("lzf", data=numpy.arange(4.0), chunks=True, compression="lzf")
            file["text"] = "abc"
            file["cube"] = numpy.zeros((2, 2, 2))
            file["grid"] = numpy.zeros((2, 2))
        self.refused("b.h5:/soft", "soft or external link")
        self.refused("b.h5:/external", "soft or external link")
        self.refused("b.h5:/outside", "external storage")
        self.refused("b.h5:/virtual", "virtual")
        self.refused("b.h5:/lzf", "filter other than")
        self.refused("b.h5:/text", "is not of float16")
        self.refused("b.h5:/cube", "one or two dimensions")
        self.refused("b.h5:/grid", "no list of scores")
        self.refused("b.h5:/nowhere", "is not there")
        self.refused("b.h5", "exactly one data set")
        self.assertNotIn("e.h5", os.listdir(self.folder))

    def test_damaged_files_end_with_a_status_and_never_with_the_program(self):
        with h5py.File(self.path("c.h5"), "w", libver="latest") as file:
            file.create_dataset("data", data=numpy.arange(300.0), chunks=(100,), compression="gzip")
        with open(self.path("c.h5"), "rb") as file:
            whole = file.read()
        for n in range(24):
            damaged = bytearray(whole)
            at = 8 + (n * 7919) % (len(whole) - 8)
            damaged[at] ^= 0x5A
            if n % 6 == 5: damaged = damaged[:at]
            with open(self.path("d.h5"), "wb") as out:
                out.write(damaged)
            done = assay("import", "scores", "d.h5:/data", "n.txt", *self.ABOUT, folder=self.folder)
            self.assertIn(done.returncode, (0, 1, 2), done.stderr)


if __name__ == "__main__":
    if h5py is None:
        skip("h5py or numpy is absent")
    main()
