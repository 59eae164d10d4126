"""What a command in a box can reach of the machine that it runs on: nothing; and what it still can do.

Each attempt to get out is harmless if it succeeds: it reads, asks, or writes into a directory made for it."""

import ctypes
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

from boxes import needs_boxes
from cluster import BIN, Cluster, wait_until

def python(*lines):
    return shlex.join(["python3", "-c", "\n".join(["import ctypes, fcntl, mmap, os, resource, signal, socket, stat, sys, termios",
                                                   "libc = ctypes.CDLL(None, use_errno=True)", *lines])])


def call(number, *arguments):
    """A system call by its number on x86-64, that must not be refused."""
    return python(f"sys.exit(libc.syscall({', '.join(map(str, (number, *arguments)))}) < 0)")


MADE = "t=$(mktemp {}/eole-test-XXXXXX) && rm $t"
# Each is somebody's way out of a box, or to more of the machine than a command may have. Without a box it succeeds
# (as root, where root alone may), so that in one it fails for the right reason.
ATTEMPTS = {
    # Files.
    "read a file": "cat {files}/secret",
    "read it by another way": "cat /proc/self/root{files}/secret",
    "read it through a link": "ln -s {files}/secret link; cat link",
    "read it by climbing": "cat ../../../../../../../../../..{files}/secret",
    "read it by another name": "ln {files}/secret {files}/written && cat {files}/written",
    "read it where somebody has it open": "cat /proc/{pid}/fd/0",
    "read it through another's directory": "cat /proc/{pid}/cwd/secret",
    "read it through the worker's root": "cat /proc/{worker}/root{files}/secret",
    "list a directory": "ls {files}",
    "write a file": "touch {files}/written",
    "change a file's mode": "chmod 0600 {files}/secret",
    "put a file away": "mv {files}/secret {files}/written && mv {files}/written {files}/secret",
    "read what is shared in memory": "cat {shared}",
    "see the cluster's keys": "cat {keys}",
    "see the state of the cluster": "ls {state}/data/sockets",
    "see the user's home": "ls -d {home}/.",
    "see the system's other settings": "ls /etc/apt",
    "read the passwords": "cat /etc/shadow",
    "read the machine's log": "ls /var/log",
    "see what runs on the machine": "ls /run/.",
    "see what it boots from": "ls /boot/.",
    "see devices": "ls /sys/devices",
    "see disks": "ls /dev/disk /dev/vda /dev/sda /dev/mapper/control 2>&1 | grep -v cannot",
    "read the kernel's log device": python("os.open('/dev/kmsg', os.O_RDONLY)"),
    "write into the system": MADE.format("/usr/lib"),
    "write at the root": MADE.format("''"),
    "write settings": MADE.format("/etc"),
    "write devices": MADE.format("/dev"),
    "change a device's times": "touch -c /dev/null",
    "make a device": "mknod device b 259 0",
    "give a program rights": "cp /bin/true program && " + python(
        "os.setxattr('program', 'security.capability', bytes.fromhex('0100000200200000000000000000000000000000'))"),
    # Mounts and namespaces.
    "mount memory": "mkdir m && mount -t tmpfs none m && umount m",
    "mount a directory elsewhere": "mkdir m && mount --bind / m && umount m",
    "mount the kernel's groups": "mkdir m && mount -t cgroup2 none m && umount m",
    "leave its root": python("os.chroot('/')"),
    "become root of new namespaces": "unshare --user --map-root-user true",
    "have mounts of its own": "unshare --mount true",
    "have processes of its own": "unshare --pid --fork true",
    "have a network of its own": "unshare --net true",
    "have namespaces by clone": call(56, 0x20000000 | 17, 0, 0, 0, 0),
    "enter another's namespaces": "nsenter --target {pid} --mount true",
    "name the machine": python("socket.sethostname(socket.gethostname())"),
    # Processes.
    "signal a process": "kill -0 {pid}",
    "signal the worker": "kill -0 {worker}",
    "signal a group": python("os.killpg({pid}, 0)"),
    "see a process": "cat /proc/{pid}/cmdline",
    "see a process's environment": "cat /proc/{worker}/environ",
    "see the environment of what watches over it": "cat /proc/$PPID/environ",
    "see the descriptors of what watches over it": "readlink /proc/$PPID/fd/0",
    "read the program that watches over it": "cat /proc/$PPID/exe",
    "open the memory of what watches over it": "exec 5< /proc/$PPID/mem",
    "open the memory of another": "exec 5< /proc/{pid}/mem",
    "let another be killed sooner": "exec 5<> /proc/{pid}/oom_score_adj",
    "see another's limits": "prlimit --pid {pid}",
    "slow another": "renice -n 1 -p {pid}",
    "keep another to a core": "taskset -p {pid}",
    "trace another": python("assert libc.ptrace(16, {pid}, 0, 0) == 0", "os.waitpid({pid}, 0x40000000)",
                            "libc.ptrace(17, {pid}, 0, 0)"),
    "trace itself": python("sys.exit(libc.ptrace(0, 0, 0, 0) != 0)"),
    "read memory as a debugger does": python(
        "class Part(ctypes.Structure): _fields_ = [('at', ctypes.c_void_p), ('size', ctypes.c_size_t)]",
        "text = ctypes.create_string_buffer(8)", "part = Part(ctypes.addressof(text), 8)",
        "sys.exit(libc.process_vm_readv(os.getpid(), ctypes.byref(part), 1, ctypes.byref(part), 1, 0) != 8)"),
    "take a descriptor of another": python("sys.exit(libc.syscall(438, os.pidfd_open({pid}), 0, 0) < 0)"),
    "compare processes": python("sys.exit(libc.syscall(312, os.getpid(), os.getpid(), 2, 0, 0) < 0)"),
    "become somebody else": python("os.setuid(12345)"),
    "be in another group": python("os.setgroups([6])"),
    "type on a terminal": python("fcntl.ioctl(os.openpty()[1], termios.TIOCSTI, b'x')"),
    # What is shared without a file.
    "use memory of others": python("sys.exit(libc.shmget({memory_key}, 0, 0) < 0)"),
    "use a queue of others": python("sys.exit(libc.mq_open(b'/{queue}', os.O_RDONLY) < 0)"),
    "ask for the user's keys": call(250, 0, -4, 0),
    "keep a key": python("sys.exit(libc.syscall(248, b'user', b'eole-test', b'x', 1, -2) < 0)"),
    # Network.
    "reach a port": python("socket.create_connection(('127.0.0.1', {port}), 5)"),
    "reach an abstract socket": python("socket.socket(socket.AF_UNIX).connect('\\0{abstract}')"),
    "reach a socket in a directory": python("socket.socket(socket.AF_UNIX).connect('{files}/socket')"),
    "see the machine's connections": "grep -q ':{port_hex} ' /proc/net/tcp",
    "open a raw socket": python("socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)"),
    "listen to all that passes": python("socket.socket(socket.AF_PACKET, socket.SOCK_RAW)"),
    "use the kernel's ciphers": python("socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)"),
    "speak to the machine's host": python("socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)"),
    # The kernel.
    "write the kernel's settings": "exec 5<> /proc/sys/kernel/core_pattern",
    "allow itself namespaces": "exec 5<> /proc/sys/user/max_user_namespaces",
    "open the kernel's keys": "exec 5> /proc/sysrq-trigger",
    "see where memory lies": "head -c 8 /proc/kpagecount | grep -q .",
    "read the kernel's log": call(103, 3, "ctypes.create_string_buffer(16)", 16),
    "open a file by its number": python("place = ctypes.create_string_buffer(bytes([128, 0, 0, 0]) + bytes(132))",
                                        "sys.exit(libc.syscall(303, -100, b'/usr', place, ctypes.byref(ctypes.c_int()), 0) < 0)"),
    "have the kernel run a program": call(321, 0, "(ctypes.c_uint * 18)(2, 4, 4, 1)", 72),
    "measure the machine": python("of = (ctypes.c_ubyte * 128)()", "of[0], of[4] = 1, 128",
                                  "sys.exit(libc.syscall(298, of, 0, -1, -1, 0) < 0)"),
    "handle faults itself": call(323, 0),
    "have calls made for it": call(425, 1, "(ctypes.c_ubyte * 120)()"),
    "look at the clock's discipline": call(159, "(ctypes.c_ubyte * 208)()"),
    "reach ports of the processor": call(173, 128, 1, 1),
    "change its segments": call(154, 0, "(ctypes.c_ubyte * 16)()", 16),
    # More than its share.
    "leave its memory on the disk": "ulimit -H -c unlimited",
    "have more processes": python("resource.setrlimit(resource.RLIMIT_NPROC, (100000, 100000))"),
    "have more open files": python("resource.setrlimit(resource.RLIMIT_NOFILE, (8192, 8192))"),
    "have more than half of the memory": python("mmap.mmap(-1, {memory} // 100 * 60, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)"),
    "keep memory from being swapped": python("sys.exit(libc.mlock(ctypes.create_string_buffer(1 << 20), 1 << 20))"),
    "fill the memory with files": "f=$(mktemp /tmp/eole-test-XXXXXX); fallocate -l 600M $f; code=$?; rm $f; exit $code",
    "write a file without end": "truncate -s 65G file",
}
# Who is no root may do these neither in a box nor without one.
OF_ROOT = {"read the passwords", "read the kernel's log device",
           "write into the system", "write at the root", "write settings", "write devices", "make a device",
           "give a program rights", "mount memory", "mount a directory elsewhere", "mount the kernel's groups",
           "leave its root", "have mounts of its own", "have processes of its own", "have a network of its own",
           "have namespaces by clone", "enter another's namespaces", "name the machine", "become somebody else",
           "be in another group", "type on a terminal", "open a raw socket", "listen to all that passes",
           "write the kernel's settings", "allow itself namespaces", "open the kernel's keys", "see where memory lies",
           "read the kernel's log", "have the kernel run a program", "measure the machine", "handle faults itself",
           "reach ports of the processor", "leave its memory on the disk", "have more processes",
           "have more open files", "keep memory from being swapped", "trace another", "take a descriptor of another"}
