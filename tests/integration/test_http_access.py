"""Who may use HTTP: tokens, sessions, TLS, roles, other users of this machine."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import resource
import select
import shutil
import socket
import ssl
import subprocess
import sys
import unittest

from cluster import Cluster, wait_until
from http_client import Document, Http
from live_client import Ended, Events, WebSocket

RANKS = {"anybody": 0, "observe": 1, "submit": 2, "admin": 3}


def beyond():
    """An address of this machine that others reach, or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.254", 9))
            address = probe.getsockname()[0]
        except OSError:
            return None
    return None if address.startswith("127.") else address


class Client(Http):
    """HTTP with a token, over TLS if the address says so."""

    def __init__(self, cluster, token=None, trusted=None):
        text = pathlib.Path(cluster.directory, "eole/cluster.toml").read_text(encoding="utf-8")
        self.scheme, self.host, self.port = re.search(r"http = '(\w+)://([^:']+):(\d+)'", text).groups()
        self.port = int(self.port)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.tls = ssl.create_default_context(cafile=trusted) if self.scheme == "https" else None
        self.document = None
        self.document = Document(json.loads(
            (pathlib.Path(__file__).parents[2] / "gateway/openapi.json").read_text(encoding="utf-8")))

    def connection(self):
        if self.tls:
            return http.client.HTTPSConnection(self.host, self.port, timeout=30, context=self.tls)
        return http.client.HTTPConnection(self.host, self.port, timeout=30)

    def ask(self, method, path, body=None, headers=None):
        return super().ask(method, path, body, {**self.headers, **(headers or {})})


def add(cluster, name, role="submit", *more):
    return cluster.json("token", "add", name, "--role", role, *more)[0]["token"]


