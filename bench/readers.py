"""./dev bench groups: groups that read the log, beside NATS JetStream and Redis streams.

Each round fills every system and reads it, one after the other, so what is compared was measured within seconds.
Records of 100 bytes, in the page cache; a group is one member in a thread of one process, C and C++ everywhere, and
commits what it read. NATS: a stream in files, durable pull consumers, 4,096 records a fetch, one acknowledgement for
all of them. Redis: XREADGROUP of 4,096, their XACK in one command together with the next request.
"""

import contextlib
import functools
import json
import os
import statistics
import subprocess
import tempfile
import time

from bench import BIN, Cluster, bench, cpu_seconds, run, tool  # It finds the client.
from servers import build, end_on_sigterm, install, nats, redis

import eole
from eole.connection import read_cluster_file

ROUNDS = 3
GROUPS = 10
PACKAGES = ["redis-server", "libhiredis-dev", "nats-server", "libnats-dev"]
RECORDS = {"eole": 1_000_000, "redis": 100_000, "nats": 100_000}


def file_of(cluster):
    return cluster.directory + "/eole/cluster.toml"


def rate(said):
    return said["records"] / said["seconds"]


def eole_reads():
    with Cluster(workers=2, slots=1) as cluster:
        count = RECORDS["eole"]
        bench(cluster, "throughput", tasks=count)
        one = tool("eole-bench-groups", file_of(cluster), 1, count)
        many = tool("eole-bench-groups", file_of(cluster), GROUPS, count)
        return rate(one), rate(many)


