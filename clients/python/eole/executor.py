"""A concurrent.futures.Executor whose workers are a cluster's."""

from __future__ import annotations

import collections
import concurrent.futures
import threading
from typing import Any, Callable

from . import codec, default
from .errors import BadTask, Cancelled
from .listener import end, listener
from .remote import value_of
from .tasks import Task

TOGETHER_MAX = 1024  # Calls in one submit.


class Future(concurrent.futures.Future):
    """Of one call; id: of its task, once it was submitted."""

    id: str | None = None

    def cancel(self) -> bool:
        is_cancelled = super().cancel()
        if is_cancelled and self.id is not None:
            listener().ask(lambda: default.cluster().cancel([self.id], wait=False))
        return is_cancelled


class Executor(concurrent.futures.Executor):
    """submit(f, …) and map(f, …) run where a worker's runner has f: tasks where their module is, any other function
    that can be imported at `python3 -m eole.runner eole.calls`. words: as of Cluster.submit(), said of each."""

    def __init__(self, **words: Any):
        self._words = words
        self._lock = threading.Lock()
        self._calls = collections.deque()  # Not submitted: task, arguments, future.
        self._pending: set[Future] = set()
        self._is_shut = False

    def submit(self, fn: Callable, /, *args: Any, **kwargs: Any) -> Future:
        task, args, kwargs = _task_of(fn, args, kwargs)
        said, words = task.said(args, kwargs), task.words_of(args, kwargs, self._words)
        future = Future()
        with self._lock:
            if self._is_shut:
                raise RuntimeError("cannot schedule new futures after shutdown")
            self._pending.add(future)
            self._calls.append((task.kind, said, words, future))
            is_first = len(self._calls) == 1
        future.add_done_callback(self._forget)
        if is_first:
            listener().ask(self._submit)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        with self._lock:
            self._is_shut = True
            pending = list(self._pending)
        if cancel_futures:
            for future in pending:
                future.cancel()
        if wait:
            concurrent.futures.wait(pending)

    def _forget(self, future):
        with self._lock:
            self._pending.discard(future)

    def _submit(self):
        """What has come together by now; in the listener's thread."""
        with self._lock:
            calls = [self._calls.popleft() for _ in range(min(len(self._calls), TOGETHER_MAX))]
            if self._calls:
                listener().ask(self._submit)
        self._submit_all([call for call in calls if not call[3].cancelled()])

    def _submit_all(self, calls):
        """In one message: all of them, or none. If that cannot be, in halves: a bad call fails alone."""
        try:
            ids = default.cluster().submit_whole([{"kind": kind, "args": said, **words} for kind, said, words, _ in calls])
        except Exception as error:  # noqa: BLE001 - the callers hear it
            if isinstance(error, BadTask) and len(calls) > 1:
                half = len(calls) // 2
                self._submit_all(calls[:half])
                self._submit_all(calls[half:])
                return
            for *_, future in calls:
                end(future, error=error)
            return
        for task, (*_, future) in zip(ids, calls):
            future.id = task
            if future.cancelled():  # Meanwhile, when its id was not known.
                listener().ask(lambda task=task: default.cluster().cancel([task], wait=False))
            result = concurrent.futures.Future()
            result.add_done_callback(lambda result, future=future: _take(future, result))
            try:
                listener().follow(task, result)
            except Exception as error:  # noqa: BLE001 - as above
                end(result, error=error)


def _take(future, result):
    error = result.exception()
    try:
        value = None if error is not None else value_of(result.result())
    except Cancelled as cancelled:  # By others.
        error = cancelled
    except Exception as raised:  # noqa: BLE001 - what the call raised
        error = raised
    end(future, None if error is not None else value, error)


def _task_of(fn, args, kwargs):
    if isinstance(fn, Task):
        return fn, args, kwargs
    from .calls import call
    name = getattr(fn, "__qualname__", "<")
    module = codec.module_name(getattr(fn, "__module__", None) or "")
    if "<" in name or not module:
        raise BadTask(f"{fn!r}: can be imported by nobody: it must be a function of a module")
    return call, (f"{module}:{name}", list(args), kwargs), {}
