"""Tasks that wait for one another: chain, group, chord and |. What was put together is one submit, in which values
are named and not held: they go from worker to sink to worker, and never through the client."""

from __future__ import annotations

from typing import Any

from . import codec, default
from .errors import BadTask
from .handles import Handle, Handles
from .words import PARENTS_MAX

TAKEN_MAX = PARENTS_MAX - 24  # Values that one task takes from others; `after` may name a few more.


class Flow:
    """What can be put together, and started by delay() or apply()."""

    def __or__(self, after) -> chain:
        return chain(self, after)

    def __call__(self):
        return self.delay()

    def delay(self) -> Any:
        return self.apply()

    def apply(self, **words: Any) -> Any:
        """Submits all of it, in one message. words: said of each task, where that does not say them itself."""
        graph = Graph(words)
        graph_end = self.add(graph, None)
        if not graph.tasks:
            return Handles([])
        cluster = default.cluster()
        ids = cluster.submit_whole(graph.tasks)
        handle = graph_end.handle(ids)
        handle._of, handle._kept = cluster, ids
        return handle


class Graph:
    """The tasks of one submit so far, each a dict of words."""

    def __init__(self, words):
        self.words, self.tasks = words, []

    def add(self, kind, args, words):
        name = str(len(self.tasks))
        self.tasks.append({**self.words, **words, "name": name, "kind": kind, "args": args})
        return name


class Step:
    """A task in a graph whose value others take; `before`: whose value it takes."""

    def __init__(self, name, before):
        self.name, self.before = name, before

    def value(self):
        return {"$result": self.name}

    def names(self):
        return [self.name]

    def handle(self, ids):
        return Handle(ids[int(self.name)], self.before.handle(ids) if self.before else None)


class Steps:
    """Several whose values others take as a list."""

    def __init__(self, members):
        self.members = members

    def value(self):
        return [each.value() for each in self.members]

    def names(self):
        return [name for each in self.members for name in each.names()]

    def handle(self, ids):
        return Handles([each.handle(ids) for each in self.members])


class Gathered(Steps):
    """Such parts, whose lists become one."""

    def __init__(self, members, gathering):
        super().__init__(members)
        self._gathering = gathering

    def value(self):
        return {codec.TYPE: "joined", "value": [{"$result": name} for name in self._gathering]}


class Signature(Flow):
    """A call to be made later: f.s(…)."""

    def __init__(self, task, args, kwargs, takes_value=True, words=None):
        self.task, self.args, self.kwargs = task, tuple(args), dict(kwargs)
        self.takes_value, self.words = takes_value, words or {}

    def __repr__(self):
        return f"<{self.task.kind}.s of {len(self.args) + len(self.kwargs)}>"

    def set(self, **words) -> Signature:
        """The same with more to say: words as of Cluster.submit()."""
        return Signature(self.task, self.args, self.kwargs, self.takes_value, {**self.words, **words})

    def __call__(self, *args, **kwargs):
        """Here."""
        call = self._with(args, kwargs)
        return call.task(*call.args, **call.kwargs)

    def delay(self, *args: Any, **kwargs: Any) -> Any:
        """args: before its own, as the value of a step before would be."""
        return self._with(args, kwargs).apply()

    def _with(self, args, kwargs):
        if args and not self.takes_value:
            raise BadTask(f"{self.task.kind}.si(…): takes no arguments but its own")
        return Signature(self.task, (*args, *self.args), {**self.kwargs, **kwargs}, self.takes_value, self.words)

    def add(self, graph, before):
        takes = before is not None and self.takes_value
        args = (None, *self.args) if takes else self.args
        words = self.task.words_of(args, self.kwargs, self.words)
        if takes and len(before.names()) > TAKEN_MAX:
            before = self._gathered(graph, before, words)
        said = self.task.said(args, self.kwargs)
        if takes:
            (said if isinstance(said, list) else said["$args"])[0] = before.value()
        if before is not None and not takes:
            words = {**words, "after": before.names() + list(words.get("after") or ())}
        return Step(graph.add(self.task.kind, said, words), before)

    def _gathered(self, graph, before, words):
        """More values than one task may take: some tasks each take a part of them, and give its list. They run where
        this does, but in no line of a key."""
        if any(isinstance(each, Steps) for each in before.members):
            raise BadTask(f"a group of groups with more than {TAKEN_MAX} tasks: what follows cannot take so many values")
        parts = [Steps(before.members[at:at + TAKEN_MAX]) for at in range(0, len(before.members), TAKEN_MAX)]
        words = {**{word: said for word, said in words.items() if word != "after"}, "key": ""}
        names = [graph.add(self.task.kind, {"$gather": part.value()}, words) for part in parts]
        return Gathered(before.members, names)


class chain(Flow):  # noqa: N801 - as everybody calls it
    """One after another, each with the value of the one before as its first argument."""

    def __init__(self, *steps):
        steps = steps[0] if len(steps) == 1 and isinstance(steps[0], (list, tuple)) else steps
        self.steps = [step for each in map(_flow, steps) for step in (each.steps if type(each) is chain else [each])]

    def add(self, graph, before):
        for step in self.steps:
            before = step.add(graph, before)
        return before if before is not None else Steps([])


class group(Flow):  # noqa: N801
    """Beside one another; the value is the list of theirs. Each gets the value of what stands before the group."""

    def __init__(self, *members):
        if len(members) == 1 and not isinstance(members[0], Flow):
            members = members[0]
        self.members = [_flow(each) for each in members]

    def add(self, graph, before):
        return Steps([each.add(graph, before) for each in self.members])


class chord(Flow):  # noqa: N801
    """A group, and a task that gets the list of its values: chord([f.s(1), f.s(2)], total.s()), or chord(…)(total.s())."""

    def __init__(self, members, body=None):
        self.members = members if isinstance(members, group) else group(members)
        self.body = None if body is None else _flow(body)

    def __call__(self, body=None):
        return self.delay() if body is None else chord(self.members, body).delay()

    def add(self, graph, before):
        if self.body is None:
            raise BadTask("chord: has no body, the task that gets the values")
        return self.body.add(graph, self.members.add(graph, before))


def _flow(step):
    if isinstance(step, Flow):
        return step
    from .tasks import Task
    if isinstance(step, Task):
        return step.s()
    raise BadTask(f"{step!r}: is no call to be made later; f.s(…) is one")
