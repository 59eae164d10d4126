"""What a WebSocket server must take and refuse, case by case (websocket_cases.py): the gateway, and before it `ws`, which
judges the table itself."""

import base64
import os
import socket
import struct
import subprocess
import types
import unittest

import node_tests
from cluster import Cluster
from http_client import Http
from websocket_cases import BINARY, CASES, DEFLATE, PING, TEXT, Verdict, frame, judge

SAID_MAX = 4096        # Of a message to /notifications,
WAMP_MAX = 2 << 20     # and to /wamp.
END = b"the end of the case"


class Peer:
    """A connection after its handshake; `extensions`: what the server agreed to."""

    def __init__(self, server, path, protocol="", offer=""):
        self.socket = socket.create_connection((server.host, server.port), timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        fields = [f"Host: {server.host}:{server.port}", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                  f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}"]
        fields += [f"Sec-WebSocket-Protocol: {protocol}"] if protocol else []
        fields += [f"Sec-WebSocket-Extensions: {offer}"] if offer else []
        self.socket.sendall("\r\n".join([f"GET {path} HTTP/1.1", *fields, "\r\n"]).encode())
        self.input = self.socket.makefile("rb")
        head = b"".join(iter(self.input.readline, b"\r\n"))
        assert head.startswith(b"HTTP/1.1 101 "), head
        self.agreed = b"sec-websocket-extensions" in head.lower()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.input.close()
        self.socket.close()

    def send(self, data, chop=0):
        try:
            for at in range(0, len(data), chop or len(data) or 1):
                self.socket.sendall(data[at:at + (chop or len(data))])
        except (BrokenPipeError, ConnectionResetError):
            pass  # It has said why.

    def frame(self):
        """(opcode, payload) of the next one; (8, nothing) if it ends without a word."""
        head = self.input.read(2)
        if len(head) < 2:
            return 8, b""
        first, size = head
        if size >= 126:
            size = int.from_bytes(self.input.read(2 if size == 126 else 8), "big")
        assert first & 0x70 == 0
        return first & 0x0f, self.input.read(size)

    def verdict(self, answers=None):
        """What comes up to the close frame, or, if so many answers are due, up to them and the pong of an own ping (which
        may overtake them)."""
        seen, is_last_ping_answered = Verdict(), False
        if answers is not None:
            self.send(frame(PING, END))
        while not is_last_ping_answered or len(seen.messages) < answers:
            opcode, payload = self.frame()
            if opcode == 8:
                seen.code = struct.unpack(">H", payload[:2])[0] if payload else 1005
                break
            if (opcode, payload) == (10, END):
                is_last_ping_answered = answers is not None
            elif opcode == 10:
                seen.pongs.append(payload)
            elif not payload.startswith(b'{"type":"summary"'):
                seen.messages.append((opcode, payload))
        return seen


def due(case):
    if case.is_large:
        return Verdict([(case.data[0] & 0x0f, b"")])
    return judge(case.data)


class Cases(unittest.TestCase):
    @unittest.skipUnless(node_tests.IS_HERE, "needs node and npm")
    def test_the_table_holds_for_ws(self):
        directory = node_tests.ROOT / "tests/clients"
        node_tests.install(directory)
        with subprocess.Popen(["node", "echo.mjs"], cwd=directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
            address = types.SimpleNamespace(host="127.0.0.1", port=int(server.stdout.readline()))
            for case in CASES:
                with self.subTest(case.name), Peer(address, "/") as peer:
                    wanted = due(case)
                    peer.send(case.data, case.chop)
                    seen = peer.verdict(None if wanted.code else len(wanted.messages))
                    self.assertEqual(seen.code, wanted.code)
                    if not wanted.code:
                        self.assertEqual(len(seen.messages), len(wanted.messages))
                        self.assertEqual(seen.pongs, wanted.pongs)
                        if not case.is_large:
                            self.assertEqual(seen.messages, wanted.messages)
            server.stdin.close()

    def test_the_gateway(self):
        http = Http(self.enterContext(Cluster(workers=0)))
        for case in CASES:
            with self.subTest(case.name):
                self.check(http, case)
        for name, offer in DEFLATE.items():
            with self.subTest(name), Peer(http, "/notifications", offer=offer) as peer:
                self.assertFalse(peer.agreed)
                peer.send(frame(TEXT, b"x", reserved=4))  # As if it were compressed.
                self.assertEqual(peer.verdict().code, 1002)

    def check(self, http, case):
        wanted = due(case)
        codes = {wanted.code}
        if wanted.messages and wanted.messages[0][0] == BINARY:
            codes = {1003}
        if len(case.data) > WAMP_MAX * (1 if case.chop == 0 else 2) and case.is_large:
            codes = {1009}
        with Peer(http, *(("/wamp", "wamp.2.json") if case.is_large else ("/notifications?topic=nothing",))) as peer:
            if case.is_large:
                peer.send(frame(TEXT, b'[1,"eole",{"roles":{"publisher":{}}}]'))
                self.assertEqual(peer.frame()[1][:3], b"[2,")
            peer.send(case.data, case.chop)
            seen = peer.verdict(len(wanted.messages) if codes == {0} else None)
        self.assertIn(seen.code, codes)
        if codes == {0}:
            answer = b"[17," if case.is_large else b'{"type":"error"'
            self.assertTrue(all(payload.startswith(answer) for _, payload in seen.messages), seen.messages)
            self.assertEqual((len(seen.messages), seen.pongs), (len(wanted.messages), wanted.pongs))


if __name__ == "__main__":
    unittest.main()
