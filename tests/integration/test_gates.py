"""Delays, keys and parents with real processes: what waits, in what order it goes, and across restarts."""

import json
import os
import tempfile
import time
import unittest

from cluster import Cluster, wait_until


def append(path, word):
    return {"shell": f"echo {word} >> {path}"}


class Gates(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster("--allow-exec", workers=2, slots=4))

    def setUp(self):
        self.files = self.enterContext(tempfile.TemporaryDirectory())
        self.path = os.path.join(self.files, "said")

    def said(self):
        with open(self.path, encoding="ascii") as file:
            return file.read().split()

    def test_tasks_of_one_key_run_in_their_order(self):
        tasks = [{"kind": "exec", "args": append(f"{self.path}-{n % 3}", n), "key": str(n % 3)} for n in range(90)]
        self.cluster.submit(tasks, "--wait")
        for key in range(3):
            with open(f"{self.path}-{key}", encoding="ascii") as file:
                self.assertEqual(file.read().split(), [str(n) for n in range(key, 90, 3)])

    def test_a_delayed_task_waits_and_says_so(self):
        before = time.time()
        [late] = self.cluster.submit([{"kind": "echo", "args": {}, "delay": "2s"}])
        told = self.cluster.task(late["id"])
        self.assertEqual((told["state"], told["why"][0]["code"]), ("waiting", "delay"))
        wait_until(lambda: self.cluster.task(late["id"])["state"] == "done", 60, "it is done")
        self.assertGreaterEqual(time.time() - before, 2)

    def test_a_chain_longer_than_a_message_runs_in_its_order(self):
        tasks = [{"name": str(n), "kind": "echo", "args": {"n": n}, **({"after": str(n - 1)} if n else {})}
                 for n in range(2500)]
        results = self.cluster.submit(tasks, "--wait")
        self.assertEqual([result["value"]["n"] for result in results], list(range(2500)))
        finished = [result["finished"] for result in results]
        self.assertEqual(finished, sorted(finished))

    def test_a_join_runs_after_its_parents(self):
        tasks = [{"name": f"part {n}", "kind": "exec", "args": append(self.path, n)} for n in range(20)]
        tasks.append({"kind": "exec", "args": append(self.path, "all"), "after": [f"part {n}" for n in range(20)]})
        self.cluster.submit(tasks, "--wait")
        self.assertEqual(self.said()[-1], "all")
        self.assertEqual(len(self.said()), 21)

    def test_what_a_failed_parent_means(self):
        tasks = [{"name": "bad", "kind": "exec", "args": {"argv": ["false"]}},
                 {"kind": "echo", "args": {}, "after": "bad", "name": "fails"},
                 {"kind": "echo", "args": {}, "after": "bad", "on_parent_failure": "skip"},
                 {"kind": "echo", "args": {}, "after": "bad", "on_parent_failure": "run"},
                 {"kind": "echo", "args": {}, "after": "fails"}]
        done = self.cluster.eole("submit", "--file", "-", "--wait", check=False,
                                 input="\n".join(map(json.dumps, tasks)))
        results = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([result["state"] for result in results], ["failed", "failed", "cancelled", "done", "failed"])
        self.assertEqual(results[1]["error"], f"{results[0]['id']}, which it waits for, was not done: failed")
        self.assertIn("skipped", results[2]["error"])
        self.assertIn(results[1]["id"], results[4]["error"])
        self.assertEqual(done.returncode, 1)

    def test_a_task_that_expires_while_it_waits_ends(self):
        done = self.cluster.eole("submit", "echo", "x", "--delay", "1h", "--expires", "1s", "--wait", "--json",
                                 check=False)
        self.assertEqual(json.loads(done.stdout)["error"], "expired before it began")

    def test_parents_that_nobody_accepted_are_refused_by_name(self):
        [known] = self.cluster.submit([{"kind": "echo", "args": {}}])
        unknown = known["id"].split("-")[0] + "-999999"
        done = self.cluster.eole("submit", "echo", "x", "--after", unknown, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn(f"after {unknown}: no such task was accepted", done.stderr)


class Restart(unittest.TestCase):
    def test_what_waits_is_found_again_in_its_order(self):
        files = self.enterContext(tempfile.TemporaryDirectory())
        path = os.path.join(files, "said")
        cluster = self.enterContext(Cluster("--allow-exec", workers=1, slots=4))
        gate = os.path.join(files, "gate")
        tasks = [{"name": "first", "kind": "exec", "args": {"shell": f"while ! test -e {gate}; do sleep 0.1; done"}}]
        tasks += [{"kind": "exec", "args": append(path, n), "key": "k", "after": "first"} for n in range(10)]
        tasks += [{"kind": "exec", "args": append(path, "late"), "after": "first", "key": "k", "delay": "1s"}]
        ids = cluster.submit(tasks)
        wait_until(lambda: cluster.task(ids[0]["id"])["state"] == "running", 60, "the first runs")
        cluster.kill("ventilator")
        wait_until(lambda: cluster.task(ids[5]["id"]).get("state") == "waiting", 60, "the rest waits again")
        with open(gate, "w", encoding="ascii"):
            pass
        wait_until(lambda: cluster.task(ids[-1]["id"])["state"] == "done", 60, "all are done")
        with open(path, encoding="ascii") as file:
            self.assertEqual(file.read().split(), [*map(str, range(10)), "late"])


if __name__ == "__main__":
    unittest.main()
