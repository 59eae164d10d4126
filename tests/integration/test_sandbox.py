"""What a command in a box can reach of the machine that it runs on: nothing; and what it still can do.

Each attempt to get out is harmless if it succeeds: it reads, asks, or writes into a directory made for it."""

import json
import os
import pathlib
import platform
import shlex
import signal
import socket
import subprocess
import tempfile
import unittest

from cluster import BIN, Cluster, wait_until

# Against somebody's things outside; each succeeds without a box, so that it fails for the right reason.
ATTEMPTS = {
    "read a file": "cat {files}/secret",
    "read it by another way": "cat /proc/self/root{files}/secret",
    "read it through a link": "ln -s {files}/secret link; cat link",
    "read it through the worker's root": "cat /proc/{worker}/root{files}/secret",
    "list a directory": "ls {files}",
    "write a file": "touch {files}/written",
    "read what is shared in memory": "cat {shared}",
    "see the cluster's keys": "cat {keys}",
    "see the state of the cluster": "ls {state}/data/sockets",
    "see the system's other settings": "ls /etc/apt",
    "read the machine's log": "ls /var/log",
    "see devices": "ls /sys/devices",
    "see disks": "ls /dev/disk /dev/vda /dev/sda /dev/mapper/control 2>&1 | grep -v cannot",
    "signal a process": "kill -0 {pid}",
    "signal the worker": "kill -0 {worker}",
    "see a process": "cat /proc/{pid}/cmdline",
    "see a process's environment": "cat /proc/{worker}/environ",
    "reach a port": "python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", {port}), 5)'",
    "reach an abstract socket":
        "python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect(\"\\0{abstract}\")'",
    "reach a socket in a directory":
        "python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect(\"{files}/socket\")'",
    "become root of new namespaces": "unshare --user --map-root-user true",
    "trace itself": "python3 -c 'import ctypes, sys; sys.exit(ctypes.CDLL(None).ptrace(0, 0, 0, 0) != 0)'",
}
# These ask the system for what a command has no use for; without a box some would be granted.
DENIED = {
    "write into the system": "import os; assert not os.access('/usr/bin', os.W_OK)",
    "write at the root": "import os; assert not os.access('/', os.W_OK)",
    "write settings": "import os; assert not os.access('/etc', os.W_OK)",
    "write devices": "import os; assert not os.access('/dev', os.W_OK)",
    "open the kernel's settings": "open('/proc/sys/kernel/core_pattern', 'r+b')",
    "open the kernel's keys": "open('/proc/sysrq-trigger', 'r+b')",
    "open its memory": "open('/proc/kcore', 'rb').read(1)",
    "make a device": "import os, stat; os.mknod('device', stat.S_IFBLK | 0o600, os.makedev(259, 0))",
    "become somebody else": "import os; os.setuid(12345)",
    "be in another group": "import os; os.setgroups([6])",
    "open a raw socket": "import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
    "name its machine": "import socket; socket.sethostname(socket.gethostname())",
    "leave its root": "import os; os.chroot('.')",
}
# With arguments that are wrong: the filter answers before the kernel looks at them.
CALLS = {"ptrace": 101, "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "unshare": 272,
         "setns": 308, "keyctl": 250, "add_key": 248, "request_key": 249, "bpf": 321, "perf_event_open": 298,
         "userfaultfd": 323, "io_uring_setup": 425, "process_vm_readv": 310, "process_vm_writev": 311,
         "pidfd_getfd": 438, "kcmp": 312, "open_by_handle_at": 304, "name_to_handle_at": 303, "open_tree": 428,
         "fsopen": 430, "move_mount": 429, "init_module": 175, "finit_module": 313}


