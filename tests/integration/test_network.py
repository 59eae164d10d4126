"""Workers, sink and client in network namespaces of their own: TCP with CURVE between them."""

import hashlib
import itertools
import os
import subprocess
import tempfile
import unittest

import file_server
from cluster import BIN, Cluster, wait_until


def ip(*arguments, check=True):
    return subprocess.run(["ip", *arguments], check=check, capture_output=True, text=True)


def can_make_namespaces():
    name = f"eole-probe-{os.getpid()}"
    try:
        if ip("netns", "add", name, check=False).returncode != 0:
            return False
        is_usable = ip("-n", name, "link", "set", "lo", "up", check=False).returncode == 0
        return ip("netns", "del", name, check=False).returncode == 0 and is_usable
    except FileNotFoundError:
        return False


@unittest.skipUnless(os.geteuid() == 0 and can_make_namespaces(), "needs root and network namespaces (not in a chroot)")
class Namespaces(unittest.TestCase):
    """Three hosts on a bridge: 'server' (ventilator and sink), 'work' and 'client'."""

    numbers = itertools.count()

    def setUp(self):
        self.tag = f"e{os.getpid() % 10000}{next(self.numbers)}"
        self.bridge = self.tag + "b"
        ip("link", "add", self.bridge, "type", "bridge")
        ip("addr", "add", "10.77.0.254/24", "dev", self.bridge)
        ip("link", "set", self.bridge, "up")
        self.addCleanup(ip, "link", "del", self.bridge, check=False)
        self.address = {}
        for number, host in enumerate(("server", "work", "client"), 1):
            space = self.space(host)
            outside, inside = f"{self.tag}o{number}", f"{self.tag}i{number}"
            ip("netns", "add", space)
            self.addCleanup(ip, "netns", "del", space, check=False)
            ip("link", "add", outside, "type", "veth", "peer", "name", inside)
            ip("link", "set", outside, "master", self.bridge, "up")
            ip("link", "set", inside, "netns", space)
            self.address[host] = f"10.77.0.{number}"
            ip("-n", space, "addr", "add", self.address[host] + "/24", "dev", inside)
            ip("-n", space, "link", "set", inside, "up")
            ip("-n", space, "link", "set", "lo", "up")

    def space(self, host):
        return f"{self.tag}-{host}"

    def within(self, host):
        return ["ip", "netns", "exec", self.space(host)]

    def test_a_large_artifact_travels_from_a_worker_elsewhere_to_a_client_elsewhere(self):
        files = tempfile.TemporaryDirectory()
        self.addCleanup(files.cleanup)
        content = os.urandom(1 << 20) * 50
        with open(os.path.join(files.name, "large"), "wb") as file:
            file.write(content)
        server = file_server.serve(files.name, "10.77.0.254")
        self.addCleanup(server.shutdown)

        with Cluster("--listen", self.address["server"], workers=0, prefix=self.within("server")) as cluster:
            path = cluster.directory + "/eole/cluster.toml"
            for role in ("work", "admin"):
                cluster.eole("join", "--role", role, "-o", f"{cluster.directory}/{role}.toml")
            worker = subprocess.Popen(
                [*self.within("work"), BIN / "worker", "--cluster", f"{cluster.directory}/work.toml",
                 "--name", "far", "--allow-net", "10.77.0.0/24", "--slots", "2", "--data", cluster.directory + "/far"],
                stderr=subprocess.DEVNULL)
            try:
                def eole(*arguments):
                    done = subprocess.run(
                        [*self.within("client"), BIN / "eole", "--cluster", f"{cluster.directory}/admin.toml",
                         *arguments], capture_output=True, text=True, timeout=120, check=False)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    return done.stdout

                self.assertTrue(os.path.exists(path))
                eole("status", "--until-workers", "1")
                digest = hashlib.sha256(content).hexdigest()
                line = eole("submit", "download", server.url + "/large", "--sha256", digest, "--wait", "--json")
                self.assertIn('"worker":"far"', line)
                target = os.path.join(files.name, "fetched")
                task_id = line.split('"id":"')[1].split('"')[0]
                eole("fetch", task_id, "-o", target)
                with open(target, "rb") as file:
                    self.assertEqual(hashlib.sha256(file.read()).hexdigest(), digest)
                self.assertIn("solutions", eole("nqueens", "10", "--json"))
            finally:
                worker.terminate()
                self.assertEqual(worker.wait(20), 0)

    def test_a_cut_cable_costs_a_redelivery_and_nothing_else(self):
        with Cluster("--listen", self.address["server"], workers=0, prefix=self.within("server")) as cluster:
            cluster.eole("join", "--role", "work", "-o", f"{cluster.directory}/work.toml")
            cluster.eole("join", "--role", "admin", "-o", f"{cluster.directory}/admin.toml")
            cluster.env["EOLE_CLUSTER"] = f"{cluster.directory}/admin.toml"

            def worker(host, name):
                return subprocess.Popen(
                    [*self.within(host), BIN / "worker", "--cluster", f"{cluster.directory}/work.toml",
                     "--name", name, "--slots", "1", "--prefetch", "2", "--data", f"{cluster.directory}/{name}"],
                    stderr=subprocess.DEVNULL)

            inside = BIN / "eole"
            base = [*self.within("client"), inside, "--cluster", f"{cluster.directory}/admin.toml"]

            def ask(*arguments, text=None):
                done = subprocess.run([*base, *arguments], input=text, capture_output=True, text=True,
                                      timeout=120, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)
                return done.stdout

            both = [worker("work", "cut"), worker("server", "near")]
            try:
                ask("status", "--until-workers", "2")
                lines = '{"kind":"sleep","args":{"seconds":0.2}}\n' * 30
                running = subprocess.Popen([*base, "submit", "--file", "-", "--wait"], stdin=subprocess.PIPE,
                                           stdout=subprocess.PIPE, text=True)
                running.stdin.write(lines)
                running.stdin.close()
                wait_until(lambda: '"held":0' not in ask("workers", "--json"), what="both hold tasks")
                ip("link", "set", f"{self.tag}o2", "down")
                wait_until(lambda: '"cut"' not in ask("workers", "--json"), 20, "the cut worker is lost")
                ip("link", "set", f"{self.tag}o2", "up")
                results = running.stdout.read().splitlines()
                self.assertEqual(running.wait(60), 0)
                self.assertEqual(len(results), 30)
                running.stdout.close()
                wait_until(lambda: '"cut"' in ask("workers", "--json"), 30, "it is back")
                self.assertIn('"settled":30', ask("status", "--json"))
            finally:
                for process in both:
                    process.kill()
                    process.wait(10)


if __name__ == "__main__":
    unittest.main()
