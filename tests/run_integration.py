"""Runs the integration tests whose names contain any of the words given (all without words)."""

import pathlib
import sys
import unittest
import warnings

HERE = pathlib.Path(__file__).parent / "integration"
sys.path.insert(0, str(HERE))


def cases(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from cases(item)
        else:
            yield item


def main():
    warnings.simplefilter("ignore", ResourceWarning)
    words = sys.argv[1:]
    found = unittest.defaultTestLoader.discover(str(HERE))
    chosen = unittest.TestSuite(test for test in cases(found)
                                if not words or any(word in test.id() for word in words))
    result = unittest.TextTestRunner(verbosity=2, stream=sys.stdout).run(chosen)
    failed = len(result.failures) + len(result.errors)
    print(f"integration: {result.testsRun - failed - len(result.skipped)} passed, {failed} failed, "
          f"{len(result.skipped)} skipped")
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
