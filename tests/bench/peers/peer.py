"""peer -- what the peers share: the templates that `assay bench --export` wrote, two clocks around the work,
and a line of JSON for run.py. A peer runs in a process of its own, in one thread."""
import json
import os
import re
import sys
import time

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS"):
    os.environ[name] = "1"

SKIP = 77 # exit status: a module is missing


def needed(*modules):
    """Modules by name; ends the program as a skip where one is missing."""
    found = []
    for name in modules:
        try:
            found.append(__import__(name))
        except ImportError as fault:
            print("%s is not installed (%s)" % (name, fault))
            sys.exit(SKIP)
    return found


def templates(folder, most=None):
    """(vectors [N][D] of float32, subjects [N], groups [N]), sorted by group, at most `most` of them."""
    import csv
    import numpy
    vectors = numpy.ascontiguousarray(numpy.load(os.path.join(folder, "templates.npy"))[:most])
    with open(os.path.join(folder, "labels.csv"), encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))[:most]
    subjects = numpy.array([int(row["subject"][1:]) for row in rows])
    groups = numpy.array([int(row["group"][1:]) for row in rows])
    return vectors, subjects, groups


def peak_memory():
    """The most memory that this process held."""
    with open("/proc/self/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def blas():
    """The library of matrix products that was loaded."""
    with open("/proc/self/maps", encoding="utf-8") as lines:
        names = {os.path.basename(line.split()[-1]) for line in lines if ".so" in line}
    return " ".join(sorted(name for name in names if re.match(r"lib\w*(blas|blis|mkl)", name)))


def measure(work, pairs, version, check):
    """Runs work() between the clocks, then prints what it took and the dict that check(what work gave) makes: what
    can be held against assay. pairs is what the work is worth."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    memory = peak_memory()
    print(json.dumps(dict(version=version, blas=blas(), pairs=pairs, cpu_seconds=cpu, wall_seconds=wall,
                          peak_memory_bytes=memory, **check(result))))
