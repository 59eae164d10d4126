"""The subscribers in examples/subscribers: each is short, and hears what it is for."""

import os
import pathlib
import shutil
import subprocess
import sys
import tomllib
import unittest

import node_tests
from cluster import BIN, Cluster

PLACE = pathlib.Path(__file__).parents[2] / "examples/subscribers"
LINES_MAX = 12


def has_ruby():
    return shutil.which("ruby") and subprocess.run(("ruby", "-e", 'require "ffi-rzmq"'), capture_output=True).returncode == 0


class Subscribers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster(workers=1, slots=1))
        with open(cls.cluster.directory + "/eole/cluster.toml", "rb") as file:
            cls.address = tomllib.load(file)["notifications"]

    def hears(self, *command):
        """Submits until the subscriber, which may have come too late for the first ones, prints a line about one."""
        env = {**self.cluster.env, "PATH": f"{BIN}:{os.environ['PATH']}"}
        with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True, start_new_session=True) as running:
            os.set_blocking(running.stdout.fileno(), False)
            try:
                ids, line = [], ""
                while not line:
                    ids += [task["id"] for task in self.cluster.submit(
                        [{"kind": "echo", "args": {"value": 1}, "project": "shop"}])]
                    line = running.stdout.readline()
                    self.assertIsNone(running.poll(), command)
                self.assertTrue(any(task in line for task in ids), line)
            finally:
                os.killpg(running.pid, 15)

    def test_each_is_short(self):
        for path in PLACE.iterdir():
            self.assertLessEqual(len(path.read_text(encoding="utf-8").splitlines()), LINES_MAX, path)

    def test_python(self):
        self.hears(sys.executable, PLACE / "subscriber.py", self.address, "json.shop.echo.done")

    def test_shell(self):
        self.hears(PLACE / "subscriber.sh", "shop/*/done")

    @unittest.skipUnless(has_ruby(), "needs ruby and ruby-ffi-rzmq")
    def test_ruby(self):
        self.hears("ruby", PLACE / "subscriber.rb", self.address, "json.shop.")

    @unittest.skipUnless(node_tests.IS_HERE, "needs node and npm")
    def test_node(self):
        program = pathlib.Path(self.cluster.directory, "subscriber.mjs")
        shutil.copy(PLACE / program.name, program)
        node_tests.install(node_tests.ROOT / "clients/node")
        program.with_name("node_modules").symlink_to(node_tests.ROOT / "clients/node/node_modules")
        self.hears("node", program, self.address, "json.shop.echo.")

    def test_c(self):
        program = pathlib.Path(self.cluster.directory, "subscriber")
        subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", "-o", program, PLACE / "subscriber.c", "-lzmq"], check=True)
        self.hears(program, self.address, "json.shop.")


if __name__ == "__main__":
    unittest.main()
