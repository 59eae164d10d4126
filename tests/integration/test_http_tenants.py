"""Two tokens that are bound to prefixes of projects: each walks through all routes, and meets nothing of the other's."""

import base64
import json
import pathlib
import re
import subprocess
import tempfile
import time
import unittest
import urllib.parse

from cluster import BIN, Cluster, wait_until
from http_client import Http
from live_client import Events, WebSocket
from test_http_access import Client, add
from test_http_upload import BOUNDARY, form

TENANTS = ("alpha", "zeta")
GHOST = "ghost"  # Nobody.
LIVE = {"/events", "/notifications", "/wamp"}  # These do not end.
TUS = {"Tus-Resumable": "1.0.0"}
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def quoted(name):
    return urllib.parse.quote(name, safe="")


class Tenants(unittest.TestCase):
    """All that a tenant has bears its name: so no answer to the other may have it."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster("--http-tokens", "--allow-exec", workers=1))
        cls.boss = Client(cls.cluster, add(cls.cluster, "boss", "admin"))
        cls.tokens = {tenant: add(cls.cluster, tenant, "admin", "--prefix", tenant + "/") for tenant in TENANTS}
        cls.clients = {tenant: Client(cls.cluster, token) for tenant, token in cls.tokens.items()}
        photo = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()), "photo.jpg")
        subprocess.run([BIN / "eole-make-photo", "640", "480", "90", "1", photo], check=True)
        cls.photo = photo.read_bytes()
        cls.of = {tenant: cls.fill(tenant) for tenant in TENANTS}
        nobody = {"done": "aaaaaa-900001", "dead": "aaaaaa-900002", "delayed": "aaaaaa-900003", "message": "aaaaaa-900004",
                  "upload": "0" * 32, "file": f"{GHOST}-aaaaaa-900005.jpg", "sha256": "0" * 64, "lease": "1" * 32,
                  "token": "more-x00000"}
        cls.of[GHOST] = nobody
        cls.now = int(time.time() * 1000)

    @classmethod
    def settled(cls, client, task):
        return wait_until(lambda: (story := client.get(f"/task/{task}"))["state"] in ("done", "failed", "dead") and story)

    @classmethod
    def fill(cls, tenant):
        """One thing of every sort; what they are called."""
        client, project = cls.clients[tenant], f"{tenant}/photos"
        tasks = [{"kind": "echo", "args": {"of": tenant}},
                 {"kind": "exec", "args": {"argv": ["false", tenant]}, "retry": {"attempts": 1}},
                 {"kind": "echo", "args": {"of": tenant}, "delay": 3600}]
        done, dead, delayed = client.post("/task", [{**task, "project": project} for task in tasks])["ids"]
        client.post(f"/projects/{quoted(tenant + '/films')}/open", {"expected": 9})
        client.post("/pause", {"scope": f"project:{tenant}/later"})
        for method, path, body in (("PUT", "/limits/" + quoted("project:" + project), {"running": 50}),
                                   ("PUT", "/schedules/" + quoted(tenant + "/nightly"),
                                    {"cron": "30 2 * * *", "task": {"kind": "echo", "args": tenant, "project": project}})):
            status, _, answer = client.ask(method, path, body)
            assert status == 200, (method, path, answer)
        message = client.post(f"/queues/{tenant}-jobs/messages", f'"{tenant}"')["ids"][0]
        status, _, told = client.ask("POST", "/upload", form(("image", f"{tenant}.jpg", cls.photo), ("width", None, b"64")), FORM)
        assert status == 202, told
        for path, body in cls.declared(tenant).items():
            client.post(path, body, status=201)
        name = base64.b64encode(f"{tenant}.jpg".encode()).decode()
        status, fields, answer = client.ask("POST", "/uploads", headers={**TUS, "Upload-Length": "9",
                                                                         "Upload-Metadata": f"filename {name}"})
        assert status == 201, answer
        token = client.post("/tokens", {"name": "more", "role": "observe", "prefix": f"{tenant}/x/"}, status=201)["name"]
        lease = client.get(f"/queues/{tenant}-jobs/messages?wait=20s&lease=1h")["messages"][0]["lease"]
        sha256 = cls.settled(client, told["task_id"])["artifact"]["sha256"]
        assert cls.settled(client, dead)["state"] == "dead"
        wait_until(lambda: done in [row["id"] for row in client.get("/history")["rows"]], what="the history has it")
        return {"done": done, "dead": dead, "delayed": delayed, "message": message, "file": told["file_name"],
                "upload": fields["Location"].rsplit("/", 1)[1], "sha256": sha256, "lease": lease, "token": token}

    @staticmethod
    def declared(whose):
        """A group of readers, and what is declared on it."""
        task = {"kind": "echo", "project": f"{whose}/thumbs"}
        return {"/groups": {"group": f"{whose}/readers"},
                "/chains": {"name": f"{whose}/thumbs", "from": f"{whose}/raw/echo/done", "task": task},
                "/alerts": {"name": f"{whose}/late", "group": f"{whose}/readers", "seconds": 9000}}

    def named(self, path, method, whose):
        """The target that means this one's thing, and a body that asks for it."""
        of = self.of[whose]
        targets = {
            "/artifact/{hash}": of["sha256"], "/dead/{id}": of["dead"], "/limits/{scope}": f"project:{whose}/photos",
            "/task/{id}": of["delayed"], "/tokens/{name}": of["token"], "/uploads/{id}": of["upload"]}
        target = path.replace("{lease}", of["lease"]).replace("{kind}", "echo")
        for begin, name in (("/projects/", f"{whose}/films"), ("/queues/", f"{whose}-jobs"), ("/schedules/", f"{whose}/nightly"),
                            ("/groups/", f"{whose}/readers"), ("/chains/", f"{whose}/thumbs"), ("/alerts/", f"{whose}/late")):
            if path.startswith(begin):
                target = target.replace("{name}", quoted(name))
        if path in targets:
            target = path[:path.index("{")] + quoted(targets[path])
        if path == "/groups/{name}/records":
            target += "?member=me"
        if path in ("/status", "/download"):
            target += "?file_name=" + quoted(of["file"])
        if path in ("/tasks", "/history", "/history/counts", "/dead", "/dead/groups"):
            target += "?project=" + quoted(f"{whose}/photos")
        if path == "/history/counts":
            target += f"&step=1h&since={self.now - 7_200_000}&until={self.now}"
        self.assertNotIn("{", target, f"{path}: say what of it is somebody's")
        project = f"{whose}/photos"
        task = {"kind": "echo", "args": 1, "project": project}
        bodies = {
            ("post", "/task"): task, ("post", "/tasks/cancel"): {"project": project},
            ("post", "/dead/replay"): {"ids": [of["dead"]]}, ("post", "/dead/discard"): {"ids": [of["dead"]]},
            ("post", "/pause"): {"scope": "project:" + project}, ("post", "/resume"): {"scope": f"project:{whose}/later"},
            ("put", "/limits/{scope}"): {"running": 1},
            ("put", "/schedules/{name}"): {"every": "1h", "task": task},
            ("post", "/tokens"): {"name": "x", "role": "observe", "prefix": whose + "/"},
            ("patch", "/tokens/{name}"): {"role": "admin"},
            ("post", "/queues/{name}/messages"): "1",
            ("post", "/groups/{name}/move"): {"to": "latest"},
            ("post", "/groups/{name}/commit"): {"member": "me", "batch": 1}, ("post", "/groups/{name}/leave"): {"member": "me"},
            ("post", "/groups/{name}/remove"): {"member": "me"},
            **{("post", path): body for path, body in self.declared(whose).items()},
            ("post", "/upload"): form(("image", "x.jpg", self.photo), ("project", None, project.encode()))}
        fields = {"/upload": FORM, "/uploads": {**TUS, "Upload-Length": "9", "Upload-Metadata": "filename eA==,project "
                                                + base64.b64encode(project.encode()).decode()},
                  "/uploads/{id}": {**TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}}
        return target, bodies.get((method, path)), fields.get(path, {})

    def routes(self):
        """(method, path, whether it serves who has a prefix); of those which end, and take a token."""
        for path, item in self.boss.get("/openapi.json")["paths"].items():
            for method, about in item.items():
                if method != "parameters" and about.get("security") != [] and path not in LIVE:
                    yield method, path, about["x-within"]

    def text_of(self, tenant, method, path, whose):
        target, body, fields = self.named(path, method, whose)
        status, head, answer = self.clients[tenant].ask(method.upper(), target, body, fields)
        said = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        # How long names are is no difference, nor when it was asked.
        fields = {name: value for name, value in head.items() if name not in ("Content-Length", "Upload-Expires")}
        said = re.sub(rb'"last_used": "[^"]+"|"lag_seconds": [\d.]+', b"", json.dumps(fields).encode() + said)
        return status, said.replace(head["X-Request-Id"].encode(), b"request")

    def test_each_walks_through_all_routes_and_meets_nothing_of_the_others(self):
        self.maxDiff = None
        served = {method + path: is_within for method, path, is_within in self.routes()}
        self.assertGreater(sum(served.values()), 50)
        for tenant, other in (TENANTS, TENANTS[::-1]):
            shown = b""
            for method, path, is_within in self.routes():
                with self.subTest(tenant=tenant, method=method, path=path):
                    if not is_within:
                        status, said = self.text_of(tenant, method, path, tenant)
                        self.assertEqual(status, 403)
                        if method != "head":
                            self.assertIn(f"tells of all projects; token {tenant} is bound to {tenant}/".encode(), said)
                    elif method in ("get", "head", "options") and path != "/queues/{name}/messages":
                        status, said = self.text_of(tenant, method, path, tenant)
                        self.assertIn(status, (200, 204), said)
                        if path != "/artifact/{hash}" and path != "/download":
                            self.assertNotIn(other.encode(), said)
                            shown += said
                        if method == "get" and "?" not in path and path in ("/tasks", "/history", "/dead", "/dead/groups"):
                            self.assertNotIn(other, json.dumps(self.clients[tenant].get(path)))
            of = self.of[tenant]
            for each in (of["done"], of["dead"], of["delayed"], of["file"], of["sha256"], f"{tenant}/photos", f"{tenant}/films",
                         f"{tenant}/nightly", f"{tenant}-jobs", of["token"], f"project:{tenant}/later",
                         f"{tenant}/readers", f"{tenant}/thumbs", f"{tenant}/late"):
                self.assertIn(each.encode(), shown)
        for tenant, other in (TENANTS, TENANTS[::-1]):
            for method, path, is_within in self.routes():
                if not is_within or path == "/artifact/{hash}":  # Who knows a digest may have the file.
                    continue
                with self.subTest(tenant=tenant, method=method, path=path, of=other):
                    told = []
                    for whose in (other, GHOST):  # Both are the same: there is no such thing.
                        status, said = self.text_of(tenant, method, path, whose)
                        for name, value in self.of[whose].items():
                            said = said.replace(quoted(value).encode(), name.encode()).replace(value.encode(), name.encode())
                        told.append((status, said.replace(whose.encode(), b"whose")))
                    if not (method == "post" and path in ("/queues/{name}", "/queues/{name}/messages")):
                        self.assertEqual(told[0], told[1])
        for tenant in TENANTS:  # And all of it is there still.
            client, of = self.clients[tenant], self.of[tenant]
            self.assertEqual(client.get(f"/task/{of['delayed']}")["state"], "waiting")
            self.assertEqual([each["id"] for each in client.get("/dead")["letters"]], [of["dead"]])
            self.assertEqual([each["name"] for each in client.get("/schedules")["schedules"]], [f"{tenant}/nightly"])
            self.assertEqual(client.get(f"/projects/{quoted(tenant + '/films')}")["state"], "open")
            self.assertEqual(client.get(f"/queues/{tenant}-jobs")["leased"], 1)
            self.assertEqual(client.get(f"/uploads/{of['upload']}")["offset"], 0)
            self.assertIn(f"project:{tenant}/later", client.get("/cluster")["ventilator"]["paused"])
            limits = {each["scope"]: each.get("running") for each in client.get("/limits")["limits"]}
            self.assertEqual(limits, {f"project:{tenant}/photos": 50})
            roles = {each["name"]: each["role"] for each in client.get("/tokens")["tokens"]}
            self.assertEqual(roles[of["token"]], "observe")
            self.assertRegex(of["token"], "^more-[0-9a-f]{6}$")  # Both asked for the same name.
            for path, body in self.declared(tenant).items():
                member = next(iter(body))
                names = [each[member] for each in client.get(path)[path[1:]]]
                self.assertIn(body[member], names)
                self.assertTrue(all(name.startswith(tenant + "/") for name in names), names)
            renewed = client.post(f"/queues/{tenant}-jobs/messages/{of['lease']}/renew")
            self.assertGreater(renewed["left_ms"], 0)
        told = json.dumps(self.boss.get("/projects"))
        for tenant in TENANTS:  # Who has no prefix sees all.
            self.assertIn(f"{tenant}/films", told)

    def test_what_is_not_within_is_refused_by_name(self):
        alpha = self.clients["alpha"]
        for method, path, body, why in (
                ("POST", "/task", {"kind": "echo", "project": "zeta/x"}, "project zeta/x: is not within alpha/"),
                ("POST", "/task", {"kind": "echo"}, "no project is named: must begin with alpha/"),
                ("POST", "/projects/zeta%2Fx/open", {}, "is not within alpha/"),
                ("POST", "/pause", {"scope": "all"}, "is not within alpha/"),
                ("PUT", "/limits/tenant:alpha%2F", {"queued": 5}, "is not within alpha/"),
                ("PUT", "/schedules/nightly", {"every": "1h", "task": {"kind": "echo"}}, "is not within alpha/"),
                ("POST", "/groups", {"group": "zeta/x"}, "is not within alpha/"),
                ("POST", "/groups/zeta%2Freaders/move", {"to": "latest"}, None),
                ("DELETE", "/groups/zeta%2Freaders", None, "is not within alpha/"),
                ("POST", "/chains", {"name": "thumbs", "from": "#", "task": {"kind": "echo"}}, "is not within alpha/"),
                ("POST", "/chains", {"name": "alpha/y", "from": "#", "task": {"kind": "echo", "project": "zeta/x"}},
                 "is not within alpha/"),
                ("POST", "/chains", {"name": "alpha/y", "from": "#", "task": {"kind": "echo"}}, "must begin with alpha/"),
                ("POST", "/alerts", {"name": "alpha/x", "group": "zeta/readers", "seconds": 5}, "is not within alpha/"),
                ("POST", "/alerts", {"name": "alpha/x", "group": "*", "seconds": 5}, "is not within alpha/"),
                ("POST", "/tokens", {"name": "y", "role": "observe"}, "does not begin with alpha/"),
                ("POST", "/upload", form(("image", "x.jpg", self.photo), ("project", None, b"zeta/x")), "is not within alpha/")):
            with self.subTest(path=path, body=body):
                status, _, answer = alpha.ask(method, path, body, FORM if path == "/upload" else {})
                self.assertEqual(status, 403 if why else 404, answer)
                self.assertIn(why or "there is none", answer["detail"])
        status, _, answer = alpha.ask("POST", "/tokens", {"name": "y" * 58, "role": "observe", "prefix": "alpha/"})
        self.assertEqual((status, answer["errors"][0]["pointer"]), (400, "/name"))
        self.assertIn("57 letters at most", answer["detail"])
        lines = "".join(json.dumps({"kind": "echo", "project": project}) + "\n" for project in ("alpha/x", "zeta/x"))
        status, _, answer = alpha.ask("POST", "/task", lines, {"Content-Type": "application/x-ndjson"})
        self.assertEqual(status, 403, answer)
        self.assertIn(alpha.get("/login")["prefix"], "alpha/")

    def test_members_of_one_name_are_their_callers_own(self):
        alpha, path = self.clients["alpha"], "/groups/alpha%2Fread"
        other = Client(self.cluster, add(self.cluster, "alpha-other", "submit", "--prefix", "alpha/"))
        alpha.post("/groups", {"group": "alpha/read", "from": "earliest", "partitions": 1}, status=201)
        first = wait_until(lambda: (got := alpha.get(f"{path}/records?member=me&wait=5s"))["batch"] and got, what="a batch")
        self.assertTrue(all(each["project"].startswith("alpha/") for each in first["records"]), first)
        self.assertEqual(other.get(f"{path}/records?member=me")["records"], [])
        self.assertEqual(other.ask("POST", f"{path}/commit", {"member": "me", "batch": first["batch"]})[0], 409)
        alpha.post(f"{path}/commit", {"member": "me", "batch": first["batch"]}, status=200)
        both = (alpha, other)  # Who asks no more is a member no more.
        wait_until(lambda: all(client.get(f"{path}/records?member=me") for client in both) and alpha.get(path)["members"] == 2,
                   what="two members")

    def test_an_alert_of_a_tenant_s_is_told_in_its_projects(self):
        alpha = self.clients["alpha"]
        alpha.post("/groups", {"group": "alpha/behind", "from": "earliest"}, status=201)
        alpha.post("/alerts", {"name": "alpha/behind", "group": "alpha/behind", "seconds": 1}, status=201)
        self.addCleanup(alpha.ask, "DELETE", "/alerts/alpha%2Fbehind")
        wait_until(lambda: [each["group"] for each in alpha.get("/alerts")["raised"]] == ["alpha/behind"], what="it is raised")
        told = wait_until(lambda: alpha.get("/history?project=" + quoted("alpha/alerts"))["rows"], what="it is told")
        self.assertIn("eole.lag.raised", json.dumps(told))
        self.assertEqual(self.clients["zeta"].get("/alerts")["raised"], [])

    def test_many_submits_of_one_turn_stay_apart(self):
        """What is submitted together is of one prefix: no key is the other's, and no task is in the other's projects."""
        clients = {**self.clients, "boss": self.boss}
        connections = []
        for number in range(30):
            tenant = ("alpha", "zeta", "boss")[number % 3]
            connection = clients[tenant].connection()
            self.addCleanup(connection.close)
            connection.connect()
            connections.append((tenant, connection))
        for tenant, connection in connections:
            body = {"kind": "echo", "args": tenant, "project": "alpha/y" if tenant == "boss" else "alpha/x"}
            connection.request("POST", "/task", json.dumps(body), clients[tenant].headers)
        told = [(tenant, connection.getresponse().status) for tenant, connection in connections]
        self.assertEqual(told, [(tenant, 403 if tenant == "zeta" else 202) for tenant, _ in connections])
        key = {"Idempotency-Key": "nightly"}
        ids = [clients[tenant].post("/task", {"kind": "echo", "project": f"{tenant}/x"}, **key)["ids"] for tenant in TENANTS * 2]
        self.assertEqual(ids[:2], ids[2:])
        self.assertNotEqual(ids[0], ids[1])

    def test_each_hears_of_its_own_alone(self):
        def say():
            return {tenant: self.clients[tenant].post(
                "/task", {"kind": "echo", "args": tenant, "project": f"{tenant}/live"})["ids"][0]
                    for tenant in TENANTS[::-1]}  # The other's first.

        before = say()
        for task in before.values():
            self.settled(self.boss, task)
        bearer = f"Authorization: Bearer {self.tokens['alpha']}\r\n"
        alpha = self.clients["alpha"]
        live = self.enterContext(WebSocket(alpha, "/notifications?topic=%23", fields=bearer))
        old = self.enterContext(WebSocket(alpha, "/notifications?from=0", fields=bearer))
        events = self.enterContext(Events(alpha, "/events", fields=bearer))
        ended = say()
        heard = [live.event(), events.event()[1]]
        self.assertEqual([each["id"] for each in heard], [ended["alpha"]] * 2)
        from_log = []
        while not from_log or from_log[-1]["id"] != ended["alpha"]:
            from_log.append(old.event())
        self.assertIn(before["alpha"], [each["id"] for each in from_log])
        self.assertNotIn("zeta", json.dumps(from_log))
        summary = live.until(lambda message: message.get("type") == "summary")
        self.assertEqual((summary["accepted"], summary["settled"]), (None, None))  # These count all.
        free = self.enterContext(WebSocket(self.boss, "/notifications",
                                           fields=f"Authorization: {self.boss.headers['Authorization']}\r\n"))
        self.assertIsInstance(free.until(lambda message: message.get("type") == "summary")["accepted"], int)
        live.send({"watch": self.of["zeta"]["delayed"]})
        error = live.until(lambda message: message.get("type") == "error")
        self.assertIn("there is no such task", error["text"])

    def test_the_progress_of_a_task_is_its_owners(self):
        script = "while ! [ -e go ]; do echo '1/2 zeta' >&3; sleep 0.05; done"
        task = self.clients["zeta"].post("/task", {"kind": "exec", "args": {"shell": script}, "project": "zeta/p"})["ids"][0]
        self.addCleanup(self.clients["zeta"].ask, "DELETE", f"/task/{task}")
        live = {tenant: self.enterContext(WebSocket(self.clients[tenant], "/notifications?topic=none",
                                                    fields=f"Authorization: Bearer {self.tokens[tenant]}\r\n"))
                for tenant in TENANTS}
        for each in live.values():
            each.send({"watch": task})
        self.assertEqual(live["alpha"].until(lambda message: message["type"] in ("progress", "error"))["type"], "error")
        self.assertEqual(live["zeta"].until(lambda message: message["type"] == "progress")["text"], "zeta")

    def wamp(self, tenant):
        """A client by its ticket."""
        client = self.enterContext(WebSocket(Client(self.cluster), "/wamp", protocol="wamp.2.json"))
        client.send([1, "eole", {"roles": {"caller": {}}, "authmethods": ["ticket"]}])
        self.assertEqual(client.message()[0], 4)
        client.send([5, self.tokens.get(tenant) or self.boss.headers["Authorization"][7:], {}])
        self.assertEqual(client.message()[0], 2)
        return client

    @staticmethod
    def call(client, number, *message, events=None):
        """Its answer; an event may come before it."""
        client.send([48, number, {}, *message])
        return client.until(lambda answer: (answer[0] == 36 and events is not None and events.append(answer)) or
                            (answer[0] in (50, 8) and number in answer))

    @staticmethod
    def hear(client, task, events):
        """What it hears up to an event of this task."""
        while not any(event[4][0]["id"] == task for event in events):
            events.append(client.until(lambda message: message[0] == 36))

    def test_wamp_is_a_realm_of_its_own_for_each(self):
        alpha, zeta, boss = self.wamp("alpha"), self.wamp("zeta"), self.wamp(None)
        for client in (alpha, zeta, boss):
            client.send([32, 1, {"match": "prefix"}, "eole"])
            self.assertEqual(client.message()[0], 33)
            client.send([64, 2, {}, "add"])  # One name for all three.
            self.assertEqual(client.message()[0], 65)
        heard = {client: [] for client in (alpha, zeta, boss)}
        answers = [self.call(client, 3, "eole.submit", [{"kind": "echo", "args": "zeta", "project": "zeta/w"}],
                             events=heard[client]) for client in (alpha, zeta)]
        self.assertIn("is not within alpha/", answers[0][5][0])
        task = answers[1][3][0]
        for client in (zeta, boss):
            self.hear(client, task, heard[client])
        self.assertEqual(self.call(alpha, 4, "eole.status", [task])[3], [None])
        self.assertEqual(self.call(alpha, 5, "eole.result", [task])[3], [None])
        self.assertEqual(self.call(zeta, 5, "eole.result", [task])[3][0]["value"], "zeta")
        own = self.call(alpha, 6, "eole.submit", [{"kind": "echo", "args": "alpha", "project": "alpha/w"}],
                        events=heard[alpha])[3][0]
        self.hear(alpha, own, heard[alpha])
        self.assertNotIn("zeta", json.dumps(heard[alpha]))
        alpha.send([48, 7, {}, "add", [1]])
        self.assertEqual(alpha.until(lambda message: message[0] == 68)[4], [1])  # It is called itself.

    def test_queues_of_one_name_are_two(self):
        for tenant in TENANTS:
            self.clients[tenant].post("/queues/both/messages", f'"{tenant}"')
        self.boss.post("/queues/both/messages", '"boss"')
        alpha = self.clients["alpha"]
        message = self.boss.get("/tasks?project=" + quoted("alpha/queue/both"))["tasks"][0]
        self.assertNotIn("alpha", message["kind"])  # Workers' kinds are told to all.
        forged = self.clients["zeta"].post("/task", {"kind": message["kind"], "args": {"body": "zeta"}, "project": "zeta/x",
                                                     "retry": {"attempts": 1}})["ids"][0]
        for client, body in ((alpha, "alpha"), (self.clients["zeta"], "zeta"), (self.boss, "boss")):
            [leased] = client.get("/queues/both/messages?wait=20s&max=10&lease=1h")["messages"]
            self.assertEqual(leased["body"], body)
            self.assertEqual(client.post(f"/queues/both/messages/{leased['lease']}/ack")["state"], "done")
        self.assertEqual(alpha.get("/queues/both/messages?wait=1s")["messages"], [])  # So it was pulled, and given to nobody.
        error = self.settled(self.clients["zeta"], forged)["error"]
        self.assertIn("are of another project, not of zeta/x", error)
        self.assertNotIn("alpha", error)
        self.assertEqual(alpha.get("/queues/both")["done"], 1)

    def test_a_message_takes_no_result_of_others(self):
        secret = self.clients["zeta"].post("/task?wait=20s", {"kind": "echo", "args": "zsecret", "project": "zeta/x"})["id"]
        own = self.clients["alpha"].post("/task?wait=20s", {"kind": "echo", "args": "aown", "project": "alpha/x"})["id"]
        alpha = self.clients["alpha"]
        for task in (own, secret):
            alpha.post("/queues/taking/messages", {"v": {"$result": task}})
        bodies = [each["body"] for each in alpha.get("/queues/taking/messages?wait=20s&max=2")["messages"]]
        bodies += [each["body"] for each in alpha.get("/queues/taking/messages?wait=2s&max=2")["messages"]]
        self.assertIn({"v": "aown"}, bodies)
        self.assertNotIn("zsecret", json.dumps(bodies))

    def test_what_is_uploaded_is_of_its_tenants_project(self):
        alpha = self.clients["alpha"]
        task = self.of["alpha"]["file"].rsplit("-", 2)
        story = alpha.get(f"/task/{task[1]}-{task[2].split('.')[0]}")
        self.assertEqual(story["project"], "alpha/uploads")

    def test_one_tenant_s_uploads_leave_room_for_others(self):
        alpha, zeta = (self.clients[tenant].connection() for tenant in TENANTS)
        self.addCleanup(alpha.close)
        self.addCleanup(zeta.close)

        def begin(connection, tenant):
            connection.request("POST", "/uploads", headers={**self.clients[tenant].headers, **TUS, "Upload-Length": "9"})
            answer = connection.getresponse()
            answer.read()
            return answer.status, answer.headers["Location"]

        begun = []
        while (got := begin(alpha, "alpha"))[0] == 201:
            begun.append(got[1])
            self.assertLess(len(begun), 1024)
        self.assertEqual(got[0], 503)
        status, location = begin(zeta, "zeta")
        self.assertEqual(status, 201)
        for connection, tenant, places in ((alpha, "alpha", begun), (zeta, "zeta", [location])):
            for place in places:
                connection.request("DELETE", place, headers={**self.clients[tenant].headers, **TUS})
                self.assertEqual(connection.getresponse().read(), b"")

    def test_a_quota_is_told_as_429(self):
        quota = {"queued": 1000, "rate": 0.01, "bytes": 1 << 20}
        status, _, answer = self.boss.ask("PUT", "/limits/" + quoted("tenant:alpha/"), quota)
        self.assertEqual((status, answer["queued"], answer["bytes"]), (200, 1000, 1 << 20), answer)
        self.addCleanup(self.boss.ask, "DELETE", "/limits/" + quoted("tenant:alpha/"))
        alpha = self.clients["alpha"]
        task = {"kind": "echo", "project": "alpha/x"}
        lines = (json.dumps(task) + "\n") * 2
        wait_until(lambda: alpha.ask("POST", "/task", task)[0] == 429, what="the rate is used up")
        for path, body, fields in (("/task", task, {}), ("/task", lines, {"Content-Type": "application/x-ndjson"}),
                                   ("/queues/full/messages", "1", {}),
                                   (f"/schedules/{quoted('alpha/nightly')}/run", None, {}),
                                   ("/upload", form(("image", "x.jpg", self.photo)), FORM)):
            with self.subTest(path=path):
                status, head, answer = alpha.ask("POST", path, body, fields)
                self.assertEqual((status, answer["status"]), (429, 429), answer)
                self.assertIn("quota tenant:alpha/: ", answer["detail"])
                self.assertGreater(int(head["Retry-After"]), 1)
        self.assertEqual(self.clients["zeta"].ask("POST", "/task", {**task, "project": "zeta/x"})[0], 202)
        # What was uploaded whole is kept until there is room for its task.
        fields = {**TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
        upload = alpha.ask("POST", "/uploads", headers={**TUS, "Upload-Length": str(len(self.photo))})[1]["Location"]
        status, _, answer = alpha.ask("PATCH", upload, self.photo, fields)
        self.assertEqual(status, 429, answer)
        self.boss.ask("DELETE", "/limits/" + quoted("tenant:alpha/"))
        self.assertIn("Eole-Task", alpha.ask("HEAD", upload, headers=TUS)[1])
        self.boss.ask("PUT", "/limits/" + quoted("tenant:alpha/"), {"queued": 1})
        status, head, answer = alpha.ask("POST", "/task", {**task, "delay": 3600})
        self.assertEqual((status, head["Retry-After"]), (429, "1"))
        self.assertIn("limit 1; try again later", answer["detail"])
        status, head, answer = alpha.ask("POST", "/task", [{**task, "delay": 3600}] * 2)
        self.assertEqual((status, head.get("Retry-After")), (413, None), answer)  # It never fits.

    def test_each_hears_of_the_keys_of_his_own_projects(self):
        dead = {"kind": "dead", "args": {"error": "so"}, "project": "alpha/linked", "retry": True, "attempts": 1}
        alpha, (mine, boss) = self.clients["alpha"], ({"Idempotency-Key": f"of {who}"} for who in ("alpha", "boss"))
        ids = [who.ask("POST", "/task", dead, key)[2]["ids"][0] for who, key in ((alpha, mine), (self.boss, boss))]
        self.assertEqual([self.settled(alpha, task_id)["state"] for task_id in ids], ["dead"] * 2)
        told = [who.post("/dead/replay", {"ids": [task_id]}) for who, task_id in zip((alpha, self.boss), ids)]
        replays = [each["replayed"][0]["id"] for each in told]
        self.assertEqual([self.settled(alpha, task_id)["state"] for task_id in replays], ["dead"] * 2)
        for who, keys, links in ((self.boss, ["of alpha", "of boss"], replays), (alpha, ["of alpha", None], [replays[0], None])):
            stories = [who.get(f"/task/{task_id}") for task_id in ids]
            self.assertEqual([each.get("idempotency_key") for each in stories], keys)
            self.assertEqual([each.get("replayed_as") for each in stories], links)
        alpha.post("/dead/discard", {"ids": replays})

    def test_an_observer_within_sees_and_does_nothing(self):
        seer = Client(self.cluster, add(self.cluster, "seer", "observe", "--prefix", "alpha/"))
        self.assertEqual(seer.get(f"/task/{self.of['alpha']['done']}")["result"], {"of": "alpha"})
        self.assertEqual(seer.ask("GET", f"/task/{self.of['zeta']['done']}")[0], 404)
        self.assertEqual(seer.ask("POST", "/task", {"kind": "echo", "project": "alpha/x"})[0], 403)
        narrow = Client(self.cluster, add(self.cluster, "narrow", "observe", "--prefix", "alpha/x/"))
        self.assertEqual(narrow.get("/history")["rows"], [])
        login = Http.ask(Client(self.cluster), "POST", "/login", {"token": self.tokens["alpha"]})
        session = {"Cookie": login[1]["Set-Cookie"].split(";")[0]}
        self.assertEqual(Client(self.cluster).ask("GET", f"/task/{self.of['zeta']['done']}", headers=session)[0], 404)
        self.assertEqual(Client(self.cluster).ask("GET", f"/task/{self.of['alpha']['done']}", headers=session)[0], 200)


if __name__ == "__main__":
    unittest.main()
