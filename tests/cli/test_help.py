"""test_help -- each command says what it does; a wrong word gets the right one back."""
from cli_support import COMMANDS, Case, assay, main


class Help(Case):
    def test_every_command_has_purpose_usage_options_example_and_exit_statuses(self):
        for command in COMMANDS:
            with self.subTest(command=command):
                text = self.good(*command.split(), "--help").stdout
                self.assertTrue(text.startswith("assay %s -- " % command), text)
                for part in ("Usage: assay %s" % command, "Options:", "Examples:\n  assay " + command,
                             "Exit status:\n  0  done", "-h, --help"):
                    self.assertIn(part, text)
                self.assertEqual(text, self.good("help", *command.split()).stdout)
                self.assertEqual(text, self.good(*command.split(), "-h").stdout)
                self.assertLessEqual(max(map(len, text.splitlines())), 110)

    def test_quiet_and_json_mean_the_same_everywhere(self):
        for command in COMMANDS:
            with self.subTest(command=command):
                text = self.good(*command.split(), "--help").stdout
                self.assertRegex(text, r"-q, --quiet +no progress, no notes, no results but --json's; only faults\n")
                self.assertRegex(text, r"--json +the result as JSON on standard output, notes on standard error\n")

    def test_help_lists_every_command(self):
        text = self.good("--help").stdout
        for command in COMMANDS:
            self.assertIn("\n  %-10s" % command.split()[0], text)
        self.assertEqual(text, self.good("help").stdout)

    def test_no_command_is_a_usage_fault_that_shows_the_usage(self):
        self.assertIn("Usage: assay COMMAND", self.bad(2))

    def test_defaults_are_shown(self):
        text = self.good("compare", "--help").stdout
        self.assertIn("[1e-3,1e-4,1e-5,1e-6]", text)
        self.assertIn("[cosine]", self.good("import", "templates", "--help").stdout)

    def test_version_names_libraries_features_and_backends(self):
        text = self.good("--version").stdout
        for part in ("assay 0.", "HDF5 ", "OpenBLAS ", "libvips ", "features", "backends    cpu, "):
            self.assertIn(part, text)
        self.assertEqual(text, self.good("-V").stdout)


class WrongWords(Case):
    def test_a_command_nearly_right_is_named(self):
        self.assertIn("unknown command 'compar': did you mean 'compare'?", self.bad(2, "compar"))
        self.assertIn("did you mean 'enroll'?", self.bad(2, "enrol"))
        self.assertIn("did you mean 'verify'?", self.bad(2, "help", "verfy"))

    def test_an_option_nearly_right_is_named(self):
        text = self.bad(2, "compare", "--treads", "2", "t.h5", "-o", "e.h5")
        self.assertIn("assay compare: unknown option '--treads': did you mean 'threads'?", text)
        self.assertIn("unknown option '-x'", self.bad(2, "compare", "-x"))
        self.assertIn("a command comes first", self.bad(2, "--threads", "2"))

    def test_an_option_may_be_cut_where_that_is_unambiguous(self):
        text = self.bad(1, "compare", "--thread", "2", "nothing.h5", "-o", "e.h5")
        self.assertIn("nothing.h5", text)
        self.assertIn("ambiguous option '--p'", self.bad(2, "compare", "--p", "x"))

    def test_values_are_checked(self):
        wrong = [("--threads", "0", "a whole number from 1 to 1024"), ("--threads", "two", "a whole number"),
                 ("--memory", "8X", "a size such as"), ("--fmr-targets", "1e-3,abc", "a number"),
                 ("--fmr-targets", "2", "is not between"), ("--histogram", "half", "FRACTION:SEED"),
                 ("--protocol", "cros", "did you mean 'cross'?"), ("--histogram-by", "a,,b", "a list of names")]
        for option, value, expected in wrong:
            with self.subTest(option=option, value=value):
                self.assertIn(expected, self.bad(2, "compare", option, value, "t.h5", "-o", "e.h5"))
        self.assertIn("option --output needs a value: PATH", self.bad(2, "compare", "t.h5", "--output"))
        self.assertIn("option --quiet takes no value", self.bad(2, "compare", "--quiet=yes"))

    def test_what_is_missing_or_too_much_is_named(self):
        self.assertIn("CONFIG is missing", self.bad(2, "run"))
        self.assertIn("unexpected argument 'b'", self.bad(2, "run", "a", "b"))
        self.assertIn("unexpected argument 'x'", self.bad(2, "backends", "x"))
        self.assertIn("option --output PATH is needed", self.bad(2, "ingest", "a.yaml"))
        self.assertIn("option --version V is needed", self.bad(2, "enroll", "-a", "lbp", "-o", "t", "d.h5"))
        self.assertIn("option --output PATH is needed", self.bad(2, "compare", "t.h5"))
        self.assertIn("say --images, --templates or --codes", self.bad(2, "synth", "-o", "x"))
        self.assertIn("--images, --templates and --codes exclude each other",
                      self.bad(2, "synth", "--images", "--templates", "-o", "x"))
        self.assertIn(". is a folder, expected a file of assay", self.bad(2, "info", "."))

    def test_control_bytes_of_the_command_line_do_not_reach_the_terminal(self):
        done = assay("\x1b[31mred", folder=self.folder)
        self.assertNotIn("\x1b", done.stderr)
        self.assertIn("\\x1b", done.stderr.lower())


if __name__ == "__main__":
    main()
