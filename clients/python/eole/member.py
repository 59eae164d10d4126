"""A member of a group of readers (docs/ring.md, G1 to G5): what it owns, what it says, how far it reads.

Pure: no socket, no clock; `now` is time.monotonic(). What clients/cpp/core/group.hpp decides, in Python.
"""

import collections
import struct

import msgpack

from .errors import Damaged, LogReplaced, NoAnswer, Refused
from .records import BATCH, SIZE

CURSOR = struct.Struct("<IQ")
PARTITION = struct.Struct("<I")
PARTITIONS_MAX = 256
REPEAT_SECONDS = 1    # What was not answered is said again.
POLL_SECONDS = 1      # If nothing is published to it.
LET_GO_SECONDS = 5    # Whoever reads may not be asked sooner.
SURE_BEATS = 2.5      # Less than the sink's patience.
READ_BYTES = 1 << 20
AHEAD_BYTES = 8 << 20  # Given and not gone through.

Lost = collections.namedtuple("Lost", "first last")  # These records are not kept any more.
Piece = collections.namedtuple("Piece", "batch next")  # A batch or b"", and how far was looked with it.


class Owned:
    """A partition. position: all before it was handed out, or lies before what was gone through; handed: behind the
    last one that was handed out; wanted: to be committed; committed: as the sink said; unacknowledged: so many were handed out
    since, not yet to be committed."""
    __slots__ = ("position", "committed", "wanted", "handed", "unacknowledged", "is_leaving")

    def __init__(self, offset):
        self.position = self.committed = self.wanted = offset
        self.handed = self.unacknowledged = 0
        self.is_leaving = False  # Then position is all.


class Reading:
    """One read at a time, no more ahead than there is room for."""

    def __init__(self):
        self.given = 0  # All below was gone through.
        self._at = self._head = self._ahead = self._request = 0
        self._due, self._is_asked = 0, False

    def begin(self, offset):
        """From there on; what was given and what was asked for before is void."""
        self._at = self.given = offset
        self._due, self._is_asked, self._ahead = 0, False, 0
        self._request += 1

    def next(self, log, count, owned, now):
        """The next read, if one is due: a message."""
        if self._is_asked or self._ahead >= AHEAD_BYTES or (self._at >= self._head and now < self._due):
            return None
        self._is_asked, self._due = True, now + REPEAT_SECONDS
        self._request += 1
        return (msgpack.packb([1, "read", self._request, log, self._at, 0, READ_BYTES]),
                PARTITION.pack(count) + b"".join(map(PARTITION.pack, owned)))

    def take(self, request, following, head, payload, now):
        """The pieces of an answer; none of what nobody asked for."""
        if not self._is_asked or request != self._request:
            return []
        self._is_asked, self._head = False, max(self._head, head)
        pieces, at = [], 0
        while at < len(payload):
            size = SIZE.unpack_from(payload, at)[0] if at + SIZE.size <= len(payload) else 0
            batch = payload[at + SIZE.size:at + SIZE.size + size]
            if size < BATCH.size or len(batch) < size:
                raise Damaged(f"the sink: a malformed piece of its log, at {self._at}")
            first, _, _, count, _, _ = BATCH.unpack_from(batch)
            self._ahead += size
            pieces.append(Piece(batch, first + count))
            at += SIZE.size + size
        if following > self._at:
            pieces.append(Piece(b"", following))
        self._at, self._due = max(self._at, following), now + POLL_SECONDS
        return pieces

    def take_gone(self, request, kept_from, head):
        """They are told once, and then count as read."""
        if not self._is_asked or request != self._request or kept_from <= self._at:
            return []
        self._is_asked, self._head = False, max(self._head, head)
        lost, self._at = Lost(self._at, kept_from - 1), kept_from
        return [lost]

    def grow(self, head, now):
        self._head = max(self._head, head)
        if not self._is_asked:
            self._due = max(self._due, now + POLL_SECONDS)  # It hears of news.

    def end_piece(self, size):
        self._ahead = max(0, self._ahead - size)

    def on_deadline(self, now):
        self._is_asked = self._is_asked and now < self._due

    def next_deadline(self):
        return self._due if self._is_asked or self._ahead < AHEAD_BYTES else float("inf")


