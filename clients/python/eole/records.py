"""Results as they lie in the log, and the msgpack in them, which others wrote."""

import functools
import struct
from typing import Any, NamedTuple

import msgpack

from .errors import Damaged, NotFound

SIZE = struct.Struct("<I")
BATCH = struct.Struct("<QQQIHI")
RUN = struct.Struct("<IQIQHBBqqQBBBBII")
RANGE = struct.Struct("<QQ")
LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
STATES = (None, "done", "failed", "dead", "cancelled")
DEPTH_MAX = 32
LEAVES = bytes(set(range(256)) - set(range(0x80, 0xa0)) - set(range(0xdc, 0xe0)))


class Fields(NamedTuple):
    """Of a Result."""
    offset: int
    id: str
    kind: str
    project: str
    state: str
    attempt: int
    is_final: bool
    worker: str
    finished: float
    run_seconds: float
    body: Any
    key: str = ""
    partition: int | None = None
    submitted: float = 0.0


class Result(Fields):
    """How a task ended (or, if not `is_final`, one attempt: it will be tried again, or its other copy counts).

    offset: place in the log; id: "k3f9qz-17"; state: done, failed, dead or cancelled; finished:
    Unix time in seconds; run_seconds: how long it ran; body: what docs/protocol.md calls the body;
    key: that orders its task, or ""; partition: of the group that it was read in, else None;
    submitted: Unix time in seconds, by its ventilator's clock.
    """
    __slots__ = ()

    @property
    def value(self) -> Any:
        """What a done task returned."""
        return self._member("value")

    @property
    def error(self) -> Any:
        """Why any other did not."""
        return self._member("error")

    @property
    def cause(self) -> Any:
        """Of which sort a failure was, as `retry={"on": …}` names it ("exit:75", "timeout", "ValueError"), or None."""
        return self._member("cause")

    @property
    def artifact(self) -> dict[str, Any] | None:
        """{"sha256", "bytes", "name"} of the file that the task made, or None."""
        return self._member("artifact")

    def _member(self, name):
        return self.body.get(name) if isinstance(self.body, dict) else None


def origin_text(origin):
    return "".join(LETTERS[origin >> shift & 31] for shift in range(25, -1, -5))


def parse_task_id(task):
    """Origin and number of "k3f9qz-17"."""
    origin, dash, seq = task.partition("-") if isinstance(task, str) else ("", "", "")
    is_id = len(origin) == 6 and all(letter in LETTERS for letter in origin) and dash
    if not is_id or not (seq.isascii() and seq.isdigit()) or not 0 < int(seq) < 1 << 64:
        raise NotFound(f"{task!r}: not a task id (like k3f9qz-17)")
    number = 0
    for letter in origin:
        number = number << 5 | LETTERS.index(letter)
    return number, int(seq)


def task_ids(origin, first, count):
    prefix = origin_text(origin) + "-"
    return [prefix + str(seq) for seq in range(first, first + count)]


def ranges_of(ids, most):
    """Yields origin, numbers and their encoded ranges, for at most so many tasks at a time."""
    by_origin = {}
    for origin, seq in map(parse_task_id, ids):
        by_origin.setdefault(origin, set()).add(seq)
    for origin, numbers in by_origin.items():
        numbers = sorted(numbers)
        for at in range(0, len(numbers), most):
            some, ranges = numbers[at:at + most], []
            for seq in some:
                if ranges and ranges[-1][1] + 1 == seq:
                    ranges[-1][1] = seq
                else:
                    ranges.append([seq, seq])
            yield origin, some, b"".join(RANGE.pack(*each) for each in ranges)


