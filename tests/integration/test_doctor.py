"""`eole doctor` finds what is wrong with a machine and a cluster, and `eole init` leaves nothing to find."""

import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import tempfile
import unittest

from boxes import needs_boxes
from cluster import BIN, SANITIZER, Cluster, wait_until


@unittest.skipIf(SANITIZER, "the doctor tries a box")
class Doctor(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="eole-test-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.env = {**os.environ, "XDG_STATE_HOME": self.directory}
        self.env.pop("EOLE_CLUSTER", None)
        self.data = pathlib.Path(self.directory, "eole/data")

    def eole(self, *arguments, program=BIN / "eole", prefix=(), **options):
        return subprocess.run([*prefix, program, *map(str, arguments)], env=self.env, capture_output=True, text=True,
                              timeout=60, check=False, **options)

    def examined(self, *arguments, **options):
        """What was found, by its name; the exit code goes with it."""
        done = self.eole("doctor", "--json", *arguments, **options)
        self.assertEqual(done.stderr, "")
        found = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(done.returncode, any(one["state"] == "wrong" for one in found), found)
        for one in found:
            self.assertEqual(bool(one["advice"]), one["state"] != "ok", one)
        return {one["of"]: one for one in found}

    def assert_found(self, found, name, state, *words):
        self.assertEqual(found[name]["state"], state, found[name])
        for word in words:
            self.assertIn(word, found[name]["what"])

    def init(self, *arguments):
        done = self.eole("init", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_a_machine_without_a_cluster_is_told_how_to_make_one(self):
        found = self.examined()
        self.assertEqual(list(found), ["files", "clock", "programs", "sandbox", "disk", "space", "keys"])
        self.assert_found(found, "programs", "ok", "release")
        self.assert_found(found, "keys", "poor", "not there")
        self.assertRegex(found["disk"]["what"], r"a sync takes \d+ (us|ms) \(p50\), \d+ (us|ms) \(p99 of \d+\)")
        self.assertFalse(self.data.exists())

    def test_a_cluster_that_was_written_but_not_started_is_whole(self):
        said = self.init()
        self.assertIn(str(self.data), said)
        before = sorted(self.data.rglob("*"))
        found = self.examined()
        self.assert_found(found, "keys", "ok")
        for name in ("ventilator", "sink", "page"):
            self.assert_found(found, name, "poor", "does not run")
        self.assertEqual(sorted(self.data.rglob("*")), before)
        files = {path.name: path.read_bytes() for path in self.data.glob("*.toml")}
        self.init()
        self.assertEqual({path.name: path.read_bytes() for path in self.data.glob("*.toml")}, files)

    def test_a_file_that_others_can_read_is_wrong(self):
        self.init()
        (self.data / "worker.toml").chmod(0o644)
        self.assert_found(self.examined(), "keys", "wrong", "worker.toml", "0600")

    def test_a_table_that_is_broken_is_wrong(self):
        self.init("--listen", "127.0.0.1")
        self.assert_found(self.examined(), "keys", "ok")
        (self.data / "keys.toml").write_text("not a table\n", encoding="utf-8")
        self.assert_found(self.examined(), "keys", "wrong", "keys.toml")

    def test_a_cluster_elsewhere_that_nobody_reaches_is_wrong(self):
        self.init("--listen", "127.0.0.1")
        join = os.path.join(self.directory, "join.toml")
        self.assertEqual(self.eole("join", "--role", "submit", "-o", join).returncode, 0)
        found = self.examined("--cluster", join)
        self.assertNotIn("disk", found)
        self.assert_found(found, "ventilator", "wrong", "cannot be reached", "tcp://127.0.0.1:")

    def test_a_process_may_open_few_files(self):
        few = self.examined(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200)))
        self.assert_found(few, "files", "poor", "only 200", "4096")

    @needs_boxes
    def test_whether_a_box_works_is_told(self):
        self.assert_found(self.examined(), "sandbox", "ok", "none, limits and box", "cgroup v2")
        found = self.examined(prefix=["unshare", "--user", "--map-root-user", "sh", "-c",
                                      'echo 0 > /proc/sys/user/max_user_namespaces; exec "$@"', "sh"])
        self.assert_found(found, "sandbox", "poor", "box does not work here: a box: namespaces: ")

    def test_programs_of_another_release_are_wrong(self):
        for name in ("ventilator", "sink", "gateway", "relay"):
            os.symlink(BIN / name, os.path.join(self.directory, name))
        worker = pathlib.Path(self.directory, "worker")
        worker.write_text("#!/bin/sh\necho worker 9.9\n", encoding="utf-8")
        worker.chmod(0o755)
        program = shutil.copy(BIN / "eole", self.directory)
        self.assert_found(self.examined(program=program), "programs", "wrong", "worker is worker 9.9")
        worker.unlink()
        self.assert_found(self.examined(program=program), "programs", "wrong", "worker cannot run")

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("unshare"), "needs root, to mount")
    def test_a_disk_that_is_small_and_memory_is_told(self):
        self.init()
        mount = f"mount -t tmpfs -o size=64m,mode=700 none '{self.data}' && exec \"$@\""
        if subprocess.run(["unshare", "-m", "true"], check=False).returncode != 0:
            self.skipTest("no mount namespaces")
        found = self.examined("--data", self.data, prefix=("unshare", "-m", "sh", "-c", mount, "sh"))
        self.assert_found(found, "disk", "poor", "memory")
        self.assert_found(found, "space", "wrong", "least")

    def test_a_running_cluster_is_well_and_one_that_hangs_is_not(self):
        with Cluster(workers=1, env={"XDG_STATE_HOME": self.directory}) as cluster:
            found = self.examined()
            for name in ("keys", "ventilator", "sink", "page"):
                self.assert_found(found, name, "ok")
            self.assertEqual(self.eole("init").returncode, 2)
            pid = cluster.kill("ventilator", signal.SIGSTOP)
            try:
                found = self.examined()
            finally:
                os.kill(pid, signal.SIGCONT)
            self.assert_found(found, "ventilator", "wrong", "does not answer")
            self.assert_found(found, "sink", "ok")
            wait_until(lambda: self.examined()["ventilator"]["state"] == "ok", what="the ventilator is well again")


if __name__ == "__main__":
    unittest.main()
