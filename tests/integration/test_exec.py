"""Commands: what they see, how they end, what is kept of their output, and what they cannot break."""

import json
import os
import pathlib
import pwd
import signal
import subprocess
import tempfile
import time
import unittest

from cluster import BIN, Cluster, alive, wait_until


def numbers(path):
    """The process ids that a command wrote to a file, one a line."""
    try:
        with open(path, encoding="ascii") as file:
            return [int(line) for line in file.read().split()]
    except FileNotFoundError:
        return []


def parent_of(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            return int(stat.read().rsplit(")", 1)[1].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return None  # It has just ended.


class Case(unittest.TestCase):
    arguments = {"workers": 1, "slots": 1}

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster("--allow-exec", **cls.arguments)
        cls.cluster.env.pop("LD_PRELOAD", None)  # One of whoever runs this.
        cls.cluster.start()
        cls.files = tempfile.TemporaryDirectory()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)
        cls.files.cleanup()

    def path(self, name):
        return os.path.join(self.files.name, name)

    def run_one(self, args, **more):
        return self.cluster.submit([{"kind": "exec", "args": args, **more}], "--wait", check=False)[0]

    def start_one(self, args, **more):
        return self.cluster.submit([{"kind": "exec", "args": args, **more}])[0]["id"]

    def stdout(self, args, **more):
        result = self.run_one(args, **more)
        self.assertEqual(result["state"], "done", result)
        return result["value"]["stdout"]

    def wait_gone(self, pids):
        wait_until(lambda: not any(map(alive, pids)), what="the tree is gone")

    def fetch(self, result, which=0):
        artifact = (result.get("artifacts") or [result["artifact"]])[which]
        target = self.path(artifact["sha256"])
        self.cluster.eole("fetch", artifact["sha256"], "-o", target)
        with open(target, "rb") as file:
            return file.read()


class Surroundings(Case):
    def test_a_command_finds_a_home_a_path_and_who_it_is(self):
        home = pwd.getpwuid(os.getuid()).pw_dir
        lines = self.stdout({"shell": "cd ~ && pwd; echo $PATH; echo $EOLE_ATTEMPT $EOLE_TASK_ID"}).splitlines()
        self.assertEqual(lines[:2], [home, os.environ["PATH"]])
        result = self.run_one({"shell": "echo $EOLE_ATTEMPT $EOLE_TASK_ID"})
        self.assertEqual(result["value"]["stdout"], f"1 {result['id']}\n")

    def test_text_is_utf_8_unless_the_task_says_otherwise(self):
        count = "printf '\\303\\274' | wc -m; env | grep -E '^(LANG|LC_)'"
        self.assertEqual(self.stdout({"shell": count}), "1\nLC_CTYPE=C.UTF-8\n")
        self.assertEqual(self.stdout({"shell": count, "env": {"LANG": "C"}}), "2\nLANG=C\n")
        self.assertEqual(self.stdout({"shell": count, "env": {"LC_CTYPE": "C"}}), "2\nLC_CTYPE=C\n")

    def test_the_program_is_looked_for_in_the_path_that_the_task_names(self):
        tool = self.path("mytool")
        with open(tool, "w", encoding="ascii") as file:
            file.write("#!/bin/sh\necho ran\n")
        os.chmod(tool, 0o755)
        env = {"PATH": f"{self.files.name}:/usr/bin:/bin"}
        self.assertEqual(self.stdout({"argv": ["mytool"], "env": env}), "ran\n")
        result = self.run_one({"argv": ["mytool"]})
        self.assertIn("mytool: No such file", result["error"])

    def test_a_missing_directory_is_named_and_not_the_program(self):
        result = self.run_one({"argv": ["sh", "-c", "pwd"], "cwd": "/no/such/folder"})
        self.assertEqual(result["error"], "exec: cwd /no/such/folder: No such file or directory")
        for cwd in ("..", "a/../..", "../../etc"):
            result = self.run_one({"argv": ["pwd"], "cwd": cwd})
            self.assertEqual(result["error"], f"exec: cwd {cwd}: leads out of the directory that is its own")

    def test_a_name_that_is_too_long_keeps_its_reason(self):
        error = self.run_one({"argv": ["x" * 300_000]})["error"]
        self.assertEqual(error, f"exec: {'x' * 1024}: File name too long")

    def test_without_a_directory_a_command_has_a_fresh_one_that_goes_with_it(self):
        script = "ls -A | wc -l; stat -c %a .; mkdir -p a/b; touch a/b/c; chmod 555 a/b; chmod 0 a; pwd"
        first, second = (self.stdout({"shell": script}).splitlines() for _ in range(2))
        self.assertEqual((first[:2], second[:2]), (["0", "700"], ["0", "700"]))
        self.assertNotEqual(first[2], second[2])
        self.assertFalse(os.path.exists(first[2]) or os.path.exists(second[2]))
        # None is made for nothing: it costs more than all else that the worker does for a command.
        beside = f"ls -A {os.path.dirname(first[2])}"
        self.assertEqual(self.stdout({"shell": beside, "cwd": self.files.name}), "")
        self.assertNotEqual(self.stdout({"shell": beside}), "")

    def test_what_an_environment_cannot_hold_is_refused(self):
        for env in ({"N": 5}, {"N": None}, {"N": "zero\0byte"}, {"A=B": "c"}, {"": "c"}, {"a\0": "c"}, "A=B"):
            task = json.dumps({"kind": "exec", "args": {"argv": ["true"], "env": env}})
            done = self.cluster.eole("submit", "--file", "-", "--wait", input=task, check=False)
            self.assertIn(done.returncode, (1, 2), env)  # By the worker, or before it was sent.
            self.assertIn("env", done.stdout + done.stderr)

    def test_a_command_inherits_no_file_of_its_worker(self):
        listed = self.stdout({"shell": "ls /proc/self/fd"}).split()
        self.assertEqual(set(listed) - {"4"}, {"0", "1", "2", "3"})  # 3: for its progress; 4: the folder that ls reads.


class Output(Case):
    def test_input_that_a_command_does_not_read_is_no_failure(self):
        result = self.run_one({"argv": ["true"], "stdin": "x" * 1_000_000})
        self.assertEqual((result["state"], result["value"]["exit_code"]), ("done", 0), result)

    def test_what_a_command_preloads_is_its_own(self):
        shell = "echo $LD_PRELOAD; tr '\\0' '\\n' < /proc/$PPID/environ | grep -oE '^(PATH|LD_PRELOAD)='"
        result = self.run_one({"shell": shell, "env": {"LD_PRELOAD": "/nonexistent.so"}})
        self.assertEqual((result["state"], result["value"]["stdout"]), ("done", "/nonexistent.so\nPATH=\n"), result)
        self.assertEqual(self.stdout({"shell": "echo $LD_PRELOAD"}), "\n")

    def test_bytes_that_are_not_text_stay_bytes_and_come_in_the_same_way(self):
        blob = {"base64": "/wD+iA=="}
        result = self.run_one({"argv": ["cat"], "stdin": blob})
        self.assertEqual(result["value"]["stdout"], blob)
        self.assertEqual(result["value"]["stderr"], "")

    def test_of_long_output_the_begin_and_the_end_are_told_and_a_file_has_all(self):
        result = self.run_one({"shell": "echo FIRST; yes 0123456789 | head -c 5000000; echo THE REASON; exit 1"})
        told = result["value"]["stdout"]
        self.assertEqual((result["state"], result["error"]), ("failed", "exit code 1"))
        self.assertTrue(told.startswith("FIRST\n") and told.endswith("THE REASON\n"))
        self.assertIn("bytes left out", told)
        self.assertLess(len(told), 140_000)
        self.assertEqual(result["value"]["stdout_bytes"], 5_000_017)
        content = self.fetch(result)
        self.assertEqual(len(content), 5_000_017)
        self.assertTrue(content.endswith(b"THE REASON\n"))

    def test_both_streams_can_be_files(self):
        result = self.run_one({"shell": "yes out | head -c 400000; yes err | head -c 300000 >&2"})
        self.assertEqual([(a["name"], a["bytes"]) for a in result["artifacts"]],
                         [("stdout", 400_000), ("stderr", 300_000)])
        self.assertEqual(self.fetch(result, 1)[:8], b"err\nerr\n")

    def test_output_max_bounds_what_is_kept(self):
        result = self.run_one({"shell": "echo FIRST; yes | head -c 5000000; echo LAST", "output_max": 1_000_000})
        self.assertEqual(result["artifact"]["bytes"], 1_000_000)
        self.assertTrue(result["value"]["stdout"].endswith("LAST\n"))
        result = self.run_one({"shell": "echo FIRST; yes | head -c 5000000; echo LAST", "output_max": 100})
        self.assertNotIn("artifact", result)
        self.assertLess(len(result["value"]["stdout"]), 200)
        self.assertTrue(result["value"]["stdout"].endswith("LAST\n"))

    def test_text_is_cut_between_characters(self):
        for shift in range(3):
            result = self.run_one({"shell": f"printf '%{shift}s' ''; yes € | tr -d '\\n' | head -c 900000"})
            self.assertEqual(set(result["value"]["stdout"].split("\n")[0].strip()), {"€"})

    def test_a_character_in_two_pieces_is_shown_as_one(self):
        watch = subprocess.Popen([BIN / "eole", "watch", "--progress", "--json"], env=self.cluster.env,
                                 stdout=subprocess.PIPE, text=True)
        try:
            seen = {}
            while not any(text.startswith("a") for text in seen.values()):  # Until the watcher hears.
                self.start_one({"shell": "printf 'a\\342'; sleep 0.3; printf '\\202\\254'; sleep 0.2"})
                until = time.monotonic() + 3
                while time.monotonic() < until:
                    line = json.loads(watch.stdout.readline())
                    if line.get("stream"):
                        seen.setdefault(line["id"], "")
                        seen[line["id"]] += line["output"]
                    elif line.get("id") in seen:
                        break
            self.assertIn("a€", seen.values())
        finally:
            watch.kill()
            watch.wait()
            watch.stdout.close()


class Progress(Case):
    def test_a_command_says_how_far_it_is_and_watchers_hear_it(self):
        watch = subprocess.Popen([BIN / "eole", "watch", "--progress", "--json"], env=self.cluster.env,
                                 stdout=subprocess.PIPE, text=True)
        try:
            gate = self.path("far")
            script = f'while [ ! -e {gate} ]; do echo "3/10 page three" >&$EOLE_PROGRESS_FD; sleep 0.1; done'
            task_id = self.start_one({"shell": script})
            line = json.loads(watch.stdout.readline())
            self.assertEqual((line["id"], line["done"], line["total"], line["text"]), (task_id, 3, 10, "page three"))
            with open(gate, "w", encoding="ascii"):
                pass
        finally:
            watch.kill()
            watch.wait()
            watch.stdout.close()


class Ends(Case):
    def test_a_command_may_end_in_its_own_way_when_its_time_is_over(self):
        script = "trap 'echo cleaned up; exit 5' TERM; echo ready; while :; do sleep 0.02; done"
        result = self.run_one({"shell": script, "timeout": 0.5, "term_grace": 60})
        self.assertIn("time limit of 500 ms; SIGTERM ended", result["error"])
        self.assertEqual(result["value"]["stdout"], "ready\ncleaned up\n")
        self.assertEqual(result["value"]["exit_code"], 5)

    def test_all_of_the_tree_hears_sigterm_first(self):
        script = ("(setsid sh -c 'trap \"echo grandchild; exit\" TERM; while :; do sleep 0.02; done' &) ;"
                  " trap 'echo parent; exit' TERM; while :; do sleep 0.02; done")
        result = self.run_one({"shell": script, "timeout": 0.5, "term_grace": 60})
        self.assertEqual(sorted(result["value"]["stdout"].split()), ["grandchild", "parent"])

    def test_what_does_not_hear_sigterm_is_killed_after_the_grace(self):
        pids = self.path("deaf")
        script = f"trap '' TERM; setsid sh -c 'echo $$ >> {pids}; while :; do sleep 0.1; done' & echo $$ >> {pids}; wait"
        result = self.run_one({"shell": script, "timeout": 0.5, "term_grace": 0.3})
        self.assertIn("SIGTERM did not end the process tree within 300 ms, so it was killed", result["error"])
        self.assertEqual(len(numbers(pids)), 2)
        self.wait_gone(numbers(pids))

    def test_its_time_is_over_while_its_outputs_are_kept_too(self):
        limits = {"command": ({"timeout": 1}, {}), "task": ({}, {"timeout": "1s"})}
        for name, (args, more) in limits.items():
            with self.subTest(name):
                sink = self.cluster.pid("sink")
                script = f"echo kept > first; echo kept > second; kill -STOP {sink}"
                task_id = self.start_one({"shell": script, "outputs": ["first", "second"], **args}, **more)
                log = pathlib.Path(self.cluster.directory, "eole/data/logs/w1.log")
                try:
                    wait_until(lambda: "its file first could not be kept: stopped" in self.lines_of(log, task_id),
                               what="the attempt is over while the sink says nothing")
                finally:
                    os.kill(sink, signal.SIGCONT)
                result = wait_until(lambda: self.cluster.json("result", task_id, check=False), what="it is told")[0]
                self.assertEqual((result["state"], result["cause"]), ("failed", "timeout"), result)
                self.assertIn("over its time limit of 1s", result["error"])

    def lines_of(self, log, task_id):
        return "\n".join(line for line in log.read_text().splitlines() if task_id in line)

    def test_a_cancelled_command_is_told_first_too(self):
        pids, done = self.path("cancel"), self.path("cleaned")
        script = f"trap 'echo yes > {done}; exit' TERM; echo $$ > {pids}; while :; do sleep 0.02; done"
        task_id = self.start_one({"shell": script, "term_grace": 60})
        wait_until(lambda: numbers(pids))
        answer = self.cluster.json("cancel", task_id)[0]
        self.assertEqual(answer["state"], "cancelled")
        self.assertIn("SIGTERM ended the process tree", answer["error"])
        self.assertTrue(os.path.exists(done))

    def test_a_second_signal_ends_a_worker_and_what_it_runs_at_once(self):
        with Cluster("--allow-exec", workers=1, slots=2) as cluster:
            pids = self.path("second")
            script = f"trap '' TERM; echo $$ >> {pids}; while :; do sleep 0.1; done"
            cluster.submit([{"kind": "exec", "args": {"shell": script, "term_grace": 60}, "attempts": 1},
                            {"kind": "nqueens", "args": {"n": 24}, "attempts": 1}])
            wait_until(lambda: numbers(pids) and cluster.status()["running"] == 2)
            worker = cluster.pid("w1")

            def is_gone_if_asked():
                if alive(worker):
                    os.kill(worker, signal.SIGTERM)  # Two that come at once count as one.
                return not alive(worker)
            wait_until(is_gone_if_asked, what="the worker is gone")
            self.wait_gone(numbers(pids))

    def test_a_cancel_is_heard_in_the_middle_of_a_large_board(self):
        task_id = self.cluster.submit([{"kind": "nqueens", "args": {"n": 24}}])[0]["id"]
        wait_until(lambda: self.cluster.task(task_id)["state"] == "running")
        self.assertEqual(self.cluster.json("cancel", task_id)[0]["state"], "cancelled")


class Helpers(Case):
    """The process above a command dies, or is stopped: the attempt is lost, the slot is not."""

    def check_slot(self):
        results = self.cluster.submit([{"kind": "exec", "args": {"argv": ["echo", "hi"]}}] * 5, "--wait")
        self.assertEqual({result["state"] for result in results}, {"done"})

    def test_a_command_that_kills_its_helper_takes_all_it_started_with_it(self):
        pids = self.path("orphans")
        script = (f"setsid sh -c 'echo $$ >> {pids}; (sleep 300 & echo $! >> {pids}); sleep 300' &"
                  f" (setsid sleep 300 & echo $! >> {pids}) ; echo $$ >> {pids};"
                  f" while [ $(wc -l < {pids}) -lt 4 ]; do sleep 0.01; done; kill -9 $PPID; sleep 300")
        result = self.run_one({"shell": script}, attempts=1)
        self.assertEqual(result["state"], "dead")
        self.assertIn("the process above it died", json.dumps(result))
        self.assertEqual(len(numbers(pids)), 4)
        self.wait_gone(numbers(pids))
        self.check_slot()

    def test_a_lost_attempt_is_tried_again_unasked(self):
        mark = self.path("once")
        script = f"echo $EOLE_ATTEMPT; [ -e {mark} ] && exit 0; touch {mark}; kill -9 $PPID; sleep 300"
        result = self.run_one({"shell": script})
        self.assertEqual((result["state"], result["attempt"], result["value"]["stdout"]), ("done", 2, "2\n"))

    def test_a_stopped_helper_is_replaced(self):
        pids = self.path("stopped")
        script = f"echo $$ >> {pids}; kill -STOP $PPID; sleep 300"
        result = self.run_one({"shell": script}, attempts=2)
        self.assertEqual((result["state"], len(numbers(pids))), ("dead", 2))
        self.wait_gone(numbers(pids))
        self.check_slot()

    def test_a_helper_that_dies_or_stops_between_commands_costs_nothing(self):
        for how in (signal.SIGKILL, signal.SIGSTOP):
            helper = int(self.stdout({"shell": "echo $PPID"}))
            os.kill(helper, how)
            result = self.run_one({"shell": "echo $PPID"})
            self.assertEqual((result["state"], result["attempt"]), ("done", 1))
            self.assertNotEqual(int(result["value"]["stdout"]), helper)
            self.wait_gone([helper])

    def test_neighbours_of_a_dead_helper_go_on(self):
        with Cluster("--allow-exec", workers=1, slots=2) as cluster:
            pids = self.path("neighbour")
            gate = self.path("gate")
            long = {"shell": f"(setsid sleep 300 & echo $! > {pids}); while [ ! -e {gate} ]; do sleep 0.02; done"}
            neighbour = cluster.submit([{"kind": "exec", "args": long}])[0]["id"]
            wait_until(lambda: numbers(pids))
            mark = self.path("killed")
            killer = {"shell": f"[ -e {mark} ] && exit 0; touch {mark}; kill -9 $PPID; sleep 300"}
            cluster.submit([{"kind": "exec", "args": killer}], "--wait")
            self.assertTrue(alive(numbers(pids)[0]))
            with open(gate, "w", encoding="ascii"):
                pass
            wait_until(lambda: cluster.task(neighbour)["state"] == "done")
            self.wait_gone(numbers(pids))

    def test_a_worker_with_a_stopped_helper_drains(self):
        with Cluster("--allow-exec", workers=1, slots=1) as cluster:
            helper = int(cluster.submit([{"kind": "exec", "args": {"shell": "echo $PPID"}}],
                                        "--wait")[0]["value"]["stdout"])
            os.kill(helper, signal.SIGSTOP)
            self.assertEqual(cluster.stop(), 0)
            self.wait_gone([helper])
            cluster.up = None

    def test_a_worker_keeps_no_dead_children(self):
        self.run_one({"shell": "(setsid sleep 300 &); kill -9 $PPID; sleep 300"}, attempts=2)
        self.check_slot()
        worker = self.cluster.pid("w1")
        children = [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and parent_of(pid) == worker]
        self.assertEqual(len(children), 1)


if __name__ == "__main__":
    unittest.main()
