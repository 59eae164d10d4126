"""Who may talk: nobody without a key, and each key only what its role allows."""

import os
import pathlib
import socket
import stat
import subprocess
import sys
import unittest
import urllib.parse

import msgpack
import zmq

from cluster import BIN, Cluster, wait_until
from fake_sink import GOLDEN

PYTHON_CLIENT = pathlib.Path(__file__).parents[2] / "clients/python"


def read_toml(path):
    with open(path, encoding="utf-8") as file:
        pairs = (line.strip().split(" = ", 1) for line in file if " = " in line)
        return {name: value.strip("'\"") for name, value in pairs}


def head(*fields):
    return msgpack.packb([1, *fields])


class Encrypted(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster("--listen", "127.0.0.1", workers=1)
        cls.cluster.start()
        cls.file = read_toml(cls.cluster.directory + "/eole/cluster.toml")
        cls.context = zmq.Context()

    @classmethod
    def tearDownClass(cls):
        cls.context.destroy(linger=0)
        cls.cluster.__exit__(None, None, None)

    def join(self, *roles):
        path = os.path.join(self.cluster.directory, "-".join(roles) + ".toml")
        arguments = [part for role in roles for part in ("--role", role)]
        self.cluster.eole("join", *arguments, "-o", path, "--force")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        return read_toml(path)

    def connect(self, kind, endpoint, keys):
        sock = self.context.socket(kind)
        sock.linger = 0
        if keys:
            sock.curve_serverkey = keys["server_key"].encode()
            sock.curve_publickey = keys["public_key"].encode()
            sock.curve_secretkey = keys["secret_key"].encode()
        sock.connect(endpoint)
        self.addCleanup(sock.close)
        return sock

    def ask(self, endpoint, keys, *frames, seconds=1.0):
        """The head of the answer, or None: silence."""
        sock = self.connect(zmq.DEALER, endpoint, keys)
        sock.sndtimeo = sock.rcvtimeo = 10_000
        try:
            sock.send_multipart(list(frames))
        except zmq.Again:  # Turned away before it could send: there is nobody to send to.
            return None
        if not sock.poll(int(seconds * 1000)):
            return None
        return msgpack.unpackb(sock.recv_multipart()[0])

    def stranger(self):
        public, secret = zmq.curve_keypair()
        return {"server_key": self.file["server_key"], "public_key": public.decode(), "secret_key": secret.decode()}

    def servers(self):
        return [self.file[name] for name in ("ventilator", "queries", "artifacts")]

    def test_no_key_and_a_wrong_key_get_nowhere(self):
        question = head("query", 1, "status", 0, 0)
        for endpoint in self.servers():
            self.assertIsNone(self.ask(endpoint, None, question, b""))
            self.assertIsNone(self.ask(endpoint, self.stranger(), question, b""))

    def test_a_stranger_hears_no_notification(self):
        sub = self.connect(zmq.SUB, self.file["notifications"], self.stranger())
        sub.subscribe(b"")
        self.cluster.submit([{"kind": "echo", "args": {}}], "--wait")
        self.assertFalse(sub.poll(1500))  # Longer than the head's second.

    def test_raw_tcp_gets_nowhere_and_is_cut_when_it_announces_too_much(self):
        def roles():
            return [(role["role"], role["name"], role["pid"]) for role in self.cluster.status()["roles"]
                    if role["name"] != "probe"]  # What another test was: it is missed when it was silent for long.

        before = roles()
        for endpoint in self.servers():
            place = urllib.parse.urlparse(endpoint)
            with socket.create_connection((place.hostname, place.port)) as raw:
                raw.sendall(b"\xff" + bytes(8) + b"\x7f" + b"\x03\x01" + b"CURVE".ljust(20, b"\0") + bytes(32))
                raw.sendall(b"\x02" + (1 << 33).to_bytes(8, "big") + bytes(1000))
                raw.settimeout(6)
                while raw.recv(4096):
                    pass  # Until it is closed on us.
            with socket.create_connection((place.hostname, place.port)) as raw:
                raw.sendall(b"GET / HTTP/1.1\r\n\r\n" * 100)
        self.assertEqual(roles(), before)

    def test_the_right_key_in_the_wrong_role_is_refused_by_name(self):
        submit = [head("submit", 7, 1, 0, "", 1), GOLDEN["task_group.record"]]
        hello = [head("hello", 7, 1, 0, 0, 0, "x", 1, 1, "echo", "", ""), b""]
        introduce = [head("introduce", 1, 5, 1, 1, 0, 0, 1), b""]
        for role, endpoint, frames, name in (
                ("work", "ventilator", submit, "submit"), ("observe", "ventilator", submit, "submit"),
                ("submit", "ventilator", hello, "hello"), ("observe", "ventilator", hello, "hello"),
                ("work", "queries", introduce, "introduce"), ("admin", "queries", introduce, "introduce")):
            answer = self.ask(self.file[endpoint], self.join(role), *frames, seconds=5)
            self.assertEqual(answer[1], "refused", (role, answer))
            self.assertIn(f"{name}: this key does not have the role", answer[3])
        answer = self.ask(self.file["ventilator"], self.join("submit"), *submit, seconds=5)
        self.assertEqual(answer[1], "accepted")

    def test_a_revoked_key_is_refused_on_its_live_connection(self):
        keys = self.join("observe")
        sock = self.connect(zmq.DEALER, self.file["ventilator"], keys)

        def answer():
            sock.send_multipart([head("query", 1, "status", 0, 0), b""])
            self.assertTrue(sock.poll(5000))
            return msgpack.unpackb(sock.recv_multipart()[0])[1]

        self.assertEqual(answer(), "answer")
        table = os.path.join(self.cluster.directory, "eole/data/keys.toml")
        with open(table, encoding="utf-8") as file:
            content = file.read()
        with open(table, "w", encoding="utf-8") as file:
            file.write(content.replace(keys["public_key"], "x" * 40))
        wait_until(lambda: answer() == "refused", what="the revoked key is refused")

    def test_a_client_whose_key_was_revoked_is_told_so_at_once(self):
        self.join("submit")
        path = os.path.join(self.cluster.directory, "submit.toml")
        table = os.path.join(self.cluster.directory, "eole/data/keys.toml")
        with open(table, encoding="utf-8") as file:
            content = file.read()
        with open(table, "w", encoding="utf-8") as file:
            file.write(content.replace(read_toml(path)["public_key"], "x" * 40))
        for command in (["status"], ["submit", "echo", "1"], ["watch", "--count", "1"], ["fetch", "0" * 64]):
            told = self.cluster.eole("--cluster", path, *command, check=False)
            self.assertNotEqual(told.returncode, 0, command)
            self.assertIn("this key may not connect", told.stderr, command)
            self.assertNotIn("no answer", told.stderr, command)
        script = ("import eole, sys; cluster = eole.Cluster(sys.argv[1])\n"
                  "for call in (cluster.status, lambda: cluster.submit('echo', 1)):\n"
                  "    try: call()\n"
                  "    except eole.NoAnswer as error: print(error)\n")
        said = subprocess.run([sys.executable, "-c", script, path], text=True, capture_output=True, check=False,
                              env={**os.environ, "PYTHONPATH": str(PYTHON_CLIENT)})
        self.assertEqual(said.stdout.count("this key may not connect: "), 2, said.stdout + said.stderr)

    def test_only_the_workers_own_key_may_join_its_pipe(self):
        keys = self.join("work")
        control = self.connect(zmq.DEALER, self.file["ventilator"], keys)
        control.send_multipart([head("hello", 77, 1, 0, 0, 0, "probe", 1, 1, "none", "", ""), b""])
        self.assertTrue(control.poll(5000))
        pipe = msgpack.unpackb(control.recv_multipart()[0])[6]
        other = self.join("work", "submit")
        for who, lets_in in ((other, False), (keys, True)):
            sock = self.context.socket(zmq.PULL)
            sock.linger = 0
            monitor = sock.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_HANDSHAKE_FAILED_AUTH)
            sock.curve_serverkey = who["server_key"].encode()
            sock.curve_publickey, sock.curve_secretkey = who["public_key"].encode(), who["secret_key"].encode()
            sock.connect(pipe)
            self.assertTrue(monitor.poll(5000))
            event = int.from_bytes(monitor.recv_multipart()[0][:2], "little")
            self.assertEqual(event == zmq.EVENT_HANDSHAKE_SUCCEEDED, lets_in)
            sock.disable_monitor()
            monitor.close()
            sock.close()

    def test_malformed_messages_cost_nobody_anything(self):
        before = self.cluster.status()
        keys = self.join("admin", "work")
        for endpoint in self.servers():
            sock = self.connect(zmq.DEALER, endpoint, keys)
            for frames in ([b"", b""], [b"\x93", b""], [head("submit", 1), b"x"], [head("nonsense"), b""],
                           [msgpack.packb([2, "submit"]), b""], [msgpack.packb({"a": 1}), b""],
                           [head("beat", 1, 2, 3, 4, 5, 6), b"odd"], [head("hello", 1, 1, 0, 0, 0, "", 1, 1, "", "", ""), b"xxx"],
                           [b"\xdd\xff\xff\xff\xff", b""], [head("put", 1, "../../etc/passwd", 5, 0), b"12345"],
                           [head("get", 1, "..", 0, 5), b""], [b"one frame"], [b"a", b"b", b"c", b"d"],
                           [head("submit", 1, 1, 0, "", 3, 0), b"\xff" * 100]):
                sock.send_multipart(frames)
        self.assertEqual(self.cluster.submit([{"kind": "echo", "args": {"n": 1}}], "--wait")[0]["state"], "done")
        self.assertEqual(self.cluster.status()["roles"][:2], before["roles"][:2])  # Nobody died.

    def test_keys_are_never_logged(self):
        secrets = {read_toml(os.path.join(self.cluster.directory, "eole/data", name))["secret_key"]
                   for name in ("server.toml", "worker.toml", "admin.toml")}
        logs = os.path.join(self.cluster.directory, "eole/data/logs")
        for name in os.listdir(logs):
            with open(os.path.join(logs, name), encoding="utf-8") as file:
                content = file.read()
            self.assertFalse([secret for secret in secrets if secret in content])


