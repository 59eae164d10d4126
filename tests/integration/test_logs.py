"""What the roles log, from all machines in one place, by level, role and task."""

import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import unittest

import zmq

from cluster import BIN, Cluster, wait_until
from http_client import Http
from keyed import Keyed
from test_security import head


def texts(lines):
    return [line["text"] for line in lines]


class Logs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster("--allow-exec", workers=2))
        cls.http = Http(cls.cluster)

    def logs(self, *arguments):
        return self.cluster.json("logs", *arguments)

    def failed(self, shell="exit 7"):
        [story] = [self.http.post("/task?wait=20s", {"kind": "exec", "args": {"shell": shell}})]
        self.assertEqual(story["state"], "failed")
        return story["id"]

    def test_every_role_is_there(self):
        roles = wait_until(lambda: len(found := {line["role"] for line in self.logs()}) == 4 and found)
        self.assertEqual(roles, {"ventilator", "sink", "worker", "gateway"})
        workers = wait_until(lambda: len(found := {line["name"] for line in self.logs("--role", "worker")}) == 2 and found)
        self.assertEqual(workers, {"w1", "w2"})

    def test_a_task_s_lines_are_found_by_its_id(self):
        task, other = self.failed(), self.failed()
        [line] = wait_until(lambda: self.logs("--task", task, "--level", "warn"))
        self.assertEqual((line["task"], line["level"], line["role"]), (task, "warn", "worker"))
        self.assertIn("exit code 7", line["text"])
        self.assertEqual(self.logs("--task", task, "--level", "error"), [])
        page = self.http.get(f"/logs?task={task}&level=warn&since=10m")
        self.assertEqual(page["lines"], [line])
        self.assertLess(page["lines"][0]["offset"], page["head"] + 1)
        self.assertEqual(self.http.ask("GET", "/logs?task=7")[0], 400)
        wait_until(lambda: self.logs("--task", other))
        shown = self.cluster.eole("logs", "--task", other).stdout
        self.assertRegex(shown, rf"^\d{{4}}-\d\d-\d\dT[\d:.]+Z warn  worker w\d: {other}: exec, attempt 1: .*exit code 7")

    def test_what_comes_to_a_terminal_has_no_control_characters(self):
        task = self.failed(r"printf '\033[31mred' >&2; exit 3")
        # An error that a kind says itself, with what the task gave it.
        bad = self.http.post("/task?wait=20s", {"kind": "exec", "args": {"shell": "x", "cwd": "/nowhere\u001b[2J"}})
        wait_until(lambda: self.logs("--task", bad["id"]))
        for one in (task, bad["id"]):
            self.assertNotIn("\x1b", self.cluster.eole("logs", "--task", one).stdout)

    def test_a_task_forges_no_line_of_a_file(self):
        task = self.failed(r"printf 'one\nforged\n' >&2; exit 3")
        wait_until(lambda: self.logs("--task", task))
        for path in pathlib.Path(self.cluster.directory, "eole/data/logs").glob("w*.log"):
            for line in path.read_text(encoding="utf-8").splitlines():
                self.assertRegex(line, r"^\d{4}-\d\d-\d\dT|^worker: |^$", path)

    def test_pages_join_and_a_killed_worker_is_told(self):
        pid = self.cluster.kill("w2")
        wait_until(lambda: any("started again" in text and "signal 9" in text
                               for text in texts(self.logs("--role", "worker", "--level", "warn"))))
        wait_until(lambda: any("worker w2: its connection ended" in text
                               for text in texts(self.logs("--role", "ventilator", "--level", "warn"))))
        self.assertTrue(pid)
        everything = self.http.get("/logs?limit=1000")["lines"]
        paged, path = [], "/logs?limit=3"
        while True:
            page = self.http.get(path)
            paged += page["lines"]
            if page["next"] is None:
                break
            path = f"/logs?limit=3&before={page['next']}"
        offsets = [line["offset"] for line in paged]
        self.assertEqual(offsets, sorted(set(offsets), reverse=True))
        self.assertLessEqual({line["offset"] for line in everything}, set(offsets))

    def test_who_follows_hears_what_comes(self):
        following = subprocess.Popen([BIN / "eole", "logs", "-f", "--level", "warn", "--json"],
                                     env=self.cluster.env, stdout=subprocess.PIPE, text=True)
        connection = http.client.HTTPConnection(self.http.host, self.http.port, timeout=30)
        connection.request("GET", "/logs?level=warn", headers={"Accept": "text/event-stream"})
        stream = connection.getresponse()
        self.assertEqual(stream.headers["Content-Type"], "text/event-stream")
        self.assertEqual(stream.readline(), b"retry: 1000\n")
        task = self.failed()
        line = next(line for line in map(json.loads, following.stdout) if line.get("task") == task)
        following.send_signal(signal.SIGINT)
        self.assertEqual(following.wait(20), 0)
        following.stdout.close()
        while not (event := stream.readline()).startswith(b"id: "):
            pass
        seen = []
        while not seen or seen[-1].get("task") != task:
            said = stream.readline()
            if said.startswith(b"data: "):
                seen.append(json.loads(said[6:]))
        self.assertEqual(seen[-1], line)
        self.assertTrue(event)
        connection.close()

    def test_a_stream_of_lines_ends_if_it_has_no_body_or_makes_no_sense(self):
        head = (f"HEAD /logs HTTP/1.1\r\nHost: {self.http.host}\r\nAccept: text/event-stream\r\n"
                "Connection: close\r\n\r\n")
        with socket.create_connection((self.http.host, self.http.port), timeout=30) as peer:
            peer.sendall(head.encode())
            answer = b"".join(iter(lambda: peer.recv(4096), b""))
        self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), answer)
        connection = http.client.HTTPConnection(self.http.host, self.http.port, timeout=30)
        connection.request("GET", "/logs?level=loud&after=0", headers={"Accept": "text/event-stream"})
        told = connection.getresponse().read().decode()
        connection.close()
        self.assertIn("event: error\ndata: ", told)
        self.assertIn("loud", told)

    def test_who_follows_hears_a_sign_of_life_while_the_sink_is_silent(self):
        connection = http.client.HTTPConnection(self.http.host, self.http.port, timeout=60)
        connection.request("GET", "/logs?role=sink&level=error&after=0", headers={"Accept": "text/event-stream"})
        stream = connection.getresponse()
        sink = self.cluster.kill("sink", signal.SIGSTOP)
        try:
            while stream.readline() != b":\n":
                pass
        finally:
            os.kill(sink, signal.SIGCONT)
            connection.close()

    def test_metrics_have_waits_and_runs_by_kind(self):
        self.failed()
        self.cluster.eole("submit", "echo", "hello", "--wait")
        text = self.http.get("/metrics").decode()
        for name in ("eole_task_wait_seconds", "eole_task_run_seconds"):
            for kind in ("exec", "echo"):
                [count] = re.findall(rf'^{name}_count{{kind="{kind}"}} (\d+)$', text, re.M)
                [last] = re.findall(rf'^{name}_bucket{{kind="{kind}",le="\+Inf"}} (\d+)$', text, re.M)
                self.assertEqual(count, last)
                self.assertGreater(int(count), 0)
        self.assertRegex(text, r'(?m)^eole_task_results_total{kind="exec",state="failed"} [1-9]')
        self.assertRegex(text, r"(?m)^eole_oldest_queued_task_age_seconds 0")
        waiting = self.http.post("/task", {"kind": "nobody"})["ids"][0]
        wait_until(lambda: not re.search(r"(?m)^eole_oldest_queued_task_age_seconds 0(\.0)?$",
                                         self.http.get("/metrics").decode()))
        self.http.ask("DELETE", f"/task/{waiting}")
        if promtool := shutil.which("promtool"):
            lint = subprocess.run([promtool, "check", "metrics"], input=text, text=True, capture_output=True, check=False)
            self.assertEqual((lint.returncode, lint.stdout + lint.stderr), (0, ""))


