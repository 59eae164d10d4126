"""A task says why it waits, where it is, and what became of its attempts; by codes that stay."""

import os
import pathlib
import signal
import sys
import unittest

from cluster import Cluster, wait_until
from http_client import Http

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "clients/python"))
import eole  # noqa: E402


class Explain(unittest.TestCase):
    def codes(self, cluster, task):
        return [why["code"] for why in self.explained(cluster, task)["why"]]

    def explained(self, cluster, task):
        [found] = cluster.json("explain", task)
        self.assertEqual(found["id"], task)
        self.assertTrue(all(why["text"] for why in found["why"]))
        return found

    def test_every_reason_to_wait_has_a_code_and_a_sentence(self):
        cluster = self.enterContext(Cluster("--prefetch", "1", workers=1, slots=1))
        long = {"kind": "sleep", "args": {"seconds": 600}}
        [runs, next_one, later, child, delayed, other] = [task["id"] for task in cluster.submit([
            {**long, "key": "k"}, {**long, "name": "parent"}, {**long, "key": "k"},
            {**long, "after": "parent"}, {**long, "delay": 3600},
            {"kind": "exec", "args": {"argv": ["true"]}, "after": "parent"}])]
        wait_until(lambda: self.codes(cluster, runs) == ["running"], what="one runs")
        told = self.explained(cluster, runs)
        [worker] = [role["name"] for role in cluster.status()["roles"] if role["role"] == "worker"]
        self.assertEqual((told["state"], told["worker"]), ("running", worker))
        self.assertIn(f"{worker} offers sleep", told["why"][0]["text"])
        self.assertEqual(self.codes(cluster, next_one), ["queued"])
        held = self.explained(cluster, later)
        self.assertEqual((held["state"], held["why"][0]["code"], held["why"][0]["tasks"]), ("waiting", "key", [runs]))
        [waits] = self.explained(cluster, child)["why"]
        self.assertEqual((waits["code"], waits["tasks"]), ("parents", [next_one]))
        self.assertIn(next_one, waits["text"])
        [due] = self.explained(cluster, delayed)["why"]
        self.assertEqual(due["code"], "delay")
        self.assertGreater(due["until"], 0)
        self.assertEqual(self.codes(cluster, other), ["parents", "no_worker"])
        shown = cluster.eole("explain", child, runs).stdout
        self.assertIn(f"it waits for 1 task to end: {next_one}", shown)
        client = self.enterContext(eole.Cluster(cluster.directory + "/eole/cluster.toml"))
        for task in (runs, later, child, delayed):
            self.assertEqual(client.explain(task), self.explained(cluster, task))
        cluster.eole("cancel", "--all", check=False)

    def test_what_became_of_each_attempt_is_told_of_tasks_that_ended(self):
        cluster = self.enterContext(Cluster("--allow-exec", workers=1, slots=1))
        marker = cluster.directory + "/seen"
        script = f'test -e {marker} && exit 3; touch {marker}; exec sleep 600'
        [task] = [one["id"] for one in cluster.submit([
            {"kind": "exec", "args": {"shell": script}, "retry": True, "attempts": 2}])]
        wait_until(lambda: os.path.exists(marker), what="it runs")
        os.kill(cluster.pid("worker"), signal.SIGKILL)
        wait_until(lambda: self.explained(cluster, task)["state"] == "dead", 120, "it is dead")
        told = self.explained(cluster, task)
        self.assertEqual([why["code"] for why in told["why"]], ["dead"])
        self.assertEqual([attempt["state"] for attempt in told["attempts"]], ["lost", "failed"])
        self.assertIn("tried again unasked", told["attempts"][0]["text"])
        self.assertIn("exit code 3", told["attempts"][1]["text"])
        client = self.enterContext(eole.Cluster(cluster.directory + "/eole/cluster.toml"))
        self.assertEqual(client.explain(task), told)

    def test_an_attempt_that_was_lost_is_told_of_a_task_that_was_done_then(self):
        cluster = self.enterContext(Cluster("--allow-exec", workers=1, slots=1))
        marker = cluster.directory + "/seen"
        script = f'test -e {marker} || {{ touch {marker}; exec sleep 600; }}'
        [task] = [one["id"] for one in cluster.submit([{"kind": "exec", "args": {"shell": script}}])]
        wait_until(lambda: os.path.exists(marker), what="it runs")
        os.kill(cluster.pid("worker"), signal.SIGKILL)
        wait_until(lambda: self.explained(cluster, task)["state"] == "done", 120, "it is done")
        told = self.explained(cluster, task)
        self.assertEqual([attempt["state"] for attempt in told["attempts"]], ["lost", "done"])
        lost, done = told["attempts"]
        self.assertRegex(lost["error"], "^worker .+: ")
        self.assertIn(f"attempt 1 was lost: {lost['error']}", cluster.eole("explain", task).stdout)
        self.assertRegex(done["lease"], r"^\d+-\d+$")
        self.assertGreater(done["pid"], 0)
        client = self.enterContext(eole.Cluster(cluster.directory + "/eole/cluster.toml"))
        self.assertEqual(client.explain(task), told)
        self.assertEqual(Http(cluster).get(f"/task/{task}")["attempts"], told["attempts"])

    def test_what_ended_without_running_says_for_what(self):
        cluster = self.enterContext(Cluster("--allow-exec", workers=1))
        ids = [task["id"] for task in cluster.submit([
            {"kind": "exec", "args": {"argv": ["false"]}, "name": "parent"},
            {"kind": "echo", "args": {"value": 1}, "after": "parent"},
            {"kind": "echo", "args": {"value": 1}, "after": "parent", "on_parent_failure": "skip"},
            {"kind": "nobody", "expires": "100ms"}])]
        cluster.wait_settled(4)
        self.assertEqual([self.codes(cluster, task) for task in ids],
                         [["failed"], ["parent_failed"], ["skipped"], ["expired"]])
        done = cluster.eole("explain", ids[0].split("-")[0] + "-999", ids[1], check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no such task was accepted", done.stderr)
        self.assertIn("was not done", done.stdout)
        self.assertEqual(cluster.eole("explain", "nonsense", check=False).returncode, 2)


if __name__ == "__main__":
    unittest.main()
