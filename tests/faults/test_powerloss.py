"""test_powerloss -- states that a loss of power can leave, by a model of a disk that keeps nothing unsynced: nothing that
was acknowledged is lost in any of them, and work goes on to the same result. A disk on which one kind of fsync does
nothing is found out. Here a few states; tests/soak/soak_powerloss.py takes thousands."""
import unittest

import faults
import powerloss


class PowerLoss(unittest.TestCase):
    def check(self, kind, most):
        with faults.holder() as folder:
            work = kind(folder)
            states, resumed, wrong = powerloss.campaign(work, most)
            self.assertEqual(wrong, [])
            self.assertEqual(resumed, most)
            self.assertGreater(states, 100)

    def test_a_run_goes_on_from_a_state_that_power_loss_leaves(self):
        self.check(faults.Run, 4)

    def test_an_import_goes_on_from_a_state_that_power_loss_leaves(self):
        self.check(faults.Import, 8)

    def test_each_fsync_that_is_left_out_is_noticed_and_a_comparison_goes_on(self):
        with faults.holder() as folder:
            work = faults.Compare(folder)
            records = powerloss.record(work)
            for mutant in ("segment", "directory", "ledger"):
                lost = [state for state in powerloss.states(records, work.root, mutant) if state[3]]
                self.assertGreater(len(lost), 20, mutant)
            _, _, wrong = powerloss.campaign(work, 4)
            self.assertEqual(wrong, [])


if __name__ == "__main__":
    faults.ready()
    unittest.main()
