"""Files and large values among the arguments and values of tasks: artifacts, named in their place."""

import hashlib
import mmap
import os
import shutil

import msgpack

from . import codec
from .errors import BadValue, NotFound

NAME_BYTES_MAX = 200
STORED_FROM = 256 << 10  # Bytes of one argument or value: from here on it is an artifact.


class File:
    """A file as an argument or the value of a task: it goes as an artifact, and is a file again where the task runs.

    File(path): that file, under its name or another. In a task, an argument has its `path` there. Of a result,
    save(path) or read() fetch it. name, sha256, bytes (its size): None as long as they are not known.
    """

    def __init__(self, path=None, name=None, sha256=None, bytes=None):  # noqa: A002 - as in a result
        self.path = os.fspath(path) if path is not None else None
        self.name = os.path.basename(name or self.path or "")
        self.sha256, self.bytes = sha256, bytes
        if path is not None and not self.name:
            raise BadValue(f"eole.File({path!r}): has no name of a file")

    def __fspath__(self):
        if self.path is None:
            raise NotFound(f"file {self.name}: is not here; save(path) fetches it")
        return self.path

    def __repr__(self):
        return f"eole.File({self.path or self.name!r})"

    def save(self, path=None, force=False):
        """Puts it at `path`, a file or a directory for it [here], and returns the path."""
        path = os.fspath(path) if path is not None else self.name
        if os.path.isdir(path):
            path = os.path.join(path, self.name)
        if self.path is None:
            return here().get(self.sha256, path, force)
        shutil.copyfile(self.path, path)
        return path

    def read(self):
        """All of its bytes."""
        if self.path is None:
            return bytes(here().read(self.sha256))
        with open(self.path, "rb") as file:
            return file.read()


class ClusterStore:
    """Where a client's files go and come from: the sink of its cluster."""

    def __init__(self, cluster):
        self._cluster = cluster

    def put(self, path, name):  # noqa: ARG002 - results alone have a name
        with open(path, "rb") as file:
            return self._cluster().store(file)

    def write(self, pieces):
        return self._cluster().store_pieces(pieces)[0]

    def get(self, sha256, path, force=False):
        return self._cluster().fetch(sha256, path, force)

    def take(self, sha256, name):  # noqa: ARG002 - fetched when somebody asks for it
        return None

    def read(self, sha256):
        return self._cluster().read(sha256)


_here = None  # Of this process: its clients' store, or that of the run whose arguments or value is looked at.


def here():
    return _here


def use(store):
    """Returns the one before."""
    global _here
    before, _here = _here, store
    return before


def mapped(path):
    """What a file has that nobody changes any more: as memory of one's own, of which nothing is copied until it is written
    to. It outlives the file's name."""
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) if os.fstat(file.fileno()).st_size else bytearray()


def digest_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), os.fstat(file.fileno()).st_size


def said(value):
    """One argument, or a value, as it goes: what is large as an artifact."""
    kind = type(value)
    if kind is str and len(value) < STORED_FROM // 4 or kind is bool or value is None:
        return value
    pieces = codec.array_pieces(value, STORED_FROM)
    if pieces is None:
        plain = codec.encode(value)
        if type(plain) in (int, float, bool, type(None)) or (type(plain) in (str, bytes) and len(plain) < STORED_FROM // 4):
            return plain
        pieces = [msgpack.packb(plain)]
        if len(pieces[0]) < STORED_FROM:
            return plain
    return {codec.TYPE: "stored", "sha256": here().write(pieces), "bytes": sum(map(len, pieces))}


def _file_said(file):
    if file.sha256 is None or file.path is not None:
        file.sha256, file.bytes = here().put(file.path, file.name)
    return {"name": file.name, "sha256": file.sha256, "bytes": file.bytes}


def _file_of(said):
    name, sha256 = os.path.basename(str(said["name"])), _checked(said["sha256"])
    if not name or len(name.encode()) > NAME_BYTES_MAX or not name.isprintable():
        name = sha256
    return File(here().take(sha256, name), name, sha256, said["bytes"])


def _checked(sha256):
    if not isinstance(sha256, str) or len(sha256) != 64 or set(sha256) - set("0123456789abcdef"):
        raise BadValue(f"{sha256!r}: is no SHA-256")
    return sha256


codec.add(File, "file", _file_said, _file_of)
codec.add(None, "stored", None, lambda said: codec.unpack_own(here().read(_checked(said["sha256"]))))
