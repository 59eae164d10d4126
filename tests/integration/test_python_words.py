"""What Python says of tasks: when, in what order, after which others; alone, and as lists of whole tasks."""

import datetime
import os
import pathlib
import sys
import tempfile
import time
import unittest

import msgpack
from cluster import Cluster

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "clients/python"))
import eole  # noqa: E402
from eole import graph, submission, words  # noqa: E402
from eole.retry import words_of_class  # noqa: E402
from eole.submission import encoded_class  # noqa: E402


def groups(payload):
    """(class, [(conditions, args), …]) of each group of a message."""
    at, found = 0, []
    while at < len(payload):
        of_class, flag, count, size = submission.GROUP.unpack_from(payload, at)
        at += submission.GROUP.size
        head = msgpack.unpackb(payload[at:at + of_class])
        at, end, specs = at + of_class, at + of_class + size, []
        while at < end:
            assert payload[at] == flag
            (args,), at, waits = submission.SIZE.unpack_from(payload, at + 1), at + 5, []
            if flag:
                (waits_for,) = submission.CONDITIONS_SIZE.unpack_from(payload, at)
                waits = msgpack.unpackb(payload[at + 2:at + 2 + waits_for], unicode_errors="surrogateescape")[2:]
                at += 2 + waits_for
            specs.append((waits, msgpack.unpackb(payload[at:at + args])))
            at += args
        assert len(specs) == count
        found.append((head[2:], specs))
    return found


def packed(args=({},), **said):
    [(payload, _, _)] = submission.messages_of("echo", list(args), "", False, 0, "", 1024, said)
    return groups(payload)


def packed_graph(tasks, key="", id_at=None, **preset):
    return [groups(payload) for payload, _, _ in graph.messages_of_graph(*graph.graph_of(tasks, preset), key, id_at)]


