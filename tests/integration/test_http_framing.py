"""Where requests end, in bytes: what RFC 9112 refuses is refused, and what is taken is taken as h11 takes it."""

import socket
import unittest

import h11
from cluster import Cluster
from http_client import Http

GET = b"GET /healthz HTTP/1.1\r\n"
POST = b"POST /task HTTP/1.1\r\n"
HOST = b"Host: localhost\r\n"
BODY = b'{"kind":"echo"}'
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNK = b"f\r\n" + BODY + b"\r\n"
END = b"0\r\n\r\n"

# Each of these is one request that must be taken.
SOUND = {
    "plain": GET + HOST + b"\r\n",
    "no blank behind the colon": GET + b"Host:localhost\r\n\r\n",
    "blanks around a value": GET + b"Host: \t localhost \t\r\n\r\n",
    "names in any case": GET + b"hOsT: localhost\r\n\r\n",
    "an empty value": GET + HOST + b"A:\r\n\r\n",
    "bytes beyond ASCII in a value": GET + HOST + b"A: \xc3\xa9\r\n\r\n",
    "a length": POST + HOST + LENGTH + b"\r\n" + BODY,
    "a length with zeros": POST + HOST + b"Content-Length: 0015\r\n\r\n" + BODY,
    "a chunk": POST + HOST + CHUNKED + b"\r\n" + CHUNK + END,
    "Chunked": POST + HOST + b"Transfer-Encoding: Chunked\r\n\r\n" + CHUNK + END,
    "chunks": POST + HOST + CHUNKED + b"\r\n1\r\n{\r\ne\r\n" + BODY[1:] + b"\r\n" + END,
    "size in capitals": POST + HOST + CHUNKED + b"\r\nF\r\n" + BODY + b"\r\n" + END,
    "size with zeros": POST + HOST + CHUNKED + b"\r\n000f\r\n" + BODY + b"\r\n" + END,
    "an empty line before": b"\r\n" + GET + HOST + b"\r\n",
    "HTTP/1.0": b"GET /healthz HTTP/1.0\r\n\r\n",
    "HTTP/1.0 with Host": b"GET /healthz HTTP/1.0\r\n" + HOST + b"\r\n",
    "close": GET + HOST + b"Connection: close\r\n\r\n",
    "a body of GET": b"GET /healthz HTTP/1.1\r\n" + HOST + LENGTH + b"\r\n" + BODY,
    "a query": b"GET /healthz?a=b&c HTTP/1.1\r\n" + HOST + b"\r\n",
}
# Each of these must be refused, or its connection closed without an answer.
UNSOUND = {
    "no Host": GET + b"\r\n",
    "two Hosts": GET + HOST + HOST + b"\r\n",
    "an empty Host": GET + b"Host:\r\n\r\n",
    "a Host with a user": GET + b"Host: a@localhost\r\n\r\n",
    "a Host with a path": GET + b"Host: localhost/x\r\n\r\n",
    "a Host with a blank": GET + b"Host: local host\r\n\r\n",
    "a list as Host": GET + b"Host: localhost, other\r\n\r\n",
    "a blank before the colon": GET + b"Host : localhost\r\n\r\n",
    "a tab before the colon": GET + HOST + b"A\t: b\r\n\r\n",
    "no colon": GET + HOST + b"nothing\r\n\r\n",
    "no name": GET + HOST + b": b\r\n\r\n",
    "a blank before the first name": GET + b" " + HOST + b"\r\n",
    "a name with a slash": GET + HOST + b"A/B: c\r\n\r\n",
    "a zero in a name": GET + HOST + b"A\0: b\r\n\r\n",
    "a zero in a value": GET + HOST + b"A: b\0c\r\n\r\n",
    "a CR in a value": GET + HOST + b"A: b\rc\r\n\r\n",
    "a LF alone": b"GET /healthz HTTP/1.1\n" + HOST + b"\r\n",
    "a LF alone behind a field": GET + b"Host: localhost\n\r\n",
    "a CR alone": b"GET /healthz HTTP/1.1\r" + HOST + b"\r\n",
    "two blanks": b"GET  /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "a tab": b"GET\t/healthz\tHTTP/1.1\r\n" + HOST + b"\r\n",
    "no version": b"GET /healthz\r\n" + HOST + b"\r\n",
    "HTTP/0.9": b"GET /healthz\r\n\r\n",
    "HTTP/2.0": b"GET /healthz HTTP/2.0\r\n" + HOST + b"\r\n",
    "HTTP/1.2": b"GET /healthz HTTP/1.2\r\n" + HOST + b"\r\n",
    "HTTP/11": b"GET /healthz HTTP/11\r\n" + HOST + b"\r\n",
    "HTTP/1.10": b"GET /healthz HTTP/1.10\r\n" + HOST + b"\r\n",
    "http/1.1": b"GET /healthz http/1.1\r\n" + HOST + b"\r\n",
    "HTTP/ 1.1": b"GET /healthz HTTP/ 1.1\r\n" + HOST + b"\r\n",
    "a blank behind the version": b"GET /healthz HTTP/1.1 \r\n" + HOST + b"\r\n",
    "a blank before the method": b" GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "a method with a bracket": b"G[T /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "no target": b"GET HTTP/1.1\r\n" + HOST + b"\r\n",
    "a target without a slash": b"GET healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "a whole URL": b"GET http://other/healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "an authority": b"CONNECT localhost:80 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a star of GET": b"GET * HTTP/1.1\r\n" + HOST + b"\r\n",
    "a fragment": b"GET /healthz#a HTTP/1.1\r\n" + HOST + b"\r\n",
    "a zero in the target": b"GET /health\0z HTTP/1.1\r\n" + HOST + b"\r\n",
    "a path that leads out": b"GET /a/../healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "two lengths": POST + HOST + LENGTH + LENGTH + b"\r\n" + BODY,
    "two other lengths": POST + HOST + LENGTH + b"Content-Length: 3\r\n\r\n" + BODY,
    "a list of lengths": POST + HOST + b"Content-Length: 15, 15\r\n\r\n" + BODY,
    "a length with a sign": POST + HOST + b"Content-Length: +15\r\n\r\n" + BODY,
    "a negative length": POST + HOST + b"Content-Length: -1\r\n\r\n" + BODY,
    "a length in hex": POST + HOST + b"Content-Length: 0xf\r\n\r\n" + BODY,
    "a length with a blank": POST + HOST + b"Content-Length: 1 5\r\n\r\n" + BODY,
    "a length with a fraction": POST + HOST + b"Content-Length: 15.0\r\n\r\n" + BODY,
    "an empty length": POST + HOST + b"Content-Length:\r\n\r\n" + BODY,
    "a length beyond 64 bits": POST + HOST + b"Content-Length: 99999999999999999999\r\n\r\n" + BODY,
    "a length and chunks": POST + HOST + LENGTH + CHUNKED + b"\r\n" + CHUNK + END,
    "chunks and a length": POST + HOST + CHUNKED + LENGTH + b"\r\n" + CHUNK + END,
    "chunked twice": POST + HOST + CHUNKED + CHUNKED + b"\r\n" + CHUNK + END,
    "chunked, chunked": POST + HOST + b"Transfer-Encoding: chunked, chunked\r\n\r\n" + CHUNK + END,
    "chunked, gzip": POST + HOST + b"Transfer-Encoding: chunked, gzip\r\n\r\n" + CHUNK + END,
    "gzip, chunked": POST + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + CHUNK + END,
    "identity": POST + HOST + b"Transfer-Encoding: identity\r\n" + LENGTH + b"\r\n" + BODY,
    "xchunked": POST + HOST + b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNK + END,
    "an empty coding": POST + HOST + b"Transfer-Encoding:\r\n\r\n" + CHUNK + END,
    "chunked with a tab": POST + HOST + b"Transfer-Encoding: \x0bchunked\r\n\r\n" + CHUNK + END,
    "chunked in quotes": POST + HOST + b'Transfer-Encoding: "chunked"\r\n\r\n' + CHUNK + END,
    "a blank before the coding's colon": POST + HOST + b"Transfer-Encoding : chunked\r\n\r\n" + CHUNK + END,
    "chunks of HTTP/1.0": b"POST /task HTTP/1.0\r\n" + CHUNKED + b"\r\n" + CHUNK + END,
    "a size that is none": POST + HOST + CHUNKED + b"\r\nxyz\r\n" + END,
    "a size with 0x": POST + HOST + CHUNKED + b"\r\n0xf\r\n" + BODY + b"\r\n" + END,
    "a size with a sign": POST + HOST + CHUNKED + b"\r\n+f\r\n" + BODY + b"\r\n" + END,
    "a negative size": POST + HOST + CHUNKED + b"\r\n-1\r\n" + BODY + b"\r\n" + END,
    "a size beyond 64 bits": POST + HOST + CHUNKED + b"\r\n10000000000000000f\r\n" + BODY + b"\r\n" + END,
    "a blank before the size": POST + HOST + CHUNKED + b"\r\n f\r\n" + BODY + b"\r\n" + END,
    "an extension": POST + HOST + CHUNKED + b"\r\nf;a=b\r\n" + BODY + b"\r\n" + END,
    "a bare semicolon": POST + HOST + CHUNKED + b"\r\nf;\r\n" + BODY + b"\r\n" + END,
    "a LF behind the size": POST + HOST + CHUNKED + b"\r\nf\n" + BODY + b"\r\n" + END,
    "a CR behind the size": POST + HOST + CHUNKED + b"\r\nf\r" + BODY + b"\r\n" + END,
    "no line behind a chunk": POST + HOST + CHUNKED + b"\r\nf\r\n" + BODY + END,
    "a chunk that is longer than it says": POST + HOST + CHUNKED + b"\r\ne\r\n" + BODY + b"\r\n" + END,
    "a trailer": POST + HOST + CHUNKED + b"\r\n" + CHUNK + b"0\r\nA: b\r\n\r\n",
    "a length as trailer": POST + HOST + CHUNKED + b"\r\n" + CHUNK + b"0\r\nContent-Length: 3\r\n\r\n",
    "an expectation": POST + HOST + b"Expect: miracles\r\n" + LENGTH + b"\r\n" + BODY,
    "a large head": GET + HOST + b"A: " + b"x" * 20_000 + b"\r\n\r\n",
    "many fields": GET + HOST + b"".join(b"A%d: b\r\n" % n for n in range(200)) + b"\r\n",
    "a long target": b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "no request": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 3 + b"\r\n\r\n",
    "a body that breaks off": POST + HOST + b"Content-Length: 100\r\n\r\n" + BODY,
    "chunks that break off": POST + HOST + CHUNKED + b"\r\n" + CHUNK,
}
BEHIND = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"


def statuses(answer):
    """Of all answers in these bytes, one after another."""
    out = []
    while answer:
        head, _, answer = answer.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        out.append(int(lines[0].split(b" ")[1]))
        length = [int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:")]
        answer = answer[length[0] if length else 0:]
    return out


def by_h11(data):
    """(method, target, body) as h11 reads the first request; None if it refuses it."""
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(data)
    connection.receive_data(b"")
    head, body = None, b""
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return head.method, head.target, body
            else:
                return None
    except h11.RemoteProtocolError:
        return None


class Framing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.http = Http(cls.enterClassContext(Cluster(workers=0)))

    def ask(self, data):
        return statuses(self.http.raw(data))

    def test_what_is_sound_is_taken(self):
        for name, data in SOUND.items():
            with self.subTest(name):
                self.assertIsNotNone(by_h11(data.removeprefix(b"\r\n")))
                got = self.ask(data)
                self.assertEqual(len(got), 1)
                self.assertIn(got[0], (200, 202))

    def test_what_is_unsound_is_refused_and_what_follows_is_not_read(self):
        for name, data in UNSOUND.items():
            with self.subTest(name):
                got = self.ask(data + (b"" if "break off" in name or "breaks off" in name else BEHIND))
                self.assertLessEqual(len([status for status in got if status != 404]), 1)
                if got:
                    self.assertGreaterEqual(got[0], 400)
                if not name.startswith(("a fragment", "a path")):
                    self.assertLessEqual(len(got), 1)

    def test_it_is_the_same_in_single_bytes(self):
        for name in ("a chunk", "a length", "plain"):
            with self.subTest(name), socket.create_connection((self.http.host, self.http.port), timeout=10) as peer:
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for byte in SOUND[name]:
                    peer.sendall(bytes([byte]))
                self.assertTrue(peer.recv(100).startswith(b"HTTP/1.1 20"))


if __name__ == "__main__":
    unittest.main()
