"""What others printed, submitted or returned: hostile records, and everybody who reads them."""

import json
import os
import pathlib
import struct
import subprocess
import sys
import unittest

import msgpack
import zmq
from cluster import BIN, Cluster, wait_until

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "clients/python"))
import eole  # noqa: E402
from eole import records  # noqa: E402
from eole.submission import class_of  # noqa: E402

ODD_ARGS = {  # Of echo tasks: what any client may submit.
    "text": b"\x81\xa1t\xa3\xff\xfe\x1b", "key": b"\x81\xa1\xff\x01", "list key": b"\x81\x92\x01\x02\x03",
    "map key": b"\x81\x81\x01\x02\x03", "number key": b"\x81\x07\x03", "extension": b"\x81\xa1e\xd4\x05\x00",
    "time": b"\xd6\xff\x00\x00\x00\x01", "bad time": b"\xd4\xff\x00", "reserved": b"\xd4\xfe\x00",
    "bytes": b"\xc4\x03\xff\x00\x9b", "largest": b"\xcf" + b"\xff" * 8, "smallest": b"\xd3\x80" + bytes(7),
    "not a number": b"\xcb\x7f\xf8" + bytes(6), "infinite": b"\xcb\x7f\xf0" + bytes(6), "deep": b"\x91" * 30 + b"\xc0",
    "controls": msgpack.packb("\x1b]0;PWNED\x07\x9b31m\x7f")}
ODD_BODIES = [b"", b"\xc1", b"\x05", b"\x91" * 3000 + b"\xc0", b"\x81\xa5value\xa2\xff\x1b", b"\x81\x92\x01\x02\x03",
              b"\x83\xa5state\xa4fake\xa2id\xa1x\xa6offset\xa1y", b"\x81\xa5error\xc7\x00\x05", b"\x81\xa8artifact\x93\x01\x02\x03",
              b"\x81\xa5value\xdd\xff\xff\xff\xff", b"\x82\xa5value\x01\xa5value\x02", b"\x81\xa5value\x01\x02\x03"]
CONTROLS = set(range(32)) - {10} | {127}


def raw_text(raw):
    """Bytes that msgpack shall call text."""
    return raw.decode(errors="surrogateescape")


class OddWorker:
    """Offers a kind and answers each of its tasks with a body of our choice."""

    def __init__(self, entries, name, kind):
        self.context = zmq.Context()
        self.context.linger = 1000
        self.pack = msgpack.Packer(unicode_errors="surrogateescape").pack
        self.ventilator, self.results = self.context.socket(zmq.DEALER), self.context.socket(zmq.PUSH)
        self.ventilator.connect(entries["ventilator"])
        self.results.connect(entries["results"])
        self.run, self.name = int.from_bytes(os.urandom(7), "little"), raw_text(name)
        self.say("hello", self.run, 1, 0, 0, 0, self.name, 1, 1, raw_text(kind), "", "")
        _, _, self.start, _, self.hello, self.origin, pipe, _ = self.hear(self.ventilator, "welcome")[0]
        self.pipe = self.context.socket(zmq.PULL)
        self.pipe.connect(pipe)

    def close(self):
        self.say("goodbye", self.start, self.run, self.hello)
        self.context.destroy(linger=1000)

    def say(self, *fields):
        self.ventilator.send_multipart([self.pack([1, *fields]), b""])

    @staticmethod
    def hear(socket, name):
        while socket.poll(10_000):
            head, payload = socket.recv_multipart()
            fields = msgpack.unpackb(head, unicode_errors="surrogateescape")
            if fields[1] == name:
                return fields, payload
        raise AssertionError(f"no {name}")

    def answer(self, bodies):
        """Takes as many tasks, and ends them all, each body for the task in its place by number."""
        self.say("beat", self.start, self.run, self.hello, 1, 0, len(bodies))
        taken = []
        while len(taken) < len(bodies):
            _, payload = self.hear(self.pipe, "tasks")
            at = 0
            while at < len(payload):
                seq, lease, submitted, attempt, class_size, _, count, size = struct.unpack_from("<QQqHHHII", payload, at)
                taken += [(seq + n, lease + n, attempt, submitted) for n in range(count)]
                at += 38 + class_size + size
        runs = b"".join(struct.pack("<IQIQHBBqqQBBBBII", self.origin, seq, self.start, lease, attempt, 1, 1, 1, submitted, 1, 4, 2,
                                    0, 0, 1, 4 + len(body)) + b"o\xff\x1bd" + b"p\xfe" + struct.pack("<I", len(body)) + body
                        for (seq, lease, attempt, submitted), body in zip(sorted(taken), bodies))
        self.results.send_multipart([self.pack([1, "results", self.run, 1, 0, len(bodies), self.name, self.origin]), runs])


