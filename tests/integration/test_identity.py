"""A journal that is gone is missed, and one that is in use is left alone."""

import glob
import os
import shutil
import subprocess
import tempfile
import unittest

from cluster import BIN, Cluster, wait_until


class Identity(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="eole-test-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.journal = f"{self.directory}/eole/data/ventilator"

    def said(self):
        with open(f"{self.directory}/eole/data/logs/ventilator.log", encoding="utf-8") as file:
            return file.read()

    def refused(self, why):
        cluster = Cluster(workers=0, directory=self.directory)
        cluster.start(until="ventilator cannot start")
        wait_until(lambda: why in self.said(), what=why)
        self.assertEqual(cluster.up.wait(60), 3)
        cluster.up.stdout.close()
        self.assertEqual(glob.glob(f"{self.journal}/*.seg"), [])

    def test_an_emptied_journal_is_no_new_one_until_a_person_says_so(self):
        with Cluster(workers=0, directory=self.directory) as cluster:
            ids = cluster.submit([{"kind": "echo", "args": {"n": n}} for n in range(3)])
        origin = ids[0]["id"].split("-")[0]
        for name in os.listdir(self.journal):
            os.remove(f"{self.journal}/{name}")
        self.refused(f"has no journal, and {self.journal}.origin says that the one of origin {origin} was here")
        shutil.rmtree(self.journal)
        self.refused("start once with --begin-anew")
        with Cluster("--begin-anew", workers=1, directory=self.directory) as cluster:
            again = cluster.submit([{"kind": "echo", "args": {"n": 9}}], "--wait")
            self.assertNotEqual(again[0]["id"].split("-")[0], origin)
        with Cluster(workers=1, directory=self.directory) as cluster:
            self.assertEqual(cluster.status()["accepted"], 1)

    def test_a_second_ventilator_on_the_same_directory_is_refused(self):
        with Cluster(workers=0, directory=self.directory) as cluster:
            second = subprocess.run(
                [BIN / "ventilator", "--cluster", f"{self.directory}/eole/data/server.toml", "--data", self.journal],
                env=cluster.env, capture_output=True, text=True, timeout=30)
            self.assertEqual(second.returncode, 3)
            self.assertIn("another process uses the directory", second.stderr)
            self.assertEqual(cluster.status()["accepted"], 0)


if __name__ == "__main__":
    unittest.main()
