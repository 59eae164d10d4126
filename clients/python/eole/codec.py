"""Arguments and values of Python as msgpack, readable in any language (docs/python.md, "Values").

What msgpack and JSON have goes as it is. Anything else is a map with the key "$type", the name of a codec, and what
that needs beside it: {"$type": "date", "value": "2026-01-31"}.
"""

import dataclasses
import datetime
import decimal
import enum
import math
import os
import pickle
import sys
import types
import uuid

import msgpack

from .errors import BadValue

TYPE = "$type"
RESERVED = {TYPE, "$result", "$parts"}  # What a map with one of these as its key means is known already.
DEPTH_MAX = 28  # Of 32, which a task's arguments and a result's body may have.
AS_IT_IS = {str, bool, type(None), bytes}
HEAD_BYTES = 1 << 16  # More than an array's has.
ALIGNED = 32          # Bytes. The length of so short a text takes one byte.
BIN_32 = b"\xc6"
INT_LEAST, INT_MOST = -(1 << 63), (1 << 64) - 1


class Codec:
    """How a class is said: `encode` gives a map of what goes, or has a codec itself, and `decode` takes it. Without a
    name it gives what the value goes as."""

    def __init__(self, name, encode, decode):
        self.name, self.encode, self.decode = name, encode, decode


_by_class, _by_name = {}, {}
_is_pickle_allowed = False


def register(cls, encode, decode, name=None):
    """Values of `cls` may be arguments and values of tasks from now on, in this process: encode(value) gives what
    can be one already, and decode takes that. name: what others see as its type [module.class]. Both sides say so,
    so the place for it is the module with the tasks."""
    name = name or name_of(cls)
    add(cls, name, lambda value: {"value": encode(value)}, lambda said: decode(said["value"]))


def use_pickle():
    """What has no codec goes as a pickle from now on, and pickles are taken, in this process. Who may submit to it
    can then run any code in it."""
    global _is_pickle_allowed
    _is_pickle_allowed = True


def add(cls, name, encode, decode):
    """A codec whose map is whatever `encode` gives."""
    _by_name[name] = Codec(name, encode, decode)
    if cls is not None:
        _by_class[cls] = _by_name[name]


def encode(value, depth=DEPTH_MAX):
    """The value in words of msgpack that JSON has, too (and bytes). BadValue says what cannot be."""
    kind = type(value)
    if kind in AS_IT_IS:
        return value
    if kind is int:
        return value if INT_LEAST <= value <= INT_MOST else {TYPE: "int", "value": hex(value)}
    if kind is float:
        return value if math.isfinite(value) else {TYPE: "float", "value": repr(value)}
    if depth <= 0:
        raise BadValue(f"nested more than {DEPTH_MAX} deep")
    if kind is list:
        return value if _is_plain(value) else [encode(each, depth - 1) for each in value]
    if kind is dict:
        if set(map(type, value)) <= {str} and RESERVED.isdisjoint(value):
            return value if _is_plain(value.values()) else {key: encode(each, depth - 1) for key, each in value.items()}
        pairs = [[encode(key, depth - 3), encode(each, depth - 3)] for key, each in value.items()]
        return {TYPE: "dict", "value": pairs}
    codec = _by_class.get(kind) or _codec_of(kind)
    try:
        said = codec.encode(value)
    except BadValue:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a codec, or a pickle, has against it
        raise BadValue(f"a value of {name_of(kind)}: {type(error).__name__}: {error}") from error
    return encode(said, depth) if codec.name is None else {TYPE: codec.name, **encode(said, depth)}


def _is_plain(values):
    """Whether all go as they are; few passes in C, whatever their number."""
    kinds = set(map(type, values))
    if kinds <= AS_IT_IS:
        return True
    if kinds == {float}:
        return all(map(math.isfinite, values))
    return kinds == {int} and INT_LEAST <= min(values) and max(values) <= INT_MOST


def decode(value):
    """What encode() was given. BadValue of a type that this process has no codec for."""
    kind = type(value)
    if kind is list:
        return value if _is_plain(value) else [decode(each) for each in value]
    if kind is not dict:
        return value
    name = value.get(TYPE)
    if name is None:
        return {key: decode(each) for key, each in value.items()}
    codec = _by_name.get(name) if isinstance(name, str) else None
    try:
        # A codec sees what is in it decoded.
        return (codec or _codec_named(name)).decode({key: decode(each) for key, each in value.items() if key != TYPE})
    except BadValue:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a codec has against what others wrote
        raise BadValue(f"a value of type {name!r}: {type(error).__name__}: {error}") from error


