"""A Cluster as handles of tasks need it."""

import collections
import time

import zmq

from .cluster import Cluster
from .artifacts import read
from .graph import graph_of
from .records import head_of, parse_task_id

PROGRESS_MAX = 16  # That wait to be taken.


class Client(Cluster):
    def __init__(self, path, patience):
        super().__init__(path, patience)
        self._forgotten = collections.deque()  # By whichever thread.

    def submit(self, *args, **words):
        self._drop_forgotten()
        return super().submit(*args, **words)

    def submit_whole(self, tasks):
        """As submit(tasks), in one message: all of them are accepted, or none."""
        self._drop_forgotten()
        return self._submit_found(*graph_of(tasks, {}), "", is_whole=True)

    def _drop_forgotten(self):
        while self._forgotten:
            for task in self._forgotten.popleft():
                self.unexpect(task)

    def result(self, task):
        return self._with_failure(super().result(task))

    def results(self, *args, **options):
        yield from map(self._with_failure, super().results(*args, **options))

    def _with_failure(self, result):
        """Of a dead task, whose end the ventilator told, the value is that of its last attempt that has one."""
        if result is None or result.state != "dead" or not isinstance(result.body, dict) or "value" in result.body:
            return result
        attempts = self._pages("queries", "attempts", "attempts", "before", result.id)
        value = next((each["value"] for each in attempts if "value" in each), None)
        return result._replace(body={**result.body, "value": value}) if value is not None else result

    def forget(self, ids):
        """Nobody waits for these any more. Any thread."""
        self._forgotten.append(ids)

    def read(self, sha256):
        """The bytes of an artifact."""
        return read(self._connection, sha256)

    # What listener.py needs: results as they come, beside other things that are waited for.

    def listen(self):
        self._live()

    def expected(self):
        return self._own

    def expect(self, task):
        self._own.add(task)

    def unexpect(self, task):
        self._own.discard(task)
        self._seen.pop(task, None)

    def take(self, wanted, other, seconds):
        """The results of `wanted` that are here, once some are, or a descriptor is readable, or after so long. They are
        taken off it."""
        log = self._live()
        found = list(self._take(log, wanted))
        if found:
            return map(self._with_failure, found)
        log.wait(seconds * 1000, other)
        return map(self._with_failure, self._take(log, wanted))

    def state(self, task):
        return self._look_up(task)["state"]

    def follow_progress(self, task):
        """The news of how far it is, from now on."""
        parse_task_id(task)
        news = self._connection.connect(zmq.SUB, "notifications", PROGRESS_MAX)
        news.subscribe(f"progress.{task}")
        return ProgressNews(news, f"progress.{task}".encode())


class ProgressNews:
    def __init__(self, socket, topic):
        self._socket, self._topic = socket, topic

    def __del__(self):
        self._socket.close(0)

    def take(self, seconds):
        """What has come: (done, total, text); waits so long for the first."""
        until = time.monotonic() + seconds
        found = []
        while self._socket.poll(0 if found else max(0, int((until - time.monotonic()) * 1000))):
            topic, head, *_ = self._socket.recv_multipart()
            fields = head_of(head)
            if topic == self._topic and fields[1] == "progress" and len(fields) > 8 and not fields[7]:
                found.append((fields[5], fields[6], fields[8]))
        return found
