"""docs/ring.md has every rule that a comment cites, and each of its rules is cited."""

import os
import re

NAME = r"[A-Z]\d{1,2}"
RULE = re.compile(rf"^\*\*({NAME}) ", re.M)
NAMES = rf"{NAME}(?:,?(?: and| to| or)? {NAME})*"
# "rule V6", "rules S1, D3 or L1", "rules V1 to V11"; a comment may go on on its next line.
CITATION = re.compile(rf"\brules?\s+({NAMES})\b")
# "(G1 to G5)": these letters have rules. A bare S3 or V8 may be anything.
IN_BRACKETS = re.compile(rf"\((?:docs/ring\.md, )?((?=[SDVRLGBT]){NAMES})\)")
# Behind a colon it is a URL's.
COMMENT = re.compile(r"(?<!:)//[^\n]*(?:\n\s*//[^\n]*)*|/\*.*?\*/", re.S)
COMMENT_PYTHON = re.compile(r'(?:^|(?<=\s))#[^\n]*(?:\n\s*#[^\n]*)*|""".*?"""', re.S | re.M)
COMMENT_MARK = re.compile(r"\n\s*(?:///?|#|\*)?\s*")
SOURCES = (".cpp", ".hpp", ".py", ".js", ".mjs", ".ts", ".tsx")
KEPT_IN = ("common", "ventilator", "worker", "sink", "gateway", "relay", "clients", "cli", "bench", "web", "examples", "tests",
           "docs")
KEPT_OUT = ("docs/ring.md", "tests/tidy")
LEFT_BY_TOOLS = ("node_modules", "build", "dist", "__pycache__")


def cited(path, text):
    """The names of the rules that a source or a page cites."""
    if path.endswith(".md"):
        comments = [text]
    else:
        comments = (COMMENT_PYTHON if path.endswith(".py") else COMMENT).findall(text)
    found = set()
    for names in (each for comment in comments for line in [COMMENT_MARK.sub(" ", comment)]
                  for each in CITATION.findall(line) + IN_BRACKETS.findall(line)):
        found.update(re.findall(NAME, names))
        for first, last in re.findall(rf"({NAME}) to ({NAME})", names):
            found.update(f"{first[0]}{number}" for number in range(int(first[1:]), int(last[1:]) + 1))
    return found


def kept(root):
    """The sources and pages that may cite a rule."""
    yield from sorted(name for name in os.listdir(root) if name.endswith(".md"))
    for top in KEPT_IN:
        for directory, inner, names in os.walk(os.path.join(root, top)):
            inner[:] = sorted(name for name in inner if name not in LEFT_BY_TOOLS)
            yield from (os.path.relpath(os.path.join(directory, name), root) for name in sorted(names)
                        if name.endswith((*SOURCES, ".md")))


def compare(rules, files):
    """`files`: paths and texts."""
    for name in {name for name in rules if rules.count(name) > 1}:
        yield f"docs/ring.md: has the rule {name} twice"
    seen = set()
    for path, text in files:
        names = cited(path, text)
        yield from (f"{path}: cites the rule {name}, which docs/ring.md does not have" for name in sorted(names - set(rules)))
        if not path.endswith(".md"):
            seen |= names
    yield from (f"docs/ring.md: no source cites the rule {name}" for name in rules if name not in seen)


def problems(root):
    def read(path):
        with open(os.path.join(root, path), encoding="utf-8") as file:
            return file.read()
    yield from compare(RULE.findall(read("docs/ring.md")),
                       ((path, read(path)) for path in kept(root) if not path.startswith(KEPT_OUT)))


def self_test():
    for path, text, names in (("a.cpp", "// one thing (ring rules S1,\n  // V2 to V4 and D1)", {"S1", "V2", "V3", "V4", "D1"}),
                              ("a.tsx", "// rules S1 or V99, and rule X9", {"S1", "V99", "X9"}),
                              ("a.cpp", "int a;  // As rule V99 says (G1 to\n        // G3).", {"V99", "G1", "G2", "G3"}),
                              ("a.js", "/** Of a group (docs/ring.md, G1 to\n * G2). */", {"G1", "G2"}),
                              ("a.cpp", '// Amazon S3 or R2, V8 (V8 or JSC), rule S1x\nget("https://a/b (T4)");', set()),
                              ("a.py", '"""Of (R2)."""\nx = "T0[01]", V98 # and (T1)', {"R2", "T1"}),
                              ("a.py", "x = a // (B2)", set()),
                              ("a.md", "On S3, by (D1).", {"D1"})):
        if cited(path, text) != names:
            yield f"tidy does not read the rules that a comment cites: {text!r}"
    if len(list(compare(["S1", "S2", "S2"], [("a.cpp", "// rule S1, not S2"), ("A.md", "As rule V99 says.")]))) != 4:
        yield "tidy does not compare the rules"
