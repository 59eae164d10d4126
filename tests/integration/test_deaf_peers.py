"""Peers that are away, deaf or too many: each costs a bounded amount of memory, and nobody else anything."""

import itertools
import os
import signal
import socket
import subprocess
import unittest
import urllib.parse

import msgpack
import zmq

from cluster import BIN, SANITIZER, Cluster, wait_until
from fake_sink import GOLDEN
from keyed import Keyed
from test_bounds import MIB, peak_bytes
from test_security import head

COST_MAX = 96 * MIB  # 64 MiB, and what an allocator keeps.
LARGE = {"kind": "echo", "args": {"x": "A" * 1_000_000}}


class Deaf(Keyed):
    def check(self, pid, before):
        if SANITIZER is None:
            self.assertLess(peak_bytes(pid) - before, COST_MAX)
        self.assertIn("done", self.cluster.eole("submit", "echo", "ok", "--wait").stdout)

    def deaf(self, kind, place, keys, **options):
        return self.connect(kind, place, keys, rcvhwm=1, rcvbuf=4096, linger=0, **options)

    def test_a_subscriber_that_reads_nothing(self):
        deaf = self.deaf(zmq.SUB, self.file["notifications"], self.join("observe"))
        deaf.subscribe(b"")
        self.assertTrue(deaf.poll(20_000))  # It is connected, and takes no more than fits it.
        self.cluster.submit([LARGE], "--wait")
        sink = self.cluster.pid("sink")
        before = peak_bytes(sink)
        self.cluster.submit([LARGE] * 200)
        self.cluster.wait_settled(201)
        self.check(sink, before)

    def test_a_worker_that_grants_much_and_reads_nothing(self):
        """What is on the way to one worker is bounded in bytes, however much credit it grants."""
        self.cluster.submit([{"kind": "theirs", "args": {"x": "A" * 1_000_000}}] * 150)
        work = self.join("work")
        ventilator = self.cluster.pid("ventilator")
        control = self.connect(zmq.DEALER, self.file["ventilator"], work, linger=0)
        control.send_multipart([head("hello", 77, 1, 0, 0, 0, "deaf", 1, 1, "theirs", "", ""), b""])
        self.assertTrue(control.poll(20_000))
        welcome = msgpack.unpackb(control.recv_multipart()[0])
        pipe = self.deaf(zmq.PULL, welcome[6], work)
        before = peak_bytes(ventilator)
        beats = itertools.count(1)

        def has_all():
            control.send_multipart([head("beat", welcome[2], 77, 1, next(beats), 0, 1 << 16), b""])
            return self.cluster.status()["running"] == 150

        wait_until(has_all, what="all leased to it")
        self.assertTrue(pipe.poll(20_000))
        self.check(ventilator, before)


class Away(unittest.TestCase):
    def test_an_absent_sink_costs_a_worker_and_the_ventilator_little(self):
        with Cluster(workers=0) as cluster:
            cluster.submit([LARGE] * 150)
            ventilator = cluster.pid("ventilator")
            before = peak_bytes(ventilator)
            sink = cluster.kill("sink", signal.SIGSTOP)
            worker = subprocess.Popen([BIN / "worker", "--cluster", f"{cluster.directory}/eole/data/worker.toml",
                                       "--name", "away"], env=cluster.env, stderr=subprocess.DEVNULL)
            try:
                wait_until(lambda: sum(each["held"] for each in cluster.json("workers")) >= 30, what="results that wait")
                if SANITIZER is None:
                    self.assertLess(peak_bytes(worker.pid), COST_MAX + 32 * MIB)  # With all that a worker is.
                    self.assertLess(peak_bytes(ventilator) - before, COST_MAX)
                os.kill(sink, signal.SIGCONT)
                cluster.wait_settled(150)
            finally:
                os.kill(sink, signal.SIGCONT)
                worker.terminate()
                worker.wait(30)


