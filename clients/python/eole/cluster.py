"""A cluster, as a program sees it: submit, results, what is known of tasks and projects."""

import bisect
import contextlib
import datetime
import itertools
import os
import time
from typing import Any, BinaryIO, Iterable, Iterator, Self

from .artifacts import fetch, store, store_pieces
from .chains import Chains
from .cluster_groups import OfGroups
from .connection import Connection
from .errors import BadTask, Error, Gone, NoAnswer, NotFound, Refused
from .graph import graph_of, messages_of_graph
from .history import history_of, why_ended
from .log import Log, record_at
from .projects import expected_of, look_at, project_view
from .records import Result, parse_task_id, ranges_of, task_ids
from .retry import Missing, retry_key, reworded, tasks_anew
from .schedules import Schedules, control
from .scripts import script_args
from .submission import TASKS_MAX, Submitter, messages_of
from .words import check_words

TASKS: Any = object()   # As args: there are none, the tasks are whole.
END_SECONDS = 30   # Without any of the cancelled tasks ending.
HEAD_SECONDS = 5     # A submit waits for no longer to hear where the log ends …
SILENT_SECONDS = 30  # … and does not ask again so soon.
LOOKED_UP = 64     # At a time, when the log is silent.
WAIT_SECONDS = 0.2  # Between two looks at a project.
LETTERS_MAX = 1000  # That one message discards: as many as a key with a prefix may.
Ids = str | Iterable[str]
Time = float | datetime.datetime
View = dict[str, Any]


