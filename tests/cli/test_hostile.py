"""test_hostile -- a thousand hostile inputs (one in three of them, but where ASSAY_HOSTILE is `all`), made by this script: each ends with a documented exit status and one
message that names what is wrong and where, without a crash, a stack or a raw control character; none is executed, and
none reaches anything outside its folder. Names that are allowed and dangerous go all the way to a report."""
import csv
import html.parser
import os
import random
import re
import shutil
import socket
import struct
import subprocess
import unicodedata
from concurrent.futures import ThreadPoolExecutor

from cli_support import PROGRAM, Case, main, read, write, write_npy

SHARE = 1 if os.environ.get("ASSAY_HOSTILE") == "all" else 3 # of the fixtures one in so many; tests/soak takes all
LEAST = 900 if SHARE == 1 else 300
SEED = 20
HEAD = b"sample_id,path,subject_id,session,captured,quality,sha256,sex\n"
CONFIG = """assay: 1
name: bad
dataset:
  name: bad
  root: .
  manifest: manifest.csv
  attributes:
    - { name: sex, level: subject, source: document }
releases:
  - { name: lbp, version: "1.0", algorithm: lbp }
"""
IMPORT = ["import", "templates", "x.npy", "--labels", "x.csv", "--release", "r", "--version", "1", "-o", "t.h5"]
SCORES = ["import", "scores", "--release", "r", "--version", "1", "-o", "e.h5"]


class Fixture:
    """What is run in folder, and what the message must say: each of `names`."""

    def __init__(self, kind, what, arguments, names, files=None, status=2, make=None):
        self.kind, self.what, self.arguments, self.names = kind, what, arguments, names
        self.files, self.status, self.make = files or {}, status, make


def cell(text):
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    return b'"' + raw.replace(b'"', b'""') + b'"'


def manifest(*rows):
    return HEAD + b"".join(b",".join(row) + b"\n" for row in rows)


def row(**changes):
    cells = dict(sample_id="a", path="i/1.pgm", subject_id="1", session="", captured="", quality="", sha256="", sex="F")
    cells.update(changes)
    return [cell(cells[name]) for name in HEAD.decode().strip().split(",")]


def ingest(kind, what, names, *rows, make=None):
    return Fixture(kind, what, ["ingest", "bad.yaml", "-o", "d.h5"], names,
                   {"bad.yaml": CONFIG.encode(), "manifest.csv": manifest(*rows)}, make=make)


# ---- names ----

UNSEEN = ([chr(n) for n in range(1, 32)] + ["\x7f"] + [chr(n) for n in range(0x80, 0xA0)] +
          ["\u061c", "\u200e", "\u200f", "\u2028", "\u2029"] + [chr(n) for n in range(0x202A, 0x202F)] +
          [chr(n) for n in range(0x2066, 0x206A)])
NOT_UTF8 = [b"\xff", b"\xfe", b"\x80", b"\xc0\xaf", b"\xc1\x81", b"\xe0\x80\xaf", b"\xe0\x9f\xbf", b"\xed\xa0\x80",
            b"\xed\xbf\xbf", b"\xf0\x80\x80\xaf", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xc3", b"\xe2\x82",
            b"\xf0\x9f\x98", b"\xc3(", b"\xf8\x88\x80\x80\x80"]
NFD = ["e\u0301", "A\u030a", "\u1112\u1161\u11ab", "\u212b", "o\u0308", "\u2126"]


