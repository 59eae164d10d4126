"""Downloads from a real sshd: of files that a password opens, from a host that the worker's user knows."""

import concurrent.futures
import contextlib
import hashlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from cluster import Cluster, wait_until

NAME, PASSWORD = "files", "hunter2/very+secret"
FILE = bytes(range(256)) * 20_000
SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
CONFIG = """Port PORT
ListenAddress 127.0.0.1
HostKey DIR/host_key
PidFile DIR/pid
UsePAM no
PasswordAuthentication yes
PubkeyAuthentication yes
AuthorizedKeysFile DIR/authorized_keys
StrictModes no
Subsystem sftp internal-sftp
ForceCommand internal-sftp
"""
# Its users are its own: it sees another /etc/passwd and /etc/shadow than the rest of the machine.
START = """mount --bind "$0/passwd" /etc/passwd && mount --bind "$0/shadow" /etc/shadow &&
mount -t tmpfs none /run && mkdir /run/sshd && exec "$1" -D -e -f "$0/config" """
PROBE = ["unshare", "-m", "sh", "-c", "mount --bind /etc/hostname /etc/passwd && mount -t tmpfs none /run"]
STARTS_MAX = 5  # Each at another port: somebody may have it meanwhile.
NEEDED = SSHD and shutil.which("openssl") and os.geteuid() == 0


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


def said_by(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def started_by(pid):
    """Whatever it has started, and what these have."""
    try:
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except FileNotFoundError:
        return []
    return [each for child in map(int, children) for each in [child, *started_by(child)]]


class Sshd:
    """A server on this machine, with a user that has a password and a file."""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="eole-sshd-"))
        self.directory.chmod(0o755)
        self.home = self.directory / "home"  # Of the worker's user.
        (self.home / ".ssh").mkdir(parents=True)
        (self.directory / "report 1.bin").write_bytes(FILE)
        self.log = open(self.directory / "log", "wb")  # pylint: disable=consider-using-with
        self.process = self.port = None

    def start(self):
        self.key("host_key")
        self.write("passwd", "root:x:0:0::/:/bin/sh\nsshd:x:100:65534::/:/bin/false\n"
                             f"{NAME}:x:1234:65534::{self.directory}:/bin/sh\n")
        hashed = said_by("openssl", "passwd", "-6", PASSWORD)
        self.write("shadow", f"root:*:1::::::\nsshd:*:1::::::\n{NAME}:{hashed}:19000::::::\n")
        for _ in range(STARTS_MAX):
            self.port = free_port()
            self.write("config", CONFIG.replace("PORT", str(self.port)).replace("DIR", str(self.directory)))
            self.process = subprocess.Popen(["unshare", "-m", "sh", "-c", START, self.directory, SSHD], stderr=self.log)
            if wait_until(self.answers_or_ended, what="sshd answers") == "answers":
                return
            if "already in use" not in self.said():
                break
        raise AssertionError("sshd ended: " + self.said())

    def write(self, name, words):
        (self.directory / name).write_text(words, encoding="ascii")

    def key(self, name):
        """A new pair of keys; the public one."""
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.directory / name], check=True)
        return (self.directory / f"{name}.pub").read_text(encoding="ascii")

    def answers_or_ended(self):
        if self.process.poll() is not None:
            return "ended"
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return None
        return "answers"

    def is_known_by(self, key):
        """The worker's user knows the server by this public key."""
        known = self.home / ".ssh/known_hosts"
        known.write_text(f"[127.0.0.1]:{self.port} {key}", encoding="ascii")

    def said(self):
        return (self.directory / "log").read_text(encoding="utf-8")

    def break_off(self):
        """Ends the processes of its connections; how many."""
        found = started_by(self.process.pid)
        for pid in found:
            with contextlib.suppress(ProcessLookupError):  # One of them ended with the one before.
                os.kill(pid, signal.SIGKILL)
        return len(found)

    def close(self):
        if self.process:
            self.process.terminate()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.directory)


