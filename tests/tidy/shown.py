"""Each test that a page of docs/ names as `file::test` is there, and each row of docs/hostile.md names one."""

import os
import re

NAMED = re.compile(r"`([\w/]+\.(?:py|cpp))::([^`]+)`")
CASE = re.compile(r'TEST_CASE(?:_METHOD\(\s*[\w:]+,|\()\s*"((?:[^"\\]|\\.)*)"|^\s+def (test_\w+)\(', re.M)
RULER = re.compile(r"\s*\|[\s|:]*-[-\s|:]*$")


def tests_in(text):
    """The tests of a file; the name of one may go on in its next line."""
    found = CASE.findall(re.sub(r'(?<!\\)"\s*\n\s*"', "", text))
    return {re.sub(r"\\(.)", r"\1", case) or method for case, method in found}


def missing(page, files):
    """`files`: the tests of each path."""
    for file, test in NAMED.findall(page):
        fitting = [tests for path, tests in files.items() if path.endswith(f"/{file}")]
        if len(fitting) > 1:
            yield f"names {file}::{test}, and {len(fitting)} directories have such a file: say of which"
        elif not fitting or test not in fitting[0]:
            yield f"names {file}::{test}, which is not there"


def unshown(page):
    lines = page.splitlines()
    for number, (line, below) in enumerate(zip(lines, [*lines[1:], ""]), 1):
        is_head = RULER.match(line) or RULER.match(below)
        if line.lstrip().startswith("|") and not is_head and not NAMED.search(line):
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
    cases = ('TEST_CASE("one, and "\n          "two", "[a]") {', r'TEST_CASE_METHOD(Of, "a \"three\"", "[a]") {')
    files = {"tests/unit/a/b_test.cpp": tests_in("\n".join(cases)), "tests/unit/a/e_test.cpp": {"five"},
             "tests/unit/b/e_test.cpp": {"six"}, "tests/integration/test_c.py": tests_in("class C:\n    def test_d(self):\n")}
    page = ("| who | what |\n|---|\n| x | `b_test.cpp::one, and two`, `a/b_test.cpp::one`, `test_c.py::test_d` |\n"
            "| y | `c.py::test_d` |\n| z |\n|z|\n| who means |\n"
            '| `b_test.cpp::a "three"`, `e_test.cpp::five`, `a/e_test.cpp::five`, `b/e_test.cpp::five` |')
    if len(list(missing(page, files))) != 4 or len(list(unshown(page))) != 3:
        yield "tidy does not see whether the tests that a page names are there"
