"""A download is done only with every byte of one version, whatever its server does."""

import email.utils
import hashlib
import http.server
import json
import os
import re
import socket
import threading
import time
import unittest

from cluster import Cluster, wait_until


def blob(size, seed):
    """Bytes that differ everywhere from those of another seed."""
    out = bytearray()
    while len(out) < size:
        out += hashlib.sha256(b"%d %d" % (seed, len(out))).digest()
    return bytes(out[:size])


OLD, NEW = blob(200_000, 1), blob(200_000, 2)
BREAK = 120_000  # Where connections break off.


class Scripted(http.server.BaseHTTPRequestHandler):
    """Each path is answered by the function of that name in `scripts`: (request, number of the request)."""

    protocol_version = "HTTP/1.1"
    scripts = {}
    asked = {}  # path -> the Range of each request

    def log_message(self, *_):
        pass

    def do_HEAD(self):  # noqa: N802 - the name that http.server wants
        self.do_GET()

    def do_GET(self):  # noqa: N802 - the name that http.server wants
        path = self.path.split("?")[0]
        ranges = self.asked.setdefault(path, [])
        ranges.append(self.headers.get("Range"))
        try:
            self.scripts[path](self, len(ranges))
        except OSError:
            pass

    def head(self, status, **headers):
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def answer(self, status, body=b"", **headers):
        self.head(status, **{"Content_Length": len(body), **headers})
        if self.command != "HEAD":
            self.wfile.write(body)

    def hang_up(self):
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def cut(self, body, size=BREAK, **headers):
        self.head(200, Content_Length=len(body), **headers)
        self.wfile.write(body[:size])
        self.hang_up()


def http_date(seconds):
    return email.utils.formatdate(seconds, usegmt=True)


