"""What every scenario has: a load and its records, the roles' processes, somebody who kills them, the check."""

import json
import os
import pathlib
import signal
import subprocess
import time

from cluster import BIN

PATIENCE = 180  # Seconds that anything may take: a fault lasts for ever, a loaded machine does not.


class Skipped(Exception):
    """What a scenario needs is not to be had here."""


class Client:
    """A load and a subscriber, each with its file."""

    def __init__(self, cluster, rate, seconds):
        self.accepted = f"{cluster.directory}/accepted"
        self.results = f"{cluster.directory}/results"
        self.count = int(rate * seconds)
        self.load = self.run(cluster, "load", rate, seconds, self.accepted)

    @staticmethod
    def run(cluster, *arguments):
        return subprocess.Popen([BIN / "eole-chaos", *map(str, arguments)], env=cluster.env,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def finish(self, cluster, patience=PATIENCE):
        """Waits for the load, then reads the whole log as a subscriber; what the load says."""
        said = json.loads(self.load.communicate(timeout=self.count / 100 + patience)[0])
        cluster.wait_settled(said["accepted"], patience)
        reader = self.run(cluster, "read", cluster.status()["settled"], self.results)
        reader.communicate(timeout=patience)
        if reader.returncode != 0:
            raise AssertionError("the subscriber missed something")
        return said


def check(cluster, client, must_settle=True):
    """Compares the stopped cluster's files with the clients' records."""
    done = subprocess.run([BIN / "eole-chaos", "check", f"{cluster.directory}/eole/data", client.accepted,
                           client.results], capture_output=True, text=True)
    found = json.loads(done.stdout)
    if done.returncode != 0 or (must_settle and found["pending"]):
        raise AssertionError(f"{cluster.directory}: {done.stdout}{done.stderr}")
    return found


def pids(cluster):
    """Name -> pid of the roles, from the system: the roles themselves may be down."""
    found = {}
    for pid in subprocess.run(["pgrep", "-P", str(cluster.up.pid)], capture_output=True,
                              text=True).stdout.split():
        try:
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        name = pathlib.Path(words[0]).name
        if name == "worker":
            name = words[words.index("--name") + 1]
        if name in ("ventilator", "sink") or name.startswith("w"):
            found[name] = int(pid)
    return found


class Killer:
    """SIGKILLs a random role every so often, and now and then stops one for a while."""

    def __init__(self, cluster, random_):
        self.cluster = cluster
        self.random = random_
        self.faults = []  # (when, what): monotonic seconds
        self.asleep = {}  # pid -> (name, until when)

    def run(self, until, every=1.9):
        while (now := time.monotonic()) < until:
            for pid, (name, when) in list(self.asleep.items()):
                if now >= when:
                    del self.asleep[pid]
                    wake(pid)
                    self.note("wake", name)
            running = pids(self.cluster)
            if running:
                try:
                    self.hurt(running)
                except ProcessLookupError:
                    pass
            time.sleep(every)
        for pid in self.asleep:
            wake(pid)

    def hurt(self, running):
        if self.random.random() < 0.2:
            name = self.random.choice(sorted(running))
            os.kill(running[name], signal.SIGSTOP)
            self.asleep[running[name]] = name, time.monotonic() + self.random.uniform(0.5, 6)
            self.note("stop", name)
        name = self.random.choice(sorted(running))
        os.kill(running[name], signal.SIGKILL)
        self.note("kill", name)

    def note(self, what, name):
        self.faults.append((time.monotonic(), f"{what} {name}"))

    def count(self, what):
        return sum(fault.startswith(what) for _, fault in self.faults)

    def during(self, start, end):
        """What was done to ventilator or sink then: \"+0.4 kill sink\"."""
        return [f"{when - start:+.1f} {fault}" for when, fault in self.faults
                if start - 1 <= when <= end and not fault.split()[1].startswith("w")]


def wake(pid):
    try:
        os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        pass


def runs_again(task):
    return task.get("worker") and task.get("attempt", 1) > 1


def read(path):
    return path.read_text(errors="replace") if path.exists() else ""
