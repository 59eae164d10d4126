"""docs/ring.md has every rule that a comment cites, and each of its rules is cited."""

import os
import re

NAME = r"[A-Z]\d{1,2}"
RULE = re.compile(rf"^\*\*({NAME}) ", re.M)
# "rule V6", "rules S1, D3 and L1", "rules V1 to V11"; a comment may go on on its next line.
CITATION = re.compile(rf"\brules?\s+({NAME}(?:(?:,| and| to|, and)\s+{NAME})*)")
COMMENT_MARK = re.compile(r"\n\s*(?:///?|#)\s*")
KEPT_IN = ("common", "ventilator", "worker", "sink", "clients", "cli", "examples", "tests", "docs")


def cited(text):
    """The names of the rules that a source cites."""
    found = set()
    for names in CITATION.findall(COMMENT_MARK.sub(" ", text)):
        found.update(re.findall(NAME, names))
        for first, last in re.findall(rf"({NAME}) to ({NAME})", names):
            found.update(f"{first[0]}{number}" for number in range(int(first[1:]), int(last[1:]) + 1))
    return found


def problems(root):
    with open(os.path.join(root, "docs/ring.md"), encoding="utf-8") as file:
        rules = RULE.findall(file.read())
    for name in {name for name in rules if rules.count(name) > 1}:
        yield f"docs/ring.md: has the rule {name} twice"
    seen = set()
    for top in KEPT_IN:
        for directory, _, names in os.walk(os.path.join(root, top)):
            for name in names:
                path = os.path.relpath(os.path.join(directory, name), root)
                if not name.endswith((".cpp", ".hpp", ".py", ".md")) or path.startswith(("docs/ring.md", "tests/tidy")):
                    continue
                with open(os.path.join(root, path), encoding="utf-8") as file:
                    names_cited = cited(file.read())
                yield from (f"{path}: cites the rule {name}, which docs/ring.md does not have"
                            for name in sorted(names_cited - set(rules)))
                if not name.endswith(".md"):
                    seen |= names_cited
    yield from (f"docs/ring.md: no source cites the rule {name}" for name in rules if name not in seen)


def self_test():
    if cited("// one thing (ring rules S1,\n  // V2 to V4 and D1)") != {"S1", "V2", "V3", "V4", "D1"}:
        yield "tidy does not read the rules that a comment cites"
