"""faults -- what the campaigns of faults share: small pieces of work, and running them under the fault shim.

A piece of work is a command of assay that writes below a folder `root`, what it needs beside that folder, and how to
tell that its result is the right one. The shim (fault_shim.c) numbers every call by which it changes a file there.
"""
import json
import mmap
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile

PROGRAM = os.environ.get("ASSAY_PROGRAM", "")
BUILD = os.environ.get("ASSAY_BUILD", "")
SHIM = os.path.join(BUILD, "tests", "assay-fault-shim.so")
CONTROL_BYTES = 8192

CONFIGURATION = """assay: 1
name: small
population: { seed: 3, subjects: 8, samples_per_subject: 2, image_size: 48, planted: true }
releases:
  - { name: lbp, version: "1.0", algorithm: lbp }
comparison: { fmr_targets: [1e-1, 1e-2] }
report: { title: Small, by: [group] }
"""


def settings(more=None):
    """The environment of a piece of work. Without gnuplot on its way, since that writes by calls nobody sees."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FAULT_")}
    kept.update(PATH="/nowhere", TERM="dumb", OPENBLAS_NUM_THREADS="1", LC_ALL="C.UTF-8")
    kept.update(more or {})
    return kept


def call(arguments, folder, more=None, seconds=600):
    """(exit status, standard output, standard error); everything that it started is dead afterwards."""
    process = subprocess.Popen([PROGRAM, *arguments], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=settings(more), text=True, start_new_session=True)
    try:
        out, fault = process.communicate(timeout=seconds)
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return process.returncode, out, fault


def need(arguments, folder):
    code, out, fault = call(arguments, folder)
    if code != 0:
        raise RuntimeError(f"assay {' '.join(arguments)}: {code}: {fault}")
    return out


class Control:
    """The page that the shim counts in."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "control")
        with open(self.path, "wb") as out:
            out.write(bytes(CONTROL_BYTES))
        with open(self.path, "r+b") as page:
            self.page = mmap.mmap(page.fileno(), CONTROL_BYTES)

    def clear(self):
        self.page[:] = bytes(CONTROL_BYTES)

    def read(self):
        calls, allocations, fired, _, crashed = struct.unpack_from("<QQQII", self.page, 0)
        what = bytes(self.page[32:544]).split(b"\0")[0].decode("utf-8", "replace")
        trace = bytes(self.page[544:544 + 4096]).split(b"\0")[0].decode("utf-8", "replace")
        return {"calls": calls, "allocations": allocations, "fired": fired, "crashed": crashed, "what": what,
                "trace": trace.splitlines()}


class Work:
    """One piece of work in a folder of its own: folder/in is what it reads, folder/root what it writes."""
    name = ""

    def __init__(self, holder):
        self.folder = os.path.join(os.path.realpath(holder), self.name)
        self.root = os.path.join(self.folder, "root")
        os.makedirs(os.path.join(self.folder, "in"))
        self.control = Control(self.folder)
        self.prepare()
        self.clear()
        self.wanted = self.result(need(self.arguments, self.folder))
        self.clear()

    def prepare(self):
        """Makes what it reads."""

    def clear(self):
        shutil.rmtree(self.root, ignore_errors=True)
        os.makedirs(self.root)

    def result(self, told):
        """What is compared, of what the command told: digests of content, which no time and no place is part of."""
        raise NotImplementedError

    def shim(self, **more):
        """Runs it under the shim: (exit status, standard error, what was counted)."""
        self.control.clear()
        extra = {"LD_PRELOAD": SHIM, "FAULT_CONTROL": self.control.path}
        if more.pop("files", True):
            extra["FAULT_ROOT"] = self.root
        extra.update({"FAULT_" + name.upper(): str(value) for name, value in more.items()})
        code, _, fault = call(self.arguments, self.folder, extra)
        return code, fault, self.control.read()

    def count(self):
        """Number of calls that change a file."""
        self.clear()
        code, fault, seen = self.shim()
        if code != 0:
            raise RuntimeError(fault)
        return seen["calls"]

    def resume(self):
        """Does the work as if nothing had been: "" where all is right then, else what is wrong."""
        code, out, fault = call(self.arguments, self.folder)
        if code != 0:
            return f"going on ended with {code}: {fault.strip()}"
        found = self.result(out)
        if found != self.wanted:
            return f"another result: {found}, expected {self.wanted}"
        code, out, fault = call(["verify", "root"], self.folder)
        if code != 0:
            return "verify: " + " ".join(line for line in (out + fault).splitlines() if not line.startswith("good"))
        left = self.leftovers()
        return "left behind: " + ", ".join(left) if left else ""

    def leftovers(self):
        """Half-written files, and parts of a comparison that is done."""
        found = []
        for where, folders, names in os.walk(self.root):
            found += [os.path.join(where, name) for name in names + folders
                      if re.search(r"\.tmp-\d+|\.lock$|\.parts$|\.partial$", name)]
        return [os.path.relpath(path, self.root) for path in found]


