"""The commands of every day, as a person and a script meet them."""

import fcntl
import hashlib
import json
import os
import pathlib
import pty
import select
import subprocess
import tempfile
import unittest

from cluster import BIN, Cluster, wait_until

ESCAPE = "\x1b]0;mine\x07\x1b[2J\x1b[31m\u009b\u202e"


def on_terminal(cluster, *arguments):
    """Exit code and all that a terminal would get."""
    try:
        master, slave = pty.openpty()
    except OSError as error:  # A bare chroot has none.
        raise unittest.SkipTest(f"no terminal to be had here: {error}") from None
    process = subprocess.Popen([BIN / "eole", *map(str, arguments)], env=cluster.env, stdin=subprocess.DEVNULL,
                               stdout=slave, stderr=slave)
    os.close(slave)
    out = b""
    while select.select([master], [], [], 60)[0]:
        try:
            piece = os.read(master, 65536)
        except OSError:  # Its last writer is gone.
            break
        out += piece
    os.close(master)
    return process.wait(60), out


class Everyday(unittest.TestCase):
    def test_a_bar_sums_up_all_that_ended(self):
        with Cluster("--allow-exec", workers=1, slots=2) as cluster:
            code, out = on_terminal(cluster, "run", "--bar", "--range", "1-12", "sleep 0.1; test {} != 7")
            self.assertEqual(code, 1)
            self.assertIn(b"12 tasks: 11 done, 1 failed in ", out)

    def test_tasks_are_listed_and_cancelled_by_project(self):
        with Cluster("--prefetch", "1", workers=1, slots=1) as cluster:
            tasks = [{"kind": "sleep", "project": name, "args": {"seconds": 60}} for name in ("a", "b", "a", "b")]
            ids = [line["id"] for line in cluster.submit(tasks)]
            running = wait_until(lambda: cluster.json("tasks", "--state", "running"))[0]
            self.assertEqual((running["id"], running["kind"], running["attempt"]), (ids[0], "sleep", 1))
            self.assertEqual([task["id"] for task in cluster.json("tasks", "--project", "b")], [ids[1], ids[3]])
            self.assertEqual([task["id"] for task in cluster.json("tasks", "--worker", running["worker"])], [ids[0]])
            self.assertEqual(len(cluster.json("tasks", "--limit", 2)), 2)
            self.assertIn("… and 3 more", cluster.eole("tasks", "--limit", 1).stdout)
            ended = cluster.json("cancel", "--project", "b")
            self.assertEqual({line["id"]: line["state"] for line in ended}, {ids[1]: "cancelled", ids[3]: "cancelled"})
            again = cluster.eole("cancel", *ids, check=False)
            self.assertEqual(again.returncode, 1)
            self.assertIn("2 cancelled, 2 settled before", again.stdout)
            self.assertEqual(cluster.json("tasks"), [])
            self.assertIn("0 cancelled", cluster.eole("cancel", "--all").stdout)
            unknown = cluster.eole("cancel", ids[0].split("-")[0] + "-99", check=False)
            self.assertEqual(unknown.returncode, 1)
            self.assertIn("no such task was accepted", unknown.stderr)
            self.assertEqual(cluster.eole("cancel", check=False).returncode, 2)

    def test_thousands_are_cancelled_at_once(self):
        with Cluster("--prefetch", "1", workers=1, slots=1) as cluster:
            cluster.submit([{"kind": "sleep", "args": {"seconds": 60}}] * 10000)
            self.assertIn("10000 cancelled", cluster.eole("cancel", "--all").stdout)
            self.assertEqual(cluster.status()["cancelled"], 10000)

    def test_dead_letters_are_replayed_and_discarded_for_good(self):
        with Cluster("--allow-exec", workers=1, slots=1) as cluster:
            flag = os.path.join(cluster.directory, "flag")
            task = {"kind": "exec", "args": {"argv": ["test", "-e", flag]}, "retry": True, "attempts": 2}
            ended = cluster.submit([{**task, "project": name} for name in ("a", "b")], "--wait", check=False)
            ids = [line["id"] for line in ended]
            self.assertEqual([line["state"] for line in ended], ["dead", "dead"])
            letters = cluster.json("dead")
            self.assertEqual({letter["id"] for letter in letters}, set(ids))
            self.assertEqual([len(letter["reasons"]) for letter in letters], [2, 2])
            shown = cluster.json("dead", "show", ids[0])[0]
            self.assertEqual([attempt["attempt"] for attempt in shown["attempts"]], [1, 2, 2])
            pathlib.Path(flag).touch()
            some = cluster.eole("dead", "replay", ids[0], ids[0].split("-")[0] + "-99", ids[1], check=False)
            self.assertEqual(some.returncode, 1)  # One of them is none; the others went on.
            self.assertIn("2 replayed, 1 not", some.stdout)
            self.assertEqual(cluster.json("dead", "list"), [])  # What was replayed is off the list …
            self.assertEqual(cluster.json("dead", "replay", "--all"), [])
            again = {line["replay_of"]: line["id"] for line in cluster.json("dead", "replay", *ids)}  # … and the same.
            self.assertEqual({line.split()[2]: line.split()[0] for line in some.stdout.splitlines()[:2]}, again)
            wait_until(lambda: cluster.status()["done"] == 2, what="both replays")
            os.remove(flag)
            more = [line["id"] for line in cluster.submit([{**task, "project": "a"}] * 2, "--wait", check=False)]
            self.assertEqual(cluster.json("dead", "discard", more[0]), [{"discarded": 1, "not_listed": 0}])
            self.assertEqual(cluster.eole("dead", "discard", *ids, check=False).returncode, 1)
            pid = cluster.kill("sink")
            wait_until(lambda: cluster.status(timeout=20)["roles"][1]["pid"] != pid, what="another sink")
            self.assertEqual([letter["id"] for letter in cluster.json("dead", "list")], [more[1]])
            self.assertEqual(cluster.task(ids[0])["state"], "dead")  # The log keeps it.

    def test_a_settled_task_tells_its_attempts(self):
        with Cluster("--allow-exec", workers=1, slots=1) as cluster:
            flag = os.path.join(cluster.directory, "flag")
            script = f"test -e {flag} && echo well || {{ touch {flag}; exit 3; }}"
            task = cluster.submit([{"kind": "exec", "args": {"shell": script}, "retry": True}], "--wait")[0]
            attempts = cluster.task(task["id"])["attempts"]
            self.assertEqual([(one["attempt"], one["state"]) for one in attempts], [(1, "retrying"), (2, "done")])
            self.assertIn("exit code 3", attempts[0]["error"])
            self.assertTrue(attempts[0]["worker"] and attempts[0]["finished"])
            self.assertIn("attempt 1", cluster.eole("status", task["id"]).stdout)
            self.assertEqual(cluster.eole("result", task["id"]).stdout, "well\n")

    def test_fetch_destroys_nothing(self):
        with Cluster(workers=1) as cluster, tempfile.TemporaryDirectory() as here:
            photo = os.path.join(here, "photo.jpg")
            subprocess.run([BIN / "eole-make-photo", "80", "60", "90", "1", photo], check=True)
            before = pathlib.Path(photo).read_bytes()
            ids = [cluster.json("submit", "image", photo, "--project", "p", "--quality", q, "--wait")[0]["id"]
                   for q in (10, 90)]
            refused = cluster.eole("fetch", ids[0], check=False, cwd=here)
            self.assertEqual(refused.returncode, 2)
            self.assertIn("is there already", refused.stderr)
            self.assertEqual(pathlib.Path(photo).read_bytes(), before)
            self.assertEqual(os.listdir(here), ["photo.jpg"])
            files = cluster.json("fetch", "--project", "p", "-o", "out/", cwd=here)
            self.assertEqual(sorted(os.path.basename(file["file"]) for file in files), ["photo-1.jpg", "photo.jpg"])
            self.assertEqual(sorted(os.listdir(os.path.join(here, "out"))), ["photo-1.jpg", "photo.jpg"])
            cluster.eole("fetch", ids[0], "--force", cwd=here)
            self.assertNotEqual(pathlib.Path(photo).read_bytes(), before)
            raw = subprocess.run([BIN / "eole", "fetch", ids[0], "-o", "-"], env=cluster.env, capture_output=True,
                                 cwd=here, timeout=60, check=True).stdout
            self.assertEqual(raw, pathlib.Path(photo).read_bytes())
            self.assertEqual(sorted(os.listdir(here)), ["out", "photo.jpg"])
            self.assertEqual(cluster.eole("fetch", *ids, "-o", "one", check=False, cwd=here).returncode, 2)
            with open(os.path.join(here, f".{hashlib.sha256(raw).hexdigest()}.part"), "wb") as part:
                fcntl.flock(part, fcntl.LOCK_EX)  # Another fetch is at work.
                refused = cluster.eole("fetch", ids[0], "-o", "two", check=False, cwd=here)
                self.assertEqual(refused.returncode, 1)
                self.assertIn("another fetch of this artifact", refused.stderr)
            cluster.eole("fetch", ids[0], "-o", "two", cwd=here)
            self.assertEqual(sorted(os.listdir(here)), ["out", "photo.jpg", "two"])

    def test_submit_lays_files_where_they_are_wanted_and_over_nothing(self):
        def task(**files):
            lines = [f"mkdir -p $(dirname {name}); printf {content} > {name}" for name, content in files.items()]
            return {"kind": "exec", "args": {"shell": "; ".join(lines), "outputs": list(files)}}

        def laid():
            return {path.name: path.read_text(encoding="ascii") for path in there.iterdir()}
        with Cluster("--allow-exec", workers=1) as cluster, tempfile.TemporaryDirectory() as here:
            there = pathlib.Path(here, "new/out")
            cluster.submit([task(**{"a.txt": 1, "d/a.txt": 2}), task(**{"a.txt": 3})], "--wait", "--to", there)
            self.assertEqual(laid(), {"a.txt": "1", "a-1.txt": "2", "a-2.txt": "3"})
            lines = json.dumps(task(**{"a.txt": 4, "b.txt": 5}))
            refused = cluster.eole("submit", "--file", "-", "--wait", "--to", there, input=lines, check=False)
            self.assertEqual((refused.returncode, refused.stderr), (1, f"eole: {there}/a.txt: File exists\n"))
            self.assertEqual(laid(), {"a.txt": "1", "a-1.txt": "2", "a-2.txt": "3", "b.txt": "5"})

    def test_past_results_are_found_by_time_and_project(self):
        with Cluster(workers=1) as cluster:
            first = cluster.submit([{"kind": "echo", "project": "a", "args": {"n": 1}}], "--wait")[0]
            second = cluster.submit([{"kind": "echo", "project": "b", "args": {"n": 2}}], "--wait")[0]
            ids = lambda *arguments: [line["id"] for line in cluster.json("results", *arguments)]  # noqa: E731
            self.assertEqual(ids(), [first["id"], second["id"]])
            self.assertEqual(ids("--since", "1h", "--project", "b"), [second["id"]])
            self.assertEqual(ids("--since", second["finished"])[-1], second["id"])
            self.assertEqual(ids("--since", "2099-01-01"), [])
            self.assertEqual(cluster.eole("results", "--since", "soon", check=False).returncode, 2)
            seen = cluster.json("watch", "--since", "10m", "--count", 2)
            self.assertEqual([line["id"] for line in seen], [first["id"], second["id"]])

    def test_what_others_wrote_is_escaped_on_a_terminal(self):
        with Cluster("--allow-exec", workers=1) as cluster:
            tasks = [{"kind": "exec", "args": {"argv": [ESCAPE]}},
                     {"kind": "exec", "args": {"argv": ["printf", "%s", ESCAPE]}},
                     {"kind": "kind" + ESCAPE, "project": ESCAPE, "args": {}}]
            ids = [line["id"] for line in cluster.submit(tasks)]
            cluster.wait_settled(2)
            for arguments in (("status", ids[0]), ("status", ids[1]), ("tasks",), ("result", ids[1]),
                              ("watch", "--from", 0, "--count", 2), ("results",), ("history",), ("history", "--csv"),
                              ("history", "--json"), ("status", ids[1], "--json"),
                              ("cancel", ids[2])):
                code, out = on_terminal(cluster, *arguments)
                with self.subTest(arguments):
                    self.assertEqual(code, 0)
                    for raw in (b"\x1b]0;", b"\x1b[2J", b"\xc2\x9b", "\u202e".encode()):
                        self.assertNotIn(raw, out)

    def test_integers_come_back_as_they_are_or_are_refused(self):
        with Cluster(workers=1) as cluster:
            for number in (2**63 - 1, 2**63, 2**64 - 1, -2**63):
                line = json.dumps({"kind": "echo", "args": {"n": number}})
                out = cluster.eole("submit", "--file", "-", "--wait", input=line).stdout
                self.assertEqual(json.loads(out)["value"]["n"], number)
            refused = cluster.eole("submit", "--file", "-", input='{"kind":"echo","args":{"n":18446744073709551616}}',
                                   check=False)
            self.assertEqual(refused.returncode, 2)
            self.assertIn("18446744073709551616", refused.stderr)


if __name__ == "__main__":
    unittest.main()
