"""The examples that check themselves."""

import contextlib
import functools
import hashlib
import http.server
import pathlib
import subprocess
import sys
import tempfile
import threading
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

    def run_in(self, cluster, *command):
        env = {**cluster.env, "PATH": f"{BIN}:{cluster.env['PATH']}"}
        return subprocess.run(list(map(str, command)), env=env, text=True, check=False, capture_output=True, timeout=300)

    def test_the_files_of_a_page_and_of_a_metalink_are_mirrored(self):
        with tempfile.TemporaryDirectory() as here, tempfile.TemporaryDirectory() as there:
            site, out = pathlib.Path(here), pathlib.Path(there)
            (site / "below").mkdir()
            for name in ("a 1.bin", "b.bin"):
                (site / name).write_bytes(name.encode() * 1000)
            handler = type("Site", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
            handler = functools.partial(handler, directory=here)
            with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, contextlib.ExitStack() as stack:
                threading.Thread(target=server.serve_forever, daemon=True).start()
                stack.callback(server.shutdown)
                url = f"http://127.0.0.1:{server.server_address[1]}/"
                digest = hashlib.sha256((site / "b.bin").read_bytes()).hexdigest()

                def metalink(sha256):
                    path = out / "site.meta4"
                    path.write_text(f"""<metalink xmlns="urn:ietf:params:xml:ns:metalink"><file name="d/b.bin"><size>5000</size>
                        <hash type="sha-256">{sha256}</hash><url priority="2">{url}b.bin</url>
                        <url priority="1">{url}gone</url></file></metalink>""", encoding="ascii")
                    return path
                with Cluster(workers=1) as cluster:
                    mirrored = self.run_in(cluster, sys.executable, EXAMPLES / "mirror.py", url, out / "page")
                    self.assertEqual(mirrored.returncode, 0, mirrored.stderr)
                    self.assertEqual(sorted(path.name for path in (out / "page").iterdir()), ["a 1.bin", "b.bin"])
                    checked = self.run_in(cluster, sys.executable, EXAMPLES / "mirror.py", metalink(digest), out / "link")
                    self.assertEqual((checked.returncode, checked.stdout), (0, "done b.bin\n"))
                    self.assertEqual((out / "link/b.bin").read_bytes(), (site / "b.bin").read_bytes())
                    wrong = self.run_in(cluster, sys.executable, EXAMPLES / "mirror.py", metalink("0" * 64), out / "wrong")
                    self.assertEqual(wrong.returncode, 1)
                    self.assertIn(f"sha256 is {digest}, wanted 0000", wrong.stdout)
                    self.assertEqual(list((out / "wrong").iterdir()), [])

    def test_a_folder_of_photos_is_made_smaller(self):
        with tempfile.TemporaryDirectory() as here, Cluster(workers=1) as cluster:
            for number in range(2):
                subprocess.run([BIN / "eole-make-photo", "2400", "1000", "90", str(number), f"{here}/{number}.jpg"], check=True)
            done = self.run_in(cluster, EXAMPLES / "photos.sh", here, f"{here}/small")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(sorted(path.name for path in pathlib.Path(here, "small").iterdir()), ["0.jpg", "1.jpg"])

    def test_a_build_from_git_leaves_what_it_made_here(self):
        with tempfile.TemporaryDirectory() as here, Cluster("--allow-exec", "--allow-git-files", workers=1) as cluster:
            repository = pathlib.Path(here, "repository")
            git = ["git", "-C", repository, "-c", "user.name=a", "-c", "user.email=a@b"]
            subprocess.run(["git", "init", "-q", "-b", "main", repository], check=True)
            (repository / "in").write_text("built", encoding="ascii")
            subprocess.run([*git, "add", "in"], check=True)
            subprocess.run([*git, "commit", "-qm", "one"], check=True)
            done = self.run_in(cluster, EXAMPLES / "build_from_git.sh", f"file://{repository}", "main", "out/*", f"{here}/made",
                               "--", "sh", "-c", "mkdir out && cp in out/built")
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertEqual(pathlib.Path(here, "made/built").read_text(encoding="ascii"), "built")


if __name__ == "__main__":
    unittest.main()
