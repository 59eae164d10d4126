"""An HTTP server that answers as its seed says: wrong ranges, other versions, cuts, garbage, now and then the truth.

What it never does is what nobody could notice without a digest: call two versions by one strong validator, send other
bytes than a Content-Range names, or end a cut body as if it were whole.
"""

import email.utils
import gzip
import hashlib
import random
import socket
import socketserver
import struct
import threading
import time

LENGTH_MAX = 60_000
SOME_DATE = 1_600_000_000


def blob(size, name):
    """Bytes that differ everywhere from those of another name."""
    return random.Random(name).randbytes(size)


class Source:
    """One URL: its versions, which of them is served now, and what comes next."""

    def __init__(self, seed, number):
        self.name = f"{seed} {number}"
        self.random = random.Random(self.name)
        size = self.random.choice((0, 1, 2000, self.random.randrange(LENGTH_MAX)))
        sizes = [size, self.random.choice((size, size // 2, size + 1, 0)), self.random.randrange(LENGTH_MAX)]
        self.versions = [blob(length, f"{self.name} {n}") for n, length in enumerate(sizes)]
        self.zipped = [gzip.compress(version, mtime=0) for version in self.versions]
        self.now = 0
        self.lock = threading.Lock()
        self.validators = self.random.choice(("tag", "tag", "tag", "weak", "date", "young", "none", "both"))
        self.answers = 0

    def digests(self):
        """Of all that may come out of it: each version, as it is or compressed."""
        return {hashlib.sha256(each).hexdigest() for each in (*self.versions, *self.zipped)}

    def validator_headers(self):
        number = self.now
        modified = email.utils.formatdate(SOME_DATE + number * 100, usegmt=True)
        late = email.utils.formatdate(SOME_DATE + 100_000, usegmt=True)
        soon = email.utils.formatdate(SOME_DATE + number * 100 + 1, usegmt=True)
        return {"tag": [("ETag", f'"v{number}"')], "weak": [("ETag", 'W/"same"')], "none": [],
                "date": [("Last-Modified", modified), ("Date", late)],
                # In one second there may be two versions.
                "young": [("Last-Modified", email.utils.formatdate(SOME_DATE, usegmt=True)), ("Date", soon)],
                "both": [("ETag", f'"v{number}"'), ("Last-Modified", modified), ("Date", late)],
                }[self.validators]

    def is_same(self, asked):
        """Whether what an If-Range names is the version of now."""
        return any(value == asked for name, value in self.validator_headers() if name != "Date")

    def answer(self, first, if_range):
        """(bytes to send, seconds between pieces or None, whether to reset) for the next request."""
        with self.lock:
            self.answers += 1
            if self.random.random() < 0.25:
                self.now = self.random.randrange(len(self.versions))
            if self.answers > 40 or self.random.random() < 0.35:
                return self.honest(first, if_range), None, False
            trick = self.random.choice(TRICKS)
            return trick(self, first, if_range)

    def honest(self, first, if_range, **changes):
        body = self.versions[self.now]
        if first and self.is_same(if_range):
            if first < len(body):
                return response(206, body[first:], self.validator_headers(),
                                content_range=(first, len(body) - 1, len(body)), **changes)
            return response(416, b"", [("Content-Range", f"bytes */{len(body)}")])
        return response(200, body, self.validator_headers(), **changes)


def response(status, body, headers=(), content_range=None, chunked=False, length=None, version="1.1", is_open_ended=False):
    lines = [f"HTTP/{version} {status} x"]
    lines += [f"{name}: {value}" for name, value in headers]
    if content_range:
        lines.append("Content-Range: bytes {}-{}/{}".format(*content_range))
    if chunked:
        lines.append("Transfer-Encoding: chunked")
        body = b"".join(b"%x\r\n%s\r\n" % (len(body[at:at + 1000]), body[at:at + 1000])
                        for at in range(0, len(body), 1000)) + b"0\r\n\r\n"
    elif not is_open_ended:
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


# Tricks: (source, first, if_range) -> as Source.answer.

def cut(source, first, if_range):
    whole = source.honest(first, if_range, chunked=source.random.random() < 0.4)
    head = whole.index(b"\r\n\r\n") + 4
    at = source.random.choice((source.random.randrange(head), source.random.randrange(head, len(whole) + 1),
                               max(head, len(whole) - 1), max(head, len(whole) - 5)))
    return whole[:min(at, len(whole) - 1)], None, source.random.random() < 0.3


def other_range(source, first, _):
    """An honest Content-Range of something that was not asked for."""
    body = source.versions[source.now]
    if not body:
        return response(206, b"", source.validator_headers()), None, False
    begin = source.random.choice((0, max(0, (first or 0) - 1), (first or 0) + 1, (first or 0) // 4096 * 4096))
    begin = min(begin, len(body) - 1)
    end = source.random.choice((len(body) - 1, source.random.randrange(begin, len(body))))
    total = source.random.choice((len(body), len(body), "*"))
    return response(206, body[begin:end + 1], source.validator_headers(), content_range=(begin, end, total),
                    chunked=source.random.random() < 0.3), None, False


def no_validator(source, first, _):
    """The rest of the version of now, whatever was asked for."""
    body = source.versions[source.now]
    first = min(first or 0, max(0, len(body) - 1))
    headers = source.random.choice(([], source.validator_headers(), [("ETag", 'W/"same"')]))
    return response(206, body[first:], headers, content_range=(first, max(first, len(body) - 1), len(body))), None, False


def bad_range_header(source, first, if_range):
    body = source.versions[source.now]
    value = source.random.choice((
        f"bytes {first or 0}-{len(body)}/{len(body)}", f"bytes {first or 0}-/{len(body)}", "bytes */*", "bytes", "",
        f"bytes -{first or 1}/{len(body)}", f"bytes {first or 0}-99999999999999999999/*", "\x01", f"lines 0-1/{len(body)}"))
    return response(source.random.choice((206, 206, 200)), body[first or 0:],
                    [*source.validator_headers(), ("Content-Range", value)]) if value or first else \
        source.honest(first, if_range), None, False


def part_as_whole(source, first, _):
    """A 200 with a part of the file, and a Content-Range that says so."""
    body = source.versions[source.now]
    begin = min(first or 1, len(body))
    if begin >= len(body):
        return response(503, b"later"), None, False
    return response(200, body[begin:], source.validator_headers(), content_range=(begin, len(body) - 1, len(body))), None, False


def status(source, first, if_range):
    code = source.random.choice((0, 100, 103, 201, 203, 204, 205, 207, 226, 300, 304, 305, 400, 401, 403, 404, 408, 409, 410,
                                 412, 416, 418, 425, 429, 451, 500, 502, 503, 504, 599, 999))
    extra = source.random.choice(([], [("Retry-After", source.random.choice(("0", "1", "-1", "soon", "9" * 30, "3600")))]))
    return response(code, source.versions[source.now], [*source.validator_headers(), *extra]), None, False


def bad_length(source, first, _):
    body = source.versions[source.now]
    length = source.random.choice((len(body) + 1, len(body) + 100_000, -1, "x", "", f"{len(body)}x", 2**63, 2**64 - 1, 10**30))
    return response(200, body, source.validator_headers(), length=length), None, False


def two_lengths(source, first, _):
    body = source.versions[source.now]
    return response(200, body, [*source.validator_headers(), ("Content-Length", len(body) + 7)]), None, False


def open_ended(source, first, if_range):
    body = source.versions[source.now]
    at = source.random.randrange(len(body) + 1)
    return response(200, body[:at], source.validator_headers(), is_open_ended=True,
                    version=source.random.choice(("1.0", "1.1"))), None, source.random.random() < 0.2


def zipped(source, first, _):
    """The same validator for compressed bytes, as some servers have it."""
    body = source.zipped[source.now]
    begin = min(first or 0, len(body) - 1)
    headers = [*source.validator_headers(), ("Content-Encoding", source.random.choice(("gzip", "GZip", "x-gzip")))]
    if first and source.random.random() < 0.7:
        return response(206, body[begin:], headers, content_range=(begin, len(body) - 1, len(body))), None, False
    return response(200, body, headers), None, False


def transfer_coding(source, first, _):
    coding = source.random.choice(("gzip", "gzip, chunked", "identity", "deflate", "chunked, chunked", "\x7f"))
    return response(200, source.zipped[source.now], [*source.validator_headers(), ("Transfer-Encoding", coding)]), None, False


def bad_chunks(source, first, _):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nETag: \"bad\"\r\n\r\n"
    chunk = source.random.choice((b"-5\r\nhello\r\n", b"fffffffffffffffffff\r\nx", b"5\r\nhel", b"zz\r\n", b"\r\n\r\n",
                                  b"5;" + b"e" * 20_000 + b"\r\nhello\r\n", b"5\r\nhelloworld\r\n0\r\n\r\n"))
    return head + chunk, None, False


def redirect(source, first, _):
    target = source.random.choice(("?again", "", "//", "http://", "http://[", "ftp://127.0.0.1/", "file:///etc/passwd",
                                   "http://u:hunter2@127.0.0.1:1/", "/\x01", "/" + "a" * 9000, "http://127.0.0.1:0/"))
    return response(source.random.choice((301, 302, 303, 307, 308)), b"elsewhere", [("Location", target)]), None, False


def interim(source, first, if_range):
    many = b"HTTP/1.1 103 Early Hints\r\nETag: \"hint\"\r\nContent-Length: 3\r\n\r\n" * source.random.randrange(1, 5)
    return many + source.honest(first, if_range), None, False


def garbage(source, first, if_range):
    made = bytearray(source.honest(first, if_range))
    head = made.index(b"\r\n\r\n")
    if source.random.random() < 0.5:
        return source.random.randbytes(source.random.randrange(2000)), None, False
    junk = source.random.choice((b"\r\n folded: x", b"\r\n: x", b"\r\nX", b"\r\nX: \x00\xff\x1b[31m", b"\r\nETag", b"\r\nETag: \"",
                                 b"\r\nX: " + b"a" * 200_000, b"\r\nSet-Cookie: " + b"a=b;" * 3000))
    made[head:head] = junk * source.random.choice((1, 1, 1, 8))
    return bytes(made), None, False


def drip(source, first, if_range):
    return source.honest(first, if_range)[:300], 0.3, False


def silence(source, first, if_range):
    return b"", source.random.choice((None, 4)), source.random.random() < 0.5


TRICKS = (cut, cut, cut, cut, cut, cut, other_range, other_range, no_validator, no_validator, bad_range_header,
          part_as_whole, status, bad_length, two_lengths, open_ended, zipped, zipped, transfer_coding, bad_chunks, redirect,
          interim, garbage, drip, silence)


class Connection(socketserver.StreamRequestHandler):
    def handle(self):
        request = self.rfile.readline(1 << 17).split()
        if len(request) < 2:
            return
        headers = {}
        while (line := self.rfile.readline(1 << 16)).strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        path = request[1].decode("latin-1").split("?")[0].strip("/")
        if path == "together":
            self.server.together.wait(60)
            self.wfile.write(response(200, b"here"))
            return
        wanted = headers.get("range", "")
        first = int(wanted[6:-1]) if wanted.startswith("bytes=") else None
        source = self.server.source(int(path)) if path.isdigit() else None
        data, pause, is_reset = source.answer(first, headers.get("if-range")) if source else (b"", None, False)
        self.send(data, pause)
        if is_reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def send(self, data, pause):
        if pause is None:
            return self.connection.sendall(data)
        if not data:
            time.sleep(pause)
        for at in range(0, len(data), 40):
            self.connection.sendall(data[at:at + 40])
            time.sleep(pause)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 256
    block_on_close = False

    def __init__(self, seed, slots):
        super().__init__(("127.0.0.1", 0), Connection)
        self.seed = seed
        self.sources = {}
        self.lock = threading.Lock()
        self.together = threading.Barrier(slots)  # Passed only if as many requests are there at once.
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def source(self, number):
        with self.lock:
            return self.sources.setdefault(number, Source(self.seed, number))

    def answers(self):
        with self.lock:
            return sum(source.answers for source in self.sources.values())

    def handle_error(self, *_):
        pass