@unittest.skipUnless(NEEDED, "needs sshd (openssh-server), openssl, and root, for sshd's own users")
class Sftp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if subprocess.run(PROBE, capture_output=True, check=False).returncode != 0:
            raise unittest.SkipTest("sshd's own users need unshare and mount, which may not be used here")

    def setUp(self):
        self.server = Sshd()
        self.addCleanup(self.server.close)
        self.server.start()
        self.host_key = (self.server.directory / "host_key.pub").read_text(encoding="ascii")
        self.url = f"sftp://127.0.0.1:{self.server.port}{self.server.directory}/report%201.bin"

    def cluster(self, password):
        netrc = self.server.home / "netrc"
        netrc.write_text(f"machine 127.0.0.1 login {NAME} password {password}\n", encoding="ascii")
        netrc.chmod(0o600)
        return Cluster("--allow-net", "127.0.0.1", "--allow-scheme", "sftp", "--netrc", netrc, workers=1, slots=1,
                       env={"HOME": str(self.server.home)})

    def download(self, cluster, url, **args):
        result = cluster.submit([{"kind": "download", "args": {"url": url, "retries": 0, **args}}], "--wait", check=False)[0]
        self.assertNotIn(PASSWORD, str(result))
        return result

    def test_a_file_comes_whole_from_a_host_that_is_known_by_a_password_that_only_the_worker_has(self):
        self.server.is_known_by(self.host_key)
        with self.cluster(PASSWORD) as cluster:
            result = self.download(cluster, self.url)
            self.assertEqual(result["state"], "done", result.get("error", "") + self.server.said())
            self.assertEqual((result["value"]["sha256"], result["value"]["bytes"]),
                             (hashlib.sha256(FILE).hexdigest(), len(FILE)))
            self.assertEqual(result["artifact"]["name"], "report 1.bin")
            missing = self.download(cluster, self.url + "x")
            self.assertEqual(missing["state"], "failed")
            self.assertIn("report%201.binx", missing["error"])
            large = self.download(cluster, self.url, size_max=1000)
            self.assertIn("larger than size_max, 1000 bytes", large["error"])

    def test_a_host_that_is_not_known_and_one_with_another_key_hear_no_password(self):
        for key in (None, self.server.key("other")):
            with self.subTest(key), self.cluster(PASSWORD) as cluster:
                if key:
                    self.server.is_known_by(key)
                result = self.download(cluster, self.url)
                self.assertEqual(result["state"], "failed")
                self.assertIn("known_hosts", result["error"])
        self.assertNotIn("Accepted", self.server.said())
        self.assertNotIn("Failed password", self.server.said())

    def test_a_wrong_password_is_said_and_no_key_of_the_workers_user_is_tried(self):
        self.server.is_known_by(self.host_key)
        key = self.server.key("home/.ssh/id_ed25519")
        (self.server.directory / "authorized_keys").write_text(key, encoding="ascii")
        with self.cluster("another") as cluster:
            result = self.download(cluster, self.url)
        self.assertEqual(result["state"], "failed")
        self.assertIn("Authentication failure", result["error"])
        self.assertNotIn("Accepted", self.server.said())

    def test_a_connection_that_breaks_off_is_made_again(self):
        self.server.is_known_by(self.host_key)
        with self.cluster(PASSWORD) as cluster:
            with concurrent.futures.ThreadPoolExecutor() as pool:
                waiting = pool.submit(self.download, cluster, self.url, retries=3, rate=1 << 20)  # Some 5 s.
                scratch = pathlib.Path(cluster.directory, "eole/data/w1")
                wait_until(lambda: any(part.stat().st_size for part in scratch.glob("*.part")), what="some of it is there")
                self.assertGreater(self.server.break_off(), 0)
                result = waiting.result()
            self.assertEqual(result["state"], "done", result.get("error"))
            self.assertEqual(result["value"]["sha256"], hashlib.sha256(FILE).hexdigest())
            self.assertEqual(self.server.said().count("Accepted"), 2)


if __name__ == "__main__":
    unittest.main()
