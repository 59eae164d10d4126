"""Tasks, projects and operators' wishes over HTTP."""

import concurrent.futures
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import unittest

from cluster import Cluster, wait_until
from http_client import Http


class Tasks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster("--allow-exec", workers=1))
        cls.http = Http(cls.cluster)

    def test_a_task_is_accepted_done_and_told(self):
        ids = self.http.post("/task", {"kind": "echo", "args": {"a": 1}}, status=202)["ids"]
        task = wait_until(lambda: (view := self.http.get(f"/task/{ids[0]}"))["state"] == "done" and view)
        self.assertEqual(task["result"], {"a": 1})
        self.assertEqual([each["state"] for each in task["attempts"]], ["done"])
        self.assertEqual(self.cluster.task(ids[0])["state"], "done")

    def test_who_waits_gets_the_result(self):
        answer = self.http.post("/task?wait=20s", {"kind": "echo", "args": [1, 2]}, status=200)
        self.assertEqual((answer["state"], answer["result"]), ("done", [1, 2]))
        failed = self.http.post("/task?wait=20s", {"kind": "exec", "args": {"argv": ["false"]}}, status=200)
        self.assertEqual((failed["state"], failed["why"][0]["code"]), ("failed", "failed"))

    def test_arrays_and_lines_of_any_length(self):
        array = self.http.post("/task", [{"kind": "echo", "name": "a"}, {"kind": "echo", "after": ["a"]}])["ids"]
        self.assertEqual(len(array), 2)
        lines = "".join(json.dumps({"kind": "echo", "args": i, "project": "lines"}) + "\n" for i in range(70_000))
        ids = self.http.post("/task", lines, **{"Content-Type": "application/x-ndjson"})["ids"]
        self.assertEqual((len(ids), len(set(ids))), (70_000, 70_000))
        wait_until(lambda: self.http.get("/projects/lines")["done"] == 70_000)

    def test_a_bad_line_says_how_many_before_it_are_accepted(self):
        good = json.dumps({"kind": "echo", "project": "partly"})
        for before, count in ((0, 0), (1, 0), (65_537, 65_536), (131_072, 131_072)):
            lines = "\n".join([good] * before + ['{"kind": 5}', good])
            problem = self.http.post("/task", lines, status=400, **{"Content-Type": "application/x-ndjson"})
            self.assertEqual((problem["accepted"], len(problem["ids"])), (count, count))
            self.assertEqual(problem["errors"][0]["pointer"], f"/{before}/kind")
            said = f"the first {count} tasks are accepted, from {problem['ids'][0]} on" if count else "no task is accepted"
            self.assertIn(said, problem["detail"])
        wait_until(lambda: self.http.get("/projects/partly")["done"] == 65_536 + 131_072)
        self.assertNotIn("accepted", self.http.post("/task", {"kind": 5}, status=400))

    def test_a_key_makes_it_once(self):
        task = {"kind": "echo", "args": {"once": True}}
        first = self.http.post("/task", task, **{"Idempotency-Key": "k1"})
        self.assertEqual(self.http.post("/task", task, **{"Idempotency-Key": "k1"}), first)
        self.http.post("/task", {"kind": "echo"}, status=422, **{"Idempotency-Key": "k1"})
        lines = {"Idempotency-Key": "k2", "Content-Type": "application/x-ndjson"}
        waiting = self.http.post("/task", '{"kind": "echo", "delay": "1h"}\n', **lines)["ids"][0]
        self.assertEqual(self.http.get(f"/task/{waiting}")["idempotency_key"], "k2/0")
        self.http.ask("DELETE", f"/task/{waiting}")
        task_id = first["ids"][0]
        done = wait_until(lambda: (view := self.http.get(f"/task/{task_id}"))["state"] == "done" and view)
        self.assertEqual(done["idempotency_key"], "k1")
        self.assertNotIn("replay_of", done)

    def test_what_is_wrong_is_said_where(self):
        for body, pointer in (([{"kind": "echo"}, {"kind": "download"}], "/1"), ({"kind": 1}, "/kind"), ("{", ""),
                              ([{"kind": "echo"}, {"kind": "download", "args": {"url": 5}}], "/1/args/url")):
            problem = self.http.post("/task", body, status=400)
            self.assertEqual(problem["status"], 400)
            self.assertEqual(problem["errors"][0]["pointer"], pointer)
        status, fields, problem = self.http.ask("POST", "/task", "x" * (9 << 20))
        self.assertEqual((status, fields["Content-Type"]), (413, "application/problem+json"))
        self.assertIn("8388608", problem["detail"])
        status, _, problem = self.http.ask("GET", "/tasks?stat=queued")
        self.assertEqual((status, problem["detail"]), (400, "?stat: GET /tasks takes state, kind, project, worker, after, limit"))
        self.assertEqual(self.http.ask("GET", "/task/nothing")[2]["detail"], "task nothing: is no task's id")
        origin = self.http.get("/cluster")["ventilator"]["origin"]
        for method in ("GET", "DELETE"):
            for task, why in ((f"{origin}-99999999", "was never accepted"),
                              ("000000-1", f"is of another cluster; ids of this one begin with {origin}-")):
                status, _, problem = self.http.ask(method, f"/task/{task}")
                self.assertEqual((status, problem["detail"]), (404, f"task {task}: {why}"))
        status, fields, _ = self.http.ask("PUT", "/task", "{}")
        self.assertEqual((status, fields["Allow"]), (405, "POST"))

    def test_a_waiting_task_is_listed_and_cancelled(self):
        task = {"kind": "echo", "delay": "1h", "project": "later"}
        task_id = self.http.post("/task", task)["ids"][0]
        listed = self.http.get("/tasks?project=later")["tasks"]
        self.assertEqual([each["id"] for each in listed], [task_id])
        self.assertEqual(self.http.get(f"/task/{task_id}")["why"][0]["code"], "delay")
        self.assertEqual(self.http.ask("DELETE", f"/task/{task_id}")[0], 202)
        wait_until(lambda: self.http.get(f"/task/{task_id}")["state"] == "cancelled")
        wait_until(lambda: self.http.ask("DELETE", f"/task/{task_id}")[0] == 409)

    def test_a_project_is_put_together(self):
        last = {"kind": "collect", "args": {"how": "sum"}}
        for none in (0, -1, 2**40 + 1, "3", 1.5):
            status, _, problem = self.http.ask("POST", "/projects/sum/open", {"expected": none})
            self.assertEqual((status, problem["errors"][0]["pointer"]), (400, "/expected"), problem)
            self.assertIn("is no whole number from 1 to 1099511627776", problem["detail"])
        self.http.post("/projects/sum/open", {"expected": 3, "then": last})
        self.http.post("/task", [{"kind": "echo", "args": n, "project": "sum"} for n in (1, 2, 3)])
        view = wait_until(lambda: (seen := self.http.get("/projects/sum"))["result"] and seen)
        self.assertEqual((view["state"], view["done"], view["result"]["value"]["sum"]), ("over", 3, 6))
        self.assertIn("sum", [each["project"] for each in self.http.get("/projects")["projects"]])

    def test_a_project_is_tried_again(self):
        gone = "test -e ready || exit 1; echo done"
        self.http.post("/projects/again/open", {"then": {"kind": "collect", "args": {"how": "concat"}}})
        self.http.post("/task", [{"kind": "echo", "args": 1, "project": "again"},
                                 {"kind": "exec", "args": {"argv": ["sh", "-c", gone], "cwd": self.cluster.directory},
                                  "project": "again"}])
        self.assertEqual(self.http.ask("POST", "/projects/again/retry")[0], 409)
        self.http.post("/projects/again/close")
        wait_until(lambda: self.http.get("/projects/again")["result"])
        open(self.cluster.directory + "/ready", "x", encoding="ascii").close()
        self.assertEqual(self.http.post("/projects/again/retry"), {"project": "again", "retried": 1})
        wait_until(lambda: self.http.get("/projects/again")["done"] == 2)
        self.assertEqual(self.http.ask("POST", "/projects/nobody/retry")[0], 404)

    def test_limits_schedules_and_pauses(self):
        self.assertEqual(self.http.ask("PUT", "/limits/kind:sleep", {"running": 1})[0], 200)
        self.assertEqual(self.http.get("/limits")["limits"], [{"scope": "kind:sleep", "running": 1}])
        self.assertEqual(self.http.ask("DELETE", "/limits/kind:sleep")[0], 200)
        self.assertEqual(self.http.get("/limits")["limits"], [])
        self.assertEqual(self.http.ask("PUT", "/limits/key:host", {"running": 1})[0], 400)
        self.assertEqual(self.http.ask("PUT", "/limits/key:host", {"rate": 2})[0], 200)
        self.assertEqual(self.http.ask("DELETE", "/limits/key:host")[0], 200)
        made = self.http.ask("PUT", "/schedules/nightly", {"cron": "0 3 * * *", "task": {"kind": "echo"}})[2]
        self.assertEqual(made["name"], "nightly")
        for said, detail in (({"every": 5}, 'every 5: is no text, wanted is a span of time like "5s", "1.5h", "2d"'),
                             ({"every": ""}, 'every "": is empty, wanted is a span of time like "5s", "1.5h", "2d"'),
                             ({"every": "5 s"}, "every 5 s: is no span of time (90, 250ms, 1.5s, 5m, 2h, 3d)"),
                             ({"cron": 5}, 'cron 5: is no text, wanted is five fields, as in "0 3 * * *"'),
                             ({"every": "5s", "zone": "UTC"}, "zone: goes with cron")):
            status, _, problem = self.http.ask("PUT", "/schedules/odd", {**said, "task": {"kind": "echo"}})
            self.assertEqual((status, problem["detail"]), (400, detail))
            self.assertIn(problem["errors"][0]["pointer"][1:], said)
        self.assertEqual(len(self.http.get("/schedules/nightly")["beats"]), 5)
        self.assertEqual(len(self.http.post("/schedules/nightly/run")["ids"]), 1)
        self.assertEqual(self.http.ask("DELETE", "/schedules/nightly")[0], 200)
        self.assertEqual(self.http.ask("GET", "/schedules/nightly")[0], 404)
        self.assertTrue(self.http.post("/pause", {"scope": "project:held"})["paused"])
        self.assertFalse(self.http.post("/resume", {"scope": "project:held"})["paused"])
        self.http.post("/pause", {"scope": "nobody"}, status=400)

    def test_dead_letters_are_grouped_and_replayed_once(self):
        task = {"kind": "exec", "args": {"argv": ["sh", "-c", "exit 9"]}, "project": "dying",
                "retry": {"attempts": 2, "backoff": "1ms"}}
        self.http.post("/task", [task] * 3)
        wait_until(lambda: self.http.get("/projects/dying")["dead"] == 3)
        groups = self.http.get("/dead/groups?project=dying")["groups"]
        self.assertEqual([(each["group"], each["count"]) for each in groups], [("exit code 9", 3)])
        chosen = {"project": "dying", "group": "exit code 9"}
        self.assertEqual(self.http.post("/dead/replay", {**chosen, "dry_run": True}), {"count": 3})
        first = self.http.post("/dead/replay", chosen)["replayed"]
        self.assertEqual(len(first), 3)
        again = self.http.post("/dead/replay", {"ids": [each["replay_of"] for each in first]})["replayed"]
        self.assertEqual(again, first)
        wait_until(lambda: self.http.get("/projects/dying")["dead"] == 6)  # The replays died, too: only they are left.
        letters = [each["id"] for each in self.http.get("/dead?project=dying")["letters"]]
        self.assertEqual(sorted(letters), sorted(each["id"] for each in first))
        _, fields, done = self.http.ask("POST", "/dead/discard", {"project": "dying", "reason": "no\x1bhope"})
        self.assertEqual(done, {"discarded": 3})
        told = wait_until(lambda: [line["text"] for line in self.cluster.json("logs") if "discarded by" in line["text"]])
        self.assertRegex(told[0], r"^3 dead letters \(\S+ …\) were discarded by the owner from \S+, request "
                                  + fields["X-Request-Id"] + r": no\\x1bhope$")

    def test_stories_of_a_dead_letter_and_its_replay_lead_to_each_other(self):
        dead = {"kind": "dead", "args": {"error": "linked"}, "retry": True, "attempts": 1}
        letters = self.http.post("/task", [dead] * 2, **{"Idempotency-Key": "linked"})["ids"]
        for letter in letters:
            wait_until(lambda task=letter: self.http.get(f"/task/{task}")["state"] == "dead")
        self.assertNotIn("replayed_as", self.http.get(f"/task/{letters[0]}"))
        replays = self.http.post("/dead/replay", {"ids": letters[:1]})["replayed"] + self.cluster.json("dead", "replay", letters[1])
        for letter, replay in zip(letters, replays):
            story = self.http.get(f"/task/{letter}")
            self.assertEqual((story["idempotency_key"], story["replayed_as"]), ("linked", replay["id"]))
            self.assertNotIn("replay_of", story)
            story = self.http.get(f"/task/{replay['id']}")
            self.assertEqual(story["replay_of"], letter)
            self.assertNotIn("idempotency_key", story)
        ventilator = self.cluster.kill("ventilator", signal.SIGSTOP)  # The story is the log's: it is told all the same.
        self.addCleanup(os.kill, ventilator, signal.SIGCONT)
        story = self.http.get(f"/task/{letters[0]}")
        self.assertEqual((story["state"], story.get("replayed_as")), ("dead", None))

    def test_dead_letters_are_replayed_at_a_rate(self):
        self.http.post("/task", [{"kind": "dead", "args": {"error": "late"}, "project": "slowly", "retry": True,
                                  "attempts": 1}] * 3)
        wait_until(lambda: self.http.get("/projects/slowly")["dead"] == 3)
        ids = [each["id"] for each in self.http.get("/dead?project=slowly")["letters"]]
        wrong = self.http.post("/dead/replay", {"ids": ids, "rate": 0}, status=400)
        self.assertEqual(wrong["errors"][0]["pointer"], "/rate")
        first, *others = [each["id"] for each in self.http.post("/dead/replay", {"ids": ids, "rate": 0.001})["replayed"]]
        wait_until(lambda: self.http.get(f"/task/{first}")["state"] == "dead")
        waits = [self.http.get(f"/task/{each}") for each in others]
        self.assertEqual([each["state"] for each in waits], ["waiting", "waiting"])
        until = [each["why"][0]["until"] for each in waits]
        self.assertAlmostEqual(until[1] - until[0], 1_000_000, delta=60_000)  # As they were accepted.
        for each in others:
            self.http.ask("DELETE", f"/task/{each}")

    def test_history_finds_what_ended(self):
        self.http.post("/task", [{"kind": "exec", "args": {"argv": ["sh", "-c", "echo no such galaxy >&2; exit 4"]},
                                  "project": "lost"}] + [{"kind": "echo", "project": "lost"}] * 3)
        wait_until(lambda: self.http.get("/projects/lost")["done"] == 3)

        def rows(query):
            found = []
            cursor = ""
            while True:
                page = self.http.get(f"/history?project=lost&limit=2&{query}{cursor}")
                found += page["rows"]
                if page.get("next") is None:
                    return found if page["complete"] else None
                cursor = f"&cursor={page['next']}"
        wait_until(lambda: (seen := rows("")) is not None and len(seen) == 4)
        self.assertEqual([row["state"] for row in rows("state=failed")], ["failed"])
        self.assertEqual(rows("until=2020-01-01T00:00:00Z"), [])
        self.assertEqual(self.http.ask("GET", "/history?since=soon")[0], 400)

    def test_kinds_have_a_schema_and_roles_a_state(self):
        kinds = {kind["name"]: kind for kind in self.http.get("/kinds")["kinds"]}
        self.assertEqual(kinds["download"]["arguments"]["required"], ["url"])
        self.assertTrue(kinds["exec"]["is_offered"])
        state = self.http.get("/cluster")
        self.assertEqual((state["ventilator"]["role"], state["sink"]["role"]), ("ventilator", "sink"))
        self.assertEqual([worker["name"] for worker in self.http.get("/workers")], ["w1"])
        self.assertEqual(self.http.get("/readyz"), {"status": "ready"})


    def test_metrics_are_what_the_dashboard_shows(self):
        self.http.post("/groups", {"group": "watched", "partitions": 2})
        self.http.post("/task?wait=20s", {"kind": "echo"})  # What is counted by kind is there.
        text = self.http.get("/metrics").decode()
        self.assertIn('eole_group_lag_records{group="watched"} 1\n', text)
        self.assertIn('eole_group_members{group="watched"} 0\n', text)
        of_partitions = re.findall(r'eole_group_partition_lag_records\{group="watched",partition="\d"\} (\d+)', text)
        self.assertEqual(sorted(of_partitions), ["0", "1"])
        told = re.findall(r"^# TYPE (\w+) ", text, re.M)
        self.assertEqual(len(told), len(set(told)))
        for line in text.splitlines():
            self.assertRegex(line, r'^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? \d+(\.\d+)?(e[+-]\d+)?)$')
        self.assertRegex(text, r'eole_http_requests_total\{method="POST",route="/task",status="200"\} \d+\n')
        self.http.ask("GET", "/somewhere/else")
        self.assertRegex(self.http.get("/metrics").decode(),
                         r'eole_http_requests_total\{method="",route="\(none\)",status="404"\} \d+\n')
        self.assertNotIn("somewhere", self.http.get("/metrics").decode())
        self.assertRegex(text, r"eole_log_commit_seconds_count [1-9]")
        dashboard = (pathlib.Path(__file__).parents[2] / "deploy/grafana.json").read_text(encoding="utf-8")
        shown = {re.sub("(?<=_seconds)_(bucket|sum|count)$", "", name) for name in re.findall(r"\beole_\w+", dashboard)}
        self.assertTrue(shown)
        self.assertLessEqual(shown, {*told, "eole_log_left_seconds"})  # That once it is known.