def commands_with(words):
    """The processes that have these words in their command line."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as line:
                if words.encode() in line.read():
                    found.append(int(pid))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


class Case(unittest.TestCase):
    options = ("--sandbox", "box")

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(prefix="eole-sandbox-")
        cls.files = pathlib.Path(cls.directory.name)
        cls.cluster = Cluster("--allow-exec", *cls.options, workers=1, slots=2)
        cls.cluster.start()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)
        cls.directory.cleanup()

    def run_one(self, shell=None, cluster=None, **args):
        args = {**({"shell": shell} if shell else {}), **args}
        return (cluster or self.cluster).submit([{"kind": "exec", "args": args}], "--wait", check=False)[0]

    def value(self, shell=None, **args):
        result = self.run_one(shell, **args)
        self.assertEqual(result["state"], "done", result)
        return result["value"]

    def stdout(self, shell=None, **args):
        return self.value(shell, **args)["stdout"]


class Escapes(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.files / "secret").write_text("secret\n")
        shared, cls.shared = tempfile.mkstemp(prefix="eole-sandbox-", dir="/dev/shm")
        os.close(shared)
        cls.victim = subprocess.Popen(["sleep", "600"])
        cls.sockets = [socket.socket(), socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)]
        cls.sockets[0].bind(("127.0.0.1", 0))
        cls.sockets[1].bind(str(cls.files / "socket"))
        cls.abstract = cls.files.name
        cls.sockets[2].bind("\0" + cls.abstract)
        for listener in cls.sockets:
            listener.listen()

    @classmethod
    def tearDownClass(cls):
        for listener in cls.sockets:
            listener.close()
        cls.victim.kill()
        cls.victim.wait()
        os.unlink(cls.shared)
        super().tearDownClass()

    def attempt(self, script, cluster):
        state = pathlib.Path(cluster.directory)
        keys = next(state.rglob("cluster*"))
        script = script.format(files=self.files, pid=self.victim.pid, worker=cluster.pid("w1"), shared=self.shared,
                               port=self.sockets[0].getsockname()[1], abstract=self.abstract, keys=keys, state=state / "eole")
        return self.run_one(script, cluster=cluster)

    def test_none_succeeds(self):
        with Cluster("--allow-exec", workers=1, slots=1) as bare:
            for what, script in ATTEMPTS.items():
                with self.subTest(what):
                    result = self.attempt(script, self.cluster)
                    self.assertEqual(result["state"], "failed", result)
                    self.assertIn("exit_code", result["value"] or {}, result)
                    if "/dev/" not in script or "{shared}" in script:  # Not every machine has those.
                        self.assertEqual(self.attempt(script, bare)["state"], "done", script)
                    (self.files / "written").unlink(missing_ok=True)

    def test_what_no_command_needs_is_denied(self):
        for what, script in DENIED.items():
            with self.subTest(what):
                is_asked = script.split(";")[-1].strip().startswith("assert")
                result = self.run_one(argv=["python3", "-c", script])
                self.assertEqual(result["state"], "done" if is_asked else "failed", result)
                if not is_asked:
                    self.assertRegex(result["value"]["stderr"], "PermissionError|OSError|FileNotFoundError")

    @unittest.skipUnless(platform.machine() == "x86_64", "the numbers are of x86-64")
    def test_calls_are_filtered(self):
        script = ("import ctypes, json\nlibc = ctypes.CDLL(None, use_errno=True)\nanswers = {}\n"
                  f"for name, number in {CALLS!r}.items():\n"
                  "  answers[name] = [libc.syscall(number, 0, 0, 0, 0, 0, 0), ctypes.get_errno()]\n"
                  "print(json.dumps(answers))")
        answers = json.loads(self.stdout(argv=["python3", "-c", script]))
        self.assertEqual(answers, {name: [-1, 1] for name in CALLS})

    def test_it_has_no_rights_and_gets_none(self):
        status = dict(line.split(":\t", 1) for line in self.stdout("cat /proc/self/status").splitlines() if ":\t" in line)
        for right in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.assertEqual(int(status[right], 16), 0, right)
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))

    def test_it_sees_nothing_of_others(self):
        self.assertEqual(self.stdout("ls -A .").split(), [])
        self.assertEqual(len(self.stdout("ls -A ..").split()), 1)
        self.assertEqual(self.stdout("ls -A /home /dev/shm").split(), ["/dev/shm:", "/home:"])
        self.assertEqual(self.stdout("ls -A /tmp").split(), [pathlib.Path(self.cluster.directory).parts[2]])
        self.assertLess(len(self.stdout("ls -d /proc/[0-9]*").split()), 6)
        self.assertEqual(self.stdout("tail -n +3 /proc/net/dev | cut -d: -f1").split(), ["lo"])
        self.assertEqual(set(self.stdout("ls /proc/self/fd").split()) - {"4"}, {"0", "1", "2", "3"})
        names = {line.split("=")[0] for line in self.stdout("env").splitlines()}
        self.assertEqual(names - {"PWD", "SHLVL", "_", "OLDPWD"},
                         {"PATH", "HOME", "LANG", "EOLE_TASK_ID", "EOLE_ATTEMPT", "EOLE_PROGRESS_FD"})

    def test_it_cannot_kill_what_watches_over_it(self):
        result = self.run_one("[ $PPID = 1 ] && kill -9 $PPID; echo still here")
        self.assertEqual((result["state"], result["attempt"], result["value"]["stdout"]), ("done", 1, "still here\n"))


class Uses(Case):
    options = ("--sandbox", "box", "--allow-git-files")

    def test_a_command_may_write_into_its_own_places(self):
        script = "for place in . /tmp /home $HOME /dev/shm; do echo x > $place/file && cat $place/file; done; echo to >/dev/stdout"
        self.assertEqual(self.stdout(script), "x\n" * 5 + "to\n")
        self.assertEqual(self.stdout("cat /tmp/file /home/file /dev/shm/file 2>/dev/null || echo gone"), "gone\n")

    def test_the_system_works(self):
        self.assertEqual(self.stdout("python3 -c 'import ssl, threading, multiprocessing; print(6 * 7)' | tr 4 5"), "52\n")
        self.assertEqual(self.stdout(argv=["cat"], stdin="in"), "in")
        self.assertEqual(self.stdout("echo $A", env={"A": "b=c d"}), "b=c d\n")

    def test_how_it_ends_is_told(self):
        self.assertEqual(self.run_one("exit 7")["value"]["exit_code"], 7)
        result = self.run_one("kill -SEGV $$")
        self.assertEqual(result["error"], "exit code 139: signal 11 (SIGSEGV)")
        self.assertEqual(self.run_one("exit 139")["error"], "exit code 139")
        result = self.run_one("pwd", cwd="no/such")
        self.assertIn("no/such: No such file or directory", result["error"])
        burnt = self.value("i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done")
        self.assertGreater(burnt["user_seconds"], self.value("true")["user_seconds"])
        result = self.run_one(argv=["no-such-program"])
        self.assertEqual(result["error"], "exec: no-such-program: No such file or directory")

    def test_files_outputs_and_parts(self):
        result = self.run_one("echo one > out.txt", outputs=["*.txt"])
        laid = result["artifact"]["sha256"]
        self.assertEqual(self.stdout("cat in/here", files={"in/here": laid}), "one\n")
        self.cluster.submit([{"kind": "echo", "args": [1], "project": "photos"}] * 2)
        count = {"argv": ["wc", "-l", {"$parts": "photos"}]}
        result = self.cluster.submit([{"kind": "exec", "args": count, "after": "project:photos"}], "--wait")[0]
        self.assertTrue(result["value"]["stdout"].startswith("2 /"), result)

    def test_a_checkout_is_whole(self):
        path = self.files / "repository"
        script = (f"git init -q {path} && cd {path} && echo hi > file && git add file && git -c user.name=S "
                  "-c user.email=s@example.org commit -qm Subject")
        subprocess.run(script, shell=True, check=True, env={"PATH": os.environ["PATH"], "HOME": str(self.files)})
        value = self.value("cat file; git log --format=%s; git status --short", git=f"file://{path}")
        self.assertEqual(value["stdout"], "hi\nSubject\n")
        self.assertEqual(len(value["commit"]), 40)

    def test_who_wants_to_run_elsewhere_finds_its_directory_there(self):
        done = self.cluster.eole("run", "pwd; ls -A; echo x > here; #", ":::", "1", cwd=self.files)
        self.assertEqual(done.stdout, f"{self.files}\n")
        self.assertFalse((self.files / "here").exists())
        self.assertEqual(self.run_one("ls -A", cwd="/usr/share/doc")["value"]["stdout"], "")
        self.assertEqual(self.stdout("pwd; pwd -P", cwd="/home/somebody"), "/home/somebody\n" * 2)

    def test_nothing_outlives_it(self):
        mark = "86400.1"
        self.stdout(f"setsid sh -c 'sleep {mark} & sleep {mark}' & (sleep {mark} &); echo done")
        wait_until(lambda: not commands_with(mark), 10, "what was left is gone")
        result = self.run_one(f"setsid sleep {mark} & sleep {mark}", timeout=0.5, term_grace=0.2)
        self.assertIn("time limit", result["error"])
        wait_until(lambda: not commands_with(mark), 10, "what ran is gone")

    def test_nothing_outlives_its_worker(self):
        mark = "86400.2"
        with Cluster("--allow-exec", *self.options, workers=1, slots=1) as cluster:
            cluster.submit([{"kind": "exec", "args": {"shell": f"setsid sleep {mark} & sleep {mark}"}, "attempts": 1}])
            wait_until(lambda: len(commands_with(mark)) >= 2, what="it runs")
            os.kill(cluster.pid("w1"), signal.SIGKILL)
            wait_until(lambda: not commands_with(mark), 10, "what ran is gone")

    def test_it_may_end_in_its_own_way(self):
        script = "trap 'echo cleaned up; exit 5' TERM; echo ready; while :; do sleep 0.02; done"
        result = self.run_one(script, timeout=0.5, term_grace=60)
        self.assertEqual(result["value"]["stdout"], "ready\ncleaned up\n")
        self.assertEqual(result["value"]["exit_code"], 5)

    def test_progress_is_heard(self):
        self.assertEqual(self.run_one("echo '3/10 page' >&$EOLE_PROGRESS_FD")["state"], "done")

    def test_a_relative_scratch_directory(self):
        worker = subprocess.Popen([BIN / "worker", "--data", "below/scratch", "--allow-exec", "--sandbox", "box", "--name",
                                   "relative", "--label", "which=relative"], cwd=self.files, env=self.cluster.env)
        try:
            task = {"kind": "exec", "args": {"shell": "pwd"}, "needs": {"which": "relative"}}
            result = self.cluster.submit([task], "--wait", check=False)[0]
            self.assertEqual(result["state"], "done", result)
            self.assertTrue(result["value"]["stdout"].startswith(f"{self.files}/below/scratch/"))
        finally:
            worker.terminate()
            worker.wait()


class Neighbours(Case):
    """What is kept from one command to the next has nothing of the first."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lone = Cluster("--allow-exec", *cls.options, workers=1, slots=1)
        cls.lone.start()

    @classmethod
    def tearDownClass(cls):
        cls.lone.__exit__(None, None, None)
        super().tearDownClass()

    def printed(self, script, **args):
        result = self.run_one(script, cluster=self.lone, **args)
        self.assertEqual(result["state"], "done", result)
        return result["value"]["stdout"]

    def test_a_network_that_was_used_is_nobody_elses(self):
        namespace, counts = "readlink /proc/self/ns/net", "tail -n +3 /proc/net/dev | tr -d ' :0lo\\n'"
        first = self.printed(namespace)
        self.assertEqual(self.printed(namespace), first)
        used = self.printed(f"{namespace}; python3 -c 'import socket; a = socket.create_server((\"127.0.0.1\", 8080)); "
                            "b = socket.create_connection(a.getsockname()); b.close()'")
        self.assertEqual(used, first)
        self.assertNotEqual(self.printed(namespace), first)
        self.assertEqual(self.printed(counts), "")

    def test_one_that_runs_elsewhere_leaves_no_trace_of_it(self):
        before = self.printed("ls -A / | xargs")
        self.assertEqual(self.printed("pwd; echo x > file", cwd="/somewhere/else"), "/somewhere/else\n")
        self.assertEqual(self.printed("ls -A / | xargs"), before)
        self.assertEqual(self.printed("ls -A", cwd="/somewhere/else"), "")


