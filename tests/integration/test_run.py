"""`eole run`: many commands at once, as users of GNU parallel expect it."""

import collections
import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

from cluster import BIN, Cluster, wait_until

HOSTILE = [b"plain.txt", b"two words", b"quote's", b'double"quote', b"$(touch /x)", b"`id`", b"new\nline",
           b"-rf", b"a;b", b"a\\b", b"\xff\xfe", b"*", b"~", b"a && b", b"\n/bin/echo bad\n", "ünï".encode()]


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster("--allow-exec", workers=2, slots=2)
        cls.cluster.start()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.here = pathlib.Path(folder.name)

    def begin(self, *arguments, **options):
        return subprocess.Popen([BIN / "eole", "run", *arguments], env=self.cluster.env, cwd=self.here,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

    def run_it(self, *arguments, code=0, **options):
        done = subprocess.run([BIN / "eole", "run", *arguments], env=self.cluster.env, cwd=self.here,
                              capture_output=True, timeout=120, check=False, **options)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def lines(self, *arguments, **options):
        return self.run_it(*arguments, **options).stdout.decode().splitlines()

    def joblog(self, name="log"):
        """The columns of each line, without the header."""
        text = (self.here / name).read_bytes().decode(errors="surrogateescape")
        head, *rows = text.splitlines()
        self.assertEqual(head.split("\t"), ["Seq", "Host", "Starttime", "JobRuntime", "Send", "Receive",
                                            "Exitval", "Signal", "Command"])
        return [row.split("\t") for row in rows]

    def ran(self):
        return sorted(os.listdir(self.here / "ran")) if (self.here / "ran").exists() else []


class Inputs(Case):
    def test_words_lines_and_numbers_are_inputs(self):
        self.assertEqual(sorted(self.lines("echo", ":::", "a", "b c")), ["a", "b c"])
        (self.here / "lines").write_text("x\n\ny z")
        self.assertEqual(self.lines("-k", "--each-line", "lines", "echo"), ["x", "", "y z"])
        self.assertEqual(self.lines("-k", "--each-line", "-", "echo [{}]", input=b"1\n2\n"), ["[1]", "[2]"])
        self.assertEqual(self.lines("-k", "--range", "1-3", "echo"), ["1", "2", "3"])

    def test_sources_are_combined_or_linked(self):
        self.assertEqual(self.lines("-k", "echo", "{1}-{2}", ":::", "a", "b", ":::", "1", "2"),
                         ["a-1", "a-2", "b-1", "b-2"])
        self.assertEqual(self.lines("-k", "echo {2}{1}", ":::", "a", "b", ":::+", "1", "2"), ["1a", "2b"])
        self.assertEqual(self.lines("-k", "--range", "1-2", "echo", ":::", "x", "y"), ["1 x", "1 y", "2 x", "2 y"])

    def test_without_a_command_each_input_is_one(self):
        self.assertEqual(self.lines("-k", ":::", "echo {} 'a  b'", "echo $((6 * 7))"), ["{} a  b", "42"])

    def test_words_of_the_command_may_be_options_and_commands_of_ours(self):
        self.assertEqual(self.lines("-k", "printf", "%s.%s", "--json", ":::", "status"), ["--json.status"])

    def test_hostile_names_stay_what_they_are(self):
        shell = [b"--keep-order", b"printf '%s\\0' {}; :", b":::", *HOSTILE]
        self.assertEqual(self.run_it(*shell).stdout.split(b"\0")[:-1], HOSTILE)
        quoted = [b"--keep-order", b"printf '%s\\0' \"{}\" | cat", b":::", *HOSTILE]
        self.assertEqual(self.run_it(*quoted).stdout.split(b"\0")[:-1], HOSTILE)
        plain = [b"--keep-order", b"printf '%s\\0' {}", b":::", *HOSTILE]
        self.assertEqual(self.run_it(*plain).stdout.split(b"\0")[:-1], HOSTILE)

    def test_the_first_jobs_run_while_later_lines_are_awaited(self):
        run = self.begin("--each-line", "-", "echo", stdin=subprocess.PIPE)
        for word in (b"one\n", b"two\n"):
            run.stdin.write(word)
            run.stdin.flush()
            self.assertEqual(run.stdout.readline(), word)
        run.communicate()
        self.assertEqual(run.returncode, 0)


class Surroundings(Case):
    def test_a_command_runs_where_its_user_stands_and_knows_what_it_is(self):
        lines = self.lines("--project", "many", "--env", "COLOUR=red", "pwd; echo $EOLE_PROJECT $EOLE_ATTEMPT $COLOUR "
                           "$EOLE_TASK_ID {}", ":::", "x")
        self.assertEqual(lines[0], str(self.here.resolve()))
        self.assertRegex(lines[1], r"^many 1 red [a-z0-9]{6}-\d+ x$")
        self.assertEqual(self.lines("--cwd", "/", "pwd; :", ":::", "x"), ["/"])

    def test_retries_and_a_time_limit(self):
        script = "[ $EOLE_ATTEMPT = 2 ] && echo again; [ $EOLE_ATTEMPT = 2 ]; : {}; [ $EOLE_ATTEMPT = 2 ]"
        self.assertEqual(self.lines("--retry", "--attempts", "3", script, ":::", "x"), ["again"])
        done = self.run_it("--timeout", "0.3", "--joblog", "log", "sleep", ":::", "60", code=1)
        self.assertIn(b"time limit", done.stderr)
        self.assertEqual(self.joblog()[0][6:8], ["0", "15"])

    def test_a_dead_job_shows_what_its_last_attempt_printed(self):
        done = self.run_it("--retry", "--attempts", "2", "--joblog", "log", "echo $EOLE_ATTEMPT; exit 7", ":::", "x",
                           code=1)
        self.assertEqual(done.stdout, b"2\n")
        self.assertEqual(self.joblog()[0][6], "7")


class Output(Case):
    def test_output_comes_in_the_order_of_the_inputs_if_asked(self):
        script = "[ {} = 1 ] && while [ ! -e gate ]; do sleep 0.01; done; [ {} = 9 ] && touch gate; echo {}"
        self.assertEqual(self.lines("-k", script + "; :", *[":::", *map(str, range(1, 10))]),
                         [str(number) for number in range(1, 10)])

    def test_lines_are_tagged(self):
        self.assertEqual(self.lines("-k", "--tag", "printf '1\\n2\\n%s' {}; echo >&2 e", ":::", "a"), ["a\t1", "a\t2", "a\ta"])

    def test_long_output_is_whole(self):
        self.assertEqual(len(self.run_it("yes 0123456789 | head -c {}", ":::", "3000000").stdout), 3_000_000)

    def test_errors_go_to_standard_error(self):
        done = self.run_it("echo out; echo err >&2; exit {}", ":::", "3", code=1)
        self.assertEqual((done.stdout, done.stderr), (b"out\n", b"err\neole: 1 of 1 jobs failed\n"))
        done = self.run_it("no-such-program", ":::", "3", code=1)
        self.assertIn(b"job 1: exec: no-such-program: No such file", done.stderr)

    def test_how_many_failed_is_said_at_the_end(self):
        done = self.run_it("exit {}", ":::", "0", "1", "2", code=1)
        self.assertEqual(done.stderr, b"eole: 2 of 3 jobs failed\n")
        self.assertEqual(self.run_it("exit {}", ":::", "0").stderr, b"")

    def test_output_goes_to_files_by_template(self):
        self.assertEqual(self.lines("--output", "out/{/.}-{#}.txt", "echo", ":::", "a/b.c", "d"), [])
        self.assertEqual((self.here / "out/b-1.txt").read_text(), "a/b.c\n")
        self.assertEqual((self.here / "out/d-2.txt").read_text(), "d\n")

    def test_a_dry_run_prints_lines_that_a_shell_understands_and_runs_nothing(self):
        lines = self.run_it(b"--dry-run", b"make-it {} x", b":::", *HOSTILE).stdout
        self.assertEqual(os.listdir(self.here), [])
        shown = subprocess.run(["sh"], input=lines.replace(b"make-it", b"printf '%s\\0'"), capture_output=True, check=True)
        self.assertEqual(shown.stdout.split(b"\0")[:-1:2], HOSTILE)


class Halt(Case):
    def test_a_failure_is_enough(self):
        done = self.run_it("--halt", "now,fail=1", "--joblog", "log", "[ {} != 3 ]; exit $?", ":::",
                           *map(str, range(1, 2001)), code=1)
        self.assertIn(b"eole: stopped:", done.stderr)
        self.assertLess(len(self.joblog()), 2000)

    def test_a_success_is_enough(self):
        run = self.run_it("--halt", "now,success=1", "[ {} = 3 ] || sleep 60", ":::", "1", "2", "3", code=0)
        self.assertEqual(run.stdout, b"")

    def test_what_runs_may_end_when_it_is_enough_soon(self):
        script = ("mkdir -p ran; if [ {} = 1 ]; then while [ ! -e ran/2 ]; do sleep 0.01; done; exit 1; fi;"
                  "touch ran/{}; [ {} = 2 ] && sleep 0.5; echo ended {}")
        done = self.run_it("--halt", "soon,fail=1", script, ":::", "1", "2", code=1)
        self.assertEqual(done.stdout, b"ended 2\n")


class Killed(Case):
    SCRIPT = "mkdir -p ran; echo x >> ran/{}; sleep 0.005"

    def test_five_hundred_jobs_survive_a_kill_each_exactly_once(self):
        inputs = [str(number) for number in range(1, 501)]
        run = self.begin("--joblog", "log", self.SCRIPT, ":::", *inputs)
        wait_until(lambda: (self.here / "log").exists() and len(self.joblog()) > 50)
        run.kill()
        run.communicate()
        before = len(self.joblog())
        self.assertLess(before, 500)
        self.run_it("--joblog", "log", "--resume", self.SCRIPT, ":::", *inputs)
        count = collections.Counter(row[0] for row in self.joblog())
        self.assertEqual(count, collections.Counter(inputs))
        self.assertEqual({name: (self.here / "ran" / name).read_text() for name in self.ran()},
                         {name: "x\n" for name in inputs})
        self.assertEqual(os.listdir(self.here), sorted(os.listdir(self.here), key=["log", "ran"].index))

    def test_what_failed_runs_again_and_nothing_else(self):
        script = "mkdir -p ran; echo x >> ran/{}; [ {} != 3 ] || [ -e fixed ]"
        self.run_it("--joblog", "log", script, ":::", "1", "2", "3", "4", code=1)
        self.assertEqual(self.run_it("--joblog", "log", "--resume", script, ":::", "1", "2", "3", "4").stderr, b"")
        (self.here / "fixed").touch()
        self.run_it("--joblog", "log", "--resume-failed", script, ":::", "1", "2", "3", "4", "5")
        self.assertEqual([(self.here / "ran" / name).read_text() for name in self.ran()],
                         ["x\n", "x\n", "x\nx\n", "x\n", "x\n"])
        self.assertEqual(sorted(row[0] for row in self.joblog()), ["1", "2", "3", "3", "4", "5"])

    def test_half_a_line_at_the_end_is_none(self):
        self.run_it("--joblog", "log", "echo", ":::", "1", "2")
        with open(self.here / "log", "ab") as log:
            log.write(b"3\tw1\t17")
        self.assertEqual(self.lines("--joblog", "log", "--resume", "echo", ":::", "1", "2", "3"), ["3"])
        self.assertEqual(len(self.joblog()), 3)

    def test_a_first_signal_lets_run_what_runs_and_a_second_one_ends_it(self):
        script = "mkdir -p ran; touch ran/{}; while [ ! -e gate ]; do sleep 0.01; done; echo {}"
        run = self.begin("--joblog", "log", script, ":::", *map(str, range(100)))
        wait_until(lambda: len(self.ran()) == 4)
        run.send_signal(signal.SIGINT)
        wait_until(lambda: len(self.cluster.json("tasks", "--limit", 0)) == 4, what="the others are cancelled")
        (self.here / "gate").touch()
        out, err = run.communicate(timeout=60)
        self.assertEqual((run.returncode, len(out.split()), len(self.joblog())), (1, 4, 4))
        self.assertIn(b"what has begun goes on to its end; Ctrl-C again ends it", err)
        self.assertIn(b"96 that were under way were cancelled; --resume goes on", err)
        os.unlink(self.here / "gate")
        run = self.begin("--joblog", "log", "--resume", script, ":::", *map(str, range(100)))
        wait_until(lambda: len(self.ran()) == 8)
        run.send_signal(signal.SIGINT)
        wait_until(lambda: len(self.cluster.json("tasks", "--limit", 0)) == 4)
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=60)
        self.assertEqual((run.returncode, len(self.joblog())), (1, 4))


