"""Clients that others wrote, on one gateway: resumable uploads, event streams, WebSocket, WAMP, linters of its document."""

import asyncio
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

import txaio
import websockets
from autobahn.asyncio.wamp import ApplicationSession
from autobahn.asyncio.websocket import WampWebSocketClientFactory
from autobahn.wamp.exception import ApplicationError
from autobahn.wamp.serializer import JsonSerializer
from autobahn.wamp.types import CallOptions, ComponentConfig, PublishOptions, RegisterOptions, SubscribeOptions
from tusclient.client import TusClient
from tusclient.uploader import Uploader

import node_tests
from cluster import Cluster, alive, wait_until
from http_client import Http
from node_tests import ROOT


HTTP = None  # One cluster's, for all of them.


def setUpModule():  # noqa: N802 - unittest's name
    global HTTP
    HTTP = Http(unittest.enterModuleContext(Cluster(workers=1)))


class Served(unittest.TestCase):
    def setUp(self):
        self.http = HTTP
        self.address = f"{HTTP.host}:{HTTP.port}"
        wait_until(self.is_ready, what="the gateway serves")

    def kill(self):
        pid = self.http.get("/cluster")["gateway"]["pid"]
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not alive(pid) and self.is_ready(), what="another gateway")

    def is_ready(self):
        try:
            return self.http.ask("GET", "/readyz")[0] == 200
        except OSError:
            return False


@unittest.skipUnless(node_tests.IS_HERE, "needs node and npm")
class Node(Served):
    """tests/clients, a file each."""

    def run_file(self, name):
        node_tests.install(ROOT / "tests/clients")
        env = {"EOLE_HTTP": f"http://{self.address}"}
        self.assertEqual(node_tests.run(ROOT / "tests/clients", f"{name}.test.mjs", env), "")

    def test_document(self):
        self.run_file("document")

    def test_live(self):
        self.run_file("live")

    def test_tus(self):
        self.run_file("tus")

    def test_tus_cases(self):
        self.run_file("tus_cases")

    def test_wamp(self):
        self.run_file("wamp")


class Curl(Served):
    def curl(self, path, *words):
        """What it prints; it must not fail."""
        return subprocess.run(["curl", "-sS", "--max-time", "60", *words, f"http://{self.address}{path}"],
                              capture_output=True, check=True).stdout

    def test_in_all_its_ways(self):
        content = os.urandom(300_000)
        directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        file, part, tag = (directory / name for name in ("all", "part", "tag"))
        file.write_bytes(content)
        told = json.loads(self.curl("/upload", "-F", "kind=echo", "-F", f"file=@{file}"))
        artifact = "/artifact/" + told["sha256"]
        self.assertEqual(told["sha256"], hashlib.sha256(content).hexdigest())
        part.write_bytes(content[:100_000])
        self.curl(artifact, "-C", "-", "-o", part)
        self.assertEqual(part.read_bytes(), content)
        pieces = self.curl(artifact, "-r", "0-99,200-299")
        self.assertIn(content[:100], pieces)
        self.assertIn(content[200:300], pieces)
        self.assertLess(len(pieces), 1000)
        self.curl(artifact, "--etag-save", tag, "-o", part)
        self.assertEqual(self.curl(artifact, "--etag-compare", tag, "-w", "%{http_code}"), b"304")
        self.assertIn(b"content-length: 300000", self.curl(artifact, "-I").lower())
        self.assertEqual(json.loads(self.curl("/healthz", "--http1.0")), {"status": "alive"})
        self.assertIn(b'"status":400', self.curl("/a/../../etc/passwd", "--path-as-is").replace(b" ", b""))
        octets = ("-H", "Content-Type: application/octet-stream")
        for words in (("-H", "Expect: 100-continue", "--data-binary", f"@{file}"), ("-X", "POST", "-T", file),
                      ("-X", "POST", "-T", file, "-H", "Transfer-Encoding: chunked")):
            self.assertEqual(len(json.loads(self.curl("/queues/curl/messages", *octets, *words))["ids"]), 1, words)
        self.assertEqual(self.curl("/page.js", "--compressed")[:1].isascii(), True)
        self.http.post("/task?wait=20s", {"kind": "echo", "project": "curl"})
        with subprocess.Popen(["curl", "-sSN", f"http://{self.address}/events?topic=curl/%23&from=0"],
                              stdout=subprocess.PIPE) as live:
            while (line := live.stdout.readline()) and not line.startswith(b'data: {"offset"'):
                pass
            live.kill()
        self.assertEqual(json.loads(line[6:])["project"], "curl")


