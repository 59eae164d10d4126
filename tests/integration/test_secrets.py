"""What a task names and only the worker knows: in the command's environment, and nowhere that is told."""

import os
import pathlib
import subprocess
import tempfile
import unittest

from boxes import needs_boxes
from cluster import BIN, Cluster

SECRET = "hunter2-hunter2"


class Secrets(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(prefix="eole-secrets-")
        cls.file = pathlib.Path(cls.directory.name, "secrets")
        cls.file.write_text(f"# of the shop\nSHOP_TOKEN={SECRET}\n")
        cls.file.chmod(0o600)
        cls.cluster = Cluster("--allow-exec", "--secrets", cls.file, workers=1, slots=1)
        cls.cluster.start()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)
        cls.directory.cleanup()

    def run_one(self, shell, **args):
        args = {"shell": shell, "secrets": ["SHOP_TOKEN"], **args}
        return self.cluster.submit([{"kind": "exec", "args": args}], "--wait", check=False)[0]

    def test_a_command_has_it_and_nobody_else(self):
        result = self.run_one("[ ${#SHOP_TOKEN} = 15 ] && echo it is '<'$SHOP_TOKEN'>'; printf %s $SHOP_TOKEN >&2; exit 3")
        self.assertEqual(result["value"]["stdout"], "it is <***>\n")
        self.assertEqual(result["value"]["stderr"], "***")
        self.assertEqual(self.run_one("printf 'hunter2-hun'; sleep 0.1; printf 'ter2 hunter2-'")["value"]["stdout"], "*** hunter2-")

    def test_it_is_in_no_artifact_of_output_no_log_and_no_progress(self):
        result = self.run_one("head -c 200000 /dev/zero | tr '\\0' x; echo $SHOP_TOKEN; echo \"1/2 $SHOP_TOKEN\" >&3; sleep 1; "
                              "echo \"2/2 $SHOP_TOKEN\" >&3; exec /$SHOP_TOKEN")
        self.assertEqual(result["state"], "failed")
        out = self.cluster.eole("fetch", result["artifact"]["sha256"], "-o", "-").stdout
        self.assertTrue(out.endswith("x***\n"), out[-20:])
        told = self.cluster.eole("result", result["id"], "--json", check=False).stdout + self.cluster.eole("logs", "--json").stdout
        self.assertIn("***", told)
        self.assertNotIn(SECRET, told)
        found = subprocess.run(["grep", "-rl", SECRET, self.cluster.directory], capture_output=True, text=True)
        self.assertEqual(found.stdout, "")

    @needs_boxes
    def test_a_box_has_it_too(self):
        with Cluster("--allow-exec", "--sandbox", "box", "--secrets", self.file, workers=1, slots=1) as cluster:
            args = {"shell": f"[ ${{#SHOP_TOKEN}} = 15 ] && ! cat {self.file}; cat /proc/1/environ", "secrets": ["SHOP_TOKEN"]}
            result = cluster.submit([{"kind": "exec", "args": args}], "--wait", check=False)[0]
            self.assertIn("secrets: No such file", result["value"]["stderr"])
            self.assertIn("environ: Permission denied", result["value"]["stderr"])

    @needs_boxes
    @unittest.skipUnless(os.access("/usr/local", os.W_OK), "nobody may write below /usr")
    def test_a_box_shows_no_file_of_secrets_wherever_it_is(self):
        with tempfile.TemporaryDirectory(prefix="eole-secrets-", dir="/usr/local") as directory:
            files = {name: pathlib.Path(directory, name) for name in ("secrets", "netrc")}
            files["secrets"].write_text(f"SHOP_TOKEN={SECRET}\n")
            files["netrc"].write_text(f"machine localhost login a password {SECRET}\n")
            for file in files.values():
                file.chmod(0o600)
            with Cluster("--allow-exec", "--sandbox", "box", "--secrets", files["secrets"], "--netrc", files["netrc"],
                         workers=1, slots=1) as cluster:
                args = {"shell": f"ls {directory} && cat {directory}/* | wc -c"}
                seen = []
                for _ in range(2):
                    seen.append(cluster.submit([{"kind": "exec", "args": args}], "--wait")[0]["value"]["stdout"])
                    fresh = files["secrets"].with_name("fresh")
                    fresh.write_text(f"SHOP_TOKEN={SECRET}\n")
                    fresh.replace(files["secrets"])
                self.assertEqual(seen, ["netrc\nsecrets\n0\n"] * 2)

    def test_what_is_wrong_is_said(self):
        self.assertEqual(self.run_one("true", secrets=["OTHER"])["error"], "exec: this worker has no secret OTHER")
        self.assertEqual(self.run_one("true", env={"SHOP_TOKEN": "mine"})["error"],
                         "exec: secrets: SHOP_TOKEN is a variable of env, too")
        open_to_all = pathlib.Path(self.directory.name, "open")
        open_to_all.write_text("A=12345678\n")
        open_to_all.chmod(0o644)
        done = subprocess.run([BIN / "worker", "--data", f"{self.directory.name}/scratch", "--secrets", open_to_all],
                              env=self.cluster.env, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 2)
        self.assertIn(f"--secrets {open_to_all}: others may read it (chmod 0600)", done.stderr)


if __name__ == "__main__":
    unittest.main()
