"""What the Python client decodes, refuses, splits and survives."""

import contextlib
import datetime
import hashlib
import math
import os
import pathlib
import struct
import sys
import tempfile
import threading
import time
import unittest
import unittest.mock

import msgpack
import zmq
from cluster import Cluster, wait_until
from fake_sink import GOLDEN, FakeSink, cluster_text

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "clients/python"))
import eole  # noqa: E402
from eole import artifacts, flights, records, submission  # noqa: E402
from eole.connection import read_cluster_file  # noqa: E402


def batch_of(run, count=1, first=0, worker=b"w1"):
    return struct.pack("<QQQIHI", first, 7, 5, count, len(worker), 0) + worker + run


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
        result, *pair = opened(GOLDEN["batch.record"])
        self.assertEqual(result[:10], (1000, "003rj0-42", "echo", "photos", "failed", 3, False, "w1", 1_790_000_000.123, 1.5))
        self.assertEqual((result.error, result.submitted), ("why", 1_789_999_990.0))
        self.assertEqual([(each.offset, each.id, each.state, each.value) for each in pair],
                         [(1001, "003rj0-43", "done", 7), (1002, "003rj0-44", "done", None)])
        self.assertEqual(opened(batch_of(GOLDEN["result.record"]))[0].error, "why")
        records.open_batch(batch_of(GOLDEN["result_copy.record"]), 0, [], wants=lambda *of: self.assertEqual(of[2], "copy"))

    def test_the_golden_heads_are_read(self):
        for name, fields in (("accepted", [123456]), ("notification", [99]), ("log_head", [99, 1010]),
                             ("records", [1, 99, 1010, 1010, 4242]), ("refused", [1, "queue full"]),
                             ("answer", [1]), ("chunk", [1, 1000, 0])):
            self.assertEqual(records.head_of(GOLDEN[name]), [1, name, *fields])
        plain = eole.Refused.by("sink", records.head_of(GOLDEN["refused"]))
        self.assertEqual((str(plain), plain.code, plain.retry_after), ("the sink: queue full", None, None))
        told = eole.Refused.by("ventilator", records.head_of(GOLDEN["refused.code"]))
        self.assertEqual((str(told), told.code, told.retry_after), ("the ventilator: no more now", "quota", 12))
        self.assertEqual(next(flights.ACCEPTANCE.iter_unpack(GOLDEN["acceptance.record"])), (1, 42, 2))

    def test_the_golden_tasks_are_written(self):
        [(payload, count, key)] = submission.messages_of("echo", {}, "photos", True, 7, "", 1)
        self.assertEqual((payload, count, key), (GOLDEN["task_group.record"], 1, ""))

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
            return [count for _, count, _ in submission.messages_of("echo", args, "", False, 0, "", 1024)]
        for one in ("hello", b"hello", {"a": 1}, 5, 2.5, None, True, msgpack.ExtType(1, b"x"), msgpack.Timestamp(1)):
            self.assertEqual(counts(one), [1])
        for many in ([1, 2, 3], ("a", "b", "c"), (n for n in range(3)), {1, 2, 3}, range(3)):
            self.assertEqual(counts(many), [3])
        self.assertEqual((counts([]), counts([[1, 2]])), ([], [1]))

    def test_messages_are_split_by_bytes_and_by_number(self):
        sizes = [(len(payload), count) for payload, count, _ in
                 submission.messages_of("echo", ["x" * 900_000] * 3 + ["y"] * 9, "", False, 0, "", 8)]
        self.assertEqual([count for _, count in sizes], [1, 1, 8, 2])
        self.assertLess(max(size for size, _ in sizes), 1 << 20)


