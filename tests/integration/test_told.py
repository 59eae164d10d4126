"""What the command answers about projects, limits, schedules and letters, with real processes."""

import json
import unittest

from cluster import Cluster


class Answers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster("--allow-exec", workers=1, slots=2))

    def told(self, *words, code=0, **options):
        done = self.cluster.eole(*words, check=False, **options)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return (done.stderr if code else done.stdout).strip().removeprefix("eole: ")

    def test_a_project_that_nobody_knows_is_neither_closed_nor_cancelled(self):
        for what in ("close", "cancel", "retry"):
            self.assertEqual(self.told("project", what, "nobody", code=1), "project nobody: nothing is known of it")
        self.assertEqual(self.told("project", "nobody", code=1), "project nobody: nothing is known of it")
        self.assertEqual(self.told("project", "open", "photos", "--then", "echo", "--args", "{bad", code=2),
                         "--args: not valid JSON at byte 2")

    def test_limits_and_schedules_say_what_holds_now(self):
        self.assertEqual(self.told("limit", "set", "kind:x", "--rate", "20/m"), "kind:x  rate 20/m")
        self.assertEqual(self.told("limit", "set", "kind:x", "--rate", "90/m", "--running", 2),
                         "kind:x  running 2  rate 1.5/s")
        self.assertEqual(self.told("limit", "clear", "kind:x"), "kind:x  no limit")
        self.assertEqual(self.told("schedule", "add", "beat", "--every", "1h", code=2),
                         "schedule add: give the task behind --, like -- echo hello")
        self.told("schedule", "add", "beat", "--every", "1h", "--", "echo", "hello")
        self.assertIn("paused", self.told("schedule", "pause", "beat"))
        self.assertIn("next", self.told("schedule", "resume", "beat"))
        self.assertEqual(self.told("schedule", "remove", "beat"), "beat is removed")

    def test_a_circle_over_a_project_is_refused_or_said(self):
        self.told("project", "open", "films")
        first = self.told("submit", "--after", "project:films", "echo", "1")
        refused = self.told("submit", "--after", first, "--project", "films", "echo", "2", code=2)
        self.assertIn(f"after {first}: a circle, it waits for project films, of which this task is", refused)
        lines = ('{"kind": "echo", "name": "a", "after": "project:films"}\n'
                 '{"kind": "echo", "after": "a", "project": "films"}\n')
        ids = [json.loads(line)["id"] for line in self.told("submit", "--file", "-", input=lines).splitlines()]
        why = json.loads(self.told("explain", ids[1], "--json"))["why"]
        self.assertEqual([each["code"] for each in why], ["circle", "parents"])
        self.told("project", "cancel", "films")
        self.told("project", "films", "--wait", code=1)

    def test_a_letter_has_the_times_of_its_task_and_its_closed_project_says_what_to_do(self):
        self.told("project", "open", "letters", "--expect", 1)
        letter = self.told("submit", "--project", "letters", "--delay", "0.1", "--expires", "2h", "--retry",
                           "--attempts", 1, "exec", "--", "false")
        self.told("project", "letters", "--wait", code=1)
        [shown] = self.cluster.json("dead", "show", letter)
        self.assertEqual((shown["task"]["delay"], shown["task"]["expires"]), ("0.1s", "2h"))
        self.assertEqual(self.told("dead", "replay", letter, code=1),
                         f"{letter}: the ventilator: project letters: closed, takes no more tasks until it is opened again")


if __name__ == "__main__":
    unittest.main()
