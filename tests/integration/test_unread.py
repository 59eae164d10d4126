"""What a peer that does not read may cost: it waits for nobody, and nobody waits for it."""

import hashlib
import os
import unittest

import zmq

from cluster import SANITIZER, wait_until
from fake_sink import GOLDEN
from keyed import Keyed
from test_security import head

MIB = 1 << 20
COST_MAX = 96 * MIB  # 64 MiB, and what an allocator keeps.


def memory(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096


class Unread(Keyed):
    def setUp(self):
        super().setUp()
        self.keys = self.join("observe")
        self.sink = self.cluster.pid("sink")

    def deaf(self, kind, place):
        """A socket that reads nothing: neither its owner does, nor libzmq in its place."""
        return self.connect(kind, self.file[place], self.keys, rcvhwm=1, rcvbuf=4096, linger=0,
                            sndtimeo=60_000)

    def fill_log(self, count):
        """`count` results of a megabyte each."""
        before = self.cluster.settled()
        self.cluster.submit([{"kind": "echo", "args": {"x": "A" * 1_000_000}}] * count)
        self.cluster.wait_settled(before + count)

    def check_cost(self, pid, before):
        if SANITIZER is None:
            self.assertLess(memory(pid) - before, COST_MAX)
        self.assertIn("done", self.cluster.eole("submit", "echo", "ok", "--wait").stdout)

    def test_answers_that_nobody_reads_have_a_bound(self):
        self.fill_log(1)
        before = memory(self.sink)
        deaf = self.deaf(zmq.DEALER, "queries")
        for request in range(200):
            deaf.send_multipart([head("read", request, 0, 0, 0, MIB), b""])
        asking = self.connect(zmq.DEALER, self.file["queries"], self.keys)
        for request in range(20):  # Answered beside it, and after most of the others.
            asking.send_multipart([head("read", request, 0, 0, 0, MIB), b""])
            self.assertTrue(asking.poll(60_000))
            self.assertGreater(len(asking.recv_multipart()[1]), 1_000_000)
        self.check_cost(self.sink, before)

    def test_a_ventilator_s_answers_that_nobody_reads_have_a_bound(self):
        self.keys = self.join("submit")
        self.cluster.submit([{"kind": "none has it", "project": "p" * 255}] * 1000)
        question = [head("query", 1, "tasks", 0, 0), b""]
        asking = self.connect(zmq.DEALER, self.file["ventilator"], self.keys)

        def ask():
            asking.send_multipart(question)
            self.assertTrue(asking.poll(60_000))
            return len(asking.recv_multipart()[1])

        size = ask()
        pid = self.cluster.pid("ventilator")
        before = memory(pid)
        deaf = self.deaf(zmq.DEALER, "ventilator")
        for _ in range(2 * COST_MAX // size):  # Each waits until there is room for it.
            deaf.send_multipart(question)
        deaf.send_multipart([head("submit", 7, 1, 0, "", 1), GOLDEN["task_group.record"]])  # Behind all that it asked.
        wait_until(lambda: self.cluster.status()["accepted"] > 1000, 180, "the last is handled")
        self.assertGreater(ask(), 0)
        self.check_cost(pid, before)

    def test_pieces_of_artifacts_that_nobody_reads_have_a_bound(self):
        data = os.urandom(MIB)
        path = os.path.join(self.cluster.directory, "data")
        with open(path, "wb") as file:
            file.write(data)
        submit = self.join("submit")
        giving = self.connect(zmq.DEALER, self.file["artifacts"], submit)
        digest = hashlib.sha256(data).hexdigest()
        giving.send_multipart([head("put", 1, digest, len(data), 0), data])
        self.assertTrue(giving.poll(60_000))
        before = memory(self.sink)
        self.keys = submit
        deaf = self.deaf(zmq.DEALER, "artifacts")
        for request in range(300):
            deaf.send_multipart([head("get", request, digest, 0, MIB), b""])
        giving.recv_multipart()
        for request in range(20):
            giving.send_multipart([head("get", request, digest, 0, MIB), b""])
            self.assertTrue(giving.poll(60_000))
            self.assertEqual(giving.recv_multipart()[1], data)
        self.check_cost(self.sink, before)

    def test_a_subscription_longer_than_any_topic_is_cut_off(self):
        greedy = self.connect(zmq.SUB, self.file["notifications"], self.keys, linger=0)
        honest = self.connect(zmq.SUB, self.file["notifications"], self.keys, linger=0)
        greedy.subscribe(b"x" * 20_000)
        for sock in greedy, honest:
            sock.subscribe(b"head")
        for _ in range(4):
            self.assertTrue(honest.poll(60_000))
            honest.recv_multipart()
        self.assertFalse(greedy.poll(0))


if __name__ == "__main__":
    unittest.main()