class Example(Case):
    def test_the_example_of_many_commands_runs_each_of_them_once(self):
        script = pathlib.Path(__file__).parents[2] / "examples/many.py"
        done = subprocess.run(["/usr/bin/python3", script], env={**self.cluster.env, "PATH": f"{BIN}:{os.environ['PATH']}"},
                              capture_output=True, text=True, timeout=120, check=True)
        killed, resumed = done.stdout.splitlines()
        self.assertRegex(killed, r"^killed: the joblog has \d+ of 500$")
        self.assertEqual(resumed, f"resumed: the joblog has 500 of 500; 500 runs, sum {sum(n * n for n in range(501))}")


class Refused(Case):
    def test_bad_use_is_refused_by_name(self):
        for arguments, said in (
                (["echo"], b"no inputs"),
                (["echo {3}", ":::", "a", ":::", "b"], b"run: {3}: there are 2 sources"),
                (["echo `cat {}`", ":::", "a"], b"backquotes"),
                (["--resume", "echo", ":::", "a"], b"--resume: needs the --joblog"),
                (["--halt", "later", "echo", ":::", "a"], b"--halt later: is never"),
                (["--range", "1..5", "echo"], b"--range 1..5: is FIRST-LAST"),
                (["--output", "same", "echo", ":::", "a"], b"--output: names one file"),
                (["--each-line", "missing", "echo"], b"missing: cannot be read"),
                (["--keep-ordr", "echo", ":::", "a"], b"no option --keep-ordr; did you mean --keep-order?"),
                (["echo", ":::+", "a"], b":::+ has no source"),
                (["--joblog", "/", "echo", ":::", "a"], b"/: cannot be written"),
                (["echo", ":::", "a" * 1_100_000], None)):
            with self.subTest(said):
                if said is None:
                    (self.here / "long").write_text(arguments[2])
                    arguments, said = ["--each-line", "long", "echo"], b"long: a line over 1048576 bytes"
                self.assertIn(said, self.run_it(*arguments, code=2).stderr)

    def test_what_is_no_joblog_is_not_resumed(self):
        (self.here / "log").write_text("precious\n")
        self.assertIn(b"log: is no joblog", self.run_it("--joblog", "log", "--resume", "echo", ":::", "a", code=2).stderr)
        self.assertEqual((self.here / "log").read_text(), "precious\n")

    def test_two_runs_do_not_share_a_joblog(self):
        run = self.begin("--joblog", "log", "--each-line", "-", "echo", stdin=subprocess.PIPE)
        wait_until((self.here / "log").exists)
        self.assertIn(b"another eole run has it", self.run_it("--joblog", "log", "echo", ":::", "a", code=2).stderr)
        run.communicate()

    def test_a_cluster_without_commands_is_named(self):
        with Cluster(workers=1, slots=1) as cluster:
            done = cluster.eole("run", "echo", ":::", "a", check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn("no connected worker runs commands; start one with --allow-exec", done.stderr)


if __name__ == "__main__":
    unittest.main()
