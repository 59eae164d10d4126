"""Numbers on command lines: each has limits, and says them."""

import os
import subprocess
import unittest

from cluster import BIN


class OptionLimits(unittest.TestCase):
    def eole(self, *words):
        return subprocess.run([BIN / "eole", *words], capture_output=True, text=True,
                              env={**os.environ, "XDG_STATE_HOME": "/nowhere", "EOLE_CLUSTER": ""})

    def test_a_number_beyond_its_limits_is_refused_with_its_name_and_them(self):
        many = 1 << 40
        for words, told in ((("history", "--limit", "-1"), f"--limit: -1 is no whole number from 0 to {many}"),
                            (("tasks", "--limit", "-1"), f"--limit: -1 is no whole number from 0 to {many}"),
                            (("tasks", "--limit", "9" * 30), "--limit: 999"),
                            (("up", "--slots", "0"), "--slots: 0 is no whole number from 1 to 1024"),
                            (("up", "--prefetch", "-1"), "--prefetch: -1 is no whole number from 0 to 8192"),
                            (("up", "--workers", "x"), "--workers: x is no whole number from 0 to 1024"),
                            (("up", "--keep-bytes", "0"), "--keep-bytes: 0 is no size from 1048576 bytes on"),
                            (("up", "--logs-keep-bytes", "x"), "--logs-keep-bytes: x is no size from 1048576 bytes on"),
                            (("up", "--keep-days", "0"), "--keep-days: 0 is no whole number from 1 to 36500"),
                            (("up", "--logs-keep-days", "-1"), "--logs-keep-days: -1 is no whole number from 1"),
                            (("bench", "--tasks", "-1"), "--tasks: -1 is no whole number from 1 to 1000000000"),
                            (("bench", "--ring", "0"), f"--ring: 0 is no whole number from 1 to {many}"),
                            (("bench", "--batch", "0"), "--batch: 0 is no whole number from 1 to 65536"),
                            (("status", "--until-workers", "-1"), "--until-workers: -1 is no whole number from 0"),
                            (("watch", "--from", "-1"), "--from: -1 is no whole number from 0 to"),
                            (("watch", "--count", "-1"), f"--count: -1 is no whole number from 1 to {many}"),
                            (("logs", "-n", "-1"), "--lines: -1 is no whole number from 0 to 1000000"),
                            (("nqueens", "21"), "n: 21 is no whole number from 1 to 20"),
                            (("limit", "set", "all", "--running", "0"), f"--running: 0 is no whole number from 1 to {many}"),
                            (("limit", "set", "tenant:a/", "--bytes", "0"), "--bytes: 0 is no size from 1 bytes on"),
                            (("schedule", "show", "x", "--beats", "101"), "--beats: 101 is no whole number from 1 to 100"),
                            (("schedule", "add", "x", "--every", "-1", "--", "echo", "x"), "--every: -1: is no span of time"),
                            (("run", "--attempts", "256", "true", ":::", "1"), "--attempts: 256 is no whole number from 1")):
            with self.subTest(words):
                done = self.eole(*words)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(told, done.stderr)

    def test_a_flag_takes_no_value(self):
        for words in (("submit", "echo", "x", "--retry=3"), ("submit", "echo", "x", "--wait=no"),
                      ("run", "--retry=-1", "true", ":::", "1"), ("status", "--json=1")):
            with self.subTest(words):
                done = self.eole(*words)
                flag = next(word for word in words if "=" in word).split("=")[0]
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(f"{flag} takes no value", done.stderr)

    def test_a_role_says_the_limits_of_its_numbers(self):
        for role, name, value, told in (("worker", "--slots", "0", "is no whole number from 1 to 1024"),
                                        ("worker", "--prefetch", "-1", "is no whole number from 0 to 8192"),
                                        ("sink", "--keep-bytes", "0", "is no size from 1048576 bytes on"),
                                        ("sink", "--keep-days", "x", "is no whole number from 1 to 36500"),
                                        ("ventilator", "--attempts-max", "256", "is no whole number from 1 to 255"),
                                        ("ventilator", "--grace", "-1", "is no number of seconds from 0 to 1000000000")):
            variable = "EOLE" + name[1:].replace("-", "_").upper()
            for words, env, said in (([name, value], {}, name), ([], {variable: value}, variable)):
                with self.subTest(role, env=env):
                    done = subprocess.run([BIN / role, *words], capture_output=True, text=True, env={**os.environ, **env})
                    self.assertEqual(done.returncode, 2)
                    self.assertIn(f"{said}: {value} {told}", done.stderr)


if __name__ == "__main__":
    unittest.main()
