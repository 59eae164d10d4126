"""./dev bench: what a local cluster does on this machine. Medians of three rounds, [min-max].

Two no-op workers, tasks of about 100 bytes, one client; everything durable (fdatasync before every
answer and every notification) over the ipc that `eole up` gives, unless a line says otherwise.
`./dev bench http` measures the gateway; `peers` other systems beside it, `groups` readers beside NATS and Redis, `python`
functions beside Celery, RQ and Dask, `downloads` files beside wget2, `pictures` photographs beside Pillow (each --help).
"""

import argparse
import json
import os
import pathlib
import re
import resource
import shutil
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/integration"))
sys.path.insert(0, str(ROOT / "clients/python"))
import cluster as tests  # noqa: E402
from cluster import BIN, wait_until  # noqa: E402

ROUNDS = 3


class Cluster(tests.Cluster):
    """Gone with its directory, if that is its own, also when it is interrupted."""

    def __enter__(self):
        try:
            return super().__enter__()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise

    def __exit__(self, *error):
        try:
            super().__exit__(*error)
        finally:
            if self.owns_directory:
                shutil.rmtree(self.directory, ignore_errors=True)


def bench(cluster, what, **options):
    flags = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return json.loads(cluster.eole("bench", what, *flags, "--rounds", "1", "--json", timeout=600).stdout)


def tool(name, *arguments, env=None):
    done = subprocess.run([BIN / name, *map(str, arguments)], capture_output=True, text=True, timeout=300, check=True,
                          env={**os.environ, **(env or {})})
    return json.loads(done.stdout)


