"""What is left over: parts of files, descriptors, directories."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from cluster import BIN, SANITIZER, Cluster, wait_until

FILES = 100  # A role may have; a quarter is kept for its own.
HASHED = {"kind": "exec", "args": {"shell": "head -c 400000 /dev/zero", "output_max": 500000}}


class InADirectory(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="eole-test-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)


class Fetch(InADirectory):
    def test_a_part_longer_than_its_artifact_does_not_stand_in_the_way(self):
        with Cluster("--allow-exec", workers=1, directory=self.directory) as cluster:
            sha256 = cluster.submit([HASHED], "--wait")[0]["artifact"]["sha256"]
            pathlib.Path(self.directory, f".{sha256}.part").write_bytes(b"x" * 400_001)
            cluster.eole("fetch", sha256, "-o", "file", cwd=self.directory)
            self.assertEqual(pathlib.Path(self.directory, "file").read_bytes(), bytes(400_000))


class Descriptors(InADirectory):
    def worker(self, cluster, name):
        return subprocess.Popen([BIN / "worker", "--cluster", f"{self.directory}/eole/data/worker.toml", "--name", name,
                                 "--data", f"{self.directory}/{name}"], env=cluster.env, stderr=subprocess.PIPE, text=True)

    @contextlib.contextmanager
    def flooded(self, cluster, role, name):
        """Takes all that a role has for connections."""
        pid = cluster.pid(role)
        with contextlib.ExitStack() as stack:
            peers = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(FILES)]
            for peer in peers:
                peer.settimeout(30)
                peer.connect(f"{self.directory}/eole/data/sockets/{name}")
            greeted = sum(peer.recv(1) != b"" for peer in peers)
            self.assertLess(greeted, FILES)  # The rest was turned away.
            yield
        self.assertEqual(wait_until(lambda: cluster.pid(role)), pid)

    def artifacts(self):
        return [file for file in pathlib.Path(self.directory, "eole/data/sink/artifacts").iterdir() if len(file.name) == 64]

    def test_a_role_without_descriptors_for_connections_lives(self):
        with Cluster("--allow-exec", workers=1, directory=self.directory,
                     prefix=["prlimit", f"--nofile={FILES}:{FILES}"]) as cluster:
            cluster.submit([HASHED], "--wait")  # The worker has its connection for artifacts.
            with self.flooded(cluster, "ventilator", "ventilator"):
                pass
            with self.flooded(cluster, "sink", "queries"):
                cluster.submit([{"kind": "exec", "args": {"shell": "seq 99999", "output_max": 999999}}])
                wait_until(lambda: len(self.artifacts()) == 2, what="the sink has files")

    @unittest.skipIf(SANITIZER, "a sanitizer looks at memory through a pipe, and takes none for damage")
    def test_a_ventilator_without_descriptors_refuses_workers_and_lives(self):
        with Cluster(workers=0, directory=self.directory) as cluster:
            pid = cluster.pid("ventilator")
            others = [cluster.child(program) for program in ("gateway", "relay")]
            for other in others:
                os.kill(other, signal.SIGSTOP)  # It has its connections by now, or takes none.
            early = self.worker(cluster, "early")
            cluster.submit([{"kind": "echo", "args": {}}], "--wait")  # Its pipe stands.
            used = len(os.listdir(f"/proc/{pid}/fd"))
            subprocess.run(["prlimit", "--pid", str(pid), f"--nofile={used + 3}:{used + 3}"], check=True)
            late = self.worker(cluster, "late")
            try:
                log = pathlib.Path(self.directory, "eole/data/logs/ventilator.log")
                wait_until(lambda: "has to wait: " in log.read_text(), what="a refusal")
                for line in late.stderr:
                    if "refused: " in line:
                        self.assertIn("has to wait", line)
                        break
                self.assertEqual(cluster.pid("ventilator"), pid)
                early.terminate()  # Its pipe was what is missing.
                wait_until(lambda: cluster.pid("late"), what="a welcome")
                self.assertEqual(cluster.pid("ventilator"), pid)
            finally:
                for other in others:
                    os.kill(other, signal.SIGCONT)
                for worker in (early, late):
                    worker.terminate()
                    worker.wait(30)
                    worker.stderr.close()


class Up(InADirectory):
    def test_nothing_is_left_of_the_sockets_when_it_ends(self):
        data = pathlib.Path(self.directory, "long" * 25, "data")
        with Cluster("--data", str(data), workers=1, directory=self.directory) as cluster:
            own = pathlib.Path(f"/tmp/eole-{os.geteuid()}")
            before = {path.name for path in own.iterdir()}
            self.assertEqual(cluster.stop(), 0)
            left = {path.name for path in own.iterdir()} if own.exists() else set()
            self.assertLess(left, before)

    def test_a_data_directory_that_is_not_utf8_is_refused_once(self):
        path = os.fsencode(self.directory) + b"/\xff"
        up = subprocess.run([BIN / "eole", "up", "--data", path], env={**os.environ, "XDG_STATE_HOME": self.directory},
                            capture_output=True, timeout=60, check=False)
        self.assertEqual(up.returncode, 2)
        self.assertIn(b"its name is not UTF-8", up.stderr)


class Cancel(InADirectory):
    def test_an_interrupted_cancel_says_what_it_had_asked(self):
        with Cluster("--allow-exec", workers=1, slots=1, directory=self.directory) as cluster:
            task = cluster.submit([{"kind": "exec", "args": {"shell": "trap '' TERM; while :; do sleep 0.1; done",
                                                             "term_grace": 20}}])[0]["id"]
            wait_until(lambda: cluster.status()["running"] == 1, what="a running task")
            cancel = subprocess.Popen([BIN / "eole", "cancel", task], env=cluster.env, stderr=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)
            wait_until(lambda: cluster.task(task)["state"] == "cancelling", what="a cancel")
            wait_until(lambda: "SigCgt" in pathlib.Path(f"/proc/{cancel.pid}/status").read_text()
                       and int(next(line for line in pathlib.Path(f"/proc/{cancel.pid}/status").read_text().splitlines()
                                    if line.startswith("SigBlk")).split()[1], 16) & 2, what="it waits")
            cancel.send_signal(signal.SIGINT)
            said = cancel.communicate(timeout=30)[1]
            self.assertEqual(cancel.returncode, 1)
            self.assertIn("no longer waiting", said)
            self.assertIn(f"{task}: still winding down", said)


if __name__ == "__main__":
    unittest.main()