class Network(Case):
    options = ("--sandbox", "box", "--sandbox-net")

    def test_a_box_may_have_the_network(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            self.stdout(f"python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", {port}), 5)'")


class Limits(Case):
    options = ("--sandbox", "limits")

    def test_each_process_has_limits(self):
        ours = self.stdout(argv=["bash", "-c", "ulimit -c; ulimit -n; ulimit -d; grep NoNewPrivs /proc/self/status;"
                                               "cat /proc/self/oom_score_adj"]).split()
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        self.assertEqual(ours[0], "0")
        self.assertLessEqual(int(ours[1]), 4096)
        self.assertLessEqual(int(ours[2]) * 1024, memory)
        self.assertEqual(ours[4:], ["1", "1000"])

    def test_it_still_sees_the_machine(self):
        self.assertEqual(self.stdout(argv=["ls", str(self.files.parent)]).count(self.files.name), 1)


class Unfit(unittest.TestCase):
    def test_a_level_that_is_none_is_refused(self):
        with Cluster(workers=1, slots=1) as cluster:
            for program in ([BIN / "worker", "--data", f"{cluster.directory}/scratch"], [BIN / "eole", "up"]):
                done = subprocess.run([*program, "--sandbox", "some"], env=cluster.env, capture_output=True, text=True,
                                      timeout=60)
                self.assertEqual(done.returncode, 2)
                self.assertIn("--sandbox", done.stderr)

    def test_a_worker_that_cannot_have_its_box_does_not_begin(self):
        with Cluster(workers=1, slots=1) as cluster, tempfile.TemporaryDirectory(prefix="eole-sandbox-") as directory:
            command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
                       "echo 0 > /proc/sys/user/max_user_namespaces; exec " +
                       shlex.join([str(BIN / "worker"), "--data", directory, "--allow-exec", "--sandbox", "box"])]
            done = subprocess.run(command, env=cluster.env, capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("--sandbox box does not work here: a box: namespaces: ", done.stderr)
            self.assertEqual(os.listdir(directory), [])


if __name__ == "__main__":
    unittest.main()
