"""Anew what was not done of a project: each new task in the place of the one before it."""

import msgpack

from .errors import Damaged, NotFound
from .graph import Task
from .records import SIZE, parse_task_id, task_ids
from .submission import CONDITIONS_SIZE, GROUP
from .words import BY_ID, PROJECT


class Missing:
    """By the task that was to do a part first: the last one that did not (`parts`), or did (`done`)."""

    def __init__(self, pages):
        self.parts, self.done, self.part_of = {}, {}, {}
        for told in pages:
            part = told.get("instead_of") or told["id"]
            if told["state"] == "done":
                self.done[part] = told["id"]
            else:
                self.part_of[told["id"]] = part
                self.parts[part] = told["id"]
        for part in self.done:
            self.parts.pop(part, None)
        self.in_order = sorted(self.parts, key=parse_task_id)

    def now(self, task):
        """Who does what a task was to do: the part, if that is one of those done anew."""
        part = self.part_of.get(task)
        if part is None:
            return task
        return part if part in self.parts else self.done.get(part, task)


def tasks_anew(missing, spec_of):
    """Tasks as graph_of() has them, and the places of those that others may name, by their part. `spec_of`: what
    the sink has of a task, or None."""
    places = {part: place for place, part in enumerate(missing.in_order)}
    tasks = []
    for part in missing.in_order:
        task = missing.parts[part]
        spec = spec_of(task)
        if not isinstance(spec, bytes):
            raise NotFound(f"{task}: the log has its end, and not the task itself: submit it anew")
        try:
            tasks.append(task_of_spec(spec, part, missing))
        except (ValueError, IndexError, TypeError, LookupError) as error:
            raise Damaged(f"{task}: its task makes no sense: {error}") from None
    return tasks, places


def task_of_spec(spec, part, missing):
    """Of a submit's payload of one task."""
    class_bytes, *_ = GROUP.unpack_from(spec)
    at = GROUP.size + class_bytes
    of_class, flag = spec[GROUP.size:at], spec[at]
    (args_bytes,) = SIZE.unpack_from(spec, at + 1)
    at += 1 + SIZE.size
    key, times, parents, instead_of = "", (0, 0, 0, 0), b"", 0
    if flag:
        (size,) = CONDITIONS_SIZE.unpack_from(spec, at)
        at += CONDITIONS_SIZE.size
        fields = msgpack.unpackb(spec[at:at + size], unicode_errors="surrogateescape")
        at += size
        _, _, key, *times, parents, instead_of = fields + ["", 0, 0, 0, 0, "", 0][len(fields) - 2:]
        parents = parents.encode(errors="surrogateescape")
    after, is_each = parents_of(parents, missing)
    return Task(of_class, spec[at:at + args_bytes], "", key, tuple(times), after, is_each and bool(after),
                instead_of or parse_task_id(part)[1])


def parents_of(encoded, missing):
    """Their names, and whether each is a single task, whose place its arguments may name."""
    after, is_each, at = [], True, 0
    while at < len(encoded):
        if encoded[at] == 3:
            _, size = PROJECT.unpack_from(encoded, at)
            at += PROJECT.size
            after.append("project:" + encoded[at:at + size].decode(errors="surrogateescape"))
            at += size
        elif encoded[at] == 1:
            _, origin, first, count = BY_ID.unpack_from(encoded, at)
            at += BY_ID.size
            is_each = is_each and count == 1
            after += [missing.now(task) for task in task_ids(origin, first, count)]
        else:
            raise ValueError(f"a parent of kind {encoded[at]}")
    return after, is_each
