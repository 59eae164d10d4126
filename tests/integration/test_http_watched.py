"""What the page asks for besides: a running command's output, and how many ended when."""

import base64
import time
import unittest

from cluster import Cluster, wait_until
from http_client import Http
from live_client import WebSocket


class Watched(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster("--allow-exec", workers=1))
        cls.http = Http(cls.cluster)

    def test_what_a_command_prints_is_heard_while_it_runs(self):
        shell = ("until test -e go; do sleep 0.05; echo 3/9 third >&3; echo h\u00e9; echo oops >&2; done; exit 0")
        spec = {"kind": "exec", "args": {"argv": ["sh", "-c", shell], "cwd": self.cluster.directory}}
        task, other = self.http.post("/task", [spec, spec])["ids"]
        seen = {"stdout": b"", "stderr": b"", "text": ""}

        def hear(message):
            if message.get("type") == "progress":
                self.assertEqual((message["id"], message["worker"]), (task, "w1"))
                if "stream" in message:
                    seen[message["stream"]] += base64.b64decode(message["output"]["base64"])
                if message["text"]:
                    seen["text"] = (message["done"], message["total"], message["text"])
            return seen["stdout"] and seen["stderr"] and seen["text"]

        with WebSocket(self.http, "/notifications?topic=nothing") as live:
            live.send({"watch": "no-task"})
            self.assertIn("watch", live.until(lambda message: message.get("type") == "error")["text"])
            live.send({"watch": task})
            live.until(hear)
            live.send({"watch": None})
            live.send({"watch": other})
            live.until(lambda message: message.get("type") == "progress" and message["id"] == other)
        self.assertIn("h\u00e9\n".encode(), seen["stdout"])
        self.assertIn(b"oops\n", seen["stderr"])
        self.assertEqual(seen["text"], (3, 9, "third"))
        open(self.cluster.directory + "/go", "x", encoding="ascii").close()
        for each in (task, other):
            wait_until(lambda: self.http.get(f"/task/{each}")["state"] == "done")  # noqa: B023

    def test_how_many_ended_is_told_by_time(self):
        self.http.post("/task", [{"kind": "echo", "project": "timed"}] * 20 +
                       [{"kind": "exec", "args": {"argv": ["false"]}, "project": "timed"}] * 3)
        wait_until(lambda: self.http.get("/projects/timed")["failed"] == 3)
        wait_until(lambda: self.http.get("/projects/timed")["done"] == 20)
        until = int(time.time() * 1000) + 60_000
        ask = f"/history/counts?since={until - 3_600_000}&until={until}&project=timed"
        wait_until(lambda: self.http.get(ask + "&step=5m")["complete"])
        told = self.http.get(ask + "&step=5m")
        self.assertEqual((len(told["done"]), sum(told["done"]), sum(told["failed"])), (12, 20, 3))
        self.assertIsNone(told["counted_from"])
        for wrong in ("", "&step=1ms", "&step=never", "&step=5m&ran=long"):
            self.assertEqual(self.http.ask("GET", ask + wrong)[0], 400, wrong)
        self.assertEqual(self.http.get("/history?project=timed&ran=1h")["rows"], [])


if __name__ == "__main__":
    unittest.main()
