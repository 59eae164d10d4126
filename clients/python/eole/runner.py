"""python3 -m eole.runner MODULE [MODULE…]: runs the tasks of these modules for a worker (docs/runners.md).

A worker starts it: worker --runner 'python3 -m eole.runner shop.tasks'.
"""

import collections
import importlib
import os
import signal
import socket
import sys
import threading

from . import frames
from .errors import BadTask, NotFound, WrongProcess
from .running import FORKED, End, Forked, Stopped, current, execute, failed
from .tasks import tasks_of
from .worker_run import Output, WorkerRun

AHEAD = 256
RECV_BYTES = 1 << 18


class Runner:
    """Answers a worker's frames until its socket closes."""

    def __init__(self, sock, tasks):
        self._socket, self._tasks = sock, tasks
        self._reader = frames.Reader()
        self._waiting = collections.deque()
        self._held = []                    # Said, and not sent.
        self._lock = threading.Lock()      # A task's threads may print …
        self._receiving = threading.Lock() # … and look whether it is cancelled.
        self.cancelled, self._fetched, self._ended = set(), {}, 0
        self.is_forked = self._is_stopping = False
        self._is_idle = self._is_within = False
        self._sender = 0  # The thread that is at it.

    def serve(self):
        self._hello()
        while True:
            self.flush()
            self._is_idle = True
            self._receive()
            self._is_idle = False
            while self._waiting:
                self._answer(*self._waiting.popleft())
                self.flush()  # Before the next begins, which may kill this process: what has ended is not its victim.
                if self._is_stopping:
                    return

    def _hello(self):
        self.say(frames.HELLO, frames.VERSION, AHEAD, len(self._tasks))
        for name, task in self._tasks.items():
            self._hold(frames.encode_list(frames.KIND, name, task.about, items=task.parameters()))

    def _answer(self, kind, fields):
        if kind == frames.RUN:
            self._run(*fields[:8])
        elif kind == frames.PING:
            self.say(frames.PONG, fields[0])

    def _run(self, number, id, attempt, kind, raw, directory, project, traceparent):  # noqa: A002
        if number in self.cancelled:
            end = End(False, b"", (), "cancelled before it began")
        elif kind not in self._tasks:
            end = failed(NotFound(f"kind {kind}: is not offered here"))
        else:
            run = WorkerRun(self, number, id, attempt, kind, directory, project, traceparent)
            self._is_within = True
            try:
                end = execute(self._tasks[kind].function, run, run, raw)
            except Stopped:  # It came when the task was just over.
                end = End(False, b"", (), "cancelled")
            finally:
                self._is_within = False
            if self.is_forked:
                os._exit(0)  # A child of the task came back here: the run is its parent's.
            run.finish()
        self._ended = number
        self.cancelled.discard(number)
        if end.is_done:
            self.say(frames.DONE, number, end.value, len(end.files), *end.files)
        else:
            self.say(frames.FAILED, number, end.error, end.value, end.cause, end.retry_after_ms)

    def fetch(self, run, sha256, name):
        """An artifact as a file in the run's directory: not under its own name, which the task may give to another."""
        prefix = "in-"
        while os.path.lexists(path := os.path.join(run.directory, prefix + name)):
            prefix += "in-"
        name = prefix + name
        self.say(frames.FETCH, run.number, sha256, name)
        self.flush()
        while (run.number, name) not in self._fetched:
            self._receive()
        if error := self._fetched.pop((run.number, name)):
            raise NotFound(f"file {name}: {error}")
        return path

    def look(self):
        """Takes what has come meanwhile, without waiting; nothing if another thread is at it."""
        if not self._receiving.acquire(blocking=False):
            return
        try:
            self._take(socket.MSG_DONTWAIT)
        except BlockingIOError:
            pass
        finally:
            self._receiving.release()

    def _receive(self):
        with self._receiving:
            self._take()

    def _take(self, flags=0):
        try:
            piece = self._socket.recv(RECV_BYTES, flags)
        except ConnectionResetError:
            piece = b""
        if not piece:
            os._exit(0)  # The worker is gone, or wants this gone: whatever a task is at.
        for kind, fields in self._reader.add(piece):
            if kind == frames.CANCEL:
                if fields[0] > self._ended:
                    self.cancelled.add(fields[0])
            elif kind == frames.FETCHED:
                self._fetched[fields[0], fields[1]] = fields[2]
            else:
                self._waiting.append((kind, fields))

    def say(self, kind, *fields):
        self._hold(frames.encode(kind, *fields))

    def _hold(self, frame):
        if self.is_forked:
            raise WrongProcess(FORKED)
        with self._lock:
            self._held.append(frame)

    def flush(self):
        with self._lock:
            held, self._held = self._held, []
            if held:
                self._sender = threading.get_ident()
                try:
                    self._socket.sendall(b"".join(held))
                except (BrokenPipeError, ConnectionResetError):
                    os._exit(0)
                finally:
                    self._sender = 0
        if self._is_stopping and self._is_within and threading.current_thread() is threading.main_thread():
            raise Stopped

    def on_terminate(self, *_):
        """Told to end after its grace: the task hears it, and the process ends with it."""
        self._is_stopping = True
        if self._is_idle:
            os._exit(0)
        if self._is_within and self._sender != threading.get_ident():  # Else once what it sends is whole.
            raise Stopped

    def on_forked(self):
        self.is_forked = True
        self._socket.close()
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
        current.run = Forked()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def main(modules):
    if not modules or modules[0].startswith("-"):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    fd = int(os.environ.get("EOLE_RUNNER_FD", "3"))
    try:
        sock = socket.socket(fileno=fd)
    except OSError:
        print(f"eole.runner: no socket at descriptor {fd}: a worker starts this, by worker --runner; what stands between, "
              "as sudo, must hand it on", file=sys.stderr)
        return 2
    os.set_inheritable(fd, False)
    sys.stdout, sys.stderr = Output(1, sys.stdout), Output(2, sys.stderr)
    for module in modules:
        importlib.import_module(module)
    try:
        runner = Runner(sock, tasks_of(modules))
    except BadTask as error:
        print(f"eole.runner: {error}", file=sys.stderr)
        return 2
    os.register_at_fork(after_in_child=runner.on_forked)
    signal.signal(signal.SIGTERM, runner.on_terminate)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the worker's.
    runner.serve()
    return 0


if __name__ == "__main__":
    # Under its own name, since tasks import it, too.
    sys.exit(importlib.import_module("eole.runner").main(sys.argv[1:]))