def names():
    for column in ("sample_id", "subject_id"):
        for n, mark in enumerate(UNSEEN):
            yield ingest("name", "%s with U+%04X" % (column, ord(mark)), ["manifest.csv:2:", column, "U+%04X" % ord(mark)],
                         row(**{column: "a%sb" % mark}))
        for text in NFD:
            yield ingest("name", "%s decomposed" % column, ["manifest.csv:2:", column, "normal form C"],
                         row(**{column: unicodedata.normalize("NFD", text) if len(text) > 1 else text}))
        for size in (129, 4096, 100000):
            yield ingest("name", "%s of %d bytes" % (column, size), ["manifest.csv:2:", column, "bytes, more than 128"],
                         row(**{column: "n" * size}))
        yield ingest("name", "%s empty" % column, ["manifest.csv:2:", column, "is empty"], row(**{column: ""}))
    for column in ("sample_id", "session", "sex"):
        for raw in NOT_UTF8:
            yield ingest("name", "%s not UTF-8" % column, ["manifest.csv:2:", "not valid UTF-8"],
                         row(**{column: b"a" + raw}))
        yield ingest("name", "%s with NUL" % column, ["manifest.csv:2:", "a NUL byte"], row(**{column: "a\0b"}))
    for mark in UNSEEN[::4]:
        yield ingest("name", "session with U+%04X" % ord(mark), ["manifest.csv:2:", "session", "U+%04X" % ord(mark)],
                     row(session="v%s" % mark))
        yield ingest("name", "sex with U+%04X" % ord(mark), ["manifest.csv:2:", "sex", "U+%04X" % ord(mark)],
                     row(sex="F%s" % mark))


# ---- paths ----

def outside(folder):
    """What must never be read or changed."""
    write(folder, "../outside/secret.pgm", "P2 1 1 255 7\n")


def odd(folder):
    outside(folder)
    os.makedirs(os.path.join(folder, "i/sub"), exist_ok=True)
    os.symlink("1.pgm", os.path.join(folder, "i/link.pgm"))
    os.symlink("../../outside/secret.pgm", os.path.join(folder, "i/out.pgm"))
    os.symlink("../../outside", os.path.join(folder, "i/outfolder"))
    os.symlink("loop", os.path.join(folder, "i/loop"))
    os.symlink("/proc/self/fd/0", os.path.join(folder, "i/proc"))
    os.link(os.path.join(folder, "i/2.pgm"), os.path.join(folder, "i/hard.pgm"))
    os.mkfifo(os.path.join(folder, "i/fifo"))
    listener = socket.socket(socket.AF_UNIX)
    before = os.getcwd()
    listener.bind(os.path.relpath(os.path.join(folder, "i/socket"), before))
    listener.close()


ODD_PATHS = ["../outside/secret.pgm", "i/../../outside/secret.pgm", "/etc/passwd", "/proc/self/environ", "/dev/zero", "/dev/stdin",
             "i/link.pgm", "i/out.pgm", "i/outfolder/secret.pgm", "i/loop", "i/proc", "i/hard.pgm", "i/fifo", "i/socket", "i/sub",
             "i", ".", "..", "i/1.pgm/", "i/1.pgm/x", "i\\1.pgm", "I/1.PGM", "i/1.pgm ", "file:///etc/passwd", "~/x.pgm", "$HOME/x.pgm",
             "`id`", "|id", "i/%2e%2e/x", "i/../i/../../x", "./../bad", "i//../..//x", "i/" + "n" * 300, "a/" * 100 + "x",
             "http://localhost/x.pgm", "\\\\host\\share", "C:\\x.pgm", "i/1.pgm#x", "i/1.pgm?x", "i/*.pgm", "-rf", "..;/x"]


def paths():
    for path in ODD_PATHS:
        yield ingest("path", path[:30], ["manifest.csv:2:", "path"], row(path=path), make=odd)
    for depth in range(1, 13):
        yield ingest("path", "%d levels up" % depth, ["manifest.csv:2:", "leaves the folder"],
                     row(path="../" * depth + "etc/passwd"), make=odd)
    for size in (4097, 70000):
        yield ingest("path", "of %d bytes" % size, ["manifest.csv:2:", "path", "more than 4096"], row(path="p" * size))
    for mark in UNSEEN[::3]:
        yield ingest("path", "with U+%04X" % ord(mark), ["manifest.csv:2:", "path", "U+%04X" % ord(mark)],
                     row(path="i/1%s.pgm" % mark))
    yield ingest("path", "empty", ["manifest.csv:2:", "path", "missing file"], row(path=""))


# ---- cells of a manifest that are numbers, times and digests ----

