"""Tasks on their way to the ventilator: packed, split into messages, sent again until answered."""

import collections.abc
import itertools
import operator
import os
import re
import struct
import time

import msgpack
import zmq
import zmq.utils.monitor

from .connection import REPEAT_SECONDS, TURNED_AWAY, send
from .errors import BadTask, Error, NoAnswer, Refused, TooLarge
from .records import SIZE, head_of, task_ids
from .words import OF_CLASS, PLAIN, check_plain, conditions_of, milliseconds, policies, trace_of

ACCEPTANCE = struct.Struct("<QQI")
GROUP = struct.Struct("<HHII")
CONDITIONS_SIZE = struct.Struct("<H")
TASK_BYTES_MAX = 1 << 20     # One task's arguments.
PAYLOAD_BYTES_MAX = 8 << 20  # One message; all tasks under a key are one.
TASKS_MAX = 65536            # In one message.
MESSAGE_BYTES = 1 << 20      # What a message holds if its tasks may come in several.
FLYING_BYTES = 64 << 20      # Unanswered: kept to be sent again.
BACKOFF_SECONDS_MAX = 86400
RETRY_ON_BYTES_MAX = 512
CAUSE_NUMBERS = {"exit": (1, 255), "signal": (1, 64), "http": (400, 999)}


class Specs:
    """Packs the tasks of one submit: all of one class."""

    def __init__(self, kind, project, retry, attempts, words=None):
        """words: what else is said of all of them (words.py)."""
        self._class = encoded_class({**(words or {}), "kind": kind, "project": project, "retry": retry,
                                     "attempts": attempts}, {})
        waits_for = conditions_of(words) if words else b""
        self._flags = 1 if waits_for else 0
        self._pack = msgpack.Packer().pack
        self._heads = Heads(waits_for, trace_of(words) if words else b"")
        self.overhead = len(self._heads[0])
        self.group_overhead = GROUP.size + len(self._class)

    def pack(self, tasks, first):
        """The arguments of each; `first` is the number of the first, for errors."""
        for number, task in enumerate(tasks, first):
            if type(task) not in PLAIN:
                try:
                    check_plain(task)
                except BadTask as error:
                    raise BadTask(f"submit: task {number}: {error}") from None
        try:
            packed = list(map(self._pack, tasks))
        except Exception:  # noqa: BLE001 - found again, with its number
            packed = [self._pack_one(task, number) for number, task in enumerate(tasks, first)]
        if packed and max(map(len, packed)) > TASK_BYTES_MAX:
            number, size = next((number, len(each)) for number, each in enumerate(packed, first)
                                if len(each) > TASK_BYTES_MAX)
            raise TooLarge(f"submit: task {number}: its arguments have {size} bytes, limit {TASK_BYTES_MAX} "
                           "(put large data into a file or an artifact)")
        return packed

    @staticmethod
    def _pack_one(task, number):
        try:
            return msgpack.packb(task)
        except Exception as error:  # noqa: BLE001
            raise BadTask(f"submit: task {number} cannot be packed: {type(error).__name__}: {error}") from error

    def bytes_of(self, packed):
        return sum(map(len, packed)) + self.overhead * len(packed) + self.group_overhead

    def _group(self, count, specs):
        return GROUP.pack(len(self._class), self._flags, count, len(specs)) + self._class + specs

    def messages(self, packed, tasks_max, bytes_max):
        """Payloads of at most so many tasks and (unless it is one task) bytes; how many are in each."""
        if tasks_max == 1:
            yield from ((self._group(1, self._heads[len(each)] + each), 1) for each in packed)
            return
        at = 0
        while at < len(packed):
            some = packed[at:at + tasks_max]
            if self.bytes_of(some) > bytes_max:
                ends = itertools.accumulate(len(each) + self.overhead for each in some)
                some = some[:max(1, sum(end + self.group_overhead <= bytes_max for end in ends))]
            at += len(some)
            specs = b"".join(map(operator.add, map(self._heads.__getitem__, map(len, some)), some))
            yield self._group(len(some), specs), len(some)


class Heads(dict):
    """What stands before arguments, by their size; all wait for the same and are part of the same trace."""

    def __init__(self, waits_for=b"", trace=b""):
        super().__init__()
        self._said = waits_for, trace

    def __missing__(self, size):
        self[size] = spec_head(size, *self._said)
        return self[size]


def spec_head(size, waits_for, trace):
    """What stands before the arguments of a task."""
    flags = bool(waits_for) | 2 * bool(trace)
    return bytes([flags]) + SIZE.pack(size) + (CONDITIONS_SIZE.pack(len(waits_for)) if waits_for else b"") + waits_for + trace