def peer_reads(name, server):
    with server:
        env = {"PEER_PORT": str(server.port)}
        tool("eole-bench-readers", name, "fill", RECORDS[name], env=env)
        return [rate(tool("eole-bench-readers", name, "read", groups, count, env=env))
                for groups, count in ((1, RECORDS[name]), (GROUPS, RECORDS[name] // 5))]


READERS = {
    "Eole": eole_reads,
    "NATS JetStream, files": lambda: peer_reads("nats", nats()),
    "Redis streams, appendfsync always": lambda: peer_reads("redis", redis("--appendonly", "yes", "--appendfsync", "always")),
    "Redis streams, no file": lambda: peer_reads("redis", redis("--appendonly", "no")),
}


@functools.cache
def reads():
    """For each system what one group and ten groups read a second, in each round."""
    found = {name: [] for name in READERS}
    for _ in range(ROUNDS):
        for name, read in READERS.items():
            found[name].append(read())
    return found


def of(name, which):
    return lambda: [each[which] for each in reads()[name]]


def times_of(name, which):
    return lambda: [ours[which] / theirs[which] for ours, theirs in zip(reads()["Eole"], reads()[name])]


@functools.cache
def commits():
    """Microseconds, in turns on one cluster: a commit, a lone task, and a bare fdatasync of a page."""
    found = []
    with Cluster(workers=2, slots=1) as cluster:
        bench(cluster, "throughput", tasks=100_000)
        for _ in range(ROUNDS):
            commit = tool("eole-bench-groups", file_of(cluster), 1, 100_000)["commit_us"]
            found.append((commit, bench(cluster, "latency", tasks=200)["p50_us"], bare_sync()))
    return found


def bare_sync():
    """Microseconds of writing a page of a file that has its size, and its fdatasync."""
    times, page = [], bytes(4096)
    with tempfile.TemporaryFile() as file:
        os.posix_fallocate(file.fileno(), 0, 4096 * 300)
        os.pwrite(file.fileno(), bytes(4096 * 300), 0)
        os.fsync(file.fileno())
        for place in range(300):
            start = time.monotonic()
            os.pwrite(file.fileno(), page, 4096 * place)
            os.fdatasync(file.fileno())
            times.append(1e6 * (time.monotonic() - start))
    return statistics.median(times)


def live_groups():
    """What ten groups that follow the log leave of the rate, in turns on clusters of their own."""
    def rate_with(groups):
        with Cluster(workers=2, slots=1) as cluster:
            live = None
            if groups:
                live = subprocess.Popen([BIN / "eole-bench-groups", file_of(cluster), str(groups), "live"],
                                        stdout=subprocess.PIPE, text=True)
            try:
                assert not live or live.stdout.readline() == "live\n"
                return bench(cluster, "throughput", tasks=2_000_000)["tasks_per_second"]
            finally:
                if live:
                    live.kill()
                    live.communicate()
    return [100 * rate_with(GROUPS) / rate_with(0) for _ in range(ROUNDS)]


@functools.cache
def events():
    """What a subscriber of `json.` hears a second while two workers do a million tasks that waited, which share of all
    that is, and the microseconds of the sink for each and of the subscriber for each that it hears."""
    found, count = [], 1_000_000
    for _ in range(ROUNDS):
        with Cluster(workers=0) as cluster, contextlib.ExitStack() as stack:
            bench(cluster, "fill", tasks=count)
            address = read_cluster_file(file_of(cluster))["notifications"]
            hearing = stack.enter_context(subprocess.Popen(
                [BIN / "eole-bench-events", address, "json.b", str(count)], text=True, stdout=subprocess.PIPE))
            stack.callback(hearing.kill)  # It waits for the first event as long as there is none.
            assert hearing.stdout.readline() == "listening\n"
            before = cpu_seconds(cluster.pid("sink"))
            for name in ("one", "two"):
                worker = subprocess.Popen([BIN / "worker", "--name", name], stderr=subprocess.DEVNULL,
                                          env={**cluster.env, "EOLE_CLUSTER": file_of(cluster)})
                stack.callback(worker.wait)
                stack.callback(worker.kill)
            said = json.loads(hearing.stdout.readline())
            found.append((said["events"] / said["seconds"], 100 * said["events"] / count,
                          1e6 * (cpu_seconds(cluster.pid("sink")) - before) / count,
                          1e6 * cpu_seconds(hearing.pid) / said["events"]))
    return found


def idle_groups():
    """Per cent of a core that the sink uses with a thousand groups without a member, beyond what it uses without."""
    with Cluster(workers=0) as cluster, eole.Cluster(file_of(cluster)) as client:
        pid = cluster.pid("sink")

        def share(seconds=10):
            before = cpu_seconds(pid)
            time.sleep(seconds)
            return 100 * (cpu_seconds(pid) - before) / seconds
        without = share()
        for number in range(1000):
            client.create_group(f"idle-{number}")
        return share() - without


MEASURES = [("one group, Eole", "records/s", of("Eole", 0), 1)]
for peer in list(READERS)[1:]:
    MEASURES += [(f"one group, {peer}", "records/s", of(peer, 0), 1),
                 (f"one group, {peer}: Eole is", "times", times_of(peer, 0), 1)]
MEASURES += [("ten groups in all, Eole", "records/s", of("Eole", 1), 1)]
for peer in list(READERS)[1:]:
    MEASURES += [(f"ten groups in all, {peer}", "records/s", of(peer, 1), 1),
                 (f"ten groups in all, {peer}: Eole is", "times", times_of(peer, 1), 1)]
MEASURES += [
    ("a commit", "us", lambda: [commit for commit, _, _ in commits()], 1),
    ("a commit, of a lone task's time, in turns", "%", lambda: [100 * commit / lone for commit, lone, _ in commits()], 1),
    ("a commit, of a bare fdatasync of 4 KiB, in turns", "times", lambda: [commit / bare for commit, _, bare in commits()], 1),
    ("submit to result with ten live groups, of that with none in turns", "%", live_groups, 1),
    ("JSON events that a subscriber hears, a million ends", "events/s", lambda: [rate for rate, *_ in events()], 1),
    ("JSON events that a subscriber hears, of those published", "%", lambda: [share for _, share, *_ in events()], 1),
    ("JSON events, processor time of the sink for each", "us", lambda: [sink for *_, sink, _ in events()], 1),
    ("JSON events, of the subscriber for each that it hears", "us", lambda: [own for *_, own in events()], 1),
    ("sink with 1,000 idle groups, beyond what it uses without", "% of a core", idle_groups, 1),
]


def prepare():
    end_on_sigterm()
    install(PACKAGES)
    build("eole-bench-readers")


if __name__ == "__main__":
    run(MEASURES, "groups", "./dev bench groups", __doc__, prepare)
