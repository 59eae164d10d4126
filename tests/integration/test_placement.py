"""Tasks go to workers that run their kind, and cost the others nothing."""

import pathlib
import subprocess
import sys
import unittest

from cluster import BIN, Cluster, wait_until

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "clients/python"))
import eole  # noqa: E402

TASKS = 3000


class Placement(unittest.TestCase):
    def test_a_plain_worker_is_sent_none_of_the_commands_of_another(self):
        cluster = self.enterContext(Cluster(workers=1, slots=2))
        path = cluster.directory + "/eole/cluster.toml"
        client = self.enterContext(eole.Cluster(path))
        ids = client.submit("exec", [{"argv": ["true"]}] * TASKS)
        self.assertEqual([why["code"] for why in cluster.task(ids[0])["why"]], ["no_worker"])
        [plain] = [role["name"] for role in cluster.status()["roles"] if role["role"] == "worker"]
        self.assertEqual(client.map("echo", ["beside"])[0].worker, plain)
        worker = subprocess.Popen([BIN / "worker", "--name", "commands", "--allow-exec", "--slots", "2",
                                   "--cluster", path], stderr=subprocess.DEVNULL)
        try:
            ended, held = [], set()
            for result in client.results(ids):
                ended.append((result.state, result.worker, result.attempt))
                if len(ended) % 500 == 1:
                    held |= {role["held"] for role in cluster.status()["roles"] if role.get("name") == plain}
            self.assertEqual(set(ended), {("done", "commands", 1)})
            self.assertEqual(held, {0})
            self.assertEqual(len(ended), TASKS)
        finally:
            worker.terminate()
            worker.wait(30)
        wait_until(lambda: len([role for role in cluster.status()["roles"] if role["role"] == "worker"]) == 1,
                   what="it has left")
        [task] = client.submit("exec", {"argv": ["true"]})
        self.assertEqual([why["text"] for why in cluster.task(task)["why"]], ["no connected worker offers exec"])


if __name__ == "__main__":
    unittest.main()
