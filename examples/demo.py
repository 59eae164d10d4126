"""The local cluster demo (./dev demo): real work while a worker is killed and the ventilator restarts.

Starts a cluster of three workers and an HTTP server with real files, downloads them, compresses
photos, runs commands and a 14-queens project, kills one worker with SIGKILL and then the
ventilator in the middle of it all, checks every sha256, and ends with a table and one line.
"""

import collections
import concurrent.futures
import hashlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/integration"))
import file_server  # noqa: E402
from cluster import Cluster  # noqa: E402

BIN = ROOT / "build/release/bin"
PHOTOS = 10
COMMANDS = 40
QUEENS, SOLUTIONS = 14, 365_596
# A few large files and many small ones: 300 MB in all.
SIZES = [100_000_000, 60_000_000, 40_000_000] + [8_000_000] * 8 + [1_000_000] * 20 + [70_000] * 60
COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ


def say(text):
    print(f"\033[36m{text}\033[0m" if COLOUR else text, flush=True)


def make_files(directory):
    """Random files and photos in `directory`; returns {name: sha256} of the files."""
    say(f"making {len(SIZES)} files of {sum(SIZES) / 1e6:.0f} MB and {PHOTOS} photos of 3 MB and more")
    digests = {}
    for number, size in enumerate(SIZES):
        name = f"file-{number:03d}"
        content = os.urandom(size)
        (directory / name).write_bytes(content)
        digests[name] = hashlib.sha256(content).hexdigest()

    def photo(number):
        subprocess.run([BIN / "eole-make-photo", "3200", "2400", "95", str(number),
                        directory / f"photo-{number}.jpg"], check=True)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(photo, range(PHOTOS)))
    return digests


def tasks_of(url, digests, photos):
    tasks = [{"kind": "download", "project": "downloads",
              "args": {"url": f"{url}/{name}", "sha256": digest, "name": name}}
             for name, digest in digests.items()]
    tasks += [{"kind": "image", "project": "photos", "args": {"url": f"{url}/{photo}", "name": photo}}
              for photo in photos]
    tasks += [{"kind": "exec", "project": "commands",
               "args": {"shell": f"sleep 0.2; echo {number} | sha256sum"}} for number in range(COMMANDS)]
    tasks += [{"kind": "nqueens", "project": "queens", "args": {"n": QUEENS, "prefix": [first, second]}}
              for first in range(QUEENS) for second in range(QUEENS) if abs(first - second) > 1]
    return tasks


def show(status, total, started, note=""):
    done = status["settled"]
    filled = 30 * done // total
    line = (f"[{'#' * filled}{'.' * (30 - filled)}] {done}/{total} settled, {status['running']} running, "
            f"{status['queued']} queued, {time.monotonic() - started:.0f} s {note}")
    if sys.stdout.isatty():
        print("\r\033[K" + line, end="", flush=True)
    else:
        print(line, flush=True)


