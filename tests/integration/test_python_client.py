"""What the Python client decodes, refuses, splits and survives; hostile records and who reads them."""

import contextlib
import datetime
import hashlib
import json
import math
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import msgpack
import zmq
from cluster import BIN, Cluster, wait_until

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "clients/python"))
import eole  # noqa: E402
from eole import records, submission  # noqa: E402

GOLDEN = {path.name.removesuffix(".hex"): bytes.fromhex(path.read_text(encoding="ascii"))
          for path in (ROOT / "tests/golden").glob("*.hex")}


def batch_of(run, count=1, first=0, worker=b"w1"):
    return struct.pack("<QQQIHH", first, 7, 5, count, len(worker), 0) + worker + run


def opened(batch, wanted=0):
    found = []
    records.open_batch(batch, wanted, found)
    return found


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


class Wire(unittest.TestCase):
    """No cluster: bytes."""

    def test_the_golden_records_are_read(self):
        [result] = opened(GOLDEN["batch.record"])
        self.assertEqual((result.offset, result.id, result.kind, result.project, result.state, result.attempt),
                         (1000, "003rj0-42", "echo", "photos", "failed", 3))
        self.assertEqual((result.worker, result.error, result.run_seconds, result.is_final), ("w1", "why", 1.5, False))
        pair = opened(batch_of(GOLDEN["result_run.record"], count=2))
        self.assertEqual([(each.offset, each.id, each.value) for each in pair],
                         [(0, "003rj0-42", 7), (1, "003rj0-43", None)])
        self.assertEqual(opened(batch_of(GOLDEN["result.record"]))[0].error, "why")

    def test_the_golden_heads_are_read(self):
        for name, fields in (("accepted", [123456]), ("notification", [99]), ("log_head", [99, 1010]),
                             ("records", [1, 99, 1010, 1010, 4242]), ("refused", [1, "queue full"]),
                             ("answer", [1]), ("chunk", [1, 1000, 0])):
            self.assertEqual(records.head_of(GOLDEN[name]), [1, name, *fields])
        self.assertEqual(next(submission.ACCEPTANCE.iter_unpack(GOLDEN["acceptance.record"])), (1, 42, 2))

    def test_the_golden_tasks_are_written(self):
        [(payload, count, key)] = submission.messages_of("echo", {}, "photos", True, "", 1)
        self.assertEqual((payload, count, key), (GOLDEN["task_spec.record"], 1, ""))

    def test_what_cannot_be_decoded_comes_as_bytes(self):
        for raw, value in (
                (b"\x81\xa5value\xa2\xff\xfe", {"value": b"\xff\xfe"}),
                (b"\x82\xa1\xff\x01\xa1a\xa2ok", {b"\xff": 1, "a": "ok"}),
                (b"\x81\x92\x01\x91\x02\x03", {(1, (2,)): 3}),
                (b"\x81\x81\x01\x02\x03", {((1, 2),): 3}),
                (b"\x92\xc4\x01\xff\xa1\xff", [b"\xff", b"\xff"]),
                (b"\x92\xd4\x05\x00\xa1\xff", [msgpack.ExtType(5, b"\0"), b"\xff"]),
                (b"\xd4\xfe\x07", b"\x07"),
                (b"\xd6\xff\0\0\0\1", msgpack.Timestamp(1)),
                (b"\x81\x01\xd4\xff\0", b"\x81\x01\xd4\xff\0"),
                (b"\xc1", b"\xc1"), (b"", b""), (b"\x01\x02", b"\x01\x02"), (b"\xdd\xff\xff\xff\xff", b"\xdd\xff\xff\xff\xff"),
                (b"\xcf" + b"\xff" * 8, (1 << 64) - 1), (b"\xd3\x80" + bytes(7), -1 << 63),
                (b"\xa3\xed\xa0\x80", b"\xed\xa0\x80")):
            with self.subTest(raw=raw):
                self.assertEqual(records.decode(raw), value)
        self.assertTrue(math.isnan(records.decode(b"\xcb\x7f\xf8" + bytes(6))))

    def test_what_is_nested_too_deep_comes_as_its_bytes(self):
        self.assertEqual(records.decode(msgpack.packb(nested(31))), nested(31))
        for depth in (33, 200, 400):
            raw = msgpack.packb(nested(depth))
            self.assertEqual(records.decode(raw), raw)
        for raw in (b"\x91" * 100_000 + b"\xc0", b"\x81\xa1a" * 100_000 + b"\xc0", b"\x81\xa1\xff" * 40 + b"\xc0"):
            self.assertEqual(records.decode(raw), raw)
        wide = {"value": [{"n": [n]} for n in range(1000)]}
        self.assertEqual(records.decode(msgpack.packb(wide)), wide)

    def test_names_that_are_no_text_come_as_bytes_and_a_body_may_be_anything(self):
        head = bytearray(GOLDEN["result.record"])
        run = bytes(head).replace(b"echo", b"\xff\xfe\x1b\xff").replace(b"photos", b"\xc3photo")
        [result] = opened(batch_of(run, worker=b"\x80"))
        self.assertEqual((result.kind, result.project, result.worker), (b"\xff\xfe\x1b\xff", b"\xc3photo", b"\x80"))
        [result] = opened(batch_of(GOLDEN["result.record"].replace(b"\x81\xa5error\xa3why", b"\x9a\xa5error\xa3why")))
        self.assertEqual((result.body, result.value, result.error), (b"\x9a\xa5error\xa3why", None, None))

    def test_a_malformed_batch_is_named(self):
        with self.assertRaisesRegex(eole.Damaged, "offset 1000"):
            opened(GOLDEN["batch.record"][:70])

    def test_one_value_is_one_task_and_an_iterable_is_many(self):
        def counts(args):
            return [count for _, count, _ in submission.messages_of("echo", args, "", False, "", 1024)]
        for one in ("hello", b"hello", {"a": 1}, 5, 2.5, None, True, msgpack.ExtType(1, b"x"), msgpack.Timestamp(1)):
            self.assertEqual(counts(one), [1])
        for many in ([1, 2, 3], ("a", "b", "c"), (n for n in range(3)), {1, 2, 3}, range(3)):
            self.assertEqual(counts(many), [3])
        self.assertEqual((counts([]), counts([[1, 2]])), ([], [1]))

    def test_messages_are_split_by_bytes_and_by_number(self):
        sizes = [(len(payload), count) for payload, count, _ in
                 submission.messages_of("echo", ["x" * 900_000] * 3 + ["y"] * 9, "", False, "", 8)]
        self.assertEqual([count for _, count in sizes], [1, 1, 8, 2])
        self.assertLess(max(size for size, _ in sizes), 1 << 20)


