"""The runner of Python tasks, over the socket that a worker would have: no cluster."""

import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

import msgpack

HERE = pathlib.Path(__file__).parent
CLIENT = HERE.parents[1] / "clients/python"
sys.path.insert(0, str(CLIENT))
import eole.runner  # noqa: E402

HELLO, RUN, CANCEL, OUTPUT, DONE, FAILED, PROGRESS, KIND, FETCH, FETCHED, PING, PONG = range(1, 13)


class Worker:
    """Stands in for one: starts a runner, and speaks frames with it."""

    def __init__(self, *modules):
        self.directory = tempfile.TemporaryDirectory(prefix="eole-test-")
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(30)
        # The descriptor's number is said, too: 3 is this process's own.
        self.process = subprocess.Popen(
            [sys.executable, "-m", "eole.runner", *modules], pass_fds=[theirs.fileno()], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env={**os.environ, "PYTHONPATH": f"{CLIENT}:{HERE}", "EOLE_RUNNER_FD": str(theirs.fileno())})
        theirs.close()
        self._rest, self._number = b"", 0
        self.kinds = {}

    def hello(self):
        _, (version, ahead, count) = self.read(HELLO)
        for _ in range(count):
            name, *rest = self.read(KIND)[1]
            self.kinds[name] = rest
        return version, ahead

    def write(self, *frames):
        raw = b""
        for kind, *fields in frames:
            payload = msgpack.packb(fields)
            raw += struct.pack("<BI", kind, len(payload)) + payload
        self.socket.sendall(raw)

    def read(self, *wanted):
        """The next frame, which is one of these."""
        while True:
            if len(self._rest) >= 5:
                kind, size = struct.unpack_from("<BI", self._rest)
                if len(self._rest) >= 5 + size:
                    fields, self._rest = msgpack.unpackb(self._rest[5:5 + size]), self._rest[5 + size:]
                    if kind not in wanted:
                        raise AssertionError(f"frame {kind} {fields}, not {wanted}")
                    return kind, fields
            piece = self.socket.recv(65536)
            if not piece:
                raise AssertionError(f"the runner is gone: {self.process.stdout.read().decode()}")
            self._rest += piece

    def run(self, kind, args, attempt=1):
        """The frame of a run, which has the next number."""
        self._number += 1
        return (RUN, self._number, f"abcdef-{self._number}", attempt, f"shop_tasks.{kind}", msgpack.packb(args),
                f"{self.directory.name}/{self._number}", "", "")

    def end(self, *wanted):
        """How the next run ended, with its value decoded."""
        kind, fields = self.read(*(wanted or (DONE, FAILED)))
        return kind, [msgpack.unpackb(each) if isinstance(each, bytes) and each else each for each in fields]

    def close(self):
        self.socket.close()
        code = self.process.wait(30)
        self.process.stdout.close()
        self.directory.cleanup()
        return code