class Member:
    """`out`: messages that are to leave. `pieces`: what is to be gone through, in order. `error`: what is to be told;
    if `is_over` nothing comes any more."""

    def __init__(self, group, run, name, now, patience):
        self.out, self.pieces = [], collections.deque()
        self.drops = 0  # So often the pieces were void.
        self.error, self.is_over, self.has_left = None, False, False
        self.log = self.count = 0
        self.owned = {}
        self._group, self._run, self._name, self._patience = group, run, name, patience
        self._is_leaving = False
        self._generation = self._told = 0  # Answered, or answered next; and the latest that it was told.
        self._every = 1.0
        self._request = self._answered = 0
        self._due, self._said, self._sure_until, self._silent_at = now, 0, 0, now + patience
        self._let_go_due, self._let_go_request = None, 0
        self._reading = Reading()

    # ---- What it owns.

    def on_attending(self, request, log, generation, moved, heartbeat_ms, partitions, payload, now):
        if self.is_over or self.has_left or (request and request <= self._answered) or generation < self._told:
            return
        if self.log and log != self.log:
            self.end(LogReplaced(f"the log {self.log:016x} was replaced by {log:016x}: the group {self._group} is "
                                  "of the old one"))
            return
        self._silent_at, self.log = now + self._patience, log
        if heartbeat_ms > 0:
            self._every = heartbeat_ms / 1000
        if request:
            self._answered = request
            if self._is_leaving and request == self._request:
                self.has_left = True
                return
            self._due = now + self._every
            if request == self._request:
                self._sure_until = self._said + self._every * SURE_BEATS
        if self._is_leaving or not 0 < partitions <= PARTITIONS_MAX or len(payload) % CURSOR.size:
            return
        self.count = partitions
        cursors = {partition: offset for partition, offset in CURSOR.iter_unpack(payload) if partition < partitions}
        self._take_generation(generation, moved, cursors, now)
        if request and request == self._request and not self.is_committed():
            self._attend(now)  # What was wanted meanwhile.

    def _take_generation(self, generation, moved, cursors, now):
        is_new, is_moved = generation > self._told, moved > self._told
        self._told = generation
        if is_moved:
            self.owned.clear()  # What was handed out before is not to be committed now.
        for partition, owned in self.owned.items():
            owned.position = self._level(owned)
            if partition not in cursors and is_new:
                owned.is_leaving = True
        if not is_new and self._let_go_request and self._answered >= self._let_go_request:
            self.owned = {partition: owned for partition, owned in self.owned.items() if not owned.is_leaving}
            self._let_go_request = 0
        is_behind = is_moved
        for partition, offset in cursors.items():
            owned = self.owned.get(partition)
            is_behind = is_behind or owned is None or owned.is_leaving
            if owned is None:
                owned = self.owned[partition] = Owned(offset)
            owned.is_leaving = False
            owned.committed = max(owned.committed, offset)
            owned.wanted = max(owned.wanted, owned.committed)
            owned.position = max(owned.position, owned.committed)
        if is_behind:
            self._read_anew()
        if is_new:
            if not self.is_to_let_go():
                self.let_go(now)
            elif self._let_go_due is None:
                self._let_go_due = now + LET_GO_SECONDS
        self._read(now)

    def _level(self, owned):
        return owned.position if owned.is_leaving else max(owned.position, self._reading.given)

    def is_to_let_go(self):
        """Something was handed out of what others are to have: they wait for commit() or let_go()."""
        return self._generation != self._told and any(
            owned.is_leaving and owned.handed > owned.wanted for owned in self.owned.values())

    def let_go(self, now):
        """What leaves may leave: the answer to the new generation, with what was committed."""
        if self._generation == self._told:
            return
        self._generation, self._let_go_due = self._told, None
        self._attend(now)
        self._let_go_request = self._request

    def _read_anew(self):
        # What it has now begins elsewhere: from the one on that lies farthest behind.
        self._reading.begin(min((owned.position for owned in self.owned.values() if not owned.is_leaving), default=0))
        self.pieces.clear()
        self.drops += 1

    # ---- What it says.

    def _attend(self, now):
        self._request += 1
        cursors = []
        for partition, owned in sorted(self.owned.items()):
            if owned.handed <= owned.wanted:  # What was looked through behind what was handed out is others'.
                owned.wanted = max(owned.wanted, self._level(owned))
            if owned.wanted > owned.committed:
                cursors.append(CURSOR.pack(partition, owned.wanted))
        fields = [1, "attend", self._request, self._group, self._run, self._name, self._generation, int(self._is_leaving)]
        unacknowledged = sum(owned.unacknowledged for owned in self.owned.values())
        self.out.append((msgpack.packb(fields + ["", unacknowledged] * (unacknowledged > 0)), b"".join(cursors)))
        self._due, self._said = now + REPEAT_SECONDS, now

    def commit(self, now, but=None):
        """All that was handed out is dealt with, but for that (partition, offset)."""
        for partition, owned in self.owned.items():
            is_but = bool(but) and partition == but[0] and owned.handed == but[1] + 1
            owned.wanted = max(owned.wanted, but[1] if is_but else self._level(owned))
            owned.unacknowledged = int(is_but)
        if self._generation != self._told:
            self.let_go(now)
        elif not self.is_committed() and self._answered == self._request:  # Else with the answer.
            self._attend(now)

    def is_committed(self):
        """All that was to be committed is durable, or others' business."""
        return all(owned.committed >= owned.wanted for owned in self.owned.values())

    def leave(self, now):
        self._is_leaving, self._generation = True, self._told
        self._attend(now)

    def may_hand_out(self, now):
        """The sink still counts on this member: what it owns is nobody else's."""
        return now < self._sure_until

    def has_handed(self, partition, offset):
        """That record was handed out last of its partition, which nobody else has since."""
        owned = self.owned.get(partition)
        has_left = owned is None or (owned.is_leaving and self._generation == self._told)
        return not has_left and owned.handed == offset + 1

    def give_back(self, partition, offset):
        """That record, the last one of its partition, was not dealt with: it comes again, here or at another member."""
        for owned in self.owned.values():
            owned.position = self._level(owned)
        owned = self.owned.get(partition)
        if owned is not None and owned.handed == offset + 1:
            owned.position, owned.handed = offset, 0
            owned.unacknowledged = max(0, owned.unacknowledged - 1)
        self._read_anew()

    # ---- What it reads.

    def takes(self, partition, offset):
        """Goes through a record: whether it is to be handed out, which it then was."""
        self.went_to(offset)
        owned = self.owned.get(partition)
        if owned is None or owned.is_leaving or offset < self._level(owned):
            return False
        owned.position = owned.handed = offset + 1
        owned.unacknowledged += 1
        return True

    def went_to(self, following):
        self._reading.given = max(self._reading.given, following)

    def end_piece(self, size, now):
        self._reading.end_piece(size)
        self._read(now)

    def on_records(self, request, following, head, payload, now):
        try:
            self.pieces += self._reading.take(request, following, head, payload, now)
        except Damaged as error:
            return self.end(error)
        self._read(now)

    def on_gone(self, request, kept_from, head, now):
        self.pieces += self._reading.take_gone(request, kept_from, head)
        self._read(now)

    def on_grown(self, log, head, now):
        if log == self.log:
            self._reading.grow(head, now)
            self._read(now)

    def on_refused(self, fields):
        self.end(Refused.by("sink", fields))

    def turn_away(self, why):
        self.end(NoAnswer(why))

    def _read(self, now):
        owned = sorted(partition for partition, owned in self.owned.items() if not owned.is_leaving)
        if not owned or self._is_leaving or self.is_over:
            return
        message = self._reading.next(self.log, self.count, owned, now)
        if message:
            self.out.append(message)

    # ---- Time.

    def on_deadline(self, now):
        if self.is_over or self.has_left:
            return
        if self._let_go_due is not None and now >= self._let_go_due:
            self.let_go(now)
        if now >= self._due:
            self._attend(now)
        if now >= self._silent_at:
            self._silent_at = now + self._patience
            self.error = NoAnswer(f"no answer from the sink within {self._patience} s: is it running, and may this key "
                                  "connect?")
        self._reading.on_deadline(now)
        self._read(now)

    def next_deadline(self):
        if self.is_over or self.has_left:
            return float("inf")
        due = min(self._due, self._silent_at, float("inf") if self._let_go_due is None else self._let_go_due)
        if not self._is_leaving and any(not owned.is_leaving for owned in self.owned.values()):
            due = min(due, self._reading.next_deadline())
        return due

    def take_error(self):
        """What is to be told now; it may answer again, unless it is over."""
        error = self.error
        if not self.is_over:
            self.error = None
        return error

    def end(self, error):
        if not self.is_over:
            self.error, self.is_over = error, True
