"""The words of a task: when, in what order, how often and where it runs. The same as in JSON (docs/plans.md)."""

import collections.abc
import datetime
import difflib
import math
import re
import struct

import msgpack

from .errors import BadTask, NotFound, TooLarge
from .records import parse_task_id

SPAN_SECONDS_MAX = 3_155_760_000  # A hundred years: longer is a mistake.
DATES_FROM = 10 ** 9              # From here on a number of seconds is a date, not a span.
TIMEOUT_SECONDS_MAX = 30 * 86400
PARENTS_MAX = 1024                # Stretches, of one task.
NEEDS_BYTES_MAX = 1000            # As they are written.
UNIT_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
ON_PARENT_FAILURE = ("fail", "skip", "run")
BY_ID, BACK, PROJECT = struct.Struct("<BIQI"), struct.Struct("<BII"), struct.Struct("<BB")
PLAIN = {str, int, bool, type(None), bytes}  # Good as they are.
OF_CLASS = ("kind", "project", "retry", "attempts", "priority", "timeout", "needs", "pin", "prefer", "spread",
            "speculate", "on_parent_failure")
OF_TASK = ("args", "name", "key", "delay", "not_before", "expires", "after", "traceparent")
TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


def milliseconds(span, what, most=SPAN_SECONDS_MAX):
    """Of a span: seconds, a timedelta, or a text like "250ms", "1.5s", "5m", "2h", "3d"."""
    if isinstance(span, datetime.timedelta):
        span = span.total_seconds()
    seconds = None
    if isinstance(span, str) and (match := re.fullmatch(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ms|s|m|h|d)?", span)):
        seconds = float(match[1]) * UNIT_SECONDS[match[2] or "s"]
    elif isinstance(span, (int, float)) and not isinstance(span, bool) and span >= 0:
        seconds = span
    if seconds is None:
        raise BadTask(f"{what}: {span!r} is no span of time (90, 250ms, 1.5s, 5m, 2h, 3d)")
    if seconds > most:
        raise BadTask(f"{what}: {span!r}: limit {most} s")
    return max(1, round(seconds * 1000)) if seconds else 0


def when(time, what):
    """(milliseconds from when it is accepted, Unix milliseconds) of a span or a date; one of them is zero."""
    if isinstance(time, datetime.datetime):
        return 0, max(1, round(time.timestamp() * 1000))
    if isinstance(time, str) and ":" in time:
        match = re.fullmatch(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d):(\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)", time, re.ASCII)
        try:
            date = datetime.datetime.fromisoformat(f"{match[1]}T{match[2]}:00{match[5].replace('z', 'Z')}")
            if int(match[3]) > 60:
                raise ValueError
        except (TypeError, ValueError):
            raise BadTask(f"{what}: {time!r} is no time (2026-01-31T12:00:00Z, 2026-01-31T12:00:00+01:00)") from None
        return 0, max(1, round((date.timestamp() + int(match[3]) + float(match[4] or 0)) * 1000))
    if isinstance(time, (int, float)) and time >= DATES_FROM:
        return 0, milliseconds(time, what)
    return milliseconds(time, what), 0


def number(value, what, most):
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise BadTask(f"{what}: {value!r} is no whole number from 0 to {most}")
    return value


def flag(value, what):
    if value is not None and not isinstance(value, bool):
        raise BadTask(f"{what}: {value!r}: must be True or False")
    return int(bool(value))


def text(value, what, most=255):
    try:
        size = len(value.encode())
    except (AttributeError, UnicodeEncodeError):
        raise BadTask(f"{what}: {value!r} is no text") from None
    if size > most:
        raise BadTask(f"{what} of {size} bytes, limit {most}")
    return value


def check_plain(value):
    """Refuses what JSON has no word for, and the worker could not be told: numbers that are none, keys that are no text."""
    try:
        check_parts(value, "")
    except RecursionError:
        pass  # msgpack refuses it.


def check_parts(value, place):
    if isinstance(value, dict):
        for key, each in value.items():
            if not isinstance(key, str):
                raise BadTask(f"{place or 'args'}: the key {key!r} is no text")
            if type(each) not in PLAIN:
                check_parts(each, f"{place}.{key}" if place else key)
    elif isinstance(value, (list, tuple)):
        for number, each in enumerate(value):
            if type(each) not in PLAIN:
                check_parts(each, f"{place or 'args'}[{number}]")
    elif isinstance(value, float) and not math.isfinite(value):
        raise BadTask(f"{place or 'args'}: {value} is no number that JSON has")


def needs(wanted):
    """{"gpu": "a100", "mem": "64G", "licence": 2} as a class says it."""
    if not isinstance(wanted, collections.abc.Mapping):
        raise BadTask(f"needs: {wanted!r}: must be a dict of labels and resources")
    for name, value in wanted.items():
        if isinstance(value, bool) or not isinstance(value, (str, int, float)) or re.search("[,=]", f"{name}{value}"):
            raise BadTask(f"needs: {name!r}: {value!r}: must be a text or a number, without commas and =")
    return ",".join(f"{name}={wanted[name]}" for name in sorted(wanted))


def place(pin="", prefer="", spread=False):
    said = [f"pin={pin}"] * bool(pin) + [f"prefer={prefer}"] * bool(prefer) + ["spread"] * bool(spread)
    if len(said) > 1:
        raise BadTask(f"{' and '.join(each.partition('=')[0] for each in said)}: one of them at most")
    return text("".join(said), "pin or prefer")


def policies(words):
    """The fields of a class behind its kind and project, as class_of() takes them."""
    failure = words.get("on_parent_failure", "fail")
    if failure not in ON_PARENT_FAILURE:
        raise BadTask(f"on_parent_failure: {failure!r}: must be fail, skip or run")
    return {"priority": number(words.get("priority", 0), "priority", 9),
            "timeout_ms": milliseconds(words.get("timeout") or 0, "timeout", TIMEOUT_SECONDS_MAX),
            "needs": text(needs(words.get("needs") or {}), "needs", NEEDS_BYTES_MAX),
            "place": place(words.get("pin"), words.get("prefer"), flag(words.get("spread"), "spread")),
            "speculate": flag(words.get("speculate"), "speculate"),
            "on_parent_failure": ON_PARENT_FAILURE.index(failure)}


class Parents:
    """Whom a task waits for: neighbours are one stretch, unless a result is taken by its place."""

    def __init__(self, is_merged=True):
        self._is_merged = is_merged
        self._found = []  # [kind of parent, origin, number, count] or [PROJECT, name].

    def add_id(self, origin, seq):
        self._add(BY_ID, origin, seq, 1)

    def add_back(self, back):
        self._add(BACK, 0, back, -1)  # The next one is nearer.

    def add_project(self, name):
        self._found.append([PROJECT, name])

    def _add(self, kind, origin, at, step):
        last = self._found[-1] if self._found and self._is_merged else None
        if last and last[:2] == [kind, origin] and at == last[2] + step * last[3]:
            last[3] += 1
        else:
            self._found.append([kind, origin, at, 1])

    def encoded(self):
        if len(self._found) > PARENTS_MAX:
            raise TooLarge(f"after: {len(self._found)} stretches of tasks, limit {PARENTS_MAX} (a project may have more)")
        parts = []
        for kind, *what in self._found:
            if kind is BY_ID:
                parts.append(BY_ID.pack(1, *what))
            elif kind is BACK:
                parts.append(BACK.pack(2, *what[1:]))
            else:
                parts.append(PROJECT.pack(3, len(what[0].encode())) + what[0].encode())
        return b"".join(parts)


def trace_of(words):
    """The W3C trace context that a task is part of, as a task carries it; empty: none."""
    said = words.get("traceparent")
    if said is None:
        return b""
    match = TRACEPARENT.fullmatch(said) if isinstance(said, str) else None
    if not match or (match[1] == "00" and match[5] is not None):
        raise BadTask(f"traceparent: {said!r}: must be like 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    return bytes.fromhex(match[2] + match[3] + match[4])


def traceparent_of(trace):
    """As a header has it; None of none."""
    return f"00-{trace[:16].hex()}-{trace[16:24].hex()}-{trace[24:].hex()}" if trace else None


def times_of(words):
    """delay_ms, not_before_unix_ms, expires_in_ms, expires_unix_ms."""
    delay = milliseconds(words.get("delay") or 0, "delay")
    in_ms, not_before = when(words.get("not_before") or 0, "not_before")
    expires = (0, 0)
    if words.get("expires") is not None:
        expires = when(words["expires"], "expires")
        if not any(expires):
            raise BadTask("expires: must be in the future")
    return max(delay, in_ms), not_before, *expires


def conditions(key, times, parents, instead_of=0):
    """What a task waits for and whose place it has, encoded; empty: nothing."""
    fields = [1, "conditions", key, *times, parents.decode(errors="surrogateescape"), instead_of]
    while len(fields) > 2 and not fields[-1]:
        fields.pop()
    return msgpack.packb(fields, unicode_errors="surrogateescape") if len(fields) > 2 else b""


def names_of(after):
    """The texts of `after`: one, or a list of them and of what earlier submits returned."""
    if isinstance(after, str):
        return [after]
    if hasattr(after, "id"):  # A Result.
        return [after.id]
    if not isinstance(after, collections.abc.Iterable):
        raise BadTask(f"after: {after!r}: must be names, ids or project:NAME, as texts")
    return [name for each in after for name in names_of(each)]


def add_by_name(parents, name):
    """A parent that is a project or an id."""
    if name.startswith("project:"):
        if not 0 < len(text(name[8:], "after: a project").encode()):
            raise BadTask(f"after {name}: a project has 1 to 255 bytes")
        parents.add_project(name[8:])
        return
    try:
        parents.add_id(*parse_task_id(name))
    except NotFound:
        raise BadTask(f"after {name}: no task of that name, and no id") from None


def conditions_of(words):
    """Of tasks that share their words: `after` has ids and projects."""
    parents = Parents()
    for name in names_of(words.get("after") or ()):
        add_by_name(parents, name)
    return conditions(text(words.get("key") or "", "key"), times_of(words), parents.encoded())


def check_words(task):
    """That a task of a list is a dict of known words."""
    if not isinstance(task, collections.abc.Mapping):
        raise BadTask("is no dict")
    for word in task:
        if word not in OF_CLASS and word not in OF_TASK:
            near = difflib.get_close_matches(str(word), OF_CLASS + OF_TASK, 1)
            raise BadTask(f"{word}: not a word of a task" + (f"; did you mean {near[0]}?" if near else ""))
    if "kind" not in task:
        raise BadTask("kind is missing")
