"""How long artifacts are kept."""

import hashlib
import os
import pathlib
import shutil
import tempfile
import time
import unittest

from cluster import Cluster, wait_until

DAY = 24 * 60 * 60


class Collection(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="eole-test-")
        self.addCleanup(shutil.rmtree, self.directory)
        self.artifacts = pathlib.Path(self.directory, "eole/data/sink/artifacts")

    def aged(self, name, days=3):
        path = self.artifacts / name
        os.utime(path, (0, time.time() - days * DAY))
        return path

    def planted(self, content):
        """An artifact that nothing names, put days ago."""
        name = hashlib.sha256(content).hexdigest()
        (self.artifacts / name).write_bytes(content)
        return self.aged(name)

    def test_what_nothing_needs_is_collected_and_what_a_result_names_is_kept(self):
        with Cluster("--allow-exec", workers=1, directory=self.directory) as cluster:
            made = cluster.submit([{"kind": "exec", "args": {"shell": "head -c 300000 /dev/zero", "output_max": 400000}}],
                                  "--wait")[0]
            kept = made["artifact"]["sha256"]
            self.assertEqual(cluster.status()["artifacts"], 1)
        superfluous = self.planted(b"nobody needs me")
        part = self.planted(b"never finished").rename(self.artifacts / ("0" * 64 + ".9.0123456789abcdef.part"))
        with Cluster("--allow-exec", workers=1, directory=self.directory) as cluster:
            # After a restart nothing goes before the ventilator has spoken: a task makes it.
            cluster.submit([{"kind": "echo", "args": {"n": 1}}], "--wait")
            wait_until(lambda: not superfluous.exists() and not part.exists(), 60, "collected")
            status = cluster.status()
            self.assertEqual([status[name] for name in ("artifacts", "artifact_bytes", "artifacts_collected",
                                                        "artifact_bytes_collected")], [1, 300_000, 1, 15])
            self.assertIn("1 kept, 300.0 kB; 1 collected", cluster.eole("status").stdout)
            cluster.eole("fetch", kept, "-o", f"{self.directory}/file")
            gone = cluster.eole("fetch", superfluous.name, "-o", f"{self.directory}/gone", check=False)
            self.assertEqual(gone.returncode, 1)
            self.assertIn("is not kept there, or not any longer", gone.stderr)


if __name__ == "__main__":
    unittest.main()
