"""Who cancels is told of each task what became of it: which process got which signal, and when it was gone."""

import os
import pathlib
import pty
import subprocess
import sys
import unittest

from cluster import BIN, Cluster, alive, wait_until

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "clients/python"))
import eole  # noqa: E402


class Proof(unittest.TestCase):
    def setUp(self):
        self.cluster = self.enterContext(Cluster("--allow-exec", "--prefetch", "1", workers=1, slots=1))

    def start(self, script, **arguments):
        pids = f"{self.cluster.directory}/pids"
        [task] = self.cluster.submit([{"kind": "exec", "args": {"shell": script.format(pids), **arguments}}])
        wait_until(lambda: os.path.exists(pids) and pathlib.Path(pids).read_text(), what="it runs")
        return task["id"], int(pathlib.Path(pids).read_text())

    def test_a_commands_processes_and_signals_are_named_and_they_are_gone(self):
        task, pid = self.start("sleep 600 & echo $$ > {}; wait")
        told = self.cluster.eole("cancel", task).stdout
        self.assertFalse(alive(pid))
        self.assertRegex(told, f"{task}  cancelled  exec  was running on .*: process {pid} and 1 other got SIGTERM; "
                               "gone after [0-9]+ ms, at 20")
        client = self.enterContext(eole.Cluster(self.cluster.directory + "/eole/cluster.toml"))
        stopped = client.result(task).body["stopped"]
        self.assertEqual((stopped["pid"], stopped["processes"], stopped["signals"]), (pid, 2, ["SIGTERM"]))

    def test_what_does_not_end_in_time_is_killed_and_that_is_said(self):
        task, pid = self.start("trap '' TERM; echo $$ > {}; while :; do sleep 0.05; done", term_grace=0.2)
        [told] = self.cluster.json("cancel", task)
        self.assertFalse(alive(pid))
        self.assertEqual(told["stopped"]["signals"], ["SIGTERM", "SIGKILL"])
        self.assertGreaterEqual(told["stopped"]["seconds"], 0.2)
        self.assertIn("then SIGKILL", told["how"])

    def test_one_whose_output_is_being_read_ends_too(self):
        task, pid = self.start("truncate -s 1T huge; echo $$ > {}", outputs=["huge"])
        wait_until(lambda: not alive(pid), what="the command is over")
        self.assertIn("cancelled", self.cluster.eole("cancel", task, timeout=30).stdout)

    def test_what_waited_never_began_and_what_had_ended_is_told_as_it_ended(self):
        [done] = self.cluster.submit([{"kind": "echo", "args": {"value": 1}}], "--wait")
        [runs, waits] = [task["id"] for task in self.cluster.submit([{"kind": "sleep", "args": {"seconds": 600}}] * 2)]
        wait_until(lambda: self.cluster.task(runs)["state"] == "running", what="one runs")
        told = {line["id"]: line for line in self.cluster.json("cancel", done["id"], runs, waits, check=False)}
        self.assertIn("had ended before: it is done", told[done["id"]]["how"])
        self.assertIn("was waiting, and never began", told[waits]["how"])
        self.assertIn("after it was told to", told[runs]["how"])
        self.assertEqual(list(told[runs]["stopped"]), ["seconds"])

    def test_a_filter_says_how_many_and_a_person_is_asked(self):
        self.cluster.submit([{"kind": "sleep", "args": {"seconds": 600}}] * 2
                            + [{"kind": "exec", "args": {"argv": ["sleep", "600"]}, "project": "p"}])
        main, side = pty.openpty()
        command = [BIN / "eole", "cancel", "--kind", "sleep"]
        with subprocess.Popen(command, env=self.cluster.env, stdin=side, stderr=side, stdout=subprocess.PIPE) as asked:
            said = b""
            while b"[y/N]" not in said:
                said += os.read(main, 4096)
            self.assertIn(b"2 tasks", said)
            os.write(main, b"n\n")
            self.assertEqual(asked.wait(30), 1)
        os.close(main)
        os.close(side)
        self.assertEqual(len(self.cluster.json("tasks")), 3)
        done = self.cluster.eole("cancel", "--project", "p", "--no-wait")
        self.assertIn("1 asked to end", done.stdout)
        self.assertIn("1 task", done.stderr)
        self.cluster.eole("cancel", "--kind", "sleep", "--yes")
        wait_until(lambda: self.cluster.json("tasks") == [], what="all have ended")


if __name__ == "__main__":
    unittest.main()