CELLS = {
    "captured": ["2024-02-30", "2024-13-01", "2024-00-10", "2024-1-1", "24-01-01", "2024-01-01T24:00:00", "2024-01-01T10:60:00",
                 "2024-01-01T10:00:60", "2024-01-01 10:00:00", "2024-01-01T10:00:00+25:00", "now", "1e9", "-2024-01-01", "2024-01-01Z",
                 "99999-01-01", "2023-02-29", "1900-02-29"],
    "quality": ["nan", "NaN", "inf", "-inf", "1e400", "-1e400", "0x10", "1,5", "1_000", "--1", "1e", ".", "+-1", "1 2", "\u0663", "1e+", "1;2"],
    "sha256": ["0", "g" * 64, "0" * 63, "0" * 65, "0x" + "0" * 62, "-" * 64, " " + "0" * 63 + "a"],
}


def cells():
    for column, values in CELLS.items():
        for value in values:
            yield ingest("cell", "%s %s" % (column, value[:12]), ["manifest.csv:2:", column], row(**{column: value}))


# ---- CSV as a format ----

def csvs():
    good = ",".join(["a", "i/1.pgm", "1", "", "", "", "", "F"]).encode() + b"\n"
    texts = {
        "empty": (b"", "empty"), "a header alone": (HEAD, "no record"), "UTF-16": (b"\xff\xfe" + HEAD, "UTF-16"),
        "UTF-16 the other way": (b"\xfe\xff" + HEAD, "UTF-16"), "a column twice": (HEAD.strip() + b",path\n" + good, "twice"),
        "a column without name": (HEAD.strip() + b",\n" + good, "no name"), "too few fields": (HEAD + b"a,b\n", "fields"),
        "too many fields": (HEAD + good.strip() + b",,,,,\n", "fields"), "a quote inside": (HEAD + b'a"b,' + good, "quotation mark"),
        "a quote not closed": (HEAD + b'"a,' + good, "quotation mark"), "text behind a quote": (HEAD + b'"a"b,' + good, "quotation mark"),
        "NUL in the header": (b"\0" + HEAD + good, "NUL"), "semicolons": (HEAD.replace(b",", b";") + good, "fields"),
        "tabs": (HEAD.replace(b",", b"\t") + good, "fields"), "binary": (bytes(range(256)), "manifest.csv"),
        "one id twice": (HEAD + good + good, "the sample id 'a'"), "a zip": (b"PK\3\4" + bytes(200), "manifest.csv"),
        "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(200), "manifest.csv"), "XML": (b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM "
                                                                      b"'file:///etc/passwd'>]><a>&b;</a>\n", "manifest.csv"),
        "a field of 2 MiB": (HEAD + b"a" * (2 << 20) + good, "1 MiB"),
        "a name of a column with a newline": (b'"x\ny",' + HEAD + b"1," + good.replace(b"i/1", b"i/9"), "manifest.csv"),
    }
    for what, (text, named) in texts.items():
        yield Fixture("csv", what, ["ingest", "bad.yaml", "-o", "d.h5"], ["manifest.csv", named],
                      {"bad.yaml": CONFIG.encode(), "manifest.csv": text})
        labels = text.replace(b"sample_id,path,subject_id", b"sample,other,subject").replace(b"path", b"other")
        yield Fixture("labels", what, IMPORT, ["x.csv"], {"x.csv": labels})


# ---- configurations ----

COMPARISON = {"threads": (0, 1024), "checkpoint": (0, 86400), "check_tiles": (0, 2**32 - 1), "tail_cap": (1, 2**32),
              "opaque_cap": (1, 2**32), "pick_seed": (0, 2**63 - 1)}
POPULATION = {"seed": (0, 2**63 - 1), "subjects": (2, 1000000), "samples_per_subject": (1, 1000), "image_size": (48, 512)}
NO_NUMBERS = ["nan", ".nan", "inf", "-.inf", "1e400", "0x10", "0o7", "1_0", "''", "~", "[1]", "{a: 1}", "yes", "1.5", "99999999999999999999999",
              "'1 '", "+", "١"]


def configuration(what, text, named, status=2):
    return Fixture("configuration", what, ["run", "bad.yaml", "--dry-run"], ["bad.yaml"] + named if status else [],
                   {"bad.yaml": text if isinstance(text, bytes) else text.encode(),
                    "manifest.csv": b"sample_id,path,subject_id,sex\na,i/1.pgm,1,F\nb,i/2.pgm,2,M\n"}, status)


