"""A real cluster in a directory of its own, driven through the `eole` command."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

BIN = pathlib.Path(os.environ.get("EOLE_BIN", pathlib.Path(__file__).parents[2] / "build/release/bin"))
PROGRAM = (BIN / "worker").read_bytes()
SANITIZER = "address" if b"__asan_init" in PROGRAM else "thread" if b"__tsan_init" in PROGRAM else None


NOT_YET = (LookupError, ValueError, OSError)  # What a look at something half made raises.


def wait_until(condition, seconds=30, what="condition"):
    """Returns what `condition` gives once it is true; looks again every few milliseconds."""
    until = time.monotonic() + seconds
    last = None
    while time.monotonic() < until:
        try:
            value = condition()
        except NOT_YET as error:
            value, last = None, error
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"not within {seconds} s: {what}") from last


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Cluster:
    """`with Cluster(workers=2) as c:` runs `eole up` and drains it at the end."""

    living = []

    def __init__(self, *arguments, workers=2, slots=2, directory=None, env=None, prefix=(),
                 programs=BIN, cwd=None):
        self.directory = directory or tempfile.mkdtemp(prefix="eole-test-")
        self.owns_directory = directory is None
        self.arguments = ["--workers", str(workers), "--slots", str(slots), *arguments]
        self.workers = workers
        self.programs = programs
        self.env = {**os.environ, "XDG_STATE_HOME": self.directory, **(env or {})}
        self.env.pop("EOLE_CLUSTER", None)
        self.prefix = list(prefix)
        self.cwd = cwd
        self.up = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.tell_complaints()
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind, *_):
        if self in self.living:
            self.living.remove(self)
        if kind is not None and not issubclass(kind, unittest.SkipTest):
            self.tell_complaints()
        try:
            if self.up and self.up.poll() is None:
                for role in self.roles_or_none():
                    try:
                        os.kill(role["pid"], signal.SIGCONT)
                    except ProcessLookupError:
                        pass
                self.stop(kill=kind is not None)
        finally:
            if self.owns_directory and kind is None:
                shutil.rmtree(self.directory, ignore_errors=True)

    def tell_complaints(self):
        """What the roles complained of, last: of a run elsewhere nothing else is left."""
        for path in sorted(pathlib.Path(self.directory).glob("eole/data/logs/*.log")):
            lines = [line for line in path.read_text(errors="replace").splitlines() if " info " not in line and line[:1] != "{"]
            for line in lines[-10:]:
                print(f"{path.name}: {line}", file=sys.stderr)

    def roles_or_none(self):
        try:
            return self.status(timeout=3)["roles"]
        except Exception:  # noqa: BLE001 - only for cleaning up
            return []

    def start(self, until="ready"):
        """What `eole up` says before the line that has `until`."""
        if self not in self.living:
            self.living.append(self)
        self.up = subprocess.Popen([*self.prefix, self.programs / "eole", "up", *self.arguments], env=self.env,
                                   stdout=subprocess.PIPE, text=True, cwd=self.cwd)
        said = ""
        for line in self.up.stdout:
            if until in line:
                return said
            said += line
            if line.startswith("ready"):
                self.stop(kill=True)
                raise AssertionError(f"eole up was ready before it said {until}: {said}")
        raise AssertionError(f"eole up ended before it was {until}: {said}")

    def stop(self, kill=False):
        self.up.send_signal(signal.SIGTERM)
        if kill:
            self.up.send_signal(signal.SIGTERM)
        try:
            code = self.up.wait(30)
        except subprocess.TimeoutExpired:
            self.up.kill()
            raise
        self.up.stdout.close()
        return code

    def eole(self, *arguments, check=True, timeout=120, **options):
        done = subprocess.run([BIN / "eole", *map(str, arguments)], env=self.env, text=True,
                              capture_output=True, timeout=timeout, **options)
        if check and done.returncode != 0:
            raise AssertionError(f"eole {arguments}: exit {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def json(self, *arguments, **options):
        return [json.loads(line) for line in self.eole(*arguments, "--json", **options).stdout.splitlines()]

    def submit(self, tasks, *arguments, **options):
        lines = "".join(json.dumps(task) + "\n" for task in tasks)
        done = self.eole("submit", "--file", "-", *arguments, input=lines, **options)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def status(self, **options):
        return self.json("status", **options)[0]

    def task(self, task_id):
        return self.json("status", task_id)[0]

    def pid(self, name):
        for role in self.status()["roles"]:
            if name in (role["role"], role["name"]):
                return role["pid"]
        return None

    def child(self, program):
        """The process of this program that `eole up` runs, for one that no status tells of."""
        found = wait_until(lambda: subprocess.run(["pgrep", "-P", str(self.up.pid), "-x", program], text=True,
                                                  capture_output=True).stdout, what=f"{program} runs")
        return int(found)

    def kill(self, name, how=signal.SIGKILL):
        pid = self.pid(name)
        os.kill(pid, how)
        return pid

    def wait_settled(self, count, seconds=120):
        wait_until(lambda: self.settled() >= count, seconds, f"{count} tasks settled")

    def settled(self):
        try:
            return self.status(timeout=20)["settled"]
        except AssertionError:  # A role is being started again.
            return -1

    def log(self):
        """The whole log, as `eole watch` reads it."""
        head = wait_until(lambda: self.status()["head"], what="a log")
        return self.json("watch", "--from", 0, "--count", head)


class Telling(unittest.TextTestResult):
    """When a test fails, also what the clusters complained of that run on: of a class, or until a test has cleaned up."""

    def addError(self, test, err):  # noqa: N802 - unittest's names, as below
        self.tell()
        super().addError(test, err)

    def addFailure(self, test, err):  # noqa: N802
        self.tell()
        super().addFailure(test, err)

    def addSubTest(self, test, subtest, err):  # noqa: N802
        if err is not None:
            self.tell()
        super().addSubTest(test, subtest, err)

    @staticmethod
    def tell():
        for cluster in Cluster.living:
            cluster.tell_complaints()


unittest.TextTestRunner.resultclass = Telling
