"""The benchmarks' own parts: what they are told, what they write, and that the servers they start are gone afterwards."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).parents[2]
sys.path.append(str(ROOT / "bench"))  # Behind: both have a module `pictures`.
import bench  # noqa: E402
import downloads  # noqa: E402
import peers  # noqa: E402
import pythons  # noqa: E402
import readers  # noqa: E402
from servers import Server, answers  # noqa: E402

WITH_A_CHILD = """
import http.server, os
os.posix_spawn("/bin/sleep", ["sleep", "1000"], os.environ)
http.server.test(port=PORT)
"""


class Bench(unittest.TestCase):
    def test_each_benchmark_says_what_it_does_before_it_installs_anything(self):
        for name in bench.OTHERS:
            done = subprocess.run([sys.executable, ROOT / "bench/bench.py", name, "--help"], text=True, check=True,
                                  capture_output=True, env={**os.environ, "PATH": "/nowhere"})
            self.assertIn("usage:", done.stdout, name)

    def test_each_measure_can_be_chosen_by_its_name(self):
        for part in (bench, downloads, pythons, readers):
            names = [name for name, *_ in part.MEASURES if not name.startswith("…")]
            self.assertEqual(len(names), len(set(names)), part.__name__)

    def test_a_table_takes_the_place_of_its_own_alone(self):
        with tempfile.TemporaryDirectory() as directory:
            page = pathlib.Path(directory, "page.md")
            page.write_text("<!-- begin a -->\n<!-- end a -->\nkept\n<!-- begin b -->\nold\n<!-- end b -->\n", encoding="utf-8")
            bench.write_block(page, "b", ["| new \\1 |"])
            self.assertEqual(page.read_text(encoding="utf-8"),
                             "<!-- begin a -->\n<!-- end a -->\nkept\n<!-- begin b -->\n| new \\1 |\n<!-- end b -->\n")
            with self.assertRaises(AssertionError):
                bench.write_block(page, "c", [])

    def test_rows_of_some_systems_leave_the_others_as_they_are(self):
        first, second, third = (f"| {system.title} | x |" for system in peers.SYSTEMS[:3])
        old = ["| head |", "|---|", first, third]
        self.assertEqual(peers.with_rows(old, ["| new |", "|---|", second, third + " 2 |"]),
                         ["| new |", "|---|", first, second, third + " 2 |"])

    def test_each_table_has_its_place_on_the_page(self):
        page = (ROOT / "docs/benchmarks.md").read_text(encoding="utf-8")
        for name in ("eole", "http", "peers", "groups", "python", "downloads"):
            block = page.partition(f"<!-- begin {name} -->\n")[2].partition(f"<!-- end {name} -->")[0]
            self.assertRegex(block, r"\n\|[-|]+\|\n\| ", name)  # With a row at least.

    def test_a_server_is_gone_with_what_it_started_and_what_it_wrote(self):
        with Server([sys.executable, "-c", WITH_A_CHILD]) as server:
            self.assertTrue(answers(server.port))
            members = list(server.members())
            self.assertEqual(len(members), 2)
        self.assertFalse(answers(server.port))
        self.assertFalse([pid for pid in members if server.directory.encode() in environment(pid)])
        self.assertFalse(os.path.exists(server.directory))

    def test_a_server_that_does_not_start_leaves_nothing(self):
        server = Server(["/bin/false"])
        with self.assertRaisesRegex(RuntimeError, "/bin/false: ended before it opened its port"):
            server.__enter__()
        self.assertFalse(os.path.exists(server.directory))


def environment(pid):
    try:
        with open(f"/proc/{pid}/environ", "rb") as environ:
            return environ.read()
    except OSError:
        return b""


if __name__ == "__main__":
    unittest.main()
