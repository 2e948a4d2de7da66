#!/usr/bin/env python3
"""run -- the long campaigns, one after the other, with a table of how they went.

    tests/soak/run.py [--build FOLDER] [--record] [NAME ...]

A campaign is tests/soak/soak_NAME.py, .sh or .c (built as FOLDER/tests/soak_NAME). It ends with 0 (every check held),
77 (skipped, and the last line says why) or anything else (failed). What it prints on standard output is its result: a
Markdown table, with a sentence where one is needed. Progress and errors go to standard error. Its environment is that of
the tests (ASSAY_PROGRAM, ASSAY_SOURCE, ASSAY_BUILD, ASSAY_DATA, PYTHONPATH with tests/cli).

--record keeps each result that held in tests/soak/results/NAME.md: the command, the commit, the machine and its load, then
the table. Without names all campaigns run. The target `soak` is this program for the build folder that it belongs to.
"""
import argparse
import datetime
import os
import platform
import resource
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
SKIPPED = 77


def campaigns():
    """{name: path of its source}"""
    found = {}
    for entry in sorted(os.listdir(HERE)):
        stem, ending = os.path.splitext(entry)
        if stem.startswith("soak_") and ending in (".py", ".sh", ".c"):
            found[stem[len("soak_"):]] = os.path.join(HERE, entry)
    return found


def command_of(path, build):
    ending = os.path.splitext(path)[1]
    if ending == ".py":
        return [sys.executable, path]
    if ending == ".sh":
        return ["bash", path]
    return [os.path.join(build, "tests", os.path.splitext(os.path.basename(path))[0])]


def environment_of(build):
    """What tests/CMakeLists.txt gives a test."""
    settings = dict(os.environ, ASSAY_PROGRAM=os.path.join(build, "assay"), ASSAY_SOURCE=SOURCE, ASSAY_BUILD=build,
                    PYTHONDONTWRITEBYTECODE="1")
    settings["PYTHONPATH"] = os.path.join(SOURCE, "tests", "cli")
    return settings


def output_of(command):
    try:
        return subprocess.run(command, cwd=SOURCE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True).stdout.strip()
    except OSError:
        return ""


def processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.machine()


def record(name, path, result, cpu, wall, load):
    commit = output_of(["git", "rev-parse", "--short", "HEAD"])
    changed = output_of(["git", "status", "--porcelain", "--untracked-files=no", "--", ".", ":!tests/soak/results"])
    changed = " with changes" if changed else ""
    lines = [
        f"# {name}",
        "",
        f"`tests/soak/run.py --record {name}`, {datetime.date.today()}, commit {commit}{changed}; {processor()}, "
        f"{os.cpu_count()} cores, load {load[0]:.1f} before and {os.getloadavg()[0]:.1f} after; {cpu:.0f} s of CPU, "
        f"{wall:.0f} s by the clock.",
        "",
        result.strip(),
        "",
    ]
    target = os.path.join(HERE, "results", name + ".md")
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target + ".new", "w", encoding="utf-8") as out:
        out.write("\n".join(lines))
    os.replace(target + ".new", target)


def run(name, path, build, keep):
    """(word, CPU seconds, wall seconds, last line)"""
    load = os.getloadavg()
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    try:
        done = subprocess.run(command_of(path, build), env=environment_of(build), cwd=SOURCE, stdout=subprocess.PIPE,
                              text=True)
        result, code = done.stdout, done.returncode
    except OSError as error:
        result, code = f"{error}\n", 127
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - start
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(result, end="", flush=True)
    word = "held" if code == 0 else "skipped" if code == SKIPPED else f"FAILED ({code})"
    if keep and code == 0:
        record(name, path, result, cpu, wall, load)
    last = result.strip().splitlines()[-1] if result.strip() else ""
    return word, cpu, wall, last if code == SKIPPED else ""


def main():
    known = campaigns()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.environ.get("ASSAY_BUILD", os.path.join(SOURCE, "build", "dev")))
    parser.add_argument("--record", action="store_true", help="keep the results in tests/soak/results")
    parser.add_argument("--list", action="store_true", help="name the campaigns and end")
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    if options.list:
        print("\n".join(known))
        return 0
    unknown = [name for name in options.names if name not in known]
    if unknown:
        parser.error(f"no campaign '{unknown[0]}'; there are: {', '.join(known)}")
    chosen = options.names or list(known)
    rows = [(name, *run(name, known[name], os.path.abspath(options.build), options.record)) for name in chosen]
    print("\n| campaign | outcome | CPU s | wall s | |\n|---|---|---|---|---|")
    for name, word, cpu, wall, note in rows:
        print(f"| {name} | {word} | {cpu:.1f} | {wall:.1f} | {note} |")
    return 1 if any(row[1].startswith("FAILED") for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
