"""What goes on, as it goes on: WebSocket, Server-Sent Events and WAMP."""

import json
import os
import signal
import socket
import unittest

from cluster import Cluster, wait_until
from http_client import Http
from live_client import Ended, Events, WebSocket

CALLS_MAX = 1024  # Of one client of WAMP.


def echoes(http, count, project="shop"):
    return http.post("/task", [{"kind": "echo", "args": n, "project": project} for n in range(count)])["ids"]


def is_all_read(peer):
    """Whether the other side, on this machine, has read all that was sent."""
    own, other = (f":{name[1]:04X}" for name in (peer.getsockname(), peer.getpeername()))
    with open("/proc/net/tcp", encoding="ascii") as table:
        ends = [line.split()[1:5] for line in table]
    sent = [queues for here, there, _, queues in ends if here.endswith(own) and there.endswith(other)]
    got = [queues for here, there, _, queues in ends if here.endswith(other) and there.endswith(own)]
    return sent[0].startswith("00000000:") and got[0].endswith(":00000000")


class Live(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster("--allow-exec", workers=1))
        cls.http = Http(cls.cluster)

    def test_every_end_is_told_to_who_asked_for_it(self):
        with WebSocket(self.http, "/notifications?topic=mine/*/done") as mine, \
                WebSocket(self.http, "/notifications?topic=%23/failed") as failures:
            for live in (mine, failures):
                live.until(lambda message: message.get("type") == "summary")
            ids = echoes(self.http, 3, "mine")
            failed = self.http.post("/task", {"kind": "exec", "args": {"argv": ["false"]}, "project": "mine"})["ids"]
            events = [mine.event() for _ in range(3)]
            self.assertEqual([event["id"] for event in events], ids)
            self.assertEqual({event["state"] for event in events}, {"done"})
            self.assertEqual([event["value"] for event in events], [0, 1, 2])
            self.assertEqual(failures.event()["id"], failed[0])
            mine.send({"topic": "other/#"})
            mine.send({"nothing": 1})
            self.assertIn("topic", mine.until(lambda message: message.get("type") == "error")["text"])
            echoes(self.http, 1, "mine")
            other = echoes(self.http, 1, "other")
            self.assertEqual(mine.event()["id"], other[0])

    def test_a_summary_comes_unasked_and_a_ping_is_answered(self):
        with WebSocket(self.http, "/notifications?topic=nothing") as live:
            summary = live.until(lambda message: message.get("type") == "summary")
            self.assertEqual((summary["queued"], summary["running"]), (0, 0))
            live.send(b"here", opcode=9)
            while (frame := live.frame())[0] != 0x8A:
                pass
            self.assertEqual(frame[1], b"here")
            live.send(b"\x03\xe8", opcode=8)
            with self.assertRaises(Ended) as ended:
                while True:
                    live.message()
            self.assertEqual(ended.exception.args[0], (1000, ""))

    def test_how_many_listen_and_upload_is_told(self):
        def told():
            gateway = self.http.get("/cluster")["gateway"]
            return [gateway["listeners"], gateway["open_uploads"]]

        before = told()
        tus = {"Tus-Resumable": "1.0.0"}
        with WebSocket(self.http, "/notifications") as live, WebSocket(self.http, "/wamp", protocol="wamp.2.json"):
            live.until(lambda message: message.get("type") == "summary")
            fields = self.http.ask("POST", "/uploads", headers={**tus, "Upload-Length": "9"})[1]
            self.assertEqual(told(), [before[0] + 2, before[1] + 1])
            metrics = self.http.ask("GET", "/metrics")[2].decode()
            self.assertIn(f"eole_http_open_uploads {before[1] + 1}\n", metrics)
        self.http.ask("DELETE", "/uploads/" + fields["Location"].rsplit("/", 1)[1], headers=tus)
        wait_until(lambda: told() == before, what="both are gone")

    def test_what_was_missed_comes_first(self):
        ids = echoes(self.http, 5, "missed")
        wait_until(lambda: self.http.get("/projects/missed")["done"] == 5)
        with WebSocket(self.http, "/notifications?topic=missed/%23&from=0") as live:
            events = [live.event() for _ in range(5)]
        self.assertEqual([event["id"] for event in events], ids)
        with WebSocket(self.http, f"/notifications?topic=missed/%23&from={events[2]['offset']}") as live:
            self.assertEqual(live.event(), events[2])
        with Events(self.http, "/events?topic=missed/%23", last=events[2]["offset"]) as stream:
            self.assertEqual(stream.event(), (events[3]["offset"], events[3]))

    def test_who_hears_nothing_still_goes_on_where_it_was(self):
        ids = echoes(self.http, 1, "rare")
        echoes(self.http, 30, "frequent")
        wait_until(lambda: self.http.get("/projects/frequent")["done"] == 30)
        head = self.cluster.status()["head"]

        def is_there(message):
            return message.get("type") == "summary" and message.get("next", 0) >= head
        with WebSocket(self.http, "/notifications?topic=rare/%23&from=0") as live:
            self.assertEqual(live.event()["id"], ids[0])
            place = live.until(is_there)["next"]
        with Events(self.http, "/events?topic=rare/%23&from=0") as stream:
            while (seen := stream.next())[0] != "summary" or int(seen[1]) + 1 < head:
                self.assertIn(seen[0], (None, "summary"))
        more = echoes(self.http, 1, "rare")
        wait_until(lambda: self.http.get("/projects/rare")["done"] == 2)
        with WebSocket(self.http, f"/notifications?topic=rare/%23&from={place}") as live:
            self.assertEqual(live.event()["id"], more[0])
        with Events(self.http, "/events?topic=rare/%23", last=seen[1]) as stream:
            self.assertEqual(stream.event()[1]["id"], more[0])

    def test_who_reads_slowly_is_told_and_misses_nothing(self):
        text = "x" * 60_000
        with WebSocket(self.http, "/notifications?topic=slow/%23", receive_bytes=4096) as live:
            live.until(lambda message: message.get("type") == "summary")
            lines = "".join(f'{{"kind": "echo", "args": ["{text}", {n}], "project": "slow"}}\n' for n in range(400))
            ids = self.http.post("/task", lines, **{"Content-Type": "application/x-ndjson"})["ids"]
            wait_until(lambda: self.http.get("/projects/slow")["done"] == 400)
            live.peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            told, seen = [], []
            while len(seen) < 400:
                message = live.message()
                (told if "type" in message else seen).append(message)
        self.assertIn("behind", {message["type"] for message in told})
        self.assertEqual(sorted(event["id"] for event in seen), sorted(ids))
        offsets = [event["offset"] for event in seen]
        self.assertEqual(offsets, sorted(set(offsets)))

    def test_a_stream_catches_up_without_a_pause(self):
        text = "x" * 200_000  # More than half a page of the log: there are some 30 of them.
        lines = "".join(f'{{"kind": "echo", "args": ["{text}", {n}], "project": "long"}}\n' for n in range(40))
        with Cluster(workers=1) as cluster:  # Nobody has listened: all must be read from the log.
            http = Http(cluster)
            http.post("/task", lines, **{"Content-Type": "application/x-ndjson"})
            wait_until(lambda: http.get("/projects/long")["done"] == 40)
            last = echoes(http, 1, "end")
            wait_until(lambda: http.get("/projects/end")["done"] == 1)
            with Events(http, "/events?topic=end/%23&from=0") as stream:
                summaries = 0
                while not stream.is_event(seen := stream.next()):  # These come every two seconds.
                    summaries += seen[0] == "summary"
        self.assertEqual(json.loads(seen[2])["id"], last[0])
        self.assertLess(summaries, 10)

    def test_who_resumes_behind_the_end_of_the_log_is_told(self):
        with WebSocket(self.http, "/notifications?topic=beyond/%23&from=1000000") as live:
            told = (live.message() for _ in range(5))  # Else summaries come.
            gone = next((message for message in told if message.get("type") == "gone"), None)
            self.assertEqual(gone and gone["offset"], 1_000_000)
            ids = echoes(self.http, 1, "beyond")
            event = live.event()
            self.assertEqual(event["id"], ids[0])
            self.assertGreaterEqual(event["offset"], gone["kept_from"])

    def test_who_talks_nonsense_and_reads_nothing_is_not_told_all_of_it(self):
        count = 40_000  # Their errors are some 4 MiB.
        with WebSocket(self.http, "/notifications?topic=none", receive_bytes=4096) as live:
            nonsense = b"\x81\x82\0\0\0\0{}"
            live.peer.sendall(nonsense * count)
            live.send({"topic": "sense/#"})
            wait_until(lambda: is_all_read(live.peer), what="the gateway has read it all")
            live.peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            echoes(self.http, 1, "sense")
            told = []
            while "id" not in (message := live.message()):
                told.append(message.get("type"))
        self.assertIn("error", told)
        self.assertLess(told.count("error"), count)

    def test_what_makes_no_sense_is_refused(self):
        for path in ("/notifications?topic=a*", "/events?from=x", "/events?topic=a%23b"):
            status, _, problem = self.http.ask("GET", path, headers={
                "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
            self.assertEqual(status, 400, problem)
        self.assertEqual(self.http.ask("GET", "/notifications")[0], 426)
        with WebSocket(self.http, "/notifications") as live:
            live.peer.sendall(b"\x81\x01x")  # Not masked.
            with self.assertRaises(Ended) as ended:
                while True:
                    live.message()
            self.assertEqual(ended.exception.args[0][0], 1002)


class Killed(unittest.TestCase):
    def test_nothing_is_missed_or_told_twice_over_a_killed_gateway_and_a_killed_sink(self):
        with Cluster(workers=1) as cluster:
            http = Http(cluster)
            seen = []

            def read(count, start):
                with WebSocket(http, f"/notifications?from={start}") as live:
                    for _ in range(count):
                        seen.append(live.event())

            ids = echoes(http, 20)
            read(10, 0)
            os.kill(http.get("/cluster")["gateway"]["pid"], signal.SIGKILL)
            wait_until(lambda: self.answers(http), what="the gateway is back")
            ids += echoes(http, 20)
            read(15, seen[-1]["offset"] + 1)
            with WebSocket(http, f"/notifications?from={seen[-1]['offset'] + 1}") as live:
                cluster.kill("sink")
                ids += echoes(http, 20)
                while len(seen) < 60:
                    seen.append(live.event())
            self.assertEqual([event["offset"] for event in seen], list(range(60)))
            self.assertEqual(sorted(event["id"] for event in seen), sorted(ids))

    @staticmethod
    def answers(http):
        try:
            return http.ask("GET", "/readyz")[0] == 200
        except OSError:
            return False


class Wamp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster(workers=1))
        cls.http = Http(cls.cluster)

    def join(self):
        client = self.enterContext(WebSocket(self.http, "/wamp", protocol="wamp.2.json"))
        client.send([1, "eole", {"roles": {"subscriber": {}, "publisher": {}, "caller": {}, "callee": {}}}])
        self.assertEqual(client.message()[0], 2)
        return client

    def ask(self, client, *message):
        client.send(list(message))
        return client.message()

    def test_topics_are_fed_by_the_log_and_by_clients(self):
        one, two = self.join(), self.join()
        prefix = self.ask(one, 32, 1, {"match": "prefix"}, "eole.wamp.")
        self.assertEqual(prefix[:2], [33, 1])
        self.assertEqual(self.ask(two, 32, 1, {}, "shop.news")[:2], [33, 1])
        task = echoes(self.http, 1, "wamp")[0]
        event = one.message()
        self.assertEqual(event[:2], [36, prefix[2]])
        self.assertEqual(event[3], {"topic": "eole.wamp.echo.done"})
        self.assertEqual((event[4][0]["id"], event[4][0]["value"]), (task, 0))
        self.assertEqual(self.ask(one, 16, 2, {"acknowledge": True}, "shop.news", ["tea"])[0], 17)
        self.assertEqual(two.message()[4], ["tea"])

    def test_what_one_registers_another_calls(self):
        one, two = self.join(), self.join()
        self.assertEqual(self.ask(one, 64, 1, {}, "shop.price")[:2], [65, 1])
        two.send([48, 7, {"receive_progress": True}, "shop.price", ["tea"]])
        call = one.message()
        self.assertEqual((call[0], call[4]), (68, ["tea"]))
        one.send([70, call[1], {"progress": True}, ["looking"]])
        one.send([70, call[1], {}, [4]])
        self.assertEqual(two.message(), [50, 7, {"progress": True}, ["looking"]])
        self.assertEqual(two.message(), [50, 7, {}, [4]])
        two.send([48, 8, {}, "shop.price", ["tea"]])
        one.message()
        one.peer.close()
        self.assertEqual(two.message()[:5], [8, 48, 8, {}, "wamp.error.canceled"])

    def test_a_task_calls_what_a_client_registered(self):
        client = self.join()
        self.assertEqual(self.ask(client, 64, 1, {}, "shop.double")[:2], [65, 1])
        task = {"kind": "wamp", "args": {"procedure": "shop.double", "args": [21]}}
        ids = self.http.post("/task", [task, {**task, "args": {"procedure": "shop.double", "args": ["x"]}}])["ids"]
        for _ in ids:
            call = client.message()
            good = call[4] == [21]
            client.send([70, call[1], {}, [42]] if good else [8, 68, call[1], {}, "shop.error.nan", ["not a number"]])
        done = wait_until(lambda: (view := self.http.get(f"/task/{ids[0]}"))["state"] == "done" and view)
        self.assertEqual(done["result"], 42)
        failed = wait_until(lambda: (view := self.http.get(f"/task/{ids[1]}"))["state"] == "failed" and view)
        self.assertEqual(failed["error"], "shop.error.nan: not a number")

    def test_the_gateway_s_own_procedures(self):
        client = self.join()
        task = self.ask(client, 48, 1, {}, "eole.submit", [{"kind": "echo", "args": [1, 2]}])[3][0]
        for odd in (5, "x", "11m"):
            refused = self.ask(client, 48, 2, {}, "eole.result", [task, odd])
            self.assertEqual(refused[0], 8)
            self.assertIn('wanted is a span of time like "10s", 600s at most', refused[5][0])
        result = self.ask(client, 48, 2, {}, "eole.result", [task, "20s"])[3][0]
        self.assertEqual((result["state"], result["value"]), ("done", [1, 2]))
        self.assertEqual([each["code"] for each in self.ask(client, 48, 8, {}, "eole.explain", [task])[3][0]], ["done"])
        later = self.ask(client, 48, 3, {}, "eole.submit", [], {"kind": "echo", "delay": "1h"})[3][0]
        self.assertEqual(self.ask(client, 48, 4, {}, "eole.status", [later])[3][0]["state"], "waiting")
        self.assertEqual(self.ask(client, 48, 5, {}, "eole.explain", [later])[3][0][0]["code"], "delay")
        self.assertIn("cancelling", self.ask(client, 48, 6, {}, "eole.cancel", [later])[3][0])
        refused = self.ask(client, 48, 7, {}, "eole.submit", [{"kind": 1}])
        self.assertEqual(refused[:3] + [refused[4]], [8, 48, 7, "eole.error.refused"])

    def test_a_call_that_is_cancelled_counts_until_it_is_over(self):
        client = self.join()
        task = self.ask(client, 48, 1, {}, "eole.submit", [{"kind": "echo", "delay": "1h"}])[3][0]
        sink = self.cluster.kill("sink", signal.SIGSTOP)  # What asks it goes on until it answers.
        try:
            for number in range(2, CALLS_MAX + 3):
                client.send([48, number, {}, "eole.result", [task, "10m"]])
            refused = [8, 48, number, {}, "eole.error.too_many"]
            self.assertEqual(client.message()[:5], refused)
            for cancelled in range(2, CALLS_MAX + 2):
                client.send([49, cancelled, {}])
                self.assertEqual(client.message(), [8, 48, cancelled, {}, "wamp.error.canceled"])
            self.assertEqual(self.ask(client, 48, number, {}, "eole.result", [task])[:5], refused)
        finally:
            os.kill(sink, signal.SIGCONT)

        def is_free():
            nonlocal number
            number += 1
            return self.ask(client, 48, number + 1, {}, "eole.result", [task])[0] == 50
        wait_until(is_free, what="calls that were cancelled are over")


if __name__ == "__main__":
    unittest.main()
