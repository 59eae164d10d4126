"""Handlers that are not tasks: what they return from is committed, what they fail at is tried again, and then a dead letter."""

import collections
import json
import pathlib
import signal
import subprocess
import sys
import types
import unittest

from cluster import Cluster, wait_until

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "clients/python"))
import eole  # noqa: E402


class Consume(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.running = cls.enterClassContext(Cluster(workers=2, slots=2))

    def setUp(self):
        self.cluster = self.enterContext(eole.Cluster(pathlib.Path(self.running.directory, "eole/cluster.toml")))

    def submit(self, numbers, **words):
        ids = self.cluster.submit("echo", [{"n": n} for n in numbers], **words)
        return {result.value["n"]: result.id for result in self.cluster.results(ids)}

    def consumer(self, group, fails=(), dies=""):
        return subprocess.Popen([sys.executable, HERE / "consumer.py", group, self.path(group), json.dumps(fails), str(dies)],
                                env=self.running.env, stdout=subprocess.DEVNULL)

    def run_one(self, *arguments, **options):
        return self.consumer(*arguments, **options).wait(120)

    def path(self, group):
        return pathlib.Path(self.running.directory, f"{group}.calls")

    def calls(self, group):
        """How often each was done, and failed."""
        told = [line.split() for line in self.path(group).read_text("ascii").splitlines()]
        return tuple(collections.Counter(int(n) for n, how in told if how == wanted) for wanted in ("done", "failed"))

    def unread(self, group):
        return next(each for each in self.cluster.groups() if each["group"] == group)["lag_records"]

    def test_what_fails_is_tried_again_and_then_listed_and_given_back(self):
        self.cluster.create_group("once", "earliest")
        ids = self.submit(range(10), project="once", key="in order")
        self.assertEqual(self.run_one("once", fails=[3, 7]), 0)
        done, failed = self.calls("once")
        self.assertEqual((done, failed), ({n: 1 for n in range(10) if n not in (3, 7)}, {3: 2, 7: 2}))
        self.assertEqual(self.unread("once"), 0)
        letters = self.running.json("group", "dead", "once")
        self.assertEqual([letter["id"] for letter in letters], [each["id"] for each in self.cluster.dead_of_group("once")])
        self.assertRegex(letters[0]["error"], "group once: 2 tries: ValueError: 3 fails in process")
        shown = self.running.json("dead", "show", letters[0]["id"])[0]["task"]["args"]
        self.assertEqual((shown["id"], shown["key"], shown["project"], shown["state"]), (ids[3], "in order", "once", "done"))
        # One through Python, which fails again, and then all that there are by the command.
        self.assertEqual(self.cluster.retry_group("once", letters[0]["id"]), [letters[0]["id"]])
        self.run_one("once", fails=[3])
        self.assertEqual(self.calls("once")[1][3], 4)
        self.running.eole("group", "retry", "once")
        self.run_one("once")
        self.assertEqual(self.calls("once")[0], {n: 1 for n in range(10)})
        self.assertEqual(self.running.json("group", "dead", "once"), [])
        for word in ("dead", "retry"):
            nobody = self.running.eole("group", word, "nope", check=False)
            self.assertEqual((nobody.returncode, nobody.stderr), (2, "eole: group nope: there is none\n"))
        refused = self.running.eole("group", "retry", "once", ids[1], check=False)
        self.assertIn("no dead letter of once/dead", refused.stderr)
        self.assertRaisesRegex(eole.NotFound, "no dead letter", lambda: self.cluster.retry_group("once", [ids[1]]))

    def test_one_that_is_killed_behind_its_letter_writes_it_once(self):
        self.cluster.create_group("letter", "earliest")
        self.submit(range(5), project="letter")
        self.assertEqual(self.run_one("letter", fails=[2], dies="letter"), -signal.SIGKILL)
        wait_until(lambda: len(list(self.cluster.dead_of_group("letter"))) == 1, 60, "the letter's end")
        wait_until(lambda: self.run_one("letter", fails=[2]) == 0 and self.unread("letter") == 0, 60, "all is committed")
        self.assertGreater(self.calls("letter")[1][2], 2)
        self.assertEqual(len(list(self.cluster.dead_of_group("letter"))), 1)

    def test_what_cannot_be_called_is_no_handler(self):
        with self.assertRaisesRegex(TypeError, "'print' cannot be called"):
            self.cluster.consume("nobody", "print", create_from="earliest", timeout=1)

    def test_a_letter_that_is_refused_for_days_is_no_end(self):
        consumer = object.__new__(eole.consuming.Consumer)
        consumer._backoff, consumer._group = 0.0, types.SimpleNamespace(holds=lambda place: True)
        self.assertTrue(consumer._may_go_on(5000, None))

    def test_it_waits_as_long_as_its_letter_is_refused(self):
        self.cluster.create_group("refused", "latest")
        self.cluster.open_project("refused/dead")
        self.cluster.close_project("refused/dead")
        self.submit([5], project="refused")
        consumer = self.consumer("refused", fails=[5])
        self.addCleanup(consumer.wait)
        self.addCleanup(consumer.kill)
        wait_until(lambda: self.path("refused").exists() and self.calls("refused")[1][5] == 2, what="it gives up")
        self.cluster.open_project("refused/dead", again=True)
        wait_until(lambda: list(self.cluster.dead_of_group("refused")), what="its letter is there")
        wait_until(lambda: self.unread("refused") == 0, what="it is committed")

    def test_nothing_is_lost_whoever_is_killed_and_wherever(self):
        self.cluster.create_group("chaos", "earliest")
        fails = list(range(0, 200, 20))
        self.submit(range(100), project="chaos")
        for dies in (1, 9, "letter"):
            self.assertEqual(self.run_one("chaos", fails=fails, dies=dies), -signal.SIGKILL)
        self.submit(range(100, 200), project="chaos")
        before = self.path("chaos").stat().st_size
        first, second = self.consumer("chaos", fails=fails), self.consumer("chaos", fails=fails)
        wait_until(lambda: self.path("chaos").stat().st_size > before, what="they are at it")
        self.running.kill("sink")
        self.running.kill("ventilator")
        first.kill()
        first.wait()
        second.wait(120)
        wait_until(lambda: self.running.settled() >= 0, what="all roles are back")
        wait_until(lambda: self.run_one("chaos", fails=fails) == 0 and self.unread("chaos") == 0, 60, "all is committed")
        done, _ = self.calls("chaos")
        dead = [self.running.json("dead", "show", letter["id"])[0]["task"]["args"]["id"]
                for letter in self.cluster.dead_of_group("chaos")]
        of_record = {self.cluster.result(each).value["n"] for each in dead}
        self.assertEqual({*done} | of_record, {*range(200)})
        self.assertEqual(of_record, {*fails})
        self.assertEqual(len(dead), len(fails))

    def test_a_body_of_any_sort_comes_back_as_it_was(self):
        self.cluster.create_group("odd", "earliest", partitions=1)
        values = [b"\xff\xfe", "x" * 950_000, [[1.5, None]], {"a": b"\0"}]
        ids = self.cluster.submit("echo", values, project="odd")
        list(self.cluster.results(ids))
        seen = collections.defaultdict(list)

        def handler(record):
            seen[record.id].append(record.value)
            if len(seen[record.id]) < 3:
                raise ValueError("not yet")
        options = {"tries": 2, "backoff": 0.01, "topic": "odd/#", "timeout": 1}
        self.assertEqual(self.cluster.consume("odd", handler, **options), 4)
        self.assertEqual(len(self.cluster.retry_group("odd")), 4)
        self.assertEqual(self.cluster.consume("odd", handler, **options), 4)
        self.assertEqual([seen[task] for task in ids], [[value] * 3 for value in values])


if __name__ == "__main__":
    unittest.main()
