"""Scenarios: networks, clocks and limits are not as one would wish, and neither are other people's servers."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time

import disks
import proxy
import sources
from cluster import BIN, SANITIZER, Cluster, wait_until
from rig import PATIENCE, Client, Skipped, check, pids, runs_again, wake


def network(options):
    """Connections of a client are cut, delayed, truncated and half-closed by a proxy."""
    seconds = min(60, options.minutes * 60)
    with Cluster("--listen", "127.0.0.1", workers=2) as cluster:
        with proxy.Proxy(cluster, options.random.random()) as between:
            cluster.env["EOLE_CLUSTER"] = between.cluster_file
            client = Client(cluster, options.rate / 5, seconds)
            client.finish(cluster)
        cluster.stop()
        return {"cuts": between.cuts, **check(cluster, client)}


def files(options):
    """100 file descriptors, and a hundred silent connections to the cluster's port."""
    seconds = min(20, options.minutes * 20)
    with Cluster("--listen", "127.0.0.1", workers=2,
                 prefix=["prlimit", "--nofile=100:100"]) as cluster:
        ports = proxy.endpoints(f"{cluster.directory}/eole/cluster.toml")
        silent = proxy.silent_connections(list(ports.values()), 100)
        client = Client(cluster, options.rate / 10, seconds)
        said = client.finish(cluster)
        for connection in silent:
            connection.close()
        cluster.stop()
        return {"silent": len(silent), "longest_gap_s": said["longest_gap_s"],
                **check(cluster, client)}


def clock(options):
    """The wall clock jumps by hours, back and forth, under all roles."""
    library = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    if library is None:
        raise Skipped("needs faketime")
    if SANITIZER:
        raise Skipped("faketime and a sanitizer do not share a process")
    seconds = min(60, options.minutes * 60)
    with tempfile.NamedTemporaryFile("w", suffix=".time") as setting:
        def jump(hours):
            pathlib.Path(setting.name).write_text(f"{hours:+d}h\n", encoding="ascii")
        jump(0)
        env = {"LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": setting.name,
               "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        with Cluster(workers=2, env=env) as cluster:
            for name in env:
                cluster.env.pop(name)
            client = Client(cluster, options.rate / 5, seconds)
            until = time.monotonic() + seconds
            jumps = 0
            while time.monotonic() < until:
                jump(options.random.randint(-90000, 90000))
                jumps += 1
                time.sleep(0.5)
            client.finish(cluster)
            jump(0)
            task = cluster.submit([{"kind": "sleep", "args": {"seconds": 2}}])[0]["id"]
            holder = wait_until(lambda: cluster.task(task).get("worker"), what="it runs")
            jump(-48)  # Its lease must not last two days longer now.
            hung = cluster.pid(holder)
            os.kill(hung, signal.SIGSTOP)
            try:
                wait_until(lambda: runs_again(cluster.task(task)), PATIENCE, "a hung worker's task moves")
            finally:
                wake(hung)
            wait_until(lambda: cluster.task(task)["state"] == "done", what="done")
            cluster.stop()
            found = check(cluster, client)
            if found["redelivered"] > 1:  # That one.
                raise AssertionError(f"a clock jump cost leases: {found}")
            return {"jumps": jumps, **found}


def namespaces(options):
    """Loss and one-way partitions on the wire of a worker in a network of its own."""
    seconds = min(60, options.minutes * 60)
    with disks.Namespace() as space:
        with Cluster("--listen", space.here, workers=1) as cluster:
            cluster.eole("join", "--role", "work", "-o", f"{cluster.directory}/work.toml")
            worker = subprocess.Popen(
                [*space.within, BIN / "worker", "--cluster", f"{cluster.directory}/work.toml",
                 "--name", "far", "--data", f"{cluster.directory}/far"], stderr=subprocess.DEVNULL)
            try:
                client = Client(cluster, options.rate / 10, seconds)
                until = time.monotonic() + seconds
                faults = 0
                while time.monotonic() < until:
                    space.rule(options.random.choice([
                        "ip saddr {there} numgen random mod 100 < 30 drop", "ip saddr {there} drop",
                        "ip daddr {there} drop", "ip saddr {there} tcp flags ack reject with tcp reset"]))
                    faults += 1
                    time.sleep(options.random.uniform(1, 5))
                    space.rule(None)
                    time.sleep(1)
                client.finish(cluster)
            finally:
                worker.kill()
                worker.wait()
            cluster.stop()
            return {"faults": faults, **check(cluster, client)}


def downloads(options):
    """Downloads from sources that answer as they like: done only with every byte of one version."""
    workers, slots = 2, 8
    seed = options.random.randrange(1 << 32)
    wanted = options.answers or int(options.minutes * 300)
    with sources.Server(seed, workers * slots) as server, Cluster(workers=workers, slots=slots) as cluster:
        cluster.eole("status", "--until-workers", workers)
        before = pids(cluster)
        ends = {"done": 0, "failed": 0, "dead": 0}
        asked = 0
        while server.answers() < wanted:
            numbers = range(asked, asked + 64)
            asked += 64
            results = cluster.submit([hostile_task(server, number, options.random) for number in numbers], "--wait",
                                     check=False, timeout=600)
            for number, result in zip(numbers, results):
                ends[result["state"]] += 1
                if result["state"] == "done" and result["artifact"]["sha256"] not in server.source(number).digests():
                    raise AssertionError(f"source {number} of {seed}: done with bytes of no version: {result}")
                if "hunter2" in json.dumps(result):
                    raise AssertionError(f"source {number} of {seed}: a password is told: {result}")
        # Every slot still works: all of them at once, or none of these ends.
        together = [{"kind": "download", "args": {"url": f"{server.url}/together", "timeout": 50, "retries": 0}}]
        states = {result["state"] for result in cluster.submit(together * workers * slots, "--wait", check=False)}
        if states != {"done"} or pids(cluster) != before:
            raise AssertionError(f"seed {seed}: a slot or a worker was lost: {states}, {before}, {pids(cluster)}")
        return {"answers": server.answers(), **ends, "wrong": 0, "workers_lost": 0, "slots_lost": 0}


def hostile_task(server, number, random_):
    args = {"url": f"{server.url}/{number}", "retries": 4, "timeout": 20, "low_speed_bytes": 1000,
            "low_speed_seconds": 2}
    if random_.random() < 0.2:
        args["sha256"] = random_.choice(sorted(server.source(number).digests()))
    return {"kind": "download", "args": args, "retry": random_.random() < 0.3, "attempts": 2}
