"""A journal or a log that is not the one of before: an older copy, or none."""

import os
import shutil
import subprocess
import tempfile
import unittest

from cluster import BIN, Cluster


class Copies(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="eole-test-")
        self.addCleanup(shutil.rmtree, self.directory)
        self.data = f"{self.directory}/eole/data"
        self.count = 0

    def run_tasks(self, cluster, count=20):
        """Tasks that leave a mark each time they run."""
        lines = [{"kind": "exec", "args": {"shell": f"echo {n} >> {self.directory}/marks"}} for n in range(count)]
        self.assertEqual({result["state"] for result in cluster.submit(lines, "--wait")}, {"done"})
        self.count += count

    def marks(self):
        with open(f"{self.directory}/marks", "rb") as file:
            return file.read().count(b"\n")

    def cluster(self):
        return Cluster("--allow-exec", workers=1, directory=self.directory)

    def replaced(self, part, with_older):
        """A cluster ran, was stopped, and then one of its directories became another one."""
        with self.cluster() as cluster:
            self.run_tasks(cluster)
        older = f"{self.directory}/older"
        shutil.copytree(f"{self.data}/{part}", older)
        with self.cluster() as cluster:
            self.run_tasks(cluster)
        shutil.rmtree(f"{self.data}/{part}")
        if with_older:
            os.rename(older, f"{self.data}/{part}")

    def check_nothing_runs_again(self):
        with self.cluster() as cluster:
            self.run_tasks(cluster, 1)
            status = cluster.status()
            self.assertEqual((status["accepted"], status["settled"], status["queued"]), (self.count, self.count, 0))
        self.assertEqual(self.marks(), self.count)

    def test_a_log_that_is_gone_begins_anew_and_nothing_runs_again(self):
        self.replaced("sink/log", with_older=False)
        self.check_nothing_runs_again()

    def test_a_log_of_before_takes_from_the_ventilator_what_is_settled(self):
        self.replaced("sink/log", with_older=True)
        self.check_nothing_runs_again()

    def test_a_journal_of_before_is_refused_by_name(self):
        self.replaced("ventilator", with_older=True)
        up = subprocess.run([BIN / "eole", "up", "--workers", "1"], env=self.cluster().env, capture_output=True, text=True,
                            timeout=120, check=False)
        self.assertNotEqual(up.returncode, 0)
        self.assertIn("the journal went back", up.stdout + up.stderr)
        self.assertEqual(self.marks(), self.count)


if __name__ == "__main__":
    unittest.main()