class Files(unittest.TestCase):
    def test_strangers_who_take_every_connection_leave_the_roles_their_own_files(self):
        with Cluster("--listen", "127.0.0.1", workers=1, prefix=["prlimit", "--nofile=512:512"]) as cluster:
            pids = {role["role"]: role["pid"] for role in cluster.status()["roles"]}
            address = urllib.parse.urlparse(self.endpoint(cluster))
            strangers = []
            self.addCleanup(lambda: [one.close() for one in strangers])

            def full():
                for _ in range(16):  # Who says nothing is cut off in the end: they come faster than that.
                    strangers.append(socket.create_connection((address.hostname, address.port), timeout=20))
                return len(os.listdir(f"/proc/{pids['ventilator']}/fd")) >= 256

            wait_until(full, 60, "as many connections as there may be")
            cluster.kill("worker", signal.SIGKILL)  # The next one's pipe needs descriptors, too.
            for one in strangers:
                one.close()
            strangers.clear()
            self.assertIn("done", cluster.eole("submit", "echo", "ok", "--wait").stdout)
            now = {role["role"]: role["pid"] for role in cluster.status()["roles"]}
            for role in ("ventilator", "sink"):
                self.assertEqual(now[role], pids[role])

    @staticmethod
    def endpoint(cluster):
        with open(f"{cluster.directory}/eole/cluster.toml", encoding="utf-8") as file:
            return next(line.split("'")[1] for line in file if line.startswith("ventilator"))


class Connections(Keyed):
    """A good key, in many connections."""

    prefix = ("prlimit", "--nofile=256:256")

    @unittest.skipIf(SANITIZER, "a sanitizer looks at memory through a pipe, and takes none for damage")
    def test_more_of_them_than_a_role_may_have_leave_those_that_are_there_served(self):
        ventilator, sink = (self.cluster.pid(role) for role in ("ventilator", "sink"))
        before = peak_bytes(ventilator)
        submit = self.join("submit")
        honest = self.connect(zmq.DEALER, self.file["ventilator"], submit, linger=0)
        question = [head("query", 1, "status", 0, 0), b""]

        def ask(sock):
            sock.send_multipart(question)
            self.assertTrue(sock.poll(60_000))
            return msgpack.unpackb(sock.recv_multipart()[1])

        ask(honest)
        reading = self.connect(zmq.DEALER, self.file["queries"], submit, linger=0)
        working = self.connect(zmq.DEALER, self.file["ventilator"], self.join("work"), linger=0)
        working.send_multipart([head("hello", 77, 1, 0, 0, 0, "w", 1, 1, "theirs", "", ""), b""])
        self.assertTrue(working.poll(60_000))
        working.recv_multipart()
        many = [self.connect(zmq.DEALER, self.file["ventilator"], submit, linger=0, reconnect_ivl=2000) for _ in range(220)]
        for sock in many:
            sock.send_multipart(question)
        wait_until(lambda: sum(bool(sock.poll(0)) for sock in many) >= 100, 180, "answers to those that fit")
        wait_until(lambda: len(os.listdir(f"/proc/{ventilator}/fd")) >= 180, 180, "as many connections as there may be")
        honest.send_multipart([head("submit", 7, 1, 0, "", 1), GOLDEN["task_group.record"]])
        self.assertTrue(honest.poll(60_000))
        self.assertEqual(msgpack.unpackb(honest.recv_multipart()[0])[1], "accepted")
        wait_until(lambda: ask(reading)["settled"] == 1, 60, "the worker that is there does it")
        working.send_multipart([head("hello", 78, 1, 0, 0, 0, "w", 1, 1, "theirs", "", ""), b""])
        self.assertTrue(working.poll(60_000))  # Its pipe needs descriptors, too.
        self.assertEqual(msgpack.unpackb(working.recv_multipart()[0])[1], "welcome")
        if SANITIZER is None:
            self.assertLess(peak_bytes(ventilator) - before, COST_MAX)
        for sock in many:
            sock.close()
        self.assertIn("done", self.cluster.eole("submit", "echo", "ok", "--wait").stdout)
        self.assertEqual([self.cluster.pid(role) for role in ("ventilator", "sink")], [ventilator, sink])


class Topics(Keyed):
    def test_a_subscriber_with_endless_topics_is_cut_off_and_others_hear_on(self):
        keys = self.join("observe")
        greedy = self.connect(zmq.SUB, self.file["notifications"], keys, linger=0, sndhwm=0)
        sink = self.cluster.pid("sink")
        before = peak_bytes(sink)
        for number in range(3000):
            greedy.subscribe(b"%d" % number + b"x" * 900)
        self.assertIn("done", self.cluster.eole("submit", "echo", "ok", "--wait").stdout)
        log = f"{self.cluster.directory}/eole/data/logs/sink.log"

        def is_told():
            with open(log, encoding="utf-8") as file:
                return "bytes of topics, limit 1048576" in file.read()

        wait_until(is_told, what="all subscribers to be cut off")
        greedy.close()
        self.assertIn("done", self.cluster.eole("submit", "echo", "ok", "--wait").stdout)
        if SANITIZER is None:
            self.assertLess(peak_bytes(sink) - before, 512 * MIB)


if __name__ == "__main__":
    unittest.main()