class Nobody(unittest.TestCase):
    """A cluster file without a cluster."""

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="eole-test-")
        self.path = f"{self.directory.name}/cluster.toml"
        self.write("".join(f"{name} = 'ipc://{self.directory.name}/{name}'\n"
                           for name in ("ventilator", "queries", "notifications", "artifacts")))

    def tearDown(self):
        self.directory.cleanup()

    def write(self, text, mode=0o600):
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path, mode)

    def test_a_bad_cluster_file_says_what_is_wrong_with_it(self):
        good = pathlib.Path(self.path).read_text(encoding="utf-8")
        for text, why in (("ventilator = 5", "no text"), ("= ", "line 1"), ("a = 'b'", "names no ventilator"),
                          (good.replace("ipc:", "tcp:", 1), "TCP needs keys"),
                          (good + "server_key = 'x'\n", "ipc takes no keys"),
                          (good.replace("ipc:", "udb:", 1), "ventilator = udb:")):
            self.write(text)
            with self.subTest(text=text), self.assertRaisesRegex(eole.BadClusterFile, why) as raised:
                eole.Cluster(self.path)
            self.assertIn(self.path, str(raised.exception))
        self.write(good, 0o640)
        with self.assertRaisesRegex(eole.BadClusterFile, "chmod it to 0600"):
            eole.Cluster(self.path)
        os.unlink(self.path)
        with self.assertRaisesRegex(eole.BadClusterFile, "not there"):
            eole.Cluster(self.path)
        with self.assertRaisesRegex(eole.BadClusterFile, "cannot be read"):
            eole.Cluster(self.directory.name)

    def test_silence_is_an_error_of_its_own(self):
        with eole.Cluster(self.path, patience=0.2) as cluster:
            for ask in (lambda: cluster.submit("echo", 1), cluster.status, lambda: list(cluster.results()),
                        lambda: cluster.result("k3f9qz-1"), lambda: list(cluster.results(offset=0))):
                with self.assertRaisesRegex(eole.NoAnswer, r"within 0\.2 s"):
                    ask()

    def test_a_bad_task_is_refused_before_anything_is_sent(self):
        with eole.Cluster(self.path, patience=0.2) as cluster:  # Else it would be NoAnswer.
            for args, options, error, why in (
                    ([{}, {"x": b"x" * (1 << 20)}], {}, eole.TooLarge, r"task 1.* 10485\d\d bytes, limit 1048576"),
                    ([1, 2, object()], {}, eole.BadTask, "task 2 cannot be packed: TypeError"),
                    ([1 << 64], {}, eole.BadTask, "task 0 cannot be packed: OverflowError"),
                    (["\ud800"], {}, eole.BadTask, "task 0 cannot be packed: UnicodeEncodeError"),
                    ([b"x" * 900_000] * 30, {"key": "k"}, eole.TooLarge, r"'k'.*27\d* bytes, limit 8388608"),
                    (range(65537), {"key": "k"}, eole.TooLarge, "at most 65536"),
                    (iter(range(1 << 62)), {"key": "k"}, eole.TooLarge, "at most 65536"),
                    ([1], {"project": "p" * 256}, eole.BadTask, "project has 256 bytes, limit 255")):
                with self.subTest(why=why), self.assertRaisesRegex(error, why) as raised:
                    cluster.submit("echo", args, **options)
                self.assertFalse(raised.exception.ids)
            with self.assertRaisesRegex(eole.BadTask, "kind has 0 bytes"):
                cluster.submit("", 1)

    def test_what_is_no_task_id_is_not_found(self):
        with eole.Cluster(self.path) as cluster:
            for odd in ("", "x", "k3f9qz", "k3f9qz-", "k3f9qz-0", "k3f9qz-x", "K3F9QZ-1", "k3f9qz-1-1",
                        f"k3f9qz-{1 << 64}", "k3f9qz-²", 5, None, b"k3f9qz-1"):
                with self.assertRaisesRegex(eole.NotFound, "not a task id"):
                    cluster.result(odd)

    def test_a_replaced_log_is_told_and_read_from_its_start(self):
        with FakeSink(self.directory.name) as sink, eole.Cluster(self.path, patience=5) as cluster:
            sink.log, sink.head = 7, 3
            reading = cluster.results(timeout=5)
            threading.Timer(0.1, lambda: setattr(sink, "log", 8)).start()
            with self.assertRaisesRegex(eole.LogReplaced, "0000000000000007 was replaced by 0000000000000008"):
                next(reading)
            sink.batch, sink.head = batch_of(GOLDEN["result.record"]), 1
            self.assertEqual(next(cluster.results(timeout=5)).offset, 0)