@contextlib.contextmanager
def losing_artifacts(path, lost=None):
    """A sink that takes one artifact and gives it; of the pieces each other one is lost the first time, or the one that is
    put at `lost`."""
    stored, asked, is_over = bytearray(), set(), threading.Event()
    context = zmq.Context()
    socket = context.socket(zmq.ROUTER)
    socket.bind(read_cluster_file(path)["artifacts"])

    def serve():
        while not is_over.is_set():
            if not socket.poll(50):
                continue
            who, head, piece = socket.recv_multipart()
            _, name, number, _, *rest = msgpack.unpackb(head)
            if name == "hand":  # It is asked where its files lie.
                socket.send_multipart([who, msgpack.packb([1, "handed", number, 0, "", ""]), b""])
                continue
            size, offset = rest if name == "put" else (len(stored), rest[0])
            if (name, offset, len(piece)) not in asked:
                asked.add((name, offset, len(piece)))
                if len(asked) % 2 if lost is None else piece and offset == lost:
                    continue
            if name == "put" and offset == len(stored):
                stored.extend(piece)
            answer = ["put_at", number, len(stored), int(len(stored) == size)] if name == "put" else [
                "chunk", number, size, offset]
            socket.send_multipart([who, msgpack.packb([1, *answer]), b"" if name == "put" else stored[offset:offset + rest[1]]])
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield stored
    finally:
        is_over.set()
        thread.join()
        context.destroy(linger=0)


