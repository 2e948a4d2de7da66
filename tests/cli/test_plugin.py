"""test_plugin -- a plug-in through the command line: its evaluation, its faults as figures, its limits."""
import json
import os
import shutil

from cli_support import SOURCE, Case, assay, main, write

PLUGINS = os.path.join(os.environ.get("ASSAY_BUILD", ""), "tests", "plugins")
POPULATION = "population: { seed: 3, subjects: 8, samples_per_subject: 2, image_size: 64 }\n"


def evaluation(release):
    return ("assay: 1\nname: small\n" + POPULATION + "releases:\n  - " + release +
            "\ncomparison: { fmr_targets: [1e-1] }\n")


EXAMPLE = "{ name: example, version: \"1\", plugin: %s/example.so, config: %s/configs/algorithms/example%s }"


class Plugin(Case):
    def run_json(self, text, status=0):
        write(self.folder, "e.yaml", text)
        done = assay("run", "e.yaml", "--json", folder=self.folder)
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def step(self, done, name):
        return [step for step in json.loads(done.stdout)["steps"] if step["step"] == name][0]

    def test_the_example_is_evaluated_and_made_anew_only_where_it_changed(self):
        text = evaluation(EXAMPLE % (PLUGINS, SOURCE, ""))
        first = self.run_json(text)
        self.assertIn("16 enrolled", self.step(first, "enroll")["summary"])
        again = self.run_json(text)
        self.assertEqual(self.step(again, "enroll")["outcome"], "up to date")
        config = os.path.join(self.folder, "mine")
        shutil.copytree(os.path.join(SOURCE, "configs", "algorithms", "example"), config)
        moved = self.run_json(text.replace("%s/configs/algorithms/example" % SOURCE, config))
        self.assertEqual(self.step(moved, "enroll")["outcome"], "up to date") # the same files elsewhere
        write(self.folder, "mine/example.conf", "cells 10\n")
        changed = self.run_json(text.replace("%s/configs/algorithms/example" % SOURCE, config))
        self.assertEqual(self.step(changed, "enroll")["outcome"], "done")

    def test_threads_change_no_template(self):
        digests = set()
        for threads in ("1", "3"):
            write(self.folder, "e.yaml", evaluation(EXAMPLE % (PLUGINS, SOURCE, "")))
            done = assay("run", "e.yaml", "--json", "--threads", threads, "-o", "out" + threads, folder=self.folder)
            self.assertEqual(done.returncode, 0, done.stderr)
            digests.add(self.step(done, "enroll")["digest"])
        self.assertEqual(len(digests), 1)

    def test_wrong_requests_are_told(self):
        done = self.run_json(evaluation(EXAMPLE % (PLUGINS, SOURCE, ", parameters: { cells: 3 }")), 2)
        self.assertIn("no parameters", done.stderr)
        done = self.run_json(evaluation("{ name: x, version: 1, plugin: nothing.so }"), 2)
        self.assertIn("there is no file", done.stderr)
        done = self.run_json(evaluation("{ name: x, version: 1, algorithm: lbp, seconds: 3 }"), 2)
        self.assertIn("`seconds` belongs to a `plugin`", done.stderr)
        done = self.run_json(evaluation("{ name: x, version: 1, plugin: e.yaml }"), 1)
        self.assertIn("cannot open the plug-in", done.stderr)


if __name__ == "__main__":
    main()
