"""What the roles promise each other when tasks fail and peers misbehave."""

import os
import unittest

from cluster import Cluster


class DeadLetters(unittest.TestCase):
    def test_a_task_that_died_of_its_own_failures_says_all_of_them_and_can_be_replayed(self):
        with Cluster("--allow-exec", workers=1) as cluster:
            gate = os.path.join(cluster.directory, "gate")
            task = {"kind": "exec", "args": {"shell": f"[ -e {gate} ]"}, "attempts": 3, "retry": True}
            dead = cluster.submit([task], "--wait", check=False)[0]
            self.assertEqual((dead["state"], dead["attempt"]), ("dead", 3))
            letter = cluster.json("dead", "list")[0]
            self.assertEqual([reason.split(":")[:2] for reason in letter["reasons"]],
                             [[f"attempt {attempt}", " failed"] for attempt in (1, 2, 3)])
            with open(gate, "w", encoding="ascii"):
                pass
            replay = cluster.json("dead", "replay", dead["id"])[0]
            cluster.wait_settled(2)
            self.assertEqual(cluster.json("result", replay["id"])[0]["state"], "done")


if __name__ == "__main__":
    unittest.main()
