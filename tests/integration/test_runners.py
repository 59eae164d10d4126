"""Kinds outside the tree: runners that do what they should, and all that they should not."""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest

from cluster import BIN, SANITIZER, Cluster, alive, wait_until
from http_client import Http, upload

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "clients/python"))
import eole  # noqa: E402

HERE = pathlib.Path(__file__).parent
ODD = f"{sys.executable} {HERE}/odd_runner.py"
EXAMPLES = HERE.parents[1] / "examples/runners"
TRIED_AGAIN_SECONDS = 90  # A runner that cannot start is, every 30 s at last.


def task(do, kind="odd", **args):
    return {"kind": kind, "args": {"do": do, **args}}


class WithCluster(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster(*cls.options, workers=1, slots=1))
        cls.worker = cls.cluster.pid("w1")
        cls.directory = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="eole-test-"))

    def tearDown(self):
        """Whatever a test did, the worker is the same one and its slot runs tasks."""
        [each] = self.ran(task("value", value="well"))
        self.assertEqual(each.get("value"), "well", each)
        self.assertEqual(self.cluster.pid("w1"), self.worker)

    def ran(self, *tasks):
        return self.cluster.submit(tasks, "--wait", check=False)

    def path(self):
        return os.path.join(self.directory, self.id().rsplit(".", 1)[1])

    def begun(self, do, **args):
        """A task that has begun."""
        [submitted] = self.cluster.submit([task(do, begun=self.path(), **args)])
        wait_until(lambda: os.path.exists(self.path()), what="its begin")
        return submitted["id"]

    def ended(self, name):
        return wait_until(lambda: (found := self.cluster.task(name)).get("state") in
                          ("done", "failed", "dead", "cancelled") and found, what="its end")


