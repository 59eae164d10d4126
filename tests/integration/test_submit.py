"""What `eole submit` takes and refuses, before anything reaches the cluster."""

import json
import pathlib
import signal
import subprocess
import tempfile
import unittest

import msgpack
from cluster import BIN, Cluster, wait_until
from fake_sink import FakeSink, cluster_text
from http_client import Http


class Submit(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster("--allow-exec", workers=1)
        cls.cluster.start()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)

    def refused(self, *arguments, **options):
        """What standard error says of a use that must be refused before anything is accepted."""
        before = self.cluster.status()["accepted"]
        done = self.cluster.eole("submit", *arguments, check=False, **options)
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        self.assertEqual(self.cluster.status()["accepted"], before)
        return done.stderr

    def test_a_file_is_submitted_whole_or_not_at_all(self):
        lines = [json.dumps({"kind": "echo", "args": {"n": n}}) for n in range(3000)]
        lines[7] = '{"kind":'
        lines.append('{"kind":"sleep","args":{"seconds":"1"}}')
        said = self.refused("--file", "-", input="\n".join(lines))
        self.assertIn("nothing was submitted", said)
        self.assertIn("\nline 8: not valid JSON", said)
        self.assertIn('line 3001: sleep: seconds must be a number, not "1"', said)

    def test_many_bad_lines_are_counted(self):
        said = self.refused("--file", "-", input='{"kind":"sleep"}\n' * 1000)
        self.assertIn("line 20: sleep: seconds is missing", said)
        self.assertIn("and 980 more bad lines", said)

    def test_members_of_a_line_have_types(self):
        for member, said in (('"retry":1', "retry: must be true, false, or {attempts, backoff, backoff_max, on}"),
                             ('"attempts":0', "attempts: 0 is no whole number from 1 to 255"),
                             ('"attempts":"3"', 'attempts: "3" is no whole number from 1 to 255'),
                             ('"project":5', "project: must be a text"),
                             ('"projekt":"p"', "projekt: not a word of a task; did you mean project?")):
            self.assertIn(said, self.refused("--file", "-", input='{"kind":"echo",%s}' % member))

    def test_names_of_a_large_file_are_known_beyond_a_message(self):
        tasks = [{"name": f"n{n}", "kind": "echo", "args": [n, "x" * 400]} for n in range(6000)]
        tasks += [{"kind": "echo", "args": {"$result": f"n{n}", "path": "0"}} for n in range(0, 6000, 60)]
        results = self.cluster.json("submit", "--file", "-", "--wait", input="\n".join(map(json.dumps, tasks)))
        self.assertEqual([result["value"] for result in results[6000:]], list(range(0, 6000, 60)))
        tasks.append({"kind": "echo", "after": [f"n{n}" for n in range(0, 6000, 2)]})
        said = self.refused("--file", "-", input="\n".join(map(json.dumps, tasks)))
        self.assertIn("line 6101: after: 3000 stretches of tasks, limit 1024 (a project may have more)", said)

    def test_tasks_of_one_key_fit_one_message_or_none_is_taken(self):
        said = self.refused("--file", "-", "--key", "large", input='{"kind":"echo"}\n' * 70_000)
        self.assertIn("submit with a key: all tasks must fit one message, at most 65536", said)

    def test_a_directory_is_no_file_of_tasks(self):
        self.assertIn("cannot be read", self.refused("--file", self.cluster.directory))

    def test_wrong_arguments_are_refused_by_name(self):
        self.assertIn('timeout must be a number, not "soon"', self.refused("exec", "--timeout", "soon", "--", "true"))
        self.assertIn("did you mean timeout?", self.refused("exec", "--args", '{"argv":["true"],"tiemout":1}'))
        self.assertIn("--args: not valid JSON at byte 2", self.refused("echo", "--args", "{"))
        self.assertIn('--priority: "x" is no whole number from 0 to 9', self.refused("echo", "x", "--priority", "x"))
        self.assertIn("--retry-on: retry on exit:300: exit has a number from 1 to 255",
                      self.refused("echo", "x", "--retry-on", "exit:300"))
        self.assertIn("quality is 500, allowed is 1 to 100", self.refused("image", "--quality", "500", "--data", "x"))
        self.assertIn("did you mean echo?", self.refused("ecko", "hello"))
        self.assertIn("no such file", self.refused("image", "no-such-file.jpg"))
        self.assertIn("is not a file", self.refused("image", self.cluster.directory))
        self.assertIn("eole: not expected: -l; a command with options of its own goes behind --",
                      self.refused("exec", "ls", "-l"))

    def test_help_fits_a_terminal(self):
        listed = self.cluster.eole("--help").stdout.split("Subcommands:\n")[1].split("\n\n")[0]
        commands = [line.split()[0] for line in listed.splitlines() if line[2:3].strip()]
        self.assertIn("submit", commands)
        for command in ([], *([name] for name in commands), ["submit", "download"], ["submit", "exec"]):
            said = self.cluster.eole(*command, "--help").stdout
            self.assertEqual([line for line in said.splitlines() if len(line) > 80], [], command)
        self.assertIn("needs one of argv, shell", self.refused("exec"))

    def test_a_variable_without_a_value_is_the_submitters(self):
        self.cluster.env["EOLE_TEST_FOO"] = "from here"
        result = self.cluster.json("submit", "exec", "--env", "EOLE_TEST_FOO", "--env", "BAR=2", "--wait",
                                   "--shell", "echo $EOLE_TEST_FOO $BAR")[0]
        del self.cluster.env["EOLE_TEST_FOO"]
        self.assertEqual(result["value"]["stdout"], "from here 2\n")
        self.assertIn("EOLE_TEST_FOO has no value", self.refused("exec", "--env", "EOLE_TEST_FOO", "--", "true"))

    def test_a_kind_that_nobody_offers_is_said_at_once(self):
        done = self.cluster.eole("submit", "--file", "-", input='{"kind":"paint"}\n{"kind":"echo"}\n')
        self.assertIn("no connected worker runs paint;", done.stderr)
        self.assertNotIn("echo", done.stderr)
        self.cluster.eole("cancel", json.loads(done.stdout.splitlines()[0])["id"])

    def test_a_misspelt_kind_is_refused_with_the_one_that_was_meant(self):
        said = self.refused("--file", "-", "--wait", input='{"kind":"imagee"}\n{"kind":"echo"}\n')
        self.assertIn("imagee: no worker runs such a kind; did you mean image?", said)


