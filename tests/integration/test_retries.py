"""A failed attempt is followed by a pause, and people are told that a task waits, and until when."""

import os
import tempfile
import time
import unittest

from cluster import Cluster, wait_until


class Pauses(unittest.TestCase):
    def test_what_a_task_needs_may_come_back_between_its_attempts(self):
        files = self.enterContext(tempfile.TemporaryDirectory())
        cluster = self.enterContext(Cluster("--allow-exec", workers=1, slots=1))
        ready = os.path.join(files, "ready")
        before = time.time() * 1000
        [task] = cluster.submit([{"kind": "exec", "args": {"argv": ["test", "-e", ready]},
                                  "retry": True, "attempts": 30}])
        wait_until(lambda: cluster.json("tasks", "--state", "waiting"), 60, "it waits")
        told = []

        def is_told():
            told.append(cluster.task(task["id"]).get("waits_until"))
            return told[-1] is not None

        wait_until(is_told, 60, "it is told until when")
        self.assertGreater(told[-1], before)
        with open(ready, "w", encoding="ascii"):
            pass
        wait_until(lambda: cluster.task(task["id"])["state"] == "done", 120, "it is done")


if __name__ == "__main__":
    unittest.main()