def encoded_class(words, known):
    """The class of a task with these words; `known` keeps those that were made."""
    said = repr([words.get(word) for word in OF_CLASS])
    if said not in known:
        names = [name_of(words.get(what, ""), what) for what in ("kind", "project")]
        retry = words.get("retry")
        of_retry = {"attempts": words.get("attempts") or 0, **words_of(retry)}
        if not isinstance(of_retry["attempts"], int) or not 0 <= of_retry["attempts"] <= 255:
            raise BadTask(f"submit: attempts: {of_retry['attempts']!r} is no whole number from 0 to 255")
        known[said] = class_of(
            *names, of_retry["attempts"], retry is not False and retry is not None,
            backoff_ms=milliseconds(of_retry.get("backoff", 0), "retry: backoff", BACKOFF_SECONDS_MAX),
            backoff_max_ms=milliseconds(of_retry.get("backoff_max", 0), "retry: backoff_max", BACKOFF_SECONDS_MAX),
            retry_on=causes(of_retry.get("on", "")), **policies(words))
    return known[said]


def name_of(name, what):
    try:
        encoded = name if isinstance(name, bytes) else name.encode()
    except (AttributeError, UnicodeEncodeError):
        raise BadTask(f"submit: the {what} {name!r} is no text") from None
    if len(encoded) > 255 or (what == "kind" and not encoded):
        raise BadTask(f"submit: the {what} has {len(encoded)} bytes, limit 255"
                      + (", at least 1" if what == "kind" else ""))
    return encoded


def words_of(retry):
    """What a retry says beside yes or no."""
    if not isinstance(retry, collections.abc.Mapping):
        return {}
    for word in retry:
        if word not in ("attempts", "backoff", "backoff_max", "on"):
            raise BadTask(f"submit: retry: {word!r} is not known; attempts, backoff, backoff_max and on are")
    return retry


def causes(on):
    """Causes of failures, a text with commas between them or a list."""
    text = on if isinstance(on, str) else ",".join(on)
    for cause in filter(None, text.split(",")):
        if len(cause) <= 64 and re.fullmatch(r"(?:[A-Za-z][\w.]*\.)?[A-Z]\w*", cause, re.ASCII):
            continue  # A class of errors.
        match = re.fullmatch(r"(exit|signal|http)(?::(\d+)(?:-(\d+))?)?|error|lost|timeout", cause)
        if not match:
            raise BadTask(f"submit: retry on {cause!r}: is no cause of a failure (exit:75, exit:1-9, signal, "
                          "signal:9, http:503, timeout, lost, error, or a class of errors as ValueError)")
        word, first, last = match.groups()
        if first:
            least, most = CAUSE_NUMBERS[word]
            if not least <= int(first) <= int(last or first) <= most:
                raise BadTask(f"submit: retry on {cause!r}: {word} has a number from {least} to {most}")
    if len(text) > RETRY_ON_BYTES_MAX:
        raise BadTask(f"submit: retry on: {len(text)} bytes, limit {RETRY_ON_BYTES_MAX}")
    return text


def class_of(kind, project, attempts, retry, *, priority=0, backoff_ms=0, backoff_max_ms=0, retry_on="", timeout_ms=0,
             needs="", place="", speculate=0, on_parent_failure=0):
    """What stands once before tasks that share it; names may be any bytes."""
    pack = msgpack.Packer(unicode_errors="surrogateescape").pack
    kind, project = (name.decode(errors="surrogateescape") for name in (kind, project))
    fields = [1, "class", kind, project, attempts, int(bool(retry)), priority, backoff_ms, backoff_max_ms, retry_on,
              timeout_ms, needs, place, speculate, on_parent_failure]
    while not fields[-1]:  # What is not said is left out.
        fields.pop()
    return pack(fields)


class Window:
    """How many messages may be unanswered: doubled as long as that raises the rate by a seventh."""

    def __init__(self):
        self.messages = 8
        self._answered = self._tasks = self._begun = self._best = 0

    def on_answer(self, tasks):
        now = time.monotonic()
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


def messages_of(kind, args, project, retry, attempts, key, batch, words=None):
    """Yields the tasks as messages: payload, how many, key. words: what else is said of all (words.py)."""
    specs = Specs(kind, project, retry, attempts, words)
    if key:
        packed = packed_under_key(specs, args, key)
        for payload, count in specs.messages(packed, TASKS_MAX, PAYLOAD_BYTES_MAX):
            yield payload, count, key
        return
    batch = max(1, min(batch, TASKS_MAX))
    for packed in packed_in_batches(specs, args, batch):
        for payload, count in specs.messages(packed, batch, MESSAGE_BYTES):
            yield payload, count, ""


def is_one(args):
    """Whether it is one task's arguments, and not those of many."""
    return isinstance(args, (collections.abc.Mapping, str, bytes, bytearray, memoryview, msgpack.ExtType)) or (
        not hasattr(args, "__iter__"))


def next_of(tasks, most, before):
    """The next so many of an iterator."""
    try:
        return list(itertools.islice(tasks, most))
    except Exception as error:
        raise BadTask(f"submit: the tasks ended with an error behind task {before - 1}: "
                      f"{type(error).__name__}: {error}") from error


def packed_in_batches(specs, args, batch):
    """Yields the tasks packed: a list whole, anything else in batches."""
    if is_one(args):
        args = [args]
    if isinstance(args, (list, tuple)):
        yield specs.pack(args, 0)
        return
    tasks, before = iter(args), 0
    while chunk := next_of(tasks, batch, before):
        yield specs.pack(chunk, before)
        before += len(chunk)


