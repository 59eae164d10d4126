"""What tasks write around themselves goes with them, however they end."""

import pathlib
import unittest

from cluster import Cluster, wait_until

# Also what its owner may not remove just so.
WRITE = "mkdir -p deep/er && echo x > deep/er/file && chmod 500 deep/er deep"


def command(line, **words):
    return {"kind": "exec", "args": {"shell": f"{WRITE}; {line}", "term_grace": 0.1}, **words}


class Scratch(unittest.TestCase):
    def test_whatever_ends_a_task_takes_its_directory_along(self):
        with Cluster("--allow-exec", workers=1, slots=4) as cluster:
            scratch = pathlib.Path(cluster.directory, "eole/data/w1")
            seen = pathlib.Path(cluster.directory, "seen")

            def left():
                return sorted(path.name for path in scratch.iterdir())

            ended = cluster.submit([command("true"), command("exit 3"), command("sleep 600", timeout=0.2)],
                                   "--wait", check=False)
            self.assertEqual([result["state"] for result in ended], ["done", "failed", "failed"])
            wait_until(lambda: left() == [], what="an empty directory")
            task = cluster.submit([command(f"touch {seen}; sleep 600")])[0]["id"]
            wait_until(seen.exists, what="a running task")
            self.assertTrue(any(task in name for name in left()), left())
            self.assertEqual(cluster.json("cancel", task)[0]["state"], "cancelled")
            wait_until(lambda: left() == [], what="an empty directory")
            seen.unlink()
            # Nobody is there to remove it: the next life of the worker does.
            task = cluster.submit([command(f"[ -e {seen} ] || {{ touch {seen}; sleep 600; }}")])[0]["id"]
            wait_until(seen.exists, what="a running task")
            cluster.kill("w1")
            cluster.wait_settled(5)
            self.assertEqual(cluster.task(task)["state"], "done")
            wait_until(lambda: left() == [], what="an empty directory")


if __name__ == "__main__":
    unittest.main()
