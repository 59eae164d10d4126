"""How tasks ended, as the values and exceptions of Python."""

from typing import Any

from . import codec
from .errors import Cancelled, RemoteError


def value_of(result) -> Any:
    """What a task came to; raises what it raised, or a RemoteError."""
    if result.state == "done":
        return codec.decode(result.value)
    raise error_of(result)


def error_of(result):
    where = f" on {result.worker}" if result.worker else ""
    note = f"task {result.id} of {result.kind}: {result.state}, attempt {result.attempt}{where}"
    said = result.value if isinstance(result.value, dict) and "error_class" in result.value else None
    if isinstance(result.body, dict) and result.body.get("cause") == "timeout":
        said = None  # What its end raised in the task says less.
    if result.state == "cancelled":
        error = Cancelled(f"{result.id}: {_text(result.error) or 'cancelled'}")
    elif said is None:
        error = RemoteError(f"{result.id}: {_text(result.error) or result.state}")
    else:
        name, traceback = _text(said.get("error_class")), _text(said.get("traceback"))
        remote = RemoteError(f"{name}: {_text(said.get('text'))}", name, traceback)
        error = _raised(said)
        if error is None:
            error = remote
        else:
            error.__cause__ = RemoteError(f"on the other side:\n\n{traceback}", name, traceback)
    error.add_note(note)
    if said is not None and error.__cause__ is None:
        error.add_note(_text(said.get("traceback")))
    return error


def _text(said):
    return said if isinstance(said, str) else "" if said is None else repr(said)


def _raised(said):
    """What was raised, of a class that is here already, with the text that it had; or None."""
    module, name = said.get("module"), said.get("error_class")
    try:
        cls = codec.found(f"{module}.{name}")
        if not isinstance(cls, type) or not issubclass(cls, Exception):
            return None
        args = codec.decode(said.get("args", [said.get("text")]))
        error = cls.__new__(cls, *args)  # Not __init__, which may take other arguments.
        error.args = tuple(args)
        vars(error).update({name: codec.decode(each) for name, each in said.get("attributes", {}).items() if name[:2] != "__"})
        return error if str(error) == said.get("text") else None
    except Exception:  # noqa: BLE001 - whatever the class has against it: the RemoteError says what is known
        return None