class FakeSink:
    """Answers status and read, and says its head all the time."""

    def __init__(self, directory):
        self.log, self.head, self.batch, self.is_over = 1, 0, b"", False
        self.context = zmq.Context()
        self.queries = self.context.socket(zmq.ROUTER)
        self.queries.bind(f"ipc://{directory}/queries")
        self.news = self.context.socket(zmq.PUB)
        self.news.bind(f"ipc://{directory}/notifications")
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
                if name == "query":
                    answer = [1, "answer", request], msgpack.packb({"log": f"{self.log:016x}", "head": self.head})
                elif fields[0] not in (0, self.log):
                    answer = [1, "refused", request, "another log"], b""
                else:
                    payload = struct.pack("<I", len(self.batch)) + self.batch if self.batch else b""
                    answer = [1, "records", request, self.log, self.head, self.head, 0], payload
                self.queries.send_multipart([peer, msgpack.packb(answer[0]), answer[1]])
            self.news.send_multipart([b"head", msgpack.packb([1, "log_head", self.log, self.head]), b""])


class Client(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster("--allow-exec", workers=2, slots=2)
        cls.cluster.start()
        cls.path = f"{cls.cluster.directory}/eole/cluster.toml"

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)

    def test_large_arguments_go_in_messages_that_arrive(self):
        with eole.Cluster(self.path, patience=20) as cluster:
            results = cluster.map("echo", [{"n": n, "x": b"x" * 900_000} for n in range(30)])
            self.assertEqual([(result.value["n"], len(result.value["x"])) for result in results],
                             [(n, 900_000) for n in range(30)])

    def test_one_text_is_one_task(self):
        with eole.Cluster(self.path) as cluster:
            [result] = cluster.map("echo", "hello")
            self.assertEqual(result.value, "hello")

    def test_a_bad_item_of_a_generator_tells_what_was_accepted_before(self):
        with eole.Cluster(self.path) as cluster:
            def tasks():
                yield from range(25)
                yield object()
            with self.assertRaisesRegex(eole.BadTask, "task 25 ") as raised:
                cluster.submit("echo", tasks(), batch=10)
            self.assertEqual(len(raised.exception.ids), 20)
            self.assertEqual({result.value for result in cluster.results(raised.exception.ids)}, set(range(20)))

            def broken():
                yield 1
                raise OSError("disk gone")
            with self.assertRaisesRegex(eole.BadTask, "behind task 0: OSError: disk gone") as raised:
                cluster.submit("echo", broken(), batch=1)
            self.assertEqual(len(raised.exception.ids), 1)

    def test_results_of_others_are_looked_up_and_unknown_ones_named(self):
        with eole.Cluster(self.path) as first, eole.Cluster(self.path) as second:
            ids = first.submit("echo", range(5))
            list(first.results(ids))
            self.assertEqual(sorted(result.value for result in second.results(ids)), [0, 1, 2, 3, 4])
            self.assertEqual(sorted(result.value for result in first.results(ids)), [0, 1, 2, 3, 4])
            self.assertEqual(second.result(ids[3]).value, 3)
            with self.assertRaisesRegex(eole.NotFound, "no such task was accepted"):
                list(second.results("zzzzzz-9"))

    def test_a_reader_that_stops_early_loses_nothing(self):
        with eole.Cluster(self.path) as cluster:
            ids = cluster.submit("echo", range(500))
            first = next(iter(cluster.results(ids)))
            rest = list(cluster.results([task for task in ids if task != first.id], timeout=20))
            self.assertEqual(sorted(result.value for result in rest + [first]), list(range(500)))
            two = [cluster.results(ids[:250]), cluster.results(ids[250:])]
            self.assertEqual(len([result for pair in zip(*two) for result in pair]), 500)

    def test_the_log_is_read_from_an_offset(self):
        with eole.Cluster(self.path) as cluster:
            ids = cluster.submit("echo", range(10))
            list(cluster.results(ids))
            whole = list(cluster.results(offset=0, timeout=0.5))
            self.assertEqual([result.offset for result in whole], list(range(len(whole))))
            self.assertEqual(len(list(cluster.results(ids, offset=0))), 10)

    def test_a_file_is_fetched_whole_and_replaces_nothing_unasked(self):
        with eole.Cluster(self.path) as cluster, tempfile.TemporaryDirectory() as here:
            artifact = put(self.path, os.urandom(3 << 20))
            path = cluster.fetch(artifact, f"{here}/file")
            self.assertEqual(sha256(path), artifact)
            with self.assertRaisesRegex(eole.FileExists, "is there already"):
                cluster.fetch(artifact, path)
            with open(path, "w", encoding="ascii") as file:
                file.write("precious")
            self.assertEqual(cluster.fetch(artifact, path, force=True), path)
            self.assertEqual(sha256(path), artifact)
            self.assertEqual(cluster.fetch(artifact, here), f"{here}/{artifact}")
            with self.assertRaises(eole.Error):
                cluster.fetch("0" * 64, here)
            with self.assertRaisesRegex(eole.Error, "No such file or directory"):
                cluster.fetch(artifact, f"{here}/none/file")
            self.assertEqual(sorted(os.listdir(here)), sorted(["file", artifact]))
            for name, safe in (("../../e\x1bvil\n", "e_vil_"), ("..", artifact), (b"\xff", artifact), ("n" * 300, "n" * 255)):
                body = {"artifact": {"sha256": artifact, "bytes": 3 << 20, "name": name}}
                result = eole.Result(0, "k3f9qz-1", "echo", "", "done", 1, True, "w1", 0.0, 0.0, body)
                with contextlib.chdir(tempfile.mkdtemp(dir=here)):
                    self.assertEqual(cluster.fetch(result), safe)
                    self.assertEqual(os.listdir(), [safe])
            [result] = cluster.map("echo", 1)
            with self.assertRaisesRegex(eole.NotFound, "has no artifact"):
                cluster.fetch(result.id)

    def test_the_status_of_the_cluster_and_of_a_task(self):
        with eole.Cluster(self.path) as cluster:
            [task] = cluster.submit("echo", {"a": 1}, project="night")
            list(cluster.results([task]))
            status = cluster.status()
            self.assertLessEqual({"accepted", "queued", "settled", "head", "roles"}, set(status))
            self.assertEqual(sorted(role["role"] for role in status["roles"]), ["sink", "ventilator", "worker", "worker"])
            known = cluster.status(task)
            self.assertEqual((known["id"], known["state"], known["project"], known["value"]),
                             (task, "done", "night", {"a": 1}))


