"""cli_support -- what the tests of the command line share: running the program, small evaluations."""
import csv
import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.environ.get("ASSAY_PROGRAM", "")
SOURCE = os.environ.get("ASSAY_SOURCE", "")
COMMANDS = ["run", "manifest", "ingest", "enroll", "import templates", "import scores", "import matrix", "import labels", "compare", "report", "gate", "plan", "worklist", "identify", "synth",
            "info", "verify", "backends", "bench"]

SMALL = """assay: 1
name: small
population: { seed: 3, subjects: 16, samples_per_subject: 2, image_size: 48, planted: true }
releases:
  - { name: lbp, version: "1.0", algorithm: lbp }
  - { name: lbp, version: "1.1", algorithm: lbp-normalised }
comparison: { fmr_targets: [1e-1, 1e-2] }
report: { title: Small, by: [group] }
"""


def assay(*arguments, folder=None, environment=None, stdout=subprocess.PIPE, stdin=None):
    """Runs assay; gives back the finished process with texts."""
    settings = dict(os.environ, TERM="dumb")
    settings.update(environment or {})
    return subprocess.run([PROGRAM, *arguments], stdout=stdout, stderr=subprocess.PIPE, stdin=stdin,
                          cwd=folder, env=settings, text=True, timeout=300)


def write(folder, name, text):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    return path


def write_npy(path, rows):
    """A float32 .npy of version 1, without numpy."""
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }" % (len(rows), len(rows[0]))
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    with open(path, "wb") as out:
        out.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        for row in rows:
            out.write(struct.pack("<%df" % len(row), *row))


def read(path):
    with open(path, encoding="utf-8") as text:
        return text.read()


def read_csv(path):
    with open(path, encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def listing(folder):
    """Every file below folder with its size and time of change."""
    found = {}
    for where, _, names in os.walk(folder):
        for name in names:
            about = os.stat(os.path.join(where, name))
            found[os.path.join(where, name)] = (about.st_size, about.st_mtime_ns)
    return found


class Case(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="assay-test-")
        self.addCleanup(holder.cleanup)
        self.folder = holder.name

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def good(self, *arguments, **options):
        done = assay(*arguments, folder=self.folder, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def bad(self, status, *arguments, **options):
        done = assay(*arguments, folder=self.folder, **options)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stderr

    def json(self, *arguments, **options):
        return json.loads(self.good(*arguments, **options).stdout)


def main():
    if not PROGRAM:
        print("ASSAY_PROGRAM does not name the program")
        sys.exit(77)
    unittest.main(verbosity=1)


def skip(reason):
    print("skipped: " + reason)
    sys.exit(77)
