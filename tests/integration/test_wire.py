"""Strangers at the ports: mutated ZMTP streams, a port scan, and frames that announce too much."""

import os
import random
import re
import socket
import struct
import unittest

from cluster import Cluster, wait_until

STREAMS = int(os.environ.get("EOLE_STREAMS", "600"))  # A person sets it high.
GREETING = b"\xff" + b"\0" * 8 + b"\x7f\x03\x01" + b"CURVE".ljust(20, b"\0") + b"\0" * 32


def mutated(random_):
    """A ZMTP stream that begins well and goes wrong somewhere."""
    stream = bytearray(GREETING)
    if random_.random() < 0.3:
        stream[12:32] = random_.choice([b"NULL", b"PLAIN", b"GSSAPI", b"\xff" * 20]).ljust(20, b"\0")
    if random_.random() < 0.5:  # A command frame: CURVE's HELLO, with made-up content.
        body = b"\x05HELLO" + bytes(random_.randrange(256) for _ in range(194))
        stream += bytes([4, len(body)]) + body
    if random_.random() < 0.3:  # A long frame that announces up to 2^63 bytes.
        stream += b"\x02" + struct.pack(">Q", random_.choice([1 << 20, 1 << 33, (1 << 63) - 1])) + b"x" * 100
    for _ in range(random_.randrange(6)):
        stream[random_.randrange(len(stream))] = random_.randrange(256)
    if random_.random() < 0.2:
        del stream[random_.randrange(len(stream)):]
    return bytes(stream)


class Wire(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster("--listen", "127.0.0.1", workers=1)
        cls.cluster.start()
        with open(f"{cls.cluster.directory}/eole/cluster.toml", encoding="utf-8") as file:
            cls.ports = [int(port) for port in re.findall(r"tcp://127.0.0.1:(\d+)'", file.read())]

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)

    def memory(self):
        total = 0
        for role in self.cluster.status()["roles"]:
            with open(f"/proc/{role['pid']}/status", encoding="ascii") as file:
                total += int(re.search(r"VmHWM:\s+(\d+)", file.read())[1])
        return total

    def pids(self):
        return {(role["role"], role["pid"]) for role in self.cluster.status()["roles"]}

    def check_unharmed(self, pids):
        self.assertEqual(self.pids(), pids)
        self.assertIn("done", self.cluster.eole("submit", "echo", "still here", "--wait").stdout)

    def test_mutated_streams_end_nothing_but_themselves(self):
        self.assertGreaterEqual(len(self.ports), 5)
        random_ = random.Random(20)
        pids, before = self.pids(), self.memory()
        open_ = []
        for number in range(STREAMS):
            stranger = socket.create_connection(("127.0.0.1", self.ports[number % len(self.ports)]), timeout=5)
            try:
                stranger.sendall(mutated(random_))
                if random_.random() < 0.2:
                    stranger.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # It was cut off already.
            open_.append(stranger)
            if len(open_) > 50:
                open_.pop(random_.randrange(len(open_))).close()
        for stranger in open_:
            stranger.close()
        self.check_unharmed(pids)
        self.assertLess(self.memory() - before, 64 << 10)  # kB: 64 MiB for all roles together.

    def test_a_port_scan_finds_only_what_is_meant_and_harms_nothing(self):
        pids = self.pids()
        found = []
        for port in range(1024, 65536):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    found.append(port)
                    try:
                        probe.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    except OSError:
                        pass
        self.assertLessEqual(set(self.ports), set(found))
        self.check_unharmed(pids)

    def test_silent_strangers_do_not_stop_the_cluster(self):
        silent = [socket.create_connection(("127.0.0.1", self.ports[0])) for _ in range(200)]
        wait_until(lambda: "done" in self.cluster.eole("submit", "echo", "1", "--wait").stdout)
        for stranger in silent:
            stranger.close()


if __name__ == "__main__":
    unittest.main()
