"""Each test that a page of docs/ names as `file::test` is there, and each row of docs/hostile.md names one."""

import os
import re

NAMED = re.compile(r"`([\w/]+\.(?:py|cpp))::([^`]+)`")
CASE = re.compile(r'TEST_CASE\(\s*"((?:[^"\\]|\\.)*)"|^\s+def (test_\w+)\(', re.M)


def tests_in(text):
    """The tests of a file; the name of one may go on in its next line."""
    return {case or method for case, method in CASE.findall(re.sub(r'"\s*\n\s*"', "", text))}


def missing(page, files):
    """`files`: the tests of each path."""
    for file, test in NAMED.findall(page):
        if not any(path.endswith(f"/{file}") and test in tests for path, tests in files.items()):
            yield f"names {file}::{test}, which is not there"


def unshown(page):
    for number, line in enumerate(page.splitlines(), 1):
        if line.startswith("| ") and not line.startswith("| who ") and not NAMED.search(line):
            yield f"line {number} names no test"


def problems(root):
    def read(path):
        with open(os.path.join(root, path), encoding="utf-8") as file:
            return file.read()
    files = {}
    for top in ("tests/integration", "tests/unit"):
        for directory, _, names in os.walk(os.path.join(root, top)):
            for path in (os.path.relpath(os.path.join(directory, name), root) for name in names if name.endswith((".py", ".cpp"))):
                files[path] = tests_in(read(path))
    for name in sorted(name for name in os.listdir(os.path.join(root, "docs")) if name.endswith(".md")):
        yield from (f"docs/{name}: {problem}" for problem in missing(read(f"docs/{name}"), files))
    yield from (f"docs/hostile.md: {problem}" for problem in unshown(read("docs/hostile.md")))


def self_test():
    files = {"tests/unit/a/b_test.cpp": tests_in('TEST_CASE("one, and "\n          "two", "[a]") {'),
             "tests/integration/test_c.py": tests_in("class C:\n    def test_d(self):\n")}
    page = ("| who | what |\n|---|\n| x | `b_test.cpp::one, and two`, `a/b_test.cpp::one`, `test_c.py::test_d` |\n"
            "| y | `c.py::test_d` |\n| z |")
    if len(list(missing(page, files))) != 2 or len(list(unshown(page))) != 1:
        yield "tidy does not see whether the tests that a page names are there"
