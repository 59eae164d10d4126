"""What a stranger meets first: lists of commands, outputs that cannot be written, wrong words."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from cluster import BIN, Cluster

DEV = pathlib.Path(__file__).parents[2] / "dev"
CLOSED = "closed"


def into(output, *arguments, env=None):
    """Exit code and standard error of `eole` with standard output to a full disk, or closed."""
    close = (lambda: os.close(1)) if output == CLOSED else None
    with open("/dev/full" if output != CLOSED else os.devnull, "wb") as file:
        done = subprocess.run([BIN / "eole", *map(str, arguments)], env=env, stdout=file, preexec_fn=close,
                              stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    return done.returncode, done.stderr


class FirstMinutes(unittest.TestCase):
    def test_dev_lists_its_commands_and_starts_nothing(self):
        with tempfile.TemporaryDirectory() as here:
            shutil.copy(DEV, here)
            for words, code in ((["help"], 0), (["--help"], 0), ([], 0), (["tset"], 2)):
                with self.subTest(words):
                    done = subprocess.run([os.path.join(here, "dev"), *words], capture_output=True, text=True,
                                          timeout=60, check=False)
                    self.assertEqual(done.returncode, code)
                    said, other = (done.stderr, done.stdout) if code else (done.stdout, done.stderr)
                    self.assertIn("./dev setup ", said)
                    self.assertIn("`bench peers`", said)
                    self.assertEqual(other, "")
                    self.assertEqual(os.listdir(here), ["dev"])
            self.assertIn("no command tset", said)

    def test_output_that_cannot_be_written_is_told(self):
        for arguments in (("--help",), ("completion",), ("--version",)):
            for output in ("/dev/full", CLOSED):
                with self.subTest(arguments, output=output):
                    code, said = into(output, *arguments)
                    self.assertEqual(code, 1)
                    self.assertIn("standard output: cannot be written", said)
        code, said = into("/dev/full", "salvage", "nowhere")
        self.assertEqual(code, 2)  # The first reason counts.

    def test_what_a_cluster_says_is_not_lost_unseen(self):
        with Cluster(workers=1) as cluster:
            cluster.submit([{"kind": "echo", "args": {}}], "--wait")
            for arguments in (("status", "--json"), ("status",), ("results",), ("submit", "echo", "hi"),
                              ("submit", "echo", "hi", "--wait"), ("watch", "--from", 0, "--count", 1)):
                with self.subTest(arguments):
                    code, said = into("/dev/full", *arguments, env=cluster.env)
                    self.assertEqual((code, said.count("cannot be written: No space left on device")), (1, 1))
            code, said = into(CLOSED, "status", "--json", env=cluster.env)
            self.assertEqual((code, said.count("cannot be written: Bad file descriptor")), (1, 1))
            watch = subprocess.Popen([BIN / "eole", "watch"], env=cluster.env, stdout=subprocess.PIPE)
            watch.stdout.close()  # And nothing comes.
            self.assertNotEqual(watch.wait(30), 0)
            self.assertEqual(cluster.eole("watch", "--count", 0, check=False).returncode, 2)


if __name__ == "__main__":
    unittest.main()
