"""A thread that waits for tasks to end on behalf of others: futures, and asyncio. One for each process, made when it
is needed."""

import asyncio
import collections
import concurrent.futures
import os
import threading

import zmq

from . import default
from .errors import Error

LOOK_SECONDS = 1

_listener = None
_lock = threading.Lock()


class Listener:
    def __init__(self):
        self.pid = os.getpid()
        self._calls = collections.deque()  # (function, future) that the thread runs.
        self._awake, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        self._futures = collections.defaultdict(list)  # By id.
        self._wanted = set()                           # The same ids.
        self._cluster = None
        threading.Thread(target=self._listen, name="eole-listener", daemon=True).start()

    def ask(self, function):
        """A future of what it returns; it runs in the thread, whose client is default.cluster()."""
        future = concurrent.futures.Future()
        self._calls.append((function, future))
        try:
            os.write(self._wake, b"x")
        except BlockingIOError:
            pass  # It is awake for others.
        return future

    def follow(self, task, future):
        """Of the thread: the task's Result goes to the future."""
        cluster = default.cluster()
        if cluster is not self._cluster:
            self._give_up(Error("the cluster was changed by eole.configure"))
            self._cluster = cluster
        if task not in cluster.expected():
            cluster.listen()  # From before it is looked up, it is not missed.
            result = cluster.result(task)
            if result is not None:
                end(future, result)
                return
            cluster.expect(task)
        self._futures[task].append(future)
        self._wanted.add(task)
        future.add_done_callback(lambda future: self._drop_soon(task, future))

    def _drop_soon(self, task, future):
        """Of any thread: nobody waits for it any more, if it was cancelled."""
        if future.cancelled():
            self.ask(lambda: self._drop(task, future))

    def _drop(self, task, future):
        waiting = self._futures.get(task, [])
        if future in waiting:
            waiting.remove(future)
            if not waiting:
                del self._futures[task]
                self._wanted.discard(task)
                self._cluster.unexpect(task)

    def _listen(self):
        while True:
            try:
                self._wait()
            except Exception as error:  # noqa: BLE001 - every waiter hears it, and the thread goes on
                self._give_up(error)
            os.read(self._awake, 4096) if self._has_calls() else None
            while self._calls:
                function, future = self._calls.popleft()
                if not future.set_running_or_notify_cancel():
                    continue
                try:
                    future.set_result(function())
                except BaseException as error:  # noqa: BLE001 - it is the asker's
                    future.set_exception(error)

    def _has_calls(self):
        return zmq.select([self._awake], [], [], 0)[0]

    def _wait(self):
        if not self._wanted:
            zmq.select([self._awake], [], [])
            return
        for result in self._cluster.take(self._wanted, self._awake, LOOK_SECONDS):
            for future in self._futures.pop(result.id, ()):
                end(future, result)

    def _give_up(self, error):
        futures, self._futures = self._futures, collections.defaultdict(list)
        self._wanted.clear()
        for future in (each for some in futures.values() for each in some):
            end(future, error=error)


def end(future, result=None, error=None):
    """Unless it was cancelled, by whatever thread."""
    if not future.set_running_or_notify_cancel():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)


def listener():
    global _listener
    with _lock:
        if _listener is None or _listener.pid != os.getpid():
            _listener = Listener()
        return _listener


def result_of(task):
    """A future of its Result."""
    found = concurrent.futures.Future()

    def follow():
        try:
            listener().follow(task, found)
        except BaseException as error:  # noqa: BLE001 - it is the waiter's
            end(found, error=error)

    listener().ask(follow)
    return found


async def future_of(handle):
    """Its value, as get() has it."""
    if handle._result is None:
        handle._result = await asyncio.wrap_future(result_of(handle.id))
    return await asyncio.to_thread(handle.get)  # Which may fetch what is large, or ask for what began a failure.


async def all_of(handles):
    return [await each for each in handles]
