"""For tests: tasks run at once in this process, with no cluster.

    with eole.testing.eager():
        assert add.delay(2, 3).get() == 5

Arguments and values go through msgpack as ever, failures are raised by get(), retries are made without a pause.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import shutil
import tempfile
import time
from typing import Iterator

import msgpack

from . import default, files
from .errors import NotFound
from .records import Result
from .running import Run, execute
from .scripts import script_args
from .submission import is_one
from .tasks import task_named

ATTEMPTS = 5  # If a task's retry does not say it.


@contextlib.contextmanager
def eager() -> Iterator[EagerCluster]:
    """Within it, tasks run when they are submitted. All threads."""
    with tempfile.TemporaryDirectory(prefix="eole-eager-") as directory:
        cluster = EagerCluster(directory)
        before = default.put_instead(cluster)
        try:
            yield cluster
        finally:
            default.put_instead(before)


class EagerRun(Run):
    def __init__(self, cluster, id, attempt, kind, words, directory):  # noqa: A002
        self._cluster, self.id, self.attempt, self.kind = cluster, id, attempt, kind
        self.project, self.directory = words.get("project") or "", directory
        self._names = []

    def progress(self, done, total, text):
        self._cluster.told[self.id] = (done, total, text)

    # As a store.

    def names(self):
        return self._names

    def put(self, path, name):
        self._names.append(name)
        return self._cluster.keep(path)

    def write(self, pieces):
        return self._cluster.store_pieces(pieces)[0]

    def take(self, sha256, name):
        return shutil.copyfile(self._cluster.path_of(sha256), os.path.join(self.directory, "in-" + name))

    def read(self, sha256):
        return self._cluster.read(sha256)


class EagerCluster:
    """What of a Cluster handles need, without one."""

    def __init__(self, directory):
        self._directory, self._numbers = directory, itertools.count(1)
        self.ended, self.told = {}, {}  # By id.
        self.schedules = EagerSchedules()

    def submit(self, kind, args=None, **words):
        if not isinstance(kind, str):
            return self.submit_whole(kind)
        return [self._run(kind, msgpack.packb(each), words, ()) for each in ([args] if is_one(args) else args)]

    def submit_whole(self, tasks):
        names, ids = {}, []
        for task in tasks:
            args, parents = self._with_results(task["args"], names)
            after = task.get("after") or ()
            parents += [names.get(each, each) for each in ([after] if isinstance(after, str) else after)]
            ids.append(self._run(task["kind"], msgpack.packb(args), task, parents))
            names[task.get("name")] = ids[-1]
        return ids

    def _with_results(self, value, names):
        if isinstance(value, dict) and "$result" in value:
            parent = names[value["$result"]]
            return self.ended[parent].value, [parent]
        if isinstance(value, dict):
            found = {key: self._with_results(each, names) for key, each in value.items()}
            return {key: each for key, (each, _) in found.items()}, [p for _, some in found.values() for p in some]
        if isinstance(value, (list, tuple)):
            found = [self._with_results(each, names) for each in value]
            return [each for each, _ in found], [parent for _, some in found for parent in some]
        return value, []

    def _run(self, kind, raw, words, parents):
        task = f"eager0-{next(self._numbers)}"
        bad = next((parent for parent in parents if parent in self.ended and self.ended[parent].state != "done"), None)
        if bad is not None:
            body = {"error": f"{bad}, which it waits for, was not done: {self.ended[bad].state}", "code": "parent_failed"}
            return self._end(task, kind, words, "failed", 0, body)
        retry = words.get("retry")
        attempts = (retry.get("attempts") if isinstance(retry, dict) else 0) or words.get("attempts") or ATTEMPTS
        for attempt in range(1, 1 + (attempts if retry else 1)):
            with tempfile.TemporaryDirectory(dir=self._directory) as directory:
                run = EagerRun(self, task, attempt, kind, words, directory)
                end = execute(task_named(kind).function, run, run, raw)
            if end.is_done:
                return self._end(task, kind, words, "done", attempt, {"value": msgpack.unpackb(end.value, strict_map_key=False)})
        body = {"error": end.error, "value": msgpack.unpackb(end.value, strict_map_key=False)}
        return self._end(task, kind, words, "dead" if retry else "failed", attempt, body)

    def _end(self, task, kind, words, state, attempt, body):
        now = time.time()
        self.ended[task] = Result(len(self.ended), task, kind, words.get("project") or "", state, attempt, True, "eager",
                                  now, 0.0, body, submitted=now)
        return task

    def result(self, task):
        if task not in self.ended:
            raise NotFound(f"{task}: no such task was accepted")
        return self.ended[task]

    def results(self, ids, timeout=None):  # noqa: ARG002 - nothing is waited for
        return [self.result(task) for task in list(ids)]

    def state(self, task):
        return self.result(task).state

    def cancel(self, ids, wait=True):  # noqa: ARG002
        return dict.fromkeys(ids, "settled")

    def forget(self, ids):
        pass

    def expected(self):
        return ()

    def listen(self):
        pass

    def follow_progress(self, task):
        return EagerNews(self, task)

    # Files.

    def path_of(self, sha256):
        return os.path.join(self._directory, sha256)

    def keep(self, path):
        digest = files.digest_of(path)
        shutil.copyfile(path, self.path_of(digest[0]))
        return digest

    def store(self, what):
        raw = what.read() if hasattr(what, "read") else what
        sha256 = hashlib.sha256(raw).hexdigest()
        with open(self.path_of(sha256), "wb") as file:
            file.write(raw)
        return sha256, len(raw)

    def store_pieces(self, pieces):
        return self.store(b"".join(pieces))

    def script(self, path, *words, **args):
        return script_args(self, path, words, args)

    def fetch(self, sha256, path=None, force=False):  # noqa: ARG002
        return shutil.copyfile(self.path_of(sha256), path or sha256)

    def read(self, sha256):
        return files.mapped(self.path_of(sha256))


class EagerSchedules:
    """What was said in code is there, by name; nothing beats."""

    def __init__(self):
        self.said = {}

    def add(self, name, kind, args=None, cron="", every=None, missed="once", **words):
        self.said[name] = {"kind": kind, "args": args, "every": every, "cron": cron, **words}
        return {"name": name, "fired": 0, "paused": False, "missed": missed}


class EagerNews:
    def __init__(self, cluster, task):
        self._cluster, self._task = cluster, task

    def take(self, seconds):  # noqa: ARG002
        said = self._cluster.told.pop(self._task, None)
        return [said] if said else []


