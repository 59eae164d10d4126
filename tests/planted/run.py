"""Plants each deliberate fault in turn and lets the tests find it; writes docs/planted.md, of which it keeps
the rows of those that were not wanted.

./dev planted [NAME...]: needs the build with EOLE_PLANTED (build/planted).
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / "build/planted/bin"
PAGE = ROOT / "docs/planted.md"
EARLIER = " (an earlier state)"
SEEDS = 1000
# Of the unit tests those that are near a fault: by the directory that it is in.
UNITS = {
    "ventilator": "[ventilator],[tenancy],[gates],[projects],[schedules],[durable],[explain],[journal],[log],[queries],[causes]",
    "sink": "[sink],[groups],[artifacts],[checkpoint],[keep],[retention],[lasting],[log],[log_index],[history],[projects]",
    "worker": "[worker],[frames],[process],[collect],[references],[progress]",
    "clients": "[group],[read],[submit],[ask],[transfer],[window]",
    "gateway": "[gateway],[leases],[recent],[topics],[websocket],[wamp]",
}
# Where only real processes can show the fault.
INTEGRATION = {
    "every-role-allowed": "test_security",
    "orphans-live-on": "test_exec.Helpers",
    "leases-by-the-wall-clock": "test_chaos.Chaos.test_clock",
}


def faults():
    """Name -> the file that it is planted in."""
    found = {}
    for path in sorted(ROOT.glob("*/**/*.cpp")):
        if path.is_relative_to(ROOT / "build"):
            continue
        for name in re.findall(r'planted\(\s*"([a-z-]+)"\s*\)', path.read_text()):
            found.setdefault(name, path.relative_to(ROOT))
    return found


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run(command, name, seconds):
    """Its exit code and what it printed; None and what it printed until then if it does not end: after so
    long on a processor, or twenty times as long on the wall."""
    environment = os.environ | {"EOLE_PLANT": name, "EOLE_BIN": str(BIN)}
    with tempfile.TemporaryFile() as printed:  # No pipe: what it leaves running may hold that open.
        process = subprocess.Popen(command, env=environment, stdout=printed, stderr=subprocess.STDOUT, cwd=ROOT,
                                   start_new_session=True)
        started = time.monotonic()
        is_over_time = False
        while process.poll() is None:
            try:
                process.wait(timeout=1)
            except subprocess.TimeoutExpired:
                if is_over_time:
                    os.killpg(process.pid, signal.SIGKILL)
                elif cpu_seconds(process.pid) > seconds or time.monotonic() - started > 20 * seconds:
                    is_over_time = True
                    process.terminate()  # Of unit tests it is said which one was under way.
        try:
            os.killpg(process.pid, signal.SIGKILL)  # Whatever it left running: a cluster, say.
        except ProcessLookupError:
            pass
        printed.seek(0)
        output = printed.read().decode(errors="replace")
    return None if is_over_time else process.returncode, output


def simulate(name, seeds):
    code, output = run([BIN / "eole-sim", "--seeds", str(seeds), "--first"], name, 300)
    if code is None:
        return "simulator: ran for ever"
    if code == 0:
        return None
    found = re.search(r"seed \d+ \(number (\d+)\): (.*)", output)
    if not found:
        broken = re.search(r"eole: (broken invariant.*)", output)
        return f"simulator: {broken[1] if broken else f'ended with {code}'}"
    what = re.sub(r"x{9,}", "xx…", re.sub(r"\b[a-z0-9]{6}-\d+", "a task", found[2]))
    return f"simulator, seed {found[1]}: {what}"


def test_units(name, tests, seconds=120):
    code, output = run([BIN / "unit_tests", "--abort", *tests], name, seconds)
    if code == 0:
        return None
    # A name has several lines if it is long; its sections are indented.
    found = re.search(r"-{70,}\n((?:(?!-{70}|  ).+\n)+)(?:  .*\n)*-{70,}", output)
    what = f'unit test "{" ".join(found[1].split())}"' if found else f"unit tests: ended with {code}"
    return what + (" (it never ended)" if code is None else "")


def crash(name):
    code, output = run([BIN / "eole-crash", "--images", "20000", "--flips", "4000"], name, 300)
    if code is None:
        return "crash points: ran for ever"
    if code == 0:
        return None
    found = re.search(r"^((?:journal|log) seed.*)$", output, re.M)
    return f"crash points: {found[1]}" if found else f"crash points: {output[-200:]}"


def test_integration(name):
    test = INTEGRATION.get(name)
    if test is None:
        return None
    code, output = run(["/usr/bin/python3", ROOT / "tests/run_integration.py", test], name, 120)
    if code == 0:
        return None
    found = re.search(r"^(?:FAIL|ERROR): (\w+)", output, re.M)
    return f"integration test {test}.{found[1]}" if found else f"integration test {test}"


def find_again(name, earlier):
    """By the unit test that found it before, or by crash points: that is the cheapest."""
    if earlier.startswith("crash points"):
        return crash(name)
    found = re.match(r'unit test "(.*)"', earlier)
    return found and test_units(name, [re.sub(r"([\\,\[\]*])", r"\\\1", found[1]) + "*"], 20)


def find(name, path, earlier):
    """What found the fault, in words; None if nothing did. What is cheap comes first."""
    return (find_again(name, earlier)
            or simulate(name, SEEDS // 5)
            or test_units(name, [UNITS.get(path.parts[0], "[base]")])
            or simulate(name, SEEDS)
            or crash(name)
            or test_units(name, [])
            or test_integration(name))


def earlier_rows():
    """Name -> what found it, as the page has it."""
    rows = re.findall(r"^\| ([a-z-]+) \| \S+ \| (.*) \|$", PAGE.read_text(), re.M)
    return {name: found.removesuffix(EARLIER) for name, found in rows}


def write(names, now, earlier):
    rows = [f"| {name} | {path} | "
            + (now[name] if name in now else earlier.get(name, "not run yet") + EARLIER) + " |"
            for name, path in names.items()]
    PAGE.write_text(
        "# Planted faults\n\n"
        "Each fault below can be planted in the code (`common/base/planted.hpp`, only in a "
        "build with `EOLE_PLANTED`),\nand each is found: by the simulator within "
        f"{SEEDS:,} seeds (which one is said), or by a named test. This page is written by\n"
        "`./dev planted`, which plants them one by one; what was not part of its last run says so.\n\n"
        "| fault | in | found by |\n|---|---|---|\n" + "\n".join(rows) + "\n")


def main():
    wanted = sys.argv[1:]
    names = faults()
    earlier = earlier_rows()
    now = {}
    missed = 0
    for name, path in names.items():
        if wanted and name not in wanted:
            continue
        found = find(name, path, earlier.get(name, ""))
        missed += found is None
        now[name] = found or "**not found**"
        print(f"{name}: {now[name]}", flush=True)
        write(names, now, earlier)
    print(f"planted: {len(now)} faults, {len(now) - missed} found, {missed} not found")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