class Local(unittest.TestCase):
    def test_ipc_sockets_lie_in_a_private_directory_and_no_port_is_open(self):
        with Cluster(workers=1) as cluster:
            file = read_toml(cluster.directory + "/eole/cluster.toml")
            self.assertEqual(stat.S_IMODE(os.stat(cluster.directory + "/eole/cluster.toml").st_mode), 0o600)
            place = file["ventilator"].removeprefix("ipc://")
            self.assertEqual(stat.S_IMODE(os.stat(os.path.dirname(place)).st_mode), 0o700)
            pids = {role["pid"] for role in cluster.status()["roles"]}
            sockets = set()
            for pid in pids:
                for entry in os.listdir(f"/proc/{pid}/fd"):
                    try:
                        sockets.add(os.readlink(f"/proc/{pid}/fd/{entry}"))
                    except FileNotFoundError:
                        pass
            for table in ("/proc/net/tcp", "/proc/net/tcp6"):
                with open(table, encoding="ascii") as listing:
                    inodes = {f"socket:[{line.split()[9]}]" for line in listing.readlines()[1:]}
                self.assertFalse(inodes & sockets)

    def test_tcp_without_keys_is_refused(self):
        with Cluster(workers=1) as cluster:
            path = os.path.join(cluster.directory, "plain.toml")
            with open(path, "w", encoding="utf-8") as file:
                file.write("ventilator = 'tcp://127.0.0.1:5555'\nqueries = 'tcp://127.0.0.1:5556'\n")
            os.chmod(path, 0o600)
            for program in ("sink", "ventilator", "worker"):
                done = subprocess.run([BIN / program, "--cluster", path, "--data", cluster.directory + "/x"],
                                      capture_output=True, text=True, check=False, timeout=20)
                self.assertEqual(done.returncode, 2)
                self.assertIn("TCP needs keys", done.stderr)
            os.chmod(path, 0o644)
            done = subprocess.run([BIN / "worker", "--cluster", path], capture_output=True, text=True,
                                  check=False, timeout=20)
            self.assertIn("others can read it", done.stderr)


if __name__ == "__main__":
    unittest.main()
