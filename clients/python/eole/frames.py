"""The frames between a worker and a runner (docs/runners.md, version 2)."""

import struct

import msgpack

from .errors import Damaged

VERSION = 2
FRAME_BYTES_MAX = 4 << 20
HEAD = struct.Struct("<BI")
HELLO, RUN, CANCEL, OUTPUT, DONE, FAILED, PROGRESS, KIND, FETCH, FETCHED, PING, PONG = range(1, 13)
FIELDS = {RUN: 8, CANCEL: 2, FETCHED: 3, PING: 1}  # How many each has that a worker sends; the rest is ignored.

_pack = msgpack.Packer().pack


def encode(kind, *fields):
    payload = _pack(fields)
    return HEAD.pack(kind, len(payload)) + payload


def encode_list(kind, *fields, items):
    """With a list as its last field: its length, and the fields of each."""
    return encode(kind, *fields, len(items), *(each for item in items for each in item))


class Reader:
    """Puts frames together from the pieces that a socket gives."""

    def __init__(self):
        self._rest = b""

    def add(self, piece):
        """The frames that are whole now: (type, fields). Damaged: what came is none."""
        raw = self._rest + piece if self._rest else piece
        found, at, end = [], 0, len(raw)
        while at + HEAD.size <= end:
            kind, size = HEAD.unpack_from(raw, at)
            if size > FRAME_BYTES_MAX:
                raise Damaged(f"a frame of {size} bytes, limit {FRAME_BYTES_MAX}")
            begin = at + HEAD.size
            if begin + size > end:
                break
            at = begin + size
            if kind not in FIELDS:
                continue
            try:
                fields = msgpack.unpackb(raw[begin:at])
            except Exception as error:  # noqa: BLE001 - whatever the library has against it
                raise Damaged(f"a frame of type {kind} is no msgpack: {error}") from error
            if not isinstance(fields, list) or len(fields) < FIELDS[kind]:
                raise Damaged(f"a frame of type {kind} has not its {FIELDS[kind]} fields")
            found.append((kind, fields))
        self._rest = raw[at:]
        return found
