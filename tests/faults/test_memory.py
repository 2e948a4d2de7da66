"""test_memory -- an allocation that fails, once or with all behind it, is told or does no harm: no death in code of our
own, no other result, no damage where there is none. Here some allocations; tests/soak/soak_malloc.py takes them all."""
import unittest

import faults
import memory


class Memory(unittest.TestCase):
    def test_an_allocation_that_fails_is_told_or_does_no_harm(self):
        with faults.holder() as folder:
            for name, kinds, wrong, _ in memory.sweeps(folder, 24, memory.COMMANDS):
                self.assertEqual(wrong, [], name)
                self.assertGreater(kinds.get("reported", 0) + kinds.get("library", 0), 0, name)


if __name__ == "__main__":
    faults.ready()
    unittest.main()
