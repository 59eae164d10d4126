"""The history by its index: what it tells is what the log says, whenever the sink was killed."""

import csv
import os
import unittest

from cluster import Cluster, wait_until

SAME = ("offset", "id", "kind", "project", "state", "worker")


class HistoryIndex(unittest.TestCase):
    def test_a_killed_sink_leaves_an_index_that_equals_the_log(self):
        with Cluster("--allow-exec", workers=1, slots=4) as cluster:
            index = os.path.join(cluster.directory, "eole/data/sink/index")
            history = lambda *options: cluster.json("history", *options)  # noqa: E731
            done = failed = 0
            for life in range(3):
                good = [{"kind": "echo", "project": f"p{number % 3}", "args": {"n": number}} for number in range(300)]
                bad = [{"kind": "exec", "project": "b", "args": {"argv": ["sh", "-c", "exit 3"]}}] * 4
                cluster.submit(good + bad)
                done, failed = done + len(good), failed + len(bad)
                if life > 0:
                    self.assertTrue(os.path.isdir(index))
                    self.assertGreaterEqual(len(history()), done - len(good))  # It has begun with the new ones.
                    sink = cluster.kill("sink")
                    wait_until(lambda: cluster.pid("sink") not in (None, sink), what="a new sink")  # noqa: B023
                else:
                    self.assertFalse(os.path.exists(index))  # Nobody has asked.
                cluster.wait_settled(done + failed)
                history("--limit", 1)
            log = [{name: line[name] for name in SAME} for line in cluster.log() if line["state"] != "retrying"]
            rows = history()
            self.assertEqual([{name: row[name] for name in SAME} for row in rows], log[::-1])
            self.assertEqual(len(rows), done + failed)
            ids = lambda *options: [row["id"] for row in history(*options)]  # noqa: E731
            self.assertEqual(ids("--state", "failed"), [line["id"] for line in log[::-1] if line["state"] == "failed"])
            self.assertEqual(ids("--state", "done,failed"), [line["id"] for line in log[::-1]])
            self.assertIn("none of done, failed", cluster.eole("history", "--state", "done,lost", check=False).stderr)
            self.assertEqual(ids("--text", "exit code 3"), ids("--kind", "exec"))
            self.assertEqual(len(ids("--project", "p1", "--worker", rows[0]["worker"])), done // 3)
            self.assertEqual(len(ids("--limit", 7)), 7)
            self.assertEqual(ids("--since", "1h", "--until", "1h"), [])
            self.assertEqual(ids("--since", "1d"), [row["id"] for row in rows])
            self.assertEqual(cluster.eole("history", "--until", "soon", check=False).returncode, 2)
            self.assertIn("no letter or digit", cluster.eole("history", "--text", "--", check=False).stderr)
            self.assertIn("not both", cluster.eole("history", "--json", "--csv", check=False).stderr)
            table = cluster.eole("history", "--csv", "--project", "b").stdout.splitlines()
            self.assertEqual([line["error"] for line in csv.DictReader(table)], [row["error"] for row in history("--project", "b")])
            self.assertIn("exit code 3", cluster.eole("history").stdout)
            named = [result["id"] for result in cluster.submit([{"kind": "echo", "args": n, "key": f"k{n % 2}"}
                                                                for n in range(6)], "--wait")]
            self.assertEqual(sorted(ids("--key", "k1")), sorted(named[1::2]))
            self.assertEqual(history("--key", "k1", "--limit", 1)[0]["key"], "k1")
            needles = [{"argv": ["true", f"Needle-{number}"]} for number in range(9)]
            told = cluster.submit([{"kind": "exec", "args": args} for args in needles], "--wait")
            self.assertEqual(ids("--text", "needle-4"), [told[4]["id"]])  # Of a done one's arguments.
            self.assertEqual(told[4]["args"], needles[4])


if __name__ == "__main__":
    unittest.main()
