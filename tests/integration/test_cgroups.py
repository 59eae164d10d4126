"""Where there is a cgroup2 that a worker may divide, each command has a group of its own."""

import os
import pathlib
import re
import signal
import subprocess
import unittest

from boxes import needs_boxes
from cluster import BIN, Cluster, wait_until

FOUND = subprocess.run([BIN / "worker", "--tell-cgroups"], capture_output=True, text=True, check=False).stdout.strip()
CONTROLLERS = set(re.findall(r"pids|memory", FOUND.partition("cgroup v2: ")[2].partition(";")[0]))


def group_of(pid):
    return re.search("^0::(.*)$", pathlib.Path(f"/proc/{pid}/cgroup").read_text(), re.M)[1]


def mounted():
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        if " - cgroup2 " in line:
            return pathlib.Path(line.split()[4])
    return None


def said_at_start(cluster):
    logs = pathlib.Path(cluster.directory, "eole/data/logs")
    return "".join(line for path in logs.iterdir() for line in path.open() if ": sandbox " in line)


def needs_controller(name):
    return unittest.skipUnless(name in CONTROLLERS, f"needs a cgroup2 with {name} here: {FOUND}")


@unittest.skipUnless(FOUND.startswith("cgroup v2"), f"needs a cgroup2 that may be divided: {FOUND}")
class Groups(unittest.TestCase):
    options = ("--sandbox", "limits")

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster("--allow-exec", *cls.options, workers=1, slots=2)
        cls.cluster.start()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)

    def run_one(self, shell, **args):
        return self.cluster.submit([{"kind": "exec", "args": {"shell": shell, **args}}], "--wait", check=False)[0]

    def tree(self, cluster=None):
        """The worker's own, where it is in a part, too."""
        own = group_of((cluster or self.cluster).pid("w1"))
        self.assertRegex(own, "/eole-....../worker$")
        return mounted() / own[1:].removesuffix("/worker")

    def parts(self, tree):
        return sorted(part.name for part in tree.iterdir() if part.is_dir())

    def under_way(self, shell, act, **args):
        """What `act` says of the group of a command, once that runs."""
        task, = self.cluster.submit([{"kind": "exec", "args": {"shell": shell, **args}, "attempts": 1}])
        wait_until(lambda: len(self.parts(self.tree())) > 1, what="its group")
        said = act(self.tree() / next(part for part in self.parts(self.tree()) if part != "worker"))
        self.cluster.eole("cancel", task["id"], check=False)
        return said

    def test_each_has_its_own_which_goes_with_it(self):
        where = self.run_one("grep ^0:: /proc/self/cgroup")["value"]["stdout"]
        other = self.run_one("grep ^0:: /proc/self/cgroup")["value"]["stdout"]
        self.assertNotEqual(where, other)
        self.assertTrue(where.startswith(f"0::{group_of(self.cluster.pid('w1')).removesuffix('worker')}"), where)
        wait_until(lambda: self.parts(self.tree()) == ["worker"], what="its group is removed")

    def test_all_of_a_command_is_in_it(self):
        def members(part):
            wait_until(lambda: len((part / "cgroup.procs").read_text().split()) >= 3, what="three processes")
            return True
        self.assertTrue(self.under_way("setsid sleep 600 & (sleep 600 &) ; sleep 600", members))
        wait_until(lambda: self.parts(self.tree()) == ["worker"], what="its group is removed")

    def test_its_ends_are_told_as_ever(self):
        self.assertEqual(self.run_one("exit 7")["error"], "exit code 7")
        self.assertEqual(self.run_one("kill -9 $$")["error"], "exit code 137: signal 9 (SIGKILL)")
        self.assertIn("no/such: No such file", self.run_one("pwd", cwd="no/such")["error"])

    def test_what_it_is_told_at_the_start(self):
        self.assertIn(f"sandbox {self.options[1]}, cgroup v2", said_at_start(self.cluster))

    def test_the_next_worker_removes_what_a_killed_one_left(self):
        with Cluster("--allow-exec", *self.options, workers=1, slots=1) as cluster:
            cluster.submit([{"kind": "exec", "args": {"shell": "setsid sleep 600 & sleep 600"}, "attempts": 1}])
            left = self.tree(cluster)
            wait_until(lambda: len(self.parts(left)) > 1, what="its group")
            os.kill(cluster.pid("w1"), signal.SIGKILL)
            wait_until(lambda: not left.exists(), what="the tree of the killed worker is removed")
        self.assertTrue(self.tree().exists(), "that of a worker that lives stays")

    @needs_controller("pids")
    def test_processes_are_bounded_together(self):
        self.assertEqual(self.under_way("sleep 600", lambda part: (part / "pids.max").read_text()), "4096\n")

    @needs_controller("memory")
    def test_memory_is_bounded_together(self):
        most = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
        self.assertLessEqual(int(self.under_way("sleep 600", lambda part: (part / "memory.max").read_text())), most)
        part = most * 3 // 8
        result = self.run_one(f"for i in 1 2 3; do python3 -c 'b = bytearray({part}); import time; time.sleep(600)' & done; wait")
        self.assertRegex(result["error"], r"memory: the limit \d+ bytes was exceeded")
        self.assertGreater(result["value"]["memory_bytes"], most * 9 // 10)


@needs_boxes
class InBoxes(Groups):
    options = ("--sandbox", "box")

    def test_each_has_its_own_which_goes_with_it(self):
        self.assertEqual(self.run_one("grep ^0:: /proc/self/cgroup")["value"]["stdout"], "0::/\n")
        wait_until(lambda: self.parts(self.tree()) == ["worker"], what="its group is removed")


class Without(unittest.TestCase):
    @unittest.skipUnless(os.getuid() == 0, "needs root")
    def test_where_none_is_mounted_limits_are_of_each_process(self):
        hidden = ["unshare", "--mount", "sh", "-c",
                  "for at in $(sed -n 's/^\\([^ ]* \\)\\{4\\}\\([^ ]*\\) .* - cgroup2 .*/\\2/p' /proc/self/mountinfo); do "
                  "umount -l $at; done; exec \"$@\"", "sh"]
        with Cluster("--allow-exec", "--sandbox", "limits", workers=1, slots=1, prefix=hidden) as cluster:
            result = cluster.submit([{"kind": "exec", "args": {"argv": ["bash", "-c", "ulimit -u"]}}],
                                    "--wait")[0]
            self.assertEqual(result["value"]["stdout"], "4096\n")
            self.assertIn("no cgroup v2 (this process is in no cgroup2 that is mounted): limits are of each process",
                          said_at_start(cluster))
