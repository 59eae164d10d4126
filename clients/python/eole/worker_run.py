"""A run that a worker asked for, and what it prints."""

import concurrent.futures
import hashlib
import os
import shutil
import threading
import time

from . import files, frames
from .errors import Error
from .running import Run, current

PROGRESS_SECONDS = 0.05
OUTPUT_BYTES = 1 << 16  # In one frame.


class WorkerRun(Run):
    """A run that a worker asked for; it is its store of files, too."""

    def __init__(self, runner, number, id, attempt, kind, directory, project, traceparent):  # noqa: A002
        self._runner, self.number, self._directory = runner, number, directory
        self.id, self.attempt, self.kind, self.project, self.traceparent = id, attempt, kind, project, traceparent
        self._names, self._told = [], 0.0
        self._lines = {}  # By stream, what was printed and not said …
        self._printing = threading.RLock()  # … by whatever thread; also by an object that goes meanwhile.

    @property
    def directory(self):
        os.makedirs(self._directory, 0o700, exist_ok=True)
        return self._directory

    @property
    def is_cancelled(self):
        self._runner.look()
        return self.number in self._runner.cancelled

    def progress(self, done, total, text):
        now = time.monotonic()
        if now < self._told + PROGRESS_SECONDS and done != total:
            return
        self._told = now
        self._runner.say(frames.PROGRESS, self.number, max(0, int(done)), max(0, int(total)), str(text))
        self._runner.flush()

    def log(self, text):
        self.output(2, (text + "\n").encode(errors="backslashreplace"))

    def output(self, stream, raw):
        """A line at a time, as far as there are lines."""
        with self._printing:
            raw = self._lines.pop(stream, b"") + raw
            if not raw.endswith(b"\n") and len(raw) < OUTPUT_BYTES:
                self._lines[stream] = raw
                return
            for at in range(0, len(raw), OUTPUT_BYTES):
                self._runner.say(frames.OUTPUT, self.number, stream, raw[at:at + OUTPUT_BYTES])
        self._runner.flush()

    def finish(self):
        """What was printed without the end of a line."""
        with self._printing:
            for stream, raw in self._lines.items():
                self._runner.say(frames.OUTPUT, self.number, stream, raw)

    # As a store.

    def names(self):
        return self._names

    def put(self, path, name):
        """A file of the result: in the run's directory, if it is not there already."""
        path = os.path.abspath(path)
        if name in self._names:
            raise Error(f"two files of the name {name} in one result")
        there = os.path.join(self.directory, name)
        if path != there:
            shutil.copyfile(path, there)
        digest = files.digest_of(there)
        self._names.append(name)
        return digest

    def write(self, pieces):
        name, digest = f"value-{len(self._names)}", hashlib.sha256()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            hashed = pool.submit(lambda: [digest.update(piece) for piece in pieces])
            # Beside the writing: either leaves the interpreter to the other.
            with open(os.path.join(self.directory, name), "xb") as file:
                for piece in pieces:
                    file.write(piece)
            hashed.result()
        self._names.append(name)
        return digest.hexdigest()

    def take(self, sha256, name):
        return self._runner.fetch(self, sha256, name)

    def read(self, sha256):
        path = self.take(sha256, f"argument-{sha256[:16]}")
        raw = files.mapped(path)
        os.unlink(path)
        return raw


class Output:
    """Standard output or error as a task's output; what is printed outside of a run goes where it went."""

    encoding, errors = "utf-8", "backslashreplace"

    def __init__(self, stream, outside):
        self._stream, self._outside = stream, outside
        self.buffer = self

    def write(self, text):
        run = current.run
        if not isinstance(run, WorkerRun):
            return self._outside.write(text if isinstance(text, str) else bytes(text).decode(errors="replace"))
        run.output(self._stream, text.encode(errors="backslashreplace") if isinstance(text, str) else bytes(text))
        return len(text)

    def flush(self):
        self._outside.flush()

    def isatty(self):
        return False

    def fileno(self):
        return self._outside.fileno()

    def writelines(self, lines):
        for line in lines:
            self.write(line)