def numbers():
    """Every whole number of a configuration just outside its range, and what is none."""
    population = "assay: 1\nname: p\npopulation: { %s: %s }\nreleases: [{ name: l, version: '1', algorithm: lbp }]\n"
    comparison = population % ("seed", "1") + "comparison: { %s: %s }\n"
    for template, keys in ((population, POPULATION), (comparison, COMPARISON)):
        for key, (low, high) in keys.items():
            for value in [low - 1, high + 1, -high] + NO_NUMBERS[:: 1 if key in ("threads", "seed") else 4]:
                yield configuration("%s: %s" % (key, value), template % (key, value), [":"])
    for key, (low, high) in {"share": (1e-6, 1e6), "stability": (0.01, 0.9999), "likeness": (0, 1), "degradation": (0, 1)}.items():
        for value in (low - 1e-9 if low else -1e-9, high * 1.0001, ".inf", "nan", "1e999"):
            yield configuration("groups' %s: %s" % (key, value), population % ("groups", "[{ name: a, %s: %s }]" % (key, value)), [":"])
    for value in ("[0]", "[-1e-3]", "[1.1]", "[nan]", "[1e-3, 1e-3]", "[]", "x", "[1e-99]"):
        yield configuration("fmr_targets: %s" % value, comparison % ("fmr_targets", value), [":"])
    for value in ("2:1", "-0.1:1", "nan:1", "0.5:-1", "0.5", "0.5:x", ":"):
        yield configuration("histogram: %s" % value, comparison % ("histogram", "'%s'" % value), ["histogram"])


def texts():
    good = CONFIG
    yield configuration("empty", "", [])
    yield configuration("NUL", b"assay: 1\0\n", [])
    yield configuration("Latin-1", b"assay: 1\nname: \xe9\n", ["UTF-8"])
    yield configuration("65 KiB", "# " + "x" * 66000, ["larger"])
    yield configuration("70 levels", "a: " + "[" * 70 + "]" * 70, ["64"])
    yield configuration("30,000 levels", "[" * 30000, [])
    yield configuration("a bomb of aliases", "a: &a [1,2]\nb: &b [*a,*a]\nc: [*b,*b]\n", ["anchors"])
    yield configuration("an alias", "a: *x\n", ["alias"])
    yield configuration("a tag", "a: !!python/object/apply:os.system ['touch executed']\n", ["tags"])
    yield configuration("a binary tag", "a: !!binary aGk=\n", ["tags"])
    yield configuration("two documents", good + "---\n" + good, [])
    yield configuration("a key twice", good + "name: again\n", ["twice"])
    yield configuration("a merge key", good + "<<: { a: 1 }\n", ["<<"])
    yield configuration("a key with a newline", good + '"x\\ny": 1\n', ["unknown key"])
    yield configuration("a key with an escape", good + '"x\\u001b[2J": 1\n', ["unknown key"])
    yield configuration("a key of 5,000 bytes", good + "k" * 5000 + ": 1\n", [])
    yield configuration("a list for a map", "- a\n- b\n", [])
    yield configuration("a text for a map", "hello\n", [])
    yield configuration("a tab", "assay: 1\n\tname: x\n", [])
    for name in ("../x", "a/b", ".hidden", "", "a\\u0000b", "a\\u202eb", "n" * 200, "..", "/abs", "a\\nb", "a\\u001bb"):
        yield configuration("the name %s" % name[:12], good.replace("name: bad\nd", 'name: "%s"\nd' % name), ["bad.yaml:2:"])
        yield configuration("the release %s" % name[:12], good.replace("name: lbp,", 'name: "%s",' % name), ["bad.yaml:10:"])
        yield configuration("the version %s" % name[:12], good.replace('version: "1.0"', 'version: "%s"' % name), ["bad.yaml:10:"])
    for text in ("${NOT_SET_AT_ALL}", "${", "${}", "${1a}", "${A-b}", "$${${", "${A:-", "${" + "A" * 300 + "}"):
        yield configuration("the variable %s" % text[:10], good.replace("root: .", 'root: "%s"' % text), ["bad.yaml:5:"])
    for text in ("`touch executed`", "$(touch executed)", "; touch executed", "| touch executed", "lbp; touch executed"):
        yield configuration("the algorithm %s" % text, good.replace("algorithm: lbp", "algorithm: '%s'" % text), ["bad.yaml:10:"])
        yield configuration("the plugin %s" % text, good.replace("algorithm: lbp", "plugin: '%s'" % text), ["bad.yaml:10:"])
    for plugin in ("/etc/passwd", "/dev/zero", "."):
        yield configuration("the plugin %s" % plugin, good.replace("algorithm: lbp", "plugin: %s" % plugin), [], status=None)
    for pattern in ("(", "[", "a{99999}", "*", "(a", "\\\\1(a)", "a" * 5000):
        yield configuration("the pattern %s" % pattern[:8], good.replace(
            "manifest: manifest.csv", 'manifest: { files: "%s", columns: { sample_id: "\\\\0", subject_id: "1" } }' % pattern), [])
    for bins in ("[5-1]", "[1-5, 3-9]", "[-1-5]", "[a]", "[1.5-2]", "[]", "[99999999999-1]", "[1-5, 1-5]", "5"):
        yield configuration("the bins %s" % bins, good.replace("source: document", "source: document, kind: numeric, bins: %s" % bins),
                            ["bad.yaml:"])


