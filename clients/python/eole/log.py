"""The log, read in order and without a gap."""

import collections
import time

import zmq

from .errors import Gone, LogReplaced, Refused
from .records import BATCH, SIZE, head_of, open_batch

READ_BYTES = 1 << 20
NEWS_MAX = 1000      # Notifications that wait to be read; what is dropped beyond is read from the log.
READ_EVERY = 100     # Milliseconds; of a key that is bound to a prefix, which hears no notifications.
SILENCE_SECONDS = 5  # The sink says something every second; after so long it is asked.


def read(connection, log, offset, most, pattern=""):
    """The head and the batches of an answer to a read."""
    head, payload = connection.ask("queries", ("records", "gone"), "read", log, offset, 0, most, "",
                                    pattern)
    if head[1] == "gone":
        raise Gone(f"the sink: {head[5] - offset} results, offsets {offset} to {head[5] - 1}, are not kept any more; "
                   f"the oldest kept is {head[5]}", head[5])
    return head, payload


def is_within(records):
    """Whether these are what a prefix of projects has, and no more."""
    return len(records) > 7 and records[7] != ""


def record_at(connection, offset):
    """The one record at this offset."""
    _, payload = read(connection, 0, offset, 1)
    found = []
    open_batch(payload[SIZE.size:], offset, found)
    return found[0]


class Log:
    """Reads the log from an offset on, in order and without a gap: all of it, or what fits a pattern of topics."""

    def __init__(self, connection, offset=None, pattern=""):
        self._connection = connection
        self._pattern = pattern
        self.found = collections.deque()  # Read, and not handed out.
        self.is_behind = True  # The log is looked at before a notification is waited for.
        self._news = connection.connect(zmq.SUB, "notifications", NEWS_MAX)
        self._news.subscribe(b"result.")
        self._news.subscribe(b"head")
        try:
            self._offset = connection.query("queries", "status")["head"] if offset is None else offset
            answer, _ = read(connection, 0, self._offset, 1, pattern)
        except BaseException:
            self.close()
            raise
        self._log, self._head, self._is_within = answer[3], answer[5], is_within(answer)
        self._heard = time.monotonic()

    @property
    def offset(self):
        """All below was found, or does not fit."""
        return self._offset

    def close(self):
        self._news.close(0)

    def wait(self, milliseconds):
        """Finds what comes next; nothing if nothing comes in time."""
        # What is here already costs the sink nothing; the log is asked only for what is not.
        is_behind = self.is_behind or self._head > self._offset
        patience = min(milliseconds, READ_EVERY) if self._is_within else milliseconds
        if not self._news.poll(0 if is_behind else patience):
            if is_behind or self._is_within:
                return self._read()
            if time.monotonic() > self._heard + SILENCE_SECONDS:
                self._read()
            return
        self._heard = time.monotonic()
        _, head, payload = self._news.recv_multipart()
        fields = head_of(head)
        if fields[1] == "log_head" and len(fields) > 3:
            if fields[2] != self._log:
                self._begin_anew(fields[2])
            self._head = max(self._head, fields[3])
        elif fields[1] == "notification" and fields[2] == self._log and len(payload) >= BATCH.size:
            first, _, _, count, _, _ = BATCH.unpack_from(payload)
            if first == self._offset and not self._pattern:
                self._take(payload)
            else:
                self._head = max(self._head, first + count)  # If some were missed, they are read.

    def _read(self):
        try:
            answer, payload = read(self._connection, self._log, self._offset, READ_BYTES, self._pattern)
        except Refused:
            log = int(self._connection.query("queries", "status")["log"], 16)
            if log != self._log:
                self._begin_anew(log)
            raise
        self._heard = time.monotonic()
        self.is_behind, self._head = False, answer[5]
        at = 0
        while at + SIZE.size <= len(payload):
            size = SIZE.unpack_from(payload, at)[0]
            self._take(payload[at + 4:at + 4 + size])
            at += 4 + size
        if is_within(answer) or self._pattern:  # What is others', or does not fit, is left out, also at the end.
            self._offset = max(self._offset, answer[4])

    def _take(self, batch):
        first, _, _, count, _, _ = BATCH.unpack_from(batch)
        wanted, self._offset = self._offset, max(self._offset, first + count)  # A bad batch is met once.
        self._head = max(self._head, self._offset)
        open_batch(batch, wanted, self.found)

    def _begin_anew(self, log):
        old, self._log, self._offset, self._head, self.is_behind = self._log, log, 0, 0, True
        raise LogReplaced(f"the log {old:016x} was replaced by {log:016x}: what was not read yet is gone; "
                          "reading on begins at the start of the new one")
