"""Real processes under real faults, and an offline check of everything that was promised.

./dev chaos [--minutes M] [--rate R] [--seed S] [--only WORD,…]: each scenario runs under steady
load; a client writes down each id that it was answered, a subscriber each result that it was told;
then the stopped cluster's journal and log are read and compared with both. What is lost, done twice or never
ends fails a scenario; how long something took is printed, never judged: a loaded machine is no fault of ours.
"""

import argparse
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "integration")]

sys.path.append(str(HERE.parents[1] / "clients/python"))

import eole  # noqa: E402
import file_server  # noqa: E402
from cluster import BIN, SANITIZER, Cluster, wait_until  # noqa: E402

import disks  # noqa: E402
import proxy  # noqa: E402
import sources  # noqa: E402


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

    def finish(self, cluster, patience=180):
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


# ---- Scenarios: each returns what it saw.

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


def power(options):
    """The power fails: the disk image is copied while the processes are stopped."""
    cuts = max(2, int(options.minutes * 20))
    done = lost = told = 0
    with disks.Image("ext4", "1G") as image:
        with Cluster("--data", f"{image.mount}/eole/data", workers=2,
                     directory=str(image.mount)) as cluster:
            client = Client(cluster, options.rate, cuts * 10 + 10)  # Ended by hand.
            while done < cuts:
                time.sleep(options.random.uniform(0.2, 1.0))
                running = pids(cluster)
                for pid in running.values():
                    os.kill(pid, signal.SIGSTOP)
                told = count_lines(client.accepted)
                with image.cut() as remains:
                    for pid in running.values():
                        os.kill(pid, signal.SIGCONT)
                    lost += check_remains(remains, client.accepted, told)
                done += 1
            client.load.kill()
            client.load.communicate()
            cluster.stop()
    if lost:
        raise AssertionError(f"{lost} acknowledged tasks lost in {done} power cuts")
    return {"cuts": done, "lost": lost, "answers_before_the_last": told}


def count_lines(path):
    return pathlib.Path(path).read_bytes().count(b"\n") if os.path.exists(path) else 0


def check_remains(remains, accepted, lines):
    """A cluster starts from what the disk held; all that was answered before must be there."""
    before = f"{remains}/answered"
    with open(accepted, encoding="ascii") as file, open(before, "w", encoding="ascii") as out:
        for _ in range(lines):
            out.write(file.readline())
    with Cluster("--data", f"{remains}/eole/data", workers=0,
                 env={"XDG_STATE_HOME": tempfile.mkdtemp()}, directory=str(remains)) as again:
        again.status()
        again.stop()
    done = subprocess.run([BIN / "eole-chaos", "check", f"{remains}/eole/data", before],
                          capture_output=True, text=True)
    return json.loads(done.stdout)["lost"]


def sync(options):
    """The disk takes writes and fails the sync: no answer from then on, and a clear error."""
    runs = max(2, int(options.minutes * 10))
    told = took = 0
    for _ in range(runs):
        with disks.Thin("100M", "2G") as image:
            cluster = Cluster("--data", f"{image.mount}/eole/data", workers=0, directory=str(image.mount))
            cluster.start()
            client = Client(cluster, 200_000, 60)
            log = image.mount / "eole/data/logs/ventilator.log"
            wait_until(lambda: "cannot" in read(log) or image.is_exhausted(), 60, "a failed sync")
            at_failure = time.monotonic()
            wait_until(lambda: "cannot" in read(log), 30, "a specific error")
            took = max(took, time.monotonic() - at_failure)
            client.load.kill()
            client.load.communicate()
            cluster.up.kill()
            cluster.up.wait()
            cluster.up.stdout.close()
            wait_until(lambda: not pids_under(image.mount), what="all ended")
            told += count_lines(client.accepted)
            image.drop_caches()
            found = subprocess.run([BIN / "eole-chaos", "check", f"{image.mount}/eole/data",
                                    client.accepted], capture_output=True, text=True)
            if json.loads(found.stdout)["lost"]:
                raise AssertionError(found.stdout)
    return {"runs": runs, "answers": told, "lost": 0, "error_within_s": round(took, 3)}


