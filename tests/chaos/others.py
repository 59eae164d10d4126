"""The same faults against other systems: power cuts, kills, a disk whose sync fails.

./dev others [--cuts N] [--kills N] [--runs N]: each system in its durable setting and in its
default, from Debian's packages (redis-server beanstalkd nats-server rabbitmq-server python3-redis
python3-pika). A client puts numbered messages and writes down each that was acknowledged; after the
fault the server starts again from what is left, and the messages are counted.
"""

import argparse
import glob
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "integration")]

import disks  # noqa: E402

BATCH = 20


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A peer's server on a directory; subclasses say how to start it and how to talk to it."""

    def __init__(self, directory, is_durable):
        self.directory = pathlib.Path(directory)
        self.is_durable = is_durable
        self.port = free_port()
        self.process = None

    def start(self, seconds=60):
        self.process = subprocess.Popen(self.command(), env={**os.environ, **self.environment()},
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        start_new_session=True)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                self.ready()
                return
            except Exception:  # noqa: BLE001 - not up yet
                time.sleep(0.05)
        raise RuntimeError("the server did not start")

    def environment(self):
        return {}

    def signal(self, number):
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait()


class Redis(Server):
    def command(self):
        sync = "always" if self.is_durable else "everysec"
        return ["redis-server", "--port", str(self.port), "--dir", str(self.directory), "--save", "",
                "--appendonly", "yes", "--appendfsync", sync]

    def connect(self):
        import redis
        return redis.Redis(port=self.port, socket_timeout=5)

    def ready(self):
        self.connect().ping()

    def put(self, link, numbers):
        with link.pipeline(transaction=False) as pipe:
            for number in numbers:
                pipe.rpush("q", number)
            return [number for number, said in zip(numbers, pipe.execute()) if isinstance(said, int)]

    def messages(self):
        return {int(each) for each in self.connect().lrange("q", 0, -1)}


class Beanstalkd(Server):
    def command(self):
        return ["beanstalkd", "-l", "127.0.0.1", "-p", str(self.port), "-b", str(self.directory),
                *(["-f", "0"] if self.is_durable else [])]

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=5).makefile("rwb")

    def ready(self):
        self.connect()

    def put(self, link, numbers):
        for number in numbers:
            body = str(number).encode()
            link.write(b"put 0 0 600 %d\r\n%s\r\n" % (len(body), body))
        link.flush()
        return [number for number in numbers if self.line(link).startswith(b"INSERTED")]

    @staticmethod
    def line(link):
        said = link.readline()
        if not said:
            raise ConnectionError("closed")
        return said

    def messages(self):
        link = self.connect()
        found = set()
        while True:
            link.write(b"reserve-with-timeout 0\r\n")
            link.flush()
            said = self.line(link).split()
            if said[0] != b"RESERVED":
                return found
            body = link.read(int(said[2]) + 2).strip()
            if body.isdigit():  # After a crash it may hand out zeros.
                found.add(int(body))


class Nats(Server):
    """JetStream with file storage. Version 2.9 has no setting that syncs before the answer."""

    def command(self):
        return ["nats-server", "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd",
                str(self.directory)]

    def connect(self):
        link = socket.create_connection(("127.0.0.1", self.port), timeout=5).makefile("rwb")
        link.readline()
        link.write(b'CONNECT {"verbose":false}\r\nSUB inbox 1\r\n')
        link.flush()
        return link

    def ask(self, link, subject, body=b""):
        link.write(b"PUB %s inbox %d\r\n%s\r\n" % (subject, len(body), body))

    def answer(self, link):
        while True:
            line = link.readline()
            if not line:
                raise ConnectionError("closed")
            if line.startswith(b"PING"):
                link.write(b"PONG\r\n")
                link.flush()
            if line.startswith(b"MSG"):
                return json.loads(link.read(int(line.split()[-1]) + 2))

    def ready(self):
        link = self.connect()
        self.ask(link, b"$JS.API.STREAM.CREATE.q",
                 b'{"name":"q","subjects":["q"],"storage":"file"}')
        link.flush()
        self.answer(link)

    def put(self, link, numbers):
        for number in numbers:
            self.ask(link, b"q", str(number).encode())
        link.flush()
        return [number for number in numbers if "seq" in self.answer(link)]

    def messages(self):
        link = self.connect()
        self.ask(link, b"$JS.API.STREAM.INFO.q")
        link.flush()
        state = self.answer(link)["state"]
        found = set()
        import base64
        for first in range(state["first_seq"], state["last_seq"] + 1, 500):
            numbers = range(first, min(first + 500, state["last_seq"] + 1))
            for number in numbers:
                self.ask(link, b"$JS.API.STREAM.MSG.GET.q", b'{"seq":%d}' % number)
            link.flush()
            for _ in numbers:
                said = self.answer(link)
                if "message" in said:
                    found.add(int(base64.b64decode(said["message"]["data"])))
        return found


