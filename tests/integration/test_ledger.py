"""Projects in git: nothing is missing there whoever is killed, what is written there runs once, and it is put together again."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import unittest

from cluster import BIN, Cluster, wait_until

HERE = pathlib.Path(__file__).parent
NAMES = ("todo", "tracking", "done", "config")


def git(path, *words):
    return subprocess.run(["git", "-C", path, *words], text=True, capture_output=True, check=True).stdout


class Ledger(unittest.TestCase):
    def setUp(self):
        self.cluster = self.enterContext(Cluster("--allow-exec", workers=2, slots=2))
        self.directory = pathlib.Path(self.cluster.directory, "ledger")
        self.remote = pathlib.Path(self.cluster.directory, "remote")
        self.errors = pathlib.Path(self.cluster.directory, "errors")

    def make_remote(self):
        for name in NAMES:
            subprocess.run(["git", "init", "--quiet", "--bare", "-b", "main", self.remote / f"{name}.git"], check=True)

    def mirror(self, *arguments):
        with open(self.errors, "a") as errors:
            process = subprocess.Popen([BIN / "eole", "ledger", self.directory, *arguments], env=self.cluster.env,
                                       stdout=subprocess.DEVNULL, stderr=errors)
        self.addCleanup(lambda: process.poll() is None and (process.kill(), process.wait()))
        return process

    def end(self, process, code=0):
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(60), code, self.errors.read_text())

    def files(self, name, at=None):
        """Those of a repository, by their paths in it; not what git has of its own."""
        root = pathlib.Path(at or self.directory, name)
        out = {}
        for folder, folders, names in os.walk(root):
            folders[:] = [each for each in folders if each != ".git"]
            paths = (pathlib.Path(folder, each) for each in names if each.endswith(".json"))
            out.update((str(path.relative_to(root)), path) for path in paths)
        return out

    def records(self, at=None):
        return {path.stem: json.loads(path.read_text()) for path in self.files("done", at).values()}

    def committed(self):
        for name in NAMES:
            self.assertEqual(git(self.directory / name, "status", "--porcelain"), "", name)
            git(self.directory / name, "fsck", "--full", "--strict")

    def test_a_new_one_of_a_group_that_has_read_says_what_it_will_not_have(self):
        def said(name, *arguments):
            return self.cluster.eole("ledger", self.directory / name, *arguments).stderr

        self.cluster.submit([{"kind": "echo", "args": 1}] * 3, "--wait")
        self.assertEqual(said("first", "--count", 3), "")
        self.assertEqual(said("other", "--count", 3, "--group", "other"), "")
        self.cluster.submit([{"kind": "echo", "args": 1}] * 2, "--wait")
        self.assertIn("this ledger is new, but the group ledger has read up to offset 3 already",
                      said("second", "--count", 1))
        self.assertEqual(said("first", "--count", 1), "")

    def test_nothing_is_missing_in_git_whoever_is_killed(self):
        self.make_remote()
        for turn in range(4):
            process = self.mirror("--remote", self.remote)
            before = len(self.records()) if turn else 0
            self.cluster.submit([{"kind": "echo", "args": {"n": n}, "project": "many"} for n in range(150)])
            wait_until(lambda: len(self.records()) > before, seconds=60, what="something is mirrored")
            process.kill()
            process.wait()
        self.cluster.submit([{"kind": "exec", "args": {"argv": ["false"]}, "project": "others"}])
        self.cluster.wait_settled(601)
        process = self.mirror()
        wait_until(lambda: self.group()["lag_records"] == 0, seconds=60, what="all is committed in the group")
        wait_until(lambda: not self.files("todo"), what="nothing is to do")
        wait_until(lambda: json.loads(self.files("tracking")["many.json"].read_text())["state"] == "over",
                   what="the project is over")
        self.end(process)
        log = {each["id"]: each for each in self.cluster.log()}
        self.assertEqual(self.records(), log)
        self.assertEqual({each["id"] for each in self.cluster.json("history")}, {*log})
        self.committed()
        said = [line.split()[1] for line in git(self.directory / "done", "log", "--format=%s").splitlines()]
        self.assertGreaterEqual(sum(int(count) for count in said if count.isdigit()), 601)
        for name in NAMES:
            subprocess.run(["git", "clone", "--quiet", self.remote / f"{name}.git", self.remote / name], check=True)
            self.assertEqual({path: file.read_text() for path, file in self.files(name, self.remote).items()},
                             {path: file.read_text() for path, file in self.files(name).items()})
        view = json.loads(self.files("tracking")["others.json"].read_text())
        self.assertEqual((view["failed"], view["tasks"]), (1, 1))

    def group(self):
        return next((each for each in self.cluster.json("group", "list") if each["group"] == "ledger"), None)

    def test_a_remote_that_is_away_is_caught_up_with(self):
        self.make_remote()
        process = self.mirror("--remote", self.remote)
        self.cluster.submit([{"kind": "echo", "args": 1, "project": "first"}], "--wait")
        wait_until(lambda: self.group() and self.group()["lag_records"] == 0 and self.files("done"), seconds=60,
                   what="pushed and committed")
        away = self.remote.with_name("away")
        self.remote.rename(away)
        for n in range(3):
            self.cluster.submit([{"kind": "echo", "args": n, "project": f"later{n}"}], "--wait")
            wait_until(lambda: len(self.records()) == n + 2, what="it goes on here")
        wait_until(lambda: "git push" in self.errors.read_text(), what="it is said")
        self.assertEqual(self.group()["lag_records"], 3)
        process.kill()
        process.wait()
        process = self.mirror()
        wait_until(lambda: self.errors.read_text().count("git push") == 2, seconds=60, what="said again by the next")
        away.rename(self.remote)
        wait_until(lambda: self.group()["lag_records"] == 0, seconds=90, what="caught up")
        self.assertEqual(self.errors.read_text().count("git push"), 2)
        self.end(process)
        self.assertEqual(len(git(self.remote / "done.git", "ls-tree", "-r", "--name-only", "main").split()), 4)

    def test_what_is_written_in_todo_runs_once(self):
        process = self.mirror()
        wait_until(lambda: (self.directory / "config/.git/refs/heads/main").exists(), what="repositories")
        ran = pathlib.Path(self.cluster.directory, "ran")
        folder = self.directory / "todo" / "photos"
        folder.mkdir()
        tasks = [{"kind": "exec", "args": {"shell": f"echo {n} | tee -a {ran}"}} for n in range(3)]
        written = {"list.json": json.dumps(tasks, indent=1), "one.json": json.dumps({"kind": "echo", "args": "one"}),
                   "lines.json": "".join(json.dumps({"kind": "echo", "args": n}) + "\n" for n in range(2))}
        self.cluster.eole("pause", "project:photos")
        ids = []
        for _ in range(2):  # As if a person put them there again.
            for name, content in written.items():
                (folder / name).write_text(content)
            ids.append(self.cluster.eole("ledger", "submit", self.directory, "photos").stdout.split())
            self.assertEqual({path.name for path in folder.iterdir()}, {f"{each}.json" for each in ids[0]})
        self.assertEqual((ids[0], len({*ids[0]})), (ids[1], 6))
        self.assertEqual(self.cluster.eole("ledger", "submit", self.directory, "photos").stdout, "")
        said = [json.loads((folder / f"{each}.json").read_text())["task"] for each in ids[0]]
        self.assertEqual([task for task in said if task in tasks], tasks)
        self.cluster.eole("resume", "project:photos")
        wait_until(lambda: {*self.records()} == {*ids[0]} and not list(folder.iterdir()), what="all are done")
        self.assertEqual(sorted(ran.read_text().split()), ["0", "1", "2"])
        for content, what in [('{"kind": "echo", "project": "others"}', "in the folder of photos"),
                              ('{"kind": "echo"}\n{"kind"', "line 2"), ('{"kindd": "echo"}', "kindd"),
                              ("", "no task is written there")]:
            (folder / "bad.json").write_text(content)
            refused = self.cluster.eole("ledger", "submit", self.directory, "photos", check=False)
            self.assertEqual(refused.returncode, 2)
            self.assertIn(what, refused.stderr)
            self.assertIn("photos/bad.json: ", refused.stderr)
            self.assertTrue((folder / "bad.json").exists())
        (folder / "bad.json").unlink()
        nowhere = self.directory.with_name("nowhere")
        self.assertEqual(self.cluster.eole("ledger", "submit", nowhere, "photos", check=False).returncode, 2)
        self.assertFalse(nowhere.exists())
        self.end(process)
        self.committed()

    def test_arguments_that_a_runner_does_not_take_are_refused(self):
        cluster = self.enterContext(Cluster("--runner", f"{sys.executable} {HERE}/odd_runner.py odd 1 do:text:1:"))
        folder = self.directory / "todo" / "photos"
        folder.mkdir(parents=True)
        (folder / "a.json").write_text('{"kind": "echo"}')
        (folder / "b.json").write_text('{"kind": "odd", "args": {"do": "value"}}\n{"kind": "odd", "args": {"dooo": 1}}')
        refused = cluster.eole("ledger", "submit", self.directory, "photos", check=False)
        self.assertEqual((refused.returncode, refused.stdout), (2, ""))
        self.assertIn("photos/b.json: nothing was submitted\nline 2: ", refused.stderr)
        self.assertIn("dooo", refused.stderr)
        (folder / "b.json").write_text('{"kind": "odd", "args": {"do": "value"}}')
        self.assertEqual(len(cluster.eole("ledger", "submit", self.directory, "photos").stdout.split()), 2)

    def test_a_project_is_put_together_from_git_alone(self):
        self.cluster.eole("project", "open", "book", "--expect", 30, "--then", "collect", "--args", '{"how": "concat"}')
        self.cluster.eole("pause", "project:book")
        tasks = [{"kind": "exec", "args": {"shell": f"sleep 0.{9 - n % 10}; echo page {n}"}, "project": "book"}
                 for n in range(29)]
        ids = [each["id"] for each in self.cluster.submit([*tasks, {"kind": "echo", "args": "end", "project": "book"}])]
        self.cluster.eole("resume", "project:book")
        result = self.cluster.json("project", "book", "--wait")[0]["result"]
        self.cluster.eole("fetch", result["id"], "-o", self.directory.with_name("collected"))
        self.cluster.submit([{"kind": "exec", "args": {"argv": ["false"]}, "project": "bad"}])
        self.cluster.eole("ledger", self.directory, "--count", 32)
        wait_until(lambda: self.cluster.json("project", "book")[0]["state"] == "over", what="the project is over")
        self.cluster.submit([{"kind": "echo", "project": "last"}], "--wait")
        self.cluster.eole("ledger", self.directory, "--count", 1)
        self.cluster.stop()
        self.cluster.up = None

        def rebuild(*words):
            return self.cluster.eole("ledger", "rebuild", self.directory, *words, check=False)
        built = self.directory.with_name("built")
        self.assertEqual(rebuild("book", "-o", built).returncode, 0)
        self.assertEqual(built.read_bytes(), self.directory.with_name("collected").read_bytes())
        self.assertEqual(rebuild("book", "-o", built).returncode, 2)
        self.assertEqual(rebuild("book").stdout, built.read_text())
        self.assertEqual(json.loads(rebuild("book", "--how", "json").stdout)[29], "end")
        self.assertIn(" failed", rebuild("bad").stderr)
        self.assertIn("done has no task of it", rebuild("none").stderr)
        self.files("done")[f"book/{ids[7]}.json"].unlink()
        missing = rebuild("book")
        self.assertEqual((missing.returncode, missing.stdout), (1, ""))
        self.assertIn("done has 29 of its 30 tasks", missing.stderr)

    def test_hostile_names_lead_nowhere(self):
        outside = pathlib.Path(self.cluster.directory, "outside")
        outside.mkdir()
        names = ["../../outside/x", "..", ".git", ".git/hooks/post-commit", "/etc/x", "a//b", "$(touch x);`id`", "a\nb",
                 "-rf", "x" * 255, "é/ü", "", "a.json", "a"]
        self.cluster.submit([{"kind": "echo", "args": n, "project": name} for n, name in enumerate(names)], "--wait")
        self.cluster.eole("ledger", self.directory, "--count", 3)
        (self.directory / "done" / "linked").symlink_to(outside)
        # A hook, and a repository that git finds in its environment, are nobody's business here.
        hook = self.directory / "done/.git/hooks/pre-commit"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {outside}/hooked\n")
        hook.chmod(0o700)
        self.cluster.env.update(GIT_DIR=str(outside), GIT_INDEX_FILE=str(outside / "index"))
        self.cluster.eole("ledger", self.directory, "--count", len(names) - 3)
        del self.cluster.env["GIT_DIR"], self.cluster.env["GIT_INDEX_FILE"]
        log = {each["id"]: each for each in self.cluster.log()}
        self.assertEqual(self.records(), log)
        self.assertEqual({each["project"] for each in self.records().values()}, {*names})
        for path in self.files("done"):
            self.assertNotIn("..", path)
        self.cluster.submit([{"kind": "echo", "project": "linked"}], "--wait")
        refused = self.cluster.eole("ledger", self.directory, "--count", 1, check=False)
        self.assertEqual(refused.returncode, 1, refused.stderr)
        self.assertIn("no folder", refused.stderr)
        self.assertEqual(list(outside.iterdir()), [])
        (self.directory / "done" / "linked").unlink()
        self.cluster.eole("ledger", self.directory, "--count", 1)
        self.assertEqual(len(self.records()), len(names) + 1)
        self.committed()
        self.assertEqual({path.name for path in self.directory.iterdir()}, {*NAMES, ".lock"})

    def test_what_the_cluster_is_set_to_is_there(self):
        self.cluster.eole("pause", "kind:sleep")
        self.cluster.eole("limit", "set", "kind:echo", "--running", 3)
        self.cluster.eole("schedule", "add", "nightly", "--cron", "0 2 * * *", "--", "echo", "hello")
        self.cluster.eole("chain", "add", "thumbs", "--from", "photos/echo/done", "--submit", "echo")
        self.cluster.submit([{"kind": "sleep", "args": {"seconds": 0}, "project": "waits"}])
        self.cluster.submit([{"kind": "echo", "project": "mine/a"}, {"kind": "echo", "project": "theirs"}], "--wait")
        process = self.mirror("--project", "mine")
        wait_until(lambda: "config" in [path.name for path in self.directory.glob("*")] and
                   len(self.files("config")) == 7 and len(self.records()) == 1, what="the configuration")
        self.end(process)
        config = {path: json.loads(file.read_text()) for path, file in self.files("config").items()}
        self.assertEqual(config["pauses.json"], ["kind:sleep"])
        self.assertEqual(config["limits.json"], [{"running": 3, "scope": "kind:echo"}])
        self.assertEqual(config["schedules.json"][0]["cron"], "0 2 * * *")
        self.assertEqual(config["chains.json"][0]["name"], "thumbs")
        self.assertIn({"group": "ledger", "partitions": 1}, config["groups.json"])
        self.assertIn("echo", [kind["name"] for kind in config["kinds.json"]])
        self.assertEqual((self.files("todo"), [*self.files("tracking")]), ({}, ["mine/a.json"]))
        shutil.rmtree(self.directory)
        self.cluster.eole("group", "move", "ledger", "--to", "earliest")
        process = self.mirror()
        wait_until(lambda: self.files("todo"), what="what waits is listed")
        wait_until(lambda: len(self.records()) == 2, what="all is read again")
        task = json.loads([*self.files("todo").values()][0].read_text())
        self.assertEqual((task["kind"], task["state"]), ("sleep", "queued"))
        self.end(process)


if __name__ == "__main__":
    unittest.main()
