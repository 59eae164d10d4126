"""Functions as kinds of task: @eole.task (docs/python.md)."""

from __future__ import annotations

import functools
import inspect
import itertools
import json
from typing import Any, Callable, Generic, Iterable, ParamSpec, TypeVar, overload

from . import codec, default, files
from .errors import BadTask
from .flows import Signature
from .handles import Handle, Handles
from .submission import encoded_class
from .words import check_words

KIND_BYTES_MAX = 255
SHAPES_MAX = 64
PARAMETERS_MAX = 63  # That a runner can tell of: four fields each, of the 256 of a frame.
_tasks: dict[str, Task] = {}  # By kind: all of this process.
Takes = ParamSpec("Takes")
Value = TypeVar("Value")


@overload
def task(function: Callable[Takes, Value], /, *, name: str = "", **words: Any) -> Task[Takes, Value]: ...


@overload
def task(*, name: str = "", **words: Any) -> Callable[[Callable[Takes, Value]], Task[Takes, Value]]: ...


def task(function: Callable | None = None, /, *, name: str = "", **words: Any) -> Any:
    """Makes a function a task, of the kind MODULE.FUNCTION (or `name`).

    f(x) runs here; f.delay(x) at a runner that has its module. words: as of Cluster.submit(), said of each task:
    retry, attempts, timeout, priority, project, needs …; key may be a function of the task's arguments, too."""
    if function is None:
        return lambda function: Task(function, name, words)
    return Task(function, name, words)


