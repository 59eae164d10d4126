"""Events as anybody's subscriber hears them, and topics that are chosen by a pattern."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import unittest

import msgpack
import zmq
from cluster import BIN, Cluster, wait_until

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "clients/python"))
import eole  # noqa: E402
from eole.connection import read_cluster_file  # noqa: E402

PATIENCE_MS = 30_000


class Subscriber:
    """A SUB socket on some topics, that is heard once this returns."""

    def __init__(self, cluster, *topics):
        path = cluster.directory + "/eole/cluster.toml"
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.SUB)
        self.socket.connect(read_cluster_file(path)["notifications"])
        for topic in (*topics, "head"):
            self.socket.subscribe(topic)
        self.waiting = []
        self.next(b"head")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.destroy(linger=0)

    def next(self, topic=None):
        """The next message that is of this topic, or none of the log's head."""
        while self.socket.poll(PATIENCE_MS):
            frames = self.socket.recv_multipart()
            if (frames[0] == b"head") == (topic == b"head"):
                return frames
        raise AssertionError("nothing was heard")


class Events(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster("--allow-exec", workers=1, slots=2))

    def test_a_result_is_one_json_object_under_its_topic(self):
        with Subscriber(self.cluster, "json.news.") as subscriber:
            topics = set()
            while b"json.news.echo.accepted" not in topics:  # The ventilator hears a little later that somebody listens.
                [task] = self.cluster.submit([{"kind": "echo", "args": {"value": {"a": [1, "é"]}}, "project": "news"}])
                event = {}
                while event.get("type") != "eole.task.done" or event["subject"] != task["id"]:
                    topic, body = subscriber.next()
                    topics.add(topic)
                    event = json.loads(body)
            self.assertEqual(topic, b"json.news.echo.done")
            [shown] = [line for line in self.cluster.log() if line["id"] == task["id"]]
            self.assertEqual({name: event["data"][name] for name in event["data"]},
                             {name: shown[name] for name in event["data"]})
            self.assertEqual(event["data"]["value"], {"value": {"a": [1, "é"]}})
            self.assertEqual((event["specversion"], event["type"], event["subject"], event["time"]),
                             ("1.0", "eole.task.done", task["id"], shown["finished"]))
            self.assertRegex(event["source"], "^/eole/log/[0-9a-f]{16}$")
            self.assertEqual(event["id"], f"{event['source'][-16:]}-{shown['offset']}")

    def test_both_writings_say_the_same_and_other_topics_are_not_heard(self):
        with Subscriber(self.cluster, "json.both.exec.failed", "event.both.exec.failed") as subscriber:
            self.cluster.submit([{"kind": "echo", "args": {"value": 1}, "project": "both"},
                                 {"kind": "exec", "args": {"argv": ["false"]}, "project": "both"}])
            heard = dict(subscriber.next() for _ in range(2))
            self.assertEqual(set(heard), {b"json.both.exec.failed", b"event.both.exec.failed"})
            self.assertEqual(json.loads(heard[b"json.both.exec.failed"]),
                             msgpack.unpackb(heard[b"event.both.exec.failed"]))

    def test_a_name_with_dots_is_one_word_of_the_topic(self):
        with Subscriber(self.cluster, "json.a%2Eb%25.") as subscriber:
            heard = set()
            while len(heard) < 2:  # The ventilator hears a little later that somebody listens.
                self.cluster.submit([{"kind": "echo", "args": {"value": 1}, "project": "a.b%"},
                                     {"kind": "echo", "args": {"value": 2}, "project": "a"}])
                heard.add(subscriber.next()[0])
            self.assertEqual(heard, {b"json.a%2Eb%25.echo.accepted", b"json.a%2Eb%25.echo.done"})

    def test_projects_and_workers_are_told_of_while_it_happens(self):
        with Subscriber(self.cluster, "json.told.%project", "json..%worker") as subscriber:
            self.cluster.eole("project", "open", "told", "--expect", 1)
            event = json.loads(subscriber.next()[1])
            self.assertEqual((event["type"], event["subject"], event["data"]),
                             ("eole.project.created", "told", {"project": "told", "state": "created"}))
            self.cluster.submit([{"kind": "echo", "args": {"value": 1}, "project": "told"}])
            topic, body = subscriber.next()
            self.assertEqual(topic, b"json.told.%project.over")
            over = json.loads(body)
            # It is in the log, where who missed it reads it: the end of the project's last task.
            [last] = self.cluster.json("watch", "--from", over["data"]["offset"], "--count", 1)
            self.assertEqual([last[name] for name in ("id", "kind", "project", "state", "value")],
                             [over["data"]["last"], "over", "told/collect", "done",
                              {"project": "told", "all_done": True}])
            self.assertEqual((over["type"], over["subject"], over["data"]["last_state"]),
                             ("eole.project.over", "told", "done"))
            self.cluster.kill("worker")
            heard = {subscriber.next()[0].split(b".")[-1] for _ in range(2)}
            self.assertEqual(heard, {b"lost", b"joined"})

    def heard(self, subscriber, task):
        """The first event, once whoever tells it has heard that somebody listens."""
        for _ in range(100):
            self.cluster.submit([task])
            if subscriber.socket.poll(300):
                return json.loads(subscriber.next()[1])
        raise AssertionError("nothing was heard")

    def test_what_a_slot_starts_is_an_event(self):
        with Subscriber(self.cluster, "json.begins.exec.started") as subscriber:
            event = self.heard(subscriber, {"kind": "exec", "args": {"argv": ["true"]}, "project": "begins"})
            self.assertEqual((event["type"], event["data"]["attempt"], "offset" in event["data"]),
                             ("eole.task.started", 1, False))
            self.assertEqual(self.cluster.json("result", event["subject"])[0]["worker"], event["data"]["worker"])

    def test_a_limit_that_holds_tasks_is_an_event(self):
        with Subscriber(self.cluster, "json.held.%limit") as subscriber:
            self.cluster.eole("limit", "set", "project:held", "--running", 1)
            event = self.heard(subscriber, {"kind": "exec", "args": {"argv": ["sleep", "1"]}, "project": "held"})
            self.assertEqual((event["type"], event["subject"]), ("eole.limit.reached", "cap"))
            self.assertIn("project:held has 1", event["data"]["reason"])

    def test_a_worker_that_falls_silent_is_told_as_suspect(self):
        with Subscriber(self.cluster, "json..%worker") as subscriber:
            pid = self.cluster.kill("worker", signal.SIGSTOP)
            try:
                self.assertEqual(subscriber.next()[0], b"json..%worker.suspect")
            finally:
                os.kill(pid, signal.SIGCONT)
            wait_until(lambda: [worker["state"] for worker in self.cluster.json("workers")] == ["ready"])

    def test_what_a_task_prints_is_an_event(self):
        with Subscriber(self.cluster, "json.prints.exec.output") as subscriber:
            [task] = self.cluster.submit([{"kind": "exec", "args": {"argv": ["echo", "hello"]}, "project": "prints"}])
            event = json.loads(subscriber.next()[1])
            self.assertEqual((event["subject"], event["data"]["stream"], event["data"]["output"]),
                             (task["id"], "stdout", "hello\n"))

    def test_watch_prints_what_happens_beside_the_ends(self):
        with subprocess.Popen([BIN / "eole", "watch", "--events", "--json"], env=self.cluster.env,
                              stdout=subprocess.PIPE, text=True) as watching:
            try:
                seen = set()
                os.set_blocking(watching.stdout.fileno(), False)
                while not {"eole.task.accepted", "done"} <= seen:
                    self.cluster.submit([{"kind": "echo", "args": {"value": 1}, "project": "seen"}])
                    for line in iter(watching.stdout.readline, ""):
                        event = json.loads(line)
                        seen.add(event.get("type", event.get("state")))
            finally:
                watching.terminate()

    def test_a_topic_is_chosen_by_a_pattern_from_the_log_and_live(self):
        self.cluster.submit([{"kind": "echo", "args": {"value": number}, "project": project}
                             for number, project in enumerate(("shop/a", "other", "shop/b", "shop"))])
        self.cluster.wait_settled(len(self.cluster.log()))
        wait_until(lambda: len([line for line in self.cluster.log() if line["project"] == "shop"]) == 1)
        shown = self.cluster.json("watch", "--from", 0, "--topic", "shop/*/echo/done", "--count", 2)
        self.assertEqual(sorted(line["project"] for line in shown), ["shop/a", "shop/b"])
        with eole.Cluster(self.cluster.directory + "/eole/cluster.toml") as client:
            read = client.results(offset=0, timeout=30, topic="shop/#")
            self.assertEqual(sorted(next(read).project for _ in range(3)), ["shop", "shop/a", "shop/b"])
            self.cluster.submit([{"kind": "echo", "args": {"value": 7}, "project": project}
                                 for project in ("other", "shop/live")])
            self.assertEqual(next(read).project, "shop/live")
        done = self.cluster.eole("watch", "--topic", "sh*p/#", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("sh*p: * and # stand for words", done.stderr)


if __name__ == "__main__":
    unittest.main()