class RabbitMQ(Server):
    """Publisher confirms and persistent messages: a quorum queue, or (its default) a classic one."""

    def command(self):
        return glob.glob("/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server")[:1]

    # Its queues remember their directory's name: a copy must be found under the same one.
    place = pathlib.Path(tempfile.gettempdir(), f"eole-rabbitmq-{os.getpid()}")

    def environment(self):
        self.place.unlink(missing_ok=True)
        self.place.symlink_to(self.directory)
        # A node that takes its time to die keeps its name: the next test's has another.
        known = [path.name for path in self.directory.glob("data/*@localhost")]
        name = known[0] if known else f"eole{random.randrange(1 << 30)}@localhost"
        return {"HOME": str(self.place), "RABBITMQ_NODENAME": name,
                "RABBITMQ_MNESIA_BASE": f"{self.place}/data", "RABBITMQ_LOG_BASE": f"{self.place}/log",
                "RABBITMQ_ENABLED_PLUGINS_FILE": f"{self.place}/plugins",
                "RABBITMQ_CONF_ENV_FILE": "/dev/null", "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
                "RABBITMQ_NODE_PORT": str(self.port), "RABBITMQ_DIST_PORT": str(free_port()),
                "ERL_CRASH_DUMP": "/dev/null"}

    def start(self, seconds=60):
        # Its setting up is not what is tested: a kill or a power cut soon after that can cost its
        # cookie or a quorum queue's registration for good. So it ends in good order once.
        is_new = not (self.directory / "data").exists()
        super().start(seconds)
        if is_new:
            self.signal(signal.SIGTERM)
            self.process.wait(60)
            os.sync()
            super().start(seconds)

    def connect(self):
        import pika
        link = pika.BlockingConnection(pika.ConnectionParameters(
            port=self.port, socket_timeout=5, blocked_connection_timeout=10)).channel()
        kind = "quorum" if self.is_durable else "classic"
        link.queue_declare("q", durable=True, arguments={"x-queue-type": kind})
        link.confirm_delivery()
        return link

    def ready(self):
        self.connect().connection.close()

    def put(self, link, numbers):
        import pika
        persistent = pika.BasicProperties(delivery_mode=2)
        for number in numbers:  # Returns when it is confirmed.
            link.basic_publish("", "q", str(number).encode(), persistent, mandatory=True)
        return numbers

    def messages(self):
        until = time.monotonic() + 60  # A queue may take a while to come back.
        found = set()
        while True:
            try:
                link = self.connect()
                for method, _, body in link.consume("q", auto_ack=True, inactivity_timeout=5):
                    if method is None:
                        return found
                    found.add(int(body))
            except Exception:  # noqa: BLE001 - not yet
                if time.monotonic() > until:
                    raise
                time.sleep(1)


PEERS = {"Redis list": Redis, "beanstalkd": Beanstalkd, "NATS JetStream": Nats,
         "RabbitMQ": RabbitMQ}
SETTINGS = {
    Redis: {True: "appendfsync always", False: "appendfsync everysec (default)"},
    Beanstalkd: {True: "-b, -f 0", False: "-b (default, 50 ms)"},
    Nats: {False: "file storage (default)"},
    RabbitMQ: {True: "quorum queue", False: "classic durable queue (default)"},
}