class Runner(unittest.TestCase):
    def setUp(self):
        self.worker = Worker("shop_tasks")
        self.addCleanup(self.worker.close)
        self.assertEqual(self.worker.hello(), (2, 256))

    def ended(self, kind, args, *wanted, **options):
        self.worker.write(self.worker.run(kind, args, **options))
        return self.worker.end(*wanted)

    def test_it_tells_its_kinds_with_their_arguments(self):
        self.assertEqual(self.worker.kinds["shop_tasks.add"],
                         ["Adds two numbers, texts or lists.", 2, "a", "any", 1, "", "b", "any", 1, ""])
        self.assertEqual(self.worker.kinds["shop_tasks.order"][1:],
                         [2, "item", "any", 1, "", "wanted", "integer", 0, "1"])
        self.assertNotIn("eole.calls.call", self.worker.kinds)

    def test_arguments_come_by_place_by_name_and_both(self):
        for args in ([1, 2], {"a": 1, "b": 2}, {"$args": [1], "b": 2}):
            self.assertEqual(self.ended("add", args)[1][1], 3)
        self.assertEqual(self.ended("same", "alone")[1][1], "alone")
        self.assertEqual(self.ended("nothing", {})[1][1], None)
        self.assertEqual(self.ended("in_a_loop", [1])[1][1], 2)

    def test_many_runs_are_answered_in_their_order_with_few_writes(self):
        self.worker.write(*(self.worker.run("same", [n]) for n in range(200)))
        self.assertEqual([self.worker.end(DONE)[1] for _ in range(200)], [[n + 1, n, 0] for n in range(200)])

    def test_what_has_ended_is_told_before_the_next_begins(self):
        self.worker.write(*(self.worker.run("same", [n]) for n in range(20)), self.worker.run("die_once", []))
        self.assertEqual([self.worker.end(DONE)[1][1] for _ in range(20)], list(range(20)))
        self.assertEqual(self.worker.socket.recv(1), b"")

    def test_a_failure_has_its_class_its_text_and_where_it_was_raised(self):
        kind, (_, error, value, cause, after) = self.ended("order", ["pen", 11])
        self.assertEqual((kind, error, cause, after), (FAILED, "OutOfStock: pen: 11 are not there", "OutOfStock", 0))
        self.assertEqual((value["error_class"], value["module"], value["args"]), ("OutOfStock", "shop_tasks", ["pen", 11]))
        self.assertIn("in order", value["traceback"])
        self.assertNotIn("running.py", value["traceback"])

    def test_it_says_when_another_attempt_makes_sense(self):
        self.assertEqual(self.ended("later", [1.5])[1][3:], ["Retry", 1500])

    def test_when_that_is_must_be_a_time(self):
        for after in ({"$type": "float", "value": "inf"}, {"$type": "float", "value": "nan"}, -1, 1e9, "30"):
            for as_attribute in (False, True):
                kind, (_, error, *_, retry_after) = self.ended("again_after", [after, as_attribute])
                self.assertEqual((kind, error.partition("(")[0], retry_after), (FAILED, "BadValue: eole.Retry", 0))

    def test_more_files_than_a_result_may_have_are_a_failure(self):
        self.assertEqual(self.ended("many_files", [250])[1][2], 250)
        self.assertIn("251 files, limit 250", self.ended("many_files", [251])[1][1])

    def test_threads_print_together(self):
        self.worker.write(self.worker.run("print_together", [20000]))
        said = b""
        while (frame := self.worker.read(OUTPUT, DONE))[0] == OUTPUT:
            said += frame[1][2]
        self.assertEqual(len(said), 40000)

    def test_what_it_cannot_run_is_a_failure_and_not_its_end(self):
        self.assertIn("TypeError", self.ended("add", [1])[1][1])
        self.assertIn("not offered", self.ended("unknown", [])[1][1])
        self.assertIn("SystemExit", self.ended("leaves", [])[1][1])
        self.assertIn("BadValue", self.ended("same", [{"$type": "os.PathLike", "value": 1}])[1][1])
        self.assertEqual(self.ended("same", [1])[0], DONE)

    def test_what_it_prints_is_its_output_and_no_neighbours(self):
        self.worker.write(self.worker.run("shout", ["one"]), self.worker.run("shout", ["two"]))
        said = {1: b"", 2: b""}
        outputs = {1: b"", 2: b""}
        for _ in range(2):
            while (frame := self.worker.read(OUTPUT, DONE))[0] == OUTPUT:
                number, stream, raw = frame[1]
                said[number] += raw
                outputs[stream] += raw
        self.assertEqual(said, {1: b"one\nlog one\n", 2: b"two\nlog two\n"})
        self.assertEqual(outputs, {1: b"one\ntwo\n", 2: b"log one\nlog two\n"})

    def test_a_cancelled_run_hears_it_and_one_behind_it_does_not_begin(self):
        path = f"{self.worker.directory.name}/runs"
        self.worker.write(self.worker.run("until_cancelled", [path]), self.worker.run("same", [1]), self.worker.run("same", [2]))
        self.assertEqual(self.worker.read(PROGRESS)[1], [1, 1, 3, "waiting"])
        self.worker.write((CANCEL, 2, 1000), (CANCEL, 1, 1000))
        self.assertEqual(self.worker.end()[1][:2], [1, "Cancelled: as it was told"])
        self.assertEqual(self.worker.end(FAILED)[1][:2], [2, "cancelled before it began"])
        self.assertEqual(self.worker.end(DONE)[1], [3, 2, 0])

    def test_one_that_does_not_listen_is_ended_by_a_signal_and_says_so(self):
        path = f"{self.worker.directory.name}/runs"
        self.worker.write(self.worker.run("stubborn", [path]), self.worker.run("same", [1]))
        while not os.path.exists(path):
            pass
        self.worker.process.send_signal(signal.SIGTERM)
        self.assertIn("told to end", self.worker.end(FAILED)[1][1])
        self.assertEqual(self.worker.socket.recv(1), b"")  # What had not begun is another's.
        self.assertEqual(self.worker.process.wait(30), 0)

    def test_files_come_into_the_directory_and_go_as_artifacts(self):
        digest = "ab" * 32
        self.worker.write(self.worker.run("upper", [{"$type": "file", "name": "a.txt", "sha256": digest, "bytes": 5}]))
        self.assertEqual(self.worker.read(FETCH)[1], [1, digest, "in-a.txt"])
        pathlib.Path(f"{self.worker.directory.name}/1/in-a.txt").write_text("hello", encoding="ascii")
        self.worker.write((FETCHED, 1, "in-a.txt", ""))
        self.assertEqual(self.worker.read(OUTPUT)[1], [1, 1, b"upper a.txt\n"])
        _, (_, value, count, name) = self.worker.end(DONE)
        self.assertEqual((value["$type"], value["name"], value["bytes"], count, name), ("file", "a.txt", 5, 1, "a.txt"))
        self.assertEqual(pathlib.Path(f"{self.worker.directory.name}/1/a.txt").read_text(encoding="ascii"), "HELLO")

    def test_a_file_that_cannot_be_had_fails_the_run(self):
        self.worker.write(self.worker.run("upper", [{"$type": "file", "name": "../b", "sha256": "ab" * 32, "bytes": 5}]))
        self.assertEqual(self.worker.read(FETCH)[1][2], "in-b")
        self.worker.write((FETCHED, 1, "in-b", "not there"))
        self.assertIn("file in-b: not there", self.worker.end(FAILED)[1][1])

    def test_a_large_value_is_a_file(self):
        _, (_, value, count, name) = self.ended("same", ["x" * 300_000])
        self.assertEqual((value["$type"], count, name), ("stored", 1, "value-0"))
        self.assertEqual(msgpack.unpackb(pathlib.Path(f"{self.worker.directory.name}/1/value-0").read_bytes()), "x" * 300_000)

    def test_a_fork_does_not_answer_for_its_parent(self):
        self.assertEqual(self.ended("forks", [])[1][1], "parent")
        self.assertEqual(self.ended("same", [1])[1][1], 1)

    def test_a_fork_tells_nothing(self):
        self.assertEqual(self.ended("fork_tells", [])[1][1], 7)

    def test_it_answers_pings_and_ends_with_its_socket(self):
        self.worker.write((PING, 7), (200, "unknown"))
        self.assertEqual(self.worker.read(PONG)[1], [7])
        self.assertEqual(self.worker.close(), 0)

    def test_it_ends_with_its_socket_in_the_middle_of_a_task(self):
        path = f"{self.worker.directory.name}/runs"
        self.worker.write(self.worker.run("until_cancelled", [path]))
        self.worker.read(PROGRESS)
        self.assertEqual(self.worker.close(), 0)


class Looks(unittest.TestCase):
    def test_one_thread_at_a_time_takes_what_has_come(self):
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        self.addCleanup(theirs.close)
        runner = eole.runner.Runner(ours, {})
        theirs.sendall(eole.frames.encode(CANCEL, 7, 1000))
        with runner._receiving:  # As another thread has it.
            runner.look()
        self.assertEqual(runner.cancelled, set())
        runner.look()
        self.assertEqual(runner.cancelled, {7})


class Starts(unittest.TestCase):
    def test_a_module_without_tasks_is_said(self):
        worker = Worker("json")
        self.assertIn(b"json: no task there", worker.process.stdout.read())
        self.assertEqual(worker.close(), 2)

    def test_it_is_for_workers_alone(self):
        done = subprocess.run([sys.executable, "-m", "eole.runner", "shop_tasks"], capture_output=True, text=True,
                              check=False, env={**os.environ, "PYTHONPATH": f"{CLIENT}:{HERE}"})
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, "descriptor 3: a worker starts this, .* must hand it on")


if __name__ == "__main__":
    unittest.main()