# Not every machine has those, nor lets its root.
MAY_BE_MISSING = {"see disks", "read what is shared in memory", "use the kernel's ciphers", "speak to the machine's host",
                  "allow itself namespaces", "have more processes", "have more open files", "open the kernel's keys",
                  "reach ports of the processor", "leave its memory on the disk", "see where memory lies"}
# With arguments that are wrong: the filter answers before the kernel looks at them.
CALLS = {"ptrace": 101, "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "unshare": 272,
         "setns": 308, "keyctl": 250, "add_key": 248, "request_key": 249, "bpf": 321, "perf_event_open": 298,
         "userfaultfd": 323, "io_uring_setup": 425, "process_vm_readv": 310, "process_vm_writev": 311,
         "pidfd_getfd": 438, "kcmp": 312, "open_by_handle_at": 304, "name_to_handle_at": 303, "open_tree": 428,
         "fsopen": 430, "move_mount": 429, "init_module": 175, "finit_module": 313}


def commands_with(words):
    """The processes that have these words in their command line."""
    return subprocess.run(["pgrep", "-f", words], capture_output=True, text=True, check=False).stdout.split()


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


@needs_boxes
class Boxed(Case):
    pass


class Escapes(Boxed):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.files / "secret").write_text("secret\n")
        shared, cls.shared = tempfile.mkstemp(prefix="eole-sandbox-", dir="/dev/shm")
        os.close(shared)
        with open(cls.files / "secret") as secret:
            cls.victim = subprocess.Popen(["sleep", "600"], stdin=secret, cwd=cls.files, start_new_session=True)
        cls.memory_key, cls.queue = os.getpid(), f"eole-test-{os.getpid()}"
        libc = ctypes.CDLL(None)
        cls.memory = libc.shmget(cls.memory_key, 4096, 0o1600)
        libc.mq_open(f"/{cls.queue}".encode(), os.O_CREAT | os.O_RDWR, 0o600, None)
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
        libc = ctypes.CDLL(None)
        libc.shmctl(cls.memory, 0, None)
        libc.mq_unlink(f"/{cls.queue}".encode())
        super().tearDownClass()

    def attempts(self, cluster):
        state = pathlib.Path(cluster.directory)
        port = self.sockets[0].getsockname()[1]
        known = {"files": self.files, "pid": self.victim.pid, "worker": cluster.pid("w1"), "shared": self.shared, "port": port,
                 "port_hex": f"{port:04X}", "abstract": self.abstract, "keys": next(state.rglob("cluster*")),
                 "state": state / "eole", "home": pathlib.Path.home(), "memory_key": self.memory_key, "queue": self.queue,
                 "memory": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")}
        tasks = []
        for script in ATTEMPTS.values():
            for name, value in known.items():
                script = script.replace("{" + name + "}", str(value))
            # A file that it makes outside is nobody's trouble in the next.
            tasks.append({"kind": "exec", "args": {"shell": f"{script}\ncode=$?; rm -f {self.files}/written; exit $code"}})
        return dict(zip(ATTEMPTS, cluster.submit(tasks, "--wait", check=False)))

    def test_none_succeeds(self):
        self.assertGreaterEqual(len(ATTEMPTS), 60)
        for what, result in self.attempts(self.cluster).items():
            with self.subTest(what):
                self.assertEqual(result["state"], "failed", result)
                self.assertIn("exit_code", result["value"] or {}, result)

    @unittest.skipUnless(platform.machine() == "x86_64", "the numbers are of x86-64")
    def test_without_a_box_each_succeeds(self):
        with Cluster("--allow-exec", workers=1, slots=1) as bare:
            results = self.attempts(bare)
            if os.getuid() == 0:
                self.assertGreaterEqual(sum(result["state"] == "done" for result in results.values()), 60)
            for what, result in results.items():
                if what in MAY_BE_MISSING or (what in OF_ROOT and os.getuid() != 0):
                    continue
                with self.subTest(what):
                    self.assertEqual(result["state"], "done", result)

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
                         {"PATH", "HOME", "LC_CTYPE", "EOLE_TASK_ID", "EOLE_ATTEMPT", "EOLE_PROGRESS_FD"})

    def test_it_cannot_kill_what_watches_over_it(self):
        result = self.run_one("[ $PPID = 1 ] && kill -9 $PPID; echo still here")
        self.assertEqual((result["state"], result["attempt"], result["value"]["stdout"]), ("done", 1, "still here\n"))


