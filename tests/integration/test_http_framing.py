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
    "a query": b"GET /history?text=b&state HTTP/1.1\r\n" + HOST + b"\r\n",
    "a line break in a query": b"GET /history?text=%0d%0aB:%20c HTTP/1.1\r\n" + HOST + b"\r\n",
    "a length of zero": GET + HOST + b"Content-Length: 0\r\n\r\n",
    "blanks around a length": POST + HOST + b"Content-Length: \t15 \t\r\n\r\n" + BODY,
    "blanks around the coding": POST + HOST + b"Transfer-Encoding: chunked \t\r\n\r\n" + CHUNK + END,
    "TRANSFER-ENCODING": POST + HOST + CHUNKED.upper() + b"\r\n" + CHUNK + END,
    "chunks of a byte": POST + HOST + CHUNKED + b"\r\n" + b"".join(b"1\r\n%c\r\n" % byte for byte in BODY) + END,
    "chunks and no body": GET + HOST + CHUNKED + b"\r\n" + END,
    "many zeros at the end": POST + HOST + CHUNKED + b"\r\n" + CHUNK + b"0000\r\n\r\n",
    "another name with an underscore": GET + HOST + b"Content_Length: 3\r\n\r\n",
    "another coding's name": GET + HOST + b"Transfer_Encoding: chunked\r\n\r\n",
    "a longer name": GET + HOST + b"X-Transfer-Encoding: chunked\r\nX-Content-Length: 3\r\n\r\n",
    "an expectation that is met": POST + HOST + b"Expect: 100-Continue\r\n" + LENGTH + b"\r\n" + BODY,
    "keep-alive": GET + HOST + b"Connection: Keep-Alive\r\n\r\n",
    "close among others": GET + HOST + b"Connection: x, Close\r\n\r\n",
    "a large value": GET + HOST + b"A: " + b"x" * 8000 + b"\r\n\r\n",
    "a long name": GET + HOST + b"x" * 1000 + b": a\r\n\r\n",
    "fields": GET + HOST + b"".join(b"A%d: b\r\n" % n for n in range(60)) + b"\r\n",
    "all letters of a name": GET + HOST + b"!#$%&'*+-.^_`|~0aZ: b\r\n\r\n",
    "a tab in a value": GET + HOST + b"A: b\tc\r\n\r\n",
    "cookies that are none": GET + HOST + b"Cookie: ;;=; \x80=\xff; a\r\nCookie: " + b"b=" * 500 + b"\r\n\r\n",
    "an upgrade that nobody speaks": GET + HOST + b"Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
    "an upgrade without Connection": GET + HOST + b"Upgrade: websocket\r\n\r\n",
    "a range of what has none": GET + HOST + b"Range: bytes=9-1,x\r\n\r\n",
    "a whole URL of this host": b"GET http://localhost/healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "a whole URL with a port": b"GET HTTP://localhost:80/history?text HTTP/1.1\r\nHost: localhost:80\r\n\r\n",
}
# Each of these is one request, and one of these statuses its answer.
ANSWERED = {
    "an unknown method": (b"FROB /healthz HTTP/1.1\r\n" + HOST + b"\r\n", {405, 501}),
    "a method in small letters": (b"get /healthz HTTP/1.1\r\n" + HOST + b"\r\n", {405, 501}),
    "TRACE": (b"TRACE /healthz HTTP/1.1\r\n" + HOST + b"\r\n", {405, 501}),
    "TRACE with a body": (b"TRACE /healthz HTTP/1.1\r\n" + HOST + LENGTH + b"\r\n" + BODY, {400, 405, 501}),
    "OPTIONS": (b"OPTIONS /healthz HTTP/1.1\r\n" + HOST + b"\r\n", {200, 204, 405}),
    "OPTIONS of all": (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", {200, 204}),
    "OPTIONS with a body": (b"OPTIONS /healthz HTTP/1.1\r\n" + HOST + LENGTH + b"\r\n" + BODY, {200, 204, 405}),
    "HEAD": (b"HEAD /healthz HTTP/1.1\r\n" + HOST + b"\r\n", {200}),
    "HEAD with a body": (b"HEAD /healthz HTTP/1.1\r\n" + HOST + LENGTH + b"\r\n" + BODY, {200}),
    "no length and no chunks": (POST + HOST + b"\r\n", {400, 411}),
    "another expectation": (POST + HOST + b"Expect: 100-continue, miracles\r\n" + LENGTH + b"\r\n" + BODY, {417}),
    "a long target": (b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", {404, 414}),
    "two slashes": (b"GET //healthz HTTP/1.1\r\n" + HOST + b"\r\n", {404}),
    "a slash too many": (b"GET /healthz/ HTTP/1.1\r\n" + HOST + b"\r\n", {404}),
    "a backslash": (b"GET \\healthz HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
    "a backslash that leads out": (b"GET /a\\..\\healthz HTTP/1.1\r\n" + HOST + b"\r\n", {404}),
    "a written zero": (b"GET /health%00z HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
    "an overlong slash": (b"GET /a%c0%af..%c0%afhealthz HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
    "a written path that leads out": (b"GET /a/%2e%2e/healthz HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
    "a written slash": (b"GET /a%2fhealthz HTTP/1.1\r\n" + HOST + b"\r\n", {400, 404}),
    "a percent sign alone": (b"GET /health%z HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
    "another Host": (GET + b"Host: other\r\n\r\n", {421}),
    "a Host with two ports": (GET + b"Host: localhost:80:80\r\n\r\n", {400, 421}),
    "a Host with letters as port": (GET + b"Host: localhost:x\r\n\r\n", {400, 421}),
    "a Host that is cut": (GET + b"Host: [::1\r\n\r\n", {400, 421}),
    "an image of another page": (GET + HOST + b"Sec-Fetch-Site: cross-site\r\n\r\n", {403}),
    "another Origin": (GET + HOST + b"Origin: http://evil.example\r\n\r\n", {403}),
    "a folded value": (GET + HOST + b"A: b\r\n c\r\n\r\n", {200, 400}),
    "a bell in a value": (GET + HOST + b"A: b\x07c\r\n\r\n", {200, 400}),
    "two empty lines before": (b"\r\n\r\n" + GET + HOST + b"\r\n", {200, 400}),
    "WebSocket by POST": (b"POST /notifications HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
                          {400, 405}),
    "WebSocket of version 7": (b"GET /notifications HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
                               b"Sec-WebSocket-Version: 7\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", {400, 426}),
    "WebSocket without Connection": (b"GET /notifications HTTP/1.1\r\n" + HOST + b"Upgrade: websocket\r\n\r\n", {400, 426}),
    "WebSocket without a key": (b"GET /notifications HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
                                b"Sec-WebSocket-Version: 13\r\n\r\n", {400}),
}
# Each of these must be refused, or its connection closed without an answer.
UNSOUND = {
    "no Host": GET + b"\r\n",
    "two Hosts": GET + HOST + HOST + b"\r\n",
    "two Authorizations": GET + HOST + b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n",
    "an Authorization behind an empty one": GET + HOST + b"Authorization:\r\nAuthorization: Bearer b\r\n\r\n",
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
    "a whole URL of another host": b"GET http://other/healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "a whole URL with a user": b"GET http://a@localhost/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a whole URL without a host": b"GET http:///healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "another scheme": b"GET ftp://localhost/healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "a second CR": b"GET /healthz HTTP/1.1\r\r\n" + HOST + b"\r\n",
    "words behind the version": b"GET /healthz HTTP/1.1 x\r\n" + HOST + b"\r\n",
    "a blank in the target": b"GET /heal thz HTTP/1.1\r\n" + HOST + b"\r\n",
    "HTTP/01.1": b"GET /healthz HTTP/01.1\r\n" + HOST + b"\r\n",
    "HTTP/1.1.1": b"GET /healthz HTTP/1.1.1\r\n" + HOST + b"\r\n",
    "HTTP/-1.1": b"GET /healthz HTTP/-1.1\r\n" + HOST + b"\r\n",
    "HTTP/1,1": b"GET /healthz HTTP/1,1\r\n" + HOST + b"\r\n",
    "HTTP/1": b"GET /healthz HTTP/1\r\n" + HOST + b"\r\n",
    "HTTPS/1.1": b"GET /healthz HTTPS/1.1\r\n" + HOST + b"\r\n",
    "a zero before the method": b"\0GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "a zero in the method": b"G\0T /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "a vertical tab as blank": b"GET\x0b/healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "bytes beyond ASCII in the target": b"GET /health\xff HTTP/1.1\r\n" + HOST + b"\r\n",
    "DEL in the target": b"GET /health\x7fz HTTP/1.1\r\n" + HOST + b"\r\n",
    "nothing but blanks": b"   \r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a folded Host": GET + b"Host: localhost\r\n x\r\n\r\n",
    "a folded length": POST + HOST + b"Content-Length: 1\r\n 5\r\n\r\n" + BODY,
    "a folded coding": POST + HOST + b"Transfer-Encoding: chunked\r\n , gzip\r\n\r\n" + CHUNK + END,
    **{f"a {letter} in a name": GET + HOST + b"A" + letter.encode() + b"B: c\r\n\r\n" for letter in '()<>@,;\\"[]?={} '},
    "DEL in a name": GET + HOST + b"A\x7fB: c\r\n\r\n",
    "bytes beyond ASCII in a name": GET + HOST + b"\xc3\x84: c\r\n\r\n",
    "a blank as name": GET + HOST + b" : b\r\n\r\n",
    "a LF alone at the end": GET + HOST + b"\n",
    "a LF alone in a value": GET + HOST + b"A: b\nTransfer-Encoding: chunked\r\n\r\n",
    "a blank before the length's colon": POST + HOST + b"Content-Length : 15\r\n\r\n" + BODY,
    **{f"{value!r} as length": POST + HOST + b"Content-Length: " + value + b"\r\n\r\n" + BODY for value in (
        b"15;", b"15,", b",15", b"1_5", b"0o17", b"1e1", b'"15"', b"15\0", b"\x0b15", b"+0", b"-0", "１５".encode(), b"15 15",
        b"015, 15", b"15\r")},
    **{f"{value!r} as coding": POST + HOST + b"Transfer-Encoding: " + value + b"\r\n\r\n" + CHUNK + END for value in (
        b",chunked", b"chunked,", b"chunked;q=1", b"\x0cchunked", b"chunked\0", b"chunked\r", b"chunk", b"chunked chunked",
        b"identity, chunked", b"chunked, identity", b"trailers", b"deflate", b"c hunked", b"\xe2\x80\x8bchunked")},
    "identity and chunked": POST + HOST + b"Transfer-Encoding: identity\r\n" + CHUNKED + b"\r\n" + CHUNK + END,
    "chunked and identity": POST + HOST + CHUNKED + b"Transfer-Encoding: identity\r\n\r\n" + CHUNK + END,
    "an empty coding and chunked": POST + HOST + b"Transfer-Encoding:\r\n" + CHUNKED + b"\r\n" + CHUNK + END,
    "a length of zero and chunks": POST + HOST + b"Content-Length: 0\r\n" + CHUNKED + b"\r\n" + CHUNK + END,
    "a length of GET and chunks": GET + HOST + b"Content-Length: 5\r\n" + CHUNKED + b"\r\n" + END,
    **{f"{size!r} as size": POST + HOST + CHUNKED + b"\r\n" + size + b"\r\n" + BODY + b"\r\n" + END for size in (
        b"f ", b"\tf", b"f\0", b"0_f", b"", b"-0", b"0xF", b"f;a=b\nc", b"f;a\rb", b"f,", b"f\r", b"\xef\xbc\xa6",
        b"f;" + b"a" * 20_000, b"8000000000000000f", b"ffffffffffffffff")},
    "a LF behind a chunk": POST + HOST + CHUNKED + b"\r\nf\r\n" + BODY + b"\n" + END,
    "a CR behind a chunk": POST + HOST + CHUNKED + b"\r\nf\r\n" + BODY + b"\r" + END,
    "a chunk that is shorter than it says": POST + HOST + CHUNKED + b"\r\n10\r\n" + BODY + b"\r\n" + END,
    "a LF behind the last size": POST + HOST + CHUNKED + b"\r\n" + CHUNK + b"0\n\r\n",
    "a LF at the end of chunks": POST + HOST + CHUNKED + b"\r\n" + CHUNK + b"0\r\n\n",
    "a coding as trailer": POST + HOST + CHUNKED + b"\r\n" + CHUNK + b"0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a Host as trailer": POST + HOST + CHUNKED + b"\r\n" + CHUNK + b"0\r\nHost: other\r\n\r\n",
    "a trailer without a colon": POST + HOST + CHUNKED + b"\r\n" + CHUNK + b"0\r\nnothing\r\n\r\n",
    "a trailer that is folded": POST + HOST + CHUNKED + b"\r\n" + CHUNK + b"0\r\n a: b\r\n\r\n",
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

    def test_what_is_one_request_gets_one_answer(self):
        for name, (data, wanted) in ANSWERED.items():
            with self.subTest(name):
                answer = self.http.raw(data)
                is_head = data.startswith(b"HEAD")
                got = statuses(answer.replace(b"Content-Length:", b"Length:", 1) if is_head else answer)
                self.assertEqual(len(got), 1, answer)
                self.assertIn(got[0], wanted)
                self.assertFalse(is_head and not answer.endswith(b"\r\n\r\n"), answer)

    def test_http_1_0_gets_no_chunks_and_the_end_of_its_connection(self):
        """Whatever it asks for: who is told nothing of keep-alive waits for the end."""
        asks = (b"Connection: keep-alive\r\n", b"Connection: close\r\n", b"")
        for ask in asks:
            with self.subTest(ask), socket.create_connection((self.http.host, self.http.port), timeout=10) as peer:
                peer.sendall(b"GET /healthz HTTP/1.0\r\n" + HOST + ask + b"\r\n")
                answer = b"".join(iter(lambda: peer.recv(65536), b""))
                self.assertIn(b"Connection: close\r\n", answer)
        with socket.create_connection((self.http.host, self.http.port), timeout=10) as peer:
            peer.sendall(b"GET /events HTTP/1.0\r\n" + HOST + b"\r\n")  # Of no length that is known.
            head, _, body = peer.recv(65536).partition(b"\r\n\r\n")
            body = body or peer.recv(65536)
        self.assertNotIn(b"chunked", head)
        self.assertIn(b"Connection: close", head)
        self.assertTrue(body.startswith(b"retry: "), body)

    def test_it_is_the_same_in_single_bytes(self):
        for name in ("a chunk", "a length", "plain", "chunks and no body"):
            with self.subTest(name), socket.create_connection((self.http.host, self.http.port), timeout=10) as peer:
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for byte in SOUND[name]:
                    peer.sendall(bytes([byte]))
                self.assertTrue(peer.recv(100).startswith(b"HTTP/1.1 20"))


if __name__ == "__main__":
    unittest.main()
