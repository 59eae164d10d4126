"""A bounded share of ./dev chaos: each scenario once, short."""

import json
import pathlib
import subprocess
import sys
import unittest

CHAOS = pathlib.Path(__file__).parents[1] / "chaos/chaos.py"


class Chaos(unittest.TestCase):
    def run_scenario(self, name):
        done = subprocess.run([sys.executable, CHAOS, "--minutes", "0.1", "--rate", "2000", "--only", name],
                              capture_output=True, text=True, timeout=300, check=False)
        found = json.loads(done.stdout.splitlines()[-1])
        if found["outcome"] == "skipped":
            self.skipTest(found["why"])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_downloads(self):
        self.run_scenario("downloads")

    def test_storm(self):
        self.run_scenario("storm")

    def test_restart(self):
        self.run_scenario("restart")

    def test_redelivery(self):
        self.run_scenario("redelivery")

    def test_order(self):
        self.run_scenario("order")

    def test_runners(self):
        self.run_scenario("runners")

    def test_network(self):
        self.run_scenario("network")

    def test_power(self):
        self.run_scenario("power")

    def test_sync(self):
        self.run_scenario("sync")

    def test_full(self):
        self.run_scenario("full")

    def test_files(self):
        self.run_scenario("files")

    def test_clock(self):
        self.run_scenario("clock")

    def test_namespaces(self):
        self.run_scenario("namespaces")

    def test_retention(self):
        self.run_scenario("retention")

    def test_settled(self):
        self.run_scenario("settled")

    def test_requests(self):
        self.run_scenario("requests")


if __name__ == "__main__":
    unittest.main()
