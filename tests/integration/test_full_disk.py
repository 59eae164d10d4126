"""A small disk under all of a cluster: full of artifacts, of parts, or of somebody else's files."""

import os
import pathlib
import signal
import sys
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cluster import Cluster, wait_until

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "chaos"))
from disks import Missing, Tmpfs  # noqa: E402 - found beside the chaos runs

MEGABYTE = 1 << 20


class Large(BaseHTTPRequestHandler):
    """A file that is larger than the disk; one of whose length nobody knows."""

    def do_GET(self):  # noqa: N802 - the base class calls it so
        self.send_response(200)
        if self.path == "/large":
            self.send_header("Content-Length", str(600 * MEGABYTE))
        self.end_headers()
        try:
            for _ in range(600):
                self.wfile.write(bytes(MEGABYTE))
        except OSError:
            pass

    def log_message(self, *_):
        pass


class FullDisk(unittest.TestCase):
    def setUp(self):
        try:
            disk = Tmpfs("560M")
        except Missing as why:
            self.skipTest(str(why))
        self.directory = str(disk.path)
        self.addCleanup(disk.__exit__)

    def cluster(self):
        return Cluster("--allow-exec", workers=1, slots=2, directory=self.directory)

    def works(self, cluster):
        done = cluster.eole("submit", "echo", "1", "--wait", check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def fill(self):
        path = pathlib.Path(self.directory, "of-another-program")
        with open(path, "wb", buffering=0) as file:
            try:
                while file.write(bytes(MEGABYTE)) == MEGABYTE:
                    pass
            except OSError:
                pass
        return path

    def test_an_artifact_that_would_take_the_logs_space_is_refused_by_name(self):
        with self.cluster() as cluster:
            command = "head -c 200000000 /dev/zero"
            task = {"kind": "exec", "args": {"shell": command, "output_max": 300_000_000}}
            result = cluster.submit([task], "--wait", check=False)[0]
            self.assertEqual(result["state"], "failed")
            self.assertIn("the sink's disk has no room", result["error"])
            self.works(cluster)
            self.assertEqual(cluster.status()["artifacts"], 0)

    def serve(self):
        server = ThreadingHTTPServer(("127.0.0.1", 0), Large)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_address[1]}"

    def test_a_download_that_fills_the_disk_on_its_way_says_so_and_gives_its_space_back(self):
        with self.cluster() as cluster:
            args = {"url": f"{self.serve()}/unknown", "sha256": "0" * 64}
            result = cluster.submit([{"kind": "download", "args": args}], "--wait", check=False)[0]
            self.assertRegex(result["error"], r"cannot write /.*: No space left on device")
            scratch = pathlib.Path(self.directory, "eole/data/w1")
            wait_until(lambda: not [path for path in scratch.iterdir() if ".part" in path.name], what="empty scratch")
            self.works(cluster)

    def test_a_download_larger_than_the_disk_fails_and_gives_its_space_back(self):
        with self.cluster() as cluster:
            url = f"{self.serve()}/large"
            tasks = [{"kind": "download", "args": {"url": url, "retries": 0}} for _ in range(3)]
            results = cluster.submit(tasks, "--wait", check=False)
            for result in results:
                self.assertEqual(result["state"], "failed")
                self.assertRegex(result["error"], r"the disk has no room for its 629145600 bytes, \d+ are free: /")
            scratch = pathlib.Path(self.directory, "eole/data/w1")
            wait_until(lambda: not [path for path in scratch.iterdir() if ".part" in path.name], what="empty scratch")
            self.works(cluster)

    def test_both_roles_start_on_a_full_disk_and_go_on_by_themselves_when_there_is_room(self):
        with self.cluster() as cluster:
            self.works(cluster)
            file = self.fill()
            for role in ("ventilator", "sink"):
                cluster.kill(role, signal.SIGKILL)
            wait_until(lambda: cluster.settled() == 1, what="both start on the full disk")
            file.unlink()
            wait_until(lambda: cluster.eole("submit", "echo", "2", "--wait", check=False).returncode == 0,
                       what="service once there is room")
            status = cluster.status()
            self.assertEqual(status["settled"], status["accepted"])

    def test_what_was_accepted_settles_once_when_a_full_disk_has_room_again(self):
        with self.cluster() as cluster:
            cluster.eole("pause", "all")
            lines = pathlib.Path(self.directory, "lines")
            lines.write_text("x" * 130_000, encoding="ascii")
            # More than the log may write without another segment.
            tasks = [{"kind": "exec", "args": {"shell": f"cat {lines}; cat {lines} >&2"}}] * 500
            accepted = cluster.submit(tasks)
            file = self.fill()
            pid = cluster.pid("sink")
            cluster.eole("resume", "all")
            full = wait_until(lambda: (status := cluster.status())["log_full"] and status, what="a sink that says it is full")
            self.assertTrue(0 < full["settled"] < len(tasks), full)
            file.unlink()
            cluster.wait_settled(len(tasks))
            self.assertEqual(cluster.pid("sink"), pid)  # No write failed: it knew before.
            status = cluster.status()
            self.assertEqual((status["done"], status["head"]), (len(tasks), len(tasks)))
            self.assertEqual(cluster.task(accepted[-1]["id"])["state"], "done")


if __name__ == "__main__":
    unittest.main()