class Runs(WithCluster):
    options = ["--runner", f"{ODD} odd 1"]

    def test_a_value_comes_back_and_the_process_is_kept(self):
        first, second = (each["value"] for each in self.ran({**task("about"), "project": "p"}, task("about")))
        self.assertEqual((first["attempt"], first["kind"], first["project"]), (1, "odd", "p"))
        self.assertEqual(first["pid"], second["pid"])
        self.assertNotEqual(first["task"], second["task"])

    def test_a_failure_has_its_error_its_value_and_its_class(self):
        [each] = self.ran(task("fail"))
        self.assertEqual((each["state"], each["error"], each["cause"], each["value"]),
                         ("failed", "no such table", "KeyError", {"error_class": "KeyError"}))

    def test_a_failure_is_tried_again_by_its_class_and_no_sooner_than_it_says(self):
        retry = {"retry": {"attempts": 2, "on": "KeyError"}}
        once, again = self.ran({**task("fail"), "retry": {"attempts": 2, "on": "ValueError"}},
                               {**task("fail", ms=300), **retry})
        self.assertEqual((once["attempt"], again["attempt"]), (1, 2))

    def test_progress_and_output_are_seen_while_it_runs(self):
        watch = subprocess.Popen([BIN / "eole", "watch", "--progress", "--json"], env=self.cluster.env,
                                 stdout=subprocess.PIPE, text=True)
        try:
            seen = ""
            self.cluster.submit([task("tell", until=self.path())])
            for line in watch.stdout:
                seen += line
                if "page 3" in seen and "by print" in seen and "ü" in seen.replace("\\u00fc", "ü"):
                    break
        finally:
            pathlib.Path(self.path()).touch()
            watch.kill()
            watch.wait()
            watch.stdout.close()

    def test_files_come_out_and_in_and_results_are_put_among_its_arguments(self):
        results = self.ran({"name": "made", **task("make", files=["a.txt", "b.txt"])},
                           task("take", sha256={"$result": "made", "path": "artifacts.1.sha256"}, name="in.txt"),
                           {"name": "seven", "kind": "echo", "args": {"n": 7}},
                           task("value", value={"$result": "seven", "path": "n"}))
        self.assertEqual([each["name"] for each in results[0]["artifacts"]], ["a.txt", "b.txt"])
        self.assertEqual(results[1]["value"], "this is b.txt")
        self.assertEqual(results[3]["value"], 7)

    def test_what_cannot_be_fetched_is_told(self):
        unknown, nonsense, outside = self.ran(task("take", sha256="0" * 64, name="x"), task("take", sha256="x", name="x"),
                                              task("take", sha256="0" * 64, name="../x"))
        self.assertIn("0" * 64, unknown["value"])
        self.assertEqual(nonsense["value"], "artifact x is no SHA-256")
        self.assertEqual(outside["value"], "a file ../x: no name in its directory")

    def test_a_cancel_is_heard_and_the_process_stays(self):
        before = self.ran(task("about"))[0]["value"]["pid"]
        name = self.begun("wait")
        self.cluster.eole("cancel", name)
        ended = self.ended(name)
        self.assertEqual(ended["state"], "cancelled", ended)
        self.assertEqual(self.ran(task("about"))[0]["value"]["pid"], before)

    def test_who_does_not_hear_a_cancel_is_told_by_signals_with_all_that_it_started(self):
        for deaf in (False, True):
            pathlib.Path(self.path()).unlink(missing_ok=True)
            before = self.ran(task("about"))[0]["value"]["pid"]
            name = self.begun("hang", deaf=deaf)
            self.cluster.eole("cancel", name)
            self.assertEqual(self.ended(name)["state"], "cancelled")
            self.assertFalse(alive(before))

    def test_a_time_limit_ends_it(self):
        [each] = self.ran({**task("hang", begun=self.path()), "timeout": 0.2})
        self.assertEqual((each["state"], each["cause"]), ("failed", "timeout"), each)
        self.assertIn("over its time limit of 0.2s; died by signal 15", each["error"])

    def lost(self, do, **args):
        [each] = self.ran({**task(do, **args), "retry": {"attempts": 1}})
        self.assertEqual(each["state"], "dead", each)
        return each["error"].removeprefix("dead after 1 attempt, attempt 1: failed: ")

    def test_its_death_is_a_failed_attempt_that_says_how_and_its_last_words(self):
        self.assertEqual(self.lost("kill"), "lost: its process died by signal 9 (Killed); it printed: last words")
        self.assertEqual(self.lost("exit", code=0), "lost: its process ended without a word, with code 0")
        self.assertEqual(self.lost("exit", code=7), "lost: its process ended without a word, with code 7")
        self.assertEqual(self.lost("close"), "lost: its process closed its socket; it printed: it was me")
        self.assertIn("lost: its process spoke nonsense: a frame of ", self.lost("nonsense"))

    def test_what_a_dead_one_had_started_dies_too(self):
        self.assertEqual(self.lost("fork", pid=self.path()), "lost: its process ended without a word, with code 3")
        child = int(pathlib.Path(self.path()).read_text(encoding="ascii"))
        wait_until(lambda: not alive(child), what="its child is gone")

    def test_megabytes_of_print_cost_it_nothing(self):
        self.assertEqual(self.ran(task("flood"))[0]["value"], "flooded")

    def test_one_killed_while_it_idles_costs_no_attempt(self):
        pid = self.ran(task("about"))[0]["value"]["pid"]
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not alive(pid), what="its death")
        value = self.ran(task("about"))[0]["value"]
        self.assertNotEqual(value["pid"], pid)
        self.assertEqual(value["attempt"], 1)

    def test_what_is_known_of_it_is_its_kind(self):
        self.assertIn("odd", self.cluster.eole("workers").stdout)


class Ahead(WithCluster):
    options = ["--runner", f"{ODD} odd 64"]

    def test_many_at_once_end_each_with_its_own_value(self):
        results = self.ran(*(task("value", value=n) for n in range(3000)))
        self.assertEqual([each["value"] for each in results], list(range(3000)))

    def test_of_those_that_a_dead_process_had_only_the_one_at_fault_has_failed(self):
        tasks = [task("value", value=n) for n in range(2000)]
        tasks[1000] = {**task("exit", code=5), "retry": {"attempts": 1}}
        results = self.ran(*tasks)
        self.assertEqual([each["state"] for each in results], ["done"] * 1000 + ["dead"] + ["done"] * 999)
        self.assertEqual({each["attempt"] for each in results}, {1})