def resident_bytes(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def throughput(*up, tasks=3_000_000, batch=1024, plan="none", env=None, **more):
    def once():
        with Cluster(*up, workers=2, slots=1, env=env) as cluster:
            return bench(cluster, "throughput", tasks=tasks, batch=batch, plan=plan, **more)["tasks_per_second"]
    return once


BOUNDED = {"ring": 5120, "batch": 512}


def bounded_latency():
    """Milliseconds from submit to notification, the median."""
    with Cluster(workers=2, slots=1) as cluster:
        return bench(cluster, "throughput", tasks=3_000_000, **BOUNDED)["p50_us"] / 1000


def bounded_share():
    return 100 * throughput(**BOUNDED)() / throughput()()


def lone(*up, field="p50_us"):
    def once():
        with Cluster(*up, workers=2, slots=1) as cluster:
            return bench(cluster, "latency", tasks=3000)[field]
    return once


def tasks_per_sync(which, what, tasks):
    def once():
        with Cluster(workers=2, slots=1) as cluster:
            before = cluster.status()
            bench(cluster, what, tasks=tasks)
            after = cluster.status()
            return (after["settled"] - before["settled"]) / (after[which] - before[which])
    return once


def slow_disk():
    """The rate with 5 ms more in every sync, as a share of the rate without."""
    rates = []
    library = str(BIN.parent / "bench/libeole-slow-sync.so")
    for extra in ({}, {"LD_PRELOAD": library, "EOLE_SYNC_US": "5000"}):
        rates.append(throughput(env=extra)())
    return 100 * rates[1] / rates[0]


def processor_time(role):
    """Microseconds of all threads of all processes of a role, for each task."""
    def once():
        with Cluster(workers=2, slots=1) as cluster:
            pids = [each["pid"] for each in cluster.status()["roles"] if each["role"] == role]
            clients = resource.getrusage(resource.RUSAGE_CHILDREN)
            before = sum(map(cpu_seconds, pids))
            bench(cluster, "throughput", tasks=3_000_000)
            if role == "client":
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                return (after.ru_utime + after.ru_stime - clients.ru_utime - clients.ru_stime) / 3
            return (sum(map(cpu_seconds, pids)) - before) / 3
    return once


def raw_share():
    """The rate as a share of what the same hops do with raw libzmq."""
    rate = throughput()()
    return 100 * rate / tool("eole-bench-raw", 4_000_000, 1024, 130)["records_per_second"]


def commands(*up, count=4000):
    with Cluster("--allow-exec", *up, workers=1, slots=2) as cluster:
        lines = '{"kind":"exec","args":{"argv":["/bin/true"]}}\n' * count
        start = time.monotonic()
        cluster.eole("submit", "--file", "-", "--wait", input=lines)
        return count / (time.monotonic() - start)


def spawn():
    return tool("eole-bench-spawn", 2, 4000)["commands_per_second"]


def exec_share():
    return 100 * commands() / spawn()


def chain_share():
    """A chain of 1,000 tasks, as a share of 1,000 tasks one at a time, in turns on one cluster."""
    count = 1000
    lines = '{"name":"0","kind":"echo","args":{}}\n' + "".join(
        f'{{"name":"{i}","kind":"echo","args":{{}},"after":"{i - 1}"}}\n' for i in range(1, count))
    shares = []
    with Cluster(workers=1, slots=1) as cluster:
        bench(cluster, "latency", tasks=count)  # Warm.
        for _ in range(5):
            lone = bench(cluster, "latency", tasks=count)["seconds"]
            start = time.monotonic()
            cluster.eole("submit", "--file", "-", "--wait", input=lines)
            shares.append(100 * (time.monotonic() - start) / lone)
    return shares


def run_of_parallel():
    """How many times as many /bin/true a second `eole run` runs as GNU parallel, in turns: it takes milliseconds
    for each, so there are fewer of them than it could be."""
    count, slots = 2_000, os.cpu_count()
    inputs = "".join(f"{i}\n" for i in range(count))

    def seconds(command, env):
        start = time.monotonic()
        subprocess.run(command, env=env, input=inputs, text=True, check=True, stdout=subprocess.DEVNULL)
        return time.monotonic() - start
    times = []
    with Cluster("--allow-exec", workers=1, slots=slots) as cluster:
        for _ in range(3):
            ours = seconds([BIN / "eole", "run", "--each-line", "-", "/bin/true {}"], cluster.env)
            theirs = seconds(["parallel", "--will-cite", f"-j{slots}", "/bin/true {}"], os.environ)
            times.append(theirs / ours)
    return times


def spawn_of_parallel():
    """The same of a bare posix_spawn loop in each core: no way to start programs gives more."""
    count, slots = 2_000, os.cpu_count()
    times = []
    for _ in range(3):
        start = time.monotonic()
        subprocess.run(["parallel", "--will-cite", f"-j{slots}", "/bin/true {}"], text=True, check=True,
                       input="".join(f"{i}\n" for i in range(count)), stdout=subprocess.DEVNULL)
        theirs = count / (time.monotonic() - start)
        times.append(tool("eole-bench-spawn", slots, count)["commands_per_second"] / theirs)
    return times


def fault(what, field, grace=0):
    """Milliseconds, beyond the grace, from a fault until all goes on."""
    def once():
        with Cluster(workers=2, slots=1, env={"EOLE_GRACE": str(grace)} if grace else None) as cluster:
            return bench(cluster, what)[field] - grace * 1000
    return once


def filled(tasks, measure, plan="none"):
    def once():
        with Cluster(workers=0) as cluster:
            pid = cluster.pid("ventilator")
            before = resident_bytes(pid)
            bench(cluster, "fill", tasks=tasks, plan=plan)
            return measure(cluster, before, tasks)
    return once


def memory_each(cluster, before, tasks):
    return (resident_bytes(cluster.pid("ventilator")) - before) / tasks


def disk_each(cluster, _, tasks):
    """Bytes of the journal for each task of 110 bytes (a spec of 8, echo, five of project, 98)."""
    return cluster.status()["journal_bytes"] / tasks


PLANS = {"delayed": "delayed", "keyed": "of 100,000 keys", "chained": "in chains of ten", "projects": "of 1,000 projects"}


def one_more(cluster, _, __):
    """Seconds from the start of a killed ventilator until a worker has settled a task that is urgent."""
    cluster.kill("ventilator")
    worker = subprocess.Popen([BIN / "worker", "--name", "late"], env={
        **cluster.env, "EOLE_CLUSTER": cluster.directory + "/eole/cluster.toml"}, stderr=subprocess.DEVNULL)
    start = time.monotonic()
    try:
        cluster.eole("submit", "echo", "x", "--priority", "9", "--wait")
        return time.monotonic() - start
    finally:
        worker.kill()
        worker.wait()


def first_dispatch(cluster, _, __):
    """Seconds from the start of a killed ventilator until a worker has settled a task."""
    cluster.kill("ventilator")
    worker = subprocess.Popen([BIN / "worker", "--name", "late"], env={
        **cluster.env, "EOLE_CLUSTER": cluster.directory + "/eole/cluster.toml"}, stderr=subprocess.DEVNULL)
    start = time.monotonic()

    def settled():
        try:
            return cluster.status(timeout=1).get("settled", 0) > 0
        except Exception:  # noqa: BLE001 - it is not there yet
            return False
    try:
        wait_until(settled, 60)
        return time.monotonic() - start
    finally:
        worker.kill()
        worker.wait()


def paced(workers):
    """Tasks a second that come through at 100,000 offered, by so many connected workers."""
    def once():
        with Cluster(workers=workers, slots=1) as cluster:
            path = cluster.directory + "/accepted"
            done = subprocess.run([BIN / "eole-chaos", "load", "100000", "10", path], env={
                **cluster.env, "EOLE_CLUSTER": cluster.directory + "/eole/cluster.toml"},
                capture_output=True, text=True, timeout=120, check=True)
            said = json.loads(done.stdout.splitlines()[-1])
            start = time.monotonic()
            wait_until(lambda: cluster.status()["settled"] >= said["accepted"], 120)
            return said["accepted"] / (10 + time.monotonic() - start)
    return once


def heartbeats():
    """Per cent of a core that ventilator and sink use with a thousand idle workers."""
    with Cluster(workers=1000, slots=1) as cluster:
        pids = [cluster.pid("ventilator"), cluster.pid("sink")]
        before = sum(map(cpu_seconds, pids))
        time.sleep(10)
        return 10 * (sum(map(cpu_seconds, pids)) - before)


def processor_seconds(cluster, what, **options):
    """Of ventilator and sink, for a bench."""
    pids = [cluster.pid("ventilator"), cluster.pid("sink")]
    before = sum(map(cpu_seconds, pids))
    bench(cluster, what, **options)
    return sum(map(cpu_seconds, pids)) - before


def in_turns(old, what, **options):
    """The processor time of a bench on a cluster, as shares of what it takes on fresh ones."""
    shares = []
    for _ in range(5):
        with Cluster(workers=0 if what == "fill" else 2, slots=1) as fresh:
            bench(fresh, what, tasks=100_000)  # Warm.
            least = processor_seconds(fresh, what, **options)
        shares.append(100 * processor_seconds(old, what, **options) / least)
    return shares


def growth(tasks):
    """What a task costs after so many through one ventilator, of its cost through a fresh one."""
    def run():
        with Cluster(workers=2, slots=1) as cluster:
            bench(cluster, "throughput", tasks=tasks, ring=65536)
            return in_turns(cluster, "throughput", tasks=3_000_000, ring=65536)
    return run


def growth_of_a_queue():
    """What accepting a task costs with ten million queued, of its cost with none."""
    with Cluster(workers=0) as cluster:
        bench(cluster, "fill", tasks=10_000_000)
        return in_turns(cluster, "fill", tasks=2_000_000)


def python_client():
    import eole
    with Cluster(workers=2, slots=1) as cluster:
        with eole.Cluster(cluster.directory + "/eole/cluster.toml") as client:
            count = 200_000
            start = time.monotonic()
            ids = client.submit("echo", [{"text": "x" * 90}] * count)
            assert sum(1 for _ in client.results(ids)) == count
            return count / (time.monotonic() - start)


def unfairness():
    """Two projects, the tasks of one take four times as long: how far either is from half of what slots ran in 10 s."""
    import eole
    seconds = {"long": 0.2, "short": 0.05}
    with Cluster(workers=2, slots=2) as cluster, eole.Cluster(cluster.directory + "/eole/cluster.toml") as client:
        for name, each in seconds.items():
            client.submit("sleep", [{"seconds": each}] * 10_000, project=name)
        time.sleep(10)
        ran = {name: client.project(name)["done"] * each for name, each in seconds.items()}
        for name in seconds:
            client.cancel_project(name)
    return 100 * abs(2 * ran["long"] / sum(ran.values()) - 1)


# name, unit, what runs it (a value, or a list of its own rounds), rounds
MEASURES = [
    ("throughput, 1,024 tasks a message", "tasks/s", throughput(), 3),
    ("… 256 tasks a message", "tasks/s", throughput(batch=256), 3),
    ("… of the same hops with raw libzmq", "%", raw_share, 3),
    ("… at most 5,120 tasks in the ring, 512 a message", "tasks/s", throughput(**BOUNDED), 3),
    ("… of the rate without a bound, in turns", "%", bounded_share, 5),
    ("… their median from submit to notification", "ms", bounded_latency, 3),
    ("… --durability none", "tasks/s", throughput("--durability", "none"), 3),
    ("… over TCP with CURVE", "tasks/s", throughput("--listen", "127.0.0.1", tasks=1_000_000), 3),
    ("… one task a message", "tasks/s", throughput(tasks=500_000, batch=1), 3),
    ("… with 5 ms more in every fdatasync, of the rate without", "%", slow_disk, 3),
    ("tasks for each sync of the journal, under load", "tasks", tasks_per_sync("journal_syncs", "throughput", 3_000_000), 3),
    ("tasks for each sync of the log, under load", "tasks", tasks_per_sync("log_syncs", "throughput", 3_000_000), 3),
    ("tasks for each sync of the journal, one at a time", "tasks", tasks_per_sync("journal_syncs", "latency", 2000), 1),
    ("processor time of each task: client, which also reads the results", "us", processor_time("client"), 3),
    ("processor time of each task: ventilator", "us", processor_time("ventilator"), 3),
    ("processor time of each task: worker", "us", processor_time("worker"), 3),
    ("processor time of each task: sink", "us", processor_time("sink"), 3),
    ("prefetch 1", "tasks/s", throughput("--prefetch", "1", tasks=30_000), 3),
    ("prefetch 1, --place", "tasks/s", throughput("--prefetch", "1", "--place", tasks=50_000), 3),
    ("one at a time, median", "us", lone(), 3),
    ("one at a time, 99 of 100 within", "us", lone(field="p99_us"), 3),
    ("one at a time, --place, median", "us", lone("--place"), 3),
    ("one message through the same hops with raw libzmq, median", "us",
     lambda: tool("eole-bench-raw", "lone", 3000, 130)["p50_us"], 3),
    ("exec of /bin/true, two slots", "commands/s", commands, 3),
    ("posix_spawn of /bin/true, two loops", "commands/s", spawn, 3),
    ("exec, of posix_spawn in turns", "%", exec_share, 5),
    ("exec of /bin/true in a box, two slots", "commands/s", lambda: commands("--sandbox", "box", count=1000), 3),
    ("eole run of 2,000 /bin/true, of GNU parallel in turns", "times", run_of_parallel, 1),
    ("posix_spawn of 2,000 /bin/true, of GNU parallel in turns", "times", spawn_of_parallel, 1),
    ("a chain of 1,000 tasks, of 1,000 one at a time in turns", "%", chain_share, 1),
    ("Python client, submit and results", "tasks/s", python_client, 3),
    ("next attempt after SIGKILL, beyond the grace of 250 ms", "ms",
     fault("redelivery", "worker_killed_ms", 0.25), 3),
    ("next attempt after SIGSTOP", "ms", fault("redelivery", "worker_hung_ms"), 3),
    ("a task settled after SIGKILL of the ventilator", "ms", fault("recovery", "ventilator_killed_ms"), 3),
    ("a task settled after SIGKILL of the sink", "ms", fault("recovery", "sink_killed_ms"), 3),
    ("memory of a queued task, at 10 million", "bytes", filled(10_000_000, memory_each), 3),
    ("journal of a queued task of 110 bytes, at 10 million", "bytes", filled(10_000_000, disk_each), 1),
    ("restart with 10 million queued, first task settled after", "s", filled(10_000_000, first_dispatch), 3),
    *(measure for plan, what in PLANS.items() for measure in (
        (f"1 million {what}", "tasks/s", throughput(tasks=1_000_000, plan=plan), 3),
        ("… memory of one that waits", "bytes", filled(1_000_000, memory_each, plan), 3),
        ("… restart with all of them, one more task settled after", "s", filled(1_000_000, one_more, plan), 3))),
    ("two projects, tasks of 200 ms and of 50 ms: off half of the slots' time", "%", unfairness, 3),
    ("100,000 tasks/s offered to 2 workers", "tasks/s", paced(2), 1),
    ("100,000 tasks/s offered to 1,000 workers", "tasks/s", paced(1000), 1),
    ("ventilator and sink with 1,000 idle workers", "% of a core", heartbeats, 1),
    ("processor time of a task after 10 thousand, of a fresh cluster's, in turns", "%", growth(10_000), 1),
    ("… after 10 million", "%", growth(10_000_000), 1),
    ("… after 100 million", "%", growth(100_000_000), 1),
    ("… of accepting one with 10 million queued, of that with none", "%", growth_of_a_queue, 1),
]


def write_block(path, name, lines):
    """Replaces what stands between the comments `begin NAME` and `end NAME` of a page."""
    page = path.read_text(encoding="utf-8")
    block = f"<!-- begin {name} -->\n" + "\n".join(lines) + f"\n<!-- end {name} -->"
    found = re.subn(f"<!-- begin {name} -->.*?<!-- end {name} -->", lambda _: block, page, flags=re.S)
    assert found[1] == 1, f"{path}: no block {name}"
    path.write_text(found[0], encoding="utf-8")


def block_of(path, name):
    """The lines of this block."""
    found = re.search(f"<!-- begin {name} -->\n(.*?)<!-- end {name} -->", path.read_text(encoding="utf-8"), re.S)
    return found[1].splitlines()


def show(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}" if value >= 10 else f"{value:,.2f}"


def as_list(values):
    return values if isinstance(values, list) else [values]


def run(measures, block, prog, about, prepare=lambda: None):
    """Prints what each of the measures gives; with --write it becomes the block of docs/benchmarks.md."""
    parser = argparse.ArgumentParser(prog=prog, description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--only", default="", help="measures whose name contains this")
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    options = parser.parse_args()
    prepare()
    rows = ["| what | median [min-max] |", "|---|---|"]
    for name, unit, measure, rounds in measures:
        if options.only not in name:
            continue
        try:
            values = [value for _ in range(rounds) for value in as_list(measure())]
            median = statistics.median(values)
        except Exception as error:  # noqa: BLE001 - one measure that cannot run costs no other
            print(f"{name:<62} failed: {error}", file=sys.stderr, flush=True)
            continue
        spread = f" [{show(min(values))}-{show(max(values))}]" if len(values) > 1 else ""
        if options.json:
            print(json.dumps({"what": name, "unit": unit, "median": median, "values": values}), flush=True)
        else:
            print(f"{name:<62}{show(median):>12} {unit}{spread}", flush=True)
        rows.append(f"| {name} | {show(median)} {unit}{spread} |")
    if options.write:
        write_block(ROOT / "docs/benchmarks.md", block, rows)


OTHERS = {"peers": "peers.py", "http": "over_http.py", "pictures": "pictures.py", "groups": "readers.py", "python": "pythons.py",
          "downloads": "downloads.py"}


def main():
    if sys.argv[1:2] and sys.argv[1] in OTHERS:
        os.execv(sys.executable, [sys.executable, str(ROOT / "bench" / OTHERS[sys.argv[1]]), *sys.argv[2:]])
    run(MEASURES, "eole", "./dev bench", __doc__.splitlines()[0])


if __name__ == "__main__":
    main()
