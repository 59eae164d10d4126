"""Commands of one's own that put a project together, with real processes."""

import json
import pathlib
import sys
import unittest

from cluster import Cluster

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "clients/python"))
import eole  # noqa: E402

SCRIPT = """
import json, os, sys
parts = [json.loads(line) for line in open(sys.argv[1])]
assert not os.path.samefile(os.getcwd(), os.path.dirname(sys.argv[1]))
print([part["value"] for part in parts], [part["id"] for part in parts], sep="\\n")
"""


class LastTask(unittest.TestCase):
    def test_a_command_gets_the_parts_as_a_file(self):
        cluster = self.enterContext(Cluster("--allow-exec", workers=1, slots=2))
        client = self.enterContext(eole.Cluster(cluster.directory + "/eole/cluster.toml"))
        merge = {"argv": ["python3", "-c", SCRIPT, {"$parts": True}]}
        cluster.eole("project", "open", "words", "--expect", 3, "--then", "exec", "--args", json.dumps(merge))
        client.open_project("films", then={"kind": "exec", "args": merge})
        slow = client.submit("sleep", {"seconds": 0.2}, project="words")
        ids = slow + client.submit("echo", ["b", {"c": 3}], project="words")
        result = client.wait_project("words")["result"]
        self.assertEqual((result["state"], result["kind"], result["project"]), ("done", "exec", "words/collect"))
        values = [client.result(slow[0]).value, "b", {"c": 3}]
        self.assertEqual(result["value"]["stdout"].splitlines(), [str(values), str(ids)])

        # Of a project that was never opened, by name; and of one that has parts which were not done.
        client.submit("echo", [1, 2], project="photos")
        count = {"shell": "wc -l < \"$PARTS\"", "env": {"PARTS": {"$parts": "photos"}}}
        [done] = client.map("exec", [count], after="project:photos")
        self.assertEqual(done.value["stdout"], "2\n")
        # What is taken from a result is not looked through.
        odd = client.submit("echo", {"$parts": "nobody"})
        [done] = client.map("echo", [{"odd": {"$result": odd[0]}, "parts": {"$parts": "photos"}}], after=odd)
        self.assertEqual(done.value["odd"], {"$parts": "nobody"})
        self.assertNotIn("$parts", done.value["parts"])
        bad = client.submit("exec", {"argv": ["false"]}, project="films")
        cluster.eole("project", "close", "films")
        result = client.wait_project("films")["result"]
        self.assertEqual(result["error"],
                         f"exec: arguments: $parts films: 1 of 1 parts was not done: {bad[0]} failed")


if __name__ == "__main__":
    unittest.main()