class Connections(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster(workers=1))
        cls.http = Http(cls.cluster)

    def test_requests_of_one_connection_follow_one_another(self):
        one = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        answer = self.http.raw(one * 3)
        self.assertEqual(answer.count(b"HTTP/1.1 200 OK"), 3)
        self.assertEqual(self.http.raw(b"HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").split(b"\r\n\r\n")[1], b"")

    def test_what_two_readers_could_understand_differently_ends_the_connection(self):
        head = b"POST /task HTTP/1.1\r\nHost: localhost\r\n"
        smuggled = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for fields in (b"Content-Length: 3\r\nContent-Length: 4\r\n", b"Transfer-Encoding: chunked, gzip\r\n",
                       b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", b"Content-Length : 3\r\n",
                       b"Host: localhost\r\n", b"Transfer-Encoding: xchunked\r\n"):
            answer = self.http.raw(head + fields + b"\r\nabc" + smuggled)
            self.assertEqual(answer.count(b"\r\nContent-Length: "), 1, fields)
            self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer)

    def test_each_answer_names_its_request_and_none_as_the_client_does(self):
        head = b" HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: mine\r\n"
        socket_wanted = (b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                         b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")
        named = []
        for asked, status in ((b"GET /healthz" + head, 200), (b"HEAD /cluster" + head, 200), (b"GET /page.css" + head, 200),
                              (b"OPTIONS *" + head, 204), (b"HEAD /events" + head, 200), (b"GET /no/where" + head, 404),
                              (b"GET /notifications" + head + socket_wanted, 101), (b"GET  /two spaces" + head, 400),
                              (b"GET /healthz" + head + b"\r\nno head", 200)):
            answer = self.http.raw(asked + b"\r\n")
            self.assertTrue(answer.startswith(b"HTTP/1.1 %d " % status), answer)
            ids = re.findall(rb"^X-Request-Id: ([0-9a-f]{16})\r$", answer, re.M)
            self.assertEqual(len(ids), answer.count(b"HTTP/1.1 "), answer)
            self.assertEqual(re.findall(rb'"request_id":"(\w+)"', answer), ids[-1:] if b"problem+json" in answer else [])
            named += ids
        self.assertEqual((len(named), len(set(named))), (10, 10))

    def test_the_log_names_a_request_that_failed(self):
        ventilator = self.http.get("/cluster")["ventilator"]["pid"]
        os.kill(ventilator, signal.SIGSTOP)
        try:
            status, _, problem = self.http.ask("GET", "/readyz?", headers={"X-Request-Id": "mine"})
        finally:
            os.kill(ventilator, signal.SIGCONT)
        self.assertEqual(status, 503)
        said = f"request {problem['request_id']}: GET /readyz?: 503 {problem['detail']}"
        wait_until(lambda: [line for line in self.cluster.json("logs", "--level", "warn") if line["text"] == said])

    def test_what_has_no_head_counts_for_no_route(self):
        self.http.raw(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\nno head\r\n\r\n")
        text = self.http.get("/metrics").decode()
        self.assertNotIn('route="/readyz",status="400"', text)
        self.assertIn('eole_http_requests_total{method="",route="(none)",status="400"} ', text)

    def test_a_body_is_asked_for(self):
        body = b'{"kind":"echo"}'
        with socket.create_connection((self.http.host, self.http.port), timeout=10) as peer:
            peer.sendall(b"POST /task HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
                         % len(body))
            self.assertEqual(peer.recv(100), b"HTTP/1.1 100 Continue\r\n\r\n")
            peer.sendall(body)
            self.assertTrue(peer.recv(100).startswith(b"HTTP/1.1 202 "))

    def test_one_refused_among_many_costs_the_others_nothing(self):
        self.http.post("/projects/shut/open", {})
        self.http.post("/projects/shut/close")
        for act in ("close", "cancel", "retry"):
            self.assertEqual(self.http.ask("POST", f"/projects/nobody/{act}")[0], 404)
        tasks = [{"kind": "echo", "args": n, "project": "shut" if n % 7 == 3 else ""} for n in range(60)]
        peers = [socket.create_connection((self.http.host, self.http.port), timeout=30) for _ in tasks]
        for peer, task in zip(peers, tasks):  # All at once: they go out as one submit.
            body = json.dumps(task).encode()
            peer.sendall(b"POST /task HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
                         % (len(body), body))
        got = []
        for peer in peers:
            with peer:
                got.append(int(peer.recv(1000).split(b" ")[1]))
        self.assertEqual(got, [409 if task["project"] else 202 for task in tasks])

    def test_a_slow_head_is_told_so(self):
        with socket.create_connection((self.http.host, self.http.port), timeout=30) as peer:
            peer.sendall(b"GET /healthz HTTP/1.1\r\n")
            self.assertTrue(peer.recv(100).startswith(b"HTTP/1.1 408 "))

    def test_a_killed_gateway_comes_back_at_its_address_and_nothing_is_lost(self):
        ids = self.http.post("/task", [{"kind": "echo", "args": n} for n in range(100)])["ids"]
        os.kill(self.http.get("/cluster")["gateway"]["pid"], signal.SIGKILL)
        wait_until(lambda: self.is_ready(), what="it is back")
        for task_id in ids[::10]:
            self.assertEqual(self.http.get(f"/task/{task_id}")["state"], "done")

    def is_ready(self):
        try:
            return self.http.ask("GET", "/readyz")[0] == 200
        except OSError:
            return False

    @unittest.skipUnless(os.geteuid() == 0, "only root can be another user")
    def test_other_users_of_this_machine_are_refused(self):
        ask = ("import socket\npeer = socket.create_connection((%r, %d))\n"
               "peer.sendall(b'GET /cluster HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n')\nprint(peer.recv(12))"
               % (self.http.host, self.http.port))
        nobody = {"user": 65534, "group": 65534, "extra_groups": []}
        said = [subprocess.run(["/usr/bin/python3", "-c", ask], capture_output=True, text=True, check=True, **options)
                for options in ({}, nobody)]
        self.assertEqual([each.stdout.strip() for each in said], ["b'HTTP/1.1 200'", "b'HTTP/1.1 403'"])
        # Who has gone before it is looked at is nobody, not root.
        body = b'{"kind":"echo","project":"blind"}'
        blind = ("import socket\nfor _ in range(20):\n    peer = socket.create_connection((%r, %d))\n    peer.sendall(%r)\n"
                 "    peer.close()" % (self.http.host, self.http.port, b"POST /task HTTP/1.1\r\nHost: localhost\r\n"
                                       b"Content-Length: %d\r\n\r\n%s" % (len(body), body)))
        gateway = self.http.get("/cluster")["gateway"]["pid"]
        os.kill(gateway, signal.SIGSTOP)
        subprocess.run(["/usr/bin/python3", "-c", blind], check=True, **nobody)
        os.kill(gateway, signal.SIGCONT)
        self.assertEqual(self.http.ask("GET", "/projects/blind")[0], 404)

    def test_many_at_once(self):
        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            answers = list(pool.map(lambda n: self.http.post("/task?wait=30s", {"kind": "echo", "args": n}), range(500)))
        self.assertEqual([answer["result"] for answer in answers], list(range(500)))


if __name__ == "__main__":
    unittest.main()
