#!/usr/bin/env python3
"""500 commands with a joblog: killed in the middle, resumed, and each of them ran once.

Use: many.py, with `eole` in the PATH and a cluster whose workers take commands (eole up --allow-exec).
"""

import pathlib
import subprocess
import tempfile
import time

COUNT = 500
COMMAND = ["eole", "run", "--joblog", "jobs.log", "--range", f"1-{COUNT}", "--output", "out/{}.txt"]
SCRIPT = "echo $EOLE_TASK_ID >> ran/{}; sleep 0.01; echo $(({} * {}))"


def ended(folder):
    """How many jobs the joblog has."""
    try:
        return (folder / "jobs.log").read_text().count("\n") - 1
    except FileNotFoundError:
        return 0


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "ran").mkdir()
        first = subprocess.Popen([*COMMAND, SCRIPT], cwd=folder)
        while ended(folder) < COUNT // 5 and first.poll() is None:
            time.sleep(0.001)
        first.kill()
        first.wait()
        print(f"killed: the joblog has {ended(folder)} of {COUNT}")
        subprocess.run([*COMMAND, "--resume", SCRIPT], cwd=folder, check=True)
        runs = sum(len(path.read_text().split()) for path in (folder / "ran").iterdir())
        total = sum(int(path.read_text()) for path in (folder / "out").iterdir())
        print(f"resumed: the joblog has {ended(folder)} of {COUNT}; {runs} runs, sum {total}")


if __name__ == "__main__":
    main()
