"""test_canaries -- names, ids, paths and pixels that were planted in a run are where they belong and nowhere else: not in what is
printed, in the ledger, seals, report, temporary files, shared memory or a core."""
import os
import resource
import signal
import subprocess
import time
import unittest

from cli_support import PROGRAM, Case, assay, main, write

PIXELS = bytes((37 * n * n + 11 * n) % 251 for n in range(96))
SUBJECT, SAMPLE, FOLDER = "canarySubject7Q", "canarySample9Z", "canaryFolder4K"
CONFIG = """assay: 1
name: c
dataset:
  name: c
  root: .
  manifest: manifest.csv
  attributes: [{ name: sex, level: subject, source: document }]
releases:
  - { name: lbp, version: "1.0", algorithm: lbp }
  - { name: lbp, version: "1.1", algorithm: lbp-normalised }
comparison: { fmr_targets: [1e-1], threads: 1 }
"""
# Who may hold what: the containers are what was asked for, and so are the comparisons on which two releases disagree.
IDS = ("dataset.h5", "templates.h5", "evidence.h5", "discordant.csv")
IMAGES = ("dataset.h5",)


def canaries(data):
    return [what for what, mark in (("subject", SUBJECT), ("sample", SAMPLE), ("path", FOLDER), ("pixels", PIXELS))
            if (mark if isinstance(mark, bytes) else mark.encode()) in data]


def content(path):
    try:
        with open(path, "rb") as raw:
            return raw.read(1 << 26)
    except OSError:
        return b""


class Canaries(Case):
    def setUp(self):
        super().setUp()
        self.scratch = self.path("tmp")
        os.mkdir(self.scratch)
        os.makedirs(self.path("data", FOLDER))
        rows = ["sample_id,path,subject_id,sex"]
        for n in range(24):
            name = "%s/%d.pgm" % (FOLDER, n)
            body = bytes((x * (n // 2 + 3) + y * 5 + n) % 256 for y in range(63) for x in range(96))
            with open(self.path("data", name), "wb") as out:
                out.write(b"P5\n96 64\n255\n" + PIXELS + body)
            rows.append("%s%d,%s,%s%d,%s" % (SAMPLE, n, name, SUBJECT, n // 2, "FM"[n // 2 % 2]))
        write(self.folder, "data/manifest.csv", "\n".join(rows) + "\n")
        write(self.folder, "data/c.yaml", CONFIG)
        self.environment = {"TMPDIR": self.scratch, "HOME": self.scratch}
        self.shared = set(os.listdir("/dev/shm"))

    def look_beside(self):
        """Nothing in the scratch folder, nothing of ours in shared memory."""
        self.assertEqual(os.listdir(self.scratch), [])
        for name in set(os.listdir("/dev/shm")) - self.shared:
            self.assertEqual(canaries(content("/dev/shm/" + name)), [], name)

    def look_at_outputs(self, folder):
        seen = []
        for where, _, names in os.walk(folder):
            for name in names:
                path, data = os.path.join(where, name), content(os.path.join(where, name))
                found = canaries(data)
                if name in IDS:
                    seen.append(name)
                    found = [what for what in found if what == "pixels" and name not in IMAGES]
                self.assertEqual(found, [], path)
        self.assertLessEqual({"dataset.h5", "evidence.h5"}, set(seen))

    def test_a_run_leaves_them_only_in_what_was_asked_for(self):
        for arguments in (["run", "data/c.yaml", "-o", "out"], ["run", "data/c.yaml", "-o", "out2", "--json"],
                          ["verify", "out"], ["info", "out/dataset.h5"]):
            done = self.good(*arguments, environment=self.environment)
            self.assertEqual(canaries((done.stdout + done.stderr).encode()), [], arguments)
        self.look_at_outputs(self.path("out"))
        self.look_beside()

    def test_a_run_that_was_killed_leaves_none_once_it_is_run_again(self):
        settings = dict(os.environ, TERM="dumb", **self.environment)
        for wait in (0.05, 0.2, 0.4, 0.7):
            process = subprocess.Popen([PROGRAM, "run", "data/c.yaml", "-o", "out"], cwd=self.folder, env=settings,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            time.sleep(wait)
            process.kill()
            self.assertEqual(canaries(process.communicate()[0]), [])
            self.look_beside()
        self.good("run", "data/c.yaml", "-o", "out", environment=self.environment)
        hidden = [name for where, _, names in os.walk(self.path("out")) for name in names if ".tmp-" in name]
        self.assertEqual(hidden, [])
        self.look_at_outputs(self.path("out"))

    def test_there_is_no_core(self):
        process = subprocess.Popen([PROGRAM, "bench", "--templates", "20000", "--repeat", "9"], cwd=self.folder,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, 1 << 20)))
        try:
            for _ in range(400):
                limits = content("/proc/%d/limits" % process.pid).decode()
                core = [line.split()[4:6] for line in limits.splitlines() if line.startswith("Max core file size")]
                if core == [["1", "1"]]:
                    break
                time.sleep(0.02)
            self.assertEqual(core, [["1", "1"]])
        finally:
            process.send_signal(signal.SIGSEGV)
            process.wait()
        self.assertEqual([name for name in os.listdir(self.folder) if "core" in name], [])


if __name__ == "__main__":
    main()
