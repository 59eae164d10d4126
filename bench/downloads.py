"""./dev bench downloads: files from an nginx on this machine through a cluster, beside wget2, in turns.

Eole's files are hashed (SHA-256) and durable when their task is done; wget2's are in the page cache, so that a second
time is told with each of them synced and hashed afterwards. And what the disk alone takes for as many bytes in as many
files, written and synced. Each set has a cluster of one worker. The slow server gives each connection 5 MiB/s; wget2 has
one connection a file.

Of many files nothing is removed before all rounds are over: on ext4 without a journal each new file searches through
those removed in the last minutes, so that whoever comes later would pay for whoever came before.
"""

import contextlib
import functools
import hashlib
import json
import os
import pathlib
import subprocess
import tempfile
import time

from bench import Cluster, cpu_seconds, run
from servers import Server, end_on_sigterm, install

PACKAGES = ["nginx-light", "wget2"]
ROUNDS = 3
SETS = {  # Files, their bytes, slots, and what the server gives each connection.
    "one file of 2 GiB, one slot": (1, 2 << 30, 1, "0"),
    "20 files of 100 MB, four slots": (20, 100_000_000, 4, "0"),
    "2,000 files of 64 KiB, 64 slots": (2000, 64 << 10, 64, "0"),
    "one file of 200 MB, 5 MiB/s a connection": (1, 200_000_000, 1, "5m"),
}
MANY = 1000  # Files, whose removal is felt by those that come later.
NGINX = """worker_processes 1; daemon off; pid DIR/pid; error_log DIR/error;
events { worker_connections 1024; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000;
  client_body_temp_path DIR/1; proxy_temp_path DIR/2; fastcgi_temp_path DIR/3; uwsgi_temp_path DIR/4; scgi_temp_path DIR/5;
  server { listen 127.0.0.1:PORT; root FILES; limit_rate RATE; }
}
"""


def nginx(files, rate):
    def prepare(directory, port):
        text = NGINX.replace("DIR", directory).replace("FILES", files).replace("PORT", str(port)).replace("RATE", rate)
        pathlib.Path(directory, "nginx.conf").write_text(text, encoding="ascii")
        os.chmod(directory, 0o755)  # Its worker is another user, if root starts it.
        return {}
    return Server(["nginx", "-c", "DIR/nginx.conf"], prepare)


def make(directory, count, size):
    """So many files, each another one: the same twice would be one artifact. Paths within the directory."""
    block = os.urandom(min(size, 256 << 10))
    names = [f"{size}-{number:04}.bin" for number in range(count)]
    for name in names:
        with open(os.path.join(directory, name), "wb") as file:
            file.write(name.encode())
            for at in range(len(name), size, len(block)):
                file.write(block[:size - at])
    return names


def sync(path):
    with open(path, "rb") as file:
        os.fdatasync(file.fileno())


def bare_disk(directory, count, size):
    """Seconds until so many bytes in so many files are durable, and nothing else is done."""
    start = time.monotonic()
    for name in make(directory, count, size):
        sync(os.path.join(directory, name))
    return time.monotonic() - start


def with_wget2(directory, urls):
    """Seconds, and seconds until each file is synced and hashed as well."""
    lines, files = pathlib.Path(directory, "urls"), pathlib.Path(directory, "files")
    lines.write_text("".join(f"{url}\n" for url in urls), encoding="ascii")  # It may hang with a pipe.
    start = time.monotonic()
    subprocess.run(["wget2", "-q", "-P", files, "-i", lines], check=True, timeout=120)
    seconds = time.monotonic() - start
    found = list(files.iterdir())
    assert len(found) == len(urls)
    for file in found:
        sync(file)
        with open(file, "rb") as opened:
            hashlib.file_digest(opened, "sha256")
    return seconds, time.monotonic() - start


def with_eole(directory, urls, slots):
    """Seconds, and processor seconds of the roles."""
    with Cluster(workers=1, slots=slots, directory=directory) as cluster:
        cluster.eole("status", "--until-workers", "1")
        pids = [each["pid"] for each in cluster.status()["roles"]]
        before = sum(map(cpu_seconds, pids))
        lines = "".join(json.dumps({"kind": "download", "args": {"url": url}}) + "\n" for url in urls)
        start = time.monotonic()
        cluster.eole("submit", "--file", "-", "--wait", "--json", input=lines)
        seconds = time.monotonic() - start
        return seconds, sum(map(cpu_seconds, pids)) - before


@functools.cache
def turns(name):
    """Of each round: Eole's seconds, its processor seconds for each GB, wget2's two, the disk's alone."""
    count, size, slots, limit = SETS[name]
    with contextlib.ExitStack() as kept:
        def in_a_new_directory(what, *arguments):
            with contextlib.ExitStack() as at_once:
                removed = kept if count >= MANY else at_once
                return what(removed.enter_context(tempfile.TemporaryDirectory(prefix="eole-peer-")), *arguments)
        served = kept.enter_context(tempfile.TemporaryDirectory(prefix="eole-peer-"))
        os.chmod(served, 0o755)
        names = make(served, count, size)
        found = []
        with nginx(served, limit) as server:
            urls = [f"http://127.0.0.1:{server.port}/{each}" for each in names]
            for _ in range(ROUNDS if limit == "0" else 1):  # wget2 takes 38 s for what is slow.
                seconds, spent = in_a_new_directory(with_eole, urls, slots)
                found.append((seconds, spent / (count * size / 1e9), *in_a_new_directory(with_wget2, urls),
                              in_a_new_directory(bare_disk, count, size)))
        return found


def times(name, which):
    """Eole's seconds over another's."""
    return [each[0] / each[which] for each in turns(name)]


MEASURES = []
for each, (_, _, _, rate) in SETS.items():
    MEASURES += [
        (each, "s", lambda name=each: [found[0] for found in turns(name)], 1),
        (f"{each}: of wget2's time, in turns", "times", lambda name=each: times(name, 2), 1),
    ]
    if rate == "0":
        MEASURES += [
            (f"{each}: of wget2's with a sync and a SHA-256 of each", "times", lambda name=each: times(name, 3), 1),
            (f"{each}: of the disk's alone", "times", lambda name=each: times(name, 4), 1),
        ]
    MEASURES.append(
        (f"{each}: processor time of all roles for a GB", "s", lambda name=each: [found[1] for found in turns(name)], 1))


def prepare():
    end_on_sigterm()
    install(PACKAGES)


if __name__ == "__main__":
    run(MEASURES, "downloads", "./dev bench downloads", __doc__, prepare)
