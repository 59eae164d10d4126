"""A cache in Python: the last value of each key, warmed from the log and kept up to date."""

import pathlib
import sys
import tempfile
import threading
import unittest
import unittest.mock

import msgpack
from cluster import Cluster, wait_until
from fake_sink import FakeSink, cluster_text

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "clients/python"))
import eole  # noqa: E402


class Caches(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.running = cls.enterClassContext(Cluster(workers=2, slots=2))
        cls.path = pathlib.Path(cls.running.directory, "eole/cluster.toml")

    def setUp(self):
        self.cluster = self.enterContext(eole.Cluster(self.path))

    def put(self, project, kind="echo", **values):
        """One after the other; the last one's offset."""
        for key, value in values.items():
            [result] = self.cluster.map(kind, [value], project=project, key=key)
        return result.offset

    def test_it_has_the_last_value_of_each_key_and_follows(self):
        self.put("last", a=1, b=2)
        self.put("last", a=3)
        self.put("last/other", a="another project")
        with self.cluster.cache("last") as cache:
            self.assertEqual((dict(cache), len(cache), "c" in cache), ({"a": 3, "b": 2}, 2, False))
            cache.wait(self.put("last", c=4, a=None))
            self.assertEqual(dict(cache), {"b": 2, "c": 4})
            self.assertEqual(dict(cache.changes(timeout=0.1)), {"b": 2, "c": 4})
            self.put("last", kind="dead", b={"error": "it failed"})
            self.put("last", b=5)
            cache.wait()
            self.assertEqual(dict(cache), {"b": 5, "c": 4})
        self.assertRaisesRegex(ValueError, "closed", lambda: cache["b"])

    def test_changes_begin_with_what_is_there_and_miss_none_that_comes_meanwhile(self):
        self.put("busy", **{f"k{n}": 0 for n in range(20)})
        truth = {}

        def write():
            with eole.Cluster(self.path) as cluster:
                ids = []
                for n in range(400):
                    key = f"k{n % 20}"
                    truth[key] = n
                    ids += cluster.submit("echo", n, project="busy", key=key)
                list(cluster.results(ids))
        writer = threading.Thread(target=write)
        writer.start()
        mirror, caches = {}, []
        with self.cluster.cache("busy") as cache:
            for key, value in cache.changes(timeout=60):
                mirror[key] = value
                if not caches:
                    caches.append(self.cluster.cache("busy"))  # Warmed while it changes.
                if sorted(mirror.values()) == [*range(380, 400)]:  # The last that is written of each key.
                    break
            writer.join()
            cache.wait()
            self.assertEqual(mirror, truth)
            self.assertEqual(dict(cache), truth)
            with caches[0] as other:
                other.wait()
                self.assertEqual(dict(other), truth)

    def test_whatever_ends_it_is_told_to_who_reads_it(self):
        with self.cluster.cache("broken") as cache:
            def fails(result):
                raise KeyError(result.key)
            cache._take = fails
            self.put("broken", a=1)
            with self.assertRaisesRegex(KeyError, "a"):
                cache.wait(timeout=60)

    def test_a_sink_with_another_log_is_told(self):
        directory = self.enterContext(tempfile.TemporaryDirectory(prefix="eole-test-"))
        path = pathlib.Path(directory, "cluster.toml")
        path.write_text(cluster_text(directory), encoding="ascii")
        path.chmod(0o600)
        with KeepingSink(directory) as sink, eole.Cluster(path, patience=5) as cluster, cluster.cache("p") as cache:
            self.assertEqual(dict(cache), {})
            sink.log = 2

            def told():
                try:
                    cache.get("a")
                except eole.LogReplaced:
                    return True
            wait_until(told, what="it is told")


    def test_a_place_that_is_gone_is_told_once_the_sink_answers_again(self):
        directory = self.enterContext(tempfile.TemporaryDirectory(prefix="eole-test-"))
        path = pathlib.Path(directory, "cluster.toml")
        path.write_text(cluster_text(directory), encoding="ascii")
        path.chmod(0o600)
        failed = []
        self.enterContext(unittest.mock.patch("threading.excepthook", failed.append))
        with GoneSink(directory) as sink, eole.Cluster(path, patience=5) as cluster, cluster.cache("p") as cache:
            cache._connection.patience = 0.2
            sink.kept_from = sink.head = 1000
            with sink.changed:
                sink.changed.wait_for(lambda: sink.unanswered > 1, timeout=60)  # It stays as it is.
            self.assertEqual(dict(cache), {})
            sink.is_silent = False

            def told():
                try:
                    cache.get("a")
                except eole.Gone:
                    return True
            wait_until(told, what="it is told")
            cache.close()
            self.assertFalse(failed)
            self.assertTrue(cache._connection._context.closed)


class Compacted(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.running = cls.enterClassContext(Cluster("--compact", "users", "--keep-bytes", "1MiB", workers=1, slots=2))
        cls.path = pathlib.Path(cls.running.directory, "eole/cluster.toml")

    def cut(self, cluster, offset):
        """All up to this offset is not kept any more."""
        def is_cut():
            list(cluster.map("echo", ["x" * 700_000] * 3, project="others"))
            pid = self.running.kill("sink")  # Each start begins a segment of the log, and whole ones go.
            wait_until(lambda: self.running.pid("sink") not in (None, pid), what="the sink is there again")
            return self.running.status()["log_kept_from"] > offset
        wait_until(is_cut, 120, "the log is cut")

    def test_what_was_written_before_the_log_was_cut_is_in_a_cache_that_is_made_anew(self):
        with eole.Cluster(self.path) as cluster:
            def put(key, value, project="users"):
                [result] = cluster.map("echo", [value], project=project, key=key)
                return result.offset
            for number in range(50):
                put(f"k{number % 10}", number)
            put("k9", None)
            put("k0", 0, project="customers")
            with cluster.cache("users") as early:
                self.cut(cluster, put("k3", "last"))
                wanted = {f"k{n}": 40 + n for n in range(9)} | {"k3": "last"}
                self.assertEqual(dict(early), wanted)
                with cluster.cache("users") as late:
                    self.assertEqual(dict(late), wanted)
                with cluster.cache("customers") as others:
                    self.assertEqual(dict(others), {})
                self.cut(cluster, put("k4", "later"))
                wanted["k4"] = "later"
                early.wait()
                self.assertEqual(dict(early), wanted)
                with cluster.cache("users") as late:
                    self.assertEqual(dict(late), wanted)
            with self.assertRaises(eole.Gone):  # Who reads all is told what is gone, as ever.
                next(cluster.results(offset=0))


class KeepingSink(FakeSink):
    def answer(self, name, request, fields):
        head, payload = super().answer(name, request, fields)
        if name == "query":
            payload = msgpack.packb({**msgpack.unpackb(payload), "from": 0, "batches": b"", "next": 0, "kept_from": 0})
        return head, payload


class GoneSink(KeepingSink):
    """Its log is gone once `kept_from` says so; what is left of it, is not told at first."""

    kept_from, unanswered, is_silent = 0, 0, True

    def __init__(self, directory):
        super().__init__(directory)
        self.changed = threading.Condition()
        self.log, self.head = 1, 10

    def answer(self, name, request, fields):
        head, payload = super().answer(name, request, fields)
        if name == "read":
            return msgpack.packb([1, "records", request, self.log, 10, self.head, 0] if not self.kept_from else
                                 [1, "gone", request, self.log, fields[1], self.kept_from, self.head]), b""
        if fields[0] == "compacted" and self.kept_from and self.is_silent:
            with self.changed:
                self.unanswered += 1
                self.changed.notify_all()
            return msgpack.packb([1, "later", request]), b""
        values = msgpack.unpackb(payload)
        if "from" in values:
            values |= {"from": self.kept_from, "next": max(10, self.kept_from), "kept_from": max(10, self.kept_from)}
        return head, msgpack.packb(values)


if __name__ == "__main__":
    unittest.main()
