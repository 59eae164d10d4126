"""What a worker and its children say to each other, as another language writes and reads it."""

import struct

import msgpack


def frame(kind, *fields):
    payload = msgpack.packb(fields)
    return struct.pack("<BI", kind, len(payload)) + payload


def frames(data):
    """Those of it that are whole: their types, and their fields."""
    while len(data) >= 5 + (size := struct.unpack("<I", data[1:5].ljust(4, b"\xff"))[0]):
        yield data[0], msgpack.unpackb(data[5:5 + size])
        data = data[5 + size:]
