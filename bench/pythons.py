"""./dev bench python: tasks that are Python functions, beside Celery on RabbitMQ, RQ and Dask, in turns.

Everywhere two worker processes of one thread, and one client; a no-op has 100 bytes of argument and of result. All
systems are up the whole time, idle but for the one that is at it. Each at its fastest settings:
Eole: one worker of two slots, durable, f.map() and Handles.get().
Celery 5.2: prefork -c 2, prefetch multiplier 64, early acknowledgement, messages that RabbitMQ does not write, no gossip,
mingle, heartbeat or events; a group, results in Redis without a file.
RQ 1.13: two SimpleWorkers, which do not fork; Redis without a file; enqueue_many(), the end polled.
Dask distributed 2022.12: scheduler and two workers without nannies and dashboard; map(pure=False) and gather().
"""

import contextlib
import functools
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile

from bench import ROOT, Cluster, bench, run
from servers import Server, end_on_sigterm, install, rabbitmq, redis

PACKAGES = "rabbitmq-server redis-server python3-celery python3-redis python3-rq python3-distributed python3-numpy".split()
PLACE = ROOT / "bench/peers"
COUNTS, ROUNDS = {"lone": 200, "arrays": 5}, 3


@contextlib.contextmanager
def process(*command, env, **options):
    """A worker or a client, and at the end none of what it started."""
    with subprocess.Popen(command, env={**os.environ, **env}, cwd=PLACE, start_new_session=True, text=True, **options) as found:
        try:
            yield found
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(found.pid, signal.SIGKILL)


