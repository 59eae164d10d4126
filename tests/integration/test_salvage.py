"""A damaged journal and a damaged log: refused with the place, salvaged, and used again."""

import collections
import glob
import os
import shutil
import tempfile
import unittest

from cluster import Cluster, wait_until


def flip(path, where):
    with open(path, "r+b") as file:
        file.seek(where)
        byte = file.read(1)
        file.seek(where)
        file.write(bytes([byte[0] ^ 1]))


class Salvage(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="eole-test-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def damage(self, store):
        """Flips a bit in the record of task number 10."""
        self.damage_at(store, b"number 10")

    def damage_at(self, store, text):
        """Flips a bit of the text, in the newest segment that has it."""
        for path in sorted(glob.glob(f"{self.directory}/eole/data/{store}/*.seg"), reverse=True):
            with open(path, "rb") as file:
                content = file.read()
            if text in content:
                return flip(path, content.index(text))
        raise AssertionError(f"{text} is in no segment")

    def replace(self, cluster, store):
        path = f"{self.directory}/eole/data/{store}"
        checked = cluster.eole("salvage", path, check=False)
        self.assertEqual(checked.returncode, 1)
        self.assertIn("damaged at offset", checked.stdout)
        cluster.eole("salvage", path, "--to", path + ".new")
        shutil.rmtree(path)
        os.rename(path + ".new", path)
        self.assertEqual(cluster.eole("salvage", path).returncode, 0)

    def said(self, role):
        with open(f"{self.directory}/eole/data/logs/{role}.log", encoding="utf-8") as file:
            return file.read()

    def refuses(self, cluster, role):
        cluster.start(until=f"{role} cannot start")
        wait_until(lambda: "damaged record at offset" in self.said(role), what="a refusal with its place")
        cluster.stop(kill=True)

    def test_a_salvaged_journal_loses_only_what_was_damaged_and_says_so(self):
        cluster = Cluster(workers=0, directory=self.directory)
        cluster.start()
        for number in range(20):
            cluster.submit([{"kind": "echo", "args": {"text": f"number {number}"}}])
        cluster.stop()
        self.damage("ventilator")
        self.refuses(cluster, "ventilator")
        self.replace(cluster, "ventilator")
        with Cluster(workers=1, directory=self.directory) as again:
            again.wait_settled(20)
            states = collections.Counter(entry["state"] for entry in again.log())
            self.assertEqual(states, {"done": 19, "dead": 1})
            self.assertIn("damaged", str(again.json("dead", "list")))

    def test_a_salvaged_log_is_a_new_log_with_all_other_results(self):
        cluster = Cluster(workers=1, directory=self.directory)
        for number in range(20):
            if number % 7 == 0:  # What an earlier start settled, only the journal's snapshot still knows.
                if number > 0:
                    cluster.stop()
                cluster.start()
            cluster.submit([{"kind": "echo", "args": {"text": f"number {number}"}}])
            cluster.wait_settled(number + 1)
        cluster.stop()
        segments = sorted(glob.glob(f"{self.directory}/eole/data/sink/log/*.seg"))
        for place in (b"number 3", b"number 15"):
            self.damage_at("sink/log", place)
        self.refuses(cluster, "sink")
        self.replace(cluster, "sink/log")
        self.assertGreater(len(segments), 2)
        with Cluster(workers=1, directory=self.directory) as again:
            pid = again.pid("ventilator")
            ids = [line["id"] for line in again.submit([{"kind": "echo", "args": {"n": 20}}])]
            wait_until(lambda: [line["state"] for line in again.json("result", ids[0], check=False)] == ["done"],
                       what="it goes on")
            log = again.log()
            self.assertEqual([entry["offset"] for entry in log], list(range(len(log))))
            self.assertEqual(len({entry["id"] for entry in log}), len(log))
            status = again.status()
            self.assertEqual((status["accepted"], status["settled"]), (21, 21))  # Also those that were lost.
            self.assertEqual(again.pid("ventilator"), pid)

    def test_a_damaged_copy_of_a_header_is_a_damaged_place(self):
        cluster = Cluster(workers=0, directory=self.directory)
        cluster.start()
        cluster.stop()
        data = f"{self.directory}/eole/data"
        for store in ("ventilator", "sink/log"):
            [*_, newest] = sorted(glob.glob(f"{data}/{store}/*.seg"))
            for at in (0, 64):
                flip(newest, at + 20)
                [said] = cluster.json("salvage", f"{data}/{store}", check=False)
                self.assertEqual([(place["offset"], place["bytes"]) for place in said["damaged"]], [(at, 64)])
                self.assertEqual(cluster.eole("salvage", f"{data}/{store}", check=False).returncode, 1)
                flip(newest, at + 20)
            self.assertEqual(cluster.json("salvage", f"{data}/{store}")[0]["damaged"], [])

    def test_a_salvage_says_what_it_does_and_why_not(self):
        cluster = Cluster(workers=0, directory=self.directory)
        cluster.start()
        cluster.submit([{"kind": "echo", "args": {}}])
        cluster.stop()
        data = f"{self.directory}/eole/data"
        told = cluster.eole("salvage", data, check=False)
        self.assertEqual(told.returncode, 2)
        self.assertIn(f"they are in {data}/ventilator and {data}/sink/log", told.stderr)
        taken = cluster.eole("salvage", f"{data}/ventilator", "--to", f"{data}/logs", check=False)
        self.assertEqual((taken.returncode, len(taken.stderr.splitlines())), (2, 1))
        self.assertIn("is there already", taken.stderr)
        for store, count in (("ventilator", "tasks"), ("sink/log", "results")):
            said = cluster.json("salvage", f"{data}/{store}", "--to", f"{data}/{store}.new")
            self.assertEqual([line["damaged"] for line in said], [0])
            self.assertIn(count, said[0])


if __name__ == "__main__":
    unittest.main()
