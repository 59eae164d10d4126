"""The Python client against a real cluster."""

import os
import pathlib
import signal
import sys
import unittest

from cluster import Cluster

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "clients/python"))
import eole  # noqa: E402


class Python(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster("--allow-exec", workers=2, slots=2)
        cls.cluster.start()
        cls.path = f"{cls.cluster.directory}/eole/cluster.toml"

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)

    def test_every_result_comes_once_whatever_the_batches(self):
        with eole.Cluster(self.path) as cluster:
            ids = cluster.submit("echo", ({"n": n} for n in range(5000)), batch=37)
            self.assertEqual(len(set(ids)), 5000)
            results = list(cluster.results(ids))
            self.assertEqual(sorted(result.id for result in results), sorted(ids))
            self.assertEqual({result.value["n"] for result in results}, set(range(5000)))
            self.assertEqual({result.state for result in results}, {"done"})
            self.assertEqual(list(cluster.results(timeout=0.1)), [])

    def test_results_come_in_the_order_of_their_tasks(self):
        with eole.Cluster(self.path) as cluster:
            results = cluster.map("nqueens", [{"n": n} for n in range(4, 9)])
            self.assertEqual([result.value["solutions"] for result in results], [2, 10, 4, 40, 92])

    def test_failures_say_why_and_keep_their_project(self):
        with eole.Cluster(self.path) as cluster:
            [result] = cluster.map("exec", {"shell": "exit 3"}, project="night")
            self.assertEqual((result.state, result.project, result.kind), ("failed", "night", "exec"))
            self.assertIn("exit code 3", result.error)

    def test_a_key_is_accepted_once_and_other_tasks_under_it_are_refused(self):
        with eole.Cluster(self.path) as cluster:
            first = cluster.submit("echo", [{"a": 1}], idempotency_key="monday")
            self.assertEqual(cluster.submit("echo", [{"a": 1}], idempotency_key="monday"), first)
            with self.assertRaisesRegex(eole.Refused, "monday"):
                cluster.submit("echo", [{"a": 2}], idempotency_key="monday")

    def test_results_survive_the_death_of_every_role(self):
        with eole.Cluster(self.path) as cluster:
            ids = cluster.submit("sleep", [{"seconds": 0.2}] * 40)
            for pid in [self.cluster.pid(role) for role in ("ventilator", "sink", "w1")]:
                os.kill(pid, signal.SIGKILL)
            self.assertEqual(sorted(result.id for result in cluster.results(ids)), sorted(ids))


if __name__ == "__main__":
    unittest.main()