def text_or_bytes(raw):
    """Text if it is UTF-8, else the bytes."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def decode(raw, depth_max=DEPTH_MAX) -> Any:
    """The value, or the bytes if they are none, or nested deeper."""
    try:
        value = msgpack.unpackb(raw, strict_map_key=False)
        # Only so many bytes can begin a list or a map: few values have to be looked through.
        if len(raw) <= depth_max or len(raw.translate(None, LEAVES)) <= depth_max or not is_deep(value, depth_max):
            return value
    except Exception:  # noqa: BLE001 - whatever the library has against it
        try:
            odd = msgpack.unpackb(raw, strict_map_key=False, unicode_errors="surrogateescape",
                                  object_pairs_hook=Pairs, ext_hook=extension)
            return mended(odd, depth_max)
        except Exception:  # noqa: BLE001
            pass
    return bytes(raw)


def is_deep(value, depth_max):
    level = [value]
    for _ in range(depth_max + 1):
        level = [each for item in level if isinstance(item, (list, dict))
                 for each in (item if isinstance(item, list) else item.values())]
        if not level:
            return False
    return True


class Pairs(list):
    """A map whose keys may be anything."""


def extension(code, raw):
    return msgpack.ExtType(code, raw) if code >= 0 else raw


def mended(value, depth_left):
    if isinstance(value, str):
        return text_or_bytes(value.encode(errors="surrogateescape"))
    if not isinstance(value, list):
        return value
    if depth_left == 0:
        raise ValueError
    if isinstance(value, Pairs):
        return {hashable(mended(key, depth_left - 1)): mended(each, depth_left - 1) for key, each in value}
    return [mended(each, depth_left - 1) for each in value]


def hashable(key):
    if isinstance(key, dict):
        key = list(key.items())
    return tuple(map(hashable, key)) if isinstance(key, (list, tuple)) else key


def head_of(raw):
    """The fields of a message's head; none that anybody waits for if it is malformed."""
    try:
        fields = msgpack.unpackb(raw, unicode_errors="replace")
        return fields if isinstance(fields, list) and len(fields) > 2 else [1, "", 0]
    except Exception:  # noqa: BLE001
        return [1, "", 0]


def crc32c_table():
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82f63b78 if byte & 1 else 0)
        yield byte


CRC32C = tuple(crc32c_table())


@functools.lru_cache(1 << 16)
def crc32c(raw):
    crc = 0xffffffff
    for byte in raw:
        crc = crc >> 8 ^ CRC32C[(crc ^ byte) & 255]
    return crc ^ 0xffffffff


def open_batch(batch, wanted, found, partitions=0, wants=None):
    """Appends the records of a batch from the wanted offset on, but for those whose (project, kind, state) `wants`
    does not want. partitions: of the group that reads."""
    first, _, _, count, worker_size, _ = BATCH.unpack_from(batch)
    at = BATCH.size + worker_size
    worker = text_or_bytes(batch[BATCH.size:at])
    size_at, add = SIZE.unpack_from, found.append
    offset, end = first, first + count
    partition = None
    try:
        while offset < end:
            (origin, seq, _, _, attempt, state, flags, finished, submitted, run_us, kind, project, artifacts, key,
             results, bodies) = RUN.unpack_from(batch, at)
            at += RUN.size
            prefix = origin_text(origin) + "-"
            of_all = (text_or_bytes(batch[at:at + kind]), text_or_bytes(batch[at + kind:at + kind + project]),
                      STATES[state], attempt, bool(flags & 1), worker, finished / 1000, run_us // 1000 / 1000)
            at += kind + project + 32 * artifacts + key
            key = batch[at - key:at]
            if wants and not wants(of_all[1], of_all[0], "copy" if flags & 8 else of_all[2] if flags & 1 else "retrying"):
                at, offset = at + bodies, offset + results
                continue
            key_text = text_or_bytes(key)
            for number in range(seq, seq + results):
                begin = at + 4
                at = begin + size_at(batch, at)[0]
                if offset >= wanted:
                    if partitions:
                        partition = (crc32c(key) if key else origin + number) % partitions
                    add(Result(offset, prefix + str(number), *of_all, decode(batch[begin:at]), key_text, partition,
                               submitted / 1000))
                offset += 1
    except (struct.error, IndexError) as error:
        raise Damaged(f"the log's batch at offset {first} is malformed from offset {offset} on") from error
