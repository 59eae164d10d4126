"""What the pages for those who come from elsewhere say is to be typed here, typed."""

import contextlib
import datetime
import io
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from cluster import BIN, Cluster

ROOT = pathlib.Path(__file__).parents[2]
CLIENT = ROOT / "clients/python"
sys.path.insert(0, str(CLIENT))
import eole  # noqa: E402
import eole.aio  # noqa: E402, F401 - a page says eole.aio
import eole.testing  # noqa: E402, F401

ROW = re.compile(r"\| (.*) \| `((?:[^`])*)` \|")


def rows_of(page):
    """What stands in the right column of its tables."""
    found = []
    for line in (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines():
        if (match := ROW.fullmatch(line)) and not line.startswith("| there"):
            found.append(match[2].replace("\\|", "|"))
    return found


def modules_of(text):
    """Blocks of Python that begin with the name of their file."""
    return {match[1]: match[0] for match in re.finditer(r"(?<=```python\n)# (\w+\.py)\n(?:.|\n)*?(?=```)", text)}


def program_of(text):
    """The blocks of Python that are none of a file."""
    return [block for block in re.findall(r"```python\n((?:.|\n)*?)```", text) if not block.startswith("# ")]


class Pages(unittest.TestCase):
    def with_cluster(self, page, *arguments, modules=None):
        directory = tempfile.TemporaryDirectory(prefix="eole-test-")
        self.addCleanup(directory.cleanup)
        for name, text in (modules or modules_of((ROOT / page).read_text(encoding="utf-8"))).items():
            pathlib.Path(directory.name, name).write_text(text, encoding="utf-8")
        cluster = Cluster(*arguments, workers=1, slots=2,
                          env={"PYTHONPATH": f"{CLIENT}:{directory.name}", "PATH": f"/usr/bin:{os.environ['PATH']}"})
        cluster.start()
        self.addCleanup(cluster.__exit__, None, None, None)
        return cluster, directory.name

    def python_rows(self, page, module, least):
        cluster, directory = self.with_cluster(f"docs/{page}", "--runner", f"python3 -m eole.runner {module}")
        sys.path.insert(0, directory)
        self.addCleanup(sys.path.remove, directory)
        eole.configure(f"{cluster.directory}/eole/cluster.toml")
        self.addCleanup(eole.configure)
        os.environ["EOLE_CLUSTER"] = f"{cluster.directory}/eole/cluster.toml"
        self.addCleanup(os.environ.pop, "EOLE_CLUSTER")
        known = {"eole": eole, "then": datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=0.1)}
        exec(f"from {module} import *\nplain = lambda: None\nplain.__qualname__ = 'plain'", known)  # noqa: S102
        tried = rows_of(page)
        for row in tried:
            with self.subTest(row=row), contextlib.redirect_stderr(io.StringIO()):
                exec(row, known)  # noqa: S102 - that is what the page is for
        self.assertGreater(len(tried), least)
        return known

    def test_from_celery(self):
        known = self.python_rows("from-celery.md", "tasks", 30)
        self.assertEqual(known["r"].result().value, 8)

    def test_from_rq(self):
        self.python_rows("from-rq.md", "jobs", 17)

    def test_from_rabbitmq(self):
        self.python_rows("from-rabbitmq.md", "mail", 17)

    def test_from_gnu_parallel(self):
        cluster, directory = self.with_cluster("docs/from-gnu-parallel.md", "--allow-exec",
                                               modules={"a.txt": "a\n", "b.txt": "b\n"})
        tried = rows_of("from-gnu-parallel.md")
        for row in tried:
            with self.subTest(row=row):
                done = subprocess.run(["bash", "-c", row], cwd=directory, text=True, capture_output=True, timeout=60,
                                      check=False, env={**cluster.env, "PATH": f"{BIN}:{os.environ['PATH']}"})
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertGreater(len(tried), 20)

    def test_the_guide_begins_with_a_program_that_works(self):
        text = (ROOT / "docs/python.md").read_text(encoding="utf-8")
        self.run_program(text, "shop.py", "5\n")
        cluster, directory = self.with_cluster("docs/python.md", "--runner", "python3 -m eole.runner shop files")
        for block, printed in zip(program_of(text), ("3\n", ""), strict=True):
            self.assertEqual(self.python(cluster, directory, "-c", block), printed)

    def test_the_readme_has_a_whole_program(self):
        text = (ROOT / "README.md").read_text(encoding="utf-8")
        [(name, program)] = modules_of(text).items()
        self.assertLessEqual(len(program.splitlines()), 12)
        self.run_program(text, name, "[0, 1, 4]\n")

    def run_program(self, text, name, printed):
        cluster, directory = self.with_cluster("", "--runner", f"python3 -m eole.runner {name[:-3]}",
                                               modules=modules_of(text))
        self.assertEqual(self.python(cluster, directory, name), printed)

    @staticmethod
    def python(cluster, directory, *arguments):
        done = subprocess.run([sys.executable, *arguments], cwd=directory, env=cluster.env, text=True,
                              capture_output=True, timeout=60, check=False)
        return done.stdout if done.returncode == 0 else done.stderr


if __name__ == "__main__":
    unittest.main()