# ---- the command line ----

OPTIONS = [(["compare", "t.h5", "-o", "e.h5"], {"threads": (1, 1024), "tail-cap": (1, 2**32), "checkpoint": (0, 86400),
                                                "check-tiles": (0, 2**32 - 1), "pick-seed": (0, 2**63 - 1), "opaque-cap": (1, 2**32)}),
           (["synth", "-o", "s"], {"subjects": (2, 10000000), "samples": (1, 1000), "seed": (0, 2**63 - 1), "length": (4, 4096)}),
           (["worklist", "e.h5", "-o", "w"], {"limit": (1, 1000000)}),
           (["plan"], {"subjects": (2, 2**32 - 1), "samples": (1, 10000), "groups": (2, 65535)}),
           (["bench"], {"templates": (2, 2**31), "length": (1, 4096), "groups": (1, 64)})]


def options():
    for command, ranges in OPTIONS:
        for name, (low, high) in ranges.items():
            for value in (low - 1, high + 1, "nan", "1e3", "0x1", "", " 1", "1\n2", "9" * 40):
                yield Fixture("option", "--%s=%s" % (name, value), command + ["--%s=%s" % (name, value)], [name])
    for value in ("0", "-1", "1.5", "nan", "1e-3,,1e-4", "1e-3,x", ","):
        yield Fixture("option", "--fmr-targets=" + value, ["compare", "t.h5", "-o", "e.h5", "--fmr-targets=" + value], ["fmr-targets"])
    for value in ("-1", "1X", "99999999999999T", "K", "1.5G", ""):
        yield Fixture("option", "--memory=" + value, ["compare", "t.h5", "-o", "e.h5", "--memory=" + value], ["--memory"])
    for word in ("\x1b[2J", "a\nb", "\u202ex", "--\x1b]0;x\x07", "%s%n", "`id`", "../x", "x" * 5000):
        yield Fixture("option", "the command " + word[:8], [word], ["unknown"])
        yield Fixture("option", "the file " + word[:8], ["info", "./" + word], [], status=None)


# ---- matrices, lists and HDF5 of others ----

def npy(header, body=b"\0" * 64, version=1):
    text = header.encode() if isinstance(header, str) else header
    size = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + size + text + body


def matrices():
    good = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }"
    headers = [good.replace("<f4", code) for code in ("|O", "<U8", "<c16", "<i8", "|V4", "x", "<f4\\n", "<f16")]
    headers += [good.replace("(3, 2)", shape) for shape in ("(3,)", "()", "(-1, 2)", "(99999999999, 99999999999)", "(3, 2, 1)", "(3 2)",
                                                            "3", "(0, 2)", "(3, 0)", "(4294967297, 1)", "(2, 3)", "(1e3, 2)")]
    headers += ["", "{", "{}", "x" * 500, good[:-1], good + "{}", good.replace("'descr'", "'desc'"), good.replace("False", "maybe"),
                "__import__('os').system('touch executed')", "{'descr': __import__('os').system('touch executed')}"]
    for header in headers:
        yield Fixture("npy", header[:30], IMPORT, ["x.npy"], {"x.npy": npy(header)})
    for what, raw in {"empty": b"", "not one": b"PK\3\4", "version 9": npy(good, version=9), "cut": npy(good, b"\0" * 20),
                      "more behind": npy(good, b"\0" * 99), "pickle": b"\x80\x04cos\nsystem\n(S'touch executed'\ntR."}.items():
        yield Fixture("npy", what, IMPORT, ["x.npy"], {"x.npy": raw})
    for what, raw in {"empty": b"", "text": b"one\n", "hexadecimal": b"0x1\n", "infinite": b"inf\n", "too large": b"1e999\n", "NUL": b"1\0\n",
                      "two a line": b"1 2\n", "UTF-16": b"\xff\xfe1\0", "binary": bytes(range(256))}.items():
        yield Fixture("scores", what, SCORES[:2] + ["m.txt", "n.txt"] + SCORES[2:], ["m.txt"], {"m.txt": raw, "n.txt": b"0\n0.5\n"})