def pack(value):
    return msgpack.packb(encode(value))


def array_pieces(value, least):
    """pack(value) of a numpy array of at least so many bytes, in pieces, of which none is a copy of it. None: is no such."""
    numpy = sys.modules.get("numpy")
    if numpy is None or type(value) is not numpy.ndarray or not least <= value.nbytes < 1 << 32 or value.dtype.hasobject:
        return None
    said = {TYPE: "numpy.ndarray", **_array_head(value), "pad": "", "value": b""}
    # Its bytes begin where numbers may lie; an empty bin has two bytes, the head of a large one five.
    said["pad"] = " " * (-(len(msgpack.packb(said)) + 3) % ALIGNED)
    flat = numpy.ascontiguousarray(value).reshape(-1).view(numpy.uint8)
    return [msgpack.packb(said)[:-2] + BIN_32 + value.nbytes.to_bytes(4, "big"), memoryview(flat)]


def unpack_own(raw):
    """unpack() of memory that is nobody else's: what array_pieces() gave is an array in it."""
    head = msgpack.Unpacker()
    head.feed(raw[:HEAD_BYTES])
    try:
        said = {head.unpack(): head.unpack() for _ in range(head.read_map_header() - 1)}
        is_array = said.get(TYPE) == "numpy.ndarray" and head.unpack() == "value"
    except (ValueError, TypeError, msgpack.UnpackException):
        is_array = False
    at = head.tell() if is_array else 0
    if not is_array or raw[at:at + 5] != BIN_32 + (len(raw) - at - 5).to_bytes(4, "big") or at % ALIGNED != ALIGNED - 5 \
            or not _add_numpy():
        return unpack(raw)
    try:
        return _array_in(sys.modules["numpy"], said, raw, at + 5)
    except BadValue:
        raise
    except Exception as error:  # noqa: BLE001 - whatever numpy has against what others wrote
        raise BadValue(f"a value of type numpy.ndarray: {type(error).__name__}: {error}") from error


def unpack(raw):
    try:
        return decode(msgpack.unpackb(raw, strict_map_key=False))
    except (ValueError, msgpack.UnpackException) as error:
        raise BadValue(f"no msgpack: {error}") from error


# ---- Codecs.

def _codec_of(kind):
    """Of a class that was not met before; kept."""
    if issubclass(kind, enum.Enum):
        codec = Codec(name_of(kind), lambda value: {"value": value.value if isinstance(value, enum.Flag) else value.name}, None)
    elif dataclasses.is_dataclass(kind):
        codec = Codec(name_of(kind), _fields_of, None)
    elif _is_named_tuple(kind):
        codec = Codec(name_of(kind), lambda value: {"value": value._asdict()}, None)
    elif kind.__module__.partition(".")[0] == "numpy" and _add_numpy():
        codec = _by_class.get(kind) or next((each for cls, each in _by_class.items() if issubclass(kind, cls)), None)
    else:
        codec = next((_by_class[cls] for cls in kind.__mro__[1:] if cls in _by_class), None)
        codec = codec or next((_BASES[cls] for cls in kind.__mro__[1:] if cls in _BASES), None)
    if codec is None and _is_pickle_allowed:
        codec = Codec("pickle", lambda value: {"value": pickle.dumps(value)}, None)
    if codec is None:
        raise BadValue(f"a value of {name_of(kind)} has no codec (eole.register gives it one)")
    _by_class[kind] = codec
    return codec


def _codec_named(name):
    """Of a type that was said by others: of a class in a module that is here already. Nothing is imported for it."""
    if name == "pickle":
        if not _is_pickle_allowed:
            raise BadValue("a pickle, and this process takes none (eole.use_pickle)")
        return Codec(name, None, lambda said: pickle.loads(said["value"]))
    if isinstance(name, str) and name.startswith("numpy.") and _add_numpy() and name in _by_name:
        return _by_name[name]
    cls = found(name)
    if cls is not None and issubclass(cls, enum.Enum):
        codec = Codec(name, None, lambda said: (cls if issubclass(cls, enum.Flag) else cls.__getitem__)(said["value"]))
    elif cls is not None and (dataclasses.is_dataclass(cls) or _is_named_tuple(cls)):
        codec = Codec(name, None, lambda said: cls(**said["value"]))
    else:
        raise BadValue(f"a value of type {name!r}: has no codec here, or its module is not imported")
    _by_name[name] = codec
    return codec


