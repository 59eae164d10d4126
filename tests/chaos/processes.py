"""Scenarios: roles are killed, stopped and busy."""

import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

import eole
import file_server
from cluster import BIN, Cluster, wait_until
from rig import PATIENCE, Client, Killer, check, read, runs_again, wake


def storm(options):
    """SIGKILL every 2 s and SIGSTOP, of any role, under load."""
    seconds = options.minutes * 60
    with Cluster(workers=3, slots=2) as cluster:
        client = Client(cluster, options.rate, seconds)
        killer = Killer(cluster, options.random)
        killer.run(time.monotonic() + seconds)
        said = client.finish(cluster)
        cluster.stop()
        gap, end = said["longest_gap_s"], said["longest_gap_end_s"]
        return {"kills": killer.count("kill"), "stops": killer.count("stop"), "longest_gap_s": gap,
                "during_it": killer.during(end - gap, end), "slowest_disk_ms": slowest_disk(cluster),
                **check(cluster, client)}


def slowest_disk(cluster):
    """Milliseconds of the longest wait for the disk that a role warned of; zero: none over a second."""
    logs = pathlib.Path(cluster.directory, "eole/data/logs").glob("*.log")
    return max((int(number) for log in logs for number in re.findall(r"the disk took (\d+) ms", read(log))), default=0)


def restart(options):
    """A ventilator with a million records in its journal is killed: when does it serve again?"""
    with Cluster("--data", tempfile.mkdtemp(), workers=0) as cluster:
        count = min(1_000_000, options.rate * 200)
        subprocess.run([BIN / "eole", "bench", "fill", "--tasks", str(count), "--rounds", "1"], env=cluster.env, check=True,
                       capture_output=True)
        times = []
        for _ in range(3):
            cluster.kill("ventilator")
            start = time.monotonic()
            wait_until(lambda: cluster.eole("status", "--json", check=False).returncode == 0)
            times.append(round(time.monotonic() - start, 3))
        assert cluster.status()["queued"] == count
        return {"queued": count, "seconds_to_serve": times}


def redelivery(options):
    """How soon a task runs elsewhere after its worker was killed, and after it hung."""
    took = {signal.SIGKILL: [], signal.SIGSTOP: []}
    with Cluster(workers=2, slots=1) as cluster:
        cluster.eole("status", "--until-workers", "2")
        for how, times in took.items():
            for _ in range(max(2, min(20, int(options.minutes * 5)))):
                task = cluster.submit([{"kind": "sleep", "args": {"seconds": 2}}])[0]["id"]
                first = wait_until(lambda: cluster.task(task).get("worker"), what="it runs")
                pid = cluster.pid(first)
                os.kill(pid, how)
                start = time.monotonic()
                wait_until(lambda: runs_again(cluster.task(task)), PATIENCE, "it runs again")
                times.append(time.monotonic() - start)
                wake(pid)
                wait_until(lambda: cluster.task(task)["state"] == "done", what="done")
                cluster.eole("status", "--until-workers", "2")
    killed, hung = (max(times) for times in took.values())
    return {"killed_s": round(killed, 3), "hung_s": round(hung, 3)}


def busy(options):
    """No lease may expire because its worker is busy: load, and downloads that become artifacts of 64 MiB."""
    until = time.monotonic() + options.minutes * 60
    with tempfile.TemporaryDirectory() as files, Cluster(workers=2, slots=2) as cluster:
        server = file_server.serve(files)
        client = Client(cluster, options.rate, options.minutes * 60)
        tasks = []
        with eole.Cluster(f"{cluster.directory}/eole/cluster.toml") as downloads:
            while time.monotonic() < until:
                name = f"{files}/{len(tasks)}"
                with open(name, "wb") as file:
                    for _ in range(64):
                        file.write(os.urandom(1 << 20))
                tasks += downloads.submit("download", {"url": f"{server.url}/{len(tasks)}"})
                if len(tasks) > 30:  # Fetched long ago, also on a busy machine.
                    os.unlink(f"{files}/{len(tasks) - 31}")
                time.sleep(5)
            ends = [(result.state, result.attempt) for result in downloads.results(tasks, timeout=120)]
        server.shutdown()
        client.finish(cluster)
        cluster.stop()
        found = check(cluster, client, must_settle=False)
        if found["redelivered"] or ends.count(("done", 1)) < len(tasks):
            raise AssertionError(f"{cluster.directory}: {found}, downloads {set(ends)}")
        return {"artifacts": len(tasks), **found}
