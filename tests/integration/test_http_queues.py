"""Queues as web services, and kinds of tasks whose workers only speak HTTP."""

import os
import signal
import socket
import unittest

from cluster import Cluster, wait_until
from http_client import Http


class Queues(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster(workers=1))
        cls.http = Http(cls.cluster)

    def lease(self, queue, **options):
        query = "&".join(f"{name}={value}" for name, value in {"wait": "20s", **options}.items())
        return self.http.get(f"/queues/{queue}/messages?{query}")["messages"]

    def test_a_message_is_leased_and_acknowledged_once(self):
        self.http.post("/queues/letters", status=201)
        ids = self.http.post("/queues/letters/messages", {"to": "Ada"}, status=202)["ids"]
        [message] = self.lease("letters")
        self.assertEqual((message["id"], message["body"], message["attempt"]), (ids[0], {"to": "Ada"}, 1))
        depth = self.http.get("/queues/letters")
        self.assertEqual((depth["queued"], depth["leased"]), (0, 1))
        path = f"/queues/letters/messages/{message['lease']}"
        self.assertGreater(self.http.post(f"{path}/renew?lease=40s")["left_ms"], 30_000)
        self.assertEqual(self.http.post(f"{path}/ack", status=200)["state"], "done")
        self.assertEqual(self.http.ask("DELETE", path)[0], 200)  # Said again.
        self.assertEqual(self.http.ask("POST", f"{path}/renew")[0], 410)
        self.assertEqual(self.lease("letters", wait="0s"), [])
        self.assertEqual(self.http.get("/queues/letters")["done"], 1)
        self.assertIn("letters", [each["queue"] for each in self.http.get("/queues")["queues"]])

    def test_a_head_takes_nothing(self):
        self.http.post("/queues/heads/messages", {"a": 1})
        status, fields, _ = self.http.ask("HEAD", "/queues/heads/messages")
        self.assertEqual((status, fields["Allow"]), (405, "DELETE, GET, POST"))
        for path in ("/notifications", "/wamp"):
            answer = self.http.raw(f"HEAD {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                   "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: wamp.2.json\r\n"
                                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode())
            self.assertTrue(answer.startswith(b"HTTP/1.1 405 "), answer[:100])
        answer = self.http.raw(b"HEAD /queues/heads HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), answer[:100])
        self.assertEqual(len(self.lease("heads", wait="0s")), 1)

    def test_a_key_is_taken_as_with_tasks(self):
        put = "/queues/keys/messages"
        ids = self.http.post(put, 1, **{"Idempotency-Key": '"one"'})["ids"]
        self.assertEqual(self.http.post(put, 1, **{"Idempotency-Key": "one"})["ids"], ids)
        self.http.post(put, 2, status=422, **{"Idempotency-Key": "one"})
        self.http.post(put, 3, status=400, **{"Idempotency-Key": "k" * 201})

    def test_lines_are_known_by_any_of_their_names(self):
        for name in ("x-ndjson", "jsonl", "ndjson"):
            ids = self.http.post("/queues/lines/messages", "1\n2\n", **{"Content-Type": f"application/{name}"})["ids"]
            self.assertEqual(len(ids), 2, name)

    def test_many_come_at_once_in_their_order(self):
        lines = "".join(f"{n}\n" for n in range(10))
        self.http.post("/queues/many/messages", lines, **{"Content-Type": "application/x-ndjson"})
        got = []
        while len(got) < 10:
            leased = self.lease("many", max=10)
            got += [message["body"] for message in leased]
            for message in leased:
                self.assertEqual(self.http.ask("DELETE", f"/queues/many/messages/{message['lease']}")[0], 200)
        self.assertEqual(got, list(range(10)))

    def test_what_lapses_or_is_returned_comes_again_and_dies_at_last(self):
        self.http.post("/queues/hard/messages?attempts=3&backoff=1ms", "\"stone\"")
        [first] = self.lease("hard", lease="1s")
        [second] = self.lease("hard")  # Once the first lease has lapsed.
        self.assertEqual((second["id"], second["attempt"]), (first["id"], 2))
        late = self.http.ask("POST", f"/queues/hard/messages/{first['lease']}/ack")
        self.assertEqual(late[0], 404)
        path = f"/queues/hard/messages/{second['lease']}/return"
        self.assertEqual(self.http.post(path, {"error": "too heavy"}, status=202)["state"], "retrying")
        [third] = self.lease("hard")
        self.assertEqual(third["attempt"], 3)
        self.http.post(f"/queues/hard/messages/{third['lease']}/return", {"error": "too heavy"})
        wait_until(lambda: self.http.get("/queues/hard")["dead"] == 1)
        [letter] = self.http.get("/dead?project=queue/hard")["letters"]
        self.assertEqual(letter["id"], first["id"])

    def test_a_queue_is_purged_and_deleted(self):
        for _ in range(3):
            self.http.post("/queues/old/messages", {"n": 1})
        self.assertEqual(self.http.get("/queues/old")["queued"], 3)
        self.assertEqual(self.http.ask("DELETE", "/queues/old/messages")[2]["cancelling"], 3)
        # Until its end is settled each counts as being cancelled.
        wait_until(lambda: len(self.http.get("/history?project=queue/old")["rows"]) == 3)
        self.http.post("/queues/old/messages", {"n": 2}, status=202)
        self.assertEqual(self.http.ask("DELETE", "/queues/old")[2]["cancelling"], 1)
        self.assertEqual(self.http.ask("POST", "/queues/old/messages", {"n": 3})[0], 409)
        self.http.post("/queues/old", status=201)
        self.http.post("/queues/old/messages", {"n": 4}, status=202)

    def test_text_and_bytes_travel_as_they_are(self):
        self.http.post("/queues/raw/messages", "héllo".encode(), **{"Content-Type": "text/plain"})
        self.assertEqual(self.lease("raw")[0]["body"], "héllo")
        self.http.post("/queues/raw/messages", b"\xff\x00", **{"Content-Type": "application/octet-stream"})
        self.assertEqual(self.lease("raw")[0]["body"], {"base64": "/wA="})

    def test_a_kind_s_workers_may_be_curl(self):
        tasks = [{"kind": "sum", "args": {"of": [1, 2]}}, {"kind": "sum", "args": {"of": []}}]
        ids = self.http.post("/task", tasks)["ids"]
        leased = {}
        while len(leased) < 2:
            for task in self.http.post("/work/sum/lease?wait=20s&max=2")["tasks"]:
                leased[task["id"]] = task
        first, second = leased[ids[0]], leased[ids[1]]
        self.assertEqual((first["kind"], first["args"]), ("sum", {"of": [1, 2]}))
        self.http.post("/work/sum/progress", {"lease": first["lease"], "done": 1, "total": 2}, status=202)
        self.assertEqual(self.http.post("/work/sum/done", {"lease": first["lease"], "result": 3})["state"], "done")
        failed = self.http.post("/work/sum/failed", {"lease": second["lease"], "error": "nothing to add"})
        self.assertEqual(failed["state"], "failed")
        self.assertEqual(self.http.get(f"/task/{ids[0]}")["result"], 3)
        self.assertEqual(self.http.get(f"/task/{ids[1]}")["error"], "nothing to add")
        self.assertEqual(self.http.ask("POST", "/work/sum/done", {"result": 3})[0], 400)
        self.assertEqual(self.http.ask("POST", "/work/sum/done", {"lease": "made-up"})[0], 404)

    def test_a_cancelled_message_is_its_holder_s_no_more(self):
        task_id = self.http.post("/queues/gone/messages", {})["ids"][0]
        [message] = self.lease("gone")
        self.assertEqual(self.http.ask("DELETE", f"/task/{task_id}")[0], 202)
        path = f"/queues/gone/messages/{message['lease']}/renew"
        wait_until(lambda: self.http.ask("POST", path)[0] == 404)
        wait_until(lambda: self.http.get(f"/task/{task_id}")["state"] == "cancelled")

    def test_who_leaves_while_it_waits_holds_nothing(self):
        """Neither a lease, nor an attempt of the message: the next one has it at once."""
        with socket.create_connection((self.http.host, self.http.port)) as peer:
            peer.sendall(b"GET /queues/left/messages?wait=60s&lease=10m HTTP/1.1\r\nHost: localhost\r\n\r\n")
            wait_until(lambda: any("queue.left" in worker["kinds"] for worker in self.http.get("/workers")))
        task_id = self.http.post("/queues/left/messages?attempts=1", {"to": "whom it concerns"})["ids"][0]
        [message] = self.lease("left")
        self.assertEqual((message["id"], message["attempt"]), (task_id, 1))
        self.http.post(f"/queues/left/messages/{message['lease']}/ack", status=200)
        self.assertEqual(len(self.http.get(f"/task/{task_id}")["attempts"]), 1)


class Killed(unittest.TestCase):
    def test_a_leased_message_comes_again_when_its_gateway_is_killed(self):
        with Cluster(workers=1) as cluster:
            http = Http(cluster)
            task_id = http.post("/queues/q/messages", "\"kept\"")["ids"][0]
            [first] = http.get("/queues/q/messages?wait=20s")["messages"]
            os.kill(http.get("/cluster")["gateway"]["pid"], signal.SIGKILL)
            wait_until(lambda: self.leases_again(http), what="it is leased again")
            again = self.found
            self.assertEqual((again["id"], again["body"], again["attempt"]), (task_id, "kept", 2))
            self.assertEqual(http.ask("POST", f"/queues/q/messages/{first['lease']}/ack")[0], 404)
            self.assertEqual(http.post(f"/queues/q/messages/{again['lease']}/ack", status=200)["state"], "done")

    def leases_again(self, http):
        try:
            messages = http.get("/queues/q/messages?wait=5s")["messages"]
        except OSError:
            return False
        if messages:
            self.found = messages[0]
        return bool(messages)


if __name__ == "__main__":
    unittest.main()