def quiet(*command, env):
    return process(*command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


PYTHON = "/usr/bin/python3"  # Debian's, which has the packages.
SHARED = f"{ROOT}/clients/python:{PLACE}"


def eole_system(up, _=None):
    env = {"BENCH_SYSTEM": "eole", "PYTHONPATH": SHARED}
    cluster = up(Cluster("--runner", f"{PYTHON} -m eole.runner python_tasks", workers=1, slots=2, env={
        **env, "PATH": os.environ["PATH"]}))
    cluster.eole("status", "--until-workers", "1")
    return {**env, "EOLE_CLUSTER": cluster.directory + "/eole/cluster.toml"}


def celery_system(up, results):
    broker = up(rabbitmq())
    env = {"BENCH_SYSTEM": "celery", "BROKER": f"amqp://guest:guest@127.0.0.1:{broker.port}//",
           "BACKEND": f"redis://127.0.0.1:{results.port}/1", "C_FORCE_ROOT": "1"}  # It refuses to unpickle for root.
    up(quiet(PYTHON, "-m", "celery", "-A", "python_tasks", "worker", "-P", "prefork", "-c", "2", "--without-gossip",
             "--without-mingle", "--without-heartbeat", "-l", "ERROR", env=env))
    return env


def rq_system(up, queue):
    env = {"BENCH_SYSTEM": "rq", "PYTHONPATH": SHARED, "REDIS_PORT": str(queue.port)}
    for _ in range(2):
        up(quiet(PYTHON, "-c", f"import redis, rq; c = redis.Redis(port={queue.port}); "
                 "rq.SimpleWorker([rq.Queue(connection=c)], connection=c).work(logging_level='ERROR')", env=env))
    return env


def dask_system(up, _):
    env = {"BENCH_SYSTEM": "dask", "PYTHONPATH": SHARED}
    scheduler = up(Server(["dask-scheduler", "--host", "127.0.0.1", "--port", "PORT", "--no-dashboard"], lambda *_: env))
    env["SCHEDULER"] = f"tcp://127.0.0.1:{scheduler.port}"
    for _ in range(2):
        directory = up(tempfile.TemporaryDirectory(prefix="eole-peer-"))
        up(quiet("dask-worker", env["SCHEDULER"], "--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1",
                 "--local-directory", directory, env=env))
    return env


SYSTEMS = {"Eole": (eole_system, 100_000), "Celery": (celery_system, 1000), "RQ": (rq_system, 1000), "Dask": (dask_system, 2000)}


STACK = contextlib.ExitStack()  # What is up until the end.


@functools.cache
def clients():
    """Of each system that starts."""
    up, found = STACK.enter_context, {}
    memory = up(redis("--appendonly", "no"))
    for name, (system, _) in SYSTEMS.items():
        try:
            client = up(process(PYTHON, "python_client.py", env=system(up, memory), stdin=subprocess.PIPE, stdout=subprocess.PIPE))
            if client.stdout.readline() != "ready\n":
                raise RuntimeError("its client ended")
            found[name] = client
        except Exception as error:  # noqa: BLE001 - it costs no other its figures
            print(f"python: {name}: {error}", file=sys.stderr, flush=True)
    return found


ENDED = set()  # Systems whose client ended within a round.


@functools.cache
def turns(what):
    """For each system what it gave in each round; None of one in which its client ended, and of those after it."""
    found = {name: [] for name in clients()}
    for _ in range(ROUNDS):
        for name, client in clients().items():
            found[name].append(None if name in ENDED else round_of(what, name, client))
    return found


def round_of(what, name, client):
    try:
        client.stdin.write(f"{what} {COUNTS.get(what) or SYSTEMS[name][1]}\n")
        client.stdin.flush()
        said = json.loads(client.stdout.readline())
        return {**said, "median_us": statistics.median(said.get("us", [0]))}
    except (OSError, ValueError) as error:  # As above.
        print(f"python: {name}: its client ended within a round: {error}", file=sys.stderr, flush=True)
        ENDED.add(name)
        return None


def of(name, what, which, unit):
    return lambda: [each[which] / unit for each in turns(what)[name] if each]


def share(name, what, which):
    """Eole's, of this system's, in the same round."""
    return lambda: [ours[which] / theirs[which] for ours, theirs in zip(turns(what)["Eole"], turns(what)[name])
                    if ours and theirs]


STREAMS = """
import sys, eole
def kib():
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
early = 0
with eole.Cluster(sys.argv[1]) as cluster:
    for number, result in enumerate(cluster.results(offset=0), 1):
        if number == 100_000:
            early = kib()
        if number == 1_000_000:
            break
print((kib() - early) / 1024)
"""


def streamed():
    """MiB by which a client that reads a million results grows from the hundred thousandth on."""
    with Cluster(workers=2, slots=1) as cluster:
        bench(cluster, "throughput", tasks=1_000_000)
        done = subprocess.run([PYTHON, "-c", STREAMS, cluster.directory + "/eole/cluster.toml"], check=True, text=True,
                              env={**os.environ, "PYTHONPATH": SHARED}, stdout=subprocess.PIPE)
        return float(done.stdout)


SUBMITS = """
import time
from python_tasks import noop
start = time.monotonic()
handles = noop.map(range(1_000_000))
print(1_000_000 / (time.monotonic() - start))
"""


def submits():
    """A second, of a million by map() while two runners do them."""
    with contextlib.ExitStack() as stack:
        env = eole_system(stack.enter_context)
        done = subprocess.run([PYTHON, "-c", SUBMITS], check=True, text=True, env={**os.environ, **env}, stdout=subprocess.PIPE)
        return float(done.stdout)


MEASURES = []
for what, which, unit, title, size in (
        ("rate", "tasks_per_second", "tasks/s", "no-op, two worker processes", 1),
        ("rate", "submits_per_second", "tasks/s", "no-op, the submits alone", 1),
        ("lone", "median_us", "us", "lone no-op, submit to result", 1),
        ("arrays", "median_us", "ms", "numpy, 10 MB as argument and as result", 1000)):
    for name in SYSTEMS:
        MEASURES.append((f"{title}, {name}", unit, of(name, what, which, size), 1))
        if name != "Eole":
            MEASURES.append((f"{title}, {name}: Eole's, of this", "times", share(name, what, which), 1))
MEASURES += [
    ("a million tasks by map()", "tasks/s", submits, 2),
    ("growth of a client that reads a million results, from the 100,000th on", "MiB", streamed, 2),
]


def prepare():
    end_on_sigterm()
    install(PACKAGES)


if __name__ == "__main__":
    with STACK:
        run(MEASURES, "python", "./dev bench python", __doc__, prepare)
