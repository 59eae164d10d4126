"""Groups of readers over HTTP: made, looked at, moved and deleted; chains and alerts."""

import subprocess
import unittest
import urllib.parse

from cluster import BIN, Cluster, wait_until
from http_client import Http


class Groups(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster(workers=1))
        cls.http = Http(cls.cluster)

    def submit(self, count, **words):
        ids = self.http.post("/task", [{"kind": "echo", "args": {"n": n}, **words} for n in range(count)])["ids"]
        for each in ids:
            wait_until(lambda: self.http.get(f"/task/{each}")["state"] == "done", what=f"{each} is done")
        return ids

    def refused(self, method, path, body=None):
        status, _, answer = self.http.ask(method, path, body)
        self.assertGreaterEqual(status, 400, answer)
        return status, answer["detail"]

    def test_one_is_made_looked_at_and_deleted(self):
        made = self.http.post("/groups", {"group": "billing", "partitions": 3}, status=201)
        self.assertEqual((made["created"], made["partitions"]), (True, 3))
        self.assertFalse(self.http.post("/groups", {"group": "billing", "partitions": 3}, status=200)["created"])
        self.submit(6)
        one = self.http.get("/groups/billing")
        self.assertEqual((one["lag_records"], one["members"], [each["owner"] for each in one["each"]]), (6, 0, [None] * 3))
        self.assertEqual(sum(each["lag_records"] for each in one["each"]), 6)
        self.assertGreater(one["lag_seconds"], 0)
        self.assertIn("billing", [each["group"] for each in self.http.get("/groups")["groups"]])
        self.assertNotIn("billing", [each["group"] for each in self.http.get("/groups?after=billing")["groups"]])
        self.assertTrue(self.http.ask("DELETE", "/groups/billing")[2]["was_there"])
        for method, path, body in (("GET", "/groups/billing", None), ("DELETE", "/groups/billing", None),
                                   ("POST", "/groups/billing/move", {"to": "latest"})):
            self.assertEqual(self.refused(method, path, body), (404, "group billing: there is none"))

    def test_it_begins_where_it_is_said(self):
        head = self.cluster.status()["head"]
        self.submit(4)
        end = self.cluster.status()["head"]
        for begin, offset in (("earliest", 0), (head + 1, head + 1), (str(head + 2), head + 2), ("1d", 0), ("latest", end)):
            made = self.http.post("/groups", {"group": f"from {begin}", "from": begin}, status=201)
            self.assertEqual(made["from"], offset, begin)
        for begin in (-1, "soon", "", [], end + 1000):
            status, why = self.refused("POST", "/groups", {"group": "nowhere", "from": begin})
            self.assertEqual((status, "from" in why or "offset" in why), (400, True), why)
        self.assertEqual(self.refused("POST", "/groups", {"group": "x", "partitions": 257})[0], 400)
        self.assertEqual(self.refused("POST", "/groups", {"partitions": 2}), (400, "group: missing"))
        self.assertIn("is no member", self.refused("POST", "/groups", {"group": "x", "topic": "#"})[1])

    def test_a_move_says_what_it_skips_and_repeats_before_it_is_done(self):
        self.http.post("/groups", {"group": "moved", "from": "latest"})
        head = self.http.get("/groups/moved")["cursor"]
        self.submit(5)
        counted = self.http.post("/groups/moved/move", {"to": "latest", "dry_run": True})
        self.assertEqual((counted["from"], counted["skips"], counted["repeats"]), (head + 5, 5, 0))
        self.assertEqual(self.http.get("/groups/moved")["lag_records"], 5)
        self.assertEqual(self.http.post("/groups/moved/move", {"to": "latest"}), counted)
        self.assertEqual(self.http.get("/groups/moved")["lag_records"], 0)
        back = self.http.post("/groups/moved/move", {"to": head + 2})
        self.assertEqual((back["skips"], back["repeats"]), (0, 3))
        self.assertEqual(self.http.get("/groups/moved")["lag_records"], 3)
        self.assertEqual(self.refused("POST", "/groups/moved/move", {})[0], 400)

    def test_who_owns_a_partition_is_told(self):
        self.http.post("/groups", {"group": "owned", "from": "earliest", "partitions": 2})
        self.submit(3)
        process = subprocess.Popen([BIN / "eole", "watch", "--group", "owned", "--member", "bob", "--json"],
                                   env=self.cluster.env, stdout=subprocess.DEVNULL)
        self.addCleanup(process.kill)

        def owners():
            return [each["owner"] for each in self.http.get("/groups/owned")["each"]]
        wait_until(lambda: owners() == ["bob", "bob"], what="bob owns both")
        one = self.http.get("/groups/owned")
        self.assertEqual((one["member_names"], one["members"]), (["bob"], 1))
        process.terminate()
        process.wait()
        wait_until(lambda: self.http.get("/groups/owned")["members"] == 0, what="bob has left")

    def test_a_chain_is_declared_and_taken_back(self):
        chain = {"name": "thumbs", "from": "raw/echo/done", "start": "earliest",
                 "task": {"kind": "echo", "args": {"of": "$id"}, "project": "thumbs"}}
        unfilled = {"kind": "image", "args": {"artifact": "$artifact"}, "key": "$id"}
        self.http.post("/chains", {**chain, "task": unfilled}, status=201)
        self.http.post("/chains", chain, status=200)
        self.assertEqual([each["name"] for each in self.http.get("/chains")["chains"]], ["thumbs"])
        [first] = self.submit(1, project="raw")
        row = wait_until(lambda: self.http.get("/history?project=thumbs")["rows"], what="the chain's task")[0]
        self.assertEqual(self.http.get(f"/task/{row['id']}")["value"], {"of": first})
        for wrong, pointer in (({"from": "a/b"}, None), ({"task": {}}, "/task"), ({"name": ""}, "/name"),
                               ({"start": "soon"}, None), ({"task": {"kind": "echo", "attempts": 999}}, "/task")):
            status, _, answer = self.http.ask("POST", "/chains", {**chain, **wrong})
            if wrong == {"from": "a/b"}:  # Of any words: it fits nothing.
                continue
            self.assertEqual(status, 400, (wrong, answer))
            if pointer:
                self.assertTrue(answer["errors"][0]["pointer"].startswith(pointer), answer)
        self.assertTrue(self.http.ask("DELETE", "/chains/thumbs")[2]["was_there"])
        self.assertEqual(self.refused("DELETE", "/chains/thumbs"), (404, "chain thumbs: there is none"))

    def test_an_alert_is_raised_and_cleared(self):
        self.http.post("/groups", {"group": "late", "from": "latest"})
        alert = {"group": "late", "seconds": 1, "name": "late is late"}
        self.http.post("/alerts", alert, status=201)
        self.assertEqual([each["name"] for each in self.http.get("/alerts")["alerts"]], ["late is late"])
        self.submit(2)

        def raised():
            return [each["group"] for each in self.http.get("/alerts")["raised"]]
        wait_until(lambda: raised() == ["late"], what="it is raised")
        self.http.post("/groups/late/move", {"to": "latest"})
        wait_until(lambda: raised() == [], what="it is over")  # The alerts themselves are records, too.
        for wrong in ({"seconds": 0}, {"seconds": "5"}, {"group": ""}, {"command": []}, {"command": [1]}, {"command": "x"}):
            self.assertEqual(self.refused("POST", "/alerts", {**alert, **wrong})[0], 400, wrong)
        path = "/alerts/" + urllib.parse.quote("late is late")
        self.assertTrue(self.http.ask("DELETE", path)[2]["was_there"])
        self.assertEqual(self.refused("DELETE", path)[0], 404)


if __name__ == "__main__":
    unittest.main()
