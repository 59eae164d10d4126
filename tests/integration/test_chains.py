"""Notifications that become tasks, once each, and groups that are behind: what the relay acts on."""

import datetime
import os
import pathlib
import signal
import subprocess
import sys
import unittest

from cluster import BIN, Cluster, wait_until

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "clients/python"))
import eole  # noqa: E402

TASKS = 200


class Chains(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster("--allow-exec", workers=2, slots=2))

    def results(self, project):
        return self.cluster.json("results", "--project", project)

    def kill_relay(self):
        os.kill(self.cluster.child("relay"), signal.SIGKILL)

    def submit_numbers(self, project, numbers):
        self.cluster.submit([{"kind": "echo", "args": {"n": n}, "project": project} for n in numbers])

    def test_each_notification_becomes_one_task_though_the_relay_is_killed(self):
        self.cluster.eole("chain", "add", "copies", "--from", "source/echo/done", "--start", "earliest",
                          "--submit", "echo", "--arg", "n=$value.n", "--arg", "of=task ${id}", "--project", "copied")
        self.submit_numbers("source", range(TASKS // 2))
        wait_until(lambda: len(self.results("copied")) > 0, what="some are copied")
        self.kill_relay()
        self.submit_numbers("source", range(TASKS // 2, TASKS))
        wait_until(lambda: len(self.results("copied")) >= TASKS, what="all are copied")
        sources = {each["value"]["n"]: each["id"] for each in self.results("source")}
        copied = [each["value"] for each in self.results("copied")]
        self.assertEqual(sorted((value["n"], value["of"]) for value in copied),
                         [(n, f"task {sources[n]}") for n in range(TASKS)])
        wait_until(lambda: [each for each in self.cluster.json("group", "list")
                            if each["group"] == "copies" and each["lag_records"] == 0], what="its group is there, too")

    def test_what_does_not_fit_costs_that_one_alone(self):
        self.cluster.eole("chain", "add", "picky", "--from", "odd/#", "--submit", "echo", "--arg", "x=$value.x",
                          "--project", "fit")
        wait_until(lambda: [each for each in self.cluster.json("group", "list") if each["group"] == "picky"],
                   what="its group is there")
        self.cluster.submit([{"kind": "echo", "args": {"y": 1}, "project": "odd"},
                             {"kind": "echo", "args": {"x": 2}, "project": "odd"}])
        wait_until(lambda: self.results("fit") and self.results("picky/unfit"), what="both are told")
        self.assertEqual([each["value"] for each in self.results("fit")], [{"x": 2}])
        self.assertEqual([each["value"]["error"] for each in self.results("picky/unfit")],
                         ["the event has no value.x"])

    def test_one_from_nothing_is_refused(self):
        for which, words in (("--from", ("chain", "add", "none", "--from", "", "--submit", "echo")),
                             ("--topic", ("watch", "--count", "1", "--topic", ""))):
            refused = self.cluster.eole(*words, check=False, timeout=20)
            self.assertEqual(refused.returncode, 2, words)
            self.assertRegex(refused.stderr, f"{which}.*is empty, which none fits; # is for all")
        with eole.Cluster(f"{self.cluster.directory}/eole/cluster.toml") as cluster:
            with self.assertRaisesRegex(eole.BadTask, "is empty"):
                cluster.chains.add("none", "", "echo")
        self.assertNotIn("none", [each["name"] for each in self.cluster.json("chain", "list")])

    def test_it_begins_when_it_is_added_not_when_the_relay_begins(self):
        self.cluster.eole("chain", "add", "soon", "--from", "sooner/echo/done", "--submit", "echo", "--project", "soon")
        self.submit_numbers("sooner", range(3))
        wait_until(lambda: len(self.results("soon")) == 3, what="each is a task")
        self.cluster.eole("chain", "remove", "soon")

    def test_a_chain_is_listed_and_taken_back(self):
        self.cluster.eole("chain", "add", "brief", "--from", "none/*/done", "--submit", "echo")
        [chain] = [each for each in self.cluster.json("chain", "list") if each["name"] == "brief"]
        self.assertEqual((chain["from"], chain["task"]["kind"]), ("none/*/done", "echo"))
        self.cluster.eole("chain", "remove", "brief")
        self.assertNotIn("brief", [each["name"] for each in self.cluster.json("chain", "list")])

    def test_chains_are_declared_in_python_too(self):
        with eole.Cluster(f"{self.cluster.directory}/eole/cluster.toml") as cluster:
            for wrong in (lambda: cluster.chains.add("a", "x**", "echo"), lambda: cluster.chains.add("a", "#", "echo", priority=99),
                          lambda: cluster.chains.add("a", "#", "echo", prioritee=1),
                          lambda: cluster.chains.add("a", "#", b"\xff")):
                with self.assertRaises(eole.BadTask):
                    wrong()
            cluster.submit("echo", [{"n": 1}], project="said")
            cluster.chains.add("by-python", "said/echo/done", "echo", {"n": "$value.n", "of": "task ${id}"}, start="earliest",
                               project="by-python", retry={"attempts": 2, "backoff": datetime.timedelta(seconds=1)},
                               expires=datetime.timedelta(hours=1))
            [chain] = [each for each in cluster.chains.list() if each["name"] == "by-python"]
            self.assertEqual((chain["from"], chain["task"]["retry"], chain["task"]["expires"]),
                             ("said/echo/done", {"attempts": 2, "backoff": "1000ms"}, "3600000ms"))
            wait_until(lambda: [each["value"]["n"] for each in self.results("by-python")] == [1], what="it became a task")
            self.assertEqual([cluster.chains.remove("by-python") for _ in range(2)], [True, False])
            source = next(cluster.results(topic="said/#", offset=0))
            local = datetime.datetime(2100, 1, 31, 12)
            for after in (source, [source], iter([source.id])):
                cluster.chains.add("as-submit", "none/#", b"echo", after=after, not_before=local)
                [chain] = [each for each in cluster.chains.list() if each["name"] == "as-submit"]
                self.assertEqual((chain["task"]["kind"], chain["task"]["after"]), ("echo", [source.id]))
                self.assertEqual(datetime.datetime.fromisoformat(chain["task"]["not_before"]), local.astimezone())
                cluster.chains.remove("as-submit")

    def test_a_chain_that_was_removed_makes_no_more_tasks(self):
        self.submit_numbers("plenty", range(20 * TASKS))
        self.cluster.eole("chain", "add", "gone", "--from", "plenty/#", "--start", "earliest", "--submit", "echo",
                          "--project", "made")

        def count():
            return sum(each["tasks"] for each in self.cluster.json("project") if each["project"] == "made")
        wait_until(lambda: count() > 0, what="it has begun")
        self.cluster.eole("chain", "remove", "gone")
        made = count()
        self.assertLess(made, 20 * TASKS, "it was over before it was removed")
        self.cluster.eole("chain", "add", "next", "--from", "marker/#", "--submit", "echo", "--project", "marked")
        self.submit_numbers("marker", [1])
        wait_until(lambda: self.results("marked"), what="the relay has ended the one and begun the other")
        self.assertEqual(count(), made)

    def test_a_group_that_is_behind_raises_an_alert_and_one_when_it_is_not(self):
        self.cluster.eole("group", "create", "slow", "--from", "latest")
        self.cluster.eole("alert", "add", "--lag", "slow", "1", "--", "sh", "-c", "cat; echo heard")
        self.submit_numbers("behind", range(3))

        def told(kind):
            return [each["value"] for each in self.results("alerts")
                    if each["kind"] == "echo" and each["value"]["type"] == kind and each["value"]["group"] == "slow"]
        [raised] = wait_until(lambda: told("eole.lag.raised"), what="it is raised")
        self.assertEqual((raised["alert"], raised["lag_records"] >= 3), ("slow", True))
        heard = wait_until(lambda: [each for each in self.results("alerts") if each["kind"] == "exec"],
                           what="its command ran")
        self.assertIn("heard", heard[0]["value"]["stdout"])
        self.kill_relay()  # It says nothing twice.
        reader = subprocess.Popen([BIN / "eole", "watch", "--group", "slow", "--commit", "each", "--json"],
                                  env=self.cluster.env, stdout=subprocess.DEVNULL)  # Of alerts, too.
        self.addCleanup(reader.wait)
        self.addCleanup(reader.kill)
        wait_until(lambda: told("eole.lag.cleared"), seconds=60, what="it is over")
        self.assertEqual(len(told("eole.lag.raised")), len(told("eole.lag.cleared")))


if __name__ == "__main__":
    unittest.main()
