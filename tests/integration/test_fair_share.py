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


if __name__ == "__main__":
    unittest.main()
