"""Which failures are tried again, when, and what bounds an attempt: with real processes, in every client's words."""

import http.server
import json
import os
import pathlib
import sys
import tempfile
import threading
import unittest

from cluster import Cluster, wait_until

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "clients/python"))
import eole  # noqa: E402


class HowOften(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster("--allow-exec", workers=1, slots=4))

    def test_only_the_failures_that_were_named_are_tried_again(self):
        with tempfile.TemporaryDirectory() as files:
            def fails_once(how):
                path = os.path.join(files, how.replace(" ", "-").replace("$", "s"))
                return {"kind": "exec", "args": {"shell": f"[ -e {path} ] && exit 0; touch {path}; {how}"},
                        "retry": {"on": ["exit:75", "signal"], "backoff": "10ms"}}
            tasks = [fails_once(how) for how in ("exit 75", "kill -11 $$", "exit 3")]
            results = self.cluster.submit(tasks, "--wait", check=False)
        self.assertEqual([result["state"] for result in results], ["done", "done", "dead"])
        self.assertEqual([result["attempt"] for result in results], [2, 2, 1])
        self.assertIn("not tried again: exit:3 is none of exit:75,signal", json.dumps(results[2]))

    def test_a_time_limit_bounds_each_attempt_of_any_kind(self):
        tasks = [{"kind": "sleep", "args": {"seconds": 600}, "timeout": "200ms"},
                 {"kind": "exec", "args": {"argv": ["sleep", "600"]}, "timeout": 0.2},
                 {"kind": "nqueens", "args": {"n": 20}, "timeout": "0.2s"},
                 {"kind": "sleep", "args": {"seconds": 600}, "timeout": "100ms",
                  "retry": {"attempts": 2, "on": "timeout", "backoff": "10ms"}}]
        results = self.cluster.submit(tasks, "--wait", check=False)
        self.assertEqual([result["state"] for result in results], ["failed", "failed", "failed", "dead"])
        for result in results[:3]:
            self.assertEqual(result["cause"], "timeout")
            self.assertIn("over its time limit of 0.2s", result["error"])
        self.assertEqual(results[3]["attempt"], 2)

    def test_flags_say_the_same(self):
        said = self.cluster.eole("submit", "--timeout", "200ms", "--retry-on", "timeout", "--backoff", "10ms",
                                 "--backoff-max", "20ms", "--attempts", "2", "--wait", "--json",
                                 "sleep", "600", check=False)
        result = json.loads(said.stdout)
        self.assertEqual((result["state"], result["attempt"]), ("dead", 2))

    def test_python_says_the_same(self):
        with eole.Cluster(os.path.join(self.cluster.directory, "eole/cluster.toml")) as cluster:
            ids = cluster.submit("sleep", {"seconds": 600}, timeout="200ms",
                                 retry={"attempts": 2, "backoff": "10ms", "on": ["timeout"]})
            [result] = cluster.results(ids)
            self.assertEqual((result.state, result.attempt), ("dead", 2))
            for bad, said in (({"tries": 3}, "'tries' is not known"), ({"backoff": "2d"}, "limit 86400 s"),
                              ({"on": "exits:3"}, "is no cause of a failure")):
                with self.assertRaisesRegex(eole.BadTask, said):
                    cluster.submit("echo", {}, retry=bad)
            with self.assertRaisesRegex(eole.BadTask, "no span of time"):
                cluster.submit("echo", {}, timeout="soon")

    def test_a_server_says_when_to_come_again(self):
        asked = []

        class Busy(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802 - the name that is called
                asked.append(self.path)
                self.send_response(503)
                self.send_header("Retry-After", "600")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Busy)
        self.addCleanup(server.server_close)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.shutdown)
        url = f"http://127.0.0.1:{server.server_port}/busy"
        [task] = self.cluster.submit([{"kind": "download", "args": {"url": url, "retries": 0}, "retry": True}])
        [waiting] = wait_until(lambda: self.cluster.json("tasks", "--state", "waiting", "--kind", "download"), 60,
                               "it waits")
        self.assertEqual(waiting["id"], task["id"])
        self.assertGreater(waiting["waits_until"] - waiting["submitted"], 599_000)
        self.assertEqual(len(asked), 1)
        self.cluster.eole("cancel", task["id"])

    def test_bad_words_are_refused(self):
        for member, said in (('"retry":{"tries":3}', "retry: tries: not known; attempts, backoff, backoff_max and on are"),
                             ('"retry":{"backoff":"2d"}', "retry: backoff: 2d, limit 1d"),
                             ('"retry":{"on":"exits:3"}', "retry: on: retry on exits:3: is no cause of a failure"),
                             ('"retry_on":"exit:0"', "retry_on: retry on exit:0: exit has a number from 1 to 255"),
                             ('"retry":{"on":"exit:300"}', "retry on exit:300: exit has a number from 1 to 255"),
                             ('"timeout":"soon"', "timeout: soon: is no span of time"),
                             ('"timeout":"31d"', "timeout: 31d, limit 30d")):
            done = self.cluster.eole("submit", "--file", "-", input='{"kind":"echo",%s}' % member, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn(said, done.stderr)


if __name__ == "__main__":
    unittest.main()