class Task(Generic[Takes, Value]):
    """A function that can run elsewhere."""

    def __init__(self, function: Callable[Takes, Value], name: str, words: dict[str, Any]):
        self.function = function
        self.kind = name or codec.name_of(function)
        if "<" in self.kind or any(letter.isspace() or letter == "," or not letter.isprintable() for letter in self.kind) \
                or len(self.kind.encode()) > KIND_BYTES_MAX:
            raise BadTask(f"task {self.kind}: must be a function of a module, or have a name=… of at most {KIND_BYTES_MAX} "
                          "bytes, without blanks and commas")
        self._key = words.pop("key") if callable(words.get("key")) else None
        self.words = self._checked(words)
        encoded_class({**self.words, "kind": self.kind}, {})  # Says now what is wrong with them.
        self._signature = inspect.signature(function)
        self._fitting = set()  # How many arguments by place, and which by name: known to fit.
        functools.update_wrapper(self, function)
        _tasks[self.kind] = self

    def __call__(self, *args: Takes.args, **kwargs: Takes.kwargs) -> Value:
        return self.function(*args, **kwargs)

    def __get__(self, instance, owner=None):
        if instance is not None:
            raise BadTask(f"task {self.kind}: a method of an object cannot be one")
        return self

    def __reduce__(self):
        return task_named, (self.kind,)

    def __repr__(self):
        return f"<eole.task {self.kind}>"

    def delay(self, *args: Takes.args, **kwargs: Takes.kwargs) -> Handle[Value]:
        """Submits it with these arguments; it is durable when this returns."""
        return self.apply(args, kwargs)

    def apply(self, args: Iterable = (), kwargs: dict | None = None, **words: Any) -> Handle[Value]:
        """As delay, with more to say: words as of Cluster.submit(), like priority, delay, key, after."""
        said, words = self.said(args, kwargs or {}), self.words_of(args, kwargs or {}, words)
        cluster = default.cluster()
        [task] = cluster.submit(self.kind, [said], **words)
        return Handle(task, cluster=cluster)

    def map(self, items: Iterable, **words: Any) -> Handles[Value]:
        """A task for each item, in one submit."""
        return self.starmap(((item,) for item in items), **words)

    def starmap(self, items: Iterable[Iterable], **words: Any) -> Handles[Value]:
        """A task for each item, which has all of its arguments."""
        if self._key is None:
            return self._submitted((self.said(item, {}) for item in items), self.words_of((), {}, words))
        cluster = default.cluster()
        ids = cluster.submit([{"kind": self.kind, "args": self.said(item, {}), **self.words_of(item, {}, words)}
                              for item in map(tuple, items)])
        return Handles(ids, cluster, ids)

    def chunks(self, items: Iterable[Iterable], size: int, **words: Any) -> Handles[list[Value]]:
        """As starmap, with so many calls in one task, whose value is the list of theirs."""
        if self._key is not None:
            raise BadTask(f"task {self.kind}: its key is that of one call, so it has no chunks")
        if size < 1:
            raise ValueError(f"task {self.kind}: chunks of {size} calls, must be at least 1")
        items = iter(items)
        chunks = iter(lambda: [self.said(item, {}) for item in itertools.islice(items, size)], [])
        return self._submitted(({"$each": chunk} for chunk in chunks), self.words_of((), {}, words))

    def _submitted(self, args, words):
        cluster = default.cluster()
        ids = cluster.submit(self.kind, args, **words)
        return Handles(ids, cluster, ids)

    def s(self, *args: Any, **kwargs: Any) -> Signature:
        """A call to be made later, in a chain, group or chord; there it gets the value of the step before it first."""
        return Signature(self, args, kwargs)

    def si(self, *args: Any, **kwargs: Any) -> Signature:
        """As s, but it gets no value."""
        return Signature(self, args, kwargs, takes_value=False)

    def words_of(self, args, kwargs, words):
        words = {**self.words, **self._checked(words)} if words else dict(self.words)
        if self._key is not None and "key" not in words:
            words["key"] = self._key(*args, **kwargs)
        return words

    def _checked(self, words):
        check_words({"kind": self.kind, **words})
        for word in ("args", "name"):
            if word in words:
                raise BadTask(f"task {self.kind}: {word} is not for a task that is a function")
        return words

    def said(self, args, kwargs):
        """Arguments as they go."""
        args = tuple(args)
        shape = (len(args), *kwargs)
        if shape not in self._fitting:
            try:
                self._signature.bind(*args, **kwargs)
            except TypeError as error:
                raise TypeError(f"{self.kind}: {error}") from None
            if len(self._fitting) < SHAPES_MAX:
                self._fitting.add(shape)
        by_place = [files.said(each) for each in args]
        if not kwargs:
            return by_place
        by_name = {name: files.said(each) for name, each in kwargs.items()}
        return {"$args": by_place, **by_name} if by_place else by_name

    @property
    def about(self):
        """One sentence."""
        return (inspect.getdoc(self.function) or self.kind).split("\n\n")[0].replace("\n", " ")[:200]

    def parameters(self):
        """As a runner tells of them: name, type, needed, default."""
        found = []
        for name, each in self._signature.parameters.items():
            if each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD):
                return []  # It takes whatever it is given.
            has_default = each.default is not each.empty
            found.append((name, WORDS.get(each.annotation, "any"), int(not has_default),
                          _as_json(each.default) if has_default else ""))
        return found if len(found) <= PARAMETERS_MAX else []  # Then these are not told.


WORDS = {word: text for cls, text in {int: "integer", float: "number", str: "text", bool: "boolean", bytes: "bytes",
                                      files.File: "file"}.items() for word in (cls, cls.__name__)}


def _as_json(value):
    try:
        return json.dumps(value)
    except (TypeError, ValueError):
        return json.dumps(repr(value))


def task_named(kind: str) -> Task:
    if kind not in _tasks:
        raise BadTask(f"task {kind}: is not known here; its module is not imported")
    return _tasks[kind]


def tasks_of(modules: Iterable[str]) -> dict[str, Task]:
    """Those of these modules, and of what is in these packages, by kind."""
    modules = list(modules)
    found = {kind: each for kind, each in _tasks.items()
             if any(f"{each.function.__module__}.".startswith(f"{module}.") for module in modules)}
    if not found:
        raise BadTask(f"{', '.join(modules)}: no task there (@eole.task makes a function one)")
    return found
