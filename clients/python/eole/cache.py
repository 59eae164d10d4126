"""The last value of each key of a project, kept up to date (docs/log.md, "A cache")."""

import collections.abc
import threading
import time
from typing import Any, Iterator, Self

from .connection import Connection
from .errors import Gone, NoAnswer
from .log import Log
from .records import SIZE, open_batch
from .topics import topics

LOOK_MILLISECONDS = 100
ASKED_SECONDS = 5  # Whoever closes it while the sink is away waits no longer.


class Cache(collections.abc.Mapping[str, Any]):
    """A mapping of keys to what the last task that was done with it returned; None takes its key away. Whole once it is
    there, then it follows the log. Any thread may read it. As long as the sink is away it stays as it is; once the
    log is not kept any more where it was to be read, or was replaced, whatever reads it is told so: make a new one."""

    def __init__(self, opened, project, topic=""):
        path, self._patience = opened
        self._project = project
        self._topic = topic or f"{project}/#/done"
        self._values = {}
        self._offset = 0  # All below is in.
        self._asked = self._told = self._head = 0  # The log's head: how often it was wanted, how often told, and where.
        self._error, self._is_closed = None, False
        self._listeners = []  # Of each that goes through changes(): keys that changed since it looked, in order.
        self._changed = threading.Condition()
        self._connection = Connection(path, self._patience)
        try:
            self._log = self._begin()
        except BaseException:
            self._connection.close()
            raise
        self._connection.patience = min(self._patience, ASKED_SECONDS)
        self._thread = threading.Thread(target=self._run, name=f"eole cache {project}", daemon=True)
        self._thread.start()
        try:
            self.wait()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._thread.join()

    def __getitem__(self, key: str) -> Any:
        with self._changed:
            self._check()
            return self._values[key]

    def __iter__(self) -> Iterator[str]:
        with self._changed:
            self._check()
            return iter(list(self._values))

    def __len__(self) -> int:
        with self._changed:
            self._check()
            return len(self._values)

    def wait(self, offset: int | None = None, timeout: float | None = None) -> None:
        """Waits until the record at this offset is in (None: all that is in the log now). NoAnswer if that takes longer
        than `timeout` seconds (None: the cluster's patience)."""
        until = time.monotonic() + (self._patience if timeout is None else timeout)
        with self._changed:
            if offset is None:
                self._asked += 1
            number = self._asked
            while True:
                self._check()
                if offset is None and self._told >= number:
                    offset = self._head - 1
                if offset is not None and self._offset > offset:
                    return
                left = until - time.monotonic()
                if left <= 0:
                    raise NoAnswer(f"cache {self._project}: all below {self._offset} is in, and no more in time")
                self._changed.wait(left)

    def changes(self, timeout: float | None = None) -> Iterator[tuple[str, Any]]:
        """Yields (key, value) of each that is there, then of each that changes (value None: it is taken away); of one
        that changes faster than it is read, the latest. timeout: seconds without any, then it ends."""
        with self._changed:
            listener = dict.fromkeys(self._values)
            self._listeners.append(listener)
        try:
            while True:
                until = None if timeout is None else time.monotonic() + timeout
                with self._changed:
                    self._check()
                    while not listener:
                        left = None if until is None else until - time.monotonic()
                        if left is not None and left <= 0:
                            return
                        self._changed.wait(left)
                        self._check()
                    key = next(iter(listener))
                    del listener[key]
                    value = self._values.get(key)
                yield key, value
        finally:
            with self._changed:
                self._listeners = [each for each in self._listeners if each is not listener]

    def _check(self):
        if self._is_closed:
            raise ValueError(f"cache {self._project}: is closed")
        if self._error:
            raise self._error

    # ---- The thread: from the oldest record that is left on, as any reader; what it looked for is looked through once.

    def _begin(self):
        """The log, from where all below is in."""
        while True:
            self._take_left()
            try:
                return Log(self._connection, self._offset, self._topic)
            except Gone:
                pass  # It went meanwhile.

    def _take_left(self):
        """What is left of the part of the log that is not kept any more: of a project that is compacted the last
        record of each key."""
        while True:
            left = self._connection.query("queries", "compacted", options={"project": self._project,
                                                                           "from": self._offset})
            if 0 < self._offset < left["from"]:
                raise Gone(f"cache {self._project}: offsets {self._offset} to {left['from'] - 1} are not kept any more",
                           left["from"])
            found, batches, at = [], left["batches"], 0
            while at + SIZE.size <= len(batches):
                size = SIZE.unpack_from(batches, at)[0]
                open_batch(batches[at + 4:at + 4 + size], 0, found, wants=topics(self._topic))
                at += 4 + size
            with self._changed:
                for result in found:
                    self._take(result)
                self._offset = max(self._offset, left["next"])
                self._changed.notify_all()
            if self._offset >= left["kept_from"]:
                return

    def _run(self):
        self._connection.adopt()
        try:
            while not self._is_closed:
                self._look()
        except Exception as error:  # noqa: BLE001 - whatever it is, who reads it hears of it
            with self._changed:
                self._error = error
                self._changed.notify_all()
        finally:
            self._log.close()
            self._connection.close()

    def _look(self):
        try:
            asked = self._asked
            head = self._connection.query("queries", "status")["head"] if asked > self._told else None
            try:
                self._log.wait(LOOK_MILLISECONDS)
            except Gone:
                log = self._begin()
                self._log.close()
                self._log = log
                return
        except NoAnswer:
            return  # It may answer again.
        with self._changed:
            if head is not None:
                self._told, self._head = asked, head
            while self._log.found:
                self._take(self._log.found.popleft())
            self._offset = self._log.offset
            self._changed.notify_all()

    def _take(self, result):
        if result.project != self._project or not result.key or result.state != "done" or not result.is_final:
            return
        if result.value is None:
            if self._values.pop(result.key, None) is None:
                return
        else:
            self._values[result.key] = result.value
        for listener in self._listeners:
            listener[result.key] = None
