"""test_import_arrays -- templates, labels, scores and matrices in every form that numpy and h5py write: the same
numbers give the same templates and the same evidence, and what leads elsewhere or lies about its size is refused."""
import io
import os
import struct
import warnings
import zipfile

from cli_support import Case, assay, main, skip, write

try:
    import h5py
    import numpy
except ImportError:
    skip("h5py and numpy are needed")

ROWS, LENGTH = 12, 5
ABOUT = ("--release", "vendor", "--version", "3")
LABELS = "sample,subject\n" + "".join(f"s{n},p{n // 2}\n" for n in range(ROWS))


def npy(array, version=(1, 0)):
    out = io.BytesIO()
    numpy.lib.format.write_array(out, array, version=version)
    return out.getvalue()


def archive(path, members, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as out:
        for name, data in members: out.writestr(name, data)


class Arrays(Case):
    def setUp(self):
        super().setUp()
        draw = numpy.random.default_rng(2)
        self.values = draw.integers(1, 100, (ROWS, LENGTH))
        write(self.folder, "l.csv", LABELS)

    def templates(self, *arguments):
        made = self.json("import", "templates", *arguments, *ABOUT, "-o", "t.h5", "--json")
        with h5py.File(self.path("t.h5")) as file:
            return made["digest"], file["templates/vectors"][:]

    def refused(self, *arguments):
        said = self.bad(2, "import", *arguments, *ABOUT, "-o", "no.h5")
        self.assertFalse(os.path.exists(self.path("no.h5")))
        return said

    def test_every_type_order_and_version_is_read_as_numpy_wrote_it(self):
        for n, kind in enumerate(("f2", "f4", "f8", "i1", "u1")):
            for version in (1, 2, 3):
                array = (self.values - (50 if kind != "u1" else 0)).astype((">" if (n + version) % 2 else "<") + kind)
                if kind[0] == "f": array = (array / 8).astype(array.dtype)
                if version != 2: array = numpy.asfortranarray(array)
                data = npy(array, (version, 0))
                self.assertIn(b"True" if version != 2 else b"False", data[:100])
                if version == 1:
                    with open(self.path("x.npy"), "wb") as out: out.write(data)
                else:
                    archive(self.path("x.npz"), [("b.npy", npy(self.values.astype("f4"))), ("a.npy", data)],
                            zipfile.ZIP_DEFLATED if version == 2 else zipfile.ZIP_STORED)
                source = "x.npy" if version == 1 else "x.npz:a"
                _, got = self.templates(source, "--labels", "l.csv")
                self.assertTrue(numpy.array_equal(got, array.astype("f4")), f"{kind} {version}")

    def test_every_form_of_the_same_templates_gives_the_same_file_of_templates(self):
        array = (self.values / 3).astype("f4")
        numpy.save(self.path("x.npy"), array)
        numpy.savez(self.path("x.npz"), e=array)
        numpy.savez_compressed(self.path("y.npz"), e=array, other=array[:2])
        with h5py.File(self.path("x.h5"), "w") as file:
            file["only"] = array
        with h5py.File(self.path("y.h5"), "w") as file:
            file.create_dataset("a/b", data=array[:, ::-1][:, ::-1], chunks=(4, 2), compression="gzip", shuffle=True,
                                fletcher32=True)
            file["other"] = array[:2]
        lines = [f"s{n}," + ",".join(repr(float(v)) for v in array[n]) for n in range(ROWS)]
        header = "who,c0,c1,c2,c3,c4"
        write(self.folder, "x.csv", "\n".join([header, *reversed(lines)]) + "\n")
        expected, _ = self.templates("x.npy", "--labels", "l.csv")
        for arguments in (["x.npz"], ["y.npz", "--array", "e"], ["y.npz:e"], ["x.h5"], ["y.h5:/a/b"],
                          ["y.h5", "--array", "/a/b"], ["x.csv", "--id-column", "who"]):
            self.assertEqual(self.templates(*arguments, "--labels", "l.csv")[0], expected, arguments)

    def test_labels_are_arrays_of_ids_of_any_kind(self):
        array = self.values.astype("f4")
        samples = numpy.array([f"s{n}" for n in range(ROWS)])
        subjects = numpy.array([f"p\u00e9{n // 2}" for n in range(ROWS)])
        write(self.folder, "u.csv", "sample,subject\n" + "".join(f"{a},{b}\n" for a, b in zip(samples, subjects)))
        numpy.savez(self.path("x.npz"), e=array, samples=samples, big=subjects.astype(">U9"),
                    bytes=numpy.array([s.encode() for s in subjects]))
        with h5py.File(self.path("x.h5"), "w") as file:
            file["e"] = array
            file["bytes"] = numpy.array([s.encode() for s in subjects])
            file.create_dataset("texts", data=list(subjects), dtype=h5py.string_dtype())
        expected, _ = self.templates("x.npz:e", "--labels", "u.csv")
        for source in ("x.npz:big", "x.npz:bytes", "x.h5:/bytes", "x.h5:/texts"):
            got, _ = self.templates("x.npz:e", "--subjects", source, "--samples", "x.npz:samples")
            self.assertEqual(got, expected, source)
        write(self.folder, "n.csv", "sample,subject\n" + "".join(f"{n + 1},{n // 2 - 3}\n" for n in range(ROWS)))
        expected, _ = self.templates("x.npz:e", "--labels", "n.csv")
        for kind in ("i1", ">i2", "<i4", "<i8"):
            numpy.save(self.path("i.npy"), (numpy.arange(ROWS) // 2 - 3).astype(kind))
            self.assertEqual(self.templates("x.npz:e", "--subjects", "i.npy")[0], expected, kind)
        with h5py.File(self.path("i.h5"), "w") as file: file["ids"] = numpy.arange(ROWS) // 2 - 3
        self.assertEqual(self.templates("x.npz:e", "--subjects", "i.h5")[0], expected)
        numpy.save(self.path("few.npy"), numpy.arange(3))
        self.assertIn("x.npz:e has 12 rows and few.npy labels 3 samples",
                      self.refused("templates", "x.npz:e", "--subjects", "few.npy"))
        numpy.save(self.path("nul.npy"), numpy.array(["a\0b"] * ROWS))
        self.assertIn("has a NUL", self.refused("templates", "x.npz:e", "--subjects", "nul.npy"))

    def test_an_archive_that_is_not_plainly_numpys_is_refused(self):
        good = npy(self.values.astype("f4"))
        cases = []

        def case(said, members, method=zipfile.ZIP_STORED, array="e", change=None):
            name = f"bad{len(cases)}.npz"
            archive(self.path(name), members, method)
            if change:
                with open(self.path(name), "rb") as file: data = change(bytearray(file.read()))
                with open(self.path(name), "wb") as file: file.write(data)
            cases.append((name + (":" + array if array else ""), said))

        def flip(data):
            data[len(data) // 3] ^= 0x40
            return data

        def claim(size):  # of the unpacked member, here and in the directory
            def change(data):
                at = data.rindex(b"PK\x01\x02")
                data[22:26] = data[at + 24:at + 28] = struct.pack("<I", size)
                return data
            return change

        case("name the one that is meant", [("e.npy", good), ("f.npy", good)], array=None)
        case("holds no array 'g'; Known: e, f", [("e.npy", good), ("f.npy", good)], array="g")
        case("a member '../e.npy'", [("../e.npy", good)])
        case("a member 'd/e.npy'", [("d/e.npy", good)])
        case("a member 'e.txt'", [("e.npy", good), ("e.txt", b"x")])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            case("File already exists", [("e.npy", good), ("e.npy", good)])
        case("packed by method 12", [("e.npy", good)], zipfile.ZIP_BZIP2)
        case("cannot be unpacked", [("e.npy", good)], change=flip)
        case("does not begin with", [("e.npy", b"no numpy" * 40)])
        case("which deflate cannot do", [("e.npy", good)], zipfile.ZIP_DEFLATED, change=claim(0xfffffff0))
        case("which deflate cannot do", [("e.npy", bytes(1000))], zipfile.ZIP_DEFLATED, change=claim(1 << 20))
        case("cannot be unpacked", [("e.npy", bytes(1000))], zipfile.ZIP_DEFLATED, change=claim(900))
        case("no .npz file that can be read", [("e.npy", good)], change=lambda data: data[:-9])
        case("is encrypted", [("e.npy", good)],
             change=lambda data: data.replace(b"PK\x03\x04\x14\0\0", b"PK\x03\x04\x14\0\1").replace(
                 b"PK\x01\x02\x14\x03\x14\0\0", b"PK\x01\x02\x14\x03\x14\0\1"))
        for source, said in cases:
            got = self.refused("templates", source, "--labels", "l.csv")
            self.assertIn(said, got, source)
            self.assertEqual(got.count("\n"), 1, got)

    def test_hdf5_that_leads_elsewhere_is_refused(self):
        array = self.values.astype("f4")
        with open(self.path("raw"), "wb") as out: out.write(array.tobytes())
        with h5py.File(self.path("good.h5"), "w") as file: file["e"] = array
        with h5py.File(self.path("bad.h5"), "w") as file:
            file["e"] = array
            file["soft"] = h5py.SoftLink("/e")
            file["external"] = h5py.ExternalLink("good.h5", "/e")
            file["f8"] = numpy.array([["a"]], dtype="S1")
            space = h5py.h5s.create_simple(array.shape)
            plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            plan.set_external(self.path("raw").encode(), 0, array.nbytes)
            h5py.h5d.create(file.id, b"stored", h5py.h5t.IEEE_F32LE, space, plan)
            layout = h5py.VirtualLayout(array.shape, "f4")
            layout[:] = h5py.VirtualSource(self.path("good.h5"), "e", shape=array.shape)
            file.create_virtual_dataset("virtual", layout)
            file.create_dataset("lzf", data=array, compression="lzf")
        for name, said in (("/soft", "link"), ("/external", "link"), ("/stored", "other files"),
                           ("/virtual", "virtual"), ("/lzf", "filter"), ("/none", "not there"), ("/f8", "is not of")):
            self.assertIn(said, self.refused("templates", "bad.h5:" + name, "--labels", "l.csv"), name)
        self.assertIn("exactly one data set", self.refused("templates", "bad.h5", "--labels", "l.csv"))

    def test_faults_of_a_csv_of_templates_are_told_with_their_lines(self):
        write(self.folder, "l2.csv", "sample,subject\na,1\nb,1\nc,2\n")
        write(self.folder, "t.csv", "sample,x,y\na,1,2\na,3,4\nd,1,2\nb,1,two\n")
        said = self.refused("templates", "t.csv", "--labels", "l2.csv")
        for fault in ("t.csv:3:1: sample: the template of 'a' is here and at line 2",
                      "t.csv:4:1: sample: 'd' is the id of no sample", "t.csv:5:3: y: 'two' is no finite number",
                      "there is no template of the sample 'c'"):
            self.assertIn(fault, said)
        write(self.folder, "t.csv", "id,x,y\na,1,2\n")
        self.assertIn("no column 'sample'", self.refused("templates", "t.csv", "--labels", "l2.csv"))
        write(self.folder, "t.csv", "sample,x,y\na,1,2\nb,nan,1\nc,0,0\n")
        made = self.json("import", "templates", "t.csv", "--labels", "l2.csv", *ABOUT, "-o", "t.h5", "--json")
        self.assertEqual((made["enrolled"], made["failed"]), (1, 2))

    def test_scores_matrices_and_masks_are_arrays_too(self):
        draw = numpy.random.default_rng(3)
        scores = draw.random((ROWS, ROWS)).astype("f4")
        scores = scores + scores.T
        mask = numpy.where(numpy.equal.outer(numpy.arange(ROWS) // 2, numpy.arange(ROWS) // 2), 255, 127)
        mask[3, 7] = mask[7, 3] = 0
        numpy.savez_compressed(self.path("s.npz"), m=scores, mask=mask.astype("u1"), mated=scores[0], other=scores[1])
        with h5py.File(self.path("s.h5"), "w") as file: file["m"] = scores
        numpy.save(self.path("m.npy"), scores)

        def evidence(*arguments):
            return self.json("import", *arguments, *ABOUT, "-o", "e.h5", "--json")

        expected = evidence("matrix", "m.npy", "--labels", "l.csv")
        for source in (["s.npz:m"], ["s.npz", "--array", "m"], ["s.h5"]):
            self.assertEqual(evidence("matrix", *source, "--labels", "l.csv")["result_digest"],
                             expected["result_digest"])
        masked = evidence("matrix", "s.npz:m", "--mask", "s.npz:mask", "--labels", "l.csv")
        self.assertEqual((masked["mated"], masked["non_mated"]), (expected["mated"], expected["non_mated"] - 1))
        numpy.save(self.path("wrong.npy"), (mask + (mask == 0)).astype("u1"))
        self.assertIn("row 4, column 8 is 1, expected 255", self.refused("matrix", "m.npy", "--mask", "wrong.npy",
                                                                        "--labels", "l.csv"))
        write(self.folder, "mated.txt", "".join(f"{v!r}\n" for v in scores[0].astype(float)))
        write(self.folder, "other.txt", "".join(f"{v!r}\n" for v in scores[1].astype(float)))
        self.assertEqual(evidence("scores", "s.npz:mated", "s.npz:other")["result_digest"],
                         evidence("scores", "mated.txt", "other.txt")["result_digest"])


main()