class Tokens(unittest.TestCase):
    """A gateway on this machine's own address that asks for tokens."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster("--http-tokens", "--http-origin", "https://shop.example", workers=1))
        cls.tokens = {role: add(cls.cluster, role, role) for role in ("observe", "submit", "admin")}
        cls.admin = Client(cls.cluster, cls.tokens["admin"])
        cls.nobody = Client(cls.cluster)

    def test_every_route_takes_its_role_and_no_less(self):
        gone = add(self.cluster, "gone", "admin")
        self.cluster.eole("token", "revoke", "gone")
        callers = [(role, Client(self.cluster, token)) for role, token in self.tokens.items()]
        for path, item in self.admin.get("/openapi.json")["paths"].items():
            for method, about in item.items():
                if method == "parameters":
                    continue
                wanted = "anybody" if about.get("security") == [] else about["x-role"]
                if wanted == "anybody":
                    continue
                target = re.sub(r"\{\w+\}", "nothing", path)
                for token, client in ((None, self.nobody), ("gone", Client(self.cluster, gone))):
                    status, fields, _ = client.ask(method.upper(), target)
                    self.assertIn(status, (401, 429), f"{method} {target} with {token}")
                    if status == 401:
                        self.assertEqual(fields["WWW-Authenticate"], 'Bearer realm="eole"')
                for role, client in callers:
                    is_stream = method == "get" and path in ("/events",)
                    if is_stream and RANKS[role] >= RANKS[wanted]:
                        continue  # It goes on for ever.
                    status, _, body = client.ask(method.upper(), target)
                    if RANKS[role] < RANKS[wanted]:
                        self.assertEqual(status, 403, f"{method} {target} as {role}")
                        if method != "head":
                            self.assertIn(f"needs the role {wanted}", body["detail"])
                            self.assertIn(f"token {role} has {role}", body["detail"])
                    else:
                        self.assertNotIn(status, (401, 403), f"{method} {target} as {role}: {body}")

    def test_a_page_logs_in_and_out(self):
        self.assertEqual(self.nobody.get("/login"), {"asks_token": True, "name": None, "role": None, "prefix": ""})
        status, fields, who = self.nobody.ask("POST", "/login", {"token": self.tokens["submit"]})
        self.assertEqual((status, who["name"], who["role"]), (200, "submit", "submit"))
        cookie = fields["Set-Cookie"]
        for word in ("HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"):
            self.assertIn(word, cookie)
        self.assertNotIn(self.tokens["submit"], cookie)
        session = {"Cookie": cookie.split(";")[0]}
        self.assertEqual(self.nobody.ask("GET", "/tasks", headers=session)[0], 200)
        self.assertEqual(self.nobody.ask("GET", "/tokens", headers=session)[0], 403)
        origin = {"Origin": f"http://{self.nobody.host}:{self.nobody.port + 1}"}
        self.assertEqual(self.nobody.ask("POST", "/task", {"kind": "echo"}, {**session, **origin})[0], 403)
        other = {"Cookie": session["Cookie"].replace("submit.", "admin.")}
        self.assertEqual(self.nobody.ask("GET", "/tasks", headers=other)[0], 401)
        fields = self.nobody.ask("POST", "/logout", headers=session)[1]
        self.assertIn("Max-Age=0", fields["Set-Cookie"])
        self.assertEqual(self.nobody.ask("POST", "/login", {"token": "eole_0"})[0], 401)
        page = self.nobody.raw(b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n")
        self.assertTrue(page.startswith(b"HTTP/1.1 200 "), page[:100])
        page = self.nobody.raw(b"GET /no/where HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n")
        self.assertTrue(page.startswith(b"HTTP/1.1 404 ") and b"Content-Type: text/html" in page, page[:500])
        told = self.nobody.raw(b"GET /no/where HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertTrue(told.startswith(b"HTTP/1.1 404 ") and b"application/problem+json" in told, told[:500])

    def test_a_revoked_token_is_refused_at_once_and_what_it_opened_ends(self):
        token = add(self.cluster, "brief")
        client = Client(self.cluster, token)
        fields = self.nobody.ask("POST", "/login", {"token": token})[1]
        session = {"Cookie": fields["Set-Cookie"].split(";")[0]}
        self.assertEqual(self.nobody.ask("GET", "/tasks", headers=session)[0], 200)
        kept = http.client.HTTPConnection(client.host, client.port, timeout=30)
        self.addCleanup(kept.close)
        kept.request("GET", "/tasks", headers=client.headers)
        self.assertEqual(kept.getresponse().read()[:1], b"{")
        bearer = f"Authorization: Bearer {token}\r\n"
        with WebSocket(client, "/notifications", fields=bearer) as live, Events(client, "/events", fields=bearer) as events:
            self.cluster.eole("token", "revoke", "brief")
            self.assertEqual(client.ask("GET", "/tasks")[0], 401)
            self.assertEqual(self.nobody.ask("GET", "/tasks", headers=session)[0], 401)
            with self.assertRaises(Ended):
                while True:
                    live.message()
            with self.assertRaises((ValueError, ConnectionError)):
                while True:
                    events.next()
        with self.assertRaises((http.client.HTTPException, ConnectionError)):
            while True:
                kept.request("GET", "/tasks", headers=client.headers)
                self.assertEqual(kept.getresponse().status, 401)

    def test_what_a_token_opened_ends_when_its_role_or_prefix_is_another(self):
        table = pathlib.Path(self.cluster.directory, "eole/data/tokens.toml")
        for name, words, old, new in (("roles", (), "role = 'submit'", "role = 'observe'"),
                                      ("prefixes", ("--prefix", "acme/"), "prefix = 'acme/'", "prefix = 'zeta/'")):
            with self.subTest(name):
                token = add(self.cluster, name, "submit", *words)
                client = Client(self.cluster, token)
                with WebSocket(client, "/notifications", fields=f"Authorization: Bearer {token}\r\n") as live:
                    before, mine = table.read_text(encoding="utf-8").split(f"name = '{name}'")
                    self.assertIn(old, mine)
                    made = table.with_suffix(".edited")
                    made.write_text(f"{before}name = '{name}'{mine.replace(old, new, 1)}", encoding="utf-8")
                    made.chmod(0o600)
                    made.rename(table)
                    with self.assertRaises(Ended):
                        for _ in range(8):  # Summaries.
                            live.message()

    def test_a_token_acts_with_its_new_role_at_once(self):
        token = add(self.cluster, "risen", "observe")
        client = Client(self.cluster, token)
        session = {"Cookie": self.nobody.ask("POST", "/login", {"token": token})[1]["Set-Cookie"].split(";")[0]}

        def sees():
            """The role as who shows the token has it, and as the session, and what a task of the session's is."""
            roles = [client.get("/login")["role"], self.nobody.get("/login", **session)["role"]]
            return *roles, self.nobody.ask("POST", "/task", {"kind": "echo"}, session)[0]

        def as_admin():
            status, _, answer = self.admin.ask("PATCH", "/tokens/risen", {"role": "submit"})
            self.assertEqual((status, answer["name"], answer["role"]), (200, "risen", "submit"))
            self.assertNotIn("token", answer)

        self.assertEqual(sees(), ("observe", "observe", 403))
        for change, then in ((as_admin, ("submit", "submit", 202)),
                             (lambda: self.cluster.eole("token", "role", "risen", "observe"), ("observe", "observe", 403))):
            with WebSocket(client, "/notifications", fields=f"Authorization: Bearer {token}\r\n") as live:
                change()
                self.assertEqual(sees(), then)
                with self.assertRaises(Ended):
                    for _ in range(8):  # Summaries.
                        live.message()

    def test_what_a_token_opened_ends_also_when_its_role_is_soon_the_same_again(self):
        token = add(self.cluster, "swaying", "submit")
        bearer = f"Authorization: Bearer {token}\r\n"
        client = Client(self.cluster, token)
        with (WebSocket(client, "/notifications", fields=bearer) as live, Events(client, "/events", fields=bearer) as events,
              WebSocket(client, "/wamp", protocol="wamp.2.json", fields=bearer) as wamp):
            for role in ("observe", "submit"):
                self.assertEqual(self.admin.ask("PATCH", "/tokens/swaying", {"role": role})[0], 200)
            for ends in (live.message, wamp.message):
                with self.assertRaises(Ended):
                    for _ in range(8):  # Summaries.
                        ends()
            with self.assertRaises((ValueError, ConnectionError)):
                for _ in range(16):
                    events.next()

    def test_what_cannot_be_done_to_a_token_is_refused_by_name(self):
        for name, body, status, why in (("nobody", {"role": "observe"}, 404, "there is none"),
                                        ("admin", {"role": "observe"}, 403, "is the one that asks"),
                                        ("submit", {"role": "observe", "prefix": "x/"}, 400, "prefix")):
            got, _, answer = self.admin.ask("PATCH", "/tokens/" + name, body)
            self.assertEqual(got, status, answer)
            self.assertIn(why, answer["detail"])
        status, _, answer = self.admin.ask("DELETE", "/tokens/admin")
        self.assertEqual(status, 403)
        self.assertIn("is the one that asks", answer["detail"])
        for body in ({}, {"role": "king"}, {"role": "work"}):
            got, _, answer = self.admin.ask("PATCH", "/tokens/submit", body)
            self.assertEqual((got, answer["errors"][0]["pointer"]), (400, "/role"))
        self.assertEqual(self.admin.ask("PATCH", "/tokens/submit", {"role": 5})[0], 400)
        for words in (("nobody", "admin"), ("submit", "king"), ("submit", "work")):
            self.assertEqual(self.cluster.eole("token", "role", *words, check=False).returncode, 2, words)
        roles = {each["name"]: each["role"] for each in self.admin.get("/tokens")["tokens"]}
        self.assertEqual({name: roles[name] for name in self.tokens}, {name: name for name in self.tokens})

    def test_a_session_that_is_over_is_no_guess(self):
        fields = self.nobody.ask("POST", "/login", {"token": add(self.cluster, "over")})[1]
        cookie = fields["Set-Cookie"].split(";")[0]
        name, until, proof = cookie.split(".")
        self.cluster.eole("token", "revoke", "over")
        for over in (cookie, f"{name}.{int(until) - 13 * 3600 * 1000}.{proof}"):
            told = {self.nobody.ask("GET", "/tasks", headers={"Cookie": over})[0] for _ in range(60)}
            self.assertEqual(told, {401})

    def test_tokens_are_made_listed_and_revoked_over_http(self):
        made = self.admin.post("/tokens", {"name": "new", "role": "observe"}, status=201)
        self.assertRegex(made["token"], r"^eole_[0-9a-f]{64}$")
        self.assertEqual(Client(self.cluster, made["token"]).get("/login")["role"], "observe")
        mine = next(each for each in self.admin.get("/tokens")["tokens"] if each["name"] == "new")
        self.assertEqual((mine["role"], mine["last_from"]), ("observe", "127.0.0.1"))
        self.assertNotIn("token", mine)
        table = pathlib.Path(self.cluster.directory, "eole/data/tokens.toml")
        self.assertEqual(table.stat().st_mode & 0o777, 0o600)
        self.assertNotIn(made["token"][5:], table.read_text(encoding="utf-8"))
        self.assertIn("new", [each["name"] for each in self.cluster.json("token", "list")])
        self.admin.post("/tokens", {"name": "new", "role": "observe"}, status=409)
        self.admin.post("/tokens", {"name": "a b", "role": "observe"}, status=400)
        self.admin.post("/tokens", {"name": "c", "role": "work"}, status=400)
        for prefix in ("", "acme", 5, None, True, ["acme/"]):  # None of them is all projects.
            self.admin.post("/tokens", {"name": "c", "role": "admin", "prefix": prefix}, status=400)
        self.assertEqual(self.admin.ask("DELETE", "/tokens/new")[0], 200)
        self.assertEqual(self.admin.ask("DELETE", "/tokens/new")[0], 404)
        for prefix in ("/acme/", "acme//", "acme//photos/"):
            problem = self.admin.post("/tokens", {"name": "c", "role": "submit", "prefix": prefix}, status=400)
            self.assertIn(f"prefix {prefix}: has nothing before a /", problem["detail"])
            refused = self.cluster.eole("token", "add", "c", "--role", "submit", "--prefix", prefix, check=False)
            self.assertEqual(refused.returncode, 2)
            self.assertIn(f"prefix {prefix}: has nothing before a /", refused.stderr)
        for words in (("add", "x", "--role", "king"), ("add", "x", "--role", "submit", "--prefix", "acme"),
                      ("add", "x", "--role", "submit", "--prefix", ""),
                      ("revoke", "nobody")):
            self.assertEqual(self.cluster.eole("token", *words, check=False).returncode, 2, words)

    def test_who_guesses_is_slowed_down_and_others_are_not(self):
        def tries():
            return [Client(self.cluster, f"eole_{i}").ask("GET", "/tasks")[0] for i in range(40)]
        wait_until(lambda: 429 in tries(), what="429 to who guesses")
        self.assertEqual(self.admin.ask("GET", "/tasks")[0], 200)

    def test_wamp_takes_a_ticket(self):
        hello = [1, "eole", {"roles": {"caller": {}}, "authmethods": ["ticket"], "authid": "x"}]
        for token, answer in ((self.tokens["submit"], 2), (self.tokens["observe"], 3), ("eole_0", 3)):
            with WebSocket(self.nobody, "/wamp", protocol="wamp.2.json") as client:
                client.send(hello)
                self.assertEqual(client.message(), [4, "ticket", {}])
                client.send([5, token, {}])
                self.assertEqual(client.message()[0], answer)
                if answer == 2:
                    client.send([48, 1, {}, "eole.submit", [{"kind": "echo", "args": "x" * 10_000}]])
                    self.assertEqual(client.message()[:2], [50, 1])
        with WebSocket(self.nobody, "/wamp", protocol="wamp.2.json") as client:
            client.send([1, "eole", {"roles": {}, "authid": "x" * 4096}])
            with self.assertRaises(Ended) as ended:
                client.message()
            self.assertEqual(ended.exception.args[0][0], 1009)
        with WebSocket(self.nobody, "/wamp", protocol="wamp.2.json") as client:
            client.send([1, "eole", {"roles": {}}])
            self.assertEqual(client.message()[2], "wamp.error.no_matching_auth_method")

    def test_strangers_leave_room_for_clients_of_wamp(self):
        with contextlib.ExitStack() as strangers:
            with self.assertRaisesRegex(AssertionError, "503"):
                for _ in range(600):  # Each is let in for ten seconds.
                    strangers.enter_context(WebSocket(self.nobody, "/wamp", protocol="wamp.2.json"))
            bearer = "Authorization: " + self.admin.headers["Authorization"] + "\r\n"
            with WebSocket(self.admin, "/wamp", protocol="wamp.2.json", fields=bearer) as client:
                client.send([1, "eole", {"roles": {"caller": {}}}])
                self.assertEqual(client.message()[0], 2)

    def test_one_token_leaves_room_for_others(self):
        with contextlib.ExitStack() as held:
            greedy = Client(self.cluster, add(self.cluster, "greedy", "observe"))
            fields = f"Authorization: {greedy.headers['Authorization']}\r\nAccept: text/event-stream\r\n"
            with self.assertRaisesRegex(AssertionError, "503"):
                for _ in range(256):  # Followers of logs: half of them are one token's.
                    held.enter_context(Events(greedy, "/logs", fields=fields))
            other = f"Authorization: {self.admin.headers['Authorization']}\r\nAccept: text/event-stream\r\n"
            with Events(self.admin, "/logs", fields=other):
                pass

    def test_another_page_may_ask_if_it_is_allowed_to(self):
        shop = {"Origin": "https://shop.example"}
        asked = {**shop, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
        browser = Client(self.cluster)
        browser.document = None  # What a browser asks before is no operation of ours.
        status, fields, _ = browser.ask("OPTIONS", "/task", headers=asked)
        self.assertEqual((status, fields["Access-Control-Allow-Origin"], fields["Access-Control-Allow-Headers"]),
                         (204, "https://shop.example", "authorization"))
        status, fields, _ = self.admin.ask("POST", "/task", {"kind": "echo"}, shop)
        self.assertEqual((status, fields["Access-Control-Allow-Origin"]), (202, "https://shop.example"))
        status, fields, _ = self.admin.ask("GET", "/tasks", headers={"Origin": "https://evil.example"})
        self.assertEqual((status, fields["Access-Control-Allow-Origin"]), (403, None))
        self.assertEqual(self.nobody.ask("GET", "/tasks", headers=shop)[1]["Access-Control-Allow-Origin"],
                         "https://shop.example")
        self.assertIn("Origin", self.nobody.ask("GET", "/login")[1]["Vary"])

    def test_another_page_is_not_let_in_by_the_cookie(self):
        cookie = self.nobody.ask("POST", "/login", {"token": self.tokens["admin"]})[1]["Set-Cookie"].split(";")[0]
        self.assertEqual(self.nobody.ask("GET", "/tasks", headers={"Cookie": cookie})[0], 200)
        shared = {"Cookie": cookie, "Origin": "https://shop.example"}
        self.assertEqual(self.nobody.ask("GET", "/tasks", headers=shared)[0], 401)
        self.assertEqual(self.admin.ask("GET", "/tasks", headers=shared)[0], 200)

    def test_a_table_that_others_can_read_lets_nobody_in(self):
        table = pathlib.Path(self.cluster.directory, "eole/data/tokens.toml")
        table.chmod(0o644)
        try:
            self.assertEqual(self.admin.ask("GET", "/tasks")[0], 503)
        finally:
            table.chmod(0o600)
        self.assertEqual(self.admin.ask("GET", "/tasks")[0], 200)


AS_NOBODY = """
import os, sys, http.client
os.setgid(65534); os.setuid(65534)
connection = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]), timeout=30)
connection.request("GET", "/tasks", headers={"Authorization": "Bearer " + sys.argv[3]})
print(connection.getresponse().status)
"""


@unittest.skipUnless(os.geteuid() == 0, "needs root, to be another user")
class Others(unittest.TestCase):
    def ask(self, cluster, token="none"):
        client = Client(cluster)
        done = subprocess.run([sys.executable, "-c", AS_NOBODY, client.host, str(client.port), token],
                              capture_output=True, text=True, timeout=60, check=True)
        return int(done.stdout)

    def test_another_user_of_this_machine_needs_a_token(self):
        with Cluster(workers=0) as cluster:
            self.assertEqual(self.ask(cluster, add(cluster, "one", "admin")), 403)
            self.assertEqual(Client(cluster).ask("GET", "/tasks")[0], 200)
        with Cluster("--http-tokens", workers=0) as cluster:
            self.assertEqual(self.ask(cluster), 401)
            self.assertEqual(self.ask(cluster, add(cluster, "one", "observe")), 200)
            self.assertEqual(Client(cluster).ask("GET", "/tasks")[0], 401)


class Encrypted(unittest.TestCase):
    @unittest.skipUnless(beyond(), "needs an address that others reach")
    def test_beyond_this_machine_all_is_encrypted_and_needs_a_token(self):
        with Cluster("--http", f"{beyond()}:0", workers=1) as cluster:
            certificate = cluster.directory + "/eole/data/gateway/certificate.pem"
            client = Client(cluster, add(cluster, "boss", "admin"), trusted=certificate)
            self.assertEqual((client.scheme, client.host), ("https", beyond()))
            self.assertEqual(client.post("/task?wait=20s", {"kind": "echo", "args": 1})["result"], 1)
            self.assertEqual(Client(cluster, trusted=certificate).ask("GET", "/tasks")[0], 401)
            self.assertEqual(client.ask("GET", "/tasks", headers={"Host": "evil.example"})[0], 421)
            _, fields, _ = client.ask("POST", "/login", {"token": client.headers["Authorization"][7:]})
            self.assertRegex(fields["Set-Cookie"], r"^__Host-eole-\d+=.*; Secure$")
            with self.assertRaises(ssl.SSLCertVerificationError):
                Client(cluster).ask("GET", "/tasks")
            with self.assertRaises((http.client.HTTPException, ConnectionError)):
                clear = http.client.HTTPConnection(client.host, client.port, timeout=30)
                clear.request("GET", "/healthz")
                clear.getresponse()
            old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            old.load_verify_locations(certificate)
            old.maximum_version = ssl.TLSVersion.TLSv1_1
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                with socket.create_connection((client.host, client.port), timeout=30) as peer:
                    old.wrap_socket(peer, server_hostname=client.host)
            padded = ssl.create_default_context(cafile=certificate)
            padded.maximum_version = ssl.TLSVersion.TLSv1_2
            padded.set_ciphers("ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:AES128-SHA")
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                with socket.create_connection((client.host, client.port), timeout=30) as peer:
                    padded.wrap_socket(peer, server_hostname=client.host)
            body = b"x" * (3 << 20)
            put = client.ask("POST", "/queues/q/messages", body, {"Content-Type": "application/octet-stream"})
            self.assertEqual(put[0], 400)  # A message is at most 1 MiB; all of it went through.
            with client.tls.wrap_socket(socket.create_connection((client.host, client.port), timeout=30),
                                        server_hostname=client.host) as peer:
                peer.sendall(b"GET /healthz HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % client.host.encode())
                got = b""
                while piece := peer.recv(1 << 16):  # It says that it ends; a cut would raise.
                    got += piece
                self.assertIn(b"alive", got)
            with WebSocket(client, "/notifications", fields="Authorization: " + client.headers["Authorization"] + "\r\n",
                           tls=client.tls) as live:
                task = client.post("/task", {"kind": "echo", "args": 7})["ids"][0]
                self.assertEqual(live.event()["id"], task)
                cluster.eole("token", "revoke", "boss")
                with self.assertRaises((Ended, OSError)):
                    while True:
                        live.message()

    @unittest.skipUnless(beyond(), "needs an address that others reach")
    def test_one_address_cannot_keep_the_others_out(self):
        share, more = 4096, 50
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 3 * share), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        with Cluster("--http", f"{beyond()}:0", workers=0) as cluster, contextlib.ExitStack() as held:
            client = Client(cluster, trusted=cluster.directory + "/eole/data/gateway/certificate.pem")
            place = (client.host, client.port)
            peers = [held.enter_context(socket.create_connection(place, timeout=30)) for _ in range(share + more)]
            poll = select.poll()
            for peer in peers:
                poll.register(peer, select.POLLIN | select.POLLRDHUP)
            wait_until(lambda: len(poll.poll(0)) >= more, what="those over the share are closed")
            connection = http.client.HTTPSConnection(*place, timeout=30, context=client.tls,
                                                     source_address=("127.0.0.1", 0))
            held.callback(connection.close)
            connection.request("GET", "/healthz")
            self.assertEqual(connection.getresponse().status, 200)

    def test_what_cannot_be_served_is_refused_by_name(self):
        cluster = Cluster()
        self.addCleanup(shutil.rmtree, cluster.directory)
        for words, why in ((("--http", "0.0.0.0:0"), "name the one address"),
                           (("--http", "8.8.8.8:0"), "Cannot assign"),
                           (("--http-key", "x"), "--http-certificate"),
                           (("--http-certificate", "x"), "--http-key")):
            done = cluster.eole("up", *words, check=False)
            self.assertEqual(done.returncode, 2, words)
            self.assertIn(why, done.stderr)


if __name__ == "__main__":
    unittest.main()
