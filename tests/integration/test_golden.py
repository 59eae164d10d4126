"""Every reader of the log reads the golden samples, also with fields that only a later release knows."""

import itertools
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

import msgpack
from cluster import BIN
from fake_sink import GOLDEN, FakeSink, cluster_text

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "clients/python"))
import eole  # noqa: E402

LATER = (7, "later", 1 << 63)


class GoldenSink(FakeSink):
    """Says the golden heads and batch and nothing else, byte for byte; the batch lies where it is asked for."""

    def __init__(self, directory, later):
        super().__init__(directory)
        self.later = later

    def head_of(self, name, request=None):
        """The golden head; an answer's first field is the number of what it answers."""
        head = bytearray(GOLDEN[name])
        if request is not None:
            head[3 + len(name)] = request
        later = ("", *self.later) if self.later and name == "records" else self.later  # Behind `within`.
        head[0] += len(later)
        return bytes(head) + b"".join(map(msgpack.packb, later))

    def answer(self, name, request, fields):
        assert name == "read" and request < 128, (name, request)
        batch = fields[1].to_bytes(8, "little") + GOLDEN["batch.record"][8:]
        return self.head_of("records", request), struct.pack("<I", len(batch)) + batch

    def news(self):
        yield [b"head", self.head_of("log_head"), b""]
        yield [b"result.photos", self.head_of("notification"), GOLDEN["batch.record"]]


class Golden(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="eole-test-")
        self.addCleanup(self.directory.cleanup)
        self.path = pathlib.Path(self.directory.name, "cluster.toml")
        self.path.write_text(cluster_text(self.directory.name), encoding="ascii")
        self.path.chmod(0o600)

    def with_each_sink(self, check):
        for later in ((), LATER):
            with self.subTest(later=later), GoldenSink(self.directory.name, later):
                check()

    def first_lines_of(self, *command):
        """A line for each result of the batch; what it says else is shown if it prints none."""
        with subprocess.Popen([*command, self.path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as reader:
            patience = threading.Timer(60, reader.kill)
            patience.start()
            try:
                return [reader.stdout.readline().decode() for _ in range(3)]
            finally:
                patience.cancel()
                reader.kill()

    def test_the_python_client_reads_them(self):
        def check():
            with eole.Cluster(self.path, patience=60) as cluster:
                results = list(itertools.islice(cluster.results(offset=1000, timeout=60), 3))
                self.assertEqual([(each.offset, each.id, each.kind, each.project, each.state, each.error, each.value)
                                  for each in results],
                                 [(1000, "003rj0-42", "echo", "photos", "failed", "why", None),
                                  (1001, "003rj0-43", "echo", "photos", "done", None, 7),
                                  (1002, "003rj0-44", "echo", "photos", "done", None, None)])
        self.with_each_sink(check)

    def test_the_subscriber_in_python_reads_them(self):
        def check():
            self.assertEqual(self.first_lines_of(sys.executable, ROOT / "examples/subscriber.py"),
                             ["1000 42 'echo' failed {'error': 'why'}\n", "1001 43 'echo' done {'value': 7}\n",
                              "1002 44 'echo' done {}\n"])
        self.with_each_sink(check)

    def test_the_other_subscriber_reads_them(self):
        def check():
            failed, *done = map(json.loads, self.first_lines_of(BIN / "eole-subscriber"))
            self.assertEqual((failed["offset"], failed["id"], failed["attempt"], failed["error"]), (0, "003rj0-42", 3, "why"))
            self.assertEqual([(each["offset"], each["id"], each["state"], each.get("value")) for each in done],
                             [(1, "003rj0-43", "done", 7), (2, "003rj0-44", "done", None)])
        self.with_each_sink(check)


if __name__ == "__main__":
    unittest.main()
