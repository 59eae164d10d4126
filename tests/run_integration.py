"""Runs the integration tests whose names contain any of the words given (all without words)."""

import pathlib
import subprocess
import sys
import tempfile
import unittest
import warnings

HERE = pathlib.Path(__file__).parent / "integration"
sys.path.insert(0, str(HERE))
# These wait for a browser or a socket most of their time: without words they run beside the others.
BESIDE = ("test_http", "test_page")


def cases(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from cases(item)
        else:
            yield item


def run(is_wanted):
    found = unittest.defaultTestLoader.discover(str(HERE))
    chosen = unittest.TestSuite(test for test in cases(found) if is_wanted(test.id()))
    result = unittest.TextTestRunner(verbosity=2, stream=sys.stdout).run(chosen)
    failed = len(result.failures) + len(result.errors)
    print(f"integration: {result.testsRun - failed - len(result.skipped)} passed, {failed} failed, "
          f"{len(result.skipped)} skipped", flush=True)
    return 0 if result.wasSuccessful() else 1


def main():
    warnings.simplefilter("ignore", ResourceWarning)
    words = sys.argv[1:]
    if words:
        return run(lambda name: any(word in name for word in words))
    with tempfile.TemporaryFile("w+") as said:
        beside = subprocess.Popen([sys.executable, __file__, *BESIDE], stdout=said, stderr=subprocess.STDOUT)
        failed = run(lambda name: not any(word in name for word in BESIDE))
        failed |= beside.wait()
        said.seek(0)
        sys.stdout.writelines(said)
        return failed


if __name__ == "__main__":
    sys.exit(main())
