"""A task is part of the trace that its submitter says, wherever it goes."""

import json
import pathlib
import sys
import unittest

from cluster import Cluster, wait_until
from http_client import Http

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "clients/python"))
import eole  # noqa: E402

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
OTHER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
BAD = ("00-4bf9", TRACE.upper(), "ff" + TRACE[2:], TRACE + "-more", "00-" + "0" * 32 + TRACE[35:])


class Traces(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster("--allow-exec", workers=1))
        cls.http = Http(cls.cluster)

    def ended(self, task, state="done"):
        return wait_until(lambda: (story := self.http.get(f"/task/{task}"))["state"] == state and story)

    def test_a_command_finds_it_in_its_environment_and_the_story_tells_it(self):
        task = {"kind": "exec", "args": {"shell": "echo $TRACEPARENT"}}
        story = self.http.post("/task?wait=20s", task, traceparent=TRACE)
        self.assertEqual(story["value"]["stdout"].strip(), TRACE)
        self.assertEqual(self.http.get(f"/task/{story['id']}")["traceparent"], TRACE)
        own = self.http.post("/task?wait=20s", {**task, "traceparent": OTHER}, traceparent=TRACE)
        self.assertEqual(own["value"]["stdout"].strip(), OTHER)
        self.assertEqual(json.loads(self.cluster.eole("result", own["id"], "--json").stdout)["traceparent"], OTHER)

    def test_one_that_makes_no_sense_is_ignored_in_a_field_and_refused_as_a_word(self):
        for bad in BAD:
            story = self.http.post("/task?wait=20s", {"kind": "echo"}, traceparent=bad)
            self.assertNotIn("traceparent", story)
            status, _, problem = self.http.ask("POST", "/task", {"kind": "echo", "traceparent": bad})
            self.assertEqual((status, problem["errors"][0]["detail"][:12]), (400, "traceparent:"))
        later = self.http.post("/task?wait=20s", {"kind": "echo"}, traceparent="cc" + TRACE[2:] + "-what-comes")
        self.assertEqual(later["traceparent"], TRACE)
        self.assertEqual(self.cluster.eole("submit", "--traceparent", BAD[0], "echo", check=False).returncode, 2)

    def test_a_task_that_does_not_run_tells_it_too(self):
        [waiting] = self.http.post("/task", {"kind": "nobody", "args": {}}, traceparent=TRACE)["ids"]
        self.assertEqual(self.http.get(f"/task/{waiting}")["traceparent"], TRACE)
        self.http.ask("DELETE", f"/task/{waiting}")
        self.assertEqual(self.ended(waiting, state="cancelled")["traceparent"], TRACE)

    def test_lines_queues_pull_workers_and_uploads_carry_it(self):
        lines = '{"kind": "echo"}\n' + json.dumps({"kind": "echo", "traceparent": OTHER})
        ids = self.http.post("/task", lines, traceparent=TRACE, **{"Content-Type": "application/x-ndjson"})["ids"]
        self.assertEqual([self.ended(task)["traceparent"] for task in ids], [TRACE, OTHER])
        self.http.post("/queues/traced/messages", {"to": "Ada"}, traceparent=TRACE)
        [message] = self.http.get("/queues/traced/messages?wait=20s")["messages"]
        self.assertEqual(message["traceparent"], TRACE)
        self.http.post(f"/queues/traced/messages/{message['lease']}/ack")
        self.assertEqual(self.ended(message["id"])["traceparent"], TRACE)
        self.http.post("/task", {"kind": "pulled", "args": {}}, traceparent=OTHER)
        [leased] = self.http.post("/work/pulled/lease?wait=20s")["tasks"]
        self.assertEqual(leased["traceparent"], OTHER)
        self.http.post("/work/pulled/done", {"lease": leased["lease"]})
        form = ('--b\r\nContent-Disposition: form-data; name="kind"\r\n\r\necho\r\n--b\r\n'
                'Content-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhello\r\n--b--\r\n')
        told = self.http.post("/upload", form, traceparent=TRACE, **{"Content-Type": "multipart/form-data; boundary=b"})
        self.assertEqual(self.ended(told["task_id"])["traceparent"], TRACE)

    def test_the_same_submit_in_another_trace_is_the_same_submit(self):
        fields = {"Idempotency-Key": "once"}
        first = self.http.post("/task", {"kind": "echo"}, traceparent=TRACE, **fields)
        self.assertEqual(self.http.post("/task", {"kind": "echo"}, traceparent=OTHER, **fields), first)
        self.assertEqual(self.http.post("/task", {"kind": "echo"}, **fields), first)

    def test_python_and_the_command_line_say_it(self):
        with eole.Cluster(self.cluster.directory + "/eole/cluster.toml") as cluster:
            [one] = cluster.submit("echo", {}, traceparent=TRACE)
            graph = cluster.submit([{"kind": "echo", "name": "a", "traceparent": TRACE},
                                    {"kind": "echo", "after": "a", "traceparent": OTHER}])
            self.assertRaises(eole.BadTask, cluster.submit, "echo", {}, traceparent=BAD[0])
        [line] = self.cluster.eole("submit", "--traceparent", OTHER, "echo", "hello").stdout.split()[:1]
        told = [self.ended(task)["traceparent"] for task in (one, *graph)]
        self.assertEqual(told, [TRACE, TRACE, OTHER])
        self.assertTrue(line)


if __name__ == "__main__":
    unittest.main()
