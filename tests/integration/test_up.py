"""A person's first minutes: starting, not being able to start, ending, and whose the files are."""

import os
import pathlib
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import tomllib
import unittest

from cluster import BIN, Cluster, alive, wait_until

STRANGER = 23456  # A user that nobody is.


class Terminal:
    """`eole up` with what it prints, line by line."""

    def __init__(self, *arguments, directory, env=None):
        self.lines = []
        self.env = {**os.environ, "XDG_STATE_HOME": directory, **(env or {})}
        self.env.pop("EOLE_CLUSTER", None)
        self.process = subprocess.Popen([BIN / "eole", "up", *map(str, arguments)], env=self.env,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def wait_for(self, word, seconds=60):
        wait_until(lambda: any(word in line for line in list(self.lines)) or self.process.poll() is not None,
                   seconds, word)
        self_text = "\n".join(self.lines)
        if word not in self_text:
            raise AssertionError(f"ended without {word}: {self_text}")
        return next(line for line in self.lines if word in line)

    def end(self):
        code = self.process.wait(60)
        self.reader.join()
        self.process.stdout.close()
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for _ in range(3):
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGTERM)
                try:
                    self.process.wait(15)
                except subprocess.TimeoutExpired:
                    pass
        self.process.kill()
        self.end()


def free_ports():
    """The first of 1000 ports of which the first five are free now."""
    while True:
        first = 10_000 + int.from_bytes(os.urandom(2)) % 20_000
        taken = []
        try:
            for port in range(first, first + 5):
                taken.append(socket.create_server(("127.0.0.1", port)))
            return first
        except OSError:
            continue
        finally:
            for one in taken:
                one.close()


