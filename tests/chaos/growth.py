"""What must not grow: the disk and the roles' memory under many tasks, the price of a submit after millions whose
answers are kept, what a worker pays for tasks of others."""

import os
import pathlib
import statistics
import subprocess
import threading
import time

import eole.submission
import msgpack
import zmq
from cluster import BIN, SANITIZER, Cluster, wait_until

KEEP_BYTES = 1 << 30
DISK_MAX = KEEP_BYTES * 13 // 10
GROWTH_MAX = 64 << 20  # Of a role's memory, from a fifth of the tasks on.
ANSWER_BYTES = 20  # Of each of the submits that one message answers.
UNDER_WAY_MAX = 256  # Submits.
IDLE_SECONDS = 2
IDLE_WRITTEN_MAX = 1 << 20
SETTLED = 5_000_000
RESTARTED_MAX = 50_000_000  # Of the memory of a role that starts behind them …
RESTART_GROWTH_MAX = 8 << 20  # … and behind fewer, beyond that of one that starts behind none.
SAMPLE = 20_000  # Submits: of as many the median is taken, at the beginning and at the end.
SAMPLES = 5


def status_bytes(pid, name):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) << 10
    raise AssertionError(f"{pid}: no {name}")


def cpu_seconds(pid):
    """Of all threads that it has."""
    threads = pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(path.read_text("ascii").split()[0]) for path in threads) / 1e9


def written_bytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/io").read_text("ascii").splitlines():
        if line.startswith("write_bytes"):
            return int(line.split()[1])
    raise AssertionError(f"{pid}: no write_bytes")


def disk_bytes(directory):
    total = 0
    for path in pathlib.Path(directory).rglob("*"):
        try:
            total += path.lstat().st_blocks * 512
        except FileNotFoundError:  # Just gone.
            pass
    return total


def mib(count):
    return round(count / (1 << 20), 1)


class Watch:
    """The greatest size of a directory, looked at every second."""

    def __init__(self, directory):
        self.most = 0
        self._directory = directory
        self._should_end = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._should_end.wait(1):
            self.most = max(self.most, disk_bytes(self._directory))

    def finish(self):
        self._should_end.set()
        self._thread.join()
        return self.most


