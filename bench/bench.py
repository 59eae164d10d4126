"""./dev bench: what a local cluster does on this machine. Medians of three rounds, [min-max].

Two no-op workers, tasks of about 100 bytes, everything durable: fdatasync before every answer and
every notification, over the ipc that `eole up` gives.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/integration"))
from cluster import BIN, Cluster, wait_until  # noqa: E402

ROUNDS = 3


def bench(cluster, *arguments):
    env = {**cluster.env, "EOLE_CLUSTER": cluster.directory + "/eole/cluster.toml"}
    done = subprocess.run([BIN / "eole-bench", *map(str, arguments)], env=env, capture_output=True, text=True,
                          timeout=300, check=True)
    return json.loads(done.stdout)


def resident_bytes(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1000 for line in status if line.startswith("VmRSS"))


def throughput(count, batch, window):
    def once():
        with Cluster(workers=2, slots=1) as cluster:
            return bench(cluster, "throughput", count, batch, window)["tasks_per_second"]
    return once


def lone():
    with Cluster(workers=2, slots=1) as cluster:
        return bench(cluster, "lone", 3000)["p50_us"]


def prefetch_one():
    with Cluster("--prefetch", "1", workers=2, slots=1) as cluster:
        return bench(cluster, "throughput", 30_000, 256, 64)["tasks_per_second"]


def commands():
    with Cluster("--allow-exec", workers=1, slots=2) as cluster:
        count = 4000
        lines = '{"kind":"exec","args":{"argv":["/bin/true"]}}\n' * count
        start = time.monotonic()
        cluster.eole("submit", "--file", "-", "--wait", input=lines)
        return count / (time.monotonic() - start)


def redelivery():
    """Milliseconds from SIGKILL of the holder until another worker has the task."""
    with Cluster("--prefetch", "1", workers=2, slots=1) as cluster:
        task = cluster.submit([{"kind": "sleep", "args": {"seconds": 20}}])[0]["id"]
        holder = wait_until(lambda: cluster.task(task).get("worker"))
        watch = subprocess.Popen([BIN / "eole", "watch", "--progress", "--json"], env=cluster.env,
                                 stdout=subprocess.PIPE, text=True)
        watch.stdout.readline()  # Progress of the first attempt: it hears.
        cluster.kill(holder)
        start = time.monotonic()
        wait_until(lambda: cluster.task(task).get("attempt") == 2)
        took = (time.monotonic() - start) * 1000
        watch.kill()
        watch.wait()
        cluster.eole("cancel", task)
        return took


def fill():
    """Bytes of memory for each of a million queued tasks."""
    with Cluster(workers=0) as cluster:
        before = resident_bytes(cluster.pid("ventilator"))
        bench(cluster, "fill", 1_000_000)
        return (resident_bytes(cluster.pid("ventilator")) - before) / 1_000_000


MEASURES = [
    ("throughput, 256 tasks a message", "tasks/s", throughput(1_000_000, 256, 64)),
    ("throughput, one task a message", "tasks/s", throughput(200_000, 1, 4096)),
    ("prefetch 1", "tasks/s", prefetch_one),
    ("one at a time, submit to notification, p50", "us", lone),
    ("exec of /bin/true, two slots", "commands/s", commands),
    ("SIGKILL until the next attempt (grace 250 ms)", "ms", redelivery),
    ("memory per queued task, at a million", "bytes", fill),
]


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--only", default="", help="measures whose name contains this")
    options = parser.parse_args()
    chosen = [measure for measure in MEASURES if options.only in measure[0]]
    if not options.json:
        print(f"{'what':<48}{'median':>12}   [min-max], {ROUNDS} rounds")
    for name, unit, run in chosen:
        values = [run() for _ in range(ROUNDS)]
        if options.json:
            print(json.dumps({"what": name, "unit": unit, "median": statistics.median(values), "values": values}))
        else:
            print(f"{name:<48}{statistics.median(values):>12,.0f} {unit} [{min(values):,.0f}-{max(values):,.0f}]",
                  flush=True)


if __name__ == "__main__":
    main()
