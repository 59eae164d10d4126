"""Projects told what to do by the Python client, with real processes."""

import pathlib
import sys
import unittest
import unittest.mock

from cluster import Cluster, wait_until
from http_client import Http

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "clients/python"))
import eole  # noqa: E402
from eole import projects  # noqa: E402


class PythonProjects(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster("--allow-exec", workers=1, slots=2))

    def setUp(self):
        self.client = self.enterContext(eole.Cluster(f"{self.cluster.directory}/eole/cluster.toml"))

    def test_it_is_not_over_for_what_was_submitted_and_ended_since_the_ventilator_told(self):
        view = projects.project_view({"project": "p", "state": "open", "running": 1}, {"done": 5, "since": 1})
        self.assertEqual((view["running"], view["state"]), (0, "open"))
        self.assertEqual(projects.project_view(None, {"project": "p", "done": 5})["state"], "over")

    def test_a_retry_does_what_is_missing_in_its_place_and_nothing_else(self):
        client = self.client
        good, ran = (pathlib.Path(self.cluster.directory, name) for name in ("good", "ran"))
        script = f"echo $1 >> {ran}; [ -n \"$2\" ] || [ -e {good} ] || exit 1; printf %s $1"

        def task(name, sound="", **words):
            return {"name": name, "kind": "exec", "args": {"argv": ["sh", "-c", script, "sh", name, sound]}, **words}

        client.open_project("photos", then={"kind": "collect", "args": {"how": "concat"}})
        tasks = [task("a", "yes"), task("b", key="k"), task("c", "yes", after=["a", "b"]),
                 task("d", retry=True, attempts=1),
                 {"kind": "echo", "args": {"from": {"$result": "b", "path": "stdout"}}}]
        ids = client.submit(tasks, project="photos")
        with self.assertRaisesRegex(eole.Refused, "project photos: is not over, what runs is not missing"):
            client.retry_project("photos")
        client.close_project("photos")
        view = client.wait_project("photos")
        self.assertIn("4 of 5 parts were not done", view["result"]["error"])
        self.assertEqual(len(client.retry_project("photos")), 4)
        self.assertIn("4 of 5 parts were not done", client.wait_project("photos")["result"]["error"])
        good.touch()
        anew = client.retry_project("photos")
        self.assertEqual(len(anew), 4)
        view = client.wait_project("photos")
        self.assertEqual((view["result"]["state"], view["done"], view["failed"], view["dead"]), ("done", 5, 6, 2))
        path = client.fetch(view["result"]["id"], pathlib.Path(self.cluster.directory, "fetched"))
        self.assertEqual(pathlib.Path(path).read_text(encoding="ascii"), 'abcd{"from":"b"}\n')
        self.assertEqual(sorted(ran.read_text(encoding="ascii").split()), ["a", "b", "b", "b", "c", "d", "d", "d"])
        self.assertEqual(client.result(anew[0]).body["instead_of"], ids[1])
        self.assertEqual(client.retry_project("photos"), [])

    def test_a_retry_that_did_not_come_to_its_end_is_said_again_and_goes_on(self):
        client = self.client
        good, ran = (pathlib.Path(self.cluster.directory, name) for name in ("good-again", "ran-again"))
        script = f"echo $1 >> {ran}; [ -e {good} ]"
        client.open_project("again", then={"kind": "collect", "args": {"how": "concat"}})
        args = [{"argv": ["sh", "-c", script, "sh", name]} for name in "abc"]
        tasks = [{"name": f"t{number}", "kind": "exec", "args": each, "after": [f"t{number - 1}"] if number else [],
                  "on_parent_failure": "run"} for number, each in enumerate(args)]
        client.submit(tasks, project="again")
        client.close_project("again")
        self.assertEqual(client.wait_project("again")["failed"], 3)

        def runs():
            return sorted(ran.read_text(encoding="ascii").split())
        # Before anything was submitted; then before it was closed, with all that failed once more.
        with unittest.mock.patch.object(client, "_submit_found", side_effect=eole.NoAnswer("away")), \
                self.assertRaises(eole.NoAnswer):
            client.retry_project("again")
        self.assertEqual(client.project("again")["state"], "open")
        with unittest.mock.patch.object(client, "close_project", side_effect=eole.NoAnswer("away")), \
                self.assertRaises(eole.NoAnswer):
            client.retry_project("again")
        wait_until(lambda: client.project("again")["failed"] == 6, what="what is done anew to fail")
        self.assertEqual(runs(), ["a", "a", "b", "b", "c", "c"])
        good.touch()
        ids = client.retry_project("again")
        self.assertEqual([client.result(one).state for one in ids], ["failed"] * 3)
        self.assertIn("3 of 3 parts were not done", client.wait_project("again")["result"]["error"])
        self.assertEqual(len(runs()), 6)
        self.assertEqual(len(client.retry_project("again")), 3)  # Another one.
        self.assertEqual(client.wait_project("again")["result"]["state"], "done")
        self.assertEqual(len(runs()), 9)

        # So does the command.
        cluster = self.cluster
        for _ in range(2):
            client.control("open", project="again", is_retry=True)
            self.assertEqual(cluster.eole("project", "retry", "again").returncode, 0)
            client.wait_project("again")
        self.assertEqual(len(runs()), 9)

    def test_a_retry_that_was_interrupted_goes_on_by_the_gateway(self):
        client = self.client
        ran = pathlib.Path(self.cluster.directory, "ran-over-http")
        http = Http(self.cluster)

        def runs():
            return len(ran.read_text(encoding="ascii").split())
        client.open_project("web", then={"kind": "collect", "args": {"how": "concat"}})
        client.submit([{"kind": "exec", "args": {"argv": ["sh", "-c", f"echo {name} >> {ran}; exit 1"]}}
                       for name in "ab"], project="web")
        client.close_project("web")
        self.assertEqual((client.wait_project("web")["failed"], runs()), (2, 2))

        # Before anything was submitted: the gateway does all of it.
        client.control("open", project="web", is_retry=True)
        self.assertEqual(http.post("/projects/web/retry"), {"project": "web", "retried": 2})
        self.assertIn("2 of 2 parts were not done", client.wait_project("web")["result"]["error"])
        self.assertEqual((client.project("web")["failed"], runs()), (4, 4))

        # Before it was closed, with all that failed once more: nothing runs again, and it is over.
        with unittest.mock.patch.object(client, "close_project", side_effect=eole.NoAnswer("away")), \
                self.assertRaises(eole.NoAnswer):
            client.retry_project("web")
        wait_until(lambda: client.project("web")["failed"] == 6, what="what is done anew to fail")
        self.assertEqual(http.post("/projects/web/retry"), {"project": "web", "retried": 2})
        self.assertIn("2 of 2 parts were not done", client.wait_project("web")["result"]["error"])
        self.assertEqual((client.project("web")["failed"], runs()), (6, 6))

    def test_all_of_a_project_is_cancelled_and_limits_are_listed(self):
        client = self.client
        for none in (0, -1, 2**40 + 1, "3", 1.5):
            with self.assertRaisesRegex(eole.BadTask, "project films: expected .*: is no whole number from 1 to 1099511627776"):
                client.open_project("films", expected=none)
        client.open_project("films", expected=5)
        client.submit("echo", range(3), project="films", delay="1h")
        self.assertEqual(client.cancel_project("films"), 3)
        self.assertEqual(client.wait_project("films")["cancelled"], 3)
        client.open_project("films", again=True)
        [done] = client.map("echo", [1], project="films")
        self.assertEqual(done.state, "done")
        client.control("limit", scope="kind:echo", running=8, rate=20)
        self.assertEqual(client.limits(), [{"scope": "kind:echo", "running": 8, "rate": 20.0}])
        client.control("limit", scope="kind:echo")
        self.assertEqual(client.limits(), [])
        client.open_project("empty")
        client.close_project("empty")
        self.assertEqual(client.retry_project("empty"), [])
        for act in (client.retry_project, client.close_project, client.cancel_project):
            with self.assertRaisesRegex(eole.NotFound, "project nobody: nothing is known of it"):
                act("nobody")

    def test_a_replay_is_said_otherwise_by_its_words(self):
        client = self.client
        [dead] = client.submit("exec", {"argv": ["false"]}, project="letters", key="k", needs={"mem": "1M"}, priority=3,
                               retry={"attempts": 1, "backoff": 0.5})
        for _ in client.results([dead]):
            pass
        for words, error in (({"prioriti": 1}, "did you mean priority"), ({"after": dead}, "cannot be said of a replay"),
                             ({"priority": 10}, "priority: 10 is no whole number from 0 to 9")):
            with self.subTest(words), self.assertRaisesRegex(eole.BadTask, error):
                client.replay([dead], **words)
        anew = client.replay([dead], args={"argv": ["printenv", "EOLE_PROJECT"]}, pin="nobody", delay="1h")
        self.assertEqual(client.replay([dead], args={"argv": ["printenv", "EOLE_PROJECT"]}, pin="nobody", delay="1h"),
                         anew)
        codes = {why["code"] for why in client.explain(anew[0])["why"]}
        self.assertEqual(codes, {"delay", "pin"})
        with self.assertRaisesRegex(eole.Refused, "was used for other tasks") as used:
            client.replay([dead])
        self.assertEqual(used.exception.code, "key_used")
        client.cancel(anew)
        [dead] = client.submit("exec", {"argv": ["false"]}, project="letters", needs={"mem": "1M"}, priority=3, retry=True,
                               attempts=1, prefer="w1", on_parent_failure="run")
        for _ in client.results([dead]):
            pass
        said = {"args": {"argv": ["printenv", "EOLE_PROJECT"]}, "timeout": 60}
        with unittest.mock.patch.object(client, "discard", side_effect=eole.NoAnswer("the sink is away")), \
                self.assertRaises(eole.NoAnswer) as away:
            client.replay([dead], **said)
        self.assertIn(dead, [letter["id"] for letter in client.dead()])  # So it can be said again.
        self.assertEqual(client.replay([dead], **said), away.exception.ids)
        [done] = client.results(away.exception.ids)
        self.assertEqual(done.value["stdout"], "letters\n")


if __name__ == "__main__":
    unittest.main()
