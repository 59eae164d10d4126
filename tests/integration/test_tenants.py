"""Two keys that are bound to prefixes of projects: each walks through all commands, and meets nothing of the other's."""

import json
import os
import sys
import unittest
from pathlib import Path

import msgpack
import zmq

from cluster import Cluster, wait_until
from keyed import Keyed
from test_security import read_toml

sys.path.insert(0, str(Path(__file__).parents[2] / "clients/python"))
import eole  # noqa: E402

TENANTS = ("acme", "zeta")


class Tenants(Keyed):
    """All that a tenant has bears its name: so no output of the other's may have it."""

    def setUp(self):
        self.cluster = Cluster("--listen", "127.0.0.1", "--allow-exec", workers=1)
        self.cluster.start()
        self.addCleanup(self.cluster.__exit__, None, None, None)
        self.file = read_toml(self.cluster.directory + "/eole/cluster.toml")
        self.context = zmq.Context()
        self.addCleanup(self.context.destroy, linger=0)
        for tenant in TENANTS:
            self.cluster.eole("join", "--role", "admin", "--prefix", tenant + "/", "-o", self.key_of(tenant))

    def key_of(self, tenant):
        return os.path.join(self.cluster.directory, tenant + ".toml")

    def eole(self, tenant, *arguments, code=0, **options):
        done = self.cluster.eole("--cluster", self.key_of(tenant), *arguments, check=False, **options)
        self.assertEqual(done.returncode, code, (arguments, done.stdout, done.stderr))
        return done.stdout + done.stderr

    def json(self, tenant, *arguments, **options):
        return [json.loads(line) for line in self.eole(tenant, *arguments, "--json", **options).splitlines()]

    def test_a_bench_says_that_its_projects_are_none_of_a_tenant(self):
        said = self.eole("acme", "bench", "--tasks", "10", code=2, timeout=30)
        self.assertIn("bench: this key is bound to the projects of acme/", said)

    def fill(self, tenant):
        """One task of every sort; their ids."""
        project = tenant + "/photos"
        tasks = [{"kind": "echo", "args": {"of": tenant}}, {"kind": "exec", "args": {"argv": ["false"]}},
                 {"kind": "exec", "args": {"argv": ["false"]}, "retry": {"attempts": 1}},
                 {"kind": "echo", "args": {"of": tenant}, "delay": 3600}]
        lines = "".join(json.dumps({**task, "project": project}) + "\n" for task in tasks)
        ids = [json.loads(line)["id"] for line in self.eole(tenant, "submit", "--file", "-", input=lines).splitlines()]
        for done in ids[:3]:
            wait_until(lambda: '"state":"dead"' in (out := self.eole(tenant, "status", done, "--json").replace(" ", ""))
                       or '"state":"failed"' in out or '"state":"done"' in out, what=done)
        self.eole(tenant, "limit", "set", "project:" + project, "--running", "50")
        self.eole(tenant, "pause", "project:" + tenant + "/later")
        self.eole(tenant, "schedule", "add", tenant + "/nightly", "--cron", "30 2 * * *", "--", "--project", project,
                  "echo", tenant)
        self.eole(tenant, "project", "open", tenant + "/films", "--expect", "9")
        return ids

    def test_each_walks_through_all_commands_and_meets_nothing_of_the_others(self):
        ids = {tenant: self.fill(tenant) for tenant in TENANTS}
        for tenant, other in (TENANTS, TENANTS[::-1]):
            shown = ""
            for command in (("status",), ("workers",), ("tasks",), ("project",), ("history",), ("results",),
                            ("history", "--state", "failed"), ("dead", "list"), ("dead", "list", "--group"),
                            ("schedule", "list"), ("limit", "list"), ("top", "--once"),
                            ("watch", "--from", "0", "--count", "3"), ("project", tenant + "/photos"),
                            ("schedule", "show", tenant + "/nightly"), ("dead", "show", ids[tenant][2]),
                            *((what, each) for what in ("status", "explain") for each in ids[tenant])):
                with self.subTest(tenant=tenant, command=command):
                    out = self.eole(tenant, *command)
                    self.assertNotIn(other, out)
                    shown += out
            self.assertEqual(len(self.json(tenant, "history")), 3)
            self.assertEqual(len(self.json(tenant, "tasks")), 1)
            for each in (tenant + "/photos", tenant + "/films", tenant + "/nightly", *ids[tenant]):
                self.assertIn(each, shown)
            for each in ids[other]:
                for what in ("status", "result", "explain"):
                    self.assertNotIn(other, self.eole(tenant, what, each, code=1))
                self.assertIn("no such", self.eole(tenant, "status", each, code=1))
            self.eole(tenant, "dead", "discard", ids[other][2], code=1)
            self.eole(tenant, "cancel", ids[other][3], code=1)
            for what, answer in (
                    (("submit", "--project", other + "/photos", "echo", "1"), f"project {other}/photos: is not within"),
                    (("submit", "echo", "1"), "no project is named: must begin with " + tenant),
                    (("submit", "--project", tenant + "/p", "--after", ids[other][3], "echo", "1"), "no such task"),
                    (("pause", "project:" + other + "/photos"), "is not within"), (("pause", "all"), "is not within"),
                    (("drain", "worker:worker1"), "is not within"), (("resume", "kind:echo"), "is not within"),
                    (("limit", "set", "tenant:" + tenant + "/", "--queued", "5"), "is not within"),
                    (("limit", "clear", "project:" + other + "/photos"), "is not within"),
                    (("schedule", "remove", other + "/nightly"), "there is none"),
                    (("schedule", "add", "nightly", "--every", "1h", "--", "echo", "1"), "is not within"),
                    (("project", "close", other + "/films"), "nothing is known of it"),
                    (("project", "cancel", other + "/photos"), "nothing is known of it"),
                    (("status", "--bounds"), "tells of all projects")):
                with self.subTest(tenant=tenant, command=what):
                    done = self.cluster.eole("--cluster", self.key_of(tenant), *what, check=False)
                    self.assertNotEqual(done.returncode, 0, done.stdout)
                    self.assertIn(answer, done.stdout + done.stderr)
        for tenant in TENANTS:  # And all of it is there still.
            self.assertEqual(len(self.json(tenant, "dead", "list")), 1)
            self.assertEqual(len(self.json(tenant, "schedule", "list")), 1)
            self.assertEqual(self.json(tenant, "status", ids[tenant][3])[0]["state"], "waiting")
            self.eole(tenant, "dead", "discard", ids[tenant][2])
            self.assertEqual(self.json(tenant, "dead", "list"), [])
            self.eole(tenant, "cancel", ids[tenant][3])
        self.assertEqual(len(self.cluster.json("history")), 8)

    def test_a_task_takes_no_result_of_others_whoever_runs_it(self):
        secret = self.json("zeta", "submit", "--project", "zeta/p", "echo", "zsecret", "--wait")[0]["id"]
        own = self.json("acme", "submit", "--project", "acme/p", "echo", "aown", "--wait")[0]["id"]

        def taken(words):
            line = json.dumps({"project": "acme/p", **words})
            done = self.cluster.eole("--cluster", self.key_of("acme"), "submit", "--file", "-", "--wait", check=False,
                                     input=line)
            return done.stdout + done.stderr

        self.assertIn("aown", taken({"kind": "echo", "args": {"v": {"$result": own}}}))
        for words in ({"kind": "echo", "args": {"v": {"$result": secret}}},
                      {"kind": "exec", "args": {"argv": ["cat", {"$parts": "zeta/p"}]}},
                      {"kind": "collect", "args": {"how": "json", "project": "zeta/p"}}):
            out = taken(words)
            self.assertNotIn("zsecret", out)
            self.assertIn("failed", out)

    def test_python_and_the_log_within_a_prefix(self):
        with eole.Cluster(self.key_of("acme")) as acme, eole.Cluster(self.key_of("zeta")) as zeta:
            for number in range(3):
                zeta.map("echo", [{"n": number}], project="zeta/p")
            self.assertEqual(acme.map("echo", [{"n": 7}], project="acme/p")[0].value, {"n": 7})
            with self.assertRaises(eole.Refused):
                acme.map("echo", [{"n": 1}], project="zeta/p")
        sock = self.connect(zmq.DEALER, self.file["queries"], read_toml(self.key_of("acme")))
        ask = self.ask_of(sock)
        head, payload = ask([1, "read", 1, 0, 0, 0, 1 << 20])
        self.assertEqual((head[1], head[4], head[6], head[7]), ("records", 4, 0, "acme/"))
        self.assertNotIn(b"zeta", payload)
        self.assertIn(b"acme/p", payload)
        head, _ = ask([1, "read", 2, 0, 0, 0, 1 << 20, "zeta/"])
        self.assertEqual(head[1:], ["refused", 2, "read: within zeta/: this key is bound to acme/", "outside"])
        head, _ = ask([1, "follow", 3, 0, 0, 0, 0])
        self.assertEqual(head[1], "refused")

    @staticmethod
    def ask_of(sock):
        def ask(head):
            sock.send_multipart([msgpack.packb(head), b""])
            if not sock.poll(30_000):
                raise AssertionError("no answer")
            head, payload = sock.recv_multipart()
            return msgpack.unpackb(head), payload
        return ask

    def test_a_bound_key_hears_nothing_that_is_published(self):
        bound = self.connect(zmq.SUB, self.file["notifications"], read_toml(self.key_of("acme")))
        free = self.connect(zmq.SUB, self.file["notifications"], self.file)
        for sock in (bound, free):
            sock.subscribe(b"")
        for _ in range(2):  # The head is told every second.
            self.assertTrue(free.poll(30_000))
            free.recv_multipart()
        self.assertFalse(bound.poll(0))

    def test_a_tenant_has_no_more_queued_than_its_quota(self):
        for prefix in ("acme//", "/acme/"):
            for words in (("limit", "set", f"tenant:{prefix}", "--queued", "3"), ("join", "--role", "submit", "--prefix", prefix)):
                refused = self.cluster.eole(*words, check=False)
                self.assertEqual(refused.returncode, 2, words)
                self.assertIn(f"prefix {prefix}: has nothing before a /", refused.stderr)
        self.cluster.eole("limit", "set", "tenant:acme/", "--queued", "3", "--bytes", "1MiB", "--rate", "50/s")
        submit = ("submit", "--project", "acme/p", "--delay", "1h", "echo", "1")
        for _ in range(3):
            self.eole("acme", *submit)
        self.assertIn("quota tenant:acme/: 3 tasks are queued, with this submit 4, limit 3; try again later",
                      self.eole("acme", *submit, code=2))
        self.assertIn("tenant:acme/  rate 50/s  queued 3  bytes 1.0 MB", self.eole("acme", "limit", "list"))
        self.assertNotIn("acme", self.eole("zeta", "limit", "list"))
        self.eole("zeta", "submit", "--project", "zeta/p", "--delay", "1h", "echo", "1")
        self.cluster.kill("ventilator")
        wait_until(lambda: self.cluster.eole("limit", "list", check=False).returncode == 0, what="the ventilator")
        self.eole("acme", *submit, code=2)
        self.cluster.eole("limit", "clear", "tenant:acme/")
        self.eole("acme", *submit)


if __name__ == "__main__":
    unittest.main()
