"""Plants each deliberate fault in turn and lets the tests find it; writes docs/planted.md.

./dev planted [NAME...]: needs the build with EOLE_PLANTED (build/planted).
"""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / "build/planted/bin"
SEEDS = 1000
# Where only real processes can show the fault.
INTEGRATION = {
    "every-role-allowed": "test_security",
    "orphans-live-on": "test_exec.Helpers",
    "leases-by-the-wall-clock": "test_chaos.Chaos.test_clock",
}


def faults():
    """Name -> the file that it is planted in."""
    found = {}
    for path in sorted([*ROOT.glob("*/**/*.cpp"), *ROOT.glob("*/**/*.hpp")]):
        if path.is_relative_to(ROOT / "build"):
            continue
        for name in re.findall(r'planted\(\s*"([a-z-]+)"\s*\)', path.read_text()):
            found.setdefault(name, path.relative_to(ROOT))
    return found


def run(command, name, seconds):
    environment = os.environ | {"EOLE_PLANT": name, "EOLE_BIN": str(BIN)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, cwd=ROOT, start_new_session=True)
    try:
        output = process.communicate(timeout=seconds)[0]
    except subprocess.TimeoutExpired:
        output = None
    try:
        os.killpg(process.pid, signal.SIGKILL)  # Whatever it left running: a cluster, say.
    except ProcessLookupError:
        pass
    return (None, "ran for ever") if output is None else (process.wait(), output)


def find(name):
    """What found the fault, in words; None if nothing did."""
    code, output = run([BIN / "eole-sim", "--seeds", str(SEEDS), "--first"], name, 60)
    if code is None:
        return f"simulator: {output}"
    if code != 0:
        found = re.search(r"seed \d+ \(number (\d+)\): (.*)", output)
        if not found:
            return f"simulator: ended with {code}"
        what = re.sub(r"\b[a-z0-9]{6}-\d+", "a task", found[2])
        return f"simulator, seed {found[1]}: {what}"
    code, output = run([BIN / "eole-crash", "--images", "20000", "--flips", "4000"], name, 120)
    if code != 0:
        found = re.search(r"^((?:journal|log) seed.*)$", output, re.M)
        return f"crash points: {found[1]}" if found else f"crash points: {output[-200:]}"
    code, output = run([BIN / "unit_tests"], name, 300)
    if code is None:
        return f"unit tests: {output}"
    if code != 0:
        found = re.search(r"-{70,}\n(.+?)\n(?:  .*\n)*-{70,}", output)
        return f'unit test "{found[1].strip()}"' if found else f"unit tests: ended with {code}"
    if name in INTEGRATION:
        test = INTEGRATION[name]
        code, output = run(["/usr/bin/python3", ROOT / "tests/run_integration.py", test], name, 120)
        if code != 0:
            found = re.search(r"^(?:FAIL|ERROR): (\w+)", output, re.M)
            return f"integration test {test}.{found[1]}" if found else f"integration test {test}"
    return None


def main():
    wanted = sys.argv[1:]
    names = {name: path for name, path in faults().items() if not wanted or name in wanted}
    rows = []
    missed = 0
    for name in names:
        found = find(name)
        missed += found is None
        print(f"{name}: {found or 'NOT FOUND'}", flush=True)
        rows.append(f"| {name} | {names[name]} | {found or '**not found**'} |")
    print(f"planted: {len(rows)} faults, {len(rows) - missed} found, {missed} not found")
    if not wanted:
        (ROOT / "docs/planted.md").write_text(
            "# Planted faults\n\n"
            "Each fault below can be planted in the code (`common/base/planted.hpp`, only in a "
            "build with `EOLE_PLANTED`),\nand each is found: by the simulator within "
            f"{SEEDS:,} seeds (which one is said), or by a named test. This page is written by\n"
            "`./dev planted`, which plants them one by one.\n\n"
            "| fault | in | found by |\n|---|---|---|\n" + "\n".join(rows) + "\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