class Away(unittest.TestCase):
    def test_lines_wait_for_the_sink_and_those_of_before_are_still_there(self):
        with Cluster("--allow-exec", workers=1) as cluster:
            wait_until(lambda: cluster.json("logs", "--role", "sink"))
            os.kill(cluster.pid("sink"), signal.SIGKILL)
            wait_until(lambda: any("started again" in text and "signal 9" in text
                                   for text in texts(cluster.json("logs", "--role", "sink"))))
            sink = texts(cluster.json("logs", "--role", "sink"))
            self.assertEqual(len([text for text in sink if "listening on" in text]), 2)


def line(text, level=2, origin=0, seq=0):
    said = text.encode()
    return struct.pack("<qBIQH", 0x7fff_ffff_ffff, level, origin, seq, len(said)) + said


class Keys(Keyed):
    """A worker's key that means harm."""

    def logs(self, *arguments):
        return self.cluster.json("logs", "-n", 1000, *arguments)

    def test_it_logs_as_a_worker_alone_and_drives_out_nobody(self):
        wait_until(lambda: len({each["role"] for each in self.logs()}) == 4)
        servers = {each["offset"] for each in self.logs() if each["role"] != "worker"}
        push = self.connect(zmq.PUSH, self.file["results"], self.join("work"), linger=-1)
        for role in ("sink", "ventilator", "gateway", "made-up"):
            push.send_multipart([head("log_lines", role, "evil", 0), line("not mine to say")])
        push.send_multipart([head("log_lines", "worker", "evil", 0), line("said") + b"x"])  # Malformed.
        push.send_multipart([head("log_lines", "worker", "e\x1bvil", 7), line("first \x1b[2J")])
        flood = line("x" * 4000) * 16
        for _ in range(100):  # Of 64 KiB each.
            push.send_multipart([head("log_lines", "worker", "evil", 0), flood])
        self.cluster.submit([{"kind": "echo"}] * 100, "--wait")
        wait_until(lambda: any(each["text"].startswith("xxx") for each in self.logs("--role", "worker")))
        push.send_multipart([head("log_lines", "worker", "evil", 0), line("much later")])
        found = self.logs()
        self.assertLessEqual(servers, {each["offset"] for each in found})
        self.assertNotIn("not mine to say", texts(found))
        self.assertNotIn("said", texts(found))
        self.assertLess(sum(len(text) for text in texts(found) if text.startswith("xxx")), 1.2 * 2 ** 20)
        shown = self.cluster.eole("logs", "-n", 1000).stdout
        self.assertNotIn("\x1b", shown)
        self.assertIn("7 lines that came before were left out", shown)


if __name__ == "__main__":
    unittest.main()
