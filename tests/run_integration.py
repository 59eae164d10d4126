"""Runs the integration tests whose names contain any of the words given (all without words)."""

import concurrent.futures
import faulthandler
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest
import warnings

HERE = pathlib.Path(__file__).parent / "integration"
sys.path.insert(0, str(HERE))
# Without words so many modules run beside each other: most of their time they wait for a browser, a process or a socket.
AT_ONCE = 3
FIRST = ("test_chaos", "test_page", "test_install")  # The longest: else the last of all is one of them.
PATIENCE = 900  # Seconds for a module: the longest take two hundred.
SLOWEST = 12  # So many are named with their time.


def cases(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from cases(item)
        else:
            yield item


def run(tests):
    result = unittest.TextTestRunner(verbosity=2, stream=sys.stdout).run(unittest.TestSuite(tests))
    failed = len(result.failures) + len(result.errors)
    print(f"integration: {result.testsRun - failed - len(result.skipped)} passed, {failed} failed, "
          f"{len(result.skipped)} skipped", flush=True)
    return 0 if result.wasSuccessful() else 1


def run_apart(module):
    """In a process of its own; how long it took, how it ended, and what it printed."""
    began = time.monotonic()
    with tempfile.TemporaryFile("w+", errors="replace") as said:  # No pipe: what it left running would hold it open.
        code = subprocess.call([sys.executable, __file__, "--module", module], stdout=said, stderr=subprocess.STDOUT)
        said.seek(0)
        return time.monotonic() - began, module, code, said.read()


def run_all():
    modules = sorted((path.stem for path in HERE.glob("test_*.py")), key=lambda name: (not name.startswith(FIRST), name))
    failed = False
    times = []
    pool = concurrent.futures.ThreadPoolExecutor(AT_ONCE)
    try:
        for future in concurrent.futures.as_completed([pool.submit(run_apart, module) for module in modules]):
            seconds, module, code, said = future.result()
            failed |= code != 0
            times.append((seconds, module))
            print(said, end="", flush=True)
            if not re.search(r"^integration: ", said, re.M):  # It did not come to its end.
                print(f"{module}: exit {code}\nintegration: 0 passed, 1 failed, 0 skipped")
    finally:
        pool.shutdown(cancel_futures=True)  # Ctrl-C: what has not begun does not begin.
    print("the slowest:", ", ".join(f"{module} {seconds:.0f} s" for seconds, module in sorted(times)[:-SLOWEST - 1:-1]))
    return failed


def main():
    warnings.simplefilter("ignore", ResourceWarning)
    words = sys.argv[1:]
    if not words:
        return run_all()
    if words[0] == "--module":
        faulthandler.dump_traceback_later(PATIENCE, exit=True)
        return run(unittest.defaultTestLoader.loadTestsFromName(words[1]))
    found = cases(unittest.defaultTestLoader.discover(str(HERE)))
    return run(test for test in found if any(word in test.id() for word in words))


if __name__ == "__main__":
    sys.exit(main())
