"""Schedules with real processes: set up, listed, paused, run, removed; each beat once, across restarts."""

import os
import pathlib
import subprocess
import sys
import time
import unittest

from cluster import BIN, Cluster, wait_until

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "clients/python"))
import eole  # noqa: E402


class Schedules(unittest.TestCase):
    def setUp(self):
        self.cluster = self.enterContext(Cluster(workers=1, slots=2))

    def schedule(self, *words, check=True):
        return self.cluster.eole("schedule", *words, check=check)

    def one(self, name):
        [view] = [view for view in self.cluster.json("schedule", "list") if view["name"] == name]
        return view

    def fired(self, name):
        return self.one(name)["fired"]

    def results(self, project):
        return self.cluster.json("results", "--project", project)

    def test_each_beat_is_a_task_across_a_restart(self):
        self.schedule("add", "beat", "--every", "1s", "--", "--project", "beats", "echo", "hello")
        wait_until(lambda: self.fired("beat") >= 2, 60, "two beats")
        self.cluster.stop()
        self.cluster.start()
        wait_until(lambda: self.fired("beat") >= 4, 60, "more beats")
        self.schedule("pause", "beat")
        fired = self.fired("beat")
        wait_until(lambda: len(self.results("beats")) >= fired, 60, "their results")
        self.assertEqual(len(self.results("beats")), fired)
        self.assertIsNone(self.one("beat")["next"])
        self.assertIsNotNone(self.one("beat")["last"])

    def test_a_nightly_schedule_says_when_it_comes(self):
        self.schedule("add", "nightly", "--cron", "30 2 * * *", "--zone", "Europe/Paris", "--missed", "skip", "--",
                      "sleep", "0")
        [shown] = self.cluster.json("schedule", "show", "nightly", "--beats", "3")
        self.assertEqual(len(shown["beats"]), 3)
        self.assertEqual(shown["beats"][0], shown["next"])
        self.assertEqual((shown["fired"], shown["last"], shown["zone"]), (0, None, "Europe/Paris"))
        self.assertGreater(shown["next"], time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
        task = self.schedule("run", "nightly").stdout.strip()
        wait_until(lambda: self.cluster.task(task)["state"] == "done", 60, "it is done")
        self.schedule("remove", "nightly")
        self.assertEqual(self.cluster.json("schedule", "list"), [])

    def test_the_example_of_a_nightly_schedule_may_be_run_again(self):
        script = pathlib.Path(__file__).parents[2] / "examples/nightly.sh"
        env = {**self.cluster.env, "PATH": f"{BIN}:{os.environ['PATH']}"}
        for _ in range(2):
            done = subprocess.run([script], env=env, capture_output=True, text=True, timeout=120, check=True)
            task = done.stdout.splitlines()[-1].removeprefix("tried now: ")
            wait_until(lambda: self.cluster.task(task)["state"] == "done", 60, "it is done")
        self.assertEqual(self.one("nightly")["fired"], 0)
        self.assertRegex(self.one("nightly")["next"], r"T0[01]:30:00")
        self.assertEqual(len(self.results("reports")), 2)

    def test_a_beat_waits_for_what_its_task_waits_for(self):
        first = self.cluster.eole("submit", "sleep", "0").stdout.strip()
        self.schedule("add", "beat", "--every", "1s", "--", "--project", "beats", "--after", first, "echo", "hello")
        wait_until(lambda: len(self.results("beats")) >= 2, 60, "two results")
        self.schedule("remove", "beat")
        self.assertEqual({result["state"] for result in self.results("beats")}, {"done"})

    def test_schedules_are_set_up_from_python(self):
        client = self.enterContext(eole.Cluster(self.cluster.directory + "/eole/cluster.toml"))
        schedules = client.schedules
        added = schedules.add("beat", "echo", "hello", every="1s", missed="skip", project="beats", priority=3)
        self.assertEqual((added["name"], added["every_ms"], added["missed"], added["fired"]), ("beat", 1000, "skip", 0))
        self.assertEqual(schedules.add("beat", "echo", "hello", every="1s", missed="skip", project="beats",
                                       priority=3)["name"], "beat")
        schedules.add("nightly", "sleep", {"seconds": 0}, cron="30 2 * * *", zone="Europe/Paris")
        self.assertEqual(schedules.list(), self.cluster.json("schedule", "list"))
        [shown] = self.cluster.json("schedule", "show", "nightly", "--beats", "3")
        self.assertEqual(schedules.show("nightly", 3), shown)
        wait_until(lambda: schedules.show("beat")["fired"] >= 1, 60, "a beat")
        self.assertTrue(schedules.pause("beat")["paused"])
        self.assertFalse(schedules.resume("beat")["paused"])
        [result] = client.results([schedules.run("nightly")], timeout=60)
        self.assertEqual((result.kind, result.state), ("sleep", "done"))
        # Its project takes no more tasks: it says so, and is not tried each second.
        client.control("close", project="beats")
        refused = wait_until(lambda: schedules.show("beat").get("last_error"), 60, "it says why")
        self.assertEqual(refused, "project beats: closed, takes no more tasks until it is opened again")
        self.assertIn("its task is not accepted: project beats: closed", self.schedule("show", "beat").stdout)
        with self.assertRaisesRegex(eole.Refused, "ventilator: schedule late: project beats: closed, takes no more"):
            schedules.add("late", "echo", 1, every="1h", project="beats")
        with self.assertRaisesRegex(eole.BadTask, "schedule x: give cron or every"):
            schedules.add("x", "echo")
        with self.assertRaisesRegex(eole.NotFound, "schedule nobody: there is none"):
            schedules.show("nobody")
        self.assertTrue(schedules.remove("beat"))
        self.assertFalse(schedules.remove("beat"))

    def test_what_makes_no_schedule_is_refused(self):
        def refused(*words):
            done = self.schedule("add", "bad", *words, check=False)
            self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
            return done.stderr
        task = ("--", "echo", "hello")
        self.assertIn("never comes: no such day", refused("--cron", "0 0 30 2 *", *task))
        self.assertIn("minute 60: limits 0 and 59", refused("--cron", "60 * * * *", *task))
        self.assertIn("did you mean Europe/Paris?", refused("--cron", "@daily", "--zone", "Europe/Pariss", *task))
        self.assertIn("every 0.1s: limits 1s and 36525d", refused("--every", "0.1s", *task))
        self.assertIn("missed twice: is once or skip", refused("--every", "1h", "--missed", "twice", *task))
        self.assertIn("give --cron or --every", refused(*task))
        self.assertIn("wanted is one", refused("--every", "1h", "--", "sleep", "1", "2"))
        self.assertIn("there is none", self.schedule("pause", "nobody", check=False).stderr)
        self.schedule("add", "same", "--every", "1h", *task)
        self.schedule("add", "same", "--every", "1h", *task)
        self.assertIn("there is another one of that name",
                      self.schedule("add", "same", "--every", "2h", *task, check=False).stderr)
        self.assertEqual(len(self.cluster.json("schedule", "list")), 1)


if __name__ == "__main__":
    unittest.main()
