"""What tasks take of their parents' results: chains, chords, files, and whatever is asked that is not there."""

import collections
import json
import os
import pathlib
import signal
import sys
import tempfile
import unittest

import file_server
import pictures
from cluster import Cluster, wait_until

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "clients/python"))
import eole  # noqa: E402


def result(name, path=None):
    return {"$result": name, **({} if path is None else {"path": path})}


def nested(depth, inner):
    for _ in range(depth):
        inner = [inner]
    return inner


class References(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster("--allow-exec", workers=2, slots=2))

    def ran(self, *tasks):
        return self.cluster.submit(tasks, "--wait", check=False)

    def test_a_chain_hands_values_on(self):
        results = self.ran({"name": "a", "kind": "echo", "args": {"n": [7, {"deep": "x"}]}},
                           {"name": "b", "kind": "exec", "args": {"argv": ["cat"], "stdin": result("a", "n.1.deep")}},
                           {"name": "c", "kind": "echo", "args": {"said": result("b", "stdout"), "all": result("a")}},
                           {"kind": "echo", "args": result("c", "all.n.0")})
        self.assertEqual([each["state"] for each in results], ["done"] * 4, results)
        self.assertEqual(results[2]["value"], {"said": "x", "all": {"n": [7, {"deep": "x"}]}})
        self.assertEqual(results[3]["value"], 7)

    def test_a_chord_takes_all_results_into_a_list(self):
        many = [{"name": f"part {n}", "kind": "echo", "args": {"n": n * n}} for n in range(300)]
        [*_, chord] = self.ran(*many, {"kind": "echo", "args": {"all": [result(f"part {n}", "n") for n in range(300)]}})
        self.assertEqual(chord["value"], {"all": [n * n for n in range(300)]})

    def test_a_picture_is_downloaded_and_made_smaller(self):
        files = self.enterContext(tempfile.TemporaryDirectory())
        with open(os.path.join(files, "scene.png"), "wb") as file:
            file.write(pictures.saved(pictures.scene(), "PNG"))
        server = file_server.serve(files)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        results = self.ran({"name": "get", "kind": "download", "args": {"url": f"{server.url}/scene.png"}},
                           {"kind": "image", "args": {"artifact": result("get", "artifact.sha256"), "width": 32}})
        self.assertEqual([each["state"] for each in results], ["done"] * 2, results)
        self.assertEqual(results[1]["value"]["width"], 32)

    def test_an_id_of_an_earlier_submit_is_a_parent_too(self):
        [first] = self.ran({"kind": "echo", "args": {"n": 1}})
        [then] = self.ran({"kind": "echo", "args": {"x": result(first["id"], "n")}})
        self.assertEqual(then["value"], {"x": 1})

    def test_what_failed_can_be_taken_by_who_runs_all_the_same(self):
        _, told = self.ran({"name": "bad", "kind": "exec", "args": {"argv": ["false"]}},
                           {"kind": "echo", "args": {"why": result("bad", "error"), "how": result("bad", "state")},
                            "after": "bad", "on_parent_failure": "run"})
        self.assertEqual((told["state"], told["value"]["how"]), ("done", "failed"))
        self.assertIn("exit", told["value"]["why"])

    def test_what_is_taken_is_checked_as_arguments_are(self):
        _, told = self.ran({"name": "a", "kind": "echo", "args": {"n": "no number"}},
                           {"kind": "nqueens", "args": {"n": result("a", "n")}})
        self.assertEqual(told["state"], "failed")
        self.assertIn('nqueens: n must be a whole number, not "no number"', told["error"])

    def test_references_that_lead_nowhere_fail_by_name_and_once(self):
        made = {"name": "a", "kind": "echo", "args": {"n": 1, "list": [1], "deep": [[[1]]], "large": "x" * 600_000}}
        for args, error in (({"x": result("a", "n.b")}, "it is done and has no n.b"),
                            ({"x": result("a", "list.-1")}, "it is done and has no list.-1"),
                            ({"x": result("a", "..\x1b[2J")}, "it is done and has no ..\\x1b[2J"),
                            ({"x": result("a", "y" * 2000)}, "a path of 2000 bytes, limit 1024"),
                            ({"x": {**result("a"), "y": 1}}, "nothing beside it but a path"),
                            ({"x": [result("a"), result("a")]}, "the arguments have over 1048576 bytes"),
                            ({"x": [result("a", "n")] * 5000}, "more than 4096 references"),
                            (nested(29, result("a")), "nested too deep here, limit 32 levels"),
                            ({"x": result("a", "n"), "y": {"$result": 7}}, "$result 7: it has 1 parents"),
                            ({"x": result("a", "n"), "y": {"$result": 1.5}}, "must be a parent's place or id")):
            with self.subTest(error):
                _, told = self.ran(made, {"kind": "echo", "args": args, "attempts": 3})
                self.assertEqual((told["state"], told["attempt"]), ("failed", 1), told)
                self.assertIn(error, told["error"])

    def test_a_result_full_of_references_is_never_looked_through(self):
        hostile = [{"$result": n, "path": "error"} for n in range(50)] + [{"$result": "k3f9qz-1"}]
        [first] = self.ran({"kind": "echo", "args": {"n": 1}})
        parent, child = self.ran({"name": "h", "kind": "exec", "args": {"argv": ["cat"], "stdin": json.dumps(hostile)}},
                                 {"kind": "echo", "args": {"x": result("h", "stdout"), "y": result(first["id"])}})
        self.assertEqual(child["value"], {"x": json.dumps(hostile), "y": {"n": 1}})
        with eole.Cluster(f"{self.cluster.directory}/eole/cluster.toml") as cluster:
            [planted] = cluster.submit("echo", {"all": hostile})  # Without parents these are values as any.
            self.assertEqual([each.value for each in cluster.results([planted])], [{"all": hostile}])
        [told] = self.ran({"kind": "echo", "args": {"x": result(planted, "all")}})
        self.assertEqual(told["value"], {"x": hostile})

    def two_beats(self):
        silent, beats = {}, collections.Counter()

        def were_heard():
            for worker in self.cluster.json("workers"):
                beats[worker["name"]] += worker["silent_ms"] < silent.get(worker["name"], 0)
                silent[worker["name"]] = worker["silent_ms"]
            return min(beats.values()) >= 2
        wait_until(were_heard, what="two beats of each worker")

    def test_without_a_sink_a_reference_waits_and_holds_up_nobody(self):
        with eole.Cluster(f"{self.cluster.directory}/eole/cluster.toml") as client:
            [made] = client.submit("echo", {"n": 1})
            self.assertEqual([each.id for each in client.results([made])], [made])
            sink = self.cluster.kill("sink", signal.SIGSTOP)
            try:
                waiting = client.submit([{"kind": "echo", "args": {"x": result(made, "n")}}] * 2)
                running = lambda: {each["id"] for each in client.tasks(state="running")}  # noqa: E731
                wait_until(lambda: running() == set(waiting), what="both run")
                others = client.submit("sleep", [{"seconds": 0}] * 2)
                wait_until(lambda: running() == {*waiting, *others}, what="others run beside them")
                self.assertEqual(client.cancel(waiting[0], wait=False), {waiting[0]: "cancelling"})
                self.two_beats()  # By then its worker has obeyed.
            finally:
                os.kill(sink, signal.SIGCONT)
            ends = {each.id: each for each in client.results([*waiting, *others], timeout=60)}
        self.assertEqual([ends[each].state for each in (*waiting, *others)], ["cancelled", "done", "done", "done"])
        self.assertEqual(ends[waiting[1]].value, {"x": 1})


if __name__ == "__main__":
    unittest.main()
