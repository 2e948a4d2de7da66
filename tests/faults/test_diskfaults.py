"""test_diskfaults -- a disk that is full, an I/O error, a short write: one clear line, exit status 1, and exact when the
command is given again. Here a few calls of each; tests/soak/soak_diskfaults.py takes all of them."""
import unittest

import diskfaults
import faults


class DiskFaults(unittest.TestCase):
    def check(self, kind, most):
        with faults.holder() as folder:
            work = kind(folder)
            for fault, onward in diskfaults.KINDS:
                _, told, _, wrong = diskfaults.at_every_call(work, fault, onward, most)
                self.assertEqual(wrong, [])
                self.assertTrue(told > 0 or fault == "short")

    def test_a_run_tells_of_the_disk_and_goes_on(self):
        self.check(faults.Run, 2)

    def test_an_import_tells_of_the_disk_and_goes_on(self):
        self.check(faults.Import, 5)

    def test_a_full_file_system_is_told_and_left_behind(self):
        with faults.holder() as folder:
            if not diskfaults.can_mount(folder):
                self.skipTest("a file system cannot be mounted here")
            told, _, wrong = diskfaults.really_full(faults.Import(folder), [4, 12, 24])
            self.assertEqual(wrong, [])
            self.assertGreater(told, 1)


if __name__ == "__main__":
    faults.ready()
    unittest.main()