def work_through(cluster, total, started):
    """Waits until all is settled; kills a worker and the ventilator on the way."""
    plans = collections.deque([(total // 5, "w2", "killed worker w2 with SIGKILL"),
                               (total * 2 // 5, "ventilator", "killed the ventilator with SIGKILL")])
    shown = 0.0
    while True:
        try:
            status = cluster.status(timeout=30)
        except AssertionError:  # The ventilator is on its way back.
            continue
        if time.monotonic() - shown > (0.2 if sys.stdout.isatty() else 3):
            shown = time.monotonic()
            show(status, total, started)
        if plans and status["settled"] >= plans[0][0]:
            _, role, text = plans.popleft()
            pid = cluster.pid(role)
            os.kill(pid, signal.SIGKILL)
            print()
            say(f"{text} (pid {pid}); the cluster starts it again")
        if status["settled"] >= total:
            show(status, total, started)
            print()
            return
        time.sleep(0.05)


def check(cluster, log, digests, photos, directory):
    """Every result is right, every file has its bytes. Returns rows of a table."""
    problems = []
    by_kind = collections.defaultdict(list)
    for entry in log:
        if entry["state"] == "done":
            by_kind[entry["kind"]].append(entry)
        elif entry["state"] != "retrying":
            problems.append(f"{entry['id']} {entry['kind']}: {entry['state']}: {entry.get('error')}")

    def fetch(entry):
        target = directory / f"fetched-{entry['id']}"
        cluster.eole("fetch", entry["id"], "-o", target)
        return entry, target, hashlib.sha256(target.read_bytes()).hexdigest()

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for entry, target, digest in pool.map(fetch, by_kind["download"]):
            if digest != digests[entry["artifact"]["name"]]:
                problems.append(f"{entry['id']}: wrong bytes")
            target.unlink()
        for entry, target, digest in pool.map(fetch, by_kind["image"]):
            if digest != entry["artifact"]["sha256"] or target.read_bytes()[:2] != b"\xff\xd8":
                problems.append(f"{entry['id']}: not the picture")
            target.unlink()
    for entry in by_kind["exec"]:
        if not re.fullmatch(r"[0-9a-f]{64}  -\n", entry["value"]["stdout"]):
            problems.append(f"{entry['id']}: wrong output")
    solutions = sum(entry["value"]["solutions"] for entry in by_kind["nqueens"])
    if solutions != SOLUTIONS:
        problems.append(f"{QUEENS} queens: {solutions} solutions, right are {SOLUTIONS}")

    images = by_kind["image"]
    share = sum(i["value"]["bytes"] for i in images) / max(1, sum(i["value"]["input_bytes"] for i in images))
    rows = [("download", len(by_kind["download"]), len(digests),
             f"{sum(e['value']['bytes'] for e in by_kind['download']) / 1e6:.0f} MB, every sha256 checked"),
            ("image", len(images), len(photos), f"output {share:.0%} of the input"),
            ("exec", len(by_kind["exec"]), COMMANDS, "every output checked"),
            ("nqueens", len(by_kind["nqueens"]), (QUEENS - 1) * (QUEENS - 2), f"{solutions:,} solutions")]
    return rows, problems


def main():
    started = time.monotonic()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="eole-demo-"))
    try:
        digests = make_files(directory)
        photos = sorted(path.name for path in directory.glob("photo-*.jpg"))
        server = file_server.serve(str(directory))
        with Cluster("--allow-exec", workers=3, slots=4) as cluster:
            say("the cluster is ready: ventilator, sink and 3 workers, over ipc")
            tasks = tasks_of(server.url, digests, photos)
            working = time.monotonic()
            ids = [line["id"] for line in cluster.submit(tasks)]
            say(f"{len(ids)} tasks accepted")
            work_through(cluster, len(ids), working)
            took = time.monotonic() - working
            say("reading the whole log, fetching every artifact, checking every sha256")
            log = cluster.log()
            rows, problems = check(cluster, log, digests, photos, directory)
            finals = collections.Counter(e["id"] for e in log if e["state"] != "retrying")
            lost = len(set(ids) - set(finals))
            duplicated = sum(count - 1 for count in finals.values()) + len(set(finals) - set(ids))
            attempts = sum(1 for e in log if e["attempt"] > 1)
        server.shutdown()
        print(f"\n{'kind':<10}{'done':>6}{'of':>6}   what")
        for kind, done, wanted, what in rows:
            print(f"{kind:<10}{done:>6}{wanted:>6}   {what}")
        print(f"\n{len(finals)} tasks in {took:.1f} s ({time.monotonic() - started:.0f} s with making and "
              f"checking the files); {attempts} ran again after the kills")
        for problem in problems:
            print(f"problem: {problem}")
        print(f"demo: {len(ids)} accepted, {len(finals)} settled, {lost} lost, {duplicated} duplicated")
        good = not problems and lost == 0 and duplicated == 0 and all(row[1] == row[2] for row in rows)
        return 0 if good else 1
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
