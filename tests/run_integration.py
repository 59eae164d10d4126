"""Runs the integration tests whose names contain any of the words given (all without words)."""

import contextlib
import pathlib
import subprocess
import sys
import tempfile
import unittest
import warnings

HERE = pathlib.Path(__file__).parent / "integration"
sys.path.insert(0, str(HERE))
# These wait for a browser, a socket or a time to pass most of their time: without words each group of them runs beside
# the others.
BESIDE = (("test_http", "test_page"),
          ("test_python", "test_node", "test_runners", "test_ledger", "test_install", "test_consume", "test_cache",
           "test_groups_python", "test_sandbox", "test_checkout", "test_migration", "test_image"))


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
    if words[:1] == ["--modules"]:
        return run(lambda name: name.startswith(tuple(words[1:])))
    if words:
        return run(lambda name: any(word in name for word in words))
    with contextlib.ExitStack() as held:
        beside = []
        for group in BESIDE:
            said = held.enter_context(tempfile.TemporaryFile("w+"))
            beside.append((subprocess.Popen([sys.executable, __file__, "--modules", *group], stdout=said, stderr=subprocess.STDOUT),
                           said))
        failed = run(lambda name: not name.startswith(tuple(module for group in BESIDE for module in group)))
        for process, said in beside:
            failed |= process.wait()
            said.seek(0)
            sys.stdout.writelines(said)
        return failed


if __name__ == "__main__":
    sys.exit(main())
