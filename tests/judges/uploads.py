"""16 uploads of 1 GiB at once, each of bytes of its own: all arrive, and the gateway's memory stays what it was."""

import hashlib
import http.client
import os
import shutil
import threading
import time

from cluster import Cluster
from http_client import Http
from judge import memory

COUNT, SIZE, PIECE = 16, 1 << 30, 1 << 20
DISK_MIN = 40 << 30   # Once in the gateway's directory, once in the sink's store.
GROWTH_MAX = 64 << 20


def send(port, number, digests, answers):
    piece = os.urandom(PIECE)
    head = (f'--b\r\nContent-Disposition: form-data; name="kind"\r\n\r\necho\r\n--b\r\nContent-Disposition: form-data; '
            f'name="file"; filename="{number}.bin"\r\n\r\n').encode()
    tail = b"\r\n--b--\r\n"
    digest = hashlib.sha256()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    connection.putrequest("POST", "/upload")
    connection.putheader("Content-Type", "multipart/form-data; boundary=b")
    connection.putheader("Content-Length", str(len(head) + SIZE + len(tail)))
    connection.endheaders()
    connection.send(head)
    for _ in range(SIZE // PIECE):
        digest.update(piece)
        connection.send(piece)
    connection.send(tail)
    answer = connection.getresponse()
    answers[number] = (answer.status, answer.read())
    digests[number] = digest.hexdigest()
    connection.close()


def run(_seconds):
    with Cluster(workers=1) as cluster:
        free = shutil.disk_usage(cluster.directory).free
        assert free >= DISK_MIN, f"{free >> 30} GiB of disk are free, {DISK_MIN >> 30} are needed"
        gateway = Http(cluster)
        pid = gateway.get("/cluster")["gateway"]["pid"]
        before, peak, digests, answers = memory(pid), 0, {}, {}
        threads = [threading.Thread(target=send, args=(gateway.port, number, digests, answers)) for number in range(COUNT)]
        begun = time.monotonic()
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            peak = max(peak, memory(pid))
            time.sleep(0.1)
        took = time.monotonic() - begun
        for number in range(COUNT):
            status, body = answers.get(number, (0, b"broken off"))
            assert status == 202 and digests[number].encode() in body, f"upload {number}: {status} {body}"
        print(f"upload: {COUNT} x {SIZE >> 30} GiB in {took:.0f} s ({COUNT * SIZE / took / 1e6:.0f} MB/s); the gateway had "
              f"{before >> 20} MiB, {peak >> 20} MiB at most", flush=True)
        assert memory(pid, "VmHWM") - before <= GROWTH_MAX, (
            f"the gateway grew by {(memory(pid, 'VmHWM') - before) >> 20} MiB, limit {GROWTH_MAX >> 20} MiB")
