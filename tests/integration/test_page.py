"""The page in a browser: tests/page/*.test.mjs, each on a cluster of its own."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from PIL import Image

import node_tests
from cluster import Cluster
from node_tests import ROOT

CHROMIUM = "/usr/bin/chromium"


@unittest.skipUnless(node_tests.IS_HERE, "needs node and npm")
class Page(unittest.TestCase):
    maxDiff = None  # What node says is all there is to see.

    def test_its_types_hold(self):
        node_tests.install(ROOT / "web")
        done = subprocess.run(["node_modules/.bin/tsc", "--noEmit"], cwd=ROOT / "web", capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_what_roles_say_is_told_in_french(self):
        node_tests.install(ROOT / "web")
        self.assertEqual(node_tests.run(ROOT / "tests/page", "told.test.mjs", {}), "")

    @unittest.skipUnless(os.path.exists(CHROMIUM), f"needs {CHROMIUM}")
    def test_in_a_browser(self):
        node_tests.install(ROOT / "tests/page")
        picture = tempfile.mkdtemp(prefix="eole-test-") + "/photo.jpg"
        self.addCleanup(shutil.rmtree, os.path.dirname(picture))
        Image.effect_noise((2100, 1400), 90).convert("RGB").save(picture, quality=95)
        with Cluster("--allow-exec", workers=2) as cluster:
            self.drive(cluster, "page.test.mjs", EOLE_UP=str(cluster.up.pid), EOLE_PICTURE=picture)

    @unittest.skipUnless(os.path.exists(CHROMIUM), f"needs {CHROMIUM}")
    def test_figures_are_rows_and_what_is_sent_twice_is_one(self):
        node_tests.install(ROOT / "tests/page")
        with Cluster("--allow-exec", workers=1) as cluster:
            self.drive(cluster, "figures.test.mjs")

    @unittest.skipUnless(os.path.exists(CHROMIUM), f"needs {CHROMIUM}")
    def test_with_tokens(self):
        node_tests.install(ROOT / "tests/page")
        with Cluster("--http-tokens", workers=1) as cluster:
            token = cluster.json("token", "add", "boss", "--role", "admin")[0]["token"]
            self.drive(cluster, "access.test.mjs", EOLE_TOKEN=token)

    def drive(self, cluster, tests, **env):
        file = pathlib.Path(cluster.directory, "eole/cluster.toml").read_text(encoding="utf-8")
        address = re.search(r"^http = '([^']+)'", file, re.M)[1]
        self.assertEqual(node_tests.run(ROOT / "tests/page", tests, {"EOLE_PAGE": address, **env}), "")


if __name__ == "__main__":
    unittest.main()
