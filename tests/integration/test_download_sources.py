"""Where downloads come from: which addresses, over how many connections, from which mirror, and with which digest."""

import base64
import collections
import hashlib
import http.server
import json
import os
import signal
import threading
import unittest

from cluster import Cluster, wait_until
from test_download import NEW, OLD, Scripted, blob

LARGE = blob(24 << 20, 3)


class Sources(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.handler = type("Here", (Scripted,), {"scripts": {}, "asked": {}})
        cls.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), cls.handler)
        cls.server.daemon_threads = True
        cls.server.handle_error = lambda *_: None
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()
        cls.port = cls.server.server_address[1]
        cls.host = f"127.0.0.1:{cls.port}"
        cls.cluster = cls.enterClassContext(Cluster(workers=1, slots=2))

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.server.server_close()

    def serve(self, path, script):
        self.handler.scripts[path] = script
        return f"http://{self.host}{path}"

    def asked(self, path):
        return self.handler.asked.get(path, [])

    def download(self, url, cluster=None, **args):
        task = {"kind": "download", "args": {"url": url, **args}}
        return (cluster or self.cluster).submit([task], "--wait", check=False)[0]

    def check_done(self, result, body):
        self.assertEqual(result["state"], "done", result.get("error"))
        self.assertEqual(result["artifact"]["sha256"], hashlib.sha256(body).hexdigest())
        self.assertEqual(result["value"]["bytes"], len(body))

    # Addresses.

    def test_addresses_that_are_not_public_are_refused_after_each_redirect(self):
        self.serve("/in", lambda request, n: request.answer(200, b"secret"))
        with Cluster("--allow-net", "10.0.0.0/8", workers=1, slots=1) as cluster:
            for name in ("127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]"):
                result = self.download(f"http://{name}:{self.port}/in", cluster, retries=5)
                self.assertEqual(result["state"], "failed")
                self.assertRegex(result["error"], r"address (127.0.0.1|::1|::ffff:127.0.0.1) is not public.*--allow-net")
        self.assertEqual(self.asked("/in"), [])
        self.serve("/out", lambda request, n: request.answer(302, Location=f"http://127.0.0.2:{self.port}/in"))
        with Cluster("--allow-net", "127.0.0.1/32", workers=1, slots=1) as cluster:
            result = self.download(f"http://{self.host}/out", cluster)
            self.assertIn("address 127.0.0.2 is not public", result["error"])
            self.check_done(self.download(f"http://{self.host}/in", cluster), b"secret")

    def test_a_network_that_is_none_is_refused_at_the_start(self):
        cluster = Cluster("--allow-net", "10.0.0.1/8", workers=1)
        self.addCleanup(cluster.__exit__, None, None, None)
        with self.assertRaises(AssertionError):
            cluster.start()

    # Digests and mirrors.

    def test_digests_of_every_kind_are_checked(self):
        url = self.serve("/digests", lambda request, n: request.answer(200, OLD))
        for name in ("sha256", "md5", "sha1", "blake2b"):
            is_ = hashlib.new("blake2b512" if name == "blake2b" else name, OLD).hexdigest()
            result = self.download(url, **{name: is_ if name == "sha256" else is_.upper()})
            self.check_done(result, OLD)
            self.assertEqual(result["value"][name], is_)
            wrong = "0" * len(is_)
            result = self.download(url, **{name: wrong})
            self.assertEqual(result["state"], "failed")
            self.assertIn(f"{name} is {is_}, wanted {wrong}", result["error"])

    def test_a_digest_that_the_server_says_is_checked(self):
        def said(body):
            return base64.b64encode(hashlib.sha256(body).digest()).decode()
        for header, value in (("Repr-Digest", "sha-512=:AA==:, sha-256=:%s:"), ("Digest", "md5=AA==,SHA-256=%s")):
            with self.subTest(header):
                good = self.serve("/says-right", lambda request, n, header=header, value=value: request.answer(
                    200, OLD, **{header: value % said(OLD)}))
                self.check_done(self.download(good), OLD)
                bad = self.serve("/says-wrong", lambda request, n, header=header, value=value: request.answer(
                    200, OLD, **{header: value % said(NEW)}))
                self.assertIn("the server says", self.download(bad)["error"])

    def test_a_mirror_is_asked_where_a_source_fails(self):
        good = self.serve("/mirror", lambda request, n: request.answer(200, OLD, ETag='"v1"'))
        failing = {
            "gone": lambda request, n: request.answer(404),
            "down": lambda request, n: request.answer(503, Retry_After=3600),
            "cut": lambda request, n: request.cut(NEW, ETag='"v1"'),  # The tag is another source's.
            "changed": lambda request, n: request.answer(200, NEW),
        }
        for name, script in failing.items():
            with self.subTest(name):
                args = {"sha256": hashlib.sha256(OLD).hexdigest()} if name == "changed" else {}
                result = self.download(self.serve("/fails-" + name, script), mirrors=[good], **args)
                self.check_done(result, OLD)
                self.assertEqual(result["value"]["url"], good)
        self.assertEqual({asked for asked in self.asked("/mirror")}, {None})
        result = self.download(f"http://{self.host}/fails-gone", mirrors=["http://[bad/", "file:///etc/passwd"])
        self.assertEqual(result["state"], "failed")

    # The way to the sink.

    def held(self, name, body):
        """A source that sends half of the file and waits."""
        gate = threading.Event()
        self.addCleanup(gate.set)

        def script(request, n):
            request.head(200, Content_Length=len(body), ETag='"v"')
            request.wfile.write(body[:len(body) // 2])
            request.wfile.flush()
            gate.wait(60)
            request.wfile.write(body[len(body) // 2:])
        return self.serve(name, script), gate

    def test_a_file_is_handed_over_by_link_while_it_comes(self):
        url, gate = self.held("/linked", LARGE)
        artifacts = os.path.join(self.cluster.directory, "eole/data/sink/artifacts")
        task = self.cluster.submit([{"kind": "download", "args": {"url": url}}])[0]["id"]
        handed = wait_until(lambda: [name for name in os.listdir(artifacts) if name.endswith(".handed")], what="a link")
        inode = os.stat(os.path.join(artifacts, handed[0])).st_ino
        gate.set()
        wait_until(lambda: self.cluster.task(task)["state"] == "done", 60, "done")
        self.check_done(self.cluster.json("result", task)[0], LARGE)
        stored = os.stat(os.path.join(artifacts, hashlib.sha256(LARGE).hexdigest()))
        self.assertEqual((stored.st_ino, stored.st_nlink), (inode, 1))
        self.assertEqual([name for name in os.listdir(artifacts) if name.endswith(".handed")], [])

    def test_a_file_comes_to_a_sink_of_which_only_the_address_is_known(self):
        with Cluster("--listen", "127.0.0.1", "--allow-net", "127.0.0.0/8", workers=1, slots=1) as cluster:
            url = self.serve("/sent", lambda request, n: request.answer(200, OLD))
            self.check_done(self.download(url, cluster), OLD)
            self.assertEqual([name for name in os.listdir(os.path.join(cluster.directory, "eole/data/w1"))], [])

    # Connections.

    def ranges(self, rate, tag='"v1"', most=1000, late=0, pause=None):
        """A server that gives each connection so many bytes a second, those of a range so many seconds late, and refuses
        more connections than `most`. It stops after so many in all until an event, and counts them by where they begin."""
        at_once = threading.Semaphore(most)
        after, gate, sent = pause or (1 << 40, None, collections.Counter())

        def script(request, n):
            if not at_once.acquire(blocking=False):
                return request.answer(503)
            try:
                first, last = 0, len(LARGE) - 1
                asked = request.headers.get("Range")
                if asked:
                    self.assertEqual(request.headers["If-Range"], tag)
                    start, _, end = asked[6:].partition("-")
                    first, last = int(start), int(end or last)
                request.head(206 if asked else 200, Content_Length=last + 1 - first, ETag=tag, Accept_Ranges="bytes",
                             **({"Content_Range": f"bytes {first}-{last}/{len(LARGE)}"} if asked else {}))
                clock = threading.Event()
                clock.wait(late if asked else 0)
                for at in range(first, last + 1, 65536):
                    if sent.total() >= after:
                        gate.wait(60)
                    request.wfile.write(LARGE[at:min(at + 65536, last + 1)])
                    sent[first] += 65536
                    clock.wait(65536 / rate)
            finally:
                at_once.release()
        return script

    def test_a_server_that_is_slow_for_each_connection_is_asked_over_many(self):
        result = self.download(self.serve("/each", self.ranges(2e6)))
        self.check_done(result, LARGE)
        self.assertGreater(len(self.asked("/each")), 4)

    def test_more_connections_are_tried_again_where_the_first_moment_tells_nothing(self):
        sends = self.ranges(1e6, late=0.5)  # So that several are no faster at first.
        most, at_once, lock = 0, 0, threading.Lock()

        def script(request, n):
            nonlocal most, at_once
            with lock:
                at_once += 1
                most = max(most, at_once)
            try:
                sends(request, n)
            finally:
                with lock:
                    at_once -= 1
        self.check_done(self.download(self.serve("/again", script)), LARGE)
        self.assertGreater(most, 4)

    def test_a_server_that_bears_few_connections_still_gives_all_of_it(self):
        for most in (1, 2):
            url = self.serve(f"/few{most}", self.ranges(4e6, most=most))
            self.check_done(self.download(url, retries=0), LARGE)

    # One file for several tasks.

    def divided(self, project, urls, cluster=None, **wanted):
        """How the last task of a project ended whose tasks fetch a part each."""
        cluster = cluster or self.cluster
        cluster.eole("project", "open", project, "--expect", len(urls), "--then", "collect", "--args",
                     json.dumps({"how": "concat", "name": "whole", **wanted}))
        cluster.submit([{"kind": "download", "project": project,
                         "args": {"url": url, "part": part, "parts": len(urls)}} for part, url in enumerate(urls, 1)])
        return cluster.json("project", project, "--wait", check=False)[0]["result"]

    def in_ranges(self, body_of, tag_of):
        """A server that sends what is asked for of the version that it has at its nth request."""
        def script(request, n):
            body, tag = body_of(n), tag_of(n)
            asked = request.headers.get("Range")
            if request.command == "HEAD" or not asked or request.headers.get("If-Range") not in (None, tag):
                return request.answer(200, body, ETag=tag)
            first, _, last = asked[6:].partition("-")
            first, last = int(first), int(last or len(body) - 1)
            request.answer(206, body[first:last + 1], ETag=tag, Content_Range=f"bytes {first}-{last}/{len(body)}")
        return script

    def test_one_file_is_fetched_by_several_workers_and_joined(self):
        sends = self.in_ranges(lambda n: OLD, lambda n: '"v1"')
        all_ask = threading.Barrier(3)

        def script(request, n):
            if request.command == "GET":
                all_ask.wait(60)  # None is sent its part before each of the three workers asks for one.
            sends(request, n)
        url = self.serve("/divided", script)
        with Cluster("--allow-net", "127.0.0.0/8", workers=3, slots=1) as cluster:
            result = self.divided("three", [url] * 3, cluster, sha256=hashlib.sha256(OLD).hexdigest())
        self.assertEqual(result["state"], "done", result.get("error"))
        self.assertEqual(result["artifact"]["sha256"], hashlib.sha256(OLD).hexdigest())
        self.assertEqual(sorted(asked for asked in self.asked("/divided") if asked),
                         ["bytes=0-66665", "bytes=133333-", "bytes=66666-133332"])

    def test_a_joined_file_has_its_digest(self):
        url = self.serve("/joined", self.in_ranges(lambda n: OLD, lambda n: '"v1"'))
        self.assertIn("wanted 000", self.divided("wrong", [url] * 2, sha256="0" * 64)["error"])

    def test_parts_of_two_versions_are_never_joined(self):
        # Of one length; it changes between the parts, or between a part's head and its bytes.
        old = self.serve("/old", self.in_ranges(lambda n: OLD, lambda n: '"v1"'))
        new = self.serve("/new", self.in_ranges(lambda n: NEW, lambda n: '"v2"'))
        self.assertIn("of another file or version: its version", self.divided("versions", [old, new])["error"])
        within = self.serve("/within", self.in_ranges(lambda n: NEW if n > 1 else OLD, lambda n: f'"v{min(n, 2)}"'))
        result = self.download(within, part=1, parts=2)
        self.assertEqual(result["state"], "failed")
        self.assertIn("the file is another one now", result["error"])

    def test_a_source_that_cannot_be_divided_says_why(self):
        plain = self.serve("/plain", lambda request, n: request.answer(200, OLD))
        self.assertIn("no strong validator", self.download(plain, part=1, parts=2)["error"])
        whole = self.serve("/whole", lambda request, n: request.answer(200, OLD, ETag='"v"'))
        self.assertIn("not sent in parts", self.download(whole, part=2, parts=2)["error"])
        for args in ({"part": 1}, {"parts": 2}, {"part": 3, "parts": 2}, {"part": 1, "parts": 2, "mirrors": [whole]}):
            self.assertRegex(self.download(whole, **args)["error"], "part")

    def test_a_rate_is_kept_over_one_connection(self):
        body = LARGE[:3 << 20]
        url = self.serve("/rate", lambda request, n: request.answer(200, body, ETag='"v"', Accept_Ranges="bytes"))
        result = self.download(url, rate=1 << 20)
        self.check_done(result, body)
        self.assertGreater(result["value"]["seconds"], 1.5)
        self.assertEqual(self.asked("/rate"), [None])

    def test_downloads_of_a_worker_share_its_rate_and_those_from_a_host_the_hosts(self):
        body = LARGE[:2 << 20]
        self.serve("/shared", lambda request, n: request.answer(200, body, ETag='"v"', Accept_Ranges="bytes"))
        other = http.server.ThreadingHTTPServer(("127.0.0.2", 0), self.handler)
        self.addCleanup(other.server_close)
        self.addCleanup(other.shutdown)
        threading.Thread(target=other.serve_forever, daemon=True).start()
        hosts = self.host, f"127.0.0.2:{other.server_address[1]}"

        def took(hosts, *options):
            self.handler.asked.pop("/shared", None)
            with Cluster(*options, "--allow-net", "127.0.0.0/8", workers=1, slots=2) as cluster:
                tasks = [{"kind": "download", "args": {"url": f"http://{host}/shared?{n}"}} for n, host in enumerate(hosts)]
                results = cluster.submit(tasks, "--wait")
            for result in results:
                self.check_done(result, body)
            self.assertEqual(self.asked("/shared"), [None, None])  # More connections would not help.
            return max(result["value"]["seconds"] for result in results)

        self.assertGreater(took(hosts, "--download-rate", "2MiB"), 1.5)
        self.assertGreater(took([hosts[0]] * 2, "--download-host-rate", "2MiB"), 1.5)
        # Of a host each: no faster than it may be, and not as one.
        self.assertGreater(took(hosts, "--download-host-rate", "2MiB"), 0.7)

    def test_what_many_connections_had_when_their_worker_was_killed_is_not_asked_for_again(self):
        gate, sent = threading.Event(), collections.Counter()
        self.addCleanup(gate.set)
        url = self.serve("/killed", self.ranges(1e6, pause=(12 << 20, gate, sent)))
        scratch = os.path.join(self.cluster.directory, "eole/data/w1")
        task = self.cluster.submit([{"kind": "download", "args": {"url": url}}])[0]["id"]

        def noted():
            """The stretches that it has, once of each less than a MiB is missing of what was sent."""
            try:
                with open(f"{scratch}/{task}.part.version", encoding="ascii") as note:
                    had = [tuple(map(int, line.split())) for line in note.read().splitlines()[6:-1]]
            except OSError:
                return None
            nexts = [begin for begin, _ in had[1:]] + [len(LARGE)]
            is_near = all(end + (1 << 20) > min(begin + sent[begin], to) for (begin, end), to in zip(had, nexts))
            return had if len(had) > 3 and sent.total() >= 12 << 20 and is_near else None
        had = wait_until(noted, 60, "many ranges")
        before = len(self.asked("/killed"))
        self.cluster.kill("w1", signal.SIGKILL)
        gate.set()
        wait_until(lambda: self.cluster.task(task)["state"] == "done", 60, "done")
        result = self.cluster.json("result", task)[0]
        self.check_done(result, LARGE)
        again = self.asked("/killed")[before:]
        self.assertNotIn(None, again)
        for asked in again:
            begin = int(asked[6:].partition("-")[0])
            self.assertFalse([stretch for stretch in had if stretch[0] <= begin < stretch[1]], asked)


if __name__ == "__main__":
    unittest.main()
