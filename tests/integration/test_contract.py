"""What scripts may rely on: the lines, fields and exit codes of the `eole` command."""

import json
import os
import signal
import subprocess
import unittest

from cluster import BIN, Cluster, wait_until


class Contract(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(workers=1, slots=2)
        cls.cluster.start()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)

    def test_submit_prints_an_id_a_line(self):
        lines = self.cluster.submit([{"kind": "echo", "args": {"n": n}} for n in range(3)])
        self.assertEqual([set(line) for line in lines], [{"id"}] * 3)

    def test_wait_prints_results_and_exits_zero_only_if_all_are_done(self):
        good = {"kind": "echo", "args": {"n": 1}, "project": "p"}
        result = self.cluster.submit([good], "--wait")[0]
        self.assertEqual((result["kind"], result["state"], result["attempt"], result["worker"], result["value"]),
                         ("echo", "done", 1, "w1", {"n": 1}))
        bad = json.dumps({"kind": "nqueens", "args": {"n": 4, "prefix": [9]}})
        done = self.cluster.eole("submit", "--file", "-", "--wait", input=bad, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("prefix has column 9 on a board of 4", json.loads(done.stdout)["error"])

    def test_watch_shows_the_log_from_an_offset(self):
        self.cluster.submit([{"kind": "echo", "args": {}, "project": "watched"}] * 3, "--wait")
        head = self.cluster.status()["head"]
        entries = self.cluster.json("watch", "--from", head - 2, "--count", 2)
        self.assertEqual([entry["offset"] for entry in entries], [head - 2, head - 1])
        for entry in entries:
            self.assertLessEqual({"offset", "id", "kind", "project", "state"}, set(entry))

    def test_status_has_its_counts_and_roles(self):
        status = self.cluster.status()
        self.assertLessEqual({"accepted", "queued", "running", "settled", "dead", "roles"}, set(status))
        self.assertEqual(sorted(role["role"] for role in status["roles"]), ["sink", "ventilator", "worker"])
        for role in status["roles"]:
            self.assertLessEqual({"role", "name", "pid", "state"}, set(role))

    def test_the_same_key_is_accepted_once(self):
        task = [{"kind": "echo", "args": {"n": 5}}]
        first = self.cluster.submit(task, "--key", "once")
        self.assertEqual(self.cluster.submit(task, "--key", "once"), first)
        other = self.cluster.eole("submit", "--file", "-", "--key", "once", check=False,
                                  input='{"kind":"echo","args":{"n":6}}\n')
        self.assertEqual(other.returncode, 2)
        self.assertIn("was used for other tasks", other.stderr)
        waited = self.cluster.submit(task, "--key", "once", "--wait")
        self.assertEqual(waited[0]["id"], first[0]["id"])

    def test_exit_codes(self):
        def code(*arguments):
            return self.cluster.eole(*arguments, check=False).returncode

        self.assertEqual(code("status", "zzzzzz-1"), 1)
        self.assertEqual(code("status", "nonsense"), 2)
        self.assertEqual(code("submit"), 2)
        self.assertEqual(code("bogus"), 2)
        self.assertEqual(code("--cluster", "/no/such/file", "status"), 2)
        self.assertEqual(code("--help"), 0)

    def test_every_command_explains_itself(self):
        for command in ("up", "submit", "nqueens", "watch", "status", "workers", "result", "fetch", "cancel",
                        "dead", "join", "completion"):
            self.assertIn("Usage", self.cluster.eole(command, "--help").stdout)
        for program in ("ventilator", "sink", "worker"):
            done = subprocess.run([BIN / program, "--help"], capture_output=True, text=True, check=True)
            self.assertIn("--cluster FILE", done.stdout)

    def test_bash_completes_commands_kinds_and_their_arguments(self):
        def completed(*words):
            script = """source <("$1" completion); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _eole
                        echo "${COMPREPLY[@]}" """
            return subprocess.run(["bash", "-c", script, "bash", BIN / "eole", *words], capture_output=True, text=True,
                                  check=True).stdout.split()

        self.assertEqual(completed("subm"), ["submit"])
        self.assertEqual(completed("submit", "im"), ["image"])
        self.assertEqual(completed("submit", "--wait", "image", "--qu"), ["--quality"])
        self.assertEqual(completed("submit", "image", "--wai"), ["--wait"])
        self.assertEqual(completed("dead", "re"), ["replay"])

    def test_bench_measures_rounds(self):
        said = self.cluster.eole("bench", "--tasks", "3000", "--rounds", "3", "--json").stdout
        measured = json.loads(said)
        for name in ("tasks_per_second", "p50_us", "p99_us"):
            self.assertLess(0, measured["least"][name])
            self.assertLessEqual(measured["least"][name], measured[name])
            self.assertLessEqual(measured[name], measured["most"][name])
        self.assertEqual([measured[name] for name in ("tasks", "rounds", "batch")], [3000, 3, 1024])
        table = self.cluster.eole("bench", "latency", "--tasks", "50").stdout
        self.assertIn("of 3 rounds", table)

    def test_a_bench_that_is_stopped_leaves_nothing_queued(self):
        self.cluster.eole("pause", "all")
        try:
            for words in (("throughput", "--tasks", "200000"), ("throughput", "--tasks", "200000", "--ring", "2000"),
                          ("fill", "--tasks", "1000000000"), ("latency",)):
                with self.subTest(words):
                    bench = subprocess.Popen([BIN / "eole", "bench", *words], env=self.cluster.env,
                                             stderr=subprocess.PIPE, text=True)
                    wait_until(lambda: self.cluster.status()["queued"] > 0, what="tasks of a bench")
                    bench.send_signal(signal.SIGINT)
                    self.assertEqual((bench.communicate(timeout=60)[1], bench.returncode),
                                     ("eole: bench: stopped; its tasks are cancelled\n", 1))
                    wait_until(lambda: self.cluster.status()["queued"] == 0, what="nothing is queued")
        finally:
            self.cluster.eole("resume", "all")

    def test_a_second_up_on_the_same_directory_is_refused_and_harms_nothing(self):
        done = self.cluster.eole("up", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("in use by another", done.stderr)
        self.assertEqual(self.cluster.submit([{"kind": "echo", "args": {}}], "--wait")[0]["state"], "done")

    def test_both_example_subscribers_hear_of_a_result(self):
        root = BIN.parents[2]
        self.cluster.submit([{"kind": "echo", "args": {}}], "--wait")
        python = subprocess.Popen(["/usr/bin/python3", root / "examples/subscriber.py"], env=self.cluster.env,
                                  stdout=subprocess.PIPE, text=True)
        cpp = subprocess.Popen([BIN / "eole-subscriber"], env=self.cluster.env, stdout=subprocess.PIPE, text=True)
        os.set_blocking(python.stdout.fileno(), False)
        try:
            self.assertIn('"offset":', cpp.stdout.readline())  # From the start of the log.

            def heard():  # A subscriber without a cursor hears what comes once it is connected.
                self.cluster.submit([{"kind": "echo", "args": {"text": "for everyone"}}], "--wait")
                try:
                    return b"for everyone" in os.read(python.stdout.fileno(), 1 << 20)
                except BlockingIOError:
                    return False

            wait_until(heard, 20, "the Python subscriber hears")
        finally:
            for process in (python, cpp):
                process.kill()
                process.wait()
                process.stdout.close()


if __name__ == "__main__":
    unittest.main()
