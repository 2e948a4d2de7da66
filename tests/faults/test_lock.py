"""test_lock -- one writer: a second one is refused and told who holds the lock; a lock that nobody holds is none."""
import fcntl
import os
import platform
import subprocess
import unittest

from cli_support import Case, assay, main, write_npy

BOOT = open("/proc/sys/kernel/random/boot_id", encoding="ascii").read().strip()


def started(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as about:
        return int(about.read().rpartition(")")[2].split()[19])


class Lock(Case):
    def setUp(self):
        super().setUp()
        write_npy(self.path("t.npy"), [[1, 2, 3, 4], [4, 3, 2, 1], [1, 1, 2, 2]])
        with open(self.path("t.csv"), "w", encoding="utf-8") as out:
            out.write("sample,subject\na,1\nb,1\nc,2\n")
        self.sleeper = subprocess.Popen(["sleep", "600"])
        self.addCleanup(self.sleeper.wait)
        self.addCleanup(self.sleeper.kill)

    def hold(self, name=".t.h5.lock", **changes):
        """Writes a lock of the sleeper's; returns its open file."""
        said = {"pid": self.sleeper.pid, "started": started(self.sleeper.pid), "host": platform.node(), "boot": BOOT,
                "since": "2024-03-09T12:30:00Z", "command": "assay something"}
        said.update(changes)
        lock = open(self.path(name), "w", encoding="utf-8")
        self.addCleanup(lock.close)
        lock.write("assay-lock 1\n" + "".join(f"{key} {value}\n" for key, value in said.items()))
        lock.flush()
        return lock

    def write_templates(self):
        return assay("import", "templates", "t.npy", "-l", "t.csv", "--release", "a", "--version", "1", "-o", "t.h5",
                     folder=self.folder, environment={"HDF5_USE_FILE_LOCKING": "FALSE"})

    def refused(self, *texts):
        done = self.write_templates()
        self.assertEqual(done.returncode, 1, done.stderr)
        for text in ("another process is writing to t.h5", *texts):
            self.assertIn(text, done.stderr)
        self.assertFalse(os.path.exists(self.path("t.h5")))

    def taken(self):
        done = self.write_templates()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.good("verify", "t.h5")
        self.assertFalse(os.path.exists(self.path(".t.h5.lock")))

    def test_a_lock_that_is_held_is_refused_and_its_holder_is_named(self):
        fcntl.flock(self.hold(), fcntl.LOCK_EX)
        self.refused(f"process {self.sleeper.pid} on {platform.node()}, since 2024-03-09T12:30:00Z, by `assay something`")

    def test_a_holder_counts_where_the_file_system_has_no_flock(self):
        self.hold()
        self.refused(f"process {self.sleeper.pid}")

    def test_a_lock_of_a_dead_process_is_taken_over(self):
        gone = subprocess.Popen(["true"])
        gone.wait()
        self.hold(pid=gone.pid, started=1)
        self.taken()

    def test_a_lock_of_another_process_of_that_number_is_taken_over(self):
        self.hold(started=1)
        self.taken()

    def test_a_lock_of_an_earlier_boot_is_taken_over(self):
        self.hold(boot="11111111-2222-3333-4444-555555555555")
        self.taken()

    def test_a_lock_of_another_machine_counts_until_somebody_removes_it(self):
        self.hold(host="elsewhere")
        self.refused("on elsewhere", "remove .t.h5.lock")

    def test_an_empty_lock_is_nobodys(self):
        open(self.path(".t.h5.lock"), "w", encoding="utf-8").close()
        self.taken()

    def test_what_a_killed_writer_left_is_removed(self):
        gone = subprocess.Popen(["true"])
        gone.wait()
        for name in (f".t.h5.tmp-{gone.pid}", f".t.h5.seal.tmp-{gone.pid}"):
            open(self.path(name), "w", encoding="utf-8").close()
        mine = f".t.h5.tmp-{self.sleeper.pid}" # its process lives
        open(self.path(mine), "w", encoding="utf-8").close()
        self.taken()
        self.assertEqual([name for name in os.listdir(self.folder) if ".tmp-" in name], [mine])


if __name__ == "__main__":
    main()
