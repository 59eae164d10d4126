"""Artifacts, fetched to files, and stored."""

import contextlib
import hashlib
import io
import itertools
import os
import re

from .errors import Damaged, Error, FileExists, NotFound, Refused
from .files import mapped
from .records import Result

PIECE_BYTES = 1 << 20
NAME_BYTES_MAX = 255


def fetch(connection, what, path, force):
    """The artifact of a Result, or with a SHA-256, as the file whose path is returned."""
    sha256, name = _artifact_of(what) if isinstance(what, Result) else (what, what)
    path = os.fspath(path) if path is not None else name
    if os.path.isdir(path):
        path = os.path.join(path, name)
    if os.path.lexists(path) and not force:
        raise FileExists(f"{path}: is there already; force=True replaces it")
    part = os.path.join(os.path.dirname(path), f".eole-{os.urandom(8).hex()}.part")
    try:
        with open(part, "xb") as file:
            _download(connection, sha256, file)
            file.flush()
            os.fsync(file.fileno())
        _put_in_place(part, path, force)
    except FileExistsError:
        raise FileExists(f"{path}: is there already; force=True replaces it") from None
    except OSError as error:
        raise Error(f"{path}: {error.strerror}") from error
    finally:
        if os.path.lexists(part):
            os.unlink(part)
    return path


def read(connection, sha256):
    """The bytes of an artifact, in memory that is nobody else's."""
    path = _path_here(connection, sha256)
    if path is not None:
        with contextlib.suppress(OSError):  # The sink says why.
            raw = mapped(path)
            return _proven(raw, sha256, hashlib.sha256(raw))
    found = io.BytesIO()
    _download(connection, sha256, found)
    return bytearray(found.getbuffer())


def _path_here(connection, sha256):
    """Where it lies, if this machine is the sink's: no artifact ever changes."""
    place = connection.place()
    return f"{place}/{sha256}" if place and re.fullmatch("[0-9a-f]{64}", sha256) else None


def _proven(found, sha256, digest):
    if digest.hexdigest() != sha256:
        raise Damaged(f"artifact {sha256}: what was fetched has the digest {digest.hexdigest()}")
    return found


def _put_in_place(part, path, force):
    if force:
        os.replace(part, path)
        return
    try:
        os.link(part, path)  # Not a rename: that would replace what came there meanwhile.
    except PermissionError:  # A file system without hard links.
        if os.path.lexists(path):
            raise FileExistsError from None
        os.rename(part, path)


def _artifact_of(result):
    """Its digest, and a name for its file that stays in its directory."""
    artifact = result.artifact
    if not isinstance(artifact, dict) or not isinstance(artifact.get("sha256"), str):
        raise NotFound(f"{result.id}: has no artifact")
    name = artifact.get("name")
    name = os.path.basename(name) if isinstance(name, str) else ""
    name = "".join(letter if letter.isprintable() else "_" for letter in name)
    name = name.encode()[:NAME_BYTES_MAX].decode(errors="ignore")
    return artifact["sha256"], name if name not in ("", ".", "..") else artifact["sha256"]


def _download(connection, sha256, file):
    digest, have = hashlib.sha256(), 0
    first = connection.ask("artifacts", ("chunk",), "get", sha256, 0, PIECE_BYTES)
    size, step = first[0][3], max(1, len(first[1]))  # The sink may give less than was asked for.
    rest = (((sha256, at, step), b"") for at in range(step, size, step))
    for answer, piece in itertools.chain([first], connection.ask_all("artifacts", ("chunk",), "get", rest)):
        if answer[4] != have or (not piece and have < size):
            raise Damaged(f"artifact {sha256}: the sink sent {len(piece)} bytes at {answer[4]} of {size}, "
                          f"those at {have} were asked for")
        digest.update(piece)
        file.write(piece)
        have += len(piece)
    _proven(None, sha256, digest)


def store_pieces(connection, pieces):
    """Makes bytes that lie in several places an artifact; its SHA-256 and size. It is durable when this returns."""
    size = sum(map(len, pieces))
    if size > PIECE_BYTES and (place := connection.place()) and (sha256 := _handed(connection, place, pieces, size)):
        return sha256, size
    return store(connection, b"".join(pieces))


def _handed(connection, place, pieces, size):
    """Written where the sink, on this machine, looks at it, once: the SHA-256. None if it will not have it so."""
    name = os.urandom(16).hex()
    path = f"{place}/{name}.handed"
    try:
        with open(path, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            for piece in pieces:
                file.write(piece)
        while True:
            answer, _ = connection.ask("artifacts", ("handed",), "hand", name, size, 1)
            if answer[4]:
                return answer[4]
    except (OSError, Refused):
        return None
    finally:  # Once it is taken it has another name.
        with contextlib.suppress(OSError):
            os.unlink(path)


def store(connection, what):
    """Makes bytes, or what an open file has, an artifact; its SHA-256 and size. It is durable when this returns."""
    is_file = hasattr(what, "read")
    size = os.fstat(what.fileno()).st_size if is_file else len(what)
    sha256 = (hashlib.file_digest(what, "sha256") if is_file else hashlib.sha256(what)).hexdigest()
    while True:
        answer, _ = connection.ask("artifacts", ("put_at",), "put", sha256, size, 0)  # Nothing: what has it already?
        if answer[4]:
            return sha256, size
        places = range(answer[3], size, PIECE_BYTES)
        pieces = (((sha256, size, at), _piece_of(what, at, sha256, size)) for at in places)
        for at, (answer, _) in zip(places, connection.ask_all("artifacts", ("put_at",), "put", pieces)):
            if answer[4]:
                return sha256, size
            if answer[3] != min(at + PIECE_BYTES, size):
                break  # One was lost, and the sink takes none behind it.


def _piece_of(what, at, sha256, size):
    if not hasattr(what, "read"):
        return what[at:at + PIECE_BYTES]
    what.seek(at)
    piece = what.read(PIECE_BYTES)
    if len(piece) < min(PIECE_BYTES, size - at):
        raise Damaged(f"artifact {sha256}: changed while it was stored: has {at + len(piece)} bytes, had {size}")
    return piece