class Wire(unittest.TestCase):
    """No cluster: bytes."""

    def test_plain_tasks_have_no_conditions(self):
        self.assertEqual(packed([{"n": 1}, {"n": 2}]), [(["echo"], [([], {"n": 1}), ([], {"n": 2})])])
        self.assertEqual(packed(priority=0, delay=0, after=[], needs={}, spread=False), [(["echo"], [([], {})])])

    def test_each_word_has_its_place(self):
        for said, want in (({"priority": 9}, ["echo", "", 0, 0, 9]),
                           ({"timeout": "1.5s"}, ["echo", "", 0, 0, 0, 0, 0, "", 1500]),
                           ({"needs": {"mem": "64G", "gpu": "a100"}}, ["echo", "", 0, 0, 0, 0, 0, "", 0, "gpu=a100,mem=64G"]),
                           ({"pin": "w1"}, ["echo", "", 0, 0, 0, 0, 0, "", 0, "", "pin=w1"]),
                           ({"prefer": "w1"}, ["echo", "", 0, 0, 0, 0, 0, "", 0, "", "prefer=w1"]),
                           ({"spread": True}, ["echo", "", 0, 0, 0, 0, 0, "", 0, "", "spread"]),
                           ({"speculate": True}, ["echo", "", 0, 0, 0, 0, 0, "", 0, "", "", 1]),
                           ({"on_parent_failure": "run"}, ["echo", "", 0, 0, 0, 0, 0, "", 0, "", "", 0, 2])):
            self.assertEqual(packed(**said), [(want, [([], {})])])
        date = datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.timezone.utc)
        for said, want in (({"key": "k"}, ["k"]), ({"delay": 0.25}, ["", 250]), ({"delay": "2h"}, ["", 7_200_000]),
                           ({"delay": datetime.timedelta(minutes=1)}, ["", 60_000]),
                           ({"not_before": "5m"}, ["", 300_000]), ({"not_before": date}, ["", 0, 1769860800000]),
                           ({"not_before": "2026-01-31T13:00:00.5+01:00"}, ["", 0, 1769860800500]),
                           ({"not_before": 1769860800}, ["", 0, 1769860800000]),
                           ({"expires": 60}, ["", 0, 0, 60_000]), ({"expires": date}, ["", 0, 0, 0, 1769860800000])):
            self.assertEqual(packed(**said), [(["echo"], [(want, {})])], said)
        self.assertEqual(packed([1, 2], key="k"), [(["echo"], [(["k"], 1), (["k"], 2)])])

    def test_parents_are_stretches(self):
        [(_, [(waits, _)])] = packed(after=[["003rj0-5", "003rj0-6"], "003rj0-7", "003rj0-9", "project:p"])
        one = words.BY_ID.pack(1, 123456, 5, 3) + words.BY_ID.pack(1, 123456, 9, 1) + b"\x03\x01p"
        self.assertEqual(waits[-1].encode(errors="surrogateescape"), one)

    def test_names_become_distances_in_a_message_and_ids_behind_it(self):
        tasks = [{"name": str(n), "kind": "echo", "args": {"n": n}} for n in range(4)]
        tasks.append({"kind": "echo", "after": ["0", "1", "3"], "args": {"x": {"$result": "2", "path": "n"}}})
        [[(_, plain), (_, [(waits, args)])]] = packed_graph(tasks)
        self.assertEqual((len(plain), args), (4, {"x": {"$result": 3, "path": "n"}}))
        self.assertEqual(waits[-1].encode(errors="surrogateescape"),
                         b"".join(words.BACK.pack(2, back, 1) for back in (4, 3, 1, 2)))
        large = [{"name": "a", "kind": "echo", "args": "x" * 600_000}, {"kind": "echo", "args": "y" * 600_000, "after": "a"}]
        _, [(_, [(waits, _)])] = packed_graph(large, id_at=lambda place: (7, 40 + place))
        self.assertEqual(waits[-1].encode(errors="surrogateescape"), words.BY_ID.pack(1, 7, 40, 1))
        self.assertEqual(len(packed_graph(large, key="all in one")), 1)

    def test_a_class_is_read_back_as_it_was_said(self):
        for said in ({}, {"project": "p", "priority": 3, "pin": "w1"}, {"spread": True, "needs": {"mem": "64G", "gpu": "a"}},
                     {"retry": {"attempts": 3, "backoff": 0.25, "backoff_max": 60, "on": "exit:75,signal"}},
                     {"retry": True, "attempts": 2, "timeout": 1.5, "speculate": True, "on_parent_failure": "run"}):
            encoded = encoded_class({"kind": "echo", **said}, {})
            self.assertEqual(encoded_class(words_of_class(encoded), {}), encoded, said)

    def test_bad_words_are_named(self):
        for said, error in (({"prioriti": 1}, "prioriti: not a word of a task; did you mean priority?"),
                            ({"priority": 10}, "priority: 10 is no whole number from 0 to 9"),
                            ({"delay": -1}, "delay: -1 is no span of time"),
                            ({"delay": "soon"}, "delay: 'soon' is no span"), ({"expires": 0}, "expires: must be in the future"),
                            ({"not_before": "2026-02-30T12:00:00Z"}, "is no time"), ({"key": "k" * 256}, "key of 256 bytes"),
                            ({"after": "nobody"}, "after nobody: no task of that name, and no id"), ({"after": 5}, "after: 5"),
                            ({"on_parent_failure": "cry"}, "must be fail, skip or run"), ({"needs": {"a": "b,c"}}, "needs: 'a'"),
                            ({"pin": "a", "spread": True}, "pin and spread: one of them"), ({"retry": {"x": 1}}, "retry: 'x'"),
                            ({"retry": -1}, "retry: -1: must be True, False, or a dict of attempts, backoff, backoff_max and on"),
                            ({"retry": 0}, "retry: 0: must be True"), ({"attempts": True}, "attempts: True is no whole number"),
                            ({"speculate": 2}, "speculate: 2: must be True or False"), ({"spread": 1}, "spread: 1: must be True"),
                            ({"retry": {"on": "exit:300"}}, "exit has a number from 1 to 255"),
                            ({"timeout": "99d"}, "timeout: '99d': limit"), ({"delay": float("nan")}, "delay: nan")):
            with self.subTest(said), self.assertRaisesRegex(eole.BadTask, error.replace("?", r"\?")):
                packed_graph([{"kind": "echo", **said}])

    def test_bad_graphs_are_told_by_name_before_anything_is_sent(self):
        def task(name, *after):
            return {"kind": "echo", "name": name, "after": list(after)}

        for tasks, error in (([task("a", "a")], "task 0: after a: a task cannot wait for itself"),
                             ([task("a", "b"), task("b")], "task 0: after b: comes later; put that task before this"),
                             ([task("a", "c"), task("b", "a"), task("c", "b")], "task 0: after c: a cycle"),
                             ([task("a"), task("a")], "task 1: name a: another task has it"),
                             ([{"kind": "echo", "args": {"$result": "x"}}], "after x: no task of that name"),
                             ([{"args": 1}], "kind is missing"),
                             ([{"kind": "echo", "args": {"a": float("inf")}}], "task 0: a: inf is no"),
                             ([5], "is no dict"),
                             ([task(str(n), "x") for n in range(30)], "and 10 more"),
                             ([task(str(n)) for n in range(1025)] +
                              [{"kind": "echo", "args": [{"$result": str(n)} for n in range(1025)]}],
                              "after: 1025 tasks, limit 1024")):
            with self.subTest(error), self.assertRaisesRegex(eole.BadTask, error):
                packed_graph(tasks)