class Cluster(OfGroups):
    """A cluster, by its cluster or join file: `path`, else EOLE_CLUSTER, else the local one's."""

    def __init__(self, path: str | os.PathLike[str] | None = None, patience: float = 30):
        """patience: seconds without any answer, then NoAnswer."""
        self._opened = path, patience
        self._connection = Connection(path, patience)
        self._submitter = Submitter(self._connection)
        self.schedules = Schedules(self._connection, self._submit)
        self.chains = Chains(self._connection, self._place)
        self._log = None
        self._silent_until = 0
        self._own = set()  # Submitted or waited for here, and their results not handed out yet.
        self._seen = {}    # Of these, the results that were read.

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_):
        self.close()

    def close(self) -> None:
        self._connection.close()

    def submit(self, kind: str | Iterable[View], args: Any = TASKS, project: str = "", retry: bool | View = False,
               attempts: int = 0, idempotency_key: str = "", batch: int = 1024, **words: Any) -> list[str]:
        """Submits tasks and returns their ids once all are durable.

        submit(kind, args): a list, a tuple or any other iterable is one task for each of its items; a
        dict, text, bytes, a number, None are one task. What else is said is said of each of them.
        submit(tasks): a list of dicts with the words of a task as in JSON, kind and args among them. Each may have a
        `name`, by which those behind it say in `after`, or in a {"$result": name, "path": "a.b"} among their
        arguments, that they wait for it.

        retry: a failed attempt is tried again, up to `attempts` (0: the ventilator's default); or a dict of `attempts`,
        `backoff` and `backoff_max` (the pause before the second attempt and the longest), `on` (which failures:
        ["exit:75", "signal", "http:503", "timeout"]). idempotency_key: the same tasks under the same key are accepted
        once, for 24 hours; all in one message, so at most 65536 and 8 MiB. batch: tasks in one message, at most.

        words (docs/plans.md): priority (0 to 9), delay, not_before, expires, key (tasks of one key run one by one, in
        their order), after (ids, what submit returned, "project:NAME", or a list of these), on_parent_failure ("fail",
        "skip", "run"), timeout (of one attempt), needs (a dict), pin, prefer (a worker's name), spread, speculate,
        traceparent (of W3C Trace Context). Spans are seconds, timedeltas or texts ("250ms", "5m"), times are datetimes or
        texts ("2026-01-31T12:00:00Z"). In submit(kind, args) a {"$result": id} may name what `after` has.

        All items of a list are packed before anything is sent; a generator's, before their batch is sent. An error has
        as its `ids` what was accepted nevertheless.
        """
        if args is TASKS:
            return self._submit_graph(kind, {"project": project, "retry": retry, "attempts": attempts, **words},
                                      idempotency_key)
        for word in words:
            check_words({"kind": kind, word: None})
            if word == "name":
                raise BadTask("submit: a name is for the tasks of a list of dicts")
        return self._submit(messages_of(kind, args, project, retry, attempts, idempotency_key, batch, words))

    def results(self, ids: Ids | None = None, timeout: float | None = None, since: Time | None = None,
                offset: int | None = None, topic: str = "") -> Iterator[Result]:
        """Yields each result as it comes: of these ids (until all are final), or of every task.

        What this object submitted is never missed; other tasks' results are looked up. timeout: seconds without one, then
        it ends. since: also those that are there already, finished from that time on (Unix seconds, or a datetime).
        offset: those from there in the log on. What is not kept any more is a Gone: its kept_from is the offset at which
        another call may go on. topic: only those whose project/kind/state fits it; * is one word, # any number:
        "shop/#/failed".
        """
        wanted = None if ids is None else set(_list_of(ids))
        if since is not None or offset is not None or topic:
            yield from self._past(wanted, timeout, since, offset, topic)
            return
        log = self._live()
        for task in sorted(wanted - self._own) if wanted else ():
            result = self.result(task)
            self._own.add(task)
            if result is not None:
                self._seen[task] = result
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            for result in self._take(log, wanted):
                yield result
                until = None if timeout is None else time.monotonic() + timeout
            left = 1000 if until is None else int((until - time.monotonic()) * 1000)
            if left <= 0 or (wanted is not None and not wanted):
                return
            log.wait(min(left, 1000))

    def map(self, kind: str, args: Iterable[Any], **options: Any) -> list[Result]:
        """Submits and returns the results in the order of `args`."""
        ids = self.submit(kind, args, **options)
        done = {result.id: result for result in self.results(ids)}
        return [done[task] for task in ids]

    def result(self, task: str) -> Result | None:
        """How the task ended, or None as long as it has not; NotFound if there is no such task."""
        for _ in range(2):  # It may settle between the two questions.
            view = self._query("queries", "result", task)
            if isinstance(view, dict) and view.get("is_kept") is False:
                raise Gone(f"{task}: settled, {view['state']}; its result is no longer kept")
            if isinstance(view, dict) and view.get("state") != "retrying":
                return record_at(self._connection, view["offset"])
            if self._query("ventilator", "task", task) is not None:
                return None
        raise NotFound(f"{task}: no such task was accepted")

    def status(self, task: str | None = None) -> View:
        """The cluster's counts and roles; or what is known of one task, with its attempts."""
        if task is None:
            return self._status()
        result = self.result(task)
        if result is None:
            known = {"id": task, **(self._query("ventilator", "task", task) or {})}
        else:
            known = result._asdict()
            known.pop("partition")
            body = known.pop("body")
            known = {**(body if isinstance(body, dict) else {"body": body}), **known}
            known.pop("spec", None)
        pages = self._pages("queries", "attempts", "attempts", "before", task)
        return {**known, "attempts": list(pages)[::-1]}

    def explain(self, task: str) -> View:
        """Why a task waits, where it is, or how it ended: state, why and attempts, as of `eole explain --json`."""
        view = self._look_up(task)
        attempts = list(self._pages("queries", "attempts", "attempts", "before", task))
        return {**{name: view[name] for name in ("id", "kind", "project", "state", "attempt", "worker", "submitted")
                   if view.get(name) is not None},
                "why": view["why"] if "why" in view else [why_ended(view)],
                "attempts": history_of(view, attempts)}

    def tasks(self, project: str = "", kind: str = "", state: str = "", worker: str = "") -> Iterator[View]:
        """Yields what is not settled: maps with id, kind, project, state, attempt, submitted, worker."""
        yield from self._pages("ventilator", "tasks", "tasks", "after",
                               project=project, kind=kind, state=state, worker=worker)

    def project(self, name: str) -> View:
        """One project, as `eole project NAME --json` has it. NotFound if nothing is known of it."""
        return look_at(self._query, name)[0]

    def open_project(self, name: str, expected: int | None = None, then: View | None = None, again: bool = False) -> View:
        """Opens a project: with so many tasks as are expected it closes itself, else close_project() does. then: its
        last task, a dict with kind and args, which runs once all others have ended: {"kind": "collect", "args":
        {"how": "json"}} puts their outputs together, in the order of the tasks; {"kind": "exec", "args": {"argv":
        ["./merge", {"$parts": True}]}} gives them to a command as a file of JSON lines. again: also if it was closed."""
        options = {"project": name, "is_again": again, **expected_of(name, expected)}
        if then is not None:
            options["collect"], _, _ = next(messages_of_graph(*graph_of([then], {}), "", None))
        return self.control("open", **options)

    def close_project(self, name: str) -> View:
        """It takes no more tasks, and is over once all have ended. NotFound if nothing is known of it."""
        look_at(self._query, name)  # A name that is mistyped would be another project, closed from its beginning.
        return self.control("close", project=name)

    def cancel_project(self, name: str) -> int:
        """Closes it and cancels what has not ended of it; returns how many tasks are to end. NotFound as above."""
        answer = self.control("cancel", project=self.project(name)["project"])
        cancelling = answer["cancelling"]
        while answer["next"] is not None:
            answer = self.control("cancel", project=name, after=answer["next"])
            cancelling += answer["cancelling"]
        return cancelling

    def retry_project(self, name: str) -> list[str]:
        """Submits anew what failed, died or was cancelled of a project that is over, each task in the place of the one
        before, and its last task after them. Returns the new ids. Said again after an error, within 24 hours, it goes on."""
        view, is_over, live = look_at(self._query, name)
        begun = live.get("retried_after")  # By a retry that did not come to its end.
        if not is_over and not begun:
            raise Refused(f"project {name}: is not over, what runs is not missing (close or cancel it first)", code="conflict")
        missing = Missing(self._pages("queries", "parts", "parts", "from", project=name, missing=True), begun)
        if not begun and not missing.parts and (view["result"] or {"state": "done"})["state"] == "done":
            return []
        tasks, places = tasks_anew(missing, lambda task: self._query("queries", "spec", task))  # Before anything changes.
        if live.get("is_opened") is not True:
            return self._submit_found(tasks, places, "")
        after = self.control("open", project=name, is_retry=True).get("retried_after")
        ids = self._submit_found(tasks, places, "", keys=retry_key(name, after))
        self.close_project(name)
        return ids

    def wait_project(self, name: str, timeout: float | None = None) -> View:
        """Waits until a project is over and its last task, if it has one, has ended; returns it as project() does.
        timeout: seconds, then as far as it is."""
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            view, is_over, _ = look_at(self._query, name)
            left = WAIT_SECONDS if until is None else min(WAIT_SECONDS, until - time.monotonic())
            if is_over or left <= 0:
                return view
            time.sleep(left)

    def projects(self) -> Iterator[View]:
        """Yields all projects by name, maps as of project() without `result`."""
        live = {each["project"]: each for each in self._pages("ventilator", "projects", "projects", "after")}
        ended = {each["project"]: each for each in self._pages("queries", "projects", "projects", "after")}
        for name in sorted({*live, *ended}, key=_bytes_of):
            yield project_view(live.get(name), ended.get(name))

    def cancel(self, ids: Ids | None = None, project: str = "", kind: str = "", wait: bool = True) -> dict[str, str]:
        """Cancels tasks, queued or running: these, or all of a project or a kind that are not settled.

        Returns {id: state} once the log says how each ended (mostly "cancelled"). "settled" was so before, "unknown" was
        never accepted, "cancelling" still winds down when none has ended for 30 seconds. wait=False returns at once, with
        "cancelling" for all that are to end. What was done to end one that ran is result(id).body["stopped"].
        """
        if (ids is None) == (not (project or kind)):
            raise TypeError("cancel: give ids, or a project or a kind")
        if ids is None:
            ids = [task["id"] for task in self.tasks(project=project, kind=kind)]
        if not wait:
            return self._cancel(_list_of(ids))
        with contextlib.closing(Log(self._connection)) as log:  # From before any of them can end by this.
            found = self._cancel(_list_of(ids))
            self._hear_ends(log, found)
        return found

    def control(self, what: str, **options: Any) -> View:
        """Asks the ventilator for something that is to hold from now on, and returns its answer once
        it is durable: control("pause", scope="project:photos"), control("resume", scope="all"),
        control("limit", scope="kind:download", running=8, rate=20): without both it is taken back; of a key
        there is a rate only, control("limit", scope="key:example.org", rate=2)."""
        return control(self._connection, what, options)

    def limits(self) -> list[dict[str, Any]]:
        """The limits that are set: maps with scope, running and rate."""
        return self._query("ventilator", "limits")

    def dead(self, project: str = "", kind: str = "") -> Iterator[View]:
        """Yields the dead letters (maps, the oldest first), with their `reasons`."""
        letters = self._pages("queries", "dead", "letters", "after", project=project)
        yield from (letter for letter in letters if kind in ("", letter["kind"]))

    def replay(self, ids: Ids, **words: Any) -> list[str]:
        """Submits dead tasks again as new tasks, takes them off the list, and returns the new ids in the same order. A
        replay that is repeated within 24 hours is the same replay: said again after an error, which has as its `ids`
        the new tasks so far, it goes on, as letters stay on the list until all are submitted. words: what is said
        otherwise than of the first task, as of submit(); args: all of its arguments."""
        letters, messages = _list_of(ids), []
        for task in letters:
            spec = self._query("queries", "spec", task)
            if not isinstance(spec, bytes):
                raise NotFound(f"{task}: is not a dead letter")
            messages.append((reworded(spec, words) if words else spec, 1, f"replay-of:{task}"))
        anew = self._submit(messages)
        try:
            self.discard(letters)
        except Error as error:
            error.ids = anew
            raise
        return anew

    def discard(self, ids: Ids) -> int:
        """Takes dead letters off their list; the log keeps them. Returns how many were on it."""
        return sum(self._connection.answer("queries", "discard", origin, payload=ranges)["discarded"]
                   for origin, _, ranges in ranges_of(_list_of(ids), LETTERS_MAX))

    def fetch(self, what: Result | str, path: str | os.PathLike[str] | None = None, force: bool = False) -> str:
        """Fetches an artifact (by a Result, a task id or a SHA-256) to a file and returns its path.

        path: the file, or the directory for it [here, under the artifact's name]. The file appears whole and with the
        right digest, or not at all; one that is there is replaced by `force` only."""
        if not isinstance(what, Result) and len(what) != 64:
            task, what = what, self.result(what)
            if what is None:
                raise NotFound(f"{task}: is not settled, so it has no artifact yet")
        return fetch(self._connection, what, path, force)

    def store(self, what: bytes | bytearray | memoryview | BinaryIO) -> tuple[str, int]:
        """Makes bytes, or what an open file has, an artifact; its SHA-256 and size."""
        return store(self._connection, what)

    def store_pieces(self, pieces: Iterable[bytes]) -> tuple[str, int]:
        """The same of bytes that lie in several places."""
        return store_pieces(self._connection, pieces)

    def script(self, path: str | os.PathLike[str], *words: str, **args: Any) -> View:
        """The arguments of an exec task that runs this file wherever it runs: submit("exec", cluster.script("a.py", "x")).

        The file goes along, by its digest, into the fresh directory of the command, and is run by what its first line
        names; words are its arguments, args any others of the kind."""
        return script_args(self, path, words, args)

    # ---- Below: how.

    def _look_up(self, task):
        """Its final record as the sink shows it, else what the ventilator says."""
        for _ in range(2):  # It may settle between the two questions.
            view = self._query("queries", "result", task)
            if isinstance(view, dict) and view.get("state") != "retrying":
                return view
            view = self._query("ventilator", "task", task)
            if view is not None:
                return view
        raise NotFound(f"{task}: no such task was accepted")

    def _cancel(self, ids):
        found = {}
        for origin, numbers, ranges in ranges_of(ids, TASKS_MAX):
            answer = self._connection.answer("ventilator", "cancel", origin, payload=ranges)
            wanted = set(numbers)
            for state in ("cancelling", "settled", "unknown"):
                for first, last in answer[state]:
                    found.update((task, state) for task in task_ids(origin, first, last - first + 1)
                                 if parse_task_id(task)[1] in wanted)
        return found

    def _hear_ends(self, log, found):
        """Puts how they ended in the place of "cancelling", until all have or none does for a while."""
        pending = {task for task, state in found.items() if state == "cancelling"}
        until = time.monotonic() + END_SECONDS

        def take(result):
            nonlocal until
            if result.is_final and result.id in pending:
                pending.discard(result.id)
                found[result.id] = result.state
                until = time.monotonic() + END_SECONDS

        while pending and time.monotonic() < until:
            log.wait(200)
            if not log.found:  # Some may have been in the log before it was read from its head on.
                for result in map(self.result, list(itertools.islice(pending, LOOKED_UP))):
                    if result is not None:
                        take(result)
            while log.found:
                take(log.found.popleft())

    def _status(self):
        ventilator, sink = self._query("ventilator", "status"), self._query("queries", "status")
        roles = [{"role": "ventilator", "name": ventilator["origin"], "pid": ventilator["pid"],
                  "state": "ready" if ventilator["introduced"] else "waiting for the sink"},
                 {"role": "sink", "name": sink["log"], "pid": sink["pid"], "state": "ready"},
                 *self._query("ventilator", "workers")]
        return {**{name: ventilator[name] for name in ("accepted", "queued", "running", "paused")},
                **{name: sink[name] for name in ("settled", "done", "failed", "dead", "cancelled", "head")},
                **{name: value for name, value in sink.items() if name.startswith("log_")},
                "roles": roles}

    def _query(self, where, what, *task, **options):
        return self._connection.query(where, what, parse_task_id(*task) if task else (0, 0), options)

    def _pages(self, where, what, name, cursor, *task, **options):
        options = {name: value for name, value in options.items() if value}
        while True:
            page = self._query(where, what, *task, **options)
            if page is None:
                return
            yield from page[name]
            if page["next"] is None:
                return
            options[cursor] = page["next"]

    def _submit(self, messages):
        messages = iter(messages)
        first = list(itertools.islice(messages, 1))
        if not first:
            return []
        followed = self._follow()  # From before it leaves, no result is missed.
        try:
            ids = self._submitter.submit(itertools.chain(first, messages))
        except Error as error:
            self._own.update(error.ids if followed else ())
            raise
        self._own.update(ids if followed else ())
        return ids

    def _follow(self):
        """False if there is no sink: what is submitted then is looked up when its results are wanted."""
        if self._log is None and time.monotonic() < self._silent_until:
            return False
        patience = self._connection.patience
        self._connection.patience = min(patience, HEAD_SECONDS)
        try:
            self._live().look()
        except NoAnswer:
            self._silent_until = time.monotonic() + SILENT_SECONDS
            return False
        finally:
            self._connection.patience = patience
        return True

    def _submit_graph(self, tasks, preset, key):
        if isinstance(tasks, (str, bytes, dict)):
            raise BadTask("submit: give a kind and arguments, or a list of tasks")
        check_words({**preset, "kind": ""})
        return self._submit_found(*graph_of(tasks, preset), key)

    def _submit_found(self, tasks, places, key, is_whole=False, keys=""):
        first, begins = self._submitter.next_request(), []

        def id_at(place):
            message = bisect.bisect_right(begins, place) - 1
            origin, number, _ = self._submitter.accepted(first + message)
            return origin, number + place - begins[message]

        def messages():
            sent = 0
            for payload, count, of in messages_of_graph(tasks, places, key, id_at, is_whole, keys):
                begins.append(sent)
                sent += count
                yield payload, count, of

        return self._submit(messages())

    def _live(self):
        """The log from where it was first needed on."""
        self._connection.check_owner()
        if self._log is None:
            self._log = Log(self._connection)
        return self._log

    def _take(self, log, wanted):
        """Yields what was found; what is not wanted now but may be later is kept."""
        if wanted is None:
            while log.found:
                result = log.found.popleft()
                if result.is_final:
                    self._own.discard(result.id)
                yield result
            return
        while log.found:
            result = log.found.popleft()
            if result.is_final and result.id in self._own:
                self._seen[result.id] = result
        few, many = sorted((wanted, self._seen), key=len)
        for task in [task for task in few if task in many]:
            wanted.discard(task)
            self._own.discard(task)
            yield self._seen.pop(task)

    def _past(self, wanted, timeout, since, offset, topic):
        if since is not None:
            since = since.timestamp() if isinstance(since, datetime.datetime) else since
            since = max(0, int(since * 1000)) / 1000  # Whole milliseconds, as results have.
            answer = self._query("queries", "offset_at", unix_ms=round(since * 1000))
            offset = max(offset or 0, answer["offset"])
        with contextlib.closing(Log(self._connection, offset, topic)) as log:
            until = None if timeout is None else time.monotonic() + timeout
            while wanted is None or wanted:
                left = 1000 if until is None else int((until - time.monotonic()) * 1000)
                if left <= 0:
                    return
                log.wait(min(left, 1000))
                while log.found:
                    result = log.found.popleft()
                    if since is not None and result.finished < since:
                        continue
                    if wanted is not None:
                        if not result.is_final or result.id not in wanted:
                            continue
                        wanted.discard(result.id)
                    until = None if timeout is None else time.monotonic() + timeout
                    yield result


def _bytes_of(name):
    return name if isinstance(name, bytes) else name.encode()


def _list_of(ids):
    return [ids] if isinstance(ids, str) else list(ids)
