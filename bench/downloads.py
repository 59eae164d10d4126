"""Downloads through the whole fabric beside wget2, in turns: downloads.py http://SERVER [big|mid|small …].

The server (nginx with sendfile, say) has big/2g.bin, mid/00.bin to 19.bin of 100 MB, small/0000.bin to 1999.bin of 64 KiB.
Eole's files are hashed and durable when a task is done; wget2's are written to the page cache.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "tests/integration"))
from cluster import Cluster  # noqa: E402 - found there

ROUNDS = 3
SETS = {"big": (["big/2g.bin"], 1), "mid": ([f"mid/{n:02}.bin" for n in range(20)], 4),
        "small": ([f"small/{n:04}.bin" for n in range(2000)], 64)}  # Files, and slots.


def with_wget2(urls):
    with tempfile.TemporaryDirectory() as directory:
        start = time.monotonic()
        subprocess.run(["wget2", "-q", "-P", directory, "-i", "-"], input="\n".join(urls), text=True, check=True)
        seconds = time.monotonic() - start
        assert len(os.listdir(directory)) == len(urls)
        return seconds


def with_eole(urls, slots):
    with Cluster(workers=1, slots=slots) as cluster:
        cluster.eole("status", "--until-workers", "1")
        lines = "".join(json.dumps({"kind": "download", "args": {"url": url}}) + "\n" for url in urls)
        start = time.monotonic()
        cluster.eole("submit", "--file", "-", "--wait", "--json", input=lines)
        return time.monotonic() - start


def main():
    server, *names = sys.argv[1:]
    for name in names or SETS:
        files, slots = SETS[name]
        urls = [f"{server}/{file}" for file in files]
        rounds = [(with_eole(urls, slots), with_wget2(urls)) for _ in range(ROUNDS)]
        ours, theirs = (statistics.median(column) for column in zip(*rounds))
        print(f"{name}: {ours:.2f} s, wget2 {theirs:.2f} s, {ours / theirs:.2f} times", flush=True)


if __name__ == "__main__":
    main()
