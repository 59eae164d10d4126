"""Slow clients and many clients, with an honest one beside them."""

import resource
import socket
import subprocess
import time

from cluster import Cluster, wait_until
from http_client import Http
from judge import Honest, memory, tool

P99_SECONDS_MAX = 0.1
ATTACKS = {
    "-H": ("-i", "10", "-t", "GET", "-x", "24", "-p", "3"),
    "-B": ("-i", "10", "-s", "8192", "-t", "POST", "-x", "10", "-p", "3"),
    "-X": ("-w", "512", "-y", "1024", "-n", "5", "-z", "32", "-k", "3", "-p", "3"),
    "-R": ("-a", "10", "-b", "3000", "-t", "HEAD", "-p", "3"),
}


def judged(name, honest):
    print(f"{name}: {honest.told()}", flush=True)
    assert honest.p99() <= P99_SECONDS_MAX, f"p99 {honest.p99() * 1e3:.0f} ms, limit {P99_SECONDS_MAX * 1e3:.0f} ms"
    assert not honest.errors, f"the honest client was refused: {honest.errors[:3]}"


def slow(seconds):
    program = tool("slowhttptest", "Debian: slowhttptest")
    with Cluster(workers=1) as cluster:
        http = Http(cluster)
        pid = http.get("/cluster")["gateway"]["pid"]
        form = (b'--b\r\nContent-Disposition: form-data; name="kind"\r\n\r\necho\r\n--b\r\nContent-Disposition: form-data; '
                b'name="file"; filename="a"\r\n\r\n' + bytes(8 << 20) + b"\r\n--b--\r\n")
        body = http.ask("POST", "/upload", form, {"Content-Type": "multipart/form-data; boundary=b"})[2]
        places = {"-H": "/healthz", "-B": "/upload", "-X": f"/artifact/{body['sha256']}", "-R": f"/artifact/{body['sha256']}"}
        with Honest(http.port) as honest:
            time.sleep(min(5, seconds))
        judged("slow: nobody else", honest)
        for attack, flags in ATTACKS.items():
            with Honest(http.port) as honest:
                subprocess.run([program, attack, "-c", "1000", "-r", "200", "-l", str(seconds), *flags, "-u",
                                f"http://127.0.0.1:{http.port}{places[attack]}"], capture_output=True, check=False)
            judged(f"slow: slowhttptest {attack} -c 1000, gateway {memory(pid) >> 20} MiB", honest)


def sockets(seconds):
    count = 10_000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 1000), hard))
    try:
        with Cluster(workers=1) as cluster:
            many(Http(cluster), count, seconds)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def many(http, count, seconds):
    pid = http.get("/cluster")["gateway"]["pid"]
    before, peers = memory(pid), []
    with Honest(http.port) as honest:
        wait_until(lambda: honest.seconds, what="the honest client is served")
        for number in range(count):
            peer = socket.create_connection(("127.0.0.1", http.port), timeout=30)
            peers.append(peer)
            if number % 2:  # Every other one has begun to ask.
                peer.sendall(b"GET /healthz HTTP/1.1\r\nHost: local")
        time.sleep(min(5, seconds))
        grown = memory(pid) - before
        for peer in peers:
            peer.setblocking(False)
        closed = sum(1 for peer in peers if is_closed(peer))
        for peer in peers:
            peer.close()
    wait_until(lambda: http.ask("GET", "/healthz")[0] == 200, what="it takes new connections again")
    judged(f"sockets: {count} connections, {closed} over the limit and closed, {grown / 2**20:.1f} MiB more", honest)


def is_closed(peer):
    try:
        return peer.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
