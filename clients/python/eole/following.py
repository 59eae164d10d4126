"""How a reader follows the log without a gap: by what is published, and by reading what none of that brought.

Pure: no socket, no clock; `now` is time.monotonic(). What clients/cpp/core/read.hpp decides, in Python.
"""

import collections

import msgpack

from .errors import Damaged, Error, Gone, NoAnswer, Refused, not_kept
from .records import BATCH, SIZE, crc32c

REPEAT_SECONDS = 1      # What was not answered is said again.
READ_EVERY = 0.1        # Of a key that is bound to a prefix, which hears no publications.
READ_BYTES = 1 << 20
AHEAD_BYTES = 16 << 20  # Published behind a gap, and kept.

Cursor = collections.namedtuple("Cursor", "log offset", defaults=(0, 0))  # Log zero: not known.


class Following:
    """`out`: messages that are to leave. `batches`: the log's next ones, in order; of the first one, what lies before
    the offset that was asked for is to be skipped, and of what was published, what does not fit. `error`: what is to be
    told; if `is_over` nothing comes any more."""

    def __init__(self, cursor, now, patience, pattern="", request=0):
        """request: the latest that was asked at this place before."""
        self.out, self.batches = [], collections.deque()
        self.error, self.is_over, self.is_open = None, False, False
        self.log, self.offset = cursor  # All below is in `batches`, or does not fit.
        self._pattern, self.patience = pattern, patience
        self._crc, self._before = 0, b""  # Of the batch before the offset; zero: to be taken of these bytes.
        self._head = 0
        self._ahead, self._ahead_bytes = collections.deque(), 0  # First offset and batch of what lies behind a gap.
        self._is_within = False  # A prefix: it is told nothing that it does not ask for.
        self.request = request
        self._ask(now)

    def on_notification(self, log, batch, now):
        if self.is_over or not self.is_open or log != self.log or len(batch) < BATCH.size:
            return
        first, following = span_of(batch)
        self._head = max(self._head, following)
        if first == self.offset:
            self._take(batch, following)
            self._take_ahead()
        elif first > max(self.offset, self._ahead[-1][0] if self._ahead else 0) and self._ahead_bytes + len(batch) <= AHEAD_BYTES:
            self._ahead.append((first, batch))  # They are published in order.
            self._ahead_bytes += len(batch)
        self._go_on(now)

    def on_grown(self, log, head, now):
        """Another log's head is beyond any offset: the sink says by name that the log is not the same."""
        if self.is_open and not self.is_over:
            self._head = max(self._head, head) if log == self.log else float("inf")
            self._go_on(now)

    def on_records(self, request, log, following, head, crc, within, payload, now):
        if self.is_over or not self._is_asking or request != self.request:
            return
        self._is_asking, self.is_open = False, True
        self.log, self._head, self._is_within = self.log or log, head, within != ""
        self._due = now + READ_EVERY
        leaves_out = self._is_within or self._pattern
        at = 0
        while at < len(payload):
            size = SIZE.unpack_from(payload, at)[0] if at + SIZE.size <= len(payload) else 0
            batch = payload[at + SIZE.size:at + SIZE.size + size]
            first, behind = span_of(batch) if BATCH.size <= size == len(batch) else (self.offset + 1, 0)
            at += SIZE.size + size
            if 0 < behind <= self.offset:
                continue  # What was published meanwhile was taken.
            if not behind or (first > self.offset and not leaves_out):
                return self.end(Damaged(f"the sink: a malformed piece of its log, at {self.offset}"))
            self._take(batch, behind, crc)
        if leaves_out:  # What is others', or does not fit, is left out, also at the end.
            self.offset, self._crc, self._before = max(self.offset, following), 0, b""
        elif not payload and head > self.offset:
            return self.end(Damaged(f"the sink: its log has nothing at {self.offset}"))
        self._take_ahead()
        self._go_on(now)

    def on_gone(self, request, kept_from, now):
        if self._is_asking and request == self.request and kept_from > self.offset and not self.is_over:
            gone = not_kept("result", self.offset, kept_from - 1)
            self.end(Gone(f"the sink: {gone}; the oldest kept is {kept_from}", kept_from))

    def on_refused(self, fields):
        """Request zero: whichever was meant."""
        request = fields[2]
        if request == 0 or (self._is_asking and request == self.request):
            self.end(Refused.by("sink", fields))

    def look(self, now):
        """More may be in the log than is known."""
        if self.is_open and not self._is_asking and not self.is_over:
            self._ask(now)

    def on_deadline(self, now):
        if self.is_over:
            return
        if self._is_within and not self._is_asking and now >= self._due:
            self._ask(now)
        if not self._is_asking:
            return
        if now >= self._silent_at:
            self._silent_at = now + self.patience
            self.error = NoAnswer(f"no answer from the sink within {self.patience} s: is it running, and may this key "
                                  "connect?")
        if now >= self._due:
            self._due = now + REPEAT_SECONDS
            self._crc = self._crc or (crc32c(self._before) if self._before else 0)
            fields = [1, "read", self.request, self.log, self.offset, self._crc, READ_BYTES]
            self.out.append((msgpack.packb(fields + ["", self._pattern] if self._pattern else fields), b""))

    def wait_anew(self, now):
        """Nobody has looked for a while: the patience begins now."""
        self._silent_at = now + self.patience

    def next_deadline(self):
        if self.is_over:
            return float("inf")
        if self._is_asking:
            return min(self._due, self._silent_at)
        return self._due if self._is_within else float("inf")

    def take_error(self):
        """What is to be told now; it may answer again, unless it is over."""
        error = self.error
        if not self.is_over:
            self.error = None
        return error

    def end(self, error: Error):
        if not self.is_over:
            self.error, self.is_over, self._is_asking = error, True, False

    def _ask(self, now):
        # Said by the next deadline, and again every second.
        self._is_asking, self._due, self._silent_at = True, now, now + self.patience
        self.request += 1

    def _go_on(self, now):
        if self._head > self.offset and not self._is_asking:
            self._ask(now)

    def _take(self, batch, following, crc=0):
        self.offset, self._crc, self._before = following, *((0, b"") if self._pattern else (crc, batch))
        self.batches.append(batch)

    def _take_ahead(self):
        while self._ahead and self._ahead[0][0] <= self.offset:
            first, batch = self._ahead.popleft()
            self._ahead_bytes -= len(batch)
            if first == self.offset:
                self._take(batch, span_of(batch)[1])


def span_of(batch):
    """Its first offset, and that of the batch behind it."""
    first, _, _, count, _, _ = BATCH.unpack_from(batch)
    return first, first + count
