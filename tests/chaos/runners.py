"""Kinds in Python among those of C++ while roles, workers and the runners below them are killed."""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time

import eole
from cluster import Cluster, wait_until
from rig import PATIENCE, Client, Killer, check, pids

HERE = pathlib.Path(__file__).parent
WORKERS, SLOTS = 3, 2
BATCH = 100


class Doubles:
    """Submits Python tasks until it is told to end."""

    def __init__(self, cluster):
        self._path = f"{cluster.directory}/eole/cluster.toml"
        self._should_end = threading.Event()
        self._error = None
        self.tasks = {}  # Id -> its number.
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        try:
            with eole.Cluster(self._path, patience=120) as client:
                while not self._should_end.is_set():
                    numbers = range(len(self.tasks), len(self.tasks) + BATCH)
                    tasks = [{"kind": "runner_tasks.twice", "args": {"number": n}} for n in numbers]
                    self.tasks.update(zip(client.submit(tasks, attempts=255), numbers))
                    time.sleep(0.1)  # The load is the other client's.
        except Exception as error:  # noqa: BLE001 - told by finish()
            self._error = error

    def finish(self):
        self._should_end.set()
        self._thread.join()
        if self._error is not None:
            raise self._error


class RunnerKiller(Killer):
    """Kills and stops processes of runners, too, more often than roles."""

    def hurt(self, running):
        found = [pid for name, worker in running.items() if name.startswith("w") for pid in runners_of(worker)]
        if not found or self.random.random() < 0.4:
            super().hurt(running)
            return
        how = self.random.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGSTOP])
        os.kill(self.random.choice(found), how)  # A stopped one is not woken: it is for its worker to replace.
        self.note("stop" if how == signal.SIGSTOP else "kill", "a runner")


def runners_of(worker):
    children = subprocess.run(["pgrep", "-P", str(worker), "-f", "eole.runner"], capture_output=True, text=True)
    return [int(pid) for pid in children.stdout.split()]


def compare(doubles, records):
    ends = {}
    for record in records:
        if record.is_final and record.id in doubles.tasks:
            assert record.id not in ends, f"{record.id} ended twice"
            assert record.state == "done", f"{record.id}: {record.state}: {record.error}"
            assert record.value == 2 * doubles.tasks[record.id], f"{record.id}: {record.value}"
            ends[record.id] = record
    assert len(ends) == len(doubles.tasks), f"{len(doubles.tasks) - len(ends)} tasks have no end"
    return sum(record.attempt > 1 for record in ends.values())


def every_slot_works(client):
    """As many tasks as a worker has slots can only meet if each slot has one that it runs."""
    for worker in range(1, WORKERS + 1):
        with tempfile.TemporaryDirectory(prefix="eole-chaos-") as directory:
            tasks = [{"kind": "runner_tasks.meet", "pin": f"w{worker}",
                      "args": {"directory": directory, "name": str(n), "count": SLOTS, "seconds": PATIENCE}}
                     for n in range(SLOTS)]
            # A time limit: without one a slot may be given both, as it was given many of the short ones before.
            ends = list(client.results(client.submit(tasks, attempts=255, timeout=2 * PATIENCE), timeout=2 * PATIENCE))
            assert all(end.state == "done" for end in ends), [end.error for end in ends]


def runners(options):
    """Worker, runner, ventilator and sink are killed under a load of both: nothing lost, nothing twice, no slot dead."""
    seconds = options.minutes * 60
    env = {"PYTHONPATH": f"{HERE.parents[1] / 'clients/python'}:{HERE}"}
    with Cluster("--runner", f"{sys.executable} -m eole.runner runner_tasks", workers=WORKERS, slots=SLOTS,
                 env=env) as cluster:
        client = Client(cluster, min(options.rate, 500), seconds)
        doubles = Doubles(cluster)
        killer = RunnerKiller(cluster, options.random)
        killer.run(time.monotonic() + seconds, every=0.7)
        doubles.finish()
        said = client.finish(cluster)
        cluster.wait_settled(said["accepted"] + len(doubles.tasks), PATIENCE)  # Then nothing is in a slot any more.
        wait_until(lambda: len(pids(cluster)) == WORKERS + 2, PATIENCE, "all roles are there")
        with eole.Cluster(f"{cluster.directory}/eole/cluster.toml", patience=120) as reader:
            every_slot_works(reader)
            head, records = cluster.status()["head"], []
            for record in reader.results(offset=0, timeout=PATIENCE):
                records.append(record)
                if record.offset + 1 >= head:
                    break
        cluster.stop()
        again = compare(doubles, records)
        return {"python_tasks": len(doubles.tasks), "attempts_again": again, "kills": killer.count("kill"),
                "runners_hurt": sum("runner" in what for _, what in killer.faults), **check(cluster, client, False)}
