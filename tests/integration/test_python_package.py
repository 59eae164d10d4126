"""The Python package, installed without a network."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

CLIENT = pathlib.Path(__file__).parents[2] / "clients/python"


class Package(unittest.TestCase):
    def test_pip_installs_it_and_what_it_needs_is_there(self):
        with tempfile.TemporaryDirectory(prefix="eole-test-") as directory:
            source, target = f"{directory}/source", f"{directory}/target"
            shutil.copytree(CLIENT, source, ignore=shutil.ignore_patterns("__pycache__"))  # A build leaves files in it.
            subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-build-isolation",
                            "--no-deps", "--target", target, source], check=True, capture_output=True, timeout=120)
            program = (f"import sys; sys.path.insert(0, {target!r})\n"
                       "import eole.testing, eole.aio, eole.runner; print(eole.__file__)")
            done = subprocess.run([sys.executable, "-I", "-c", program], check=True, capture_output=True, text=True,
                                  timeout=60)
            self.assertEqual(done.stdout, f"{target}/eole/__init__.py\n")
            self.assertTrue(pathlib.Path(target, "eole/py.typed").exists())
            there = {path.name for path in pathlib.Path(target, "eole").glob("*.py")}
            self.assertEqual(there, {path.name for path in (CLIENT / "eole").glob("*.py")})


if __name__ == "__main__":
    unittest.main()
