"""./dev bench peers: brokers and task queues from Debian doing the work of ./dev bench, in one run.

Each round runs every system once, one after the other, Eole between them; the ratios are of the
medians of the rounds. One producer, two workers that do nothing, one collector; bodies of 100
bytes; a result is confirmed before its task is acknowledged. Over HTTP: one task a request, 64
connections of wrk; of the others nobody takes what was put there. Writes docs/benchmarks.md.
"""

import argparse
import contextlib
import http.client
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "bench"))
from bench import BIN, Cluster, bench, block_of, resident_bytes, show, write_block  # noqa: E402
from over_http import Http, TASK, connected, one_by_one, wrk  # noqa: E402
from servers import Webdis, beanstalkd, build, end_on_sigterm, gearmand, install, nats, rabbitmq, redis  # noqa: E402

PACKAGES = ("rabbitmq-server librabbitmq-dev redis-server libhiredis-dev nats-server libnats-dev beanstalkd "
            "gearman-job-server python3-celery python3-redis webdis wrk").split()
CELERY = ROOT / "bench/peers"


def peer(server, name, *arguments):
    done = subprocess.run([BIN / "eole-bench-peer", name, *map(str, arguments)], capture_output=True, text=True,
                          timeout=180, check=False, env={**os.environ, "PEER_PORT": str(server.port)})
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return json.loads(done.stdout)


class System:
    """What is measured of one system: a list of (what, number) for one round."""

    def __init__(self, title, keeps, server, name, tasks, batch=64):
        self.title, self.keeps, self.server, self.name, self.tasks, self.batch = title, keeps, server, name, tasks, batch

    def round(self):
        with self.server() as server:
            yield "rate", peer(server, self.name, "throughput", self.tasks, self.batch)["tasks_per_second"]
            if self.batch == 1:
                return
            found = peer(server, self.name, "lone", 1000)
            yield "p50", found["p50_us"]
            yield "p99", found["p99_us"]

    def memory(self):
        if self.batch == 1 or self.name == "nats-core":
            return None
        is_slow = self.name in ("gearmand", "rabbitmq-classic") or self.keeps == "synced, each"
        count = 100_000 if is_slow else 1_000_000
        with self.server() as server:
            before = server.resident()
            peer(server, self.name, "fill", count)
            return (server.resident() - before) / count


class Celery(System):
    def round(self):
        with self.server() as server:
            with redis("--appendonly", "no") if "amqp" in self.name else contextlib.nullcontext(server) as results:
                env = {**os.environ, "BROKER": self.name.replace("PORT", str(server.port)), "PYTHONPATH": str(CELERY),
                       "BACKEND": f"redis://127.0.0.1:{results.port}/1"}
                worker = subprocess.Popen([sys.executable, "-m", "celery", "-A", "celery_app", "worker", "-c", "2",
                                           "--without-gossip", "--without-mingle", "-l", "ERROR"], env=env,
                                          cwd=CELERY, start_new_session=True, stdout=subprocess.DEVNULL,
                                          stderr=subprocess.DEVNULL)
                try:
                    for what, count in (("throughput", self.tasks), ("lone", 200)):
                        done = subprocess.run([sys.executable, CELERY / "celery_run.py", what, str(count)], env=env,
                                              capture_output=True, text=True, timeout=120, check=False)
                        if done.returncode != 0:
                            raise RuntimeError(done.stderr.strip().splitlines()[-1])
                        found = json.loads(done.stdout)
                        if what == "throughput":
                            yield "rate", found["tasks_per_second"]
                        else:
                            yield "p50", found["p50_us"]
                            yield "p99", found["p99_us"]
                finally:
                    os.killpg(worker.pid, signal.SIGKILL)
                    worker.wait()

    def memory(self):
        return None