class Run(Work):
    """assay run of a population of 16 images: population, data set, templates, evidence, report."""
    name = "run"
    arguments = ["run", "in/small.yaml", "-o", "root/out", "--json", "-q"]

    def prepare(self):
        with open(os.path.join(self.folder, "in", "small.yaml"), "w", encoding="utf-8") as out:
            out.write(CONFIGURATION)

    def result(self, told):
        again = json.loads(need(self.arguments, self.folder))
        with open(os.path.join(self.root, "out", "report", "tables", "operating_points.csv"), encoding="utf-8") as text:
            points = text.read()
        return ([step["digest"] for step in json.loads(told)["steps"]], points,
                [step["step"] for step in again["steps"] if step["outcome"] != "up to date"])


class Compare(Work):
    """assay compare of 1,600 templates by ten tiles, a sealed segment of every second one."""
    name = "compare"
    arguments = ["compare", "in/t.h5", "-o", "root/e.h5", "--fmr-targets", "1e-3", "--tail-cap", "20000",
                 "--checkpoint-tiles", "2", "--threads", "1", "--check-tiles", "0", "--json", "-q"]

    def prepare(self):
        need(["synth", "--templates", "--subjects", "800", "--samples", "2", "--length", "16", "-o", "in/p", "-q"],
             self.folder)
        need(["import", "templates", "in/p/templates.npy", "-l", "in/p/labels.csv", "--release", "a", "--version", "1",
              "-o", "in/t.h5", "-q"], self.folder)

    def result(self, told):
        return json.loads(told)["result_digest"]


class Import(Work):
    """assay import templates of 60 templates."""
    name = "import"
    arguments = ["import", "templates", "in/p/templates.npy", "-l", "in/p/labels.csv", "--release", "a", "--version",
                 "1", "-o", "root/t.h5", "--json", "-q"]

    def prepare(self):
        need(["synth", "--templates", "--subjects", "30", "--samples", "2", "--length", "16", "-o", "in/p", "-q"],
             self.folder)

    def result(self, told):
        return json.loads(told)["digest"]


WORKS = [Run, Compare, Import]


def pick(count, most, first=1):
    """At most `most` numbers of first … count, evenly over them; all where most is None."""
    numbers = range(first, count + 1)
    if most is None or len(numbers) <= most:
        return list(numbers)
    return sorted({first + (2 * n + 1) * len(numbers) // (2 * most) for n in range(most)})


def holder():
    """A folder that is removed behind a `with`, in memory unless TMPDIR says where: the shim is the disk here."""
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) and "TMPDIR" not in os.environ else None
    return tempfile.TemporaryDirectory(prefix="assay-faults-", dir=place)


def ready():
    if not PROGRAM or not os.path.exists(SHIM):
        print("skipped: ASSAY_PROGRAM and ASSAY_BUILD do not name the program and the build folder with the shim")
        sys.exit(77)
    if os.environ.get("ASSAY_SANITIZED"):
        print("skipped: a sanitizer's run time cannot be preloaded behind another library")
        sys.exit(77)


def progress(text):
    if sys.stderr.isatty() or os.environ.get("ASSAY_SOAK_PROGRESS"):
        print(text, file=sys.stderr, flush=True)