class Hostile(unittest.TestCase):
    """What others printed, submitted or returned is shown by every reader, and ends none."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster("--allow-exec", workers=1, slots=2)
        cls.cluster.start()
        cls.addClassCleanup(cls.cluster.__exit__, None, None, None)
        cls.path = f"{cls.cluster.directory}/eole/cluster.toml"
        cls.listener = cls.subscriber([sys.executable, ROOT / "examples/subscriber.py"], "heard")
        cls.addClassCleanup(cls.listener.wait)
        cls.addClassCleanup(cls.listener.kill)
        with eole.Cluster(cls.path) as cluster:
            wait_until(lambda: cluster.map("echo", "for everyone") and
                       b"for everyone" in cls.printed("heard"), 20, "the Python subscriber hears")
            cls.ids = cluster.submit("exec", {"argv": ["printf", r"\377\376\033[2J\302\233"]})
            for args in ODD_ARGS.values():
                cls.ids += cls.submit_raw(cluster, b"echo", b"", args)
            unserved = cls.submit_raw(cluster, b"k\xff\x1b[2J", b"p\xff\x9b", b"\xc1")
            assert cluster.cancel(unserved, wait=False) == {unserved[0]: "cancelling"}
            bodies = [cls.submit_raw(cluster, b"o\xff\x1bd", b"p\xfe", b"\x80")[0] for _ in ODD_BODIES]
            cls.ids += unserved + bodies
            worker = OddWorker(cluster._connection._entries, b"w\xff\x1b[2J", b"o\xff\x1bd")
            cls.addClassCleanup(worker.close)
            worker.answer(ODD_BODIES)
            cls.results = {result.id: result for result in cluster.results(cls.ids, timeout=20)}
            cls.bodies = [cls.results[task] for task in bodies]

    @classmethod
    def subscriber(cls, command, name):
        with open(f"{cls.cluster.directory}/{name}", "wb") as out:
            return subprocess.Popen(command, env=cls.cluster.env, stdout=out, stderr=out)

    @classmethod
    def printed(cls, name):
        return pathlib.Path(cls.cluster.directory, name).read_bytes()

    @staticmethod
    def submit_raw(cluster, kind, project, args):
        task_class, spec = class_of(kind, project, 0, False), struct.pack("<BI", 0, len(args)) + args
        group = struct.pack("<HHII", len(task_class), 0, 1, len(spec)) + task_class + spec
        return cluster._submit([(group, 1, "")])

    def test_the_client_hands_out_every_result(self):
        self.assertEqual(set(self.results), set(self.ids))
        echoed = [self.results[task].value for task in self.ids[1:1 + len(ODD_ARGS)]]
        for (what, raw), value in zip(ODD_ARGS.items(), echoed):
            if what not in ("not a number", "bad time"):  # Of a bad time the body is bytes.
                self.assertEqual(value, records.decode(raw), what)
        self.assertEqual([result.body for result in self.bodies], [records.decode(body) for body in ODD_BODIES])
        self.assertEqual({(result.kind, result.project, result.worker) for result in self.bodies},
                         {(b"o\xff\x1bd", b"p\xfe", b"w\xff\x1b[2J")})

    def test_a_later_reading_does_so_too_and_each_can_be_asked_for(self):
        with eole.Cluster(self.path) as cluster:
            again = {result.id: result for result in cluster.results(self.ids, offset=0, timeout=20)}
            self.assertEqual(repr(again), repr({task: self.results[task] for task in again}))
            self.assertEqual(len(again), len(self.ids))
            for task in self.ids:
                self.assertEqual(repr(cluster.result(task)), repr(self.results[task]))
                self.assertEqual(cluster.status(task)["state"], self.results[task].state)
            for result in self.bodies:
                with self.assertRaises(eole.NotFound):
                    cluster.fetch(result)

    def test_the_python_subscriber_prints_each_on_a_line_of_its_own(self):
        last = max(result.offset for result in self.results.values())
        lines = wait_until(lambda: (lines := self.printed("heard").splitlines())[-1].startswith(b"%d " % last) and lines)
        self.assertIsNone(self.listener.poll())
        self.assertFalse(CONTROLS & set(b"".join(lines)))
        self.assertNotIn(b"\xc2\x9b", b"".join(lines))
        offsets = {int(line.split()[0]) for line in lines}
        self.assertLessEqual({result.offset for result in self.results.values()}, offsets)

    def check_json(self, printed):
        self.assertFalse(CONTROLS & set(printed))
        self.assertNotIn(b"\xc2\x9b", printed)
        views = {view["id"]: view for view in map(json.loads, printed.splitlines())}
        self.assertLessEqual(set(self.ids), set(views))
        for task in self.ids:
            self.assertEqual((views[task]["state"], views[task]["offset"]),
                             (self.results[task].state, self.results[task].offset))
        return views

    def test_the_other_subscriber_does_so_too(self):
        other = self.subscriber([BIN / "eole-subscriber"], "read")
        last = b'"offset":%d,' % max(result.offset for result in self.results.values())
        wait_until(lambda: last in self.printed("read") and self.printed("read").endswith(b"\n"))
        self.assertIsNone(other.poll())
        other.kill()
        other.wait()
        views = self.check_json(self.printed("read"))
        self.assertEqual(views[self.bodies[1].id]["body"], {"base64": "wQ=="})

    def test_eole_watch_and_result_show_them(self):
        head = self.cluster.status()["head"]
        printed = subprocess.run([BIN / "eole", "watch", "--from", "0", "--count", str(head), "--json"],
                                 env=self.cluster.env, capture_output=True, timeout=60, check=True).stdout
        self.check_json(printed)
        for task in self.ids:
            done = subprocess.run([BIN / "eole", "result", task, "--json"], env=self.cluster.env,
                                  capture_output=True, timeout=60, check=False)
            self.assertEqual(json.loads(done.stdout)["id"], task, done.stderr)
            self.assertFalse(CONTROLS & set(done.stdout))


if __name__ == "__main__":
    unittest.main()
