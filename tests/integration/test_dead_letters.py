"""Dead letters by reason: listed, shown with every attempt, replayed as they were or otherwise, discarded."""

import pathlib
import sys
import unittest

from cluster import Cluster, wait_until

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "clients/python"))
import eole  # noqa: E402


def command(line, attempts=1, **words):
    return {"kind": "exec", "args": {"shell": line}, "retry": {"attempts": attempts, "backoff": 0.01}, **words}


class DeadLetters(unittest.TestCase):
    def test_letters_are_grouped_shown_edited_replayed_and_discarded(self):
        cluster = self.enterContext(Cluster("--allow-exec", workers=1))
        tasks = [command("seq 20; echo attempt $EOLE_ATTEMPT; echo no >&2; exit 3", 2, project="a", priority=3),
                 command("exit 3", project="b"), command("exit 3", project="b"), command("exit 4")]
        tasks += [{"kind": "exec", "args": {"argv": [f"/nowhere/{n}"]}, "retry": {"attempts": 1}} for n in range(3)]
        ids = [task["id"] for task in cluster.submit(tasks)]
        wait_until(lambda: cluster.status()["dead"] == len(ids), what="all are dead")

        groups = {group["group"]: group["count"] for group in cluster.json("dead", "list", "--group")}
        missing = "exec: …: No such file or directory"
        self.assertEqual(groups, {"exit code 3": 3, "exit code 4": 1, missing: 3})
        self.assertIn(f"     3  {missing}  (exec, the newest ", cluster.eole("dead", "list", "--group").stdout)
        self.assertEqual({letter["id"] for letter in cluster.json("dead", "list", "--project", "b")}, {*ids[1:3]})
        self.assertEqual(cluster.json("dead", "list", "--kind", "echo"), [])

        [letter] = cluster.json("dead", "show", ids[0])
        attempts = [each for each in letter["attempts"] if each["state"] != "dead"]
        self.assertEqual([(each["attempt"], each["worker"], each["error"]) for each in attempts],
                         [(1, "w1", "exit code 3"), (2, "w1", "exit code 3")])
        self.assertEqual((letter["group"], letter["task"]),
                         ("exit code 3", {**tasks[0], "retry": {"attempts": 2, "backoff": "0.01s"}}))
        shown = cluster.eole("dead", "show", ids[0]).stdout
        for said in ("attempt 1  on w1", "    out  …\n    out  12\n", "    out  attempt 2\n    err  no\n"):
            self.assertIn(said, shown)

        # As it was, by reason: said twice, the same tasks.
        done = cluster.eole("dead", "replay", "--group", "exit code 4")
        self.assertEqual(done.stderr, "eole: dead replay: 1 letter\n")
        self.assertEqual(cluster.eole("dead", "replay", ids[3]).stdout.split()[0], done.stdout.split()[0])
        # Otherwise; once.
        replayed = cluster.json("dead", "replay", "--group", missing, "--set", 'args.argv=["echo","here"]')
        client = self.enterContext(eole.Cluster(cluster.directory + "/eole/cluster.toml"))
        for result in client.results([each["id"] for each in replayed], timeout=60):
            self.assertEqual((result.state, result.value["stdout"]), ("done", "here\n"))
        again = cluster.eole("dead", "replay", ids[4], check=False)
        self.assertEqual(again.returncode, 1)
        self.assertIn("was used for other tasks", again.stderr)
        # In an editor.
        editor = pathlib.Path(cluster.directory) / "editor"
        editor.write_text("#!/bin/sh\nsed -i 's/exit 3/echo edited/; s/\"b\"/\"c\"/' \"$1\"\n")
        editor.chmod(0o700)
        cluster.env["EDITOR"] = str(editor)
        [edited] = cluster.json("dead", "replay", ids[1], "--edit")
        self.assertEqual({letter["id"] for letter in cluster.json("dead", "list", "--project", "b")}, {ids[2]})
        [result] = client.results([edited["id"]], timeout=60)
        self.assertEqual((result.state, result.project, result.value["stdout"]), ("done", "c", "edited\n"))
        cluster.env["EDITOR"] = "false"
        self.assertIn("nothing was replayed", cluster.eole("dead", "replay", ids[2], "--edit", check=False).stderr)

        for arguments, said in ((["replay"], "dead replay: give ids, --group, --project, --kind or --all"),
                                (["discard", "--all", "--kind", "exec"], "dead discard: --all goes alone"),
                                (["replay", "--all", "--edit"], "dead replay: --edit goes with one id"),
                                (["replay", ids[2], "--set", "x"], "--set x: is NAME=VALUE"),
                                (["show", edited["id"]], "is no dead letter, but done")):
            self.assertIn(said, cluster.eole("dead", *arguments, check=False).stderr)

        done = cluster.eole("dead", "discard", "--group", "exit code 3")
        self.assertEqual((done.stderr, done.stdout), ("eole: dead discard: 2 letters\n", "2 discarded\n"))
        self.assertNotIn("exit code 3", {group["group"] for group in cluster.json("dead", "list", "--group")})


if __name__ == "__main__":
    unittest.main()
