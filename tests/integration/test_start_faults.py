"""What cannot start is refused by name, once; what runs already is left alone."""

import pathlib
import signal
import subprocess
import unittest

from cluster import BIN, Cluster, wait_until
from test_up import InADirectory, Terminal

ROLES = ("ventilator", "sink")


class Taken(InADirectory):
    def test_a_second_role_on_an_address_is_refused_and_the_first_goes_on(self):
        with Cluster(workers=1, directory=self.directory) as cluster:
            for role in ROLES:
                done = subprocess.run([BIN / role, "--cluster", f"{self.directory}/eole/data/server.toml", "--data",
                                       f"{self.directory}/{role}"], capture_output=True, text=True, timeout=30)
                self.assertEqual(done.returncode, 3, done.stderr)
                self.assertRegex(done.stderr, r"ipc://\S+: another process listens there already")
            self.assertEqual(cluster.submit([{"kind": "echo", "args": 1}], "--wait")[0]["state"], "done")

    def test_a_start_leaves_a_role_alone_that_somebody_started_by_hand(self):
        with Cluster(workers=0, directory=self.directory):
            pass
        server = f"{self.directory}/eole/data/server.toml"
        hand = subprocess.Popen([BIN / "ventilator", "--cluster", server, "--data", f"{self.directory}/v"],
                                stderr=subprocess.PIPE, text=True)
        try:
            self.assertIn("listening", hand.stderr.readline())
            with Terminal("--workers", "0", directory=self.directory) as up:
                self.assertIn("another process listens there already", up.wait_for("ventilator cannot start"))
                self.assertEqual(up.end(), 3)
            self.assertIsNone(hand.poll())
        finally:
            hand.kill()
            hand.communicate()

    def test_what_a_killed_role_left_is_in_nobodys_way(self):
        with Cluster(workers=1, directory=self.directory) as cluster:
            for role in ROLES:
                cluster.kill(role, signal.SIGKILL)
            wait_until(lambda: cluster.settled() >= 0, what="both roles")
            self.assertEqual(cluster.submit([{"kind": "echo", "args": 1}], "--wait")[0]["state"], "done")


class Hopeless(InADirectory):
    def end(self):
        with Terminal("--workers", "1", "--listen", "127.0.0.1", directory=self.directory) as up:
            code = up.end()
        return code, "\n".join(up.lines)

    def test_a_key_table_that_cannot_be_relied_on_is_told_once(self):
        with Cluster("--listen", "127.0.0.1", workers=1, directory=self.directory):
            keys = pathlib.Path(self.directory, "eole/data/keys.toml")
        good = keys.read_text()
        for content, mode, why in ((good + "\n[[key", 0o600, "line"),
                                   (good + "\n[[key]]\npublic = 'short'\n", 0o600, "5 letters, a key has 40"),
                                   (good.replace("work'", "wrok'"), 0o600, "role wrok"), (good, 0o640, "chmod")):
            with self.subTest(why=why):
                keys.write_text(content)
                keys.chmod(mode)
                code, said = self.end()
                self.assertEqual(code, 2, said)
                self.assertRegex(said, f"\\Aeole: key table {keys}: .*{why}[^\n]*\\Z")
        keys.write_text(good)
        keys.chmod(0o600)
        with Cluster("--listen", "127.0.0.1", workers=1, directory=self.directory) as cluster:
            self.assertEqual(cluster.submit([{"kind": "echo", "args": 1}], "--wait")[0]["state"], "done")

    def test_a_key_table_that_breaks_while_it_runs_ends_everything(self):
        with Terminal("--workers", "1", "--listen", "127.0.0.1", directory=self.directory) as up:
            up.wait_for("ready")
            with open(f"{self.directory}/eole/data/keys.toml", "a", encoding="utf-8") as file:
                file.write("[[key")
            self.assertIn("keys.toml: line", up.wait_for("cannot start"))
            self.assertEqual(up.end(), 3)

    def test_damage_is_told_once(self):
        with Cluster("--listen", "127.0.0.1", workers=1, directory=self.directory) as cluster:
            cluster.submit([{"kind": "echo", "args": n} for n in range(50)], "--wait")
        with next(pathlib.Path(self.directory, "eole/data/sink/log").glob("*.seg")).open("r+b") as file:
            file.write(b"not a log of ours")
        code, said = self.end()
        self.assertEqual(code, 3)
        self.assertEqual(said.count("damaged header"), 1, said)
        self.assertIn("sink cannot start (exit code 2: ", said)


if __name__ == "__main__":
    unittest.main()
