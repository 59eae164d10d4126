"""Scenarios: the power fails, the disk fails, the disk is full."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import disks
from cluster import BIN, Cluster, wait_until
from rig import PATIENCE, Client, check, pids, read


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
            wait_until(lambda: "cannot" in read(log) or image.is_exhausted(), PATIENCE, "a failed sync")
            at_failure = time.monotonic()
            wait_until(lambda: "cannot" in read(log), PATIENCE, "a specific error")
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
                refused = wait_until(lambda: refusal(cluster), PATIENCE, "a refusal")
                refusals.append(time.monotonic() - start)
                assert "storage full" in refused, refused
                said["accepted"] += before
                cluster.wait_settled(said["accepted"])  # What was accepted goes on.
                ballast.unlink()
                start = time.monotonic()
                accepted = wait_until(lambda: not refusal(cluster), PATIENCE, "accepting again")
                healed.append(time.monotonic() - start)
                cluster.eole("cancel", "--project", "ballast")
                said["accepted"] = cluster.status()["accepted"]
                assert accepted
            cluster.wait_settled(said["accepted"])
            cluster.stop()
            found = check(cluster, client)
    return {"cycles": cycles, "refused_within_s": round(max(refusals), 2),
            "healed_within_s": round(max(healed), 2), **found}


def refusal(cluster):
    """Of a large task that nobody takes: it uses up what is left of the journal's segments."""
    task = json.dumps({"kind": "elsewhere", "project": "ballast", "args": {"text": "x" * 900_000}})
    done = cluster.eole("submit", "--file", "-", input=task + "\n", check=False)
    return done.stderr.strip() if done.returncode else ""
