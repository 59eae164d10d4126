"""Processes are killed, stopped and restarted under load: nothing is lost, nothing told twice."""

import collections
import json
import os
import signal
import subprocess
import threading
import unittest

from cluster import BIN, SANITIZER, Cluster, wait_until


def finals(log):
    return collections.Counter(entry["id"] for entry in log if entry["state"] != "retrying")


class Faults(unittest.TestCase):
    def check_exactly_once(self, cluster, ids):
        log = cluster.log()
        self.assertEqual([entry["offset"] for entry in log], list(range(len(log))))
        counted = finals(log)
        self.assertEqual(set(counted), set(ids))
        self.assertEqual(set(counted.values()), {1})
        return log

    def kill_under_load(self, role, kills=3, tasks=6000):
        with Cluster(workers=3, slots=2) as cluster:
            work = [{"kind": "sleep", "args": {"seconds": 0.002}} for _ in range(tasks)]
            ids = [line["id"] for line in cluster.submit(work)]
            for number in range(kills):
                cluster.wait_settled((number + 1) * tasks // (kills + 2))
                old = cluster.kill(role)
                wait_until(lambda: cluster.pid(role) not in (None, old), what=f"{role} restarted")
            cluster.wait_settled(tasks)
            log = self.check_exactly_once(cluster, ids)
            self.assertEqual({entry["state"] for entry in log}, {"done"})

    def test_killed_workers_tasks_move_on(self):
        self.kill_under_load("w1")

    def test_a_killed_ventilator_goes_on_where_it_was(self):
        self.kill_under_load("ventilator")

    def test_a_killed_sink_goes_on_where_it_was(self):
        self.kill_under_load("sink")

    def test_submitting_while_the_ventilator_is_killed_accepts_each_task_once(self):
        with Cluster(workers=2) as cluster:
            accepted = []

            def submit():
                for batch in range(20):
                    work = [{"kind": "echo", "args": {"n": batch * 100 + n}} for n in range(100)]
                    accepted.extend(cluster.submit(work))

            thread = threading.Thread(target=submit)
            thread.start()
            for _ in range(3):
                count = len(accepted)
                wait_until(lambda: len(accepted) > count or not thread.is_alive())
                cluster.kill("ventilator")
            thread.join()
            ids = [line["id"] for line in accepted]
            self.assertEqual(len(set(ids)), 2000)
            cluster.wait_settled(2000)
            log = self.check_exactly_once(cluster, ids)
            self.assertEqual(sorted(entry["value"]["n"] for entry in log), list(range(2000)))

    def test_a_killed_workers_task_moves_on_at_once(self):
        with Cluster("--prefetch", "1", workers=2, slots=1) as cluster:
            task_id = cluster.submit([{"kind": "sleep", "args": {"seconds": 2}}])[0]["id"]
            holder = wait_until(lambda: cluster.task(task_id).get("worker"), what="a holder")
            cluster.kill(holder)
            wait_until(lambda: cluster.task(task_id).get("attempt") == 2, what="a second attempt")
            cluster.wait_settled(1)
            result = cluster.json("result", task_id)[0]
            self.assertEqual((result["state"], result["attempt"]), ("done", 2))

    def test_a_worker_without_a_ventilator_ends_when_it_is_told(self):
        with Cluster(workers=0) as cluster:
            worker = subprocess.Popen([BIN / "worker", "--name", "late", "--cluster",
                                       cluster.directory + "/eole/cluster.toml"], stderr=subprocess.DEVNULL)
            try:
                cluster.eole("status", "--until-workers", "1")
                cluster.stop()
                worker.terminate()
                self.assertEqual(worker.wait(30), 0)
            finally:
                worker.kill()
                worker.wait()

    def test_a_stopped_worker_that_wakes_settles_nothing_twice(self):
        with Cluster("--prefetch", "2", workers=2, slots=2) as cluster:
            work = [{"kind": "sleep", "args": {"seconds": 0.3}} for _ in range(8)]
            ids = [line["id"] for line in cluster.submit(work)]
            wait_until(lambda: cluster.status()["running"] > 3)
            pid = cluster.kill("w1", signal.SIGSTOP)
            cluster.wait_settled(8, 20)  # Past the lease: the other worker did them.
            os.kill(pid, signal.SIGCONT)
            # The zombie's results arrive, and are not news; then it takes new work.
            wait_until(lambda: {w["name"]: w["state"] for w in cluster.json("workers")} ==
                       {"w1": "ready", "w2": "ready"}, what="w1 is back")
            more = [line["id"] for line in cluster.submit(work)]
            cluster.wait_settled(16)
            self.check_exactly_once(cluster, ids + more)

    def test_a_running_task_survives_a_restart_of_the_ventilator(self):
        with Cluster("--prefetch", "1", workers=1, slots=1) as cluster:
            task_id = cluster.submit([{"kind": "sleep", "args": {"seconds": 3}}])[0]["id"]
            wait_until(lambda: cluster.task(task_id)["state"] == "running")
            old = cluster.kill("ventilator")
            wait_until(lambda: cluster.pid("ventilator") not in (None, old))
            cluster.wait_settled(1)
            result = cluster.json("result", task_id)[0]
            self.assertEqual((result["state"], result["attempt"]), ("done", 1))

    @unittest.skipIf(SANITIZER, "looks at memory, which a sanitizer multiplies")
    def test_a_million_queued_tasks_survive_a_restart(self):
        with Cluster(workers=0) as cluster:
            work = "".join('{"kind":"echo","args":{"n":%d}}\n' % n for n in range(1_000_000))
            cluster.eole("submit", "--file", "-", input=work)
            self.assertEqual(cluster.status()["queued"], 1_000_000)
            old = cluster.kill("ventilator")
            wait_until(lambda: cluster.pid("ventilator") not in (None, old))
            self.assertEqual(cluster.status()["queued"], 1_000_000)
            with open(f"/proc/{cluster.pid('ventilator')}/status", encoding="ascii") as status:
                resident = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
            self.assertLess(resident, 200_000)  # kB: bodies stay on disk.
            cluster.stop()
            cluster.arguments[1] = "2"
            cluster.start()
            cluster.wait_settled(1_000_000)
            status = cluster.status()
            self.assertEqual((status["done"], status["settled"]), (1_000_000, 1_000_000))


class Bench(unittest.TestCase):
    def test_bench_measures_faults_and_more_workers(self):
        with Cluster(workers=2) as cluster:
            def measured(*words):
                return json.loads(cluster.eole("bench", *words, "--rounds", "1", "--json").stdout)
            recovered = measured("recovery")
            self.assertLess(0, min(recovered["ventilator_killed_ms"], recovered["sink_killed_ms"]))
            wait_until(lambda: cluster.eole("workers").stdout.count("ready") == 2)
            redelivered = measured("redelivery")
            self.assertLess(250, redelivered["worker_killed_ms"])  # The grace.
            self.assertLess(redelivered["worker_killed_ms"], redelivered["worker_hung_ms"])
            grown = measured("scale", "--workers", "3", "--tasks", "3000")
            self.assertEqual(grown["share"], grown["with_more_workers"] / grown["tasks_per_second"])
            wait_until(lambda: "bench-" not in cluster.eole("workers").stdout)

    def test_redelivery_with_one_worker_is_refused_and_stops_nothing(self):
        with Cluster(workers=1) as cluster:
            done = cluster.eole("bench", "redelivery", check=False)
            self.assertEqual((done.returncode, done.stderr), (2, "eole: bench redelivery: needs two workers\n"))
            self.assertEqual(cluster.submit([{"kind": "echo", "args": {}}], "--wait")[0]["state"], "done")


class Sharing(unittest.TestCase):
    def test_prefetch_one_leaves_the_rest_to_the_fast_worker(self):
        with Cluster("--prefetch", "1", workers=2, slots=1) as cluster:
            # The first task takes one worker for two seconds; the other one does the rest.
            cluster.submit([{"kind": "sleep", "args": {"seconds": 2}}])
            wait_until(lambda: cluster.status()["running"] == 1)
            results = cluster.submit([{"kind": "sleep", "args": {"seconds": 0.01}}] * 50, "--wait")
            self.assertEqual(len({result["worker"] for result in results}), 1)

    def test_prefetch_one_is_one_unfinished_task_per_slot(self):
        with Cluster("--prefetch", "1", workers=1, slots=3) as cluster:
            cluster.submit([{"kind": "sleep", "args": {"seconds": 0.5}}] * 9)
            wait_until(lambda: cluster.json("workers")[0]["held"] > 0)
            # A task that has just ended counts as running until the ventilator has read its
            # result; so it is the usual number that tells, not the highest.
            seen = collections.Counter()
            while (status := cluster.status())["settled"] < 9:
                seen[status["running"]] += 1
            self.assertEqual(seen.most_common(1)[0][0], 3)

    def test_an_idle_worker_gets_what_another_one_only_stores(self):
        with Cluster("--prefetch", "50", workers=1, slots=1) as cluster:
            cluster.submit([{"kind": "sleep", "args": {"seconds": 0.4}}] * 20)
            wait_until(lambda: cluster.status()["running"] == 20)
            late = subprocess.Popen([BIN / "worker", "--name", "late", "--slots", "1", "--prefetch", "1",
                                     "--cluster", cluster.directory + "/eole/cluster.toml"],
                                    stderr=subprocess.DEVNULL)
            try:
                cluster.wait_settled(20)
            finally:
                late.terminate()
                late.wait(10)
            workers = collections.Counter(entry["worker"] for entry in cluster.log())
            self.assertGreater(workers["late"], 2)


if __name__ == "__main__":
    unittest.main()
