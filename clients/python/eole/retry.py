"""Tasks anew that were not done: as they were, or said otherwise; of a project in the place of the one before."""

import msgpack

from .errors import BadTask, Damaged, NotFound
from .graph import Message, Task, packed_args, spec_bytes
from .records import SIZE, crc32c, parse_task_id, task_ids
from .submission import CONDITIONS_SIZE, GROUP, encoded_class
from .words import (BY_ID, ON_PARENT_FAILURE, PROJECT, check_words, conditions, text, times_of, trace_of, traceparent_of)

TRACE_BYTES = 25


class Missing:
    """By the task that was to do a part first: the last one that did not (`parts`), or did (`done`)."""

    def __init__(self, pages, before=None):
        """before: what is behind this task belongs to a retry that did not come to its end, and is as if it was not
        there, so that the same is missing."""
        self.parts, self.done, self.part_of = {}, {}, {}
        origin, last = parse_task_id(before) if before else (None, None)
        for told in pages:
            its_origin, number = parse_task_id(told["id"])
            if its_origin == origin and number > last:
                continue
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


def retry_key(project, after):
    """The key of a retry's messages, to which their number is added: said again, they are the same. after: what the
    ventilator calls the retry, or None."""
    return f"retry-of:{after}:{crc32c(project.encode(errors='surrogateescape'))}/" if after else ""


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


def parts_of_spec(spec):
    """Of a submit's payload of one task: its class, what it waits for (key, times, parents, instead_of), arguments, trace."""
    class_bytes, *_ = GROUP.unpack_from(spec)
    at = GROUP.size + class_bytes
    of_class, flag = spec[GROUP.size:at], spec[at]
    (args_bytes,) = SIZE.unpack_from(spec, at + 1)
    at += 1 + SIZE.size
    fields = []
    if flag & 1:
        (size,) = CONDITIONS_SIZE.unpack_from(spec, at)
        at += CONDITIONS_SIZE.size
        fields = msgpack.unpackb(spec[at:at + size], unicode_errors="surrogateescape")
        at += size
    trace = spec[at:at + TRACE_BYTES] if flag & 2 else b""
    at += len(trace)
    key, *times, parents, instead_of = fields[2:] + ["", 0, 0, 0, 0, "", 0][max(0, len(fields) - 2):]
    return (of_class, (key, tuple(times), parents.encode(errors="surrogateescape"), instead_of), spec[at:at + args_bytes],
            trace)


def task_of_spec(spec, part, missing):
    of_class, (key, times, parents, instead_of), args, trace = parts_of_spec(spec)
    after, is_each = parents_of(parents, missing)
    return Task(of_class, args, "", key, times, after, is_each and bool(after), instead_of or parse_task_id(part)[1],
                trace)


def reworded(spec, words):
    """A submit's payload of one task, of which these words are said otherwise."""
    for word in words:
        check_words({"kind": "", word: None})
        if word in ("after", "name"):  # It waits for what the task waited for.
            raise BadTask(f"{word}: cannot be said of a replay")
    of_class, (key, _, parents, instead_of), args, trace = parts_of_spec(spec)
    if "args" in words:
        args = packed_args(words["args"], [])[0]
    waits_for = conditions(text(words.get("key", key), "key"), times_of(words), parents, instead_of)
    said = {"traceparent": traceparent_of(trace), **words}
    message = Message(0)
    message.add(encoded_class({**words_of_class(of_class), **words}, {}), spec_bytes(args, waits_for, trace_of(said)))
    return message.payload()


def words_of_class(encoded):
    """What submit() would have been told."""
    fields = msgpack.unpackb(encoded, unicode_errors="surrogateescape")
    (_, _, kind, project, attempts, retry, priority, backoff, backoff_max, on, timeout, needs, place, speculate,
     failure) = fields + ["", "", 0, 0, 0, 0, 0, "", 0, "", "", 0, 0][len(fields) - 2:]
    policy = {"backoff": backoff / 1000, "backoff_max": backoff_max / 1000, "on": on}
    where, _, worker = place.partition("=")
    return {"kind": kind, "project": project, "attempts": attempts, "priority": priority, "timeout": timeout / 1000,
            "retry": policy if retry else False, "needs": dict(need.split("=", 1) for need in needs.split(",") if need),
            **({where: worker or True} if where else {}), "speculate": speculate != 0,
            "on_parent_failure": ON_PARENT_FAILURE[failure]}


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
