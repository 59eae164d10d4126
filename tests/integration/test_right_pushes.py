"""What a key may push to the sink, where nothing is answered: each message counts from the role whose it is, and no other."""

import json
import pathlib
import sys
import unittest

import msgpack
import zmq

from cluster import wait_until
from fake_sink import result_run
from keyed import Keyed
from test_logs import line
from test_security import head

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "clients/python"))
import eole  # noqa: E402

ROLES = ("submit", "work", "settle", "observe", "admin")
RUN = 7000
DONE, CANCELLED = 1, 4
MADE_UP = 5  # An origin.
NONCE = 77
# Whom a message speaks for -> whose it is.
SPEAK = {"worker": {"work"}, "ventilator": {"settle"}, "sink": {"settle"}, "gateway": {"submit", "admin"},
         "relay": {"submit", "admin"}, "made-up": set()}
NEWS = {**dict.fromkeys(SPEAK, set()), "worker": {"work"}, "ventilator": {"settle"}}


class Pushes(Keyed):
    def setUp(self):
        super().setUp()
        self.keys = {role: self.join(role) for role in ROLES}
        self.pushes = {role: self.connect(zmq.PUSH, self.file["results"], keys, immediate=1, linger=0)
                       for role, keys in self.keys.items()}
        for role, sock in self.pushes.items():
            self.assertTrue(sock.poll(60_000, zmq.POLLOUT), role)  # It is let in: what it says arrives.

    def say(self, may, message):
        """Each role says its own message, first those whose it is not; behind them goes a task of somebody else."""
        for role in sorted(set(ROLES) - may):
            self.pushes[role].send_multipart(message(role))
        self.assertEqual(self.cluster.submit([{"kind": "echo"}], "--wait")[0]["state"], "done")
        for role in sorted(may):
            self.pushes[role].send_multipart(message(role))

    def logged(self, wanted):
        """What the log has, once it has this."""
        def values():
            found = [(each["id"], each["state"], each.get("value")) for each in self.cluster.log()]
            return found if wanted in found else None
        return wait_until(values, what=f"{wanted} in the log")

    def waiting_task(self):
        task = self.cluster.submit([{"kind": "none has it"}])[0]["id"]
        return task, *eole.records.parse_task_id(task)

    def test_results_are_those_of_workers(self):
        task, origin, seq = self.waiting_task()
        self.say({"work"}, lambda role: [head("results", RUN + ROLES.index(role), 1, 0, 1, role, origin),
                                         result_run(origin, seq, role, DONE)])
        self.logged((task, "done", "work"))

    def test_a_result_of_a_number_far_away_ends_no_ventilator(self):
        task, origin, seq = self.waiting_task()
        for at, far in enumerate((1 << 40, (1 << 64) - 1)):
            self.pushes["work"].send_multipart([head("results", RUN + at, 1, 0, 1, "w", origin), result_run(origin, far, "far")])
        self.pushes["work"].send_multipart([head("results", RUN + 2, 1, 0, 1, "w", origin), result_run(origin, seq, "near")])
        self.logged((task, "done", "near"))  # So the sink has seen the others.
        for role in ("ventilator", "sink"):  # What they start again from does not have them.
            self.cluster.kill(role)
            wait_until(lambda: self.cluster.eole("submit", "echo", "1", "--wait", check=False).returncode == 0, 60,
                       f"an echo after a restart of the {role}")
        self.assertNotIn("far", [each.get("value") for each in self.cluster.log()])

    def test_verdicts_are_those_of_a_ventilator(self):
        task, origin, seq = self.waiting_task()
        self.say({"settle"}, lambda role: [head("verdicts", origin, 1, 1000),
                                           result_run(origin, seq, role, CANCELLED if role == "settle" else DONE)])
        self.assertNotIn((task, "done"), [each[:2] for each in self.logged((task, "cancelled", "settle"))])

    def test_numbers_are_announced_by_a_ventilator(self):
        asking = self.connect(zmq.DEALER, self.file["queries"], self.keys["settle"], linger=0)
        asking.send_multipart([head("introduce", 1, MADE_UP, 1, NONCE, 0, 0, 1), bytes(12)])  # Nothing is settled.
        self.assertTrue(asking.poll(60_000))
        self.assertEqual(msgpack.unpackb(asking.recv_multipart()[0])[1], "introduced")
        self.pushes["work"].send_multipart([head("results", RUN, 1, 0, 1, "w", MADE_UP), result_run(MADE_UP, 1, "waited")])
        self.say({"settle"}, lambda role: [head("announce", MADE_UP, NONCE, 1, 0), b""])
        wanted = (eole.records.task_ids(MADE_UP, 1, 1)[0], "done", "waited")
        self.assertEqual(self.logged(wanted)[-1], wanted)  # Behind the other's: it waited for its ventilator.

    def say_as_each(self, table, message):
        """Each role speaks as each of the table; what is to be heard of it."""
        for speaker, may in table.items():
            self.say(may, lambda role, speaker=speaker: message(speaker, f"{speaker} by {role}"))
        return {f"{speaker} by {role}" for speaker, may in table.items() for role in may}

    def test_news_is_that_of_a_worker_or_a_ventilator(self):
        listener = self.connect(zmq.SUB, self.file["notifications"], self.keys["observe"], linger=0)
        listener.subscribe(b"json.")
        listener.subscribe(b"head")

        def heard():
            self.assertTrue(listener.poll(30_000))
            return listener.recv_multipart()

        wait_until(lambda: (frames := heard())[0] == b"head" and msgpack.unpackb(frames[1])[4], what="news is wanted")
        wanted = self.say_as_each(NEWS, lambda speaker, name: [
            head("news", speaker), msgpack.packb([{"event": "joined", "about": "worker", "name": name}])])
        names = set()
        while not wanted <= names:
            frames = heard()
            if frames[0].startswith(b"json."):
                names.add(json.loads(frames[-1])["subject"])
        self.assertEqual({name for name in names if " by " in name}, wanted)

    def test_a_key_logs_as_what_it_is_for(self):
        wanted = self.say_as_each(SPEAK, lambda speaker, name: [head("log_lines", speaker, name, 0), line("said")])

        def names():
            found = {each["name"] for each in self.cluster.json("logs", "-n", 1000) if each["text"] == "said"}
            return found if wanted <= found else None
        self.assertEqual(wait_until(names, what=wanted), wanted)


if __name__ == "__main__":
    unittest.main()