class Downloads(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.handler = type("Here", (Scripted,), {"scripts": {}, "asked": {}})
        cls.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), cls.handler)
        cls.server.daemon_threads = True
        cls.server.handle_error = lambda *_: None
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()
        cls.host = f"127.0.0.1:{cls.server.server_address[1]}"
        cls.cluster = Cluster(workers=1, slots=2)
        cls.cluster.start()
        cls.scratch = os.path.join(cls.cluster.directory, "eole/data/w1")

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)
        cls.server.shutdown()
        cls.server.server_close()

    def serve(self, path, script):
        self.handler.scripts[path] = script
        return f"http://{self.host}{path}"

    def asked(self, url):
        return self.handler.asked.get("/" + url.split("/", 3)[3], [])

    def download(self, url, retry=False, **args):
        task = {"kind": "download", "args": {"url": url, **args}, "retry": retry, "attempts": 3}
        return self.cluster.submit([task], "--wait", check=False)[0]

    def check_done(self, result, body):
        self.assertEqual(result["state"], "done", result.get("error"))
        self.assertEqual(result["value"]["bytes"], len(body))
        self.assertEqual(result["artifact"]["sha256"], hashlib.sha256(body).hexdigest())
        self.assertEqual(result["value"]["sha256"], hashlib.sha256(body).hexdigest())

    def breaks_then(self, name, then, body=OLD, **headers):
        """A source that breaks off first, and then answers as told."""
        headers = headers or {"ETag": '"v1"'}
        return self.serve(name, lambda request, n: request.cut(body, **headers) if n == 1 else then(request))

    # What is added to a part.

    def test_the_rest_of_the_same_version_is_all_that_is_asked_for(self):
        def rest(request):
            request.answer(206, OLD[BREAK:], ETag='"v1"',
                           Content_Range=f"bytes {BREAK}-{len(OLD) - 1}/{len(OLD)}")
        url = self.breaks_then("/rest", rest)
        result = self.download(url)
        self.check_done(result, OLD)
        self.assertEqual(result["value"]["resumed_at"], BREAK)
        self.assertEqual(self.asked(url), [None, f"bytes={BREAK}-"])

    def test_a_whole_answer_to_a_resume_is_taken_whole(self):
        for name, body in (("same", OLD), ("changed", NEW), ("part-sized", NEW[:BREAK]), ("empty", b""),
                           ("longer", NEW + NEW)):
            with self.subTest(name):
                url = self.breaks_then("/whole-" + name, lambda request, body=body: request.answer(
                    200, body, ETag='"v2"'))
                result = self.download(url)
                self.check_done(result, body)
                self.assertEqual(result["value"]["resumed_at"], 0)

    def test_an_answer_that_is_not_the_rest_starts_over(self):
        end = f"{len(OLD) - 1}/{len(OLD)}"
        answers = {
            "earlier": (206, OLD[65536:], {"Content_Range": f"bytes 65536-{end}", "ETag": '"v1"'}),
            "later": (206, OLD[BREAK + 1:], {"Content_Range": f"bytes {BREAK + 1}-{end}", "ETag": '"v1"'}),
            "other-tag": (206, NEW[BREAK:], {"Content_Range": f"bytes {BREAK}-{end}", "ETag": '"v2"'}),
            "no-tag": (206, NEW[BREAK:], {"Content_Range": f"bytes {BREAK}-{end}"}),
            "other-total": (206, NEW[BREAK:] + b"x", {
                "Content_Range": f"bytes {BREAK}-{len(OLD)}/{len(OLD) + 1}", "ETag": '"v1"'}),
            "no-total": (206, NEW[BREAK:], {"Content_Range": f"bytes {BREAK}-{len(OLD) - 1}/*", "ETag": '"v2"'}),
            "no-range": (206, OLD[BREAK:], {"ETag": '"v1"'}),
            "encoded": (206, OLD[BREAK:], {"Content_Range": f"bytes {BREAK}-{end}", "ETag": '"v1"',
                                           "Content_Encoding": "gzip"}),
            "unsatisfiable": (416, b"", {"Content_Range": f"bytes */{len(OLD)}"}),
        }
        for name, (status, body, headers) in answers.items():
            with self.subTest(name):
                def then(request, status=status, body=body, headers=headers):
                    if request.headers.get("Range"):
                        return request.answer(status, body, **headers)
                    return request.answer(200, NEW, ETag='"v2"')
                url = self.breaks_then("/not-rest-" + name, then)
                self.check_done(self.download(url), NEW)
                self.assertEqual(self.asked(url), [None, f"bytes={BREAK}-", None])

    def test_a_weak_validator_does_not_resume(self):
        now = time.time()
        for name, headers in (("tag", {"ETag": 'W/"v1"'}), ("none", {"X": "y"}),
                              ("date", {"Last_Modified": http_date(now), "Date": http_date(now + 1)})):
            with self.subTest(name):
                url = self.breaks_then("/weak-" + name, lambda request: request.answer(200, NEW), **headers)
                self.check_done(self.download(url), NEW)
                self.assertEqual(self.asked(url), [None, None])

    def test_a_date_that_is_strong_resumes(self):
        headers = {"Last_Modified": http_date(1_600_000_000), "Date": http_date(1_700_000_000)}
        url = self.breaks_then("/strong-date", lambda request: request.answer(
            206, OLD[BREAK:], Content_Range=f"bytes {BREAK}-{len(OLD) - 1}/{len(OLD)}", **headers), **headers)
        self.check_done(self.download(url), OLD)

    def test_a_source_that_never_gives_the_whole_is_given_up(self):
        url = self.serve("/always-206", lambda request, n: request.answer(
            206, OLD, Content_Range=f"bytes 0-{len(OLD) - 1}/{len(OLD)}"))
        result = self.download(url, retries=2)
        self.assertEqual(result["state"], "failed")
        self.assertIn("no range was asked for", result["error"])
        self.assertEqual(len(self.asked(url)), 3)

    def test_a_range_of_a_range_is_asked_for_until_all_is_here(self):
        def pieces(request, n):
            first = int((request.headers.get("Range") or "bytes=0-")[6:-1])
            if n == 1:
                return request.cut(OLD, 50_000, ETag='"v1"')
            piece = OLD[first:first + 60_000]
            request.answer(206, piece, ETag='"v1"',
                           Content_Range=f"bytes {first}-{first + len(piece) - 1}/{len(OLD)}")
        self.check_done(self.download(self.serve("/pieces", pieces)), OLD)

    def test_a_source_that_lies_about_its_version_is_caught_by_the_digest(self):
        def then(request):
            if request.headers.get("Range"):
                return request.answer(206, NEW[BREAK:], ETag='"v1"',
                                      Content_Range=f"bytes {BREAK}-{len(OLD) - 1}/{len(OLD)}")
            return request.answer(200, NEW, ETag='"v1"')
        url = self.breaks_then("/lies", then)
        self.check_done(self.download(url, sha256=hashlib.sha256(NEW).hexdigest()), NEW)
        self.assertEqual(len(self.asked(url)), 3)

    def test_a_wrong_digest_of_one_whole_answer_fails_at_once(self):
        url = self.serve("/wrong", lambda request, n: request.answer(200, OLD))
        result = self.download(url, sha256="0" * 64)
        self.assertIn("wanted " + "0" * 64, result["error"])
        self.assertEqual(len(self.asked(url)), 1)

    # Where a body ends.

    def test_a_body_that_breaks_off_is_never_done(self):
        def chunks(request, n):
            request.head(200, Transfer_Encoding="chunked")
            request.wfile.write(b"5\r\nhello\r\n")
            request.hang_up()

        def endless(request, n):
            request.head(200, Connection="close")
            request.wfile.write(OLD)
            request.hang_up()

        def two_lengths(request, n):
            request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello")
            request.hang_up()

        def chunks_of_another_length(request, n):
            request.head(200, Transfer_Encoding="chunked", Content_Length=6)
            request.wfile.write(b"5\r\nhello\r\n0\r\n\r\n")

        scripts = {"short": lambda request, n: request.cut(OLD), "chunks": chunks, "endless": endless,
                   "two-lengths": two_lengths, "other-length": chunks_of_another_length,
                   "no-content": lambda request, n: request.head(204),
                   "deflated": lambda request, n: request.answer(200, b"x", Transfer_Encoding="gzip")}
        for name, script in scripts.items():
            with self.subTest(name):
                result = self.download(self.serve("/broken-" + name, script), retries=1)
                self.assertEqual(result["state"], "failed", result)

    def test_a_body_without_an_end_needs_its_digest(self):
        def endless(request, n):
            request.head(200, Connection="close")
            request.wfile.write(OLD if n == 2 else OLD[:BREAK])
            request.hang_up()
        url = self.serve("/no-end", endless)
        self.check_done(self.download(url, sha256=hashlib.sha256(OLD).hexdigest()), OLD)
        self.assertIn("give sha256", self.download(self.serve("/no-end-2", endless))["error"])

    def test_an_empty_file_and_chunks_are_whole(self):
        def chunks(request, n):
            request.head(200, Transfer_Encoding="chunked")
            request.wfile.write(b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")
        self.check_done(self.download(self.serve("/empty", lambda request, n: request.answer(200))), b"")
        self.check_done(self.download(self.serve("/chunks", chunks)), b"hello world")

    # How long it may take.

    def test_the_timeout_is_of_all_tries_together(self):
        gate = threading.Event()
        self.addCleanup(gate.set)
        url = self.serve("/hangs", lambda request, n: gate.wait(60))
        result = self.download(url, timeout=1, retries=100)
        self.assertEqual(result["state"], "failed")
        self.assertIn("timeout of 1000 ms", result["error"])
        self.assertLessEqual(len(self.asked(url)), 1)  # None, where a second passes before it is connected.
        # A try that begins later has only what is left.
        url = self.serve("/hangs-later", lambda request, n: request.answer(
            503, Retry_After=2) if n == 1 else gate.wait(60))
        result = self.download(url, timeout=5)
        self.assertIn("timeout of 5000 ms", result["error"])
        had = re.search("timed out after ([0-9]+) milliseconds", result["error"])
        if had and len(self.asked(url)) > 1:  # Else the first took most of it, where much else runs.
            self.assertLess(int(had[1]), 4900)

    def test_a_pause_does_not_outlast_the_timeout(self):
        url = self.serve("/later", lambda request, n: request.answer(503, b"later", Retry_After=120))
        result = self.download(url, timeout=30)
        self.assertIn("no time for another try", result["error"])
        self.assertEqual(len(self.asked(url)), 1)

    def test_retry_after_is_waited_for(self):
        for status in (429, 503):
            for name, when in (("seconds", lambda: 2), ("date", lambda: http_date(time.time() + 2))):
                with self.subTest(f"{status} {name}"):
                    since = []

                    def script(request, n, status=status, when=when, since=since):
                        since.append(time.monotonic())
                        if n == 1:
                            return request.answer(status, b"later", Retry_After=when(),
                                                  Date=http_date(time.time()))
                        return request.answer(200, b"the file")
                    self.check_done(self.download(self.serve(f"/after-{status}-{name}", script)), b"the file")
                    self.assertGreater(since[1] - since[0], 0.9)

    def test_a_server_that_asks_for_an_hour_is_not_waited_for(self):
        url = self.serve("/an-hour", lambda request, n: request.answer(503, Retry_After=3600))
        self.assertIn("asks to wait for 3600 s, limit 300", self.download(url)["error"])

    # What stays behind.

    def left(self):
        return sorted(os.listdir(self.scratch))

    def test_nothing_of_an_ended_task_stays_behind(self):
        url = self.serve("/never", lambda request, n: request.cut(OLD, ETag=f'"{n}"'))
        for number in range(3):
            self.assertEqual(self.download(url, retries=0)["state"], "failed")
        self.assertEqual(self.left(), [])
        other = self.serve("/other", lambda request, n: request.answer(200, OLD, ETag='"v1"'))
        self.assertEqual(self.download(other, retry=True, sha256="0" * 64)["state"], "dead")
        self.assertEqual(self.left(), [])
        gate = threading.Event()
        self.addCleanup(gate.set)

        def hang(request, n):
            request.head(200, Content_Length=4 << 20, ETag='"v"')  # What is small is in memory.
            request.wfile.write(OLD[:BREAK])
            request.wfile.flush()
            gate.wait(60)
        url = self.serve("/held", hang)
        task = self.cluster.submit([{"kind": "download", "args": {"url": url}}])[0]["id"]
        wait_until(lambda: f"{task}.part" in self.left(), what="a part")
        self.assertEqual(self.cluster.json("cancel", task)[0]["state"], "cancelled")
        wait_until(lambda: self.left() == [], what="nothing left")

    def test_a_part_waits_for_the_next_attempt_of_its_task(self):
        def script(request, n):
            if n == 1:
                return request.cut(OLD, ETag='"v1"')
            request.answer(206, OLD[BREAK:], ETag='"v1"',
                           Content_Range=f"bytes {BREAK}-{len(OLD) - 1}/{len(OLD)}")
        url = self.serve("/next-attempt", script)
        result = self.download(url, retry=True, retries=0)
        self.check_done(result, OLD)
        self.assertEqual((result["attempt"], result["value"]["resumed_at"]), (2, BREAK))
        self.assertEqual(self.left(), [])

    def test_what_the_attempts_of_a_dead_task_left_is_gone_after_a_start(self):
        url = self.serve("/dead", lambda request, n: request.cut(OLD, BREAK + n, ETag='"v1"'))
        with Cluster(workers=1, slots=1) as cluster:
            scratch = os.path.join(cluster.directory, "eole/data/w1")
            task = {"kind": "download", "args": {"url": url, "retries": 0}, "retry": True, "attempts": 2}
            self.assertEqual(cluster.submit([task], "--wait", check=False)[0]["state"], "dead")
            with open(os.path.join(scratch, "notes.txt"), "w", encoding="ascii"):
                pass  # Not ours to remove.
            cluster.stop()
            cluster.start()
            cluster.eole("status", "--until-workers", "1")
            self.assertEqual(os.listdir(scratch), ["notes.txt"])

    # What is told, and what it is called.

    def test_what_is_no_web_address_is_refused_by_name(self):
        for url, why in (("file:///etc/passwd", "not file://"), ("//host/x", "must be http"),
                         ("gopher://host/x", "not gopher://"),
                         (f"http://{self.host}/a\r\nX-Evil: 1", "control character"),
                         (f"http://{self.host}/a\0b", "control character")):
            done = self.cluster.eole("submit", "--file", "-", check=False, input=json.dumps(
                {"kind": "download", "args": {"url": url}}))
            self.assertEqual(done.returncode, 2)  # Before it is a task.
            self.assertIn(why, done.stderr)

    def test_passwords_are_told_to_nobody(self):
        def denied(request, n):
            request.answer(401, b"", WWW_Authenticate='Basic realm="x"')
        logins = []

        def file(request, n):
            logins.append(request.headers.get("Authorization"))
            request.answer(200, b"x")

        def elsewhere(request, n):
            request.answer(302, Location="http://bob:hunter2@[bad/")
        for name, script in (("/denied", denied), ("/pw-file", file), ("/pw-redirect", elsewhere)):
            self.serve(name, script)
            result = self.download(f"http://bob:hunter2@{self.host}{name}", retries=0)
            self.assertNotIn("hunter2", json.dumps(result))
        self.assertTrue(logins[0].startswith("Basic "))
        refused = self.cluster.eole("submit", "download", "gopher://bob:hunter2@host/x", check=False)
        self.assertNotIn("hunter2", refused.stdout + refused.stderr)
        for url in ("http://bob:hunter2@", "http://bob:hun/ter2@host/", "http://bob:hunter2@nowhere.invalid/x",
                    "https://bob:hunter2@127.0.0.1:1/"):
            result = self.download(url, retries=0)
            self.assertEqual(result["state"], "failed")
            self.assertNotIn("ter2", result["error"])
        with open(os.path.join(self.cluster.directory, "eole/data/logs/w1.log"), encoding="utf-8") as log:
            self.assertNotIn("hunter2", log.read())

    def test_files_are_called_what_their_server_calls_them(self):
        self.serve("/my%20report%20%C3%A9.pdf", lambda request, n: request.answer(200, b"x"))
        self.serve("/get.php", lambda request, n: request.answer(
            200, b"x", Content_Disposition="attachment; filename=\"r.pdf\"; filename*=UTF-8''r%C3%A9port.pdf"))
        self.serve("/evil", lambda request, n: request.answer(
            200, b"x", Content_Disposition='attachment; filename="../../.evil\x01"'))
        for path, name in (("/my%20report%20%C3%A9.pdf", "my report é.pdf"), ("/get.php?id=5", "réport.pdf"),
                           ("/evil", "evil")):
            self.assertEqual(self.download(f"http://{self.host}{path}")["artifact"]["name"], name)
        result = self.download(f"http://{self.host}/evil", name="../../mine")
        self.assertEqual(result["artifact"]["name"], "mine")

    def test_redirects_keep_cookies_and_come_to_an_end(self):
        for hop in range(16):
            self.serve(f"/hop/{hop}", lambda request, n, hop=hop: request.answer(
                302, Location=f"/hop/{hop - 1}") if hop else request.answer(200, b"x"))

        def cookie(request, n):
            if "seen=1" in (request.headers.get("Cookie") or ""):
                return request.answer(200, b"x")
            return request.answer(302, Set_Cookie="seen=1; Path=/", Location="/cookie")
        self.serve("/loop", lambda request, n: request.answer(302, Location="/loop"))
        self.check_done(self.download(f"http://{self.host}/hop/15"), b"x")
        self.check_done(self.download(self.serve("/cookie", cookie)), b"x")
        self.assertIn("redirects", self.download(f"http://{self.host}/loop")["error"])

    def test_an_international_host_name_is_found(self):
        self.serve("/idn", lambda request, n: request.answer(200, b"x"))
        port = self.host.split(":")[1]
        self.check_done(self.download(f"http://täst.localhost:{port}/idn"), b"x")


if __name__ == "__main__":
    unittest.main()
