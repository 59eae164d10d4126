"""Projects: counted, opened, closed, cancelled, waited for, and their last tasks, with real processes."""

import os
import pathlib
import signal
import subprocess
import sys
import unittest

from cluster import BIN, Cluster, wait_until

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "clients/python"))
import eole  # noqa: E402

WORDS = {"project", "state", "tasks", "expected", "waiting", "queued", "running", "done", "failed", "dead",
         "cancelled", "progress", "first_unix_ms", "last_unix_ms", "eta_seconds", "result"}


def some(view, *names):
    return tuple(view[name] for name in names)


def takes_signals(pid):
    """It hears of signals in its own time."""
    try:
        return any(os.readlink(fd) == "anon_inode:[signalfd]" for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir())
    except FileNotFoundError:  # One was closed meanwhile.
        return False


class Projects(unittest.TestCase):
    def start(self, **options):
        cluster = self.enterContext(Cluster("--allow-exec", **{"workers": 1, "slots": 2, **options}))
        return cluster, self.enterContext(eole.Cluster(cluster.directory + "/eole/cluster.toml"))

    def view(self, cluster, name, tasks=0):
        """Once it has so many tasks."""
        return wait_until(lambda: (v := cluster.json("project", name)[0])["tasks"] == tasks and v,
                          what=f"{name} has {tasks} tasks")

    def test_what_runs_counts_as_far_as_it_says_it_is(self):
        cluster, client = self.start(slots=3)
        gate = os.path.join(cluster.directory, "gate")
        script = f'while [ ! -e {gate} ]; do echo 7/10 >&$EOLE_PROGRESS_FD; sleep 0.1; done'
        client.map("echo", [1], project="far")
        client.submit("exec", [{"shell": script}] * 3, project="far")
        for view in (lambda: cluster.json("project", "far")[0], lambda: client.project("far"),
                     lambda: next(client.projects())):
            wait_until(lambda view=view: abs(view()["progress"] - (1 + 3 * 0.7) / 4) < 1e-9,
                       what="all have said how far they are")
        pathlib.Path(gate).touch()
        wait_until(lambda: cluster.json("project", "far")[0]["progress"] == 1, what="all are done")

    def test_it_counts_what_waits_and_how_tasks_ended(self):
        cluster, client = self.start()
        client.map("echo", range(5), project="photos")
        client.map("exec", [{"argv": ["false"]}] * 2, project="photos")
        cluster.eole("pause", "project:photos")
        held = client.submit("echo", range(3), project="photos")
        client.submit("echo", 1, project="photos", delay="1h")
        self.assertEqual(client.cancel(held[:1]), {held[0]: "cancelled"})
        view = self.view(cluster, "photos", tasks=11)
        self.assertEqual(set(view), WORDS)
        self.assertEqual(some(view, "state", "waiting", "queued", "running", "done", "failed", "dead", "cancelled"),
                         ("open", 1, 2, 0, 5, 2, 0, 1))
        self.assertAlmostEqual(view["progress"], 8 / 11)
        self.assertIsNotNone(view["eta_seconds"])
        self.assertIsNone(view["result"])
        self.assertEqual(client.project("photos"), view)
        client.map("echo", range(2), project="films")
        self.view(cluster, "films", tasks=2)
        view.pop("result")
        listed = cluster.json("project")
        self.assertEqual([each["project"] for each in listed], ["films", "photos"])
        self.assertEqual(listed[1], view)
        self.assertEqual(list(client.projects()), listed)
        self.assertEqual(some(listed[0], "state", "done", "progress", "eta_seconds"), ("over", 2, 1.0, 0.0))
        self.assertRegex(cluster.eole("project").stdout, r"(?m)^photos +open +1 +2 +0 +5 +2 +0 +1 *$")
        self.assertIn("5 done, 2 failed, 0 dead, 1 cancelled", cluster.eole("project", "photos").stdout)

    def test_with_what_is_expected_it_closes_itself_and_its_last_task_runs_once(self):
        cluster, client = self.start()
        said = cluster.json("project", "open", "photos", "--expect", 20, "--then", "echo",
                            "--args", '{"all": "there"}')
        self.assertEqual(said, [{"project": "photos", "state": "open"}])
        client.map("echo", range(10), project="photos")
        view = self.view(cluster, "photos", tasks=10)
        self.assertEqual(some(view, "state", "expected", "progress"), ("open", 20, 0.5))
        cluster.kill("ventilator")
        cluster.eole("pause", "project:photos")
        client.submit("echo", range(9), project="photos")
        self.assertEqual(client.project("photos")["state"], "open")
        client.submit("echo", 9, project="photos")
        wait_until(lambda: client.project("photos")["state"] == "closed", what="it closes itself")
        with self.assertRaisesRegex(eole.Refused, "project photos: closed, takes no more tasks until it is opened again"):
            client.submit("echo", 1, project="photos")
        cluster.kill("ventilator")
        self.assertEqual(self.view(cluster, "photos", tasks=20)["state"], "closed")
        cluster.eole("resume", "project:photos")
        view = cluster.json("project", "photos", "--wait")[0]
        self.assertEqual(some(view, "state", "tasks", "done", "progress"), ("over", 20, 20, 1.0))
        self.assertEqual(some(view["result"], "state", "kind", "project", "value"),
                         ("done", "echo", "photos/collect", {"all": "there"}))
        cluster.kill("ventilator")
        again = wait_until(lambda: cluster.json("project", "photos", check=False), what="the ventilator is back")[0]
        self.assertEqual(again, view)
        client.map("echo", range(5))  # Whatever was to be accepted again has been.
        self.assertEqual(client.project("photos/collect")["tasks"], 1)

    def test_cancelled_it_is_over_and_the_wait_says_so(self):
        cluster, client = self.start()
        cluster.eole("pause", "project:photos")
        client.submit("echo", range(70000), project="photos")  # More than one answer's.
        said = cluster.json("project", "cancel", "photos")
        self.assertEqual(said, [{"project": "photos", "state": "closed", "cancelling": 70000}])
        done = cluster.eole("project", "photos", "--wait", "--json", check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(some(client.project("photos"), "state", "cancelled"), ("over", 70000))
        self.assertEqual(cluster.eole("project", "cancel", "photos").stdout,
                         "photos is closed; 0 tasks are being cancelled\n")

    def test_the_wait_ends_with_the_project(self):
        cluster, client = self.start()
        cluster.eole("project", "open", "photos")
        client.map("echo", range(3), project="photos")
        client.map("exec", {"argv": ["false"]}, project="films")
        self.assertEqual(cluster.eole("project", "films", "--wait", check=False).returncode, 1)
        waiting = subprocess.Popen([BIN / "eole", "project", "photos", "--wait", "--json"], env=cluster.env,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual(cluster.eole("project", "close", "photos").stdout, "photos is closed\n")
        out, _ = waiting.communicate(timeout=60)
        self.assertIn('"done":3', out)
        self.assertEqual(waiting.returncode, 0)
        cluster.eole("project", "open", "endless")
        waiting = subprocess.Popen([BIN / "eole", "project", "endless", "--wait"], env=cluster.env,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_until(lambda: takes_signals(waiting.pid), what="it waits")
        waiting.send_signal(signal.SIGINT)
        _, said = waiting.communicate(timeout=60)
        self.assertEqual(waiting.returncode, 1)
        self.assertIn("project endless: stopped waiting; its tasks go on", said)

    def test_a_task_after_a_project_runs_once_it_is_over(self):
        cluster, client = self.start()
        cluster.eole("project", "open", "photos")
        after = client.submit("echo", 1, after=["project:photos"])
        client.map("echo", range(5), project="photos")
        wait_until(lambda: [task["id"] for task in client.tasks()] == after, what="it alone is left")
        cluster.kill("ventilator")
        self.assertEqual(client.control("close", project="photos")["state"], "closed")
        self.assertEqual([result.state for result in client.results(after)], ["done"])
        client.map("exec", {"argv": ["false"]}, project="films")
        cluster.eole("pause", "project:games")
        games = client.submit("exec", [{"argv": ["false"]}, {"argv": ["true"]}], project="games")
        after = client.submit("echo", 1, after=["project:games"])
        cluster.eole("resume", "project:games")
        self.assertEqual([result.state for result in client.results(after)], ["failed"])
        self.assertEqual(len(list(client.results(games))), 2)

    def test_what_makes_no_sense_is_refused_by_name(self):
        cluster, _ = self.start()
        for words, code, answer in [
                (("open",), 2, "project open: give its name"),
                (("cancel",), 2, "project cancel: give its name"),
                (("--wait",), 2, "project: --wait needs a project's name"),
                (("close", "photos", "--wait"), 2, "project close: --wait goes with a project's name alone"),
                (("close", "photos", "films"), 2, "project close: not expected: films"),
                (("open", "photos", "--args", "{}"), 2, "project open: --args goes with --then"),
                (("open", "photos", "--expect", "0"), 2, "--expect: 0 is no whole number from 1 to 1099511627776"),
                (("open", "photos", "--expect", "many"), 2, "--expect"),
                (("open", "photos", "--then", "ecko"), 2,
                 "--then ecko: no kind of that name comes with Eole; did you mean echo?"),
                (("open", "photos", "--then", "sleep", "--args", "{}"), 2, "--then sleep: "),
                (("open", 250 * "x"), 2, "project of 250 bytes, limit 247"),
                (("nobody",), 1, "project nobody: nothing is known of it"),
                (("nobody", "--wait"), 1, "project nobody: nothing is known of it")]:
            with self.subTest(words):
                done = cluster.eole("project", *words, check=False)
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn(answer, done.stderr)
        self.assertEqual(cluster.json("project"), [])


if __name__ == "__main__":
    unittest.main()
