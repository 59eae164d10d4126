"""A journal that is gone is missed, and one that is in use is left alone."""

import glob
import os
import shutil
import subprocess
import tempfile
import unittest

import msgpack
import zmq

from cluster import BIN, Cluster, wait_until
from test_security import head


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

    def test_a_journal_without_its_newest_segment_is_refused(self):
        with Cluster(workers=0, directory=self.directory) as cluster:
            for _ in range(2):  # Each waits, and the second proves the first one: the segment stays.
                cluster.submit([{"kind": "echo"}])
            cluster.kill("ventilator")  # What follows is in a segment of its own.
            wait_until(lambda: cluster.eole("submit", "echo", "1", check=False).returncode == 0, 60, "a ventilator")
        oldest, *_, newest = sorted(glob.glob(f"{self.journal}/*.seg"))
        self.assertNotEqual(oldest, newest)
        os.remove(newest)
        cluster = Cluster(workers=1, directory=self.directory)
        cluster.start(until="ventilator cannot start")
        wait_until(lambda: "damaged record at offset" in self.said(), what="a refusal with its place")
        cluster.stop(kill=True)

    def read(self, *cursor):
        """What the sink says to who reads on from here."""
        context = zmq.Context()
        try:
            sock = context.socket(zmq.DEALER)
            sock.connect(f"ipc://{self.directory}/eole/data/sockets/queries")
            sock.send_multipart([head("read", 1, *cursor, 1 << 20), b""])
            self.assertTrue(sock.poll(60_000))
            return msgpack.unpackb(sock.recv_multipart()[0])
        finally:
            context.destroy(linger=0)

    def test_a_log_that_was_restored_has_nothing_done_twice_and_tells_its_readers(self):
        log = f"{self.directory}/eole/data/sink/log"
        with Cluster(workers=1, directory=self.directory) as cluster:
            cluster.submit([{"kind": "echo", "args": {"n": 1}}], "--wait")
        shutil.copytree(log, f"{self.directory}/copy")
        with Cluster(workers=1, directory=self.directory) as cluster:
            cluster.submit([{"kind": "echo", "args": {"n": 2}}], "--wait")
            _, _, _, name, offset, _, crc, *_ = self.read(0, 0, 0)
            self.assertEqual(self.read(name, offset, crc)[1], "records")
        shutil.rmtree(log)
        os.rename(f"{self.directory}/copy", log)
        with Cluster(workers=1, directory=self.directory) as cluster:
            cluster.submit([{"kind": "echo", "args": {"n": 3}}], "--wait")
            self.assertEqual([entry["value"] for entry in cluster.log()], [{"n": 1}, {"n": 3}])
            status = cluster.status()
            self.assertEqual((status["accepted"], status["settled"], status["queued"]), (3, 3, 0))
            refused = self.read(name, offset, crc)  # As many are there, but others.
            self.assertIn("other records lie before it", refused[3], refused)

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