class Words(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster("--allow-exec", workers=2, slots=2))

    def setUp(self):
        self.client = self.enterContext(eole.Cluster(f"{self.cluster.directory}/eole/cluster.toml"))

    def results(self, ids):
        found = {result.id: result for result in self.client.results(ids, timeout=60)}
        return [found[each] for each in ids]

    def test_tasks_of_one_key_run_in_their_order(self):
        with tempfile.TemporaryDirectory() as files:
            path = os.path.join(files, "said")
            self.results(self.client.submit("exec", [{"shell": f"echo {n} >> {path}"} for n in range(40)], key="k"))
            with open(path, encoding="ascii") as file:
                self.assertEqual(file.read().split(), [str(n) for n in range(40)])

    def test_a_delayed_task_runs_late_and_one_that_expires_does_not(self):
        begin = time.time()
        late = self.client.submit("echo", {}, delay="1s")
        gone = self.client.submit("echo", {}, delay=3600, expires=1)
        self.assertGreaterEqual(self.results(late)[0].finished - begin, 0.99)
        self.assertEqual(self.results(gone)[0].state, "cancelled")

    def test_results_go_on_over_submits_and_within_one(self):
        first = self.client.submit("echo", [{"n": n} for n in range(20)])
        [joined] = self.client.submit([{"kind": "echo", "args": {"all": [{"$result": each, "path": "n"} for each in first]}}])
        self.assertEqual(self.results([joined])[0].value, {"all": list(range(20))})
        taken = self.client.submit("echo", {"x": {"$result": joined, "path": "all.3"}}, after=joined)
        self.assertEqual(self.results(taken)[0].value, {"x": 3})

    def test_a_chain_over_many_messages_runs_in_its_order(self):
        tasks = [{"name": str(n), "kind": "echo", "args": {"n": n, "fill": "x" * 50_000},
                  **({"after": str(n - 1)} if n else {})} for n in range(200)]
        results = self.results(self.client.submit(tasks, project="chain"))
        self.assertEqual([result.value["n"] for result in results], list(range(200)))
        self.assertEqual([result.offset for result in results], sorted(result.offset for result in results))
        self.assertEqual({result.project for result in results}, {"chain"})

    def test_a_dead_letter_of_a_chain_is_replayed_with_what_it_took(self):
        ids = self.client.submit([{"name": "a", "kind": "echo", "args": {"n": "exit 3"}},
                                  {"kind": "exec", "key": "k", "args": {"shell": {"$result": "a", "path": "n"}},
                                   "retry": {"attempts": 2, "backoff": "1ms"}}])
        self.assertEqual([result.state for result in self.results(ids)], ["done", "dead"])
        [again] = self.results(self.client.replay(ids[1]))
        self.assertEqual(again.state, "dead")
        self.assertIn("exit code 3", again.error)

    def test_what_a_failed_parent_means(self):
        bad = self.client.submit("exec", {"argv": ["false"]})
        ends = [self.results(self.client.submit("echo", {}, after=bad, on_parent_failure=what))[0].state
                for what in ("fail", "skip", "run")]
        self.assertEqual(ends, ["failed", "cancelled", "done"])


if __name__ == "__main__":
    unittest.main()