class Uses(Boxed):
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

    def test_outputs_are_what_the_command_made_and_nothing_else(self):
        (self.files / "secret").write_text("secret\n")
        script = (f"ln -s {self.files}/secret link.txt; ln -s {self.files} links; ln -s /etc/passwd passwd.txt; mkfifo pipe.txt; "
                  "mknod -m 0600 socket.txt p; mkdir dir.txt; echo x > one.txt; ln one.txt two.txt; ln -s one.txt three.txt; "
                  "echo x > \"$(printf 'new\\nline.txt')\"; echo x > \"$(printf 'bad\\377.txt')\"; echo x > .hidden.txt; "
                  "chmod 0 two.txt")
        result = self.run_one(script, outputs=["*.txt"])
        names = [artifact["name"] for artifact in result["artifacts"]]
        self.assertEqual(names, ["bad\ufffd.txt", "new\nline.txt", "one.txt", "two.txt"])
        result = self.run_one(script, outputs=["links/*", "*.txt"])
        self.assertEqual((result["state"], result["error"]), ("failed", "exec: outputs: no file links/*"))

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
        wait_until(lambda: not [*pathlib.Path(self.cluster.directory).glob("eole/data/w1/*.directory")], what="none left")
        for place in ("/", "/./", "/usr", "/etc", "/proc", "//proc/./", "/proc/self", "/dev", "/dev/pts", "/var/tmp/../proc"):
            result = self.run_one("cat /proc/self/oom_score_adj", cwd=place)
            self.assertEqual(result["state"], "failed", (place, result))
            self.assertIn(f"a box: no directory can be laid at {place}", result["error"])

    def test_nothing_outlives_it(self):
        mark = "86400.1"
        self.stdout(f"setsid sh -c 'sleep {mark} & sleep {mark}' & (sleep {mark} &); echo done")
        wait_until(lambda: not commands_with(mark), what="what was left is gone")
        result = self.run_one(f"setsid sleep {mark} & sleep {mark}", timeout=0.5, term_grace=0.2)
        self.assertIn("time limit", result["error"])
        wait_until(lambda: not commands_with(mark), what="what ran is gone")

    def test_nothing_outlives_its_worker(self):
        mark = "86400.2"
        with Cluster("--allow-exec", *self.options, workers=1, slots=1) as cluster:
            cluster.submit([{"kind": "exec", "args": {"shell": f"setsid sleep {mark} & sleep {mark}"}, "attempts": 1}])
            wait_until(lambda: len(commands_with(mark)) >= 2, what="it runs")
            os.kill(cluster.pid("w1"), signal.SIGKILL)
            wait_until(lambda: not commands_with(mark), what="what ran is gone")

    def test_it_may_end_in_its_own_way(self):
        script = "trap 'echo cleaned up; exit 5' TERM; echo ready; while :; do sleep 0.02; done"
        result = self.run_one(script, timeout=0.5, term_grace=60)
        self.assertEqual(result["value"]["stdout"], "ready\ncleaned up\n")
        self.assertEqual(result["value"]["exit_code"], 5)

    def test_progress_is_heard(self):
        self.assertEqual(self.run_one("echo '3/10 page' >&$EOLE_PROGRESS_FD")["state"], "done")

    def test_a_worker_s_directory_may_be_relative_or_below_where_a_command_runs(self):
        home = self.enterContext(tempfile.TemporaryDirectory(dir=BIN.parent))  # Of what is there a box makes nothing anew.
        for data, given in (("below/scratch", {}), (f"{home}/.local/data", {"cwd": home})):
            with subprocess.Popen([BIN / "worker", "--data", data, "--allow-exec", "--sandbox", "box", "--name", "other",
                                   "--label", "which=other"], cwd=self.files, env=self.cluster.env) as worker:
                task = {"kind": "exec", "args": {"shell": "pwd; ls -A", **given}, "needs": {"which": "other"}}
                try:
                    result = self.cluster.submit([task], "--wait", check=False)[0]
                finally:
                    worker.terminate()
            self.assertEqual(result["state"], "done", result)
            self.assertRegex(result["value"]["stdout"], f"^{given.get('cwd', f'{self.files}/below/scratch/.*')}\n$")


class Neighbours(Boxed):
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

    def test_terminals_are_each_ones_own(self):
        terminal = "python3 -c 'import os; print(os.ttyname(os.openpty()[1]))'"
        self.assertEqual(self.printed(terminal), "/dev/pts/0\n")
        self.printed("chmod 0 /dev/pts/ptmx /dev/pts")
        self.assertEqual(self.printed(terminal), "/dev/pts/0\n")

    def test_one_that_runs_elsewhere_leaves_no_trace_of_it(self):
        before = self.printed("ls -A / | xargs")
        self.assertEqual(self.printed("pwd; echo x > file", cwd="/somewhere/else"), "/somewhere/else\n")
        self.assertEqual(self.printed("ls -A / | xargs"), before)
        self.assertEqual(self.printed("ls -A", cwd="/somewhere/else"), "")


class Network(Boxed):
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

    @needs_boxes
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
