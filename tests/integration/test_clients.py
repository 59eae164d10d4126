"""What the command line does with what is not answered at once, or only in part."""

import hashlib
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

from cluster import BIN, Cluster, wait_until


class Clients(unittest.TestCase):
    def test_a_replay_has_as_many_attempts_as_its_letter_had(self):
        with Cluster("--allow-exec", workers=1) as cluster:
            tasks = [{"kind": "exec", "args": {"shell": f"exit {code}"}, "retry": True, "attempts": 2}
                     for code in (3, 4, 5)]
            letters = [one["id"] for one in cluster.submit(tasks, "--wait", check=False)]
            replays = cluster.json("dead", "replay", *letters)
            self.assertEqual([one["replay_of"] for one in replays], letters)
            self.assertEqual(cluster.json("dead", "replay", *letters), replays)  # Said twice: the same tasks.
            cluster.wait_settled(6)
            for letter, replay in zip(letters, replays):
                ended = cluster.task(replay["id"])
                self.assertEqual((ended["state"], ended["attempt"]), ("dead", 2))
                self.assertEqual(ended["reasons"], cluster.task(letter)["reasons"])
            missing = cluster.eole("dead", "replay", letters[0], replays[0]["id"][:-1] + "999", check=False)
            self.assertEqual(missing.returncode, 1)
            self.assertIn("is not a dead letter", missing.stderr)
            self.assertIn("1 replayed, 1 not", missing.stdout)

    def test_who_stops_waiting_hears_which_tasks_go_on(self):
        with Cluster(workers=1) as cluster:
            lines = "".join(json.dumps({"kind": "sleep", "args": {"seconds": 600}}) + "\n" for _ in range(3))
            waiting = subprocess.Popen([BIN / "eole", "submit", "--file", "-", "--wait"], env=cluster.env, text=True,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            waiting.stdin.write(lines)
            waiting.stdin.close()
            wait_until(lambda: len(cluster.json("tasks")) == 3, 60, "the tasks are accepted")
            ids = [task["id"] for task in cluster.json("tasks")]

            def is_waiting():  # SIGINT is blocked: it is read, and kills no more.
                with open(f"/proc/{waiting.pid}/status", encoding="ascii") as status:
                    blocked = next(line for line in status if line.startswith("SigBlk:")).split()[1]
                return int(blocked, 16) & 1 << (signal.SIGINT - 1)

            wait_until(is_waiting, 60, "the command waits for the results")
            waiting.send_signal(signal.SIGINT)
            self.assertEqual(waiting.wait(30), 1)
            said = waiting.stderr.read()
            waiting.stdout.close()
            waiting.stderr.close()
            self.assertIn(f"3 of 3 tasks are not settled and go on; they are {ids[0]} to {ids[2]}", said)
            cluster.eole("cancel", "--all")

    def test_a_fetch_goes_on_where_another_one_broke_off(self):
        with Cluster(workers=1) as cluster, tempfile.TemporaryDirectory() as here:
            photo = os.path.join(here, "in.jpg")
            subprocess.run([BIN / "eole-make-photo", "800", "600", "90", "1", photo], check=True)
            task = cluster.json("submit", "image", photo, "--wait")[0]
            cluster.eole("fetch", task["id"], "-o", "whole", cwd=here)
            whole = pathlib.Path(here, "whole").read_bytes()
            part = pathlib.Path(here, f".{hashlib.sha256(whole).hexdigest()}.part")
            part.write_bytes(whole[:len(whole) // 2])
            cluster.eole("fetch", task["id"], "-o", "again", cwd=here)
            self.assertEqual(pathlib.Path(here, "again").read_bytes(), whole)
            part.write_bytes(b"x" + whole[1:len(whole) // 2])  # Damaged: found out, and begun anew.
            failed = cluster.eole("fetch", task["id"], "-o", "third", check=False, cwd=here)
            self.assertEqual(failed.returncode, 1)
            self.assertIn("another digest", failed.stderr)
            cluster.eole("fetch", task["id"], "-o", "third", cwd=here)
            self.assertEqual(sorted(os.listdir(here)), ["again", "in.jpg", "third", "whole"])

    def test_waiting_for_workers_shows_them_in_the_end(self):
        with Cluster(workers=2) as cluster:
            self.assertIn("worker", cluster.eole("status", "--until-workers", "2").stdout)
            self.assertEqual(len(cluster.json("status", "--until-workers", "2")), 1)

    def test_a_value_as_deep_as_may_be_submitted_is_shown_by_every_command(self):
        with Cluster(workers=1) as cluster:
            value = "x"
            for _ in range(30):  # With the maps of the arguments and of the line around it: 32 levels.
                value = [value]
            task = cluster.submit([{"kind": "echo", "args": {"v": value}}], "--wait")[0]
            self.assertEqual(task["value"]["v"], value)
            for words in (("status", task["id"]), ("result", task["id"]), ("results",)):
                self.assertEqual(cluster.json(*words)[0]["value"]["v"], value)
                self.assertIn("[[[[", cluster.eole(*words).stdout)