def hdf5s(folder):
    """Files of HDF5 that lead out of themselves, lie, or are damaged; those of another program's making."""
    try:
        import h5py
        import numpy
    except ImportError:
        return
    source = os.path.join(folder, "hdf5")
    os.makedirs(source)
    secret = write(folder, "secret.txt", "1234567\n" * 9)

    def make(name, work):
        path = os.path.join(source, name)
        with h5py.File(path, "w") as file:
            work(file)
        with open(path, "rb") as raw:
            return raw.read()

    def external(file):
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_external(secret.encode(), 0, 64)
        h5py.h5d.create(file.id, b"x", h5py.h5t.STD_U8LE, h5py.h5s.create_simple((64,)), plist)

    def virtual(file):
        layout = h5py.VirtualLayout(shape=(4,), dtype="f4")
        layout[:] = h5py.VirtualSource(secret, "x", shape=(4,))
        file.create_virtual_dataset("x", layout)

    works = {
        "external storage": external, "virtual": virtual,
        "external link": lambda f: f.__setitem__("x", h5py.ExternalLink(secret, "/x")),
        "soft link": lambda f: f.__setitem__("x", h5py.SoftLink("/nowhere")),
        "a link to itself": lambda f: f.__setitem__("x", h5py.SoftLink("/x")),
        "a group": lambda f: f.create_group("x"), "nothing": lambda f: None,
        "strings": lambda f: f.create_dataset("x", data=["a", "b"], dtype=h5py.string_dtype()),
        "a compound": lambda f: f.create_dataset("x", data=numpy.zeros(3, dtype=[("a", "f4"), ("b", "i4")])),
        "complex": lambda f: f.create_dataset("x", data=numpy.zeros(3, dtype="c16")),
        "three dimensions": lambda f: f.create_dataset("x", data=numpy.zeros((2, 2, 2))),
        "an empty one": lambda f: f.create_dataset("x", data=numpy.zeros((0,))),
        "a scalar": lambda f: f.create_dataset("x", data=1.0),
        "4 TiB declared": lambda f: f.create_dataset("x", shape=(2**40,), dtype="f4", chunks=(2**20,)),
        "infinite": lambda f: f.create_dataset("x", data=[1.0, float("inf")]),
        "a reference": lambda f: f.create_dataset("x", data=numpy.array([f.ref], dtype=h5py.ref_dtype)),
        "lzf": lambda f: f.create_dataset("x", data=numpy.arange(1000.0), compression="lzf"),
        "scale-offset": lambda f: f.create_dataset("x", data=numpy.arange(1000), scaleoffset=4),
    }
    scores = SCORES[:2] + ["m.h5:/x", "n.txt"] + SCORES[2:]
    for what, work in works.items():
        yield Fixture("hdf5", what, scores, ["m.h5"], {"m.h5": make(what + ".h5", work), "n.txt": b"0\n0.5\n"}, status=None)
    good = make("good.h5", lambda f: f.create_dataset("x", data=numpy.arange(64.0), chunks=(16,), compression="gzip"))
    draw = random.Random(SEED)
    for n in range(40):
        raw = bytearray(good)
        for _ in range(1 + n % 8):
            raw[draw.randrange(len(raw))] = draw.randrange(256)
        yield Fixture("hdf5", "damaged %d" % n, scores, [], {"m.h5": bytes(raw), "n.txt": b"0\n0.5\n"}, status=None)
    for n in range(12):
        yield Fixture("hdf5", "cut %d" % n, scores, ["m.h5"], {"m.h5": good[:draw.randrange(len(good) // 2)], "n.txt": b"0\n0.5\n"},
                      status=None)


# ---- containers that are none ----

def containers():
    for what, raw in {"empty": b"", "text": b"hello\n", "HDF5's first bytes": b"\x89HDF\r\n\x1a\n" + bytes(500), "zeros": bytes(5000)}.items():
        for seal in (None, b"", b"{", b"[]", b"{}", b'{"format":"assay-seal/1"}', b"\xff\xfe"):
            files = {"t.h5": raw}
            if seal is not None:
                files["t.h5.seal"] = seal
            for command in (["compare", "t.h5", "-o", "e.h5"], ["info", "t.h5"]):
                yield Fixture("container", "%s, seal %s" % (what, seal), command, ["t.h5"], files, status=1)


def all_fixtures(folder):
    for group in (names(), paths(), cells(), csvs(), numbers(), texts(), options(), matrices(), hdf5s(folder), containers()):
        yield from group


# ---- what is checked ----

LINE = re.compile(r"^assay( [a-z]+)*: ")
STACK = re.compile(r"Sanitizer|Assertion|backtrace|core dumped|Segmentation|\bat 0x|stack smashing|HDF5-DIAG|#0 ")


def run(fixture, folder):
    """What is wrong with how it ended; None where nothing is."""
    write_npy(os.path.join(folder, "x.npy"), [[1, 0], [0.9, 0.1], [0, 1]])
    write(folder, "x.csv", "sample,subject\na,1\nb,1\nc,2\n")
    for n in (1, 2):
        write(folder, "i/%d.pgm" % n, "P2 1 1 255 %d\n" % n)
    for name, raw in fixture.files.items():
        with open(os.path.join(folder, name), "wb") as out:
            out.write(raw)
    if fixture.make:
        fixture.make(folder)
    before = {name for name in os.listdir(folder)}
    settings = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TERM": "dumb", "HOME": folder, "OPENBLAS_NUM_THREADS": "1"}
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
        if name in os.environ:
            settings[name] = os.environ[name]
    done = subprocess.run([PROGRAM.encode(), *[a.encode() for a in fixture.arguments]], cwd=folder, env=settings,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    after = {name for name in os.listdir(folder)}
    if "executed" in after or any(name.startswith(".") for name in after - before):
        return "left %s" % (after - before)
    if fixture.status is None and done.returncode == 0:
        return None
    allowed = (1, 2) if fixture.status is None else (fixture.status,)
    if done.returncode not in allowed:
        return "status %d: %r" % (done.returncode, done.stderr[-300:])
    if after - before - {"assay-ledger.jsonl", "out"}:
        return "left %s" % (after - before)
    try:
        said = done.stderr.decode("utf-8")
    except UnicodeDecodeError as fault:
        return "says what is not UTF-8: %s" % fault
    unseen = [c for c in said if c != "\n" and (unicodedata.category(c) in ("Cc", "Zl", "Zp") or c in "".join(UNSEEN))]
    if unseen:
        return "says control characters %r" % unseen
    if STACK.search(said):
        return "shows its insides: %s" % said
    lines = [line for line in said.splitlines() if not re.match(r"assay( [a-z]+)*: note: |    ", line)]
    # Many faults of one file are told together: their number in the first line, each in one of its own.
    many = re.match(r"assay( [a-z]+)*: (\d+) faults in [^:]*:$", lines[0]) if lines else None
    if not lines or not LINE.match(lines[0]) or (len(lines) != 1 and not many and fixture.kind != "configuration"):
        return "says %r" % said[:300]
    if len(lines[0]) < 20:
        return "says too little: %r" % said
    missing = [name for name in fixture.names if name not in said]
    return "does not say %s: %s" % (missing, said[:300]) if missing else None


class Hostile(Case):
    def test_every_hostile_input_is_told_and_does_nothing(self):
        fixtures = list(all_fixtures(self.folder))[::SHARE]
        self.assertGreaterEqual(len(fixtures), LEAST)
        marks = {}

        def one(number):
            folder = self.path("%04d" % number, "bad")
            os.makedirs(folder)
            try:
                return run(fixtures[number], folder)
            finally:
                shutil.rmtree(os.path.dirname(folder))

        with ThreadPoolExecutor(2) as workers:
            found = list(workers.map(one, range(len(fixtures))))
        for fixture, fault in zip(fixtures, found):
            marks[fixture.kind] = marks.get(fixture.kind, 0) + 1
            if fault:
                print("%s, %s: %s" % (fixture.kind, fixture.what, fault))
        bad = sum(1 for fault in found if fault)
        print("%d hostile inputs: %s" % (len(found), ", ".join("%d %s" % (count, kind) for kind, count in sorted(marks.items()))))
        self.assertEqual(bad, 0, "%d of %d" % (bad, len(found)))


# ---- names that are allowed, and dangerous to whoever takes them for something else ----

DANGEROUS = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1)", "=HYPERLINK(\"http://x\",\"y\")", "\uff1d1+1", "<script>alert(1)</script>",
             "<img src=x onerror=alert(1)>", "\"><svg onload=alert(1)>", "' onmouseover='x", "javascript:alert(1)", "&lt;b&gt;", "<!--", "]]>",
             "`touch executed`", "$(touch executed)", "'; touch executed; '", "|touch executed", "\"; !touch executed", "' ; set output '| touch executed",
             "%s%s%n", "\\input{/etc/passwd}", "{{7*7}}", "../../x", "a/../b", "/etc/passwd", "NaN", "(missing)x", "O'Neil, \"J\"", "\u00e9\u4e2d\U0001f600"]


class Dangerous(Case):
    def test_they_are_texts_from_the_labels_to_the_report(self):
        rows = ["sample,subject,place"]
        vectors = []
        draw = random.Random(SEED)
        for n, name in enumerate(DANGEROUS * 2):
            quoted = '"' + name.replace('"', '""') + '"'
            rows.append(",".join(['"%d %s"' % (n, name.replace('"', '""'))[:120], quoted, quoted]))
            vectors.append([draw.random() for _ in range(8)])
        write(self.folder, "x.csv", "\n".join(rows) + "\n")
        write_npy(self.path("x.npy"), vectors)
        self.good(*IMPORT)
        self.good("compare", "t.h5", "-o", "e.h5", "--fmr-targets", "1e-1")
        self.good("report", "e.h5", "-o", "report", "--title", "<script>alert(2)</script>")
        self.good("worklist", "e.h5", "-o", "worklist", "--fmr", "1e-1")
        self.assertFalse(os.path.exists(self.path("executed")))
        self.assertFalse(os.path.exists(self.path("report", "executed")))
        seen = set()
        for where, _, files in os.walk(self.folder):
            for name in files:
                path = os.path.join(where, name)
                if name.endswith(".html"):
                    self.look_at_page(path)
                elif name.endswith(".csv") and path != self.path("x.csv"):
                    self.look_at_table(path)
                elif name.endswith(".gp"):
                    self.assertEqual([word for word in DANGEROUS if len(word) > 4 and word in read(path)], [], path)
                seen.add(name.rsplit(".")[-1])
        self.assertLessEqual({"html", "csv", "gp"}, seen)

    def look_at_page(self, path):
        text = read(path)
        self.assertIn("Content-Security-Policy\" content=\"default-src 'none'", text)
        found = []

        class Reader(html.parser.HTMLParser):
            def handle_starttag(self, tag, attributes):
                names = [name for name, _ in attributes]
                if tag in ("script", "iframe", "object", "embed", "base", "form") or any(name.startswith("on") for name in names):
                    found.append((tag, attributes))
                for name, value in attributes:
                    if name in ("href", "src") and re.match(r"\s*(javascript|data|http):", value or "") and value != "data:,":
                        found.append((tag, attributes))

        Reader().feed(text)
        self.assertEqual(found, [], path)

    def look_at_table(self, path):
        with open(path, encoding="utf-8", newline="") as lines:
            for line in csv.reader(lines):
                for cell in line:
                    number = re.fullmatch(r"[-+]?[0-9.]+(e[-+]?[0-9]+)?|-?inf|nan", cell)
                    self.assertFalse(cell[:1] in "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20" and cell and not number, (path, cell))


if __name__ == "__main__":
    main()
