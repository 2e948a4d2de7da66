"""test_outputs -- every --json is JSON, and a result that cannot be written is a fault."""
import json
import os
import resource
import signal
import subprocess

from cli_support import PROGRAM, SMALL, Case, assay, main, write, write_npy


class Outputs(Case):
    def test_every_table_can_be_had_as_json(self):
        write(self.folder, "small.yaml", SMALL)
        synth = self.json("synth", "--images", "--subjects", "4", "--samples", "2", "--size", "48", "-o", "p", "--json")
        self.assertEqual((synth["rows"], synth["truth"]), (8, "p/truth.json"))
        ingested = self.json("ingest", "p/assay.yaml", "-o", "d.h5", "--json")
        self.assertEqual((ingested["samples"], ingested["subjects"], ingested["excluded"]), (8, 4, 0))
        enrolled = self.json("enroll", "d.h5", "-a", "lbp", "--version", "1", "-o", "t.h5", "--json")
        self.assertEqual(enrolled["enrolled"], 8)
        estimate = self.json("compare", "t.h5", "--estimate", "--json")
        self.assertEqual((estimate["pairs"], estimate["result_digest"]), (28, None))
        self.assertGreater(estimate["memory_bytes"], 0)
        compared = self.json("compare", "t.h5", "-o", "e.h5", "--json")
        self.assertEqual((compared["mated"], compared["non_mated"]), (4, 24))
        self.assertEqual(len(compared["result_digest"]), 64)
        self.assertEqual(self.json("report", "e.h5", "-o", "r", "--json")["index"], "r/index.html")
        self.assertEqual(self.json("info", "e.h5", "--json")["kind"], "evidence")
        verified = self.json("verify", "d.h5", "t.h5", "e.h5", "--json")
        self.assertTrue(verified["good"])
        self.assertEqual(len(verified["files"]), 3)
        backends = self.json("backends", "--json")["backends"]
        self.assertIn("reference", [backend["name"] for backend in backends])

    def test_the_same_is_printed_for_people(self):
        self.good("synth", "--images", "--subjects", "4", "--samples", "2", "--size", "48", "-o", "p")
        self.assertIn("8 of 4 subjects", self.good("ingest", "p/assay.yaml", "-o", "d.h5").stdout)
        self.assertIn("dataset", self.good("info", "d.h5").stdout)
        self.assertIn("good     d.h5: ", self.good("verify", "d.h5").stdout)
        self.assertIn("available", self.good("backends").stdout)

    def test_quiet_is_silent_but_for_json(self):
        write(self.folder, "small.yaml", SMALL.replace("subjects: 16", "subjects: 4"))
        for arguments in (["synth", "--images", "--subjects", "4", "--samples", "2", "--size", "48", "-o", "p"],
                          ["ingest", "p/assay.yaml", "-o", "d.h5"],
                          ["enroll", "d.h5", "-a", "lbp", "--version", "1", "-o", "t.h5"],
                          ["compare", "t.h5", "--estimate"], ["compare", "t.h5", "-o", "e.h5"],
                          ["report", "e.h5", "-o", "r"], ["info", "e.h5"], ["verify", "e.h5"], ["backends"],
                          ["run", "small.yaml"]):
            with self.subTest(arguments=arguments):
                done = self.good(*arguments, "-q")
                self.assertEqual((done.stdout, done.stderr), ("", ""))
                done = self.good(*arguments, "--quiet", "--json")
                self.assertTrue(json.loads(done.stdout))
                self.assertEqual(done.stderr, "")
        self.assertIn("at most", self.good("compare", "t.h5", "-o", "e.h5", "--json").stderr)
        os.truncate(self.path("e.h5"), 4000)
        done = assay("verify", "e.h5", "d.h5", "-q", folder=self.folder)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("DAMAGED  e.h5", done.stderr)
        self.assertNotIn("d.h5", done.stderr)

    def test_a_full_disk_is_told_in_plain_words(self):
        """A limit on the size of a file is refused by the system as a full disk is, at the same call."""
        write_npy(self.path("x.npy"), [[n % 7 + 1, n % 5, n % 3, 1] for n in range(4000)])
        write(self.folder, "x.csv", "sample,subject\n" + "".join("s%d,%d\n" % (n, n // 2) for n in range(4000)))
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
        done = subprocess.run([PROGRAM, "import", "templates", "x.npy", "--labels", "x.csv", "--release", "r",
                               "--version", "1", "-o", "t.h5"], cwd=self.folder, preexec_fn=limit, text=True,
                              restore_signals=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr, r"t.h5 was not written: cannot write .*: File too large\n$")
        for part in ("buf", "0x", "descriptor", "HDF5"):
            self.assertNotIn(part, done.stderr)
        self.assertEqual([name for name in os.listdir(self.folder) if "t.h5" in name], [])

    def test_a_full_standard_output_is_a_fault(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full here")
        for arguments in (["backends"], ["backends", "--json"], ["--version"], ["--help"], ["run", "--help"]):
            with self.subTest(arguments=arguments), open("/dev/full", "w") as full:
                done = assay(*arguments, folder=self.folder, stdout=full)
                self.assertEqual(done.returncode, 1)
                self.assertIn("cannot write to standard output: No space left", done.stderr)

    def test_a_damaged_block_is_named_with_its_bytes(self):
        write_npy(self.path("x.npy"), [[1, 0], [0, 1], [1, 1]])
        write(self.folder, "x.csv", "sample,subject\na,1\nb,2\nc,3\n")
        self.good("import", "templates", "x.npy", "--labels", "x.csv", "--release", "r", "--version", "1",
                  "-o", "t.h5")
        with open(self.path("t.h5"), "r+b") as file:
            file.seek(100)
            byte = file.read(1)[0]
            file.seek(100)
            file.write(bytes([byte ^ 1]))
        done = assay("verify", "t.h5", "--json", folder=self.folder)
        self.assertEqual(done.returncode, 1)
        found = json.loads(done.stdout)
        self.assertFalse(found["good"])
        self.assertEqual(found["files"][0]["damaged"], 1)
        self.assertRegex(" ".join(found["files"][0]["notes"]), "block 1 of 1")
        self.assertRegex(self.bad(1, "compare", "t.h5", "-o", "e.h5"), "block 1 of 1")
        self.assertFalse(os.path.exists(self.path("e.h5")))


if __name__ == "__main__":
    main()
