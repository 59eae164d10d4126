"""The log, read in order and without a gap."""

import collections
import time

import zmq

from .connection import TURNED_AWAY, send
from .errors import Gone, LogReplaced, NoAnswer, Refused
from .following import Cursor, Following, span_of
from .records import SIZE, head_of, open_batch
from .topics import topics

FOUND_MAX = 10_000   # Records that are opened ahead, but for the last batch: one is ten times its bytes then.
NEWS_MAX = 1000      # Notifications that wait to be read; what is dropped beyond is read from the log.
LATE_SECONDS = 1     # Who looks so late has not heard what has come meanwhile.
SILENCE_SECONDS = 5  # The sink says something every second; after so long it is asked.


def record_at(connection, offset):
    """The one record at this offset."""
    head, payload = connection.ask("queries", ("records", "gone"), "read", 0, offset, 0, 1)
    if head[1] == "gone":
        raise Gone(f"the sink: the result at {offset} is not kept any more; the oldest kept is {head[5]}", head[5])
    found = []
    open_batch(payload[SIZE.size:], offset, found)
    return found[0]


class Log:
    """Reads the log from an offset on, in order and without a gap: all of it, or what fits a pattern of topics.
    following.py decides, here are the sockets."""

    def __init__(self, connection, offset=None, pattern=""):
        self._connection, self._pattern = connection, pattern
        self._wants = topics(pattern) if pattern else None
        self.found = collections.deque()  # Read, and not handed out.
        self._sink, self._monitor = connection.watch(zmq.DEALER, "queries", zmq.EVENT_HANDSHAKE_FAILED_AUTH)
        self._news = connection.connect(zmq.SUB, "notifications", NEWS_MAX)
        self._news.subscribe(b"result.")
        self._news.subscribe(b"head")
        self._poller = zmq.Poller()
        for each in (self._sink, self._monitor, self._news):
            self._poller.register(each, zmq.POLLIN)
        try:
            if offset is None:
                offset = connection.query("queries", "status")["head"]
            self._begin(Cursor(offset=offset))
            while not self._core.is_open:
                self._wait_once(time.monotonic() + connection.patience)
        except BaseException:
            self.close()
            raise

    def _begin(self, cursor, request=0):
        self._wanted = cursor.offset
        self._heard = self._looked = time.monotonic()
        self._told = 0  # When the last of what is published was heard.
        self._core = Following(cursor, self._heard, self._connection.patience, self._pattern, request)

    @property
    def offset(self):
        """All below was found, or does not fit."""
        batches = self._core.batches
        return span_of(batches[0])[0] if batches else self._core.offset

    def close(self):
        if not self._sink.closed:  # An iterator left half read is closed after its cluster, which closed the sockets.
            self._sink.disable_monitor()
        for each in (self._monitor, self._sink, self._news):
            each.close(0)

    def look(self):
        """What is submitted now may be missed by who heard nothing that was published of late: the sink is asked."""
        now = time.monotonic()
        if now > self._told + LATE_SECONDS:
            self._core.look(now)

    def wait(self, milliseconds, other=None):
        """Finds what comes next; nothing if nothing comes in time, or the descriptor `other` is readable."""
        until = time.monotonic() + milliseconds / 1000
        self._open()
        while not self.found and not self._wait_once(until, other) and time.monotonic() < until:
            pass

    def _wait_once(self, until, other=None):
        """Until something comes or is due; whether `other` is readable."""
        core, now = self._core, time.monotonic()
        core.patience = self._connection.patience
        self._hear(dict(self._poller.poll(0)), now)  # What is here already costs the sink nothing.
        if self.found:
            return False
        if now > self._looked + LATE_SECONDS:
            core.wait_anew(now)
        if now > self._heard + SILENCE_SECONDS:
            core.look(now)
            self._heard = now  # Else it were due all the time, until the sink says something.
        core.on_deadline(now)
        for frames in core.out:
            send(self._sink, frames)
        core.out.clear()
        self._raise_error()
        due = min(until, core.next_deadline(), self._heard + SILENCE_SECONDS)
        if other is not None:
            self._poller.register(other, zmq.POLLIN)
        ready = dict(self._poller.poll(max(0, due - now) * 1000))
        if other is not None:
            self._poller.unregister(other)
        self._looked = time.monotonic()
        self._hear(ready, self._looked)
        if not self.found:
            self._raise_error()
        return other in ready

    def _hear(self, ready, now):
        if self._monitor in ready:  # It stays there: libzmq does not try again.
            self._core.end(NoAnswer(f"no answer from the sink: {TURNED_AWAY}"))
        for socket in (self._news, self._sink):
            while socket in ready and not self.found and socket.poll(0):
                *_, head, payload = socket.recv_multipart()
                self._heard = now
                self._told = now if socket is self._news else self._told
                self._take(head_of(head), payload, now)
                self._open()

    def _take(self, fields, payload, now):
        name, core = fields[1], self._core
        if name == "notification":
            core.on_notification(fields[2], payload, now)
        elif name == "log_head" and len(fields) > 3:
            core.on_grown(fields[2], fields[3], now)
        elif name == "records" and len(fields) > 6:
            core.on_records(*fields[2:7], fields[7] if len(fields) > 7 else "", payload, now)
        elif name == "gone" and len(fields) > 5:
            core.on_gone(fields[2], fields[5], now)
        elif name == "refused" and len(fields) > 3:
            core.on_refused(fields)

    def _open(self):
        while self._core.batches and len(self.found) < FOUND_MAX:
            open_batch(self._core.batches.popleft(), self._wanted, self.found, wants=self._wants)  # A bad one is met once.

    def _raise_error(self):
        error, core = self._core.take_error(), self._core
        if error is None:
            return
        if not core.is_over:
            raise error
        if isinstance(error, Refused) and core.log:
            log = int(self._connection.query("queries", "status")["log"], 16)
            if log != core.log:
                self._begin(Cursor(log), core.request)
                raise LogReplaced(f"the log {core.log:016x} was replaced by {log:016x}: what was not read yet is gone; "
                                  "reading on begins at the start of the new one")
        raise error
