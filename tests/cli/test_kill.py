"""test_kill -- a run that is killed at any instant leaves whole files, and finishes the same."""
import json
import os
import random
import re
import signal
import subprocess
import time

from cli_support import PROGRAM, SMALL, Case, assay, main, write

INSTANTS = 12


def digests(result):
    return [step["digest"] for step in result["steps"]]


class Kill(Case):
    def start(self, *arguments):
        return subprocess.Popen([PROGRAM, *arguments], cwd=self.folder, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, text=True, start_new_session=True)

    def stop(self, process, signal_number):
        try:
            os.killpg(process.pid, signal_number)
        except ProcessLookupError: # it was done before
            pass
        text = process.communicate(timeout=60)[1]
        return process.returncode, text

    def test_a_killed_run_leaves_whole_files_and_finishes_the_same(self):
        write(self.folder, "small.yaml", SMALL)
        started = time.monotonic()
        wanted = self.json("run", "small.yaml", "--json", "-o", "whole")
        length = time.monotonic() - started
        chance = random.Random(5)
        for n in range(INSTANTS):
            output = "cut%d" % (n // 3) # three kills of the same output, then it is finished
            process = self.start("run", "small.yaml", "-o", output)
            time.sleep(chance.uniform(0.01, length))
            self.stop(process, signal.SIGKILL)
            if os.path.isdir(self.path(output)):
                for where, _, names in os.walk(self.path(output)):
                    for name in names:
                        if name.endswith(".h5") and not name.startswith("."):
                            self.good("info", os.path.join(where, name))
            if n % 3 != 2:
                continue
            result = self.json("run", "small.yaml", "--json", "-o", output)
            self.assertEqual(digests(result), digests(wanted))
            self.good("verify", output)
            left = [name for where, _, names in os.walk(self.path(output)) for name in names if ".tmp-" in name]
            self.assertEqual(left, [])

    def test_an_interrupt_ends_in_good_order(self):
        write(self.folder, "big.yaml", SMALL.replace("subjects: 16", "subjects: 4000").replace(": 48", ": 256"))
        process = self.start("run", "big.yaml", "-o", "big")
        time.sleep(1)
        code, text = self.stop(process, signal.SIGINT)
        self.assertEqual(code, 1, text)
        self.assertIn("interrupted", text)
        self.assertFalse(os.path.exists(self.path("big/population")))
        self.assertFalse(os.path.exists(self.path("big/population.partial")))

    def test_an_interrupted_step_is_not_called_done(self):
        write(self.folder, "big.yaml", SMALL.replace("subjects: 16", "subjects: 4000").replace(": 48", ": 256"))
        for more in ([], ["--json"]):
            process = subprocess.Popen([PROGRAM, "run", "big.yaml", "-o", "big", *more], cwd=self.folder, text=True,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            time.sleep(0.7)
            process.send_signal(signal.SIGINT)
            said, fault = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 1, fault)
            if more:
                result = json.loads(said)
                self.assertEqual([(step["step"], step["outcome"]) for step in result["steps"]],
                                 [("population", "interrupted")])
                self.assertIsNone(result["report"])
            else:
                self.assertEqual(said.split(), ["population", "interrupted"])

    def test_an_interrupt_at_any_instant_spoils_no_figure(self):
        """Ctrl-C reaches the image workers too: a worker that died of it must not make an excluded image."""
        write(self.folder, "small.yaml", SMALL.replace("subjects: 16", "subjects: 60"))
        started = time.monotonic()
        wanted = self.json("run", "small.yaml", "--json", "-o", "whole")
        length = time.monotonic() - started
        chance = random.Random(7)
        for n in range(INSTANTS):
            process = self.start("run", "small.yaml", "-o", "cut%d" % n)
            time.sleep(chance.uniform(0.2, 1) * length)
            code, text = self.stop(process, signal.SIGINT)
            self.assertIn(code, (0, 1), text)
            result = self.json("run", "small.yaml", "--json", "-o", "cut%d" % n)
            self.assertEqual(digests(result), digests(wanted), text)

    def test_two_runs_do_not_write_to_the_same_place(self):
        write(self.folder, "big.yaml", SMALL.replace("subjects: 16", "subjects: 4000").replace(": 48", ": 256"))
        write(self.folder, "small.yaml", SMALL)
        process = self.start("run", "big.yaml", "-o", "out")
        try:
            time.sleep(0.7)
            done = assay("run", "small.yaml", "-o", "out", folder=self.folder)
            self.assertEqual(done.returncode, 1)
            told = re.search(r"another process is writing to out: process (\d+) on .*assay run big.yaml -o out`", done.stderr)
            self.assertTrue(told, done.stderr)
            self.assertEqual(os.getpgid(int(told.group(1))), process.pid)
        finally:
            self.stop(process, signal.SIGKILL)


if __name__ == "__main__":
    main()
