"""Scripts that go along with their tasks: what they are, what they get, where they run."""

import json
import pathlib
import sys
import tempfile
import textwrap
import unittest

from cluster import Cluster

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "clients/python"))
import eole  # noqa: E402
import eole.testing  # noqa: E402


class Scripts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(prefix="eole-scripts-")
        cls.files = pathlib.Path(cls.directory.name)
        cls.cluster = Cluster("--allow-exec", workers=1, slots=2)
        cls.cluster.start()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)
        cls.directory.cleanup()

    def path(self):
        return f"{self.cluster.directory}/eole/cluster.toml"

    def script(self, content, name="a.sh"):
        path = self.files / name
        path.write_text(textwrap.dedent(content))
        return path

    def submit(self, *arguments, **options):
        return self.cluster.eole("submit", "exec", "--wait", "--json", *arguments, **options)

    def test_it_runs_elsewhere_by_what_its_first_line_names(self):
        path = self.script("""\
            #!/usr/bin/env python3
            import os, sys
            print(sys.argv, os.listdir("."))
            """, "report.py")
        out = self.submit("--script", path, "--", "--year", "20 26").stdout
        self.assertIn("['./report.py', '--year', '20 26'] ['report.py']", out)

    def test_one_that_names_nothing_is_the_shells(self):
        self.assertIn('"stdout":"of the shell: x\\n"', self.submit("--script", self.script("echo of the shell: $1\n"), "x").stdout)

    def test_other_files_go_along_too(self):
        laid = self.submit("--outputs", '["*"]', "--", "sh", "-c", "echo laid > one").stdout.split('"sha256":"')[1][:64]
        out = self.submit("--script", self.script("cat other\n"), "--files", f"other={laid}").stdout
        self.assertIn('"stdout":"laid\\n"', out)

    def test_the_bytes_are_those_of_the_submit(self):
        path = self.script("echo first\n")
        task = self.cluster.eole("submit", "exec", "--delay", "1s", "--script", path).stdout.split()[0]
        path.write_text("echo second\n")
        with eole.Cluster(self.path()) as cluster:
            results = list(cluster.results([task]))
        self.assertEqual(results[-1].value["stdout"], "first\n")

    def test_eole_run_takes_one_for_all_inputs(self):
        path = self.script("#!/bin/sh\necho \"$@\"\n", "with blank")
        self.assertEqual(self.cluster.eole("run", "-k", "--script", path, ":::", "a b", "c").stdout, "a b\nc\n")
        self.assertEqual(self.cluster.eole("run", "-k", "--script", path, "at", "{}", ":::", "1", "2").stdout, "at 1\nat 2\n")
        self.assertEqual(self.cluster.eole("run", "--dry-run", "--script", path, "x", ":::", "1").stdout, "./script x 1\n")

    def test_what_begins_with_a_dash_stands_behind_two_of_them(self):
        def line(*words):
            return self.cluster.eole("run", "--dry-run", *words, ":::", "1", check=False).stdout
        path = self.script("echo $*\n")
        self.assertEqual(self.cluster.eole("run", "--script", path, "--", "--opt", "{}", ":::", "1").stdout, "--opt 1\n")
        self.assertEqual(line("--script", path, "--", "status", "--tag"), "./a.sh status --tag 1\n")
        self.assertEqual(line("--script", path, "--"), "./a.sh 1\n")
        self.assertEqual(line("--", "echo", "-n"), "echo -n 1\n")
        self.assertEqual(line("echo", "--", "-n"), "echo -- -n 1\n")
        done = self.cluster.eole("run", "--script", path, "--opt", ":::", "1", check=False)
        self.assertEqual((done.returncode, "no option --opt" in done.stderr), (2, True), done.stderr)

    def test_from_python(self):
        path = self.script("#!/bin/sh\necho $EXTRA \"$1\"\n")
        with eole.Cluster(self.path()) as cluster:
            ids = cluster.submit("exec", [cluster.script(path, word, env={"EXTRA": "so"}) for word in ("a", "b c")])
            self.assertEqual(sorted(result.value["stdout"] for result in cluster.results(ids)), ["so a\n", "so b c\n"])

    def test_python_signs_as_eole_key_does(self):
        key = self.files / "mine.key"
        self.cluster.eole("key", "make", key)
        args = {"argv": ["make", "test"], "env": {"b": "2", "10": "x", "9": "y"}, "depth": 3, "stdin": "ü" * 40, "signature": "old"}
        self.assertEqual(eole.signed(args, key), json.loads(self.cluster.eole("key", "sign", key, input=json.dumps(args)).stdout))
        for odd in ({"env": {1: "x"}}, {"stdin": "\ud800"}, {"\ud800": 1}, {"x": object()}):
            with self.assertRaises(eole.BadTask):
                eole.signed(odd, key)
        key.chmod(0o644)
        with self.assertRaisesRegex(eole.BadTask, "others may read it"):
            eole.signed(args, key)
        with self.assertRaisesRegex(eole.BadTask, "is no key of eole key make"):
            eole.signed(args, self.script("no key\n", "no.key").absolute().chmod(0o600) or self.files / "no.key")

    def test_tests_of_python_may_take_a_script_along(self):
        path = self.script("echo $1\n")
        with eole.testing.eager() as cluster:
            args = cluster.script(path, "x", env={"EXTRA": "so"})
            digest = args["files"].pop("a.sh")
            self.assertEqual(args, {"argv": ["./a.sh", "x"], "env": {"EXTRA": "so"}, "files": {}})
            self.assertEqual(bytes(cluster.read(digest)), b"echo $1\n")

    def test_what_is_no_script_is_said(self):
        done = self.submit("--script", self.files / "none", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("none: no such file", done.stderr)
        done = self.cluster.eole("run", "--script", self.files, ":::", "1", check=False)
        self.assertEqual((done.returncode, done.stderr), (2, f"eole: --script {self.files}: is no file\n"))
        done = self.cluster.eole("run", "--script", self.script("x"), "--cwd", "/", ":::", "1", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("a fresh directory", done.stderr)


if __name__ == "__main__":
    unittest.main()
