"""Commands that take a file along, and those that somebody vouches for (docs/commands.md)."""

import os
import stat

import msgpack

from .errors import BadTask
from .words import check_plain

PURPOSE = b"eole exec 1\n"


def script_args(cluster, path, words, args):
    for word in {"argv", "cwd"} & args.keys():
        raise BadTask(f"script: {word} is its own, a fresh directory and the file in it")
    with open(path, "rb") as file:
        sha256, _ = cluster.store(file)
    name = os.path.basename(path)
    return {**args, "argv": ["./" + name, *words], "files": {**args.get("files", {}), name: sha256}}


def signed(args, key):
    """The arguments of an exec task with the signature of a key that `eole key make` made, for workers --signed-by:
    submit("exec", eole.signed(cluster.script("a.py"), "mine.key")). Needs the package cryptography."""
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    except ImportError:
        raise BadTask("eole.signed needs the package cryptography (`eole key sign` does without)") from None
    try:
        private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(_line_of(key)))
    except ValueError:
        raise BadTask(f"{key}: is no key of eole key make") from None
    half = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    others = {name: value for name, value in args.items() if name != "signature"}
    check_plain(others)
    try:
        packed = msgpack.packb(_sorted(others))
    except Exception as error:  # noqa: BLE001 - as submit() tells it
        raise BadTask(f"signed: cannot be packed: {type(error).__name__}: {error}") from error
    signature = private.sign(PURPOSE + packed)
    return {**others, "signature": f"{half.hex()}:{signature.hex()}"}


def _line_of(path):
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise BadTask(f"{path}: others may read it (chmod 0600)")
            return file.readline().strip()
    except OSError as error:
        raise BadTask(f"{path}: cannot be read: {error.strerror}") from error


def _sorted(value):
    """By the bytes of their names, which is the order in which they are signed."""
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value, key=str.encode)}
    return [_sorted(each) for each in value] if isinstance(value, (list, tuple)) else value