class Nobody(unittest.TestCase):
    """A cluster file without a cluster."""

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="eole-test-")
        self.path = f"{self.directory.name}/cluster.toml"
        self.write(cluster_text(self.directory.name))

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

    def test_a_reader_waits_for_a_sink_that_is_away_without_a_processor(self):
        with eole.Cluster(self.path, patience=8) as cluster:
            before = time.process_time()
            with self.assertRaises(eole.NoAnswer):
                next(cluster.results(offset=0))
            self.assertLess(time.process_time() - before, 0.5)

    def test_pieces_of_an_artifact_that_are_lost_go_again(self):
        raw = os.urandom(5 << 20)
        with losing_artifacts(self.path) as stored, unittest.mock.patch("eole.connection.REPEAT_SECONDS", 0.2), \
                eole.Cluster(self.path, patience=20) as cluster:
            self.assertEqual(artifacts.store(cluster._connection, raw), (hashlib.sha256(raw).hexdigest(), len(raw)))
            self.assertEqual(bytes(stored), raw)
            self.assertEqual(artifacts.read(cluster._connection, hashlib.sha256(raw).hexdigest()), raw)

    def test_an_artifact_of_which_the_first_piece_is_lost_is_stored(self):
        raw = os.urandom(3 << 20)
        with losing_artifacts(self.path, lost=0) as stored, unittest.mock.patch("eole.connection.REPEAT_SECONDS", 0.2), \
                eole.Cluster(self.path, patience=20) as cluster:
            artifacts.store(cluster._connection, raw)
            self.assertEqual(bytes(stored), raw)

    def test_a_value_is_written_for_the_sink_only_where_its_log_has_room_and_goes_again_if_nobody_takes_it(self):
        size, path = 2 << 20, pathlib.Path(self.directory.name)
        with eole.Cluster(self.path, patience=0.2) as cluster, \
                unittest.mock.patch.object(cluster._connection, "place", lambda: str(path / "there")):
            (path / "there").mkdir()
            for free, is_written in ((artifacts.FLOOR_BYTES + size - 1, False), (artifacts.FLOOR_BYTES + size, True)):
                disk = unittest.mock.Mock(f_bavail=free, f_frsize=1)
                with unittest.mock.patch("os.statvfs", lambda _, disk=disk: disk), \
                        unittest.mock.patch("builtins.open", side_effect=open) as opened_files, \
                        self.assertRaises(eole.NoAnswer):
                    artifacts.store_pieces(cluster._connection, [bytes(size)])
                self.assertEqual(bool(opened_files.call_count), is_written)
                self.assertEqual(list((path / "there").iterdir()), [])

    def test_a_file_that_shrinks_while_it_is_stored_is_told(self):
        with losing_artifacts(self.path, lost=-1), tempfile.TemporaryFile() as file, \
                eole.Cluster(self.path, patience=20) as cluster:
            file.write(bytes(2 << 20))
            file.flush()
            digest = hashlib.file_digest
            with unittest.mock.patch("hashlib.file_digest", lambda *args: (digest(*args), file.truncate(10))[0]), \
                    self.assertRaisesRegex(eole.Damaged, "has 10 bytes, had 2097152"):
                artifacts.store(cluster._connection, file)

    def test_a_bad_task_is_refused_before_anything_is_sent(self):
        circle = []
        circle.append(circle)
        with eole.Cluster(self.path, patience=0.2) as cluster:  # Else it would be NoAnswer.
            for args, options, error, why in (
                    ([{}, {"x": b"x" * (1 << 20)}], {}, eole.TooLarge, r"task 1.* 10485\d\d bytes, limit 1048576"),
                    ([1, 2, object()], {}, eole.BadTask, "task 2 cannot be packed: TypeError"),
                    ([1, {"a": [2.5, {"b": float("nan")}]}], {}, eole.BadTask,
                     r"task 1: a\[1\].b: nan is no number that JSON has"),
                    (float("-inf"), {}, eole.BadTask, "task 0: args: -inf is no number"),
                    ([{"a": 1, "b": {2: 3}}], {}, eole.BadTask, "task 0: b: the key 2 is no text"),
                    ([circle], {}, eole.BadTask, "task 0 cannot be packed: ValueError"),
                    ([1 << 64], {}, eole.BadTask, "task 0 cannot be packed: OverflowError"),
                    (["\ud800"], {}, eole.BadTask, "task 0 cannot be packed: UnicodeEncodeError"),
                    ([b"x" * 900_000] * 30, {"idempotency_key": "k"}, eole.TooLarge, r"'k'.*27\d* bytes, limit 8388608"),
                    (range(65537), {"idempotency_key": "k"}, eole.TooLarge, "at most 65536"),
                    (iter(range(1 << 62)), {"idempotency_key": "k"}, eole.TooLarge, "at most 65536"),
                    ([1], {"project": "p" * 256}, eole.BadTask, "project has 256 bytes, limit 255")):
                with self.subTest(why=why), self.assertRaisesRegex(error, why) as raised:
                    cluster.submit("echo", args, **options)
                self.assertFalse(raised.exception.ids)
            with self.assertRaisesRegex(eole.BadTask, "kind has 0 bytes"):
                cluster.submit("", 1)
            for word in ("argv", "cwd"):
                with self.assertRaisesRegex(eole.BadTask, f"script: {word} is its own"):
                    cluster.script(__file__, **{word: "x"})

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
            half_read = cluster.results(timeout=5)
            self.assertEqual(next(half_read).offset, 0)
        half_read.close()  # After its cluster.

    def test_who_was_told_nothing_of_late_asks_the_sink_once_more_is_submitted(self):
        with FakeSink(self.directory.name) as sink, eole.Cluster(self.path, patience=5) as cluster:
            sink.news = lambda: ()
            self.assertTrue(cluster._follow())
            sink.batch, sink.head = batch_of(GOLDEN["result.record"]), 1
            self.assertTrue(cluster._follow())
            self.assertEqual([result.offset for result in cluster.results(timeout=3)], [0])


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
            states = cluster.cancel([running, odd, unknown, *waiting[::2]], wait=False)
            self.assertEqual(states.pop(unknown), "unknown")
            self.assertEqual((len(states), set(states.values())), (1252, {"cancelling"}))
            again = cluster.cancel(waiting)  # As the command, it returns when they have ended.
            self.assertLessEqual(set(again.values()), {"cancelled", "settled"})
            ended = list(cluster.results([running, odd, *waiting], timeout=20))
            self.assertEqual((len(ended), {result.state for result in ended}), (2502, {"cancelled"}))
            # The ventilator hears of an end after those who listen to the sink.
            wait_until(lambda: cluster.cancel(running) == {running: "settled"}, what="it is settled")
            wait_until(lambda: not list(cluster.tasks()), what="no task is left")
            self.assertEqual(cluster.cancel([]), {})

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
            self.assertEqual(sorted(letter["id"] for letter in cluster.dead(project="graves")), sorted(again))
            self.assertEqual(cluster.discard(again), 2)
            self.assertEqual(cluster.discard(again[0]), 0)
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
