"""Tasks go where their needs are met, where they are pinned, and take of what is there."""

import json
import pathlib
import subprocess
import sys
import unittest

from cluster import BIN, Cluster, alive, wait_until

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "clients/python"))
import eole  # noqa: E402


class Where(unittest.TestCase):
    def worker(self, cluster, name, *arguments):
        started = subprocess.Popen([BIN / "worker", "--name", name, *arguments, "--cluster",
                                    cluster.directory + "/eole/cluster.toml"], stderr=subprocess.DEVNULL)
        self.addCleanup(started.wait, 30)
        self.addCleanup(started.terminate)

    def test_a_task_goes_where_its_needs_are_met_or_says_that_nobody_meets_them(self):
        cluster = self.enterContext(Cluster("--label", "zone=eu", "--resource", "licence=1", workers=1, slots=4))
        [worker] = cluster.json("workers")
        self.assertEqual(worker["labels"], {"zone": "eu"})
        self.assertEqual(worker["resources"]["licence"], {"all": 1.0, "free": 1.0})
        self.assertGreaterEqual(worker["resources"]["cpus"]["all"], 1)
        self.assertGreater(worker["resources"]["mem"]["all"], 1 << 20)
        self.assertIn("zone=eu", cluster.eole("workers").stdout)
        client = self.enterContext(eole.Cluster(cluster.directory + "/eole/cluster.toml"))
        [nobody] = client.submit("echo", ["x"], needs={"gpu": "a100"})
        [why] = client.explain(nobody)["why"]
        self.assertEqual((why["code"], why["text"]),
                         ("needs", "it needs gpu=a100, which no connected worker that offers echo has"))
        [pinned] = cluster.submit([{"kind": "echo", "args": "y", "pin": "far"}])
        self.assertEqual([why["code"] for why in cluster.task(pinned["id"])["why"]], ["pin"])
        warned = cluster.eole("submit", "echo", "x", "--pin", "w2")
        self.assertEqual(warned.stderr, "eole: no connected worker is named w2 (did you mean w1?); what is pinned to it "
                                        "waits for it\n")
        cluster.eole("cancel", warned.stdout.strip())
        self.assertEqual(cluster.eole("submit", "echo", "x", "--pin", worker["name"]).stderr, "")

        self.worker(cluster, "far", "--label", "zone=us", "--label", "gpu=a100")
        self.assertEqual([result.worker for result in client.results([nobody, pinned["id"]])], ["far", "far"])
        preferred = cluster.json("submit", "echo", "x", "--prefer", "far", "--wait")
        self.assertEqual(preferred[0]["worker"], "far")

        needy = client.submit("sleep", [{"seconds": 0.05}] * 4, needs={"licence": 1, "zone": "eu"})
        results = list(client.results(needy))
        self.assertEqual({result.worker for result in results}, {worker["name"]})
        spans = sorted((result.finished - result.run_seconds, result.finished) for result in results)
        for (_, ended), (begun, _) in zip(spans, spans[1:]):
            self.assertGreaterEqual(begun, ended - 0.003)  # Times are said in milliseconds.

    def test_a_straggler_has_a_second_copy_of_which_the_first_to_end_counts(self):
        cluster = self.enterContext(Cluster("--allow-exec", workers=2, slots=1))
        client = self.enterContext(eole.Cluster(cluster.directory + "/eole/cluster.toml"))
        # Who comes first writes its process into a file and sleeps; who comes then is done at once.
        shell = f"cd {cluster.directory}; if mkdir first; then echo $$ > pid.new; mv pid.new pid; exec sleep 600; fi"
        ids = client.submit("exec", [{"argv": ["true"]}] * 3 + [{"shell": shell}], speculate=True)
        last = ids[-1]
        results = {result.id: result for result in client.results(ids, timeout=60)}
        self.assertEqual([results[one].state for one in ids], ["done"] * 4)
        self.assertEqual((results[last].attempt, results[ids[0]].attempt), (2, 1))
        pid = int(pathlib.Path(cluster.directory, "pid").read_text())
        wait_until(lambda: not alive(pid), what="the other copy to be ended")
        self.assertEqual(cluster.json("result", last)[0]["state"], "done")
        self.assertEqual(cluster.status()["running"], 0)
        # Both are told, and how the other one was ended.
        attempts = wait_until(lambda: len(both := cluster.json("explain", last)[0]["attempts"]) == 2 and both)
        self.assertEqual([(one["attempt"], one["state"]) for one in attempts], [(1, "cancelled"), (2, "done")])
        self.assertEqual((attempts[0]["stopped"]["pid"], attempts[1]["worker"]), (pid, results[last].worker))
        self.assertIn(f"process {pid} got SIGTERM", attempts[0]["text"])
        self.assertEqual(client.explain(last)["attempts"], attempts)
        self.assertIn("copy, cancelled", cluster.eole("status", last).stdout)

    def test_a_cancel_of_what_runs_twice_tells_how_both_were_ended(self):
        cluster = self.enterContext(Cluster("--allow-exec", workers=2, slots=1))
        client = self.enterContext(eole.Cluster(cluster.directory + "/eole/cluster.toml"))
        shell = f"cd {cluster.directory}; echo $$ > pid.$$.new; mv pid.$$.new pid.$$; exec sleep 600"
        ids = client.submit("exec", [{"argv": ["true"]}] * 3 + [{"shell": shell}], speculate=True)
        pids = wait_until(lambda: len(both := [int(path.suffix[1:]) for path in pathlib.Path(cluster.directory).glob("pid.*")
                                               if path.suffix[1:].isdigit()]) == 2 and both, what="two copies")
        told = cluster.json("cancel", ids[-1])
        self.assertEqual([one["state"] for one in told], ["cancelled", "copy"])
        self.assertEqual({one["stopped"]["pid"] for one in told}, set(pids))
        self.assertEqual(len({one["worker"] for one in told}), 2)
        self.assertTrue(told[1]["how"].startswith("its other copy was running on "), told[1]["how"])

    def test_needs_and_places_that_make_no_sense_are_refused_by_name(self):
        cluster = self.enterContext(Cluster(workers=1, slots=1))
        for arguments, answer in (
                (("--need", "gpu"), "--need: gpu: is NAME=VALUE"),
                (("--need", "mem=1", "--need", "mem=2"), "--need: mem: said twice"),
                (("--need", "gpu=" + 65 * "x"), "--need: a name or value of 65 bytes, limit 64"),
                (("--need", "cpus=-1"), "--need: cpus=-1: is a number above 0, with K, M, G or T behind it"),
                (("--pin", "w1", "--spread"), "--spread: goes without pin=w1"),
                (("--pin", ""), "--pin: a worker's name of 0 bytes, limits 1 and 255")):
            done = cluster.eole("submit", "echo", "x", *arguments, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn(answer, done.stderr)
        for words, answer in (
                ({"needs": 5}, """needs: must be like {"gpu": "a100", "mem": "64G"}, or "gpu=a100,mem=64G\""""),
                ({"needs": "gpu"}, "needs: gpu: is NAME=VALUE"),
                ({"needs": {"mem": "lots"}}, "needs: mem=lots: is a number above 0, with K, M, G or T behind it"),
                ({"spread": 1}, "spread: must be true or false")):
            done = cluster.eole("submit", "--file", "-", input=json.dumps({"kind": "echo", "args": 1, **words}),
                                check=False)
            self.assertIn(answer, done.stderr)
        for arguments, answer in (
                (("--resource", "mem=much"), "resource: mem=much: is a number above 0, with K, M, G or T behind it"),
                (("--label", "gpu=" + 65 * "x"), "label: a name or value of 65 bytes, limit 64"),
                (("--label", "gpu"), "label: gpu: is NAME=VALUE")):
            done = subprocess.run([BIN / "worker", *arguments, "--cluster", cluster.directory + "/eole/cluster.toml"],
                                  capture_output=True, text=True, timeout=30)
            self.assertEqual(done.returncode, 2)
            self.assertIn(answer, done.stderr)


if __name__ == "__main__":
    unittest.main()
