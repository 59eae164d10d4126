"""What operators limit: pauses, which hold tasks and workers across restarts."""

import pathlib
import sys
import time
import unittest

from cluster import Cluster, wait_until

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "clients/python"))
import eole  # noqa: E402


class Priorities(unittest.TestCase):
    def test_the_highest_priority_runs_first(self):
        cluster = self.enterContext(Cluster(workers=1, slots=1))
        client = self.enterContext(eole.Cluster(cluster.directory + "/eole/cluster.toml"))
        cluster.eole("pause", "all")
        urgent = {"kind": "echo", "args": {}, "priority": 9}
        plain = cluster.submit([{"kind": "echo", "args": {}}] * 20 + [urgent] * 20 + [{**urgent, "priority": 3}] * 20)
        cluster.eole("resume", "all")
        ids = [task["id"] for task in plain]
        order = [result.id for result in client.results(ids, offset=0)]
        self.assertEqual(order, ids[20:40] + ids[40:] + ids[:20])


class Pauses(unittest.TestCase):
    def test_a_paused_project_waits_across_a_restart_and_others_go_on(self):
        cluster = self.enterContext(Cluster(workers=2, slots=2))
        client = self.enterContext(eole.Cluster(cluster.directory + "/eole/cluster.toml"))
        said = cluster.json("pause", "project:photos")
        self.assertEqual(said, [{"scope": "project:photos", "paused": True, "was_paused": False}])
        self.assertEqual(cluster.eole("pause", "project:photos").stdout, "project:photos was paused already\n")
        held = client.submit("echo", range(100), project="photos")
        self.assertEqual([result.state for result in client.map("echo", range(50), project="films")], ["done"] * 50)
        cluster.kill("ventilator")
        self.assertEqual(len(client.map("echo", range(50), project="films")), 50)
        self.assertEqual(cluster.status()["paused"], ["project:photos"])
        self.assertEqual(cluster.status()["queued"], 100)
        self.assertEqual([why["text"] for why in cluster.task(held[0])["why"]], ["project:photos is paused"])
        self.assertEqual(client.control("resume", scope="project:photos"),
                         {"scope": "project:photos", "paused": False, "was_paused": True})
        self.assertEqual(len(list(client.results(held))), 100)
        self.assertEqual(cluster.status()["paused"], [])

    def test_a_drained_worker_ends_what_it_has_and_gets_nothing_new(self):
        cluster = self.enterContext(Cluster(workers=2, slots=2))
        client = self.enterContext(eole.Cluster(cluster.directory + "/eole/cluster.toml"))
        running = client.submit("sleep", [{"seconds": 0.5}] * 8)
        wait_until(lambda: cluster.status()["running"] >= 4, what="they run")
        cluster.eole("drain", "worker:w1", "--wait")
        self.assertEqual([role["held"] for role in cluster.status()["roles"] if role.get("name") == "w1"], [0])
        self.assertEqual({result.worker for result in client.map("echo", range(200))}, {"w2"})
        self.assertEqual({result.state for result in client.results(running)}, {"done"})
        cluster.eole("resume", "worker:w1")
        workers = set()
        wait_until(lambda: workers.update(r.worker for r in client.map("echo", range(200))) or "w1" in workers,
                   what="it works again")

    def test_a_project_and_all_are_drained_and_a_late_pause_holds_nobody(self):
        cluster = self.enterContext(Cluster("--prefetch", "1", workers=1, slots=2))
        client = self.enterContext(eole.Cluster(cluster.directory + "/eole/cluster.toml"))
        photos = client.submit("sleep", [{"seconds": 0.3}] * 8, project="photos")
        wait_until(lambda: cluster.status()["running"] >= 2, what="they run")
        cluster.eole("drain", "project:photos", "--wait")
        self.assertEqual(cluster.status()["running"], 0)
        films = client.submit("sleep", [{"seconds": 0.3}] * 8, project="films")
        wait_until(lambda: cluster.status()["running"] >= 2, what="others run")
        cluster.eole("drain", "all", "--wait")
        self.assertEqual(cluster.status()["running"], 0)
        client.control("pause", scope="kind:echo", id="1")
        client.control("resume", scope="kind:echo", id="2")
        client.control("pause", scope="kind:echo", id="1")
        self.assertEqual(cluster.status()["paused"], ["all", "project:photos"])
        for scope in ("all", "project:photos"):
            cluster.eole("resume", scope)
        self.assertEqual({result.state for result in client.results(photos + films)}, {"done"})

    def test_only_an_operators_key_may_pause(self):
        cluster = self.enterContext(Cluster("--listen", "127.0.0.1", workers=1, slots=1))
        path = cluster.directory + "/submit.toml"
        cluster.eole("join", "--role", "submit", "-o", path)
        client = self.enterContext(eole.Cluster(path))
        with self.assertRaisesRegex(eole.Refused, "control pause: this key does not have the role admin"):
            client.control("pause", scope="all")
        with self.assertRaisesRegex(eole.Refused, "control dance: not known"):
            client.control("dance")
        self.assertEqual(cluster.json("pause", "all")[0]["paused"], True)

    def test_bad_wishes_are_refused_by_name(self):
        cluster = self.enterContext(Cluster(workers=1, slots=1))
        for arguments, answer in [
                (("pause", "photos"), "photos: is all, or kind:, project:, worker:, key: or tenant: and a name"),
                (("pause", "kind:"), "kind: no name"),
                (("drain", "photos"), "photos: is all, or kind:, project:, worker:, key: or tenant: and a name"),
                (("pause", "project:" + 256 * "x"), "project: a name of 256 bytes, limit 255")]:
            done = cluster.eole(*arguments, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn(answer, done.stderr)


class Limits(unittest.TestCase):
    def test_no_more_run_at_a_time_than_the_cap_and_a_rate_is_kept(self):
        cluster = self.enterContext(Cluster(workers=2, slots=4))
        client = self.enterContext(eole.Cluster(cluster.directory + "/eole/cluster.toml"))
        cluster.eole("limit", "set", "kind:sleep", "--running", 3)
        cluster.eole("limit", "set", "project:slow", "--rate", "50/s")
        self.assertEqual(cluster.json("limit", "list"),
                         [{"running": 3, "scope": "kind:sleep"}, {"rate": 50.0, "scope": "project:slow"}])
        ids = client.submit("sleep", [{"seconds": 0.05}] * 30)
        counts = {cluster.status()["running"] for _ in range(20)}
        self.assertLessEqual(max(counts), 3)
        results = list(client.results(ids))
        spans = sorted((result.finished - result.run_seconds, result.finished) for result in results)
        # Times are told in milliseconds.
        most = max(sum(1 for begun, ended in spans if begun < at < ended - 0.002) for at, _ in spans)
        self.assertLessEqual(most, 3)
        cluster.eole("limit", "clear", "kind:sleep")
        cluster.eole("limit", "set", "key:host", "--rate", "8/s")
        cluster.kill("ventilator")
        began = time.monotonic()
        keyed = client.submit("echo", range(10), key="host")
        client.map("echo", range(100), project="slow")
        self.assertGreater(time.monotonic() - began, 1.5)  # 100 at 50 a second, but for the first.
        in_order = sorted(client.results(keyed), key=lambda result: result.finished)
        self.assertEqual([result.value for result in in_order], list(range(10)))
        self.assertGreater(time.monotonic() - began, 1)  # 10 at 8 a second, but for the first.
        self.assertEqual(cluster.json("limit", "list"),
                         [{"rate": 8.0, "scope": "key:host"}, {"rate": 50.0, "scope": "project:slow"}])

    def test_bad_limits_are_refused_by_name(self):
        cluster = self.enterContext(Cluster(workers=1, slots=1))
        for arguments, answer in [
                (("set", "kind:x"), "limit set: give --running, --rate, --queued or --bytes"),
                (("set", "kind:x", "--rate", "fast"), "--rate fast: is a number of tasks like 20/s, 100/m or 5/h"),
                (("set", "key:k", "--rate", "2/s", "--running", "3"),
                 "limit: running: of a key one task runs at a time, so it has a rate only"),
                (("set", "worker:w1", "--running", "1"), "limit: a worker is limited by its slots")]:
            done = cluster.eole("limit", *arguments, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn(answer, done.stderr)


if __name__ == "__main__":
    unittest.main()
