"""The page in a browser: tests/page/page.test.mjs on a cluster of its own."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from PIL import Image

from cluster import Cluster

ROOT = pathlib.Path(__file__).parents[2]
CHROMIUM = "/usr/bin/chromium"


def install(directory):
    """What the directory's package-lock.json names; nothing if it is there already."""
    installed = directory / "node_modules/.package-lock.json"
    lock = directory / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=directory, check=True, capture_output=True)
        os.utime(installed)


@unittest.skipUnless(shutil.which("node") and shutil.which("npm"), "needs node and npm")
class Page(unittest.TestCase):
    def test_its_types_hold(self):
        install(ROOT / "web")
        done = subprocess.run(["node_modules/.bin/tsc", "--noEmit"], cwd=ROOT / "web", capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)

    @unittest.skipUnless(os.path.exists(CHROMIUM), f"needs {CHROMIUM}")
    def test_in_a_browser(self):
        install(ROOT / "tests/page")
        picture = tempfile.mkdtemp(prefix="eole-test-") + "/photo.jpg"
        self.addCleanup(shutil.rmtree, os.path.dirname(picture))
        Image.effect_noise((1200, 800), 90).convert("RGB").save(picture, quality=95)
        with Cluster("--allow-exec", workers=2) as cluster:
            file = pathlib.Path(cluster.directory, "eole/cluster.toml").read_text(encoding="utf-8")
            address = re.search(r"^http = '([^']+)'", file, re.M)[1]
            env = {**os.environ, "EOLE_PAGE": address, "EOLE_UP": str(cluster.up.pid), "EOLE_PICTURE": picture}
            done = subprocess.run(["node", "--test", "--test-reporter=spec", "page.test.mjs"], cwd=ROOT / "tests/page",
                                  env=env, text=True, capture_output=True, timeout=600)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