def read(path):
    return path.read_text(errors="replace") if path.exists() else ""


def pids_under(path):
    return subprocess.run(["fuser", "-m", str(path)], capture_output=True).stdout.split()


def full(options):
    """The disk is full: submits are refused by name, all else goes on, and it heals by itself."""
    cycles = max(2, int(options.minutes * 5))
    refusals = []
    healed = []
    with disks.Tmpfs("900M") as mount:
        with Cluster("--data", f"{mount}/eole/data", workers=2, directory=str(mount)) as cluster:
            client = Client(cluster, 1000, 1)
            said = client.finish(cluster)
            for _ in range(cycles):
                slow = [{"kind": "sleep", "args": {"seconds": 0.5}}] * 4
                before = len(cluster.submit(slow))
                ballast = mount / "ballast"
                free = shutil.disk_usage(mount).free
                ballast.write_bytes(b"\0" * max(0, free - (100 << 20)))
                start = time.monotonic()
                refused = wait_until(lambda: refusal(cluster), 30, "a refusal")
                refusals.append(time.monotonic() - start)
                assert "storage full" in refused, refused
                said["accepted"] += before
                cluster.wait_settled(said["accepted"])  # What was accepted goes on.
                ballast.unlink()
                start = time.monotonic()
                accepted = wait_until(lambda: not refusal(cluster), 30, "accepting again")
                healed.append(time.monotonic() - start)
                said["accepted"] = cluster.status()["accepted"]
                assert accepted
            cluster.wait_settled(said["accepted"])
            cluster.stop()
            found = check(cluster, client)
    return {"cycles": cycles, "refused_within_s": round(max(refusals), 2),
            "healed_within_s": round(max(healed), 2), **found}


def refusal(cluster):
    done = cluster.eole("submit", "echo", "1", "--json", check=False)
    return done.stderr.strip() if done.returncode else ""


def files(options):
    """64 file descriptors, and a hundred silent connections to the cluster's port."""
    seconds = min(20, options.minutes * 20)
    with Cluster("--listen", "127.0.0.1", workers=2,
                 prefix=["prlimit", "--nofile=64:64"]) as cluster:
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
                wait_until(lambda: runs_again(cluster.task(task)), 10, "a hung worker's task moves")
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
                wait_until(lambda: runs_again(cluster.task(task)), 30, "it runs again")
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


SCENARIOS = [downloads, storm, busy, restart, redelivery, network, power, sync, full, files, clock, namespaces]


def run_one(scenario, options):
    start = time.monotonic()
    try:
        if scenario in (power, sync, full, namespaces) and os.geteuid() != 0:
            raise Skipped("needs root")
        saw = scenario(options)
        outcome = "ok"
    except (Skipped, disks.Missing) as why:
        saw, outcome = {"why": str(why)}, "skipped"
    except Exception as error:  # noqa: BLE001 - the next scenario runs all the same
        saw, outcome = {"why": f"{type(error).__name__}: {error}"}, "FAILED"
    print(json.dumps({"scenario": scenario.__name__, "outcome": outcome,
                      "seconds": round(time.monotonic() - start, 1), **saw}), flush=True)
    return outcome != "FAILED"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1, help="of the storm; the others scale with it")
    parser.add_argument("--rate", type=int, default=5000, help="tasks a second")
    parser.add_argument("--answers", type=int, default=None, help="of hostile sources [300 a minute]")
    parser.add_argument("--seed", type=int, default=None, help="of what happens when")
    parser.add_argument("--only", default="", help=", ".join(each.__name__ for each in SCENARIOS))
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.randrange(1 << 32)
    print(f"chaos: seed {seed}", flush=True)
    good = True
    for scenario in SCENARIOS:
        if options.only and scenario.__name__ not in options.only.split(","):
            continue
        options.random = random.Random(seed)
        good = run_one(scenario, options) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
