"""A sink that is none: it serves what a test gives it."""

import pathlib
import struct
import threading

import msgpack
import zmq

GOLDEN = {path.name.removesuffix(".hex"): bytes.fromhex(path.read_text(encoding="ascii"))
          for path in (pathlib.Path(__file__).parents[1] / "golden").glob("*.hex")}
NAMES = ("ventilator", "queries", "notifications", "artifacts")


def cluster_text(directory):
    """What a cluster file says of sockets in this directory."""
    return "".join(f"{name} = 'ipc://{directory}/{name}'\n" for name in NAMES)


def result_run(origin, seq, value, state=1):
    """A final result, done unless another state is said."""
    body = msgpack.packb({"value": value})
    return struct.pack("<IQIQHBBqqQBBBBII", origin, seq, 1, 1, 1, state, 1, 1_790_000_000_123, 1_790_000_000_000, 1, 4, 0, 0, 0, 1,
                       4 + len(body)) + b"echo" + struct.pack("<I", len(body)) + body


class FakeSink:
    """Answers status and read, and says its news all the time."""

    def __init__(self, directory):
        self.log, self.head, self.batch, self.is_over = 1, 0, b"", False
        self.context = zmq.Context()
        self.queries = self.context.socket(zmq.ROUTER)
        self.queries.bind(f"ipc://{directory}/queries")
        self.publisher = self.context.socket(zmq.PUB)
        self.publisher.bind(f"ipc://{directory}/notifications")
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        self.thread.join()
        self.context.destroy(linger=0)

    def run(self):
        while not self.is_over:
            if self.queries.poll(20):
                peer, head, _ = self.queries.recv_multipart()
                _, name, request, *fields = msgpack.unpackb(head)
                self.queries.send_multipart([peer, *self.answer(name, request, fields)])
            for frames in self.news():
                self.publisher.send_multipart(frames)

    def answer(self, name, request, fields):
        """Head and payload."""
        if name == "query":
            return (msgpack.packb([1, "answer", request]),
                    msgpack.packb({"log": f"{self.log:016x}", "head": self.head}))
        if fields[0] not in (0, self.log):
            return msgpack.packb([1, "refused", request, "another log"]), b""
        payload = struct.pack("<I", len(self.batch)) + self.batch if self.batch else b""
        return msgpack.packb([1, "records", request, self.log, self.head, self.head, 0]), payload

    def news(self):
        """Topic, head and payload of each."""
        yield [b"head", msgpack.packb([1, "log_head", self.log, self.head]), b""]