class InADirectory(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="eole-test-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)


class Restart(InADirectory):
    def test_who_waits_hears_the_result_of_the_next_start(self):
        """`submit --wait`, `watch` and Python's results() go on when `eole up` is started again."""
        with Cluster(workers=0, directory=self.directory) as cluster:
            def client(*words):
                return subprocess.Popen([BIN / "eole", *words], env=cluster.env, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            python = ("import sys; sys.path.insert(0, sys.argv[1]); import eole\n"
                      "with eole.Cluster() as cluster:\n"
                      "    ids = cluster.submit('echo', [{'n': 1}])\n"
                      "    print('submitted', flush=True)\n"
                      "    print([result.state for result in cluster.results(ids)])\n")
            watch = client("watch", "--from", "0", "--count", "2", "--json")
            submit = client("submit", "echo", "hello", "--wait", "--json")
            other = subprocess.Popen(
                ["/usr/bin/python3", "-c", python, str(pathlib.Path(__file__).parents[2] / "clients/python")],
                env=cluster.env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertEqual(other.stdout.readline().strip(), "submitted")
            wait_until(lambda: cluster.status()["queued"] == 2, what="two tasks queued")
            self.assertEqual(cluster.stop(), 0)
            cluster.arguments[1] = "1"
            cluster.start()
            for process, word in ((submit, '"done"'), (watch, '"done"'), (other, "['done']")):
                out, err = process.communicate(timeout=60)
                self.assertEqual(process.returncode, 0, err)
                self.assertIn(word, out)

    def test_a_killed_start_is_followed_by_one_at_the_same_place(self):
        with Cluster(workers=1, directory=self.directory) as cluster:
            before = pathlib.Path(self.directory, "eole/cluster.toml").read_text()
            roles = [role["pid"] for role in cluster.status()["roles"]]
            cluster.up.kill()
            cluster.up.wait()
            cluster.up.stdout.close()
            cluster.start()
            self.assertEqual(pathlib.Path(self.directory, "eole/cluster.toml").read_text(), before)
            self.assertEqual(cluster.submit([{"kind": "echo", "args": 1}], "--wait")[0]["state"], "done")
            wait_until(lambda: not any(map(alive, roles)), what="the first roles' end")
            self.assertEqual(cluster.submit([{"kind": "echo", "args": 2}], "--wait")[0]["state"], "done")

    def test_a_worker_of_before_that_winds_down_is_told_beside_the_new_one(self):
        cluster = Cluster("--allow-exec", workers=1, slots=1, directory=self.directory)
        cluster.start()
        gate = pathlib.Path(self.directory, "gate")
        self.addCleanup(gate.touch)
        shell = f"while [ ! -e {gate} ]; do sleep 0.05; done"
        [task] = cluster.submit([{"kind": "exec", "args": {"shell": shell}}])
        wait_until(lambda: cluster.task(task["id"])["state"] == "running", what="a task that runs")
        old = cluster.pid("w1")
        cluster.up.kill()
        cluster.up.wait()
        cluster.up.stdout.close()
        with Cluster("--allow-exec", workers=1, slots=1, directory=self.directory) as again:
            def states():
                return {worker["pid"] == old: worker["state"] for worker in again.json("workers")}
            wait_until(lambda: states() == {True: "draining", False: "ready"}, what="the old one drains")
            self.assertIn("draining", again.eole("workers").stdout)
            self.assertIn("draining", again.eole("status").stdout)
            gate.touch()
            again.wait_settled(1)
            wait_until(lambda: states() == {False: "ready"}, what="the old one is gone")
            self.assertEqual(again.json("result", task["id"])[0]["attempt"], 1)

    def test_a_data_directory_of_a_long_name_has_its_sockets_elsewhere(self):
        data = pathlib.Path(self.directory, "long" * 25, "data")
        with Cluster("--data", str(data), workers=1, directory=self.directory) as cluster:
            before = pathlib.Path(self.directory, "eole/cluster.toml").read_text()
            place = pathlib.Path(tomllib.loads(before)["ventilator"].removeprefix("ipc://")).parent
            self.assertEqual(place.parent, pathlib.Path(f"/tmp/eole-{os.geteuid()}"))
            self.addCleanup(shutil.rmtree, place, ignore_errors=True)
            for directory in (place, place.parent):
                self.assertEqual(stat.S_IMODE(directory.stat().st_mode), 0o700)
            cluster.stop()
            cluster.start()
            self.assertEqual(pathlib.Path(self.directory, "eole/cluster.toml").read_text(), before)
            self.assertEqual(cluster.submit([{"kind": "echo", "args": 2}], "--wait")[0]["state"], "done")

    def test_a_second_start_is_refused(self):
        with Cluster(workers=0, directory=self.directory) as cluster:
            done = cluster.eole("up", "--workers", "0", check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn("is in use by another `eole up`", done.stderr)


class Ports(InADirectory):
    def test_all_ports_lie_in_the_range_that_is_told(self):
        first = free_ports()
        taken = [socket.create_server(("127.0.0.1", port)) for port in range(first + 5, first + 8)]
        with Terminal("--workers", "4", "--listen", f"127.0.0.1:{first}", directory=self.directory) as up:
            page = int(up.wait_for("page").rsplit(":", 1)[1])  # Not for others, so no firewall needs to know.
            line = up.wait_for("ports")
            self.assertIn(f"{first}-{first + 999}", line)
            up.wait_for("ready")
            pids = {int(pid) for pid in pathlib.Path(
                f"/proc/{up.process.pid}/task/{up.process.pid}/children").read_text().split()}
            listening = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
            ports = sorted(int(match[1]) for line in listening.splitlines()
                           for match in [re.search(r":(\d+) .*pid=(\d+)", line)] if match and int(match[2]) in pids)
            ports.remove(page)
            self.assertEqual(ports[:5], list(range(first, first + 5)))
            self.assertEqual(len(ports), 9)
            self.assertTrue(all(first + 5 <= port < first + 1000 for port in ports[5:]), ports)
        for one in taken:
            one.close()

    def test_a_range_without_a_free_port_is_told_and_a_worker_waits_for_one(self):
        first = free_ports()
        with Terminal("--workers", "0", "--listen", f"127.0.0.1:{first}", directory=self.directory) as up:
            up.wait_for("ready")
            up.process.send_signal(signal.SIGTERM)
            up.end()
        data = pathlib.Path(self.directory, "eole/data")
        server = (data / "server.toml").read_text()
        only = free_ports()
        (data / "server.toml").write_text(re.sub(r"(pipes = .*:)\d+-\d+", rf"\g<1>{only}-{only}", server))
        taken = socket.create_server(("127.0.0.1", only))
        programs = [[BIN / "sink", "--data", data / "sink"], [BIN / "ventilator", "--data", data / "ventilator"]]
        roles = [subprocess.Popen([*words, "--cluster", data / "server.toml"], stderr=subprocess.PIPE, text=True)
                 for words in programs]
        roles.append(subprocess.Popen([BIN / "worker", "--cluster", data / "worker.toml", "--data",
                                       data / "w"], stderr=subprocess.PIPE, text=True))
        try:
            for line in roles[1].stderr:
                if "no port of" in line:
                    break
            self.assertIn(f"{only}-{only} is free", line)
            taken.close()
            for line in roles[1].stderr:
                if "welcome" in line:
                    break
            self.assertIn("welcome", line)
        finally:
            for role in roles:
                role.kill()
                role.communicate()

    def test_ports_that_were_chosen_stay(self):
        with Cluster("--listen", "127.0.0.1", workers=1, directory=self.directory) as cluster:
            before = pathlib.Path(self.directory, "eole/cluster.toml").read_text()
            cluster.stop()
            cluster.start()
            self.assertEqual(pathlib.Path(self.directory, "eole/cluster.toml").read_text(), before)

    @unittest.skipUnless(socket.has_ipv6 and os.path.exists("/proc/net/if_inet6"), "no IPv6 here")
    def test_an_ipv6_address_is_written_in_brackets(self):
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError:
            self.skipTest("no ::1 here")
        with Cluster("--listen", "[::1]", workers=1, directory=self.directory) as cluster:
            self.assertEqual(cluster.submit([{"kind": "echo", "args": 1}], "--wait")[0]["state"], "done")

    def test_an_address_that_cannot_be_is_refused_by_name(self):
        for given, why in (("::1", "brackets"), ("[::1", "closing bracket"), ("localhost", "in numbers"),
                           ("192.0.2.1", "not an address of this machine"), ("127.0.0.1:0", "the port is"),
                           ("127.0.0.1:65000", "the port is"), ("127.0.0.1:1x", "the port is"),
                           ("0.0.0.0", "name the one address"), ("", "name the one address")):
            if not given:
                continue  # Empty is ipc.
            with Terminal("--listen", given, directory=self.directory) as up:
                self.assertEqual(up.end(), 2, given)
                self.assertIn(why, "\n".join(up.lines), given)


class CannotStart(InADirectory):
    def test_a_taken_port_is_told_and_everything_ends(self):
        first = free_ports()
        with socket.create_server(("127.0.0.1", first + 3)):
            with Terminal("--workers", "1", "--listen", f"127.0.0.1:{first}", directory=self.directory) as up:
                line = up.wait_for("cannot start")
                self.assertIn(f"tcp://127.0.0.1:{first + 3}", line)
                self.assertIn("in use", line)
                self.assertIn("sink.log", line)
                self.assertEqual(up.end(), 3)
                self.assertLess(len([line for line in up.lines if "starting it again" in line]), 6)

    def test_a_page_whose_port_is_taken_is_an_error(self):
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        with Terminal("--workers", "0", "--http", place, directory=self.directory) as up:
            self.assertEqual(up.end(), 2)
            self.assertIn(f"--http {place}: Address already in use", "\n".join(up.lines))

    def test_a_page_whose_port_was_its_own_the_last_time_is_waited_for_before_it_is_ready(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        arguments = ("--workers", "0", "--http", f"127.0.0.1:{port}")
        with Terminal(*arguments, directory=self.directory) as up:
            up.wait_for("ready")
            up.process.send_signal(signal.SIGTERM)
            self.assertEqual(up.end(), 0)
        with socket.create_server(("127.0.0.1", port)):
            with Terminal(*arguments, directory=self.directory) as up:
                self.assertIn(f"cannot listen on 127.0.0.1:{port}: Address already in use", up.wait_for("cannot start"))
                self.assertEqual(up.end(), 3)
                self.assertNotIn("ready", up.lines)

    def test_damage_another_holder_and_a_bad_key_table_are_told(self):
        with Cluster("--listen", "127.0.0.1", workers=1, directory=self.directory) as cluster:
            cluster.submit([{"kind": "echo", "args": n} for n in range(50)], "--wait")
            held = cluster.data = f"{self.directory}/eole/data"
        keys = pathlib.Path(held, "keys.toml")
        good = keys.read_text()
        keys.unlink()
        with Terminal("--listen", "127.0.0.1", directory=self.directory) as up:
            self.assertEqual(up.end(), 2)
            self.assertIn("keys.toml is gone", "\n".join(up.lines))
        keys.write_text(good)
        keys.chmod(0o600)
        holder = subprocess.Popen([BIN / "sink", "--cluster", f"{held}/server.toml", "--data", f"{held}/sink"],
                                  stderr=subprocess.PIPE, text=True)
        self.assertIn("listening", holder.stderr.readline())
        with Terminal("--listen", "127.0.0.1", directory=self.directory) as up:
            self.assertIn("another process uses the directory", up.wait_for("cannot start"))
            self.assertEqual(up.end(), 3)
        holder.kill()
        holder.communicate()
        segment = next(pathlib.Path(held, "sink/log").glob("*.seg"))
        with segment.open("r+b") as file:
            file.write(b"not a log of ours")
        with Terminal("--listen", "127.0.0.1", directory=self.directory) as up:
            self.assertIn("sink cannot start", up.wait_for("cannot start"))
            self.assertEqual(up.end(), 3)

    def test_a_role_that_is_killed_again_and_again_is_started_again(self):
        with Cluster(workers=1, directory=self.directory) as cluster:
            for _ in range(8):
                cluster.kill("sink")
                wait_until(lambda: cluster.settled() >= 0, what="the sink")
            self.assertEqual(cluster.submit([{"kind": "echo", "args": 1}], "--wait")[0]["state"], "done")

    def test_a_directory_that_cannot_be_is_refused_by_name(self):
        pathlib.Path(self.directory, "file").write_text("")
        os.mkdir(f"{self.directory}/open", 0o755)
        pathlib.Path(self.directory, "open/precious").write_text("")
        for data, why in (("file", "is no directory"), ("file/below", "cannot"), ("open", "others may enter it")):
            with Terminal("--data", f"{self.directory}/{data}", directory=self.directory) as up:
                self.assertEqual(up.end(), 2, data)
                self.assertIn(why, "\n".join(up.lines))
        self.assertEqual(stat.S_IMODE(os.stat(f"{self.directory}/open").st_mode), 0o755)


class Ending(InADirectory):
    def test_a_second_signal_ends_it_at_once(self):
        with Terminal("--workers", "1", directory=self.directory) as up:
            up.wait_for("ready")
            subprocess.run([BIN / "eole", "submit", "sleep", "600"], env=up.env, check=True, capture_output=True)
            wait_until(lambda: b'"running":1' in subprocess.run(
                [BIN / "eole", "status", "--json"], env=up.env, capture_output=True).stdout, what="a running task")
            up.process.send_signal(signal.SIGINT)
            up.wait_for("draining")
            up.process.send_signal(signal.SIGINT)
            up.wait_for("ending at once")
            self.assertEqual(up.end(), 0)


class CommandLine(InADirectory):
    def eole(self, *words):
        return subprocess.run([BIN / "eole", *words], capture_output=True, text=True,
                              env={**os.environ, "XDG_STATE_HOME": self.directory, "EOLE_CLUSTER": ""})

    def test_a_misspelt_command_or_option_is_told_with_what_was_meant(self):
        for words, told in ((("sumbit", "echo"), "eole: no command sumbit; did you mean submit? (eole --help"),
                            (("--cluster", "x", "staus"), "no command staus; did you mean status?"),
                            (("frobnicate",), "eole: no command frobnicate (eole --help lists them)"),
                            (("up", "--wrokers", "3"), "eole: no option --wrokers; did you mean --workers? (eole up"),
                            (("\x1b[31mup",), "no command \\x1b[31mup")):
            done = self.eole(*words)
            self.assertEqual(done.returncode, 2)
            self.assertIn(told, done.stderr)

    def test_without_a_command_it_prints_its_help(self):
        done = self.eole()
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stdout, self.eole("--help").stdout)

    def test_every_help_says_the_exit_codes(self):
        commands = re.findall(r"^  (\w+) {4,}", self.eole("--help").stdout.split("Subcommands:")[1], re.M)
        self.assertIn("up", commands)
        for command in commands:
            self.assertIn("Exit codes: 0", self.eole(command, "--help").stdout, command)

    def test_bad_input_is_2_and_no_answer_is_3(self):
        self.assertEqual(self.eole("status").returncode, 2)  # No cluster file.
        self.assertEqual(self.eole("join", "--role", "work").returncode, 2)
        with Cluster(workers=0, directory=self.directory) as cluster:
            self.assertEqual(self.eole("submit", "image", "no-such.jpg").returncode, 2)
            self.assertEqual(self.eole("status").returncode, 0)
            cluster.stop()
            self.assertEqual(self.eole("status").returncode, 3)
            cluster.start()


class Files(InADirectory):
    def test_everything_of_a_cluster_is_private_under_any_umask(self):
        before = os.umask(0)
        try:
            # A directory that is missing above the data is made private, too.
            state = f"{self.directory}/above/state"
            os.mkdir(f"{self.directory}/home", 0o700)
            with Cluster("--allow-exec", "--listen", "127.0.0.1", workers=1, directory=state) as cluster:
                results = cluster.submit([{"kind": "exec", "args": {"shell": "umask; echo; sleep 0"}},
                                          {"kind": "image", "args": {"artifact": "0" * 64}}], "--wait", check=False)
                cluster.eole("join", "--role", "work", "-o", f"{state}/keys/w.toml")
                key = f"{state}/keys/w.toml"
                elsewhere = subprocess.Popen([BIN / "worker", "--cluster", key, "--name", "far/away"],
                                             env=cluster.env, stderr=subprocess.DEVNULL)
                wait_until(lambda: len(cluster.json("workers")) == 2, what="the other worker")
                open_to_others = [(path, oct(mode)) for path, mode in self.modes(f"{self.directory}/above")
                                  if mode & 0o077]
                self.assertEqual(open_to_others, [])
                self.assertTrue(os.path.isdir(f"{state}/eole/scratch/far_away"))
                elsewhere.terminate()
                self.assertEqual(elsewhere.wait(30), 0)
                self.assertEqual(results[0]["state"], "done")
        finally:
            os.umask(before)

    @staticmethod
    def modes(top):
        for root, directories, files in os.walk(top):
            for name in [*directories, *files]:
                try:
                    yield f"{root}/{name}", stat.S_IMODE(os.lstat(f"{root}/{name}").st_mode)
                except FileNotFoundError:
                    pass
        yield top, stat.S_IMODE(os.lstat(top).st_mode)

    def test_each_process_has_only_the_keys_that_it_needs(self):
        with Cluster("--listen", "127.0.0.1", workers=1, directory=self.directory) as cluster:
            data = pathlib.Path(self.directory, "eole/data")
            files = {path: tomllib.loads(path.read_text()) for path in
                     (data / "server.toml", data / "worker.toml", data / "admin.toml")}
            worker = files[data / "worker.toml"]
            self.assertNotIn("key_table", worker)
            self.assertEqual(len({file["secret_key"] for file in files.values()}), 3)
            table = {key["public"]: key["roles"] for key in tomllib.loads((data / "keys.toml").read_text())["key"]}
            self.assertEqual(table[worker["public_key"]], ["work"])
            pids = {role["role"]: role["pid"] for role in cluster.status()["roles"]} | {"up": cluster.up.pid}
            for role, pid in pids.items():
                words = pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0")
                if role == "worker":
                    self.assertEqual(words[words.index("--cluster") + 1], str(data / "worker.toml"))
                seen = "".join(words) + pathlib.Path(f"/proc/{pid}/environ").read_text()
                for file in files.values():
                    self.assertNotIn(file["secret_key"], seen)

    @unittest.skipUnless(os.geteuid() == 0, "only root can give files away")
    def test_a_directory_of_somebody_else_is_refused(self):
        with Cluster(workers=0, directory=self.directory) as cluster:
            state = pathlib.Path(self.directory, "other")
            scratch = state / "eole/scratch/w7"
            scratch.mkdir(parents=True)
            for path in (state, state / "eole", state / "eole/scratch", scratch):
                path.chmod(0o777)
            os.chown(scratch, STRANGER, STRANGER)
            worker = subprocess.run([BIN / "worker", "--cluster", f"{self.directory}/eole/data/worker.toml",
                                     "--name", "w7"], env={**cluster.env, "XDG_STATE_HOME": str(state)},
                                    capture_output=True, text=True, timeout=30)
            self.assertEqual(worker.returncode, 2)
            self.assertIn(f"directory {scratch}: is of user {STRANGER}", worker.stderr)
            shutil.copy(f"{self.directory}/eole/cluster.toml", state / "theirs.toml")
        place = pathlib.Path(self.directory, "data")
        place.mkdir()
        os.chown(place, STRANGER, STRANGER)
        with Terminal("--data", place, directory=self.directory) as up:
            self.assertEqual(up.end(), 2)
            self.assertIn(f"user {STRANGER}", "\n".join(up.lines))

    def test_join_waits_for_no_name_that_another_may_guess(self):
        with Cluster("--listen", "127.0.0.1", workers=0, directory=self.directory) as cluster:
            public = pathlib.Path(self.directory, "public")
            public.mkdir()
            public.chmod(0o1777)
            (public / "precious").write_text("precious")
            (public / "key.toml").symlink_to("precious")
            with self.assertRaisesRegex(AssertionError, "is there already"):
                cluster.eole("join", "--role", "work", "-o", public / "key.toml")
            cluster.eole("join", "--role", "work", "-o", public / "key.toml", "--force")
            self.assertEqual((public / "precious").read_text(), "precious")
            self.assertEqual(sorted(path.name for path in public.iterdir()), ["key.toml", "precious"])
            self.assertEqual(stat.S_IMODE((public / "key.toml").lstat().st_mode), 0o600)


if __name__ == "__main__":
    unittest.main()
