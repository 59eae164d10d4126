"""The Node client: its own tests against real clusters."""

import pathlib
import re
import subprocess
import tempfile
import unittest

import node_tests
import zmq
from cluster import BIN, Cluster

ROOT = node_tests.ROOT
CLIENT = ROOT / "clients/node"


def setUpModule():  # noqa: N802 - unittest's name
    if not node_tests.IS_HERE:
        raise unittest.SkipTest("needs node and npm")
    try:
        node_tests.install(CLIENT)
    except subprocess.CalledProcessError as error:
        raise unittest.SkipTest(f"npm ci in clients/node failed: {error.stderr.decode()[-300:]}") from error


class Node(unittest.TestCase):
    def run_file(self, name, path="", **env):
        told = node_tests.run(CLIENT, f"test/{name}.test.js", {"EOLE_CLUSTER": str(path), "EOLE_BIN": str(BIN), **env})
        self.assertEqual(told, "", told)

    def test_what_it_writes_and_reads(self):
        self.run_file("wire")
        self.run_file("log")
        self.run_file("member")
        self.run_file("transcripts")

    def test_it_signs_as_eole_key_does(self):
        self.run_file("signing")
        self.run_file("types")

    def test_a_cluster_whose_roles_are_killed(self):
        with Cluster("--allow-exec", workers=2) as cluster:
            self.run_file("cluster", f"{cluster.directory}/eole/cluster.toml")

    def test_groups(self):
        with Cluster(workers=1) as cluster:
            self.run_file("group", f"{cluster.directory}/eole/cluster.toml")

    def test_the_runner_over_its_socket(self):
        self.run_file("runner")

    def test_tasks_of_a_worker(self):
        runner = f"{CLIENT}/bin/eole-runner-node.mjs {CLIENT}/test/tasks.mjs"
        with Cluster("--runner", runner, workers=1) as cluster:
            self.run_file("tasks", f"{cluster.directory}/eole/cluster.toml")

    def test_the_package_is_installed_elsewhere_and_does_what_its_document_says(self):
        with tempfile.TemporaryDirectory(prefix="eole-test-") as directory:
            place = pathlib.Path(directory)

            def run(*command, **options):
                return subprocess.run(command, check=True, text=True, capture_output=True, **options).stdout

            archive = run("npm", "pack", "--silent", "--pack-destination", directory, cwd=CLIENT).strip()
            names = run("tar", "tf", place / archive).split()
            self.assertEqual({name.split("/")[1] for name in names}, {"bin", "src", "package.json"})
            run("npm", "install", "--prefer-offline", "--no-audit", "--no-fund", "--prefix", directory, place / archive)
            page = (ROOT / "docs/node.md").read_text(encoding="utf-8")
            program, _, tasks = re.findall("```js\n(.*?)```", page, re.S)
            [runner] = re.findall("installed: (.*tasks.mjs)", page)
            (place / "program.mjs").write_text(program, encoding="utf-8")
            (place / "tasks.mjs").write_text(tasks, encoding="utf-8")
            with Cluster("--runner", runner, workers=1, cwd=place) as cluster:
                env = {**cluster.env, "EOLE_CLUSTER": f"{cluster.directory}/eole/cluster.toml"}
                told = [line.split()[1:] for line in run("node", place / "program.mjs", env=env).splitlines()]
                self.assertEqual(told, [["done", "1"], ["done", "2"], ["done", "3"]])
                [square] = cluster.json("submit", "square", "--args", "7", "--wait")
                self.assertEqual(square["value"], 49)

    def test_keys(self):
        with Cluster("--listen", "127.0.0.1", workers=1) as cluster:
            mine = pathlib.Path(cluster.directory, "eole/cluster.toml")
            observer, stranger = pathlib.Path(cluster.directory, "observer.toml"), pathlib.Path(cluster.directory, "stranger.toml")
            cluster.eole("join", "--role", "observe", "-o", observer)
            text = mine.read_text(encoding="ascii")
            keys = dict(zip(("public_key", "secret_key"), (key.decode() for key in zmq.curve_keypair())))
            lines = [line for line in text.splitlines() if line.partition(" ")[0] not in keys]
            stranger.touch(0o600)
            stranger.write_text("\n".join([*lines, *(f"{name} = '{key}'" for name, key in keys.items())]), encoding="ascii")
            self.run_file("keys", mine, EOLE_OBSERVER=str(observer), EOLE_STRANGER=str(stranger))


if __name__ == "__main__":
    unittest.main()
