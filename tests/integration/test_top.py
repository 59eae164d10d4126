"""`eole top`: one frame, objects, and the live screen on a terminal."""

import json
import os
import pty
import signal
import subprocess
import unittest

from cluster import BIN, Cluster, wait_until


class Top(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster("--allow-exec", workers=1, slots=2)
        cls.cluster.start()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)

    def run_one(self, script, **more):
        task = {"kind": "exec", "args": {"shell": script}, **more}
        return self.cluster.submit([task])[0]["id"]

    def test_once_is_one_frame_without_escape_codes(self):
        task_id = self.run_one("sleep 60", project="photos")
        wait_until(lambda: self.cluster.task(task_id)["state"] == "running")
        frame = self.cluster.eole("top", "--once").stdout
        self.assertNotIn("\x1b", frame)
        self.assertLessEqual(len(frame.splitlines()), 24)
        self.assertRegex(frame, r"(?m)^eole top  \d\d:\d\d:\d\d  ventilator [a-z0-9]{6}  ready$")
        self.assertRegex(frame, r"(?m)^w1 +ready +2 +1 ")
        self.assertRegex(frame, rf"(?m)^{task_id} +exec +photos +w1 ")
        self.cluster.eole("cancel", task_id)

    def test_objects_tell_progress_and_failures(self):
        top = subprocess.Popen([BIN / "eole", "top", "--json"], env=self.cluster.env, stdout=subprocess.PIPE, text=True)
        try:
            first = json.loads(top.stdout.readline())
            self.assertEqual((first["state"], first["rates"]["settled"]), ("ready", None))
            long = self.run_one('while :; do echo "3/10 page three" >&3; sleep 0.1; done')
            bad = self.run_one("exit 3", project="bad")

            def is_told():
                now = json.loads(top.stdout.readline())
                told = {task["id"]: task["progress"] for task in now["tasks"]}
                failed = {task["id"]: task["error"] for task in now["failures"]}
                projects = {project["project"]: project["failed"] for project in now["projects"]}
                return ("3 of 10 (30 %)" in told.get(long, "") and failed.get(bad) == "exit code 3"
                        and projects.get("bad") == 1)
            wait_until(is_told)
            self.cluster.eole("cancel", long)
            top.send_signal(signal.SIGINT)
            self.assertEqual(top.wait(30), 0)
        finally:
            top.kill()
            top.wait()
            top.stdout.close()

    def test_q_leaves_and_the_screen_comes_back(self):
        ours, theirs = pty.openpty()
        top = subprocess.Popen([BIN / "eole", "top"], env=self.cluster.env, stdin=theirs, stdout=theirs)
        os.close(theirs)
        seen = b""
        while b"WORKER" not in seen:
            seen += os.read(ours, 65536)
        self.assertTrue(seen.startswith(b"\x1b[?1049h"))
        os.write(ours, b"q")
        self.assertEqual(top.wait(30), 0)
        while not seen.endswith(b"\x1b[?1049l"):
            seen += os.read(ours, 65536)
        os.close(ours)

    def test_without_a_cluster_it_says_so(self):
        env = {**self.cluster.env, "EOLE_CLUSTER": "/no/such/file"}
        done = subprocess.run([BIN / "eole", "top", "--once"], env=env, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("/no/such/file", done.stderr)


if __name__ == "__main__":
    unittest.main()
