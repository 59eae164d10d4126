"""The examples that check themselves."""

import pathlib
import subprocess
import sys
import unittest

from cluster import BIN, Cluster

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"


class Examples(unittest.TestCase):
    def said_by(self, name, *arguments, up=()):
        with Cluster(*up, workers=2, slots=2) as cluster:
            done = subprocess.run([sys.executable, EXAMPLES / name, *map(str, arguments)], text=True, check=False,
                                  env={**cluster.env, "EOLE_BIN": str(BIN)}, capture_output=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def test_every_balance_of_the_bank_is_right(self):
        self.assertIn("every balance is right", self.said_by("bank.py", 300, up=["--allow-exec"]))

    def test_a_build_of_ten_thousand_tasks_runs_in_its_order(self):
        self.assertIn("10000 tasks with ", self.said_by("build_graph.py"))

    def test_the_first_rows_queens_sum_up_to_all_solutions(self):
        self.assertEqual(self.said_by("queens.py", 8), "8 queens: 92 solutions, of 8 tasks\n")
        self.assertEqual(self.said_by("queens.py", 12), "12 queens: 14200 solutions, of 12 tasks\n")

    def test_a_cache_is_the_truth_though_the_sink_is_killed_and_the_log_is_cut(self):
        self.assertIn("the sink killed 3 times: the cache is the truth",
                      self.said_by("cache.py", 1000, up=["--compact", "users", "--keep-bytes", "1MiB"]))

    def test_a_pipeline_archives_all_though_the_archive_refuses_for_a_while(self):
        self.assertEqual(self.said_by("pipeline.py", 12, up=["--allow-exec"]), "12 pictures downloaded, compressed and archived "
                         "once each; 30 uploads were refused meanwhile\n")

    def test_a_file_in_parts_is_put_together_in_its_order(self):
        self.assertIn("200 parts, 29 of them done again: 1000000 bytes in order",
                      self.said_by("in_parts.py", up=["--allow-exec"]))


if __name__ == "__main__":
    unittest.main()