class Putter(threading.Thread):
    """Puts numbered messages and remembers which were acknowledged; reconnects by itself."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server = server
        self.acknowledged = []
        self.next = 1
        self.is_over = False

    def run(self):
        link = None
        while not self.is_over:
            numbers = list(range(self.next, self.next + BATCH))
            self.next += BATCH
            try:
                link = link or self.server.connect()
                self.acknowledged += self.server.put(link, numbers)
            except Exception:  # noqa: BLE001 - not acknowledged; on with the next ones
                link = None
                time.sleep(0.05)

    def stop(self):
        self.is_over = True
        self.join(10)


def power(kind, is_durable, cuts):
    lost = acknowledged = unstarted = 0
    for _ in range(cuts):
        with disks.Image("ext4", "1G") as image:
            server = kind(image.mount, is_durable)
            server.start()
            putter = Putter(server)
            putter.start()
            time.sleep(random.uniform(1, 2))
            server.signal(signal.SIGSTOP)
            promised = list(putter.acknowledged)
            with image.cut() as remains:
                server.signal(signal.SIGCONT)
                server.kill()
                putter.stop()
                again = kind(remains, is_durable)
                try:
                    again.start(90)
                    found = again.messages()
                except Exception:  # noqa: BLE001 - it does not start: all is lost
                    found = set()
                    unstarted += 1
                again.kill()
            acknowledged += len(promised)
            lost += len(set(promised) - found)
    return {"cuts": cuts, "acknowledged": acknowledged, "lost": lost, "did_not_start": unstarted}


def kills(kind, is_durable, count):
    directory = tempfile.mkdtemp()
    server = kind(directory, is_durable)
    try:
        server.start()
        putter = Putter(server)
        putter.start()
        for _ in range(count):
            time.sleep(random.uniform(0.5, 1))
            server.kill()
            server.start()
        putter.stop()
        found = server.messages()
    finally:
        server.kill()
    shutil.rmtree(directory, ignore_errors=True)
    return {"kills": count, "acknowledged": len(putter.acknowledged),
            "lost": len(set(putter.acknowledged) - found)}


def failing_sync(kind, is_durable, runs):
    lost = acknowledged = after = unstarted = 0
    for _ in range(runs):
        with disks.Thin("100M", "2G") as image:
            server = kind(image.mount, is_durable)
            server.start()
            ballast = image.mount / "ballast"  # Takes the room, so that the server's sync fails.
            putter = Putter(server)
            putter.start()
            time.sleep(1)
            with open(ballast, "wb") as file:
                for _ in range(120):
                    try:
                        file.write(os.urandom(1 << 20))
                        file.flush()
                        os.fdatasync(file.fileno())
                    except OSError:
                        break
            full = len(putter.acknowledged)
            time.sleep(4)
            putter.stop()
            server.kill()
            image.drop_caches()
            after += len(putter.acknowledged) - full
            ballast.unlink()  # There is room again: what refuses to start now has a reason.
            subprocess.run(["fstrim", image.mount], capture_output=True)
            again = kind(image.mount, is_durable)
            try:
                again.start(20)
                found = again.messages()
                lost += len(set(putter.acknowledged) - found)
            except Exception:  # noqa: BLE001 - it refuses what is left: nobody can say what is lost
                unstarted += 1
            again.kill()
            acknowledged += len(putter.acknowledged)
    return {"runs": runs, "acknowledged": acknowledged, "after_the_disk_was_full": after,
            "lost": lost, "did_not_start": unstarted}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cuts", type=int, default=10)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="", help="names, by comma: " + ", ".join(PEERS))
    options = parser.parse_args()
    rows = []
    for name, kind in PEERS.items():
        if options.only and name not in options.only.split(","):
            continue
        for is_durable, setting in SETTINGS[kind].items():
            for test, count in ((power, options.cuts), (kills, options.kills),
                                (failing_sync, options.runs)):
                try:
                    found = test(kind, is_durable, count)
                except Exception as error:  # noqa: BLE001 - the next one runs all the same
                    found = {"error": f"{type(error).__name__}: {error}"[:80]}
                print(json.dumps({"system": name, "setting": setting, "test": test.__name__,
                                  **found}), flush=True)
                rows.append([name, setting, TITLES[test.__name__], f"{count}",
                             *(str(found.get(key, "")) for key in
                               ("acknowledged", "lost", "did_not_start")), found.get("error", "")])
    if not options.only:
        write_page(rows)


TITLES = {"power": "power cut", "kills": "kill -9", "failing_sync": "failing sync"}
PAGE = """# Other systems under the same faults

Written by `./dev others`, on one machine in one run: {cuts}.

One node each, from Debian 12. A client puts numbered messages and writes down each that was acknowledged; *lost* counts
those that are not there after the fault. A server that does not start from what is left within 90 s, or does not give
its messages, is counted on its own; after a power cut its messages count as lost, after a failing sync nobody can say.
Eole's own figures for the same faults are in [guarantees.md](guarantees.md).

| system | setting | fault | times | acknowledged | lost | did not start | |
|---|---|---|---|---|---|---|---|
"""


def write_page(rows):
    times = ", ".join(sorted({f"{row[3]} × {row[2]}" for row in rows}))
    page = PAGE.format(cuts=times) + "".join("| " + " | ".join(row) + " |\n" for row in rows)
    (HERE.parents[1] / "docs/others.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
