"""`reelyard stage` from outside: what it prints, what lies where, and its exit codes.

usage: stage_test.py REELYARD MPIRUN CHECKPOINT
"""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PROGRAM, MPIRUN, CHECKPOINT = sys.argv[1], sys.argv[2].split(), Path(sys.argv[3])


def run(*arguments, ranks=1):
    command = [*MPIRUN, "-n", str(ranks), PROGRAM] if ranks > 1 else [PROGRAM]
    return subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True, errors="replace")


class Stage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.store = Path(folder.name) / "m.h5"
        made = run("import", CHECKPOINT, "-o", cls.store)
        assert made.returncode == 0, made.stderr

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.nodes = Path(folder.name) / "local" / "copies"

    def succeed(self, *arguments, ranks=1):
        result = run("stage", *arguments, ranks=ranks)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def expect(self, result, code, *texts):
        self.assertEqual(result.returncode, code, result.stderr)
        for text in texts:
            self.assertIn(text, result.stderr)

    def test_says_where_the_copy_is_and_how_fast_it_came(self):
        text = self.succeed(self.store, "--to", self.nodes, "--ranks-per-node", "2", ranks=4)
        path = Path(text.split(": ")[0])
        self.assertEqual(path.parent, self.nodes)
        self.assertEqual(path.read_bytes(), self.store.read_bytes())
        self.assertRegex(text, r": [\d.]+ MiB on 2 nodes in [\d.]+ m?s, [\d.]+ GB/s\n$")
        shown = run("inspect", path, "--verify")
        self.assertIn("all checksums agree", shown.stdout)

    def test_leaves_a_copy_that_is_there_and_replaces_one_that_is_broken(self):
        path = Path(self.succeed(self.store, "--to", self.nodes).split(": ")[0])
        before = path.stat().st_ino
        self.assertIn(": was there on one node", self.succeed(self.store, "--to", self.nodes, ranks=2))
        self.assertEqual(path.stat().st_ino, before)

        os.truncate(path, path.stat().st_size - 1)
        self.assertNotIn("was there", self.succeed(self.store, "--to", self.nodes))
        self.assertEqual(path.read_bytes(), self.store.read_bytes())

    def test_removes_the_copy_again(self):
        self.succeed(self.store, "--to", self.nodes)
        self.assertRegex(self.succeed(self.store, "--to", self.nodes, "--remove"), r": removed from 1 node\n$")
        self.assertEqual(os.listdir(self.nodes), [])
        self.assertRegex(self.succeed(self.store, "--to", self.nodes, "--remove"), r": there was no copy\n$")

    def test_two_jobs_at_once_do_not_spoil_each_other(self):
        command = [PROGRAM, "stage", self.store, "--to", self.nodes]
        jobs = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)]
        for job in jobs:
            error = job.communicate()[1]
            self.assertEqual(job.returncode, 0, error)
        names = os.listdir(self.nodes)
        self.assertEqual(len(names), 1, names)
        self.assertEqual((self.nodes / names[0]).read_bytes(), self.store.read_bytes())

    def test_takes_a_folder_in_memory_unless_told_otherwise(self):
        text = self.succeed(self.store)
        path = Path(text.split(": ")[0])
        try:
            self.assertEqual(path.parent, Path(f"/dev/shm/reelyard-{os.getuid()}"))
            self.assertEqual(path.read_bytes(), self.store.read_bytes())
        finally:
            self.succeed(self.store, "--remove")
        self.assertFalse(path.exists())

    def test_names_a_folder_without_room(self):
        self.nodes.mkdir(parents=True)
        mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", self.nodes]
        if subprocess.run(mount, capture_output=True).returncode != 0:
            self.skipTest("no small file system can be mounted here")
        try:
            for ranks in (1, 2):
                result = run("stage", self.store, "--to", self.nodes, ranks=ranks)
                self.expect(result, 4, os.uname().nodename, str(self.nodes), "MiB wanted, 1.00 MiB free")
                self.assertEqual(os.listdir(self.nodes), [])
        finally:
            subprocess.run(["umount", self.nodes], check=True)

    def test_quiet_prints_nothing(self):
        result = run("stage", self.store, "--to", self.nodes, "--quiet")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))

    def test_wrong_usage_and_broken_input(self):
        self.expect(run("stage"), 2, "no weight store is named")
        self.expect(run("stage", self.store, "--too", "x"), 2, "--too")
        self.expect(run("stage", self.store, "--ranks-per-node", "-1"), 2, "--ranks-per-node is -1")
        self.expect(run("stage", self.nodes / "none.h5", "--to", self.nodes), 3, "none.h5")
        blocked = self.store.parent / "m.h5" / "copies"
        self.expect(run("stage", self.store, "--to", blocked, ranks=2), 5, str(self.store))
        self.assertIn("--ranks-per-node", run("stage", "--help").stdout)
        self.assertRegex(run("--help").stdout, r"(?m)^  stage  ")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
