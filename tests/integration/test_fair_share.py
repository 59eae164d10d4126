"""Many tasks of one project beside few of another, with real processes."""

import pathlib
import sys
import unittest

from cluster import Cluster, wait_until

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "clients/python"))
import eole  # noqa: E402

MANY = 100_000


class FairShare(unittest.TestCase):
    def test_a_hundred_thousand_tasks_do_not_delay_ten(self):
        cluster = self.enterContext(Cluster(workers=2, slots=2))
        client = self.enterContext(eole.Cluster(cluster.directory + "/eole/cluster.toml"))
        client.submit("sleep", ({"seconds": 0.01} for _ in range(MANY)), project="many")
        wait_until(lambda: client.project("many")["done"] > 0, what="some of the many are done")
        few = client.submit("sleep", [{"seconds": 0.01}] * 10, project="few")
        self.assertEqual({result.state for result in client.results(few)}, {"done"})
        self.assertGreater(client.project("many")["queued"], 0.9 * MANY)
        client.cancel_project("many")

    def test_long_tasks_and_short_ones_get_the_same_time(self):
        """What results tell is added up, not timed: from the first of the later project on, while both have more."""
        cluster = self.enterContext(Cluster(workers=2, slots=2))
        client = self.enterContext(eole.Cluster(cluster.directory + "/eole/cluster.toml"))
        for project, seconds in (("long", 0.09), ("short", 0.03)):
            client.submit("sleep", [{"seconds": seconds}] * (MANY // 20), project=project)

        def served():
            log = [each for each in cluster.json("results") if each["project"]]
            first = next((at for at, each in enumerate(log) if each["project"] == "short"), len(log))
            both = [[each["run_seconds"] for each in log[first:] if each["project"] == project]
                    for project in ("long", "short")]
            return both if min(map(len, both)) >= 200 else None
        long, short = wait_until(served, seconds=120, what="200 of each are done")
        self.assertLess(abs(sum(long) - sum(short)), 0.25 * sum(short), (len(long), len(short)))
        for project in ("long", "short"):
            client.cancel_project(project)


if __name__ == "__main__":
    unittest.main()
