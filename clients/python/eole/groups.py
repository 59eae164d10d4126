"""Groups of readers of the log (docs/log.md): each record goes to one member, and what was committed does not come again."""

from __future__ import annotations

import os
import platform
import select
import socket
import threading
import time
from typing import Self

import zmq

from .connection import TURNED_AWAY, Connection, send
from .errors import Gone, NoAnswer, not_kept
from .member import Lost, Member
from .records import Result, head_of, open_batch
from .topics import topics

COMMITS = ("end", "each", "manual")
LEAVE_SECONDS = 5  # Who does not hear of it knows soon enough.
FOREVER = 86400
WAITING_MAX = 100  # Messages to a sink that is away; what does not fit is said again.


class Group:
    """A member of a group: `with cluster.group(…) as group: for record in group: …`. What was handed out before the next
    record is asked for counts as dealt with, and what is on its way when a block ends by an exception does not. The
    group may be iterated again after any error, Gone among them. One thread."""

    def __init__(self, opened, roles, name, member, topic, commits, timeout):
        if commits not in COMMITS:
            raise ValueError(f"commits: {commits!r}: must be one of {', '.join(COMMITS)}")
        self.name = name
        self.roles = roles  # The connection and the submitter that its thread asks and submits with.
        self._wants = topics(topic) if topic else None
        self._commits, self._timeout, self._patience = commits, timeout, opened[1]
        self._connection = Connection(*opened)
        self._sink, self._monitor = self._connection.watch(zmq.DEALER, "queries", zmq.EVENT_HANDSHAKE_FAILED_AUTH,
                                                             WAITING_MAX)
        self._news = self._connection.connect(zmq.SUB, "notifications")
        self._news.subscribe(b"grown")
        self._news.subscribe(b"head")
        self._records, self._piece, self._drops = [], None, 0  # Of the piece that is gone through, the last one first.
        self._current = None  # Handed out, and not known to be dealt with.
        self._member = Member(name, int.from_bytes(os.urandom(8)) or 1, member or f"{platform.node()}-{os.getpid()}",
                              time.monotonic(), self._patience)
        self._changed = threading.Condition()  # With its lock everything here is looked at.
        self._is_closed = False
        self._woken, self._wake = socket.socketpair()
        self._wake.setblocking(False)
        self._thread = threading.Thread(target=self._run, name=f"eole group {name}", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind, *_):
        try:
            if self._commits != "manual" and not self._is_closed:
                self._dealt_with(wait=kind is None, but_current=kind is not None)
        finally:
            self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Result:
        """The next record, a Result with `partition`. Gone: some are not kept any more (first, last)."""
        if self._commits == "each" and self._current is not None:
            self.commit()
        until = time.monotonic() + (FOREVER if self._timeout is None else self._timeout)
        with self._changed:
            self._current = None
            while True:
                self._check_open()
                now = time.monotonic()
                if self._member.is_to_let_go():
                    self._member.let_go(now) if self._commits == "manual" else self._member.commit(now)
                found = self._take(now) if self._member.may_hand_out(now) else None
                self._send_soon()
                if isinstance(found, Lost):
                    raise Gone(f"group {self.name}: {not_kept('record', found.first, found.last)}; the oldest kept is "
                               f"{found.last + 1}",
                               found.last + 1, found.first, found.last)
                if found:
                    self._current = found
                    return found
                self._raise_trouble()
                if now < until:
                    self._changed.wait(until - now)
                elif self._timeout is not None:
                    raise StopIteration

    def commit(self, wait: bool = True) -> None:
        """All that was handed out, the last one too, is dealt with: durably, or it is others' business, when this
        returns. wait=False: soon."""
        with self._changed:
            self._current = None
        self._dealt_with(wait, False)

    def holds(self, record: Result) -> bool:
        """Whether this record, the last one that was handed out, is still this member's: nobody else has had it. Waits
        as long as the sink does not say."""
        with self._changed:
            while not self._member.may_hand_out(time.monotonic()):
                self._check_open()
                self._raise_trouble()
                self._changed.wait(self._patience)
            return self._member.has_handed(record.partition, record.offset)

    def give_back(self, record: Result) -> None:
        """This record, the last one that was handed out, was not dealt with: it comes again, here or elsewhere."""
        with self._changed:
            self._current = None
            self._member.give_back(record.partition, record.offset)
            self._send_soon()

    def hear_also(self, project):
        """Hands out all of a project, whatever the topic is."""
        if self._wants:
            fits = self._wants
            self._wants = lambda *topic: topic[0] == project or fits(*topic)

    @property
    def log(self):
        """That it reads; zero before the first record."""
        return self._member.log

    def close(self):
        """Leaves the group, so that others go on at once; what was not committed is theirs."""
        with self._changed:
            if self._is_closed:
                return
            self._member.leave(time.monotonic())
            self._send_soon()
            self._wait_for(lambda: self._member.has_left, LEAVE_SECONDS)
            self._is_closed = True
            self._send_soon()
        self._thread.join()

    # ---- Below: how. The lock is held.

    def _check_open(self):
        if self._is_closed:
            raise ValueError(f"group {self.name}: is closed")

    def _raise_trouble(self):
        error = self._member.take_error()
        if error:
            raise error

    def _wait_for(self, is_done, seconds):
        until = time.monotonic() + seconds
        while not is_done():
            left = until - time.monotonic()
            if left <= 0 or self._member.is_over:
                return False
            self._changed.wait(left)
        return True

    def _dealt_with(self, wait, but_current):
        with self._changed:
            self._check_open()
            but = self._current if but_current else None
            self._member.commit(time.monotonic(), but and (but.partition, but.offset))
            self._send_soon()
            if wait and not self._wait_for(self._member.is_committed, self._patience):
                self._raise_trouble()
                raise NoAnswer(f"no answer from the sink within {self._patience} s to what was to be committed")

    def _take(self, now):
        """The next of what is here, or None."""
        member = self._member
        if self._drops != member.drops:
            self._drops, self._records, self._piece = member.drops, [], None
        while True:
            while self._records:
                record = self._records.pop()
                if member.takes(record.partition, record.offset):
                    return record
            if self._piece:
                done, self._piece = self._piece, None
                member.went_to(done.next)
                member.end_piece(len(done.batch), now)
            if not member.pieces:
                return None
            piece = member.pieces.popleft()
            if isinstance(piece, Lost):
                member.went_to(piece.last + 1)
                return piece
            self._piece = piece
            try:
                if piece.batch:
                    open_batch(piece.batch, 0, self._records, member.count, self._wants)
            finally:  # A malformed one is told once.
                self._records.reverse()

    def _send_soon(self):
        if self._member.out or self._is_closed:
            try:
                self._wake.send(b".")
            except BlockingIOError:
                pass  # It is awake.

    # ---- The thread of the sockets: heartbeats go on however long a record takes.

    def _run(self):
        self._connection.adopt()
        try:
            self._go_on()
        except Exception as error:  # noqa: BLE001 - whoever waits hears of it
            with self._changed:
                self._member.end(error)
                self._changed.notify_all()

    def _go_on(self):
        poller = zmq.Poller()
        for each in (self._sink, self._news, self._monitor, self._woken):
            poller.register(each, select.POLLIN)
        while True:
            with self._changed:
                if not self._is_closed:
                    self._hear()
                self._member.on_deadline(time.monotonic())
                out, self._member.out = self._member.out, []
                for frames in out:
                    send(self._sink, frames)
                self._changed.notify_all()
                if self._is_closed:
                    break
                left = min(self._member.next_deadline() - time.monotonic(), FOREVER)
            if dict(poller.poll(max(0, left * 1000))).get(self._woken.fileno()):
                self._woken.recv(4096)
        self._connection.close()
        self._woken.close()
        self._wake.close()

    def _hear(self):
        now = time.monotonic()
        if self._monitor.poll(0):  # It stays there.
            self._member.turn_away(f"no answer from the sink: {TURNED_AWAY}")
        while self._sink.poll(0):
            head, payload = self._sink.recv_multipart()
            self._take_answer(head_of(head), payload, now)
        while self._news.poll(0):
            fields = head_of(self._news.recv_multipart()[1])
            if fields[1] == "log_head" and len(fields) > 3:
                self._member.on_grown(fields[2], fields[3], now)

    def _take_answer(self, fields, payload, now):
        name = fields[1]
        numbers = [each for each in fields[2:8] if isinstance(each, int)]
        if name == "attending" and len(numbers) == 6:
            self._member.on_attending(*numbers, payload, now)
        elif name == "records" and len(numbers) >= 4:
            self._member.on_records(numbers[0], numbers[2], numbers[3], payload, now)
        elif name == "gone" and len(numbers) >= 5:
            self._member.on_gone(numbers[0], numbers[3], numbers[4], now)
        elif name == "refused" and len(fields) > 3:
            self._member.on_refused(fields)