def retention(options):
    """Many tasks through a log that keeps a gigabyte: neither the disk nor any role's memory follows their number."""
    tasks = int(options.minutes * 60 * options.rate)
    with Cluster("--keep-bytes", str(KEEP_BYTES), workers=2, slots=1) as cluster:
        pids = {f"{each['role']} {each['name']}" if each["role"] == "worker" else each["role"]: each["pid"]
                for each in cluster.status()["roles"]}
        watch = Watch(cluster.directory)
        memory = []
        start = time.monotonic()
        try:
            for _ in range(10):
                subprocess.run([BIN / "eole", "bench", "throughput", "--tasks", str(tasks // 10), "--ring", "65536",
                                "--rounds", "1", "--json"], env=cluster.env, stdout=subprocess.DEVNULL, check=True)
                memory.append({name: status_bytes(pid, "VmRSS") for name, pid in pids.items()})
        finally:
            disk = watch.finish()
        assert disk <= max(DISK_MAX, 300 << 20), f"{mib(disk)} MiB on disk"
        for name, late in memory[-1].items():
            assert late - memory[1][name] <= GROWTH_MAX, f"{name} has grown: {memory}"
        return {"tasks": tasks, "tasks_a_second": round(tasks / (time.monotonic() - start)), "disk_mib": mib(disk),
                "mib_after_each_tenth": {name: [mib(each[name]) for each in memory] for name in pids}}


def killed(cluster, role):
    """How long a role that was killed takes until a task is done again, and its memory by then."""
    start = time.monotonic()
    old = cluster.kill(role)
    wait_until(lambda: cluster.eole("submit", "echo", "1", "--wait", check=False).returncode == 0, 300, "it serves")
    pid = cluster.pid(role)
    assert pid != old, f"{role}: not started again"
    return time.monotonic() - start, status_bytes(pid, "VmHWM")


def settled(options):
    """Ventilator and sink are killed after many tasks have settled: what they take to start again does not follow their number."""
    tasks = min(SETTLED, int(options.minutes * options.rate * 1000))
    with Cluster(workers=2, slots=1) as cluster:
        most = {role: RESTARTED_MAX if tasks == SETTLED else killed(cluster, role)[1] + RESTART_GROWTH_MAX
                for role in ("ventilator", "sink")}
        subprocess.run([BIN / "eole", "bench", "throughput", "--tasks", str(tasks), "--ring", "65536", "--rounds", "1"],
                       env=cluster.env, stdout=subprocess.DEVNULL, check=True)
        cluster.wait_settled(tasks)
        found = {"tasks": tasks}
        for role, peak_max in most.items():
            seconds, peak = killed(cluster, role)
            found[role] = {"seconds_to_serve": round(seconds, 2), "peak_mib": mib(peak), "peak_max_mib": mib(peak_max)}
            assert SANITIZER or peak <= peak_max, found

        def is_all_settled():
            status = cluster.status()
            return status["settled"] == status["accepted"] >= tasks + 2  # A try may be accepted and not be told so.

        wait_until(is_all_settled, 60, "all that was accepted is settled")
        return found


class Submits:
    """Submits of one task each whose answers must be kept: under a key each, or never confirmed."""

    def __init__(self, cluster, has_keys):
        endpoint = next(line.split("'")[1] for line in open(f"{cluster.directory}/eole/cluster.toml", encoding="utf-8")
                        if line.startswith("ventilator"))
        self._socket = zmq.Context.instance().socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.connect(endpoint)
        maker = eole.submission.Specs("echo", "", False, 0)
        self._task = next(maker.messages(maker.pack([1], 0), 1, 1 << 20))[0]
        self._has_keys = has_keys
        self._run = int.from_bytes(os.urandom(7), "big")
        self._sent = self._answered = 0

    def send(self, count):
        until = self._sent + count
        while self._answered < until:
            while self._sent < until and self._sent - self._answered < UNDER_WAY_MAX:
                self._sent += 1
                key = f"key {self._sent}" if self._has_keys else ""
                confirmed = self._sent - UNDER_WAY_MAX if self._has_keys else 0
                self._socket.send_multipart(
                    [msgpack.packb([1, "submit", self._run, self._sent, max(0, confirmed), key, 1]), self._task])
            assert self._socket.poll(60_000), "no answer"
            head, payload = self._socket.recv_multipart()
            assert msgpack.unpackb(head)[1] == "accepted", head
            self._answered += len(payload) // ANSWER_BYTES

    def close(self):
        self._socket.close()


def median_of_samples(submits, sample, pid):
    """What so many submits take: seconds, and the ventilator's on a processor."""
    seconds, cpu = [], []
    for _ in range(SAMPLES):
        begin, before = time.monotonic(), cpu_seconds(pid)
        submits.send(sample)
        seconds.append(time.monotonic() - begin)
        cpu.append(cpu_seconds(pid) - before)
    return round(statistics.median(seconds), 3), round(statistics.median(cpu), 3)


def requests(options):
    """Submits that are kept for a repeat: the last cost what the first did, and then nothing is written any more."""
    count = int(options.minutes * 60 * options.rate)
    sample = min(SAMPLE, count // 20)
    found = {"submits_each": count}
    for name, has_keys in (("unconfirmed", False), ("keyed", True)):
        with Cluster(workers=2, slots=1) as cluster:
            pid = cluster.pid("ventilator")
            submits = Submits(cluster, has_keys)
            submits.send(sample)  # Warm.
            start = time.monotonic()
            first, first_cpu = median_of_samples(submits, sample, pid)
            submits.send(max(0, count - (2 * SAMPLES + 1) * sample))
            last, last_cpu = median_of_samples(submits, sample, pid)
            seconds = time.monotonic() - start
            submits.close()
            cluster.wait_settled(count, 600)
            written = written_bytes(pid)
            time.sleep(IDLE_SECONDS)
            idle = written_bytes(pid) - written
            found[name] = {"first_seconds": first, "last_seconds": last, "first_cpu_seconds": first_cpu,
                           "last_cpu_seconds": last_cpu, "all_seconds": round(seconds, 1),
                           "journal_mib": mib(cluster.status()["journal_bytes"]), "written_mib": mib(written),
                           "idle_written_mib": mib(idle), "memory_mib": mib(status_bytes(pid, "VmRSS"))}
            assert last_cpu <= 2 * first_cpu and idle <= IDLE_WRITTEN_MAX, found
    return found


def bystander(options):
    """A worker that takes no commands pays nothing for those of another."""
    tasks = int(options.minutes * 60 * options.rate)
    with Cluster("--allow-exec", workers=1, slots=2) as cluster:
        plain = subprocess.Popen([BIN / "worker", "--cluster", f"{cluster.directory}/eole/data/worker.toml",
                                  "--name", "plain"], env=cluster.env, stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: len(cluster.json("workers")) == 2, what="both workers")
            pids = {"plain": plain.pid, "busy": cluster.pid("worker")}
            before = {name: cpu_seconds(pid) for name, pid in pids.items()}
            start = time.monotonic()
            lines = '{"kind":"exec","args":{"argv":["/bin/true"]}}\n' * tasks
            subprocess.run([BIN / "eole", "submit", "--file", "-"], env=cluster.env, input=lines, text=True,
                           stdout=subprocess.DEVNULL, check=True)
            cluster.wait_settled(tasks, 3600)
            seconds = time.monotonic() - start
            cpu = {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}
            begin = cpu_seconds(plain.pid)
            time.sleep(IDLE_SECONDS)
            idle = (cpu_seconds(plain.pid) - begin) * seconds / IDLE_SECONDS
        finally:
            plain.terminate()
            plain.wait(30)
        assert cpu["plain"] <= 2 * idle + cpu["busy"] / 100, (cpu, idle)
        return {"tasks": tasks, "seconds": round(seconds, 1), "plain_cpu_seconds": round(cpu["plain"], 3),
                "plain_cpu_seconds_if_idle": round(idle, 3), "exec_worker_cpu_seconds": round(cpu["busy"], 2)}