def _is_named_tuple(cls):
    return issubclass(cls, tuple) and hasattr(cls, "_fields")


def module_name(module):
    """By which others import it: a program's own is that of its file."""
    if module != "__main__":
        return module
    here = sys.modules["__main__"]
    if getattr(here, "__spec__", None) is not None:
        return here.__spec__.name.removesuffix(".__main__")
    return os.path.splitext(os.path.basename(getattr(here, "__file__", None) or "__main__"))[0]


def name_of(cls):
    return f"{module_name(cls.__module__)}.{cls.__qualname__}"


def found(name):
    """The class of that name in a module that was imported already, or None."""
    parts = name.split(".") if isinstance(name, str) else []
    for size in range(len(parts) - 1, 0, -1):
        module = ".".join(parts[:size])
        here = sys.modules.get("__main__" if module == module_name("__main__") else module)
        if here is not None:
            for part in parts[size:]:  # No getattr, by which a module may import what is asked of it.
                here = vars(here).get(part) if isinstance(here, (type, types.ModuleType)) else None
            return here if isinstance(here, type) else None
    return None


def _fields_of(value):
    return {"value": {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.init}}


def _add_plain(cls, name, say, take):
    add(cls, name, lambda value: {"value": say(value)}, lambda said: take(said["value"]))


_by_name["int"] = Codec("int", None, lambda said: int(said["value"], 16))
_by_name["float"] = Codec("float", None, lambda said: float(said["value"]))
_by_name["dict"] = Codec("dict", None, lambda said: dict((key, each) for key, each in said["value"]))
_by_name["joined"] = Codec("joined", None, lambda said: [each for part in said["value"] for each in part])
_add_plain(tuple, "tuple", list, tuple)
_add_plain(set, "set", list, set)
_add_plain(frozenset, "frozenset", list, frozenset)
_add_plain(bytearray, "bytearray", bytes, bytearray)
_add_plain(memoryview, "bytes", bytes, bytes)
_add_plain(datetime.datetime, "datetime", datetime.datetime.isoformat, datetime.datetime.fromisoformat)
_add_plain(datetime.date, "date", datetime.date.isoformat, datetime.date.fromisoformat)
_add_plain(datetime.time, "time", datetime.time.isoformat, datetime.time.fromisoformat)
add(datetime.timedelta, "timedelta",
     lambda value: {"days": value.days, "seconds": value.seconds, "microseconds": value.microseconds},
     lambda said: datetime.timedelta(**said))
_add_plain(decimal.Decimal, "decimal", str, decimal.Decimal)
_add_plain(uuid.UUID, "uuid", str, uuid.UUID)
_add_plain(complex, "complex", lambda value: [value.real, value.imag], lambda said: complex(*said))
# A subclass goes as its base: a defaultdict as a dict.
_BASES = {base: Codec(None, base, None) for base in (str, int, float, list, dict, bytes)}


def _add_numpy():
    numpy = sys.modules.get("numpy")
    if numpy is None:
        try:
            import numpy  # noqa: F811
        except ImportError:
            return False
    if numpy.ndarray not in _by_class:
        add(numpy.ndarray, "numpy.ndarray", _array_said, lambda said: _array_of(numpy, said))
        add(numpy.generic, "numpy.scalar", lambda value: {"dtype": value.dtype.str, "value": value.tobytes()},
             lambda said: numpy.frombuffer(said["value"], _dtype(numpy, said))[0])
    return True


def _array_said(array):
    if array.dtype.hasobject:
        raise BadValue(f"a numpy array of {array.dtype} has no codec: its items are objects")
    return {**_array_head(array), "value": array.tobytes()}


def _array_head(array):
    return {"dtype": array.dtype.descr if array.dtype.fields else array.dtype.str, "shape": list(array.shape)}


def _array_of(numpy, said):
    return _array_in(numpy, said, said["value"], 0).copy()


def _array_in(numpy, said, raw, at):
    return numpy.frombuffer(raw, _dtype(numpy, said), offset=at).reshape(said["shape"])


def _dtype(numpy, said):
    described = said["dtype"]
    dtype = numpy.dtype(described if isinstance(described, str) else [tuple(each) for each in described])
    if dtype.hasobject:
        raise BadValue(f"a numpy array of {dtype}: objects are not taken")
    return dtype
