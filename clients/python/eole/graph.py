"""A list of whole tasks, each a dict of words, that may name one another: what `eole submit --file` takes."""

import collections
import itertools

import msgpack

from .errors import BadTask, TooLarge
from .submission import (GROUP, MESSAGE_BYTES, PAYLOAD_BYTES_MAX, TASK_BYTES_MAX, TASKS_MAX, encoded_class, spec_head)
from .words import PARENTS_MAX, Parents, add_by_name, check_plain, check_words, conditions, names_of, text, times_of, trace_of

RESULT = "$result"
SHOWN_MAX = 20  # Bad tasks that an error names.

# after: the names of all parents; args: packed, with places in `after` where it had names of results; instead_of: the
# number of the task in whose place this one is; trace: as trace_of() has it.
Task = collections.namedtuple("Task", "of_class args name key times after has_references instead_of trace",
                              defaults=[0, b""])


def graph_of(tasks, preset):
    """The tasks read and their parents found, or a BadTask that names all that are wrong."""
    found, problems, classes = [], [], {}
    for number, task in enumerate(tasks):
        try:
            found.append(task_of(task, preset, classes))
        except BadTask as error:
            found.append(None)
            problems.append((number, error))
    places = {}
    for number, task in enumerate(found):
        if task is not None and task.name and places.setdefault(task.name, number) != number:
            problems.append((number, BadTask(f"name {task.name}: another task has it")))
    for number, task in enumerate(found):
        for name in task.after if task is not None else ():
            try:
                check_parent(name, number, places, found)
            except BadTask as error:
                problems.append((number, error))
    if problems:
        said = [f"task {number}: {str(error).removeprefix('submit: ')}" for number, error in problems[:SHOWN_MAX]]
        if len(problems) > SHOWN_MAX:
            said.append(f"and {len(problems) - SHOWN_MAX} more")
        kind = TooLarge if all(isinstance(error, TooLarge) for _, error in problems) else BadTask
        raise kind("submit: nothing was submitted; " + "; ".join(said))
    return found, places


def task_of(task, preset, classes):
    if not isinstance(task, dict):
        task = dict(task) if hasattr(task, "keys") else task
    check_words(task)
    words = {**preset, **task}
    after = list(names_of(words.get("after") or ()))
    name = text(words.get("name") or "", "name", 1 << 20)
    args, has_references = packed_args(words.get("args", {}), after)
    if has_references and len(after) > PARENTS_MAX:
        raise TooLarge(f"after: {len(after)} tasks, limit {PARENTS_MAX} where results are taken from them")
    return Task(encoded_class(words, classes), args, name, text(words.get("key") or "", "key"), times_of(words), after,
                has_references, trace=trace_of(words))


def packed_args(args, after):
    check_plain(args)
    try:
        packed = msgpack.packb(args)
        has_references = RESULT.encode() in packed
        if has_references:
            numbered = numbered_references(args, after)
            has_references = numbered != args
            packed = msgpack.packb(numbered)
    except BadTask:
        raise
    except Exception as error:  # noqa: BLE001
        raise BadTask(f"cannot be packed: {type(error).__name__}: {error}") from error
    if len(packed) > TASK_BYTES_MAX:
        raise TooLarge(f"its arguments have {len(packed)} bytes, limit {TASK_BYTES_MAX} (put large data into a file or "
                       "an artifact)")
    return packed, has_references


def numbered_references(value, after):
    """With the places of results in `after` for their names; a name that is not there is added."""
    if isinstance(value, (list, tuple)):
        return [numbered_references(each, after) for each in value]
    if not isinstance(value, dict):
        return value
    name = value.get(RESULT)
    if not isinstance(name, str):
        return {key: numbered_references(each, after) for key, each in value.items()}
    if name not in after:
        after.append(name)
    return {**value, RESULT: after.index(name)}


def check_parent(name, number, places, tasks):
    place = places.get(name)
    if place is None:
        add_by_name(Parents(), name)
    elif place == number:
        raise BadTask(f"after {name}: a task cannot wait for itself")
    elif place > number:
        raise BadTask(f"after {name}: a cycle, that task waits for this one" if waits(place, number, places, tasks) else
                      f"after {name}: comes later; put that task before this")


def waits(begin, end, places, tasks):
    """Whether a task waits, over whatever others, for another."""
    still, seen = [begin], set()
    while still:
        at = still.pop()
        if at == end:
            return True
        if at not in seen and tasks[at] is not None:
            seen.add(at)
            still += [places[name] for name in tasks[at].after if name in places]
    return False


def messages_of_graph(tasks, places, key, id_at, is_whole=False, keys=""):
    """Yields messages: payload, how many, key. `id_at`: origin and number of a task by its place, once the message
    that it is in was accepted. is_whole: one message, or TooLarge, as with a key. keys: with its number behind it the
    key of each message."""
    is_whole = is_whole or key != ""
    bytes_most = PAYLOAD_BYTES_MAX if is_whole else MESSAGE_BYTES
    message = Message(0)
    numbers = itertools.count()
    for number, task in enumerate(tasks):
        # Two forms: as this message's next task, or as the first one of another.
        spec = spec_of(task, number, message.first, places, id_at)
        if message.is_full(task, spec, bytes_most):
            if is_whole:
                which = f"submit with the key {key!r}" if key else f"submit of {len(tasks)} tasks as a whole"
                raise TooLarge(f"{which}: all tasks must fit one message, at most {TASKS_MAX} and {PAYLOAD_BYTES_MAX} bytes")
            yield message.payload(), message.count, f"{keys}{next(numbers)}" if keys else ""
            message = Message(number)
            spec = spec_of(task, number, number, places, id_at)
        message.add(task.of_class, spec)
    if message.count:
        yield message.payload(), message.count, f"{keys}{next(numbers)}" if keys else key


def spec_of(task, number, first, places, id_at):
    parents = Parents(is_merged=not task.has_references)
    for name in task.after:
        place = places.get(name)
        if place is None:
            add_by_name(parents, name)
        elif place >= first:
            parents.add_back(number - place)
        else:
            parents.add_id(*id_at(place))
    return spec_bytes(task.args, conditions(task.key, task.times, parents.encoded(), task.instead_of), task.trace)


def spec_bytes(args, waits_for, trace=b""):
    return spec_head(len(args), waits_for, trace) + args


class Message:
    """Tasks from the place `first` on; neighbours of one class are a group, those with conditions apart."""

    def __init__(self, first):
        self.first, self.count, self._bytes = first, 0, 0
        self._groups = []  # Class, whether its specs have conditions, specs.

    def is_full(self, task, spec, bytes_most):
        more = self._bytes + len(spec) + GROUP.size + len(task.of_class)
        return self.count == TASKS_MAX or (self.count > 0 and more > bytes_most)

    def add(self, of_class, spec):
        if not self._groups or self._groups[-1][:2] != [of_class, spec[0] & 1]:
            self._groups.append([of_class, spec[0] & 1, []])
            self._bytes += GROUP.size + len(of_class)
        self._groups[-1][2].append(spec)
        self._bytes += len(spec)
        self.count += 1

    def payload(self):
        parts = []
        for of_class, flag, specs in self._groups:
            joined = b"".join(specs)
            parts += [GROUP.pack(len(of_class), flag, len(specs), len(joined)), of_class, joined]
        return b"".join(parts)
