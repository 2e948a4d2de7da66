"""test_kills -- a command that is killed before any call by which it changes a file goes on to the same result. Here a
few calls of each; tests/soak/soak_kills.py takes all of them."""
import unittest

import faults
import kills


class Kills(unittest.TestCase):
    def check(self, kind, most):
        with faults.holder() as folder:
            calls, killed, wrong = kills.at_every_call(kind(folder), most)
            self.assertEqual(wrong, [])
            self.assertEqual(killed, min(most, calls))

    def test_a_run_killed_at_a_call_finishes_the_same(self):
        self.check(faults.Run, 4)

    def test_a_comparison_killed_at_a_call_finishes_the_same(self):
        self.check(faults.Compare, 6)

    def test_an_import_killed_at_a_call_finishes_the_same(self):
        self.check(faults.Import, 6)


if __name__ == "__main__":
    faults.ready()
    unittest.main()
