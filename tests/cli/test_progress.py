"""test_progress -- a bar on a terminal, at most ten times a second; nothing where it is not wanted."""
import os
import pty
import re
import subprocess
import time

from cli_support import PROGRAM, Case, main

SYNTH = ["synth", "--images", "--subjects", "200", "--samples", "3", "--size", "128"]


class Progress(Case):
    def on_terminal(self, *arguments, **environment):
        """What a terminal sees on standard error, the exit status and the seconds it took."""
        try:
            leader, follower = pty.openpty()
        except OSError as fault:
            self.skipTest("this system gives no pseudo-terminal: %s" % fault)
        settings = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
        settings.update({"TERM": "xterm", **environment})
        started = time.monotonic()
        process = subprocess.Popen([PROGRAM, *arguments], cwd=self.folder, env=settings, stderr=follower,
                                   stdout=subprocess.DEVNULL)
        os.close(follower)
        seen = b""
        while True:
            try:
                part = os.read(leader, 65536)
            except OSError: # the other side is closed
                break
            if not part:
                break
            seen += part
        os.close(leader)
        return seen.decode(), process.wait(timeout=60), time.monotonic() - started

    def test_a_terminal_sees_a_bar_with_rate_and_time_left(self):
        seen, status, seconds = self.on_terminal(*SYNTH, "-o", "faces")
        self.assertEqual(status, 0)
        bars = re.findall(r"\r\x1b\[Ksynth +\[[^]]*?(?:\x1b\[36m)[^]]*\] +(\d+)%  ([^\r]*)", seen)
        self.assertGreater(len(bars), 1, seen)
        self.assertLessEqual(len(bars), 10 * seconds + 1)
        self.assertEqual([int(share) for share, _ in bars], sorted(int(share) for share, _ in bars))
        self.assertRegex(bars[-1][1], r"of 600 images, [0-9.]+k?/s, [0-9]+ s left")
        self.assertTrue(seen.endswith("\r\x1b[K"), repr(seen[-40:]))

    def test_no_color_is_honoured(self):
        seen, status, _ = self.on_terminal(*SYNTH, "-o", "faces", NO_COLOR="1")
        self.assertEqual(status, 0)
        self.assertIn("%", seen)
        self.assertNotIn("\x1b[36m", seen)

    def test_quiet_means_nothing(self):
        seen, status, _ = self.on_terminal(*SYNTH, "-o", "faces", "--quiet")
        self.assertEqual((seen, status), ("", 0))

    def test_a_file_sees_no_bar(self):
        done = self.good(*SYNTH, "-o", "faces")
        self.assertEqual(done.stderr, "")

    def test_a_terminal_that_can_do_nothing_sees_no_bar(self):
        seen, status, _ = self.on_terminal(*SYNTH, "-o", "faces", TERM="dumb")
        self.assertEqual((seen, status), ("", 0))


if __name__ == "__main__":
    main()
