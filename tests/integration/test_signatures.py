"""Commands that run only if a key that the worker knows vouches for them."""

import json
import pathlib
import subprocess
import tempfile
import unittest

from cluster import BIN, Cluster


class Signatures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(prefix="eole-signatures-")
        cls.files = pathlib.Path(cls.directory.name)
        cls.known = cls.make("known.key")
        cls.make("other.key")
        (cls.files / "signers").write_text(f"# who may\n{cls.known} of the tests\n")
        cls.cluster = Cluster("--allow-exec", "--signed-by", cls.files / "signers", workers=1, slots=1)
        cls.cluster.start()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)
        cls.directory.cleanup()

    @classmethod
    def make(cls, name):
        return subprocess.run([BIN / "eole", "key", "make", cls.files / name], check=True, capture_output=True,
                              text=True).stdout.strip()

    def run_one(self, args):
        return self.cluster.submit([{"kind": "exec", "args": args}], "--wait", check=False)[0]

    def signed(self, args, key="known.key"):
        done = subprocess.run([BIN / "eole", "key", "sign", self.files / key], input=json.dumps(args), check=True,
                              capture_output=True, text=True)
        return json.loads(done.stdout)

    def test_what_a_known_key_signed_runs(self):
        key = self.files / "known.key"
        out = self.cluster.eole("submit", "exec", "--wait", "--json", "--sign", key, "--env", "A=b", "--",
                                "sh", "-c", "echo $A").stdout
        self.assertIn('"stdout":"b\\n"', out)
        self.assertEqual(self.cluster.eole("run", "--sign", key, "echo", ":::", "one").stdout, "one\n")
        args = self.signed({"argv": ["echo", "é", "x"], "timeout": 5, "env": {"b": "1", "a": "2"}})
        self.assertEqual(self.run_one(args)["value"]["stdout"], "é x\n")
        # In another order they are the same.
        self.assertEqual(self.run_one(dict(reversed(args.items())))["state"], "done")

    def test_what_nobody_known_signed_does_not(self):
        self.assertEqual(self.run_one({"argv": ["true"]})["error"],
                         "exec: this worker runs signed commands alone, and it has no signature")
        self.assertIn("does not know the key", self.run_one(self.signed({"argv": ["true"]}, "other.key"))["error"])

    def test_a_signature_is_of_these_arguments_alone(self):
        args = self.signed({"argv": ["echo", "a b"], "timeout": 5})
        self.assertEqual(self.run_one(args)["state"], "done")
        other = self.signed({"argv": ["echo", "c"]}, "other.key")["signature"]
        forged = args["signature"].split(":")[0] + ":" + other.split(":")[1]
        for change in ({"argv": ["echo", "a", "b"]}, {"timeout": 6}, {"env": {"LD_PRELOAD": "x"}}, {"cwd": "/"},
                       {"signature": forged}):
            error = self.run_one({**args, **change})["error"]
            self.assertEqual(error, "exec: its signature is not of these arguments", change)
        for text in ("x", "0:1", args["signature"][:-1], args["signature"] + "0", "g" + args["signature"][1:]):
            error = self.run_one({**args, "signature": text})["error"]
            self.assertIn("signature", error)
            self.assertNotIn("alone", error)

    def test_keys_are_private_and_what_is_none_is_said(self):
        self.assertEqual((self.files / "known.key").stat().st_mode & 0o777, 0o600)
        done = subprocess.run([BIN / "eole", "key", "make", self.files / "known.key"], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (2, f"eole: {self.files}/known.key: is there already\n"))
        (self.files / "bad").write_text("not a key\n")
        done = subprocess.run([BIN / "worker", "--data", self.files / "scratch", "--signed-by", self.files / "bad"],
                              env=self.cluster.env, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 2)
        self.assertIn("bad: line 1: its key has 3 letters, not 64", done.stderr)


if __name__ == "__main__":
    unittest.main()