class JustStarted(FakeSink):
    """A ventilator that hears of one worker once it was asked, and of the other once it was asked twice."""

    asked = 0

    def answer(self, name, request, fields):
        self.asked += 1
        width = {"name": "width", "type": "integer", "needed": True, "default": ""}
        kinds = [{"name": kind, "about": "Scales.", "arguments": [width]} for kind in ("other", "scale")[:self.asked - 1]]
        return msgpack.packb([1, "answer", request]), msgpack.packb(kinds)


class Kinds(unittest.TestCase):
    def asked(self, *words):
        """What the command says, and how often it asked."""
        directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="eole-test-")))
        file = directory / "cluster.toml"
        file.touch(0o600)
        file.write_text(cluster_text(directory).replace("/ventilator'", "/queries'"), encoding="ascii")
        with JustStarted(directory) as ventilator:
            done = subprocess.run([BIN / "eole", "--cluster", file, *words], text=True, capture_output=True, check=False)
        return done.stdout, ventilator.asked

    def test_options_of_a_runners_kind_are_known_once_a_worker_has_said_them(self):
        said, asked = self.asked("submit", "scale", "--help")
        self.assertIn("--width N", said)
        self.assertEqual(asked, 3)

    def test_it_asks_once_where_no_kind_is_meant(self):
        for words in [("submit", "--help"), ("submit", "--wait", "--help"), ("ledger", "submit", "scale", "--help")]:
            self.assertEqual(self.asked(*words)[1], 1, words)


class NotKept(unittest.TestCase):
    def test_who_waits_is_told_of_results_that_are_no_longer_kept(self):
        tasks = [json.dumps({"kind": "echo", "args": "x" * 100_000})] * 40
        with Cluster("--keep-bytes", "1MiB", workers=1) as cluster:
            first = cluster.json("submit", "--file", "-", "--key", "k", input="\n".join(tasks))
            cluster.wait_settled(len(first))  # So their results lie first.

            def are_gone():
                cluster.json("submit", "--file", "-", input="\n".join(tasks))  # Whoever waited could miss some.
                cluster.wait_settled(cluster.status()["accepted"])
                return cluster.status()["log_kept_from"] >= len(first)

            wait_until(are_gone, 180, "the first results are no longer kept")
            done = cluster.eole("submit", "--file", "-", "--key", "k", "--wait", "--json", input="\n".join(tasks))
            self.assertEqual([json.loads(line) for line in done.stdout.splitlines()],
                             [{"id": task["id"], "state": "done", "is_kept": False,
                               "error": "settled; its result is no longer kept"} for task in first])
            story = Http(cluster).get(f"/task/{first[0]['id']}")
            self.assertEqual((story["state"], story["is_kept"], story["attempts"]), ("done", False, []))

    def test_who_falls_behind_what_is_kept_while_it_waits_asks_for_what_it_waits_for(self):
        bulk = "\n".join([json.dumps({"kind": "echo", "args": "x" * 100_000})] * 40)
        with Cluster("--keep-bytes", "1MiB", workers=1) as cluster:
            def churn():
                """Until nothing is kept that was there before."""
                head = cluster.status()["head"]

                def are_gone():
                    cluster.json("submit", "--file", "-", input=bulk)
                    cluster.wait_settled(cluster.status()["accepted"] - is_held)
                    return cluster.status()["log_kept_from"] >= head
                wait_until(are_gone, 180, "what was there is no longer kept")

            cluster.eole("pause", "project:later")
            is_held = 1
            waits = subprocess.Popen([BIN / "eole", "submit", "--file", "-", "--wait", "--json"], text=True,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=cluster.env)
            self.addCleanup(waits.kill)
            waits.stdin.write('{"kind": "echo", "args": 1}\n{"kind": "echo", "args": 2, "project": "later"}\n')
            waits.stdin.close()
            self.assertEqual(json.loads(waits.stdout.readline())["value"], 1)  # So it reads the log.
            waits.send_signal(signal.SIGSTOP)
            churn()  # More than anybody keeps for one who does not read.
            cluster.eole("resume", "project:later")
            is_held = 0
            cluster.wait_settled(cluster.status()["accepted"])
            churn()
            waits.send_signal(signal.SIGCONT)
            self.assertEqual(json.loads(waits.stdout.readline())["error"], "settled; its result is no longer kept")
            self.assertEqual((waits.wait(60), waits.stderr.read()), (0, ""))


if __name__ == "__main__":
    unittest.main()
