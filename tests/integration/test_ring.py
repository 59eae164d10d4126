"""What the roles promise each other when tasks fail and peers misbehave."""

import hashlib
import os
import subprocess
import unittest

import msgpack
import zmq

from cluster import BIN, Cluster, wait_until
from keyed import Keyed
from test_security import head


class DeadLetters(unittest.TestCase):
    def test_a_task_that_died_of_its_own_failures_says_all_of_them_and_can_be_replayed(self):
        with Cluster("--allow-exec", workers=1) as cluster:
            gate = os.path.join(cluster.directory, "gate")
            task = {"kind": "exec", "args": {"shell": f"[ -e {gate} ]"}, "attempts": 3, "retry": True}
            dead = cluster.submit([task], "--wait", check=False)[0]
            self.assertEqual((dead["state"], dead["attempt"]), ("dead", 3))
            letter = cluster.json("dead", "list")[0]
            self.assertEqual([reason.split(":")[:2] for reason in letter["reasons"]],
                             [[f"attempt {attempt}", " failed"] for attempt in (1, 2, 3)])
            with open(gate, "w", encoding="ascii"):
                pass
            replay = cluster.json("dead", "replay", dead["id"])[0]
            cluster.wait_settled(2)
            self.assertEqual(cluster.json("result", replay["id"])[0]["state"], "done")


class Keys(Keyed):
    def revoke(self, keys):
        with open(self.table, encoding="utf-8") as file:
            table = file.read().replace(keys["public_key"], "x" * 40)
        with open(self.table + ".new", "w", encoding="utf-8") as file:
            file.write(table)
        os.chmod(self.table + ".new", 0o600)
        os.rename(self.table + ".new", self.table)

    def said(self, role, words):
        with open(f"{self.cluster.directory}/eole/data/logs/{role}.log", encoding="utf-8") as file:
            return words in file.read()

    def echo(self):
        return self.cluster.submit([{"kind": "echo", "args": {}}], "--wait")[0]["state"]

    def test_a_piece_from_beyond_an_artifacts_end_is_refused(self):
        keys = self.join("submit")
        sock = self.connect(zmq.DEALER, self.file["artifacts"], keys)
        digest = hashlib.sha256(b"hello").hexdigest()
        for request in (head("put", 1, digest, 5, 0), b"hello"), (head("get", 2, digest, 1 << 63, 1), b""):
            sock.send_multipart(request)
            self.assertTrue(sock.poll(20000))
            answer = msgpack.unpackb(sock.recv_multipart()[0])
        self.assertEqual(answer[1:3], ["refused", 2])
        self.assertEqual(self.echo(), "done")

    def test_a_revoked_subscriber_hears_nothing_more_and_others_go_on(self):
        keys = self.join("observe")
        sub = self.connect(zmq.SUB, self.file["notifications"], keys)
        sub.subscribe(b"head")
        self.assertTrue(sub.poll(20000))
        self.revoke(keys)
        wait_until(lambda: self.said("sink", "subscribers must connect anew"), what="the sink to see it")
        wait_until(lambda: not sub.poll(1500) or not sub.recv_multipart(), what="silence")
        self.assertEqual(self.echo(), "done")
        self.assertFalse(sub.poll(1500))  # Longer than the head's second.

    def test_a_revoked_worker_gets_no_task(self):
        keys = self.join("work")
        worker = subprocess.Popen([BIN / "worker", "--cluster", self.path, "--name", "revoked", "--data",
                                   self.cluster.directory + "/scratch"], stderr=subprocess.DEVNULL)
        self.addCleanup(worker.wait)
        self.addCleanup(worker.kill)

        def names():
            return [each["name"] for each in self.cluster.json("workers")]

        wait_until(lambda: "revoked" in names(), what="the worker")
        self.revoke(keys)
        wait_until(lambda: "revoked" not in names(), what="its loss")
        self.assertEqual(self.echo(), "done")

    def test_a_key_table_that_goes_bad_ends_the_roles_with_the_reason(self):
        os.chmod(self.table, 0o640)
        for role in ("sink", "ventilator"):
            wait_until(lambda role=role: self.said(role, "others can read it"), what=f"the {role}'s reason")
        os.chmod(self.table, 0o600)
        self.cluster.wait_settled(0)
        wait_until(lambda: self.echo() == "done", what="the roles to start again")


if __name__ == "__main__":
    unittest.main()
