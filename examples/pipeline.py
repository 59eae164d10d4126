#!/usr/bin/python3
"""Download, compress, archive: two chains make each notification the next stage's task, while the archive refuses for a while.

    eole up --allow-exec
    python3 examples/pipeline.py [PICTURES]

The pictures and the archive are an HTTP server here, which answers 503 to the first uploads. Their stage tries again after
pauses that grow, and the other stages go on; in the end every picture is in the archive, once.
"""

import hashlib
import http.server
import itertools
import json
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients/python"))
import eole  # noqa: E402

EOLE = pathlib.Path(os.environ.get("EOLE_BIN", "")) / "eole"
REFUSED = 30  # Uploads, before the archive takes any.
PATIENCE_SECONDS = 60
WHERE = ("EOLE_CLUSTER", "XDG_STATE_HOME", "HOME")  # A command has none of this environment but what is said.
AWAY = 75  # The exit code of an archive that may be there later.


def archive(sha256, url):
    """The last stage, a command: puts an artifact there."""
    with tempfile.TemporaryDirectory() as directory, eole.Cluster() as cluster:
        picture = pathlib.Path(cluster.fetch(sha256, directory)).read_bytes()
    try:
        urllib.request.urlopen(urllib.request.Request(url, picture, method="PUT")).close()
    except urllib.error.HTTPError as error:
        sys.exit(AWAY if error.code == 503 else str(error))


def picture(number):
    """A PNG of 64 x 64 random pixels."""
    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
    noise = random.Random(number)
    rows = b"".join(b"\0" + noise.randbytes(3 * 64) for _ in range(64))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class Server(http.server.BaseHTTPRequestHandler):
    archive = {}
    refused = 0

    def log_message(self, *_):
        pass

    def answer(self, code, content=b""):
        self.send_response(code)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self):  # noqa: N802 - the name that http.server wants
        self.answer(200, picture(int(self.path.rpartition("/")[2])))

    def do_PUT(self):  # noqa: N802
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if Server.refused < REFUSED:
            Server.refused += 1
            return self.answer(503)
        Server.archive.setdefault(self.path.rpartition("/")[2], []).append(hashlib.sha256(content).hexdigest())
        return self.answer(201)


def main(pictures):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    here = f"http://127.0.0.1:{server.server_port}"
    name = f"pipeline-{os.getpid()}"

    def chain(*arguments):
        subprocess.run([EOLE, "chain", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)

    chain("add", f"{name}-compress", "--from", f"{name}/download/done", "--start", "earliest", "--project", f"{name}-small",
          "--submit", "image", "--arg", "artifact=$artifact", "--arg", "quality=40")
    chain("add", f"{name}-archive", "--from", f"{name}-small/image/done", "--start", "earliest", "--project", f"{name}-kept",
          "--retry", "--retry-on", f"exit:{AWAY}", "--attempts", 100, "--backoff", "100ms", "--backoff-max", "1s",
          "--submit", "exec", "--arg", "env=" + json.dumps({each: os.environ[each] for each in WHERE if each in os.environ}),
          "--arg", "argv=" + json.dumps([sys.executable, os.path.abspath(__file__), "archive", "${artifact.sha256}",
                                         here + "/archive/${id}"]))
    try:
        with eole.Cluster() as cluster:
            cluster.submit("download", [{"url": f"{here}/picture/{n}"} for n in range(pictures)], project=name)

            def ended(project):
                """How its tasks ended, once so many have as there are pictures."""
                results = (result for result in cluster.results(offset=0, timeout=PATIENCE_SECONDS, topic=f"{project}/#")
                           if result.is_final)
                return list(itertools.islice(results, pictures))

            small = {result.id: result.artifact["sha256"] for result in ended(f"{name}-small")}
            assert {result.state for result in ended(f"{name}-kept")} == {"done"}
            assert Server.archive == {task: [sha256] for task, sha256 in small.items()}, (Server.archive, small)
    finally:
        chain("remove", f"{name}-compress")
        chain("remove", f"{name}-archive")
    print(f"{pictures} pictures downloaded, compressed and archived once each; {Server.refused} uploads were refused meanwhile")


if __name__ == "__main__":
    archive(*sys.argv[2:]) if sys.argv[1:2] == ["archive"] else main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
