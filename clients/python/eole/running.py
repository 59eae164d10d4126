"""The run of a task, from its side: what it may say and ask while it runs, and how it ends."""

import asyncio
import collections
import inspect
import os
import sys
import traceback

import msgpack

from . import codec, files
from .errors import BadTask, BadValue, Cancelled, Error, WrongProcess

FILES_MAX = 250  # Of a result: more do not go into one frame.
AFTER_SECONDS_MAX = 30 * 86400
FORKED = "this process was forked from a runner: only the runner itself speaks for a task"
VALUE_BYTES_MAX = (1 << 20) - 4096  # Of a value with what else the result has.
TRACE_BYTES_MAX = 16 << 10
ERROR_BYTES_MAX = 4 << 10

# How a run ended: value is packed; of a failed one error, cause and retry_after_ms are said, too.
End = collections.namedtuple("End", "is_done value files error cause retry_after_ms", defaults=[(), "", "", 0])


class Retry(Exception):
    """Raised in a task: another attempt makes no sense sooner than `after` seconds. How many there are its `retry`
    says."""

    after = 0

    def __init__(self, text="to be tried again", after=0):
        super().__init__(text)
        self.after = checked_seconds(after)


def checked_seconds(after):
    if not isinstance(after, (int, float)) or not 0 <= after <= AFTER_SECONDS_MAX:
        raise BadValue(f"eole.Retry(after={after!r}): must be seconds, 0 to {AFTER_SECONDS_MAX}")
    return after


class Stopped(BaseException):
    """The run is to end now: raised within it. No Exception, so that a task does not take it for a failure."""


class Run:
    """A run, and what surrounds it. This one is none: a function that was just called."""

    id = None
    attempt = 0
    kind = project = traceparent = ""
    directory = None
    is_cancelled = False

    def progress(self, done, total, text):
        pass

    def log(self, text):
        print(text, file=sys.stderr)


class Forked(Run):
    """Of a process that a task forked."""

    def progress(self, done, total, text):
        raise WrongProcess(FORKED)

    def log(self, text):
        raise WrongProcess(FORKED)


class Current:
    """The run of this process: eole.current.id, .attempt, .kind, .project, .traceparent, .directory (its own, removed
    afterwards) and .is_cancelled (whether it is to end). Outside of one id is None and attempt 0."""

    run = Run()

    def __getattr__(self, name):
        if name not in ("id", "attempt", "kind", "project", "traceparent", "directory", "is_cancelled"):
            raise AttributeError(f"eole.current has no {name}")
        return getattr(self.run, name)


current = Current()


def progress(done: int, total: int = 0, text: str = "") -> None:
    """Says how far the task is: of a total (0: not known), and at what. As often as you like."""
    current.run.progress(done, total, text)


def log(text: str) -> None:
    """A line of the task's output."""
    current.run.log(text)


def call(function, args):
    """The function called with arguments as they came: a list by place, a map by name, {"$args": […]} with both."""
    if type(args) is list:
        return function(*args)
    if args is None:
        return function()
    if type(args) is dict:
        if "$each" in args:  # f.chunks(): calls of it, one after another.
            return [call(function, each) for each in args["$each"]]
        if "$gather" in args:  # A part of what a chord takes (flows.py).
            return args["$gather"]
        by_place = args.pop("$args", ())
        return function(*by_place, **args)
    return function(args)


def decoded(raw):
    """Arguments, with what is in them decoded; not they themselves, if they are a list or a map of them."""
    args = msgpack.unpackb(raw, strict_map_key=False) if raw else None
    if codec.TYPE.encode() not in raw:  # Nothing to be looked through for.
        return args
    if type(args) is dict and codec.TYPE not in args:
        return {name: codec.decode(each) for name, each in args.items()}
    return codec.decode(args)


def execute(function, run, store, raw):
    """Runs it: the End. Whatever goes wrong in it is its failure. The arguments' and value's files are the store's."""
    before, outer = files.use(store), current.run
    current.run = run
    try:
        args = decoded(raw)
        files.use(before)
        value = call(function, args)
        if inspect.iscoroutine(value):
            value = asyncio.run(value)
        files.use(store)
        packed = msgpack.packb(files.said(value))
        if len(packed) > VALUE_BYTES_MAX:
            raise Error(f"a value of {len(packed)} bytes, limit {VALUE_BYTES_MAX}")
        if len(store.names()) > FILES_MAX:
            raise Error(f"a result of {len(store.names())} files, limit {FILES_MAX}")
        return End(True, packed, store.names())
    except Stopped:
        return failed(Cancelled("cancelled: the task was told to end"))
    except BaseException as error:  # noqa: BLE001 - SystemExit, too, is the task's and not the runner's
        return failed(error)
    finally:
        files.use(before)
        current.run = outer


def failed(error):
    """The End of a run that raised this."""
    after = 0
    if isinstance(error, Retry):
        try:
            after = int(checked_seconds(error.after) * 1000)
        except BadValue as bad:  # It was changed afterwards.
            return failed(bad)
    kind = type(error)
    text = text_of(error)
    said = {"error_class": kind.__qualname__, "module": codec.module_name(kind.__module__), "text": text,
            "traceback": traceback_of(error)}
    try:
        said["args"] = codec.encode(list(error.args))
        said["attributes"] = codec.encode({name: each for name, each in vars(error).items() if name[:2] != "__"})
    except (BadTask, RecursionError):
        pass  # Without them it is told by its text.
    packed = packed_or_none(said)
    if packed is None or len(packed) > VALUE_BYTES_MAX // 4:
        said = {name: each for name, each in said.items() if name not in ("args", "attributes")}
        packed = msgpack.packb(said)
    return End(False, packed, (), f"{kind.__qualname__}: {text}"[:ERROR_BYTES_MAX], kind.__qualname__, after)


def text_of(error):
    try:
        text = str(error)
    except Exception as another:  # noqa: BLE001 - a __str__ of its own
        text = f"(its text raised {type(another).__name__})"
    return text.encode(errors="replace").decode()[:ERROR_BYTES_MAX]


def packed_or_none(said):
    try:
        return msgpack.packb(said)
    except Exception:  # noqa: BLE001 - a text that is no UTF-8
        return None


def traceback_of(error):
    """Without what is of the runner itself; its end, if it is long."""
    try:
        lines = traceback.format_exception(type(error), error, error.__traceback__)
    except Exception:  # noqa: BLE001 - a __str__ of its own
        lines = [f"{type(error).__qualname__}\n"]
    here = f'File "{os.path.abspath(__file__)}"'
    text = "".join(line for line in lines if here not in line)
    return text.encode(errors="replace").decode()[-TRACE_BYTES_MAX:]
