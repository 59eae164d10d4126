"""Tests in JavaScript, with the packages that their package-lock.json names."""

import os
import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).parents[2]
IS_HERE = bool(shutil.which("node") and shutil.which("npm"))


def install(directory):
    """What the directory's package-lock.json names; nothing if it is there already."""
    installed = directory / "node_modules/.package-lock.json"
    lock = directory / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=directory, check=True, capture_output=True)
        os.utime(installed)


def run(directory, file, env):
    """What a test file that failed has printed; nothing if it passed."""
    done = subprocess.run(["node", "--test", "--test-reporter=spec", file], cwd=directory, env={**os.environ, **env},
                          text=True, capture_output=True, timeout=600)
    return done.stdout + done.stderr if done.returncode else ""