class Replaced(WithCluster):
    options = ["--runner", f"{ODD} odd 1", "--runner-tasks", "3", "--runner-memory", "200MB"]

    def test_after_so_many_tasks(self):
        pids = [self.ran(task("about"))[0]["value"]["pid"] for _ in range(7)]
        self.assertTrue(3 <= len(set(pids)) <= 4, pids)
        self.assertFalse(alive(pids[0]))

    def test_when_it_has_grown(self):
        first, second = (each["value"] for each in self.ran(task("leak", mb=300), task("leak", mb=1)))
        self.assertNotEqual(first, second)
        self.assertFalse(alive(first))


class Starts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster(workers=0))

    def refused(self, *runners):
        arguments = [word for runner in runners for word in ("--runner", runner)]
        done = subprocess.run([BIN / "worker", "--cluster", f"{self.cluster.directory}/eole/data/worker.toml", "--slots",
                               "2", "--name", "refused", *arguments], env=self.cluster.env, text=True, capture_output=True,
                              timeout=60, check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        return done.stderr

    def test_what_cannot_be_is_refused_by_name(self):
        self.assertIn(f"runner {ODD} echo 1: offers the kind echo, which comes with Eole", self.refused(f"{ODD} echo 1"))
        self.assertIn(f"runner {ODD} odd 2: offers the kind odd, and so does runner {ODD} odd 1",
                      self.refused(f"{ODD} odd 1", f"{ODD} odd 2"))

    def test_one_that_cannot_start_is_told_and_keeps_nothing_else_from_starting(self):
        directory = self.enterContext(tempfile.TemporaryDirectory(prefix="eole-test-"))
        later, echo = (pathlib.Path(directory, name) for name in ("later", "echo"))
        whys = {"sh -c 'echo no such module: shop >&2; exit 4'":
                "ended without a word, with code 4; it printed: no such module: shop",
                f"{ODD} a,b 1": "its name has a comma", f"{ODD} odd 1000": "1000 runs ahead, allowed are 1 to 256",
                str(later): "with code 127; it printed: ", str(echo): "with code 127; it printed: "}
        cluster = Cluster(*(word for runner in whys for word in ("--runner", runner)), workers=1, slots=2)
        self.addCleanup(cluster.__exit__, None, None, None)
        told = cluster.start()

        def broken():
            return {each["runner"]: each["problem"] for role in cluster.status()["roles"] for each in role.get("broken", ())}
        for runner, why in list(whys.items())[1:]:
            self.assertRegex(told, f"w1 goes on without runner {re.escape(runner)}: .*{why}")
        for runner, why in whys.items():
            self.assertIn(why, broken()[runner])
        self.assertEqual(cluster.submit([{"kind": "echo"}], "--wait")[0]["state"], "done")
        waits = cluster.submit([task("about", kind="late")] * 200)
        for path, words in ((later, "late 64"), (echo, "echo 1")):
            path.with_suffix(".new").write_text(f"#!/bin/sh\nexec {ODD} {words}\n", encoding="utf-8")
            path.with_suffix(".new").chmod(0o755)
            path.with_suffix(".new").rename(path)
        cluster.wait_settled(1 + len(waits), TRIED_AGAIN_SECONDS)
        ended = {each["id"]: (each["state"], each["attempt"]) for each in cluster.log()}
        self.assertEqual({ended[each["id"]] for each in waits}, {("done", 1)})
        wait_until(lambda: "offers the kind echo, which comes with Eole" in broken().get(str(echo), ""),
                   TRIED_AGAIN_SECONDS, "it is refused")
        self.assertNotIn(str(later), broken())
        self.assertEqual(cluster.submit([{"kind": "echo"}], "--wait")[0]["worker"], "w1")

    def test_an_empty_command_is_refused(self):
        self.assertIn("--runner: a COMMAND is wanted, this one is empty", self.refused(" "))
        up = subprocess.run([BIN / "eole", "up", "--runner", ""], env=self.cluster.env, text=True, capture_output=True,
                            timeout=60, check=False)
        self.assertEqual((up.returncode, "a COMMAND is wanted, this one is empty" in up.stderr), (2, True), up.stderr)


class Told(unittest.TestCase):
    """What a runner tells of its kind is known as of a kind that comes with Eole."""

    @classmethod
    def setUpClass(cls):
        told = f"{ODD} odd 1 do:text:1: value:any:0: width:integer:0:128 all:boolean:0:false"
        takes_file = f"{ODD} scale 1 artifact:sha256:1: width:integer:0:128 do:text:0:"
        cls.cluster = cls.enterClassContext(Cluster("--runner", told, "--runner", takes_file, workers=1, slots=1))

    def test_its_arguments_are_flags_with_a_help(self):
        said = self.cluster.eole("submit", "odd", "--help").stdout
        self.assertIn("What its task says.", said)
        self.assertRegex(said, r"--width N +a whole number \[128\]")
        [value] = self.cluster.json("submit", "odd", "--do", "value", "--value", "[1, 2]", "--wait")
        self.assertEqual(value["value"], [1, 2])

    def test_what_does_not_fit_is_refused_when_it_is_submitted(self):
        unknown = "odd: widht is not one of its arguments; did you mean width?"
        for words, why in ((("--do", "value", "--width", "wide"), 'odd: width must be a whole number, not "wide"'),
                           (("--width", "3"), "odd: do is missing (a text)"),
                           (("--args", '{"do": "value", "widht": 3}'), unknown)):
            done = self.cluster.eole("submit", "odd", *words, check=False)
            self.assertEqual(done.returncode, 2, done)
            self.assertIn(why, done.stderr)
        lines = [task("value"), task("value", width=1.5), task("value", all="x")]
        done = self.cluster.eole("submit", "--file", "-", check=False, input="\n".join(map(json.dumps, lines)))
        self.assertEqual(done.returncode, 2)
        self.assertIn("line 2: odd: width must be a whole number, not 1.5\n", done.stderr)
        self.assertIn('line 3: odd: all must be true or false, not "x"\n', done.stderr)

    def test_the_gateway_knows_it_too(self):
        http = Http(self.cluster)
        [odd] = [kind for kind in http.get("/kinds")["kinds"] if kind["name"] == "odd"]
        self.assertTrue(odd["is_offered"])
        self.assertEqual(odd["arguments"]["required"], ["do"])
        self.assertEqual(odd["arguments"]["properties"]["width"],
                         {"description": "a whole number", "type": "integer", "default": 128})
        wrong = [task("value"), task("value", width="wide")]
        status, _, problem = http.ask("POST", "/task", wrong)
        self.assertEqual(status, 400)
        [bad] = problem["errors"]
        self.assertEqual((bad["pointer"], bad["detail"]),
                         ("/1/args/width", 'odd: width must be a whole number, not "wide"'))
        status, _, problem = http.ask("POST", "/task", "".join(json.dumps(each) + "\n" for each in wrong).encode(),
                                      {"content-type": "application/x-ndjson"})
        self.assertEqual((status, problem["errors"][0]["pointer"]), (400, "/1/args/width"))

    def test_a_schedule_a_chain_and_a_last_task_are_checked_when_they_are_declared(self):
        wide = ("--args", '{"do": "value", "width": "wide"}')
        chain = ("chain", "add", "c", "--from", "#", "--submit", "odd")
        no_number = 'width must be a whole number, not "wide"'
        for words, why in ((("schedule", "add", "s", "--every", "1h", "--", "odd", *wide), no_number),
                           (("project", "open", "p", "--then", "odd", *wide), no_number),
                           ((*chain, *wide), no_number),
                           ((*chain, "--arg", "do=$kind", "--arg", "widht=3"), "widht is not one of its arguments"),
                           ((*chain, "--arg", "width=$value.width"), "do is missing (a text)")):
            done = self.cluster.eole(*words, check=False)
            self.assertEqual((done.returncode, f"odd: {why}" in done.stderr), (2, True), done)
        self.assertEqual(self.cluster.eole("schedule", "list").stdout, "no schedules\n")
        self.assertEqual(self.cluster.eole("chain", "list").stdout, "no chains\n")
        # What a notification fills is not known yet.
        self.cluster.eole(*chain, "--arg", "do=${kind}", "--arg", "width=$value.width")
        self.cluster.eole("chain", "remove", "c")

    def test_the_gateway_checks_what_it_is_to_submit_later(self):
        http = Http(self.cluster)
        wrong, why = task("value", width="wide"), 'odd: width must be a whole number, not "wide"'
        for method, path, body, at in (("PUT", "/schedules/s", {"every": "1h", "task": wrong}, "/task"),
                                       ("POST", "/projects/p/open", {"then": wrong}, "/then"),
                                       ("POST", "/chains", {"name": "c", "from": "#", "task": wrong}, "/task")):
            status, _, problem = http.ask(method, path, body)
            self.assertEqual((status, problem.get("errors")), (400, [{"pointer": f"{at}/args/width", "detail": why}]), path)
        filled = {"name": "c", "from": "#", "task": task("$kind", width="$value.width")}
        self.assertEqual(http.ask("POST", "/chains", filled)[0], 201)
        http.ask("DELETE", "/chains/c")

    def test_an_upload_is_checked_before_its_file_goes_anywhere(self):
        http = Http(self.cluster)
        self.assertEqual(upload(http, kind="scale", width="800"), (202, None))
        self.assertEqual(upload(http, kind="scale", width="wide"),
                         (400, '/args/width: scale: width must be a whole number, not "wide"'))
        self.assertEqual(upload(http, kind="scale", widht="800"), (400, "field widht: kind scale has no such argument"))
        self.assertEqual(upload(http, kind="odd"), (400, "kind odd takes no file: it has no argument artifact"))
        tus = {"tus-resumable": "1.0.0", "upload-length": "1", "upload-metadata": "kind b2Rk"}
        status, _, said = http.ask("POST", "/uploads", b"", tus)
        self.assertEqual((status, said.get("detail")), (400, "kind odd takes no file: it has no argument artifact"))

    def test_an_upload_waits_until_a_worker_has_said_what_its_kind_takes(self):
        with Cluster(workers=0) as cluster:
            http = Http(cluster)
            self.assertEqual(upload(http, kind="scale", width="800"),
                             (503, "kind scale: the ventilator has not said yet who offers it"))
            scale = f"{ODD} scale 1 artifact:sha256:1: width:integer:0:128"
            worker = subprocess.Popen([BIN / "worker", "--cluster", f"{cluster.directory}/eole/data/worker.toml", "--name", "w",
                                       "--data", f"{cluster.directory}/w", "--runner", scale], env=cluster.env,
                                      stderr=subprocess.DEVNULL)
            self.addCleanup(worker.wait)
            self.addCleanup(worker.kill)
            said = wait_until(lambda: (said := upload(http, kind="scale", width="wide"))[0] != 503 and said, what="it is known")
            self.assertEqual(said, (400, '/args/width: scale: width must be a whole number, not "wide"'))
            wide = {"kind": "scale", "args": {"artifact": "0" * 64, "width": "wide"}}
            self.assertEqual(http.ask("POST", "/task", wide)[0], 400)
            worker.terminate()  # The next one's runner may take others.
            wait_until(lambda: http.ask("POST", "/task", wide)[0] == 202, what="what the last worker said is forgotten")
            self.assertEqual(upload(http, kind="scale", width="wide")[0], 503)

    def test_shells_complete_it(self):
        def words(*line):
            return self.cluster.eole("completion", "words", "--", *line).stdout.split()
        self.assertIn("odd", words("submit", "o"))
        self.assertIn("--width", words("submit", "odd", "--w"))
        self.assertIn("odd", words("tasks", "--kind", "o"))


class Broken(unittest.TestCase):
    def test_while_it_cannot_be_started_its_tasks_wait_and_lose_no_attempt(self):
        directory = self.enterContext(tempfile.TemporaryDirectory(prefix="eole-test-"))
        runner = pathlib.Path(directory, "runner")
        runner.write_text(f"#!/bin/sh\nexec {ODD} odd 8\n", encoding="utf-8")
        runner.chmod(0o755)
        with Cluster("--runner", str(runner), workers=1, slots=1) as cluster:
            runner.rename(f"{runner}.away")
            [lost] = cluster.submit([{**task("kill"), "retry": {"attempts": 1}}], "--wait", check=False)
            self.assertEqual(lost["state"], "dead")
            waiting = cluster.submit([task("about")] * 20)
            wait_until(lambda: "cannot" in self.log(cluster) or "not found" in self.log(cluster), what="a warning")
            [worker] = wait_until(lambda: (found := self.workers(cluster))[0]["broken"] and found, what="it is told")
            self.assertNotIn("odd", worker["kinds"].split(","))
            self.assertIn("not found", worker["broken"][0]["problem"])
            [why] = cluster.json("explain", waiting[0]["id"])[0]["why"]
            self.assertIn("no connected worker offers odd; on w1 runner", why["text"])
            if SANITIZER is None:  # The doctor tries a box.
                doctor = cluster.eole("doctor", check=False)
                self.assertEqual(doctor.returncode, 1)
                self.assertRegex(doctor.stdout, "(?s)wrong +runners +of worker w1 cannot start: runner .*not found")
            self.assertIn("cannot start: runner", cluster.eole("status").stdout)
            others = cluster.submit([{"kind": "sleep", "args": {"seconds": 0}}] * 40, "--wait")
            self.assertEqual({each["state"] for each in others}, {"done"})
            pathlib.Path(f"{runner}.away").rename(runner)
            for each in waiting:
                done = wait_until(lambda: (found := cluster.task(each["id"]))["state"] == "done" and found, what="its end")
                self.assertEqual(done["attempt"], 1)
            [worker] = self.workers(cluster)
            self.assertEqual((worker["broken"], "odd" in worker["kinds"].split(",")), ([], True))

    @staticmethod
    def workers(cluster):
        return [role for role in cluster.status()["roles"] if role["role"] == "worker"]

    @staticmethod
    def log(cluster):
        return pathlib.Path(cluster.directory, "eole/data/logs/w1.log").read_text(encoding="utf-8")

    def test_a_killed_worker_takes_it_along(self):
        with Cluster("--runner", f"{ODD} odd 1", workers=1, slots=1) as cluster:
            [about] = cluster.submit([task("about")], "--wait")
            begun = os.path.join(cluster.directory, "begun")
            cluster.submit([task("hang", begun=begun, deaf=True)])
            wait_until(lambda: os.path.exists(begun), what="its begin")
            cluster.kill("w1")
            wait_until(lambda: not alive(about["value"]["pid"]), what="its end")

    def test_a_drain_lets_it_finish_and_leaves_nobody_behind(self):
        with Cluster("--runner", f"{ODD} odd 1", workers=1, slots=2) as cluster:
            pids = {each["value"]["pid"] for each in cluster.submit([task("about")] * 20, "--wait")}
            self.assertEqual(cluster.stop(), 0)
            self.assertEqual([pid for pid in pids if alive(pid)], [])


class Scripts(unittest.TestCase):
    SCRIPT = """#!/bin/sh
[ $# = 0 ] && exec eole-runner odd-script -- "$0" task
read -r args
case "$args" in
  *fail*) echo first >&2; echo why >&2; exit 9 ;;
  *many*) for i in $(seq 251); do : >"$i"; done ;;
  *files*) echo one >one.txt; echo two >two.txt ;;
  *copy*) tr a-z A-Z <artifact >copy.txt; echo '"copied"' ;;
  *plain*) echo no JSON at all ;;
  *who*) echo "[\\"$EOLE_TASK_ID\\", $EOLE_ATTEMPT]" ;;
  *large*) head -c 1100000 /dev/zero ;;
  *hang*) echo $$ >"$BEGUN.new"; mv "$BEGUN.new" "$BEGUN"; sleep 600 ;;
esac
"""

    @classmethod
    def setUpClass(cls):
        cls.directory = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="eole-test-"))
        cls.begun = f"{cls.directory}/begun"
        script = pathlib.Path(cls.directory, "script.sh")
        script.write_text(cls.SCRIPT, encoding="utf-8")
        script.chmod(0o755)
        cls.cluster = cls.enterClassContext(Cluster("--runner", "./script.sh", "--runner", str(EXAMPLES / "upper.sh"),
                                                    workers=1, slots=1, env={"BEGUN": cls.begun}, cwd=cls.directory))

    def ran(self, *tasks):
        return self.cluster.submit([{"kind": "odd-script", **each} for each in tasks], "--wait", check=False)

    def test_what_it_prints_is_its_value(self):
        plain, who, nothing = self.ran({"args": "plain"}, {"args": "who"}, {"args": "files"})
        self.assertEqual(plain["value"], "no JSON at all")
        self.assertEqual(who["value"], [who["id"], 1])
        self.assertNotIn("value", nothing)
        self.assertEqual([each["name"] for each in nothing["artifacts"]], ["one.txt", "two.txt"])

    def test_an_artifact_lies_beside_it(self):
        _, copied = self.ran({"name": "made", "args": "files"},
                             {"args": {"do": "copy", "artifact": {"$result": "made", "path": "artifacts.0.sha256"}}})
        self.assertEqual(copied["value"], "copied")
        self.assertEqual(copied["artifact"]["name"], "copy.txt")

    def test_its_exit_code_is_the_cause(self):
        failed, large, missing = self.ran({"args": "fail"}, {"args": "large"}, {"args": {"artifact": "0" * 64}})
        self.assertEqual((failed["error"], failed["cause"]), ("exit code 9; it printed: first\nwhy", "exit:9"))
        self.assertEqual(large["error"], "it printed more than 1048576 bytes of value")
        self.assertIn("0" * 64, missing["error"])

    def test_too_many_files_are_a_failure_and_its_process_stays(self):
        many, plain = self.ran({"args": "many"}, {"args": "plain"})
        self.assertEqual((many["error"], many["attempt"]), ("it left 251 files, limit 250", 1))
        self.assertEqual(plain["value"], "no JSON at all")

    def test_a_cancel_ends_all_of_it(self):
        [submitted] = self.cluster.submit([{"kind": "odd-script", "args": "hang"}])
        wait_until(lambda: os.path.exists(self.begun), what="its begin")
        self.cluster.eole("cancel", submitted["id"])
        wait_until(lambda: self.cluster.task(submitted["id"])["state"] == "cancelled", what="its end")
        self.assertFalse(alive(int(pathlib.Path(self.begun).read_text(encoding="ascii"))))

    def test_the_example_runs(self):
        [each] = self.cluster.submit([{"kind": "upper", "args": {"text": "hello"}}], "--wait")
        self.assertEqual(each["value"], {"TEXT": "HELLO"})


class Examples(unittest.TestCase):
    def test_the_example_of_the_page_runs(self):
        with Cluster("--runner", str(EXAMPLES / "plain.py"), workers=1, slots=1) as cluster:
            [good] = cluster.submit([{"kind": "word-count", "args": {"text": "to be or not to be"}}], "--wait")
            self.assertEqual(good["value"], {"to": 2, "be": 2, "or": 1, "not": 1})
            # The ventilator does not look into arguments, and Python not at a kind's.
            with eole.Cluster(cluster.directory + "/eole/cluster.toml") as python:
                [bad] = python.results(python.submit("word-count", {}))
            self.assertEqual((bad.state, bad.value["error_class"]), ("failed", "KeyError"))


if __name__ == "__main__":
    unittest.main()
