"""Messages on their way to the ventilator: sent again under their numbers until answered, so that nothing happens twice.

Pure: no socket, no clock; `now` is time.monotonic(). What clients/cpp/core/submit.hpp decides, in Python.
"""

import struct

import msgpack

from .connection import REPEAT_SECONDS
from .errors import NoAnswer, Refused

ACCEPTANCE = struct.Struct("<QQI")


class Window:
    """How many messages may be unanswered: doubled as long as that raises the rate by a seventh."""

    def __init__(self):
        self.messages = 8
        self._answered = self._tasks = self._begun = self._best = 0

    def on_answer(self, tasks, now):
        if self._answered == 0:  # The first answer begins a round, and is not in it.
            self._begun, self._tasks, self._answered = now, 0, 1
            return
        self._tasks += tasks
        self._answered += 1
        if self._answered <= 4 * self.messages or now <= self._begun:
            return
        rate = self._tasks / (now - self._begun)
        if rate > 1.15 * self._best:
            self.messages, self._best = min(2 * self.messages, 4096), rate
        self._answered = 0


class Flight:
    __slots__ = ("frames", "count", "sent")

    def __init__(self, frames, count, sent):
        self.frames, self.count, self.sent = frames, count, sent


class Flights:
    """`out`: messages that are to leave. `ended`: what became of each request: (origin, first number, count), or an
    error."""

    def __init__(self, run, patience):
        self.out, self.ended = [], {}
        self.error = None  # The first of those.
        self.bytes = 0  # Of what is unanswered.
        self.window = Window()
        self.next_request = 1
        self._run, self._patience = run, patience
        self._flights = {}  # Unanswered, by request, the oldest first.
        self._is_broken = False  # The connection, as far as is known.
        self._heard = 0  # Any answer, or when the first of them went.
        self._pack = msgpack.Packer().pack

    def __len__(self):
        return len(self._flights)

    def submit(self, payload, count, key, now):
        request, self.next_request = self.next_request, self.next_request + 1
        if not self._flights:
            self._heard = now
        confirmed = next(iter(self._flights), request) - 1
        frames = self._pack([1, "submit", self._run, request, confirmed, key, count]), payload
        self._flights[request] = Flight(frames, count, now)
        self.bytes += len(payload)
        self.out.append(frames)

    def on_accepted(self, origin, payload, now):
        self._heard = now
        for request, first, count in ACCEPTANCE.iter_unpack(payload[:len(payload) // ACCEPTANCE.size * ACCEPTANCE.size]):
            flight = self._flights.get(request)
            if flight and flight.count == count:
                self.window.on_answer(count, now)
                self._end(request, (origin, first, count))

    def on_refused(self, fields, now):
        """Request zero: whichever was meant."""
        self._heard, request = now, fields[2]
        error = Refused.by("ventilator", fields)
        if request == 0:
            self.end_all(error)
        elif request in self._flights:
            self._end(request, error)

    def on_broken(self):
        self._is_broken = True

    def on_standing(self, now):
        """What was on its way when the connection broke may be lost."""
        if self._is_broken:
            self._repeat(0, now)
        self._is_broken = False

    def on_deadline(self, now):
        if self._flights and now >= self._heard + self._patience:
            self.end_all(NoAnswer("whether the last tasks were accepted is not known: no answer from the ventilator "
                                  f"within {self._patience} s: is it running, and may this key connect?"))
        self._repeat(REPEAT_SECONDS, now)

    def wait_anew(self, now):
        """Nobody has looked for a while: the patience begins now."""
        self._heard = now

    def end_all(self, error):
        for request in list(self._flights):
            self._end(request, error)

    def forget(self):
        """Nobody wants to know what becomes of them."""
        self._flights.clear()
        self.ended.clear()
        self.error, self.bytes = None, 0

    def _repeat(self, age, now):
        for flight in self._flights.values():
            if now >= flight.sent + age:
                flight.sent = now
                self.out.append(flight.frames)

    def _end(self, request, came_to):
        self.bytes -= len(self._flights.pop(request).frames[1])
        self.ended[request] = came_to
        if isinstance(came_to, Exception):
            self.error = self.error or came_to