class Eole(System):
    def __init__(self, title, keeps, *up, batch=64, tasks=2_000_000):
        super().__init__(title, keeps, None, "eole", tasks, batch)
        self.up = up

    def round(self):
        prefetch = ("--prefetch", "1") if self.batch == 1 else ()
        with Cluster(*self.up, *prefetch, workers=2, slots=1) as cluster:
            yield "rate", bench(cluster, "throughput", tasks=self.tasks)["tasks_per_second"]
        if self.batch == 1:
            return
        with Cluster(*self.up, workers=1, slots=1) as cluster:
            found = bench(cluster, "latency", tasks=2000)
            yield "p50", found["p50_us"]
            yield "p99", found["p99_us"]

    def memory(self):
        if self.batch == 1:
            return None
        with Cluster(*self.up, workers=0) as cluster:
            before = resident_bytes(cluster.pid("ventilator"))
            bench(cluster, "fill", tasks=1_000_000)
            return (resident_bytes(cluster.pid("ventilator")) - before) / 1_000_000


class OverHttp(System):
    """`tells`: what else a request has; `first`: a request that makes the queue."""

    def __init__(self, title, keeps, server, path, body, tells=(), first=None):
        super().__init__(title, keeps, server, "", 0)
        self.path, self.body, self.tells, self.first = path, body, tells, first

    def round(self):
        with self.server() as server:
            lone = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
            if self.first:
                lone.request(*self.first, headers=dict(self.tells))
                lone.getresponse().read()
            yield from self.measured(f"127.0.0.1:{server.port}", lone)

    def measured(self, address, lone):
        yield "rate", wrk(address, self.path, self.body, self.tells)
        times = sorted(one_by_one(lone, self.path, self.body, 1000, dict(self.tells)))
        yield "p50", times[len(times) // 2]
        yield "p99", times[len(times) * 99 // 100]

    def memory(self):
        return None


class EoleOverHttp(OverHttp):
    def round(self):
        with Cluster(workers=2, slots=1) as cluster:
            address = Http(cluster)
            yield from self.measured(f"{address.host}:{address.port}", connected(address))


EOLE = Eole("**Eole**", "synced, groups")
EOLE_OVER_HTTP = EoleOverHttp("**Eole**, over HTTP", "synced, groups", None, "/task", TASK)
RABBIT_FIELDS = (("Authorization", "Basic Z3Vlc3Q6Z3Vlc3Q="), ("Content-Type", "application/json"))
EOLE_ALONE = Eole("**Eole**, prefetch 1, --place", "synced, groups", "--place", batch=1, tasks=40_000)
SYSTEMS = [
    EOLE,
    System("RabbitMQ, quorum queue", "synced, groups", rabbitmq, "rabbitmq-quorum", 60_000),
    System("RabbitMQ, classic durable queue", "synced, groups", rabbitmq, "rabbitmq-classic", 40_000),
    Eole("**Eole**, --durability none", "page cache", "--durability", "none"),
    System("Redis lists, appendfsync always", "synced, groups",
           lambda: redis("--appendonly", "yes", "--appendfsync", "always"), "redis-lists", 250_000),
    System("Redis streams, appendfsync always", "synced, groups",
           lambda: redis("--appendonly", "yes", "--appendfsync", "always"), "redis-streams", 120_000),
    System("Redis lists, no file", "nothing", lambda: redis("--appendonly", "no"), "redis-lists", 600_000),
    System("NATS JetStream, files", "page cache", nats, "nats-jetstream", 80_000),
    System("core NATS, at most once", "nothing", nats, "nats-core", 1_000_000),
    System("beanstalkd -f0", "synced, each", lambda: beanstalkd("-b", "DIR", "-f0"), "beanstalkd", 8_000),
    System("beanstalkd, no file", "nothing", lambda: beanstalkd(), "beanstalkd", 60_000),
    System("gearmand, in memory", "nothing", gearmand, "gearmand", 60_000),
    Celery("Celery on RabbitMQ", "page cache", rabbitmq, "amqp://guest:guest@127.0.0.1:PORT//", 2000),
    Celery("Celery on Redis, no file", "nothing", lambda: redis("--appendonly", "no"), "redis://127.0.0.1:PORT/0", 2000),
    EOLE_ALONE,
    System("RabbitMQ quorum, prefetch 1", "synced, groups", rabbitmq, "rabbitmq-quorum", 8_000, 1),
    System("Redis lists, appendfsync always, one at a time", "synced, groups",
           lambda: redis("--appendonly", "yes", "--appendfsync", "always"), "redis-lists", 15_000, 1),
    System("Redis lists, no file, one at a time", "nothing", lambda: redis("--appendonly", "no"), "redis-lists",
           60_000, 1),
    EOLE_OVER_HTTP,
    OverHttp("RabbitMQ, quorum queue, over HTTP (management)", "synced, groups",
             lambda: rabbitmq(over_http=True), "/api/exchanges/%2F/amq.default/publish",
             json.dumps({"properties": {"delivery_mode": 2}, "routing_key": "tasks", "payload": "x" * 100,
                         "payload_encoding": "string"}), RABBIT_FIELDS,
             ("PUT", "/api/queues/%2F/tasks", json.dumps({"durable": True, "arguments": {"x-queue-type": "quorum"}}))),
    OverHttp("Redis lists, appendfsync always, over HTTP (Webdis)", "synced, groups", Webdis, "/",
             "LPUSH/tasks/" + "x" * 100),
]


def with_rows(old, new):
    """The new table, and of systems that are not in it what the old one had."""
    rows = {row.split(" | ")[0]: row for table in (old, new) for row in table[2:]}
    return new[:2] + [rows[title] for title in (f"| {system.title}" for system in SYSTEMS) if title in rows]


def main():
    parser = argparse.ArgumentParser(prog="./dev bench peers", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="systems whose name contains this")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--write", action="store_true", help="put the rows into the table of docs/benchmarks.md")
    options = parser.parse_args()
    end_on_sigterm()
    install(PACKAGES)
    build("eole-bench-peer")
    chosen = [system for system in SYSTEMS if options.only.lower() in system.title.lower()]
    found = {system.title: {"memory": []} for system in chosen}
    for turn in range(options.rounds):
        for system in chosen:
            try:
                for what, value in system.round():
                    found[system.title].setdefault(what, []).append(value)
                if turn == 0 and (memory := system.memory()) is not None:
                    found[system.title]["memory"].append(memory)
            except Exception as error:  # noqa: BLE001 - one peer that fails costs no other its figures
                print(f"peers: {system.title}: {error}", file=sys.stderr, flush=True)
            print(f"round {turn + 1}: {system.title}: {found[system.title]}", file=sys.stderr, flush=True)

    def spread(title, what):
        values = found[title].get(what) or []
        if not values:
            return "-"
        return f"{show(statistics.median(values))} [{show(min(values))}-{show(max(values))}]"

    def ratio(system):
        base = EOLE_OVER_HTTP if isinstance(system, OverHttp) else EOLE_ALONE if system.batch == 1 else EOLE
        mine, theirs = (found.get(each.title, {}).get("rate") for each in (base, system))
        return f"{statistics.median(mine) / statistics.median(theirs):.1f}" if mine and theirs else "-"

    rows = ["| system | on disk when it answers | tasks/s | Eole is × | lone task, median us | 99 % within us | "
            "bytes of memory a queued task |", "|---|---|---|---|---|---|---|"]
    for system in chosen:
        memory = found[system.title]["memory"]
        rows.append(f"| {system.title} | {system.keeps} | {spread(system.title, 'rate')} | {ratio(system)} | "
                    f"{spread(system.title, 'p50')} | {spread(system.title, 'p99')} | "
                    f"{show(memory[0]) if memory else '-'} |")
    if options.json:
        for title, values in found.items():
            print(json.dumps({"system": title, **values}))
    else:
        print("\n".join(rows))
    if options.write:
        page = ROOT / "docs/benchmarks.md"
        write_block(page, "peers", with_rows(block_of(page, "peers"), rows))


if __name__ == "__main__":
    main()