class Operator(unittest.TestCase):
    """What waits, what is cancelled, what is dead, what was."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster("--allow-exec", workers=1, slots=1)
        cls.cluster.start()
        cls.addClassCleanup(cls.cluster.__exit__, None, None, None)
        cls.path = f"{cls.cluster.directory}/eole/cluster.toml"

    def test_what_is_not_settled_is_listed_and_cancelled(self):
        with eole.Cluster(self.path) as cluster:
            [running] = cluster.submit("sleep", {"seconds": 60}, project="night")
            waiting = cluster.submit("sleep", ({"seconds": 60} for _ in range(2500)), project="day")
            [odd] = cluster.submit("none", {}, project=b"d\xff")
            wait_until(lambda: running in [task["id"] for task in cluster.tasks(state="running")])
            self.assertEqual([task["id"] for task in cluster.tasks(project="day")], waiting)
            self.assertEqual([task["id"] for task in cluster.tasks(project=b"d\xff")], [odd])
            self.assertEqual([task["project"] for task in cluster.tasks(kind="none")], [b"d\xff"])
            self.assertEqual(len(list(cluster.tasks())), 2502)
            self.assertIsNone(cluster.result(running))
            self.assertEqual(cluster.status(running)["state"], "running")
            unknown = waiting[0].replace(waiting[0][:6], "zzzzzz")
            # Every second one, so that there are as many ranges.
            states = cluster.cancel([running, odd, unknown, *waiting[::2]])
            self.assertEqual(states.pop(unknown), "unknown")
            self.assertEqual((len(states), set(states.values())), (1252, {"cancelling"}))
            cluster.cancel(waiting)
            ended = list(cluster.results([running, odd, *waiting], timeout=20))
            self.assertEqual((len(ended), {result.state for result in ended}), (2502, {"cancelled"}))
            self.assertEqual(cluster.cancel(running), {running: "settled"})
            self.assertEqual((cluster.cancel([]), list(cluster.tasks())), ({}, []))

    def test_dead_letters_are_listed_replayed_and_discarded(self):
        with eole.Cluster(self.path) as cluster:
            dead = cluster.submit("exec", [{"shell": f"exit {n}"} for n in (3, 4)], project="graves", retry=True, attempts=2)
            results = list(cluster.results(dead, timeout=60))
            self.assertEqual({result.state for result in results}, {"dead"})
            letters = {letter["id"]: letter for letter in cluster.dead(project="graves")}
            self.assertEqual(sorted(letters), sorted(dead))
            self.assertTrue(all("exit code" in reason for reason in letters[dead[0]]["reasons"]), letters)
            attempts = [(attempt["attempt"], attempt["state"]) for attempt in cluster.status(dead[0])["attempts"]]
            self.assertEqual((attempts[0], attempts[-1]), ((1, "retrying"), (2, "dead")))
            again = cluster.replay(dead)
            self.assertEqual(cluster.replay(dead[1]), again[1:])
            self.assertFalse(set(again) & set(dead))
            list(cluster.results(again, timeout=60))
            self.assertEqual(cluster.discard(dead), 2)
            self.assertEqual(cluster.discard(dead[0]), 0)
            self.assertFalse(set(dead) & {letter["id"] for letter in cluster.dead()})
            [done] = cluster.map("echo", 1)
            with self.assertRaisesRegex(eole.NotFound, "is not a dead letter"):
                cluster.replay([done.id])

    def test_results_are_read_from_a_time_on(self):
        with eole.Cluster(self.path) as cluster:
            [before] = cluster.map("echo", "before")
            wait_until(lambda: time.time() > before.finished + 0.01)
            since = datetime.datetime.now(datetime.timezone.utc)
            ids = cluster.submit("echo", range(3))
            list(cluster.results(ids))
            for when in (since, since.timestamp()):
                self.assertEqual({result.id for result in cluster.results(since=when, timeout=0.5)}, set(ids))
            self.assertIn(before.id, [result.id for result in cluster.results(since=before.finished, timeout=0.5)])
            self.assertEqual(list(cluster.results(since=time.time() + 9999, timeout=0.5)), [])


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
        self.say("hello", self.run, 1, 0, 0, 0, self.name, 1, 1, raw_text(kind))
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
                seq, lease, attempt, _, count, size = struct.unpack_from("<QQHHII", payload, at)
                taken += [(seq + n, lease + n, attempt) for n in range(count)]
                at += 28 + size
        runs = b"".join(struct.pack("<IQIQHBBqIBBBBII", self.origin, seq, self.start, lease, attempt, 1, 1, 1, 1, 4, 2, 0,
                                    0, 1, 4 + len(body)) + b"o\xff\x1bd" + b"p\xfe" + struct.pack("<I", len(body)) + body
                        for (seq, lease, attempt), body in zip(sorted(taken), bodies))
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
            assert cluster.cancel(unserved) == {unserved[0]: "cancelling"}
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
        spec = struct.pack("<BBBBI", 0, len(kind), len(project), 0, len(args)) + kind + project + args
        return cluster._submit([(spec, 1, "")], 0)

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


def sha256(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def put(path, content):
    """An artifact, in one message."""
    name = hashlib.sha256(content).hexdigest()
    with eole.Cluster(path) as cluster:
        answer, _ = cluster._connection.ask("artifacts", "put_at", "put", name, len(content), 0, payload=content)
    assert answer[4] == 1, answer
    return name


if __name__ == "__main__":
    unittest.main()
