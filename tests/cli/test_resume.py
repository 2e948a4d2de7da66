"""test_resume -- an enrolment, or comparisons by a plug-in, that were cut short go on where they stopped: no sample
and no pair is lost or done otherwise, and the digest is that of a run that nobody stopped."""
import json
import os
import random
import re
import resource
import signal
import subprocess
import time

from cli_support import PROGRAM, Case, assay, main, write
from test_opaque import PLUGINS, write_images

IMAGES = 24
REFUSED = 5 # of them, with a reason of its own each
WAIT = 300 # ms for a template; none of it is work
LONG = 600 # … where a tenth of it, for a comparison, must be long enough
TWIN = ["--plugin", PLUGINS + "/twin.so", "-p", "kind=opaque", "-p", "refuse=1"]


def workers_of(pid):
    """Processes that run plug-ins for pid or for a child of it: a command works in a process of its own."""
    parents, workers = {}, []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % name, encoding="ascii") as text:
                stat = text.read()
        except (OSError, ValueError):
            continue
        parents[int(name)] = int(stat.rsplit(")", 1)[1].split()[1])
        if "assay-algorith" in stat:
            workers.append(int(name))
    return [worker for worker in workers if pid in (parents[worker], parents.get(parents[worker]))]


class Resume(Case):
    def setUp(self):
        super().setUp()
        write_images(self.folder)
        write(self.folder, "d.yaml", "name: twins\nroot: .\nmanifest: manifest.csv\n")
        write(self.folder, "e.yaml", "assay: 1\nname: twins\ndataset: { name: twins, root: ., manifest: manifest.csv }\n"
              "releases: [{ name: x, version: \"1\", algorithm: lbp }]\n")
        self.good("ingest", "e.yaml", "-o", "d.h5")

    def enroll(self, output, *more, wait=0):
        return ["enroll", "d.h5", *TWIN, *(["-p", "wait=%d" % wait] if wait else []), "--release", "twin", "--version",
                "1", "--threads", "2", "--checkpoint", "1", "-o", output, *more]

    def compare(self, output, templates, *more, wait=0):
        return ["compare", templates, *TWIN, *(["-p", "wait=%d" % wait] if wait else []), "--fmr-targets", "1e-1",
                "--threads", "2", "--checkpoint", "1", "-o", output, *more]

    def start(self, arguments):
        return subprocess.Popen([PROGRAM, *arguments], cwd=self.folder, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def until_sealed(self, arguments, output):
        """The process once its first segment is there; None where it was done before, and then its output is removed."""
        process = self.start(arguments)
        while not self.parts(output) and process.poll() is None:
            time.sleep(0.02)
        if process.poll() is None:
            return process
        text = process.communicate()[1]
        self.assertEqual(process.returncode, 0, text)
        for name in (output, output + ".seal"):
            os.remove(self.path(name))
        return None

    def cut(self, arguments, output, how):
        """Starts it, and sends the signal some time after its first segment is sealed; again where it was done before."""
        for _ in range(5):
            process = self.until_sealed(arguments, output)
            if process is None:
                continue
            time.sleep(random.Random(3).uniform(0, 0.3))
            process.send_signal(how)
            text = process.communicate(timeout=60)[1]
            if not os.path.exists(self.path(output)):
                return process.returncode, text
            for name in (output, output + ".seal"):
                os.remove(self.path(name))
        return self.fail("it was done each time before it could be cut")

    def finish(self, arguments):
        """The JSON of a run to the end, and how many items it says were done before."""
        done = self.good(*arguments, "--json")
        said = re.search(r"going on: (\d+) of \d+", done.stderr)
        return json.loads(done.stdout), int(said.group(1)) if said else 0

    def parts(self, output):
        folder = self.path(output + ".parts")
        names = os.listdir(folder) if os.path.isdir(folder) else []
        return sorted(name for name in names if name.endswith(".h5") and not name.startswith("."))

    def resumed(self, output):
        return self.json("info", output, "--json")["provenance"]["resumed_samples"]

    def ends(self, output):
        """First and end of every segment, by their names."""
        return [tuple(int(part) for part in name[:-3].split("-")[1:]) for name in self.parts(output)]

    def test_an_interrupted_enrolment_goes_on_by_sample(self):
        wanted, none = self.finish(self.enroll("whole.h5"))
        self.assertEqual((wanted["enrolled"], wanted["refused"], none), (IMAGES - REFUSED, REFUSED, 0))
        code, text = self.cut(self.enroll("t.h5", wait=WAIT), "t.h5", signal.SIGINT)
        self.assertEqual(code, 1)
        self.assertIn("interrupted", text)
        ends = self.ends("t.h5")
        self.assertEqual(ends[0][0], 0)
        self.assertEqual([first for first, _ in ends[1:]], [end for _, end in ends[:-1]])
        info = self.json("info", "t.h5.parts/" + self.parts("t.h5")[-1], "--json")
        self.assertEqual((info["kind"], info["first_row"], info["end_row"]), ("partial-templates", *ends[-1]))
        self.good("verify", "t.h5.parts")
        made, before = self.finish(self.enroll("t.h5", "--threads", "1", wait=WAIT))
        self.assertEqual((before, self.resumed("t.h5")), (ends[-1][1], ends[-1][1]))
        self.assertEqual(dict(made, path=""), dict(wanted, path=""))
        self.assertFalse(os.path.exists(self.path("t.h5.parts")))

    def test_a_killed_enrolment_changes_nothing(self):
        wanted, _ = self.finish(self.enroll("whole.h5"))
        self.cut(self.enroll("t.h5", wait=WAIT), "t.h5", signal.SIGKILL)
        made, before = self.finish(self.enroll("t.h5", wait=WAIT))
        self.assertGreater(before, 0)
        self.assertEqual(dict(made, path=""), dict(wanted, path=""))

    def test_lost_workers_change_nothing(self):
        wanted, _ = self.finish(self.enroll("whole.h5"))
        process = self.until_sealed(self.enroll("t.h5", "--json", wait=WAIT), "t.h5")
        self.assertIsNotNone(process)
        lost = workers_of(process.pid)
        for worker in lost:
            os.kill(worker, signal.SIGKILL)
        said, text = process.communicate(timeout=120)
        self.assertTrue(lost)
        self.assertEqual(process.returncode, 0, text)
        self.assertEqual(dict(json.loads(said), path=""), dict(wanted, path=""))

    def test_segments_of_something_else_or_damaged_are_done_again(self):
        wanted, _ = self.finish(self.enroll("whole.h5"))
        self.cut(self.enroll("t.h5", wait=WAIT), "t.h5", signal.SIGINT)
        made, before = self.finish(self.enroll("t.h5")) # other parameters
        self.assertEqual((dict(made, path=""), before), (dict(wanted, path=""), 0))
        self.cut(self.enroll("u.h5", wait=WAIT), "u.h5", signal.SIGINT)
        for name in self.parts("u.h5")[:1]:
            with open(self.path("u.h5.parts", name), "r+b") as file:
                file.seek(900)
                byte = file.read(1)
                file.seek(900)
                file.write(bytes([byte[0] ^ 1]))
        done = self.good(*self.enroll("u.h5", "--json", wait=WAIT))
        self.assertIn("segment left aside", done.stderr)
        self.assertEqual(json.loads(done.stdout)["digest"], wanted["digest"])

    def test_a_full_disk_costs_no_sample(self):
        wanted, _ = self.finish(self.enroll("whole.h5"))
        size = os.path.getsize(self.path("whole.h5"))
        limit = size - 4096 # the templates do not fit, and a segment of them, which has no labels, does
        done = subprocess.run([PROGRAM, *self.enroll("t.h5")], cwd=self.folder, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=60,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        self.assertEqual(done.returncode, 1)
        self.assertIn("t.h5 was not written", done.stderr)
        made, before = self.finish(self.enroll("t.h5"))
        self.assertEqual((dict(made, path=""), before), (dict(wanted, path=""), IMAGES))

    def test_comparisons_by_a_plugin_go_on_by_pair(self):
        self.finish(self.enroll("t.h5", wait=LONG))
        wanted, _ = self.finish(self.compare("whole.h5", "t.h5", wait=LONG))
        for output, how in (("e.h5", signal.SIGINT), ("k.h5", signal.SIGKILL)):
            self.cut(self.compare(output, "t.h5", wait=LONG), output, how)
            ends = self.ends(output)
            self.assertEqual(ends[0][0], 0)
            info = self.json("info", "%s.parts/%s" % (output, self.parts(output)[-1]), "--json")
            self.assertEqual((info["kind"], info["first_pair"], info["end_pair"]), ("partial-scores", *ends[-1]))
            made, before = self.finish(self.compare(output, "t.h5", wait=LONG))
            self.assertEqual(before, ends[-1][1])
            self.assertLess(before, wanted["pairs"])
            self.assertEqual(made["result_digest"], wanted["result_digest"])
            self.assertEqual(self.parts(output), [])

    def test_an_evaluation_goes_on(self):
        write(self.folder, "r.yaml", "assay: 1\nname: r\ndataset: { name: twins, root: ., manifest: manifest.csv }\n"
              "releases: [{ name: twin, version: \"1\", plugin: %s/twin.so, parameters: { kind: opaque, wait: %d } }]\n"
              "comparison: { fmr_targets: [1e-1], threads: 2, checkpoint: 1 }\n" % (PLUGINS, WAIT))
        digests = lambda done: [step["digest"] for step in json.loads(done.stdout)["steps"]]
        wanted = self.good("run", "r.yaml", "-o", "whole", "--json")
        self.cut(["run", "r.yaml", "-o", "cut"], "cut/twin-1/templates.h5", signal.SIGTERM)
        done = self.good("run", "r.yaml", "-o", "cut", "--json")
        self.assertIn("samples were done before", done.stderr)
        self.assertEqual(digests(done), digests(wanted))


if __name__ == "__main__":
    main()
