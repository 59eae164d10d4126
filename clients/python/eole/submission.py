"""Tasks on their way to the ventilator: packed, split into messages, sent again until answered."""

import collections.abc
import itertools
import marshal
import operator
import os
import re
import struct
import time

import msgpack
import zmq
import zmq.utils.monitor

from .connection import TURNED_AWAY, send
from .errors import BadTask, Error, NoAnswer, TooLarge
from .flights import Flights
from .records import SIZE, head_of, task_ids
from .words import OF_CLASS, PLAIN, check_plain, conditions_of, milliseconds, number, policies, trace_of

GROUP = struct.Struct("<HHII")
CONDITIONS_SIZE = struct.Struct("<H")
TASK_BYTES_MAX = 1 << 20     # One task's arguments.
PAYLOAD_BYTES_MAX = 8 << 20  # One message; all tasks under a key are one.
TASKS_MAX = 65536            # In one message.
MESSAGE_BYTES = 1 << 20      # What a message holds if its tasks may come in several.
FLYING_BYTES = 64 << 20      # Unanswered: kept to be sent again.
LOOK_MILLISECONDS = 100
BACKOFF_SECONDS_MAX = 86400
RETRY_ON_BYTES_MAX = 512
CLASSES_KEPT = 256
_classes = {}  # That were encoded: most tasks that come one by one are of few.
CAUSE_NUMBERS = {"exit": (1, 255), "signal": (1, 64), "http": (400, 999)}


class Specs:
    """Packs the tasks of one submit: all of one class."""

    def __init__(self, kind, project, retry, attempts, words=None):
        """words: what else is said of all of them (words.py)."""
        if len(_classes) >= CLASSES_KEPT:
            _classes.clear()
        self._class = encoded_class({**(words or {}), "kind": kind, "project": project, "retry": retry,
                                     "attempts": attempts}, _classes)
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
    try:
        said = marshal.dumps([words.get(word) for word in OF_CLASS], 2)
    except ValueError:  # Of a class that is not Python's own, whose value may change.
        said = None
    encoded = known.get(said)
    if encoded is None:
        names = [name_of(words.get(what, ""), what) for what in ("kind", "project")]
        retry = words.get("retry")
        of_retry = {"attempts": words.get("attempts") or 0, **words_of(retry)}
        number(of_retry["attempts"], "submit: attempts", 255)
        encoded = class_of(
            *names, of_retry["attempts"], isinstance(retry, collections.abc.Mapping) or retry is True,
            backoff_ms=milliseconds(of_retry.get("backoff", 0), "retry: backoff", BACKOFF_SECONDS_MAX),
            backoff_max_ms=milliseconds(of_retry.get("backoff_max", 0), "retry: backoff_max", BACKOFF_SECONDS_MAX),
            retry_on=causes(of_retry.get("on", "")), **policies(words))
        if said is not None:
            known[said] = encoded
    return encoded


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
        if retry is not None and not isinstance(retry, bool):
            raise BadTask(f"submit: retry: {retry!r}: must be True, False, or a dict of attempts, backoff, backoff_max and on")
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
    """A client's run at the ventilator: flights.py decides, here is the socket."""

    def __init__(self, connection):
        self._check_owner = connection.check_owner
        self._socket, self._monitor = connection.watch(
            zmq.DEALER, "ventilator",
            zmq.EVENT_DISCONNECTED | zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_HANDSHAKE_FAILED_AUTH)
        self._is_turned_away = False  # For ever: libzmq does not try again.
        self._flights = Flights(int.from_bytes(os.urandom(8), "little"), connection.patience)

    def submit(self, messages):
        """Sends messages (payload, count, key); the ids of their tasks once all are durable."""
        self._check_owner()
        self._flights.forget()
        first = self.next_request()
        try:
            for payload, count, key in messages:
                self._collect(self._flights.window.messages - 1, FLYING_BYTES)
                self._flights.submit(payload, count, key, time.monotonic())
                self._speak()
            self._collect(0, 0)
        except Error as error:
            self._collect(0, 0, is_raising=False)  # What became of those that were sent already.
            error.ids = self._ids(first)
            raise
        return self._ids(first)

    def next_request(self):
        """The number of the first message that submit() will send."""
        return self._flights.next_request

    def accepted(self, request):
        """Origin, first number and count of a message's tasks; waits for it, within submit()."""
        if request not in self._flights.ended:
            self._collect(0, 0)
        return self._flights.ended[request]

    def _ids(self, first):
        ended = (self._flights.ended.get(request) for request in range(first, self._flights.next_request))
        return [task for came_to in ended if isinstance(came_to, tuple) for task in task_ids(*came_to)]

    def _speak(self):
        for frames in self._flights.out:
            send(self._socket, frames)
        self._flights.out.clear()

    def _collect(self, most, bytes_most, is_raising=True):
        """Takes answers until at most so many messages and bytes are unanswered, or one of them came to an error."""
        flights = self._flights
        flights.wait_anew(time.monotonic())
        while len(flights) > most or flights.bytes > bytes_most:
            if self._socket.poll(LOOK_MILLISECONDS):
                self._hear()
            else:
                self._look_at_connection()
                flights.on_deadline(time.monotonic())
                self._speak()
            if is_raising and flights.error:
                raise flights.error

    def _hear(self):
        head, payload = self._socket.recv_multipart()
        fields = head_of(head)
        if fields[1] == "accepted":
            self._flights.on_accepted(fields[2], payload, time.monotonic())
        elif fields[1] == "refused" and len(fields) > 3:
            self._flights.on_refused(fields, time.monotonic())

    def _look_at_connection(self):
        while self._monitor.poll(0):
            event = zmq.utils.monitor.recv_monitor_message(self._monitor)["event"]
            if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                self._flights.on_standing(time.monotonic())
            elif event == zmq.EVENT_DISCONNECTED:
                self._flights.on_broken()
            else:
                self._is_turned_away = True
        if self._is_turned_away:
            self._flights.end_all(NoAnswer(f"no answer from the ventilator: {TURNED_AWAY}"))