def packed_under_key(specs, args, key):
    tasks = next_of(iter([args] if is_one(args) else args), TASKS_MAX + 1, 0)
    packed = specs.pack(tasks, 0)
    if len(packed) > TASKS_MAX:
        raise TooLarge(f"submit with the key {key!r}: all tasks must fit one message, at most {TASKS_MAX}")
    if specs.bytes_of(packed) > PAYLOAD_BYTES_MAX:
        raise TooLarge(f"submit with the key {key!r}: all tasks must fit one message, they have "
                       f"{specs.bytes_of(packed)} bytes, limit {PAYLOAD_BYTES_MAX}")
    return packed


class Submitter:
    """A client's run at the ventilator. Messages are repeated under their numbers until answered."""

    def __init__(self, connection):
        self._patience, self._check_owner = connection.patience, connection.check_owner
        self._socket, self._monitor = connection.watch(
            zmq.DEALER, "ventilator",
            zmq.EVENT_DISCONNECTED | zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_HANDSHAKE_FAILED_AUTH)
        self._is_turned_away = False  # For ever: libzmq does not try again.
        self._is_broken = False
        self._window = Window()
        self._pack = msgpack.Packer().pack
        self._run = int.from_bytes(os.urandom(8), "little")
        self._request = 0
        self._forget()

    def _forget(self):
        self._flights = collections.OrderedDict()  # Unanswered: message, when it was sent.
        self._flying_bytes = 0
        self._accepted = {}

    def submit(self, messages):
        """Sends messages (payload, count, key); the ids of their tasks once all are durable."""
        self._check_owner()
        self._forget()
        first = self._request + 1
        try:
            for payload, count, key in messages:
                self._collect(self._window.messages - 1, FLYING_BYTES)
                self._send(payload, count, key)
            self._collect(0, 0)
        except Error as error:
            if not isinstance(error, NoAnswer):
                self._collect_rest()
            error.ids = self._ids(first)
            raise
        return self._ids(first)

    def next_request(self):
        """The number of the first message that submit() will send."""
        return self._request + 1

    def accepted(self, request):
        """Origin, first number and count of a message's tasks; waits for it, within submit()."""
        if request not in self._accepted:
            self._collect(0, 0)
        return self._accepted[request]

    def _ids(self, first):
        answered = (self._accepted.get(request) for request in range(first, self._request + 1))
        return [task for acceptance in answered if acceptance for task in task_ids(*acceptance)]

    def _send(self, payload, count, key):
        request = self._request = self._request + 1
        confirmed = next(iter(self._flights), request) - 1
        head = self._pack([1, "submit", self._run, request, confirmed, key, count])
        self._flights[request] = [(head, payload), time.monotonic()]
        self._flying_bytes += len(payload)
        send(self._socket, (head, payload))

    def _collect(self, most, bytes_most):
        """Takes answers until at most so many messages and bytes are unanswered."""
        give_up = time.monotonic() + self._patience
        while len(self._flights) > most or self._flying_bytes > bytes_most:
            if not self._socket.poll(100):
                if time.monotonic() > give_up:
                    raise NoAnswer(f"no answer from the ventilator within {self._patience} s: whether the tasks of "
                                   f"{len(self._flights)} messages were accepted is not known; is it running, and may "
                                   "this key connect?")
                self._repeat()
                continue
            head, payload = self._socket.recv_multipart()
            fields = head_of(head)
            if fields[1] == "refused" and (fields[2] == 0 or fields[2] in self._flights):
                if flight := self._flights.pop(fields[2], None):
                    self._flying_bytes -= len(flight[0][1])
                raise Refused.by("ventilator", fields)
            if fields[1] != "accepted":
                continue
            give_up = time.monotonic() + self._patience
            for request, first, count in ACCEPTANCE.iter_unpack(payload):
                if flight := self._flights.pop(request, None):
                    self._flying_bytes -= len(flight[0][1])
                    self._accepted[request] = (fields[2], first, count)
                    self._window.on_answer(count)

    def _repeat(self):
        is_anew, now = self._has_reconnected(), time.monotonic()
        for flight in self._flights.values():
            if is_anew or now > flight[1] + REPEAT_SECONDS:
                flight[1] = now
                send(self._socket, flight[0])

    def _collect_rest(self):
        """After an error: learns what became of the messages that were sent already."""
        while self._flights:
            try:
                self._collect(0, 0)
            except Refused:
                continue
            except NoAnswer:
                return

    def _has_reconnected(self):
        """Then what was on its way when the connection broke may be lost."""
        has = False
        while self._monitor.poll(0):
            event = zmq.utils.monitor.recv_monitor_message(self._monitor)["event"]
            has = has or (self._is_broken and event == zmq.EVENT_HANDSHAKE_SUCCEEDED)
            self._is_broken = event == zmq.EVENT_DISCONNECTED
            self._is_turned_away = self._is_turned_away or event == zmq.EVENT_HANDSHAKE_FAILED_AUTH
        if self._is_turned_away:
            raise NoAnswer(f"no answer from the ventilator: {TURNED_AWAY}")
        return has
