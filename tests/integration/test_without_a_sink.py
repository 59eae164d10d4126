"""Tasks are accepted whether or not the sink is there."""

import os
import pathlib
import signal
import sys
import unittest

from cluster import Cluster, wait_until

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "clients/python"))
import eole  # noqa: E402


class WithoutASink(unittest.TestCase):
    def test_a_submit_is_accepted_while_the_sink_is_stopped(self):
        cluster = self.enterContext(Cluster(workers=1))
        sink = cluster.pid("sink")
        os.kill(sink, signal.SIGSTOP)
        done = cluster.eole("submit", "echo", "by the command")
        self.assertEqual(done.stderr, "")
        client = self.enterContext(eole.Cluster(cluster.directory + "/eole/cluster.toml", patience=1))
        ids = client.submit("echo", ["one", "two"])
        ids += client.submit("echo", ["three"])
        os.kill(sink, signal.SIGCONT)
        self.assertEqual({result.id: result.value for result in client.results(ids, timeout=30)},
                         dict(zip(ids, ["one", "two", "three"])))
        wait_until(lambda: "by the command" in cluster.eole("result", done.stdout.strip(), check=False).stdout)


if __name__ == "__main__":
    unittest.main()