class Tuspy(Served):
    def test_an_upload_goes_on_after_its_gateway_was_killed(self):
        content = os.urandom(1_000_000)
        with tempfile.TemporaryDirectory() as directory:
            file = pathlib.Path(directory, "tus.bin")
            file.write_bytes(content)
            client = TusClient(f"http://{self.address}/uploads")
            first = client.uploader(str(file), chunk_size=300_000, metadata={"filename": "tus.bin", "kind": "echo"},
                                    upload_checksum=True)
            first.upload_chunk()
            self.kill()
            second = Uploader(str(file), url=first.url, client=client, chunk_size=300_000, upload_checksum=True)
            self.assertEqual(second.offset, 300_000)
            second.upload()
        told = self.http.get(first.url.removeprefix(f"http://{self.address}"))
        self.assertEqual(told["sha256"], hashlib.sha256(content).hexdigest())
        wait_until(lambda: self.http.get(f"/task/{told['task_id']}")["state"] == "done")


class WebSockets(Served):
    """python3-websockets, with and without deflate offered."""

    async def listen(self, project, compression):
        async with websockets.connect(f"ws://{self.address}/notifications?topic=nothing", compression=compression) as live:
            self.assertEqual(live.extensions, [])
            await live.send(['{"topic":', f' "{project}', '/#"}'])  # In three frames.
            await live.send("{}")
            while json.loads(await live.recv()).get("type") != "error":
                pass
            ids = self.http.post("/task", [{"kind": "echo", "args": n, "project": project} for n in range(5)])["ids"]
            pong = await live.ping(b"between")
            seen = []
            while len(seen) < 5:
                message = json.loads(await live.recv())
                if "id" in message:
                    seen.append(message["id"])
            await pong
            self.assertEqual(sorted(seen), sorted(ids))
        self.assertEqual(live.close_code, 1000)

    def test_without_deflate(self):
        asyncio.run(self.listen("plain", None))

    def test_deflate_is_declined(self):
        asyncio.run(self.listen("deflate", "deflate"))


class Session(ApplicationSession):
    def __init__(self, joined):
        super().__init__(ComponentConfig("eole"))
        self.joined = joined
        self.left = asyncio.get_running_loop().create_future()

    def onJoin(self, details):  # noqa: N802 - its name there
        self.joined.set_result(self)

    def onLeave(self, details):  # noqa: N802 - said goodbye to
        self.left.set_result(details.reason)
        self.disconnect()

    def onUserError(self, fail, msg):  # noqa: N802 - said to the caller
        pass


class Autobahn(Served):
    """python3-autobahn: the script of wamp.test.mjs."""

    async def join(self):
        loop = asyncio.get_running_loop()
        txaio.config.loop = loop
        joined = loop.create_future()
        factory = WampWebSocketClientFactory(lambda: Session(joined), url=f"ws://{self.address}/wamp",
                                             serializers=[JsonSerializer()])
        await loop.create_connection(factory, self.http.host, self.http.port)
        return await asyncio.wait_for(joined, 20)

    async def refused(self, call, uri):
        with self.assertRaises(ApplicationError) as failed:
            await call
        self.assertEqual(failed.exception.error, uri)

    async def script(self):
        one, two = await self.join(), await self.join()
        heard = asyncio.Queue()
        await two.subscribe(heard.put_nowait, "py.news")
        await one.publish("py.news", "tea", options=PublishOptions(acknowledge=True))
        self.assertEqual(await heard.get(), "tea")

        def double(number):
            if not isinstance(number, int):
                raise ApplicationError("py.error.nan", "not a number")
            return 2 * number

        def count(most, details):
            for number in range(1, most):
                details.progress(number)
            return most

        running, stopped = asyncio.Event(), asyncio.Event()

        async def forever():
            running.set()
            try:
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError:
                stopped.set()
                raise ApplicationError("py.error.stopped") from None

        await two.register(double, "py.double")
        await two.register(count, "py.count", options=RegisterOptions(details_arg="details"))
        await two.register(forever, "py.forever")
        self.assertEqual(await one.call("py.double", 21), 42)
        await self.refused(one.call("py.double", "x"), "py.error.nan")
        await self.refused(one.call("py.nothing"), "wamp.error.no_such_procedure")
        await self.refused(one.register(double, "py.double"), "wamp.error.procedure_already_exists")
        parts = []
        self.assertEqual(await one.call("py.count", 3, options=CallOptions(on_progress=parts.append)), 3)
        self.assertEqual(parts, [1, 2])
        call = one.call("py.forever")
        await running.wait()
        call.cancel()
        await asyncio.wait_for(stopped.wait(), 20)
        self.assertEqual(await one.call("py.double", 4), 8)

        await one.subscribe(heard.put_nowait, "eole.py.", options=SubscribeOptions(match="prefix"))
        task = await one.call("eole.submit", {"kind": "echo", "args": "hello", "project": "py"})
        self.assertEqual((await one.call("eole.result", task, "20s"))["value"], "hello")
        self.assertEqual((await heard.get())["id"], task)
        await self.refused(one.call("eole.submit", {"kind": 1}), "eole.error.refused")
        for session in (two, one):
            session.leave()
            await asyncio.wait_for(session.left, 20)

    def test_the_script(self):
        asyncio.run(asyncio.wait_for(self.script(), 60))


if __name__ == "__main__":
    unittest.main()
