"""Groups of readers over HTTP: made, looked at, moved and deleted; chains and alerts."""

import os
import select
import signal
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
        self.assertEqual(([each["name"] for each in one["each_member"]], one["members"]), (["bob"], 1))
        self.assertEqual(self.refused("POST", "/groups/owned/remove", {"member": "ada"}), (404, "member ada: there is none"))
        self.assertEqual(self.refused("POST", "/groups/nowhere/remove", {"member": "bob"}), (404, "group nowhere: there is none"))
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


class Reading(unittest.TestCase):
    """Members that are scripts with HTTP."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster(workers=1))
        cls.http = Http(cls.cluster)

    def setUp(self):
        self.group = self.id().rsplit(".", 1)[1]

    def make(self, partitions=1, **words):
        self.http.post("/groups", {"group": self.group, "partitions": partitions, **words}, status=201)

    def submit(self, count, project="read"):
        return self.http.post("/task", [{"kind": "echo", "args": n, "project": project} for n in range(count)])["ids"]

    def read(self, member="me", wait="20s", **options):
        query = "&".join(f"{name}={value}" for name, value in {"member": member, "wait": wait, **options}.items())
        return self.http.get(f"/groups/{self.group}/records?{query}")

    def commit(self, batch, member="me", status=200):
        return self.http.post(f"/groups/{self.group}/commit", {"member": member, "batch": batch}, status=status)

    def refused(self, *request):
        status, _, answer = self.http.ask(*request)
        return status, answer["detail"]

    def test_a_batch_comes_until_it_is_committed_and_then_the_next(self):
        self.make()
        ids, got = self.submit(7), []
        while len(got) < 7:
            batch = self.read(max=3)
            self.assertLessEqual(len(batch["records"]), 3)
            self.assertEqual(self.read(max=1), batch)  # The answer was lost: the same again, whatever is asked.
            self.commit(batch["batch"])
            self.commit(batch["batch"])  # Said again.
            got += [each["id"] for each in batch["records"]]
        self.assertEqual(got, ids)
        one = self.http.get(f"/groups/{self.group}")
        self.assertEqual(one["lag_records"], 0)
        self.assertGreaterEqual(one["commits"], 3)
        self.assertIn(f'eole_group_commits_total{{group="{self.group}"}} {one["commits"]}\n', self.http.get("/metrics").decode())
        self.assertEqual(self.read(wait="0s")["batch"], None)

    def test_two_share_and_what_one_leaves_is_the_others(self):
        self.make(partitions=2)
        for member in ("ada", "bob"):
            self.read(member, wait="0s")
        wait_until(lambda: {each["owner"] for each in self.http.get(f"/groups/{self.group}")["each"]} == {"ada", "bob"},
                   what="each owns one")
        ids = self.submit(10)
        ada, bob = (self.read(member) for member in ("ada", "bob"))
        self.assertEqual({len({each["partition"] for each in one["records"]}) for one in (ada, bob)}, {1})
        self.commit(ada["batch"], "ada")
        self.http.post(f"/groups/{self.group}/leave", {"member": "bob"}, status=200)
        self.assertEqual(self.refused("POST", f"/groups/{self.group}/commit", {"member": "bob", "batch": bob["batch"]})[0], 404)
        seen = [each["id"] for each in ada["records"]]
        while len(seen) < 10:
            batch = self.read("ada")
            seen += [each["id"] for each in batch["records"]]
            self.commit(batch["batch"], "ada")
        self.assertEqual(sorted(seen), sorted(ids))  # None twice: bob had committed nothing.

    def test_who_does_not_ask_is_no_member_any_more(self):
        self.make()
        [one] = self.submit(1)
        self.assertEqual([each["id"] for each in self.read("gone", lease="1s")["records"]], [one])
        self.assertEqual([each["id"] for each in self.read("there")["records"]], [one])
        [there] = self.http.get(f"/groups/{self.group}")["each_member"]
        self.assertEqual(there["name"], "there")

    def test_a_member_that_is_removed_hears_so_and_its_records_come_again(self):
        self.make()
        ids = self.submit(3)
        self.assertEqual(len(self.read("stuck")["records"]), 3)

        def in_hand():
            return self.http.get(f"/groups/{self.group}")["unacknowledged"]
        wait_until(lambda: in_hand() == 3, what="the sink knows what it has in hand")
        self.assertEqual(self.http.post(f"/groups/{self.group}/remove", {"member": "stuck"})["removed"], 1)
        wait_until(lambda: self.http.get(f"/groups/{self.group}")["members"] == 0, what="it is gone")  # It asks later.
        status, why = self.refused("GET", f"/groups/{self.group}/records?member=stuck&wait=0s")
        self.assertEqual(status, 403)
        self.assertIn("the member stuck was removed", why)
        self.assertEqual([each["id"] for each in self.read("other")["records"]], ids)
        group = self.http.get(f"/groups/{self.group}")
        self.assertEqual((group["redelivered"], [each["name"] for each in group["each_member"]]), (3, ["other"]))

    def test_a_killed_gateway_loses_no_commit_and_no_record(self):
        self.make()
        first, second = self.submit(2)
        batch = self.read(max=1)
        self.assertEqual([each["id"] for each in batch["records"]], [first])
        self.commit(batch["batch"])
        self.assertEqual([each["id"] for each in self.read(max=1)["records"]], [second])
        os.kill(self.cluster.child("gateway"), signal.SIGKILL)
        type(self).http = wait_until(self.back, what="the gateway is back")
        again = wait_until(lambda: self.read()["records"], what="what was not committed")
        self.assertEqual([each["id"] for each in again], [second])

    def back(self):
        try:
            return Http(self.cluster)
        except OSError:
            return None

    def test_what_is_left_out_is_passed_over(self):
        self.make()
        self.submit(5, "dull")
        ids = self.submit(1, "dear")
        got = self.read(topic="dear/%23")
        self.assertEqual([each["id"] for each in got["records"]], ids)
        self.commit(got["batch"])
        self.submit(5, "dull")
        wait_until(lambda: self.http.get("/projects/dull")["done"] == 10, what="more of what is left out")

        def lag():
            self.read(topic="dear/%23", wait="0s")
            return self.http.get(f"/groups/{self.group}")["lag_records"]
        wait_until(lambda: lag() == 0, what="the others are passed over")

    def test_what_makes_no_sense_is_refused(self):
        self.make()
        path = f"/groups/{self.group}/records"
        for query in ("", "?member=", "?member=" + "m" * 201, "?member=a&max=0", "?member=a&max=1001", "?member=a&wait=61s",
                      "?member=a&lease=0s", "?member=a&lease=2h", "?member=a&topic=a*"):
            self.assertEqual(self.refused("GET", path + query)[0], 400, query)
        self.assertIn("there is none", self.refused("GET", "/groups/nowhere/records?member=a")[1])
        self.assertEqual(self.refused("GET", "/groups/nowhere/records?member=a")[0], 404)
        self.assertEqual(self.refused("POST", f"/groups/{self.group}/commit", {"member": "who", "batch": 1})[0], 404)
        self.submit(1)
        batch = self.read()["batch"]
        for wrong in (batch + 1, batch - 1, 0):
            self.assertEqual(self.refused("POST", f"/groups/{self.group}/commit", {"member": "me", "batch": wrong})[0], 409)
        self.assertEqual(self.http.ask("HEAD", path + "?member=me")[0], 405)

    def test_of_two_requests_for_a_member_the_later_one_reads(self):
        self.make()
        self.read(wait="0s")
        older = self.http.connection()
        self.addCleanup(older.close)
        older.request("GET", f"/groups/{self.group}/records?member=me&wait=50s")
        path = f"/groups/{self.group}/records?member=me"
        wait_until(lambda: self.http.ask("GET", path) and select.select([older.sock], [], [], 0)[0], what="the older one ends")
        self.assertEqual(older.getresponse().status, 409)


if __name__ == "__main__":
    unittest.main()
