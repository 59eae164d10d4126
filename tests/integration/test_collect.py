"""Projects put together from what their tasks came to, and done again where that is missing, with real processes."""

import json
import pathlib
import sys
import unittest

from cluster import Cluster

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "clients/python"))
import eole  # noqa: E402


def some(view, *names):
    return tuple(view[name] for name in names)


class Collect(unittest.TestCase):
    def start(self, **options):
        cluster = self.enterContext(Cluster("--allow-exec", **{"workers": 1, "slots": 2, **options}))
        return cluster, self.enterContext(eole.Cluster(cluster.directory + "/eole/cluster.toml"))

    def test_the_last_task_puts_together_what_others_came_to_in_their_order(self):
        cluster, client = self.start()
        cluster.eole("project", "open", "photos", "--expect", 40, "--then", "collect", "--args", '{"how": "json"}')
        cluster.eole("pause", "project:photos")
        first = client.submit("exec", {"shell": "sleep 0.1; echo first"}, project="photos")
        client.submit("echo", range(39), project="photos")
        cluster.kill("sink")
        cluster.eole("resume", "project:photos")
        view = cluster.json("project", "photos", "--wait")[0]
        self.assertEqual(some(view["result"], "state", "kind", "project"), ("done", "collect", "photos/collect"))
        value = view["result"]["value"]
        self.assertEqual(value["parts"], 40)
        self.assertEqual(value["list"][0]["stdout"], "first\n")
        self.assertEqual(value["list"][1:], list(range(39)))
        self.assertEqual(client.project("photos")["result"], view["result"])
        path = client.fetch(view["result"]["id"], pathlib.Path(cluster.directory, "fetched"))
        self.assertEqual(json.loads(pathlib.Path(path).read_text(encoding="utf-8")), value["list"])
        done = cluster.json("submit", "collect", "manifest", "--project", "photos", "--wait")[0]
        self.assertEqual(done["value"]["list"][0]["id"], first[0])
        for words, code, answer in [
                (("submit", "collect", "glue"), 2, "collect: how must be concat, json, sum or manifest, not glue"),
                (("submit", "collect", "sum", "--wait"), 1,
                 "project is missing, and this is no project's last task"),
                (("submit", "collect", "sum", "--project", "films", "--wait"), 1,
                 "project films: the sink knows no task of it that has ended")]:
            with self.subTest(words):
                done = cluster.eole(*words, check=False)
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn(answer, done.stdout + done.stderr)

    def test_a_retry_does_what_is_missing_and_nothing_else(self):
        cluster, client = self.start()
        good = pathlib.Path(cluster.directory, "good")
        ran = pathlib.Path(cluster.directory, "ran")
        client.open_project("photos", then={"kind": "collect", "args": {"how": "concat"}})
        script = f"echo $1 >> {ran}; [ -n \"$2\" ] || [ -e {good} ] || exit 1; printf %s $1"
        ids = client.submit([{"name": name, "kind": "exec", "args": {"argv": ["sh", "-c", script, "sh", name, sound]},
                              "after": after}
                             for name, sound, after in [("a", "yes", []), ("b", "", []), ("c", "yes", ["b"]),
                                                        ("d", "yes", ["a"])]], project="photos")
        letter = client.submit("exec", {"argv": ["sh", "-c", script, "sh", "e", ""]}, retry=True, attempts=1,
                               project="photos")
        held = client.submit("exec", {"argv": ["sh", "-c", script, "sh", "f", "yes"]}, delay="1h", project="photos")
        self.assertEqual(cluster.eole("project", "retry", "photos", check=False).stderr.strip(),
                         "eole: project photos: is not over, what runs is not missing (close or cancel it first)")
        for task in client.results([*ids, *letter]):
            pass
        self.assertEqual(cluster.json("project", "cancel", "photos")[0]["cancelling"], 1)
        done = cluster.eole("project", "photos", "--wait", check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        for task in ids[1:3] + letter + held:
            self.assertIn(task, done.stdout)
        good.touch()
        self.assertEqual(cluster.eole("project", "retry", "photos").stdout,
                         "photos: 4 tasks are tried again, and its last task then\n")
        done = cluster.eole("project", "photos", "--wait", "--json", check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        result = json.loads(done.stdout)["result"]
        path = client.fetch(result["id"], pathlib.Path(cluster.directory, "fetched"))
        self.assertEqual(pathlib.Path(path).read_text(encoding="ascii"), "abcdef")
        self.assertEqual(sorted(ran.read_text(encoding="ascii").split()), ["a", "b", "b", "c", "d", "e", "e", "f"])
        self.assertEqual(cluster.eole("project", "retry", "photos").stdout, "photos: nothing is missing\n")

    def test_what_is_large_stays_at_the_sink_and_on_disk(self):
        cluster, client = self.start()
        client.open_project("many", then={"kind": "collect", "args": {"how": "json"}})
        client.submit("echo", ({"n": n, "text": 100 * "x"} for n in range(20000)), project="many", batch=1024)
        client.control("close", project="many")
        result = client.wait_project("many")["result"]
        self.assertEqual(result["value"]["parts"], 20000)
        self.assertNotIn("list", result["value"])
        path = client.fetch(result["id"], pathlib.Path(cluster.directory, "fetched"))
        self.assertEqual([each["n"] for each in json.loads(pathlib.Path(path).read_text(encoding="ascii"))],
                         list(range(20000)))


if __name__ == "__main__":
    unittest.main()
