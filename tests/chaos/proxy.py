"""A TCP proxy that cuts, delays, truncates and half-closes what goes through it."""

import asyncio
import os
import random
import re
import socket
import subprocess
import sys

ENDPOINT = re.compile(r"^(\w+) = 'tcp://([\d.]+):(\d+)'$", re.M)


def endpoints(cluster_file):
    """Name -> (address, port) of the TCP endpoints in a cluster file."""
    with open(cluster_file, encoding="utf-8") as file:
        return {name: (address, int(port)) for name, address, port in ENDPOINT.findall(file.read())}


def silent_connections(targets, count):
    """Connections that never say a word; fewer where the server takes no more."""
    made = []
    for number in range(count):
        try:
            made.append(socket.create_connection(targets[number % len(targets)], timeout=1))
        except OSError:
            break
    return made


class Proxy:
    """`with Proxy(cluster, seed) as p`: p.cluster_file is a join file whose ways go through it."""

    def __init__(self, cluster, seed):
        self.cluster_file = f"{cluster.directory}/through.toml"
        direct = f"{cluster.directory}/client.toml"
        cluster.eole("join", "--role", "admin", "-o", direct)
        self.process = subprocess.Popen(
            [sys.executable, __file__, direct, self.cluster_file, str(seed)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.cuts = 0

    def __enter__(self):
        assert self.process.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.cuts = self.process.communicate()[0].count("cut")


class Between:
    """The proxy itself: a listener for each endpoint."""

    def __init__(self, direct, through, seed):
        self.direct, self.through = direct, through
        self.random = random.Random(seed)

    async def run(self):
        with open(self.direct, encoding="utf-8") as file:
            text = file.read()
        for name, target in endpoints(self.direct).items():
            server = await asyncio.start_server(
                lambda reader, writer, target=target: self.serve(reader, writer, target),
                "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            text = text.replace(f"{name} = 'tcp://{target[0]}:{target[1]}'",
                                f"{name} = 'tcp://127.0.0.1:{port}'")
        with open(self.through, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(text)
        print("ready", flush=True)
        await asyncio.Event().wait()

    async def serve(self, reader, writer, target):
        try:
            there, back = await asyncio.open_connection(*target)
        except OSError:
            writer.close()
            return
        end = asyncio.get_running_loop().time() + self.random.uniform(0.5, 8)
        fate = self.random.choice(["cut", "half", "truncate", "delay"])
        await asyncio.gather(self.pump(reader, back, end, fate), self.pump(there, writer, end, fate),
                             return_exceptions=True)
        for one in (writer, back):
            one.close()

    async def pump(self, source, sink, end, fate):
        loop = asyncio.get_running_loop()
        while True:
            try:
                data = await asyncio.wait_for(source.read(65536), max(0.01, end - loop.time()))
            except asyncio.TimeoutError:
                data = b""
            if fate == "delay":
                await asyncio.sleep(self.random.uniform(0, 0.05))
            if not data or loop.time() >= end:
                print("cut", flush=True)
                if fate == "truncate":
                    sink.write(data[:len(data) // 2])
                if fate == "half" and sink.can_write_eof():
                    sink.write_eof()
                    await asyncio.sleep(1)
                return
            sink.write(data)
            await sink.drain()


if __name__ == "__main__":
    asyncio.run(Between(*sys.argv[1:]).run())
