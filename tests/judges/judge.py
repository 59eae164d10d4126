"""What the judges share: tools that may be missing, ports, honest clients, a process's memory."""

import contextlib
import http.client
import pathlib
import shutil
import socket
import subprocess
import threading
import time


class Missing(Exception):
    """A tool that is not installed, and where it comes from."""


def tool(name, package):
    """Its path."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if not found:
        raise Missing(f"{name} is not installed ({package})")
    return found


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running(*command, **options):
    """A process as long as the block, killed behind it."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def memory(pid, name="VmRSS"):
    """Bytes."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith(name))


class Honest:
    """A client that asks for /healthz and submits a task in turn, while the block lasts, and notes how long each took."""

    def __init__(self, port):
        self.port = port
        self.seconds = []
        self.errors = []

    def __enter__(self):
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        requests = [("GET", "/healthz", None), ("POST", "/task", '{"kind": "echo", "args": 1}')]
        while not self.is_over.wait(0.005):
            method, path, body = requests[len(self.seconds) % 2]
            begun = time.monotonic()
            try:
                connection.request(method, path, body)
                answer = connection.getresponse()
                answer.read()
                if answer.status >= 400:
                    self.errors.append(answer.status)
            except OSError as error:
                self.errors.append(str(error))
                connection.close()
            self.seconds.append(time.monotonic() - begun)
        connection.close()

    def told(self):
        times = sorted(self.seconds)
        return (f"{len(times)} requests of an honest client, p50 {times[len(times) // 2] * 1e3:.1f} ms, "
                f"p99 {self.p99() * 1e3:.1f} ms, worst {times[-1] * 1e3:.0f} ms, {len(self.errors)} refused or broken")

    def p99(self):
        return sorted(self.seconds)[len(self.seconds) * 99 // 100]
