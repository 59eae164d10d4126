"""docs/plans.md lists the codes of `eole explain` and the causes of a retry that the sources have, and no others."""

import os
import re

# Why{"cap", text(…)}, {"expired", "expired before it began"}, {is_skipped ? "skipped" : "parent_failed", …}.
SAID = re.compile(r'\{"([a-z_]+)",\s*(?:text\(|std::move\(|"[^"]* )')
CHOSEN = re.compile(r'\{[a-z_ <]+\? "([a-z_]+)" : "([a-z_]+)",')
OF_CLIENTS = re.compile(r'"code", "([a-z_]+)"')
STATE = re.compile(r'return "([a-z]+)";')
LISTED = re.compile(r"`([a-z_]+)`")
CAUSE = re.compile(r'Numbered\{"([a-z]+)"|kCause[A-Z][a-z]+ = "([a-z]+)"')
CAUSE_LISTED = re.compile(r"`([a-z]+)(?::[0-9-]+)?`")
CAUSE_OF_PYTHON = re.compile(r'fullmatch\(r"\(([a-z|]+)\)[^|]*\|([a-z|]+)", cause')


def said(text):
    return {*SAID.findall(text), *(code for pair in CHOSEN.findall(text) for code in pair)}


def listed(page):
    """The first column of the table of codes."""
    table = page.split("| code |", 1)[1].split("\n\n", 1)[0]
    return [code for row in table.splitlines()[2:] for code in LISTED.findall(row.split("|")[1])]


def causes_listed(page):
    """The second column of the row of `on`."""
    return set(CAUSE_LISTED.findall(page.split("| `on` (", 1)[1].split("|")[1]))


def problems_of_causes(page, sources, python):
    """`page` and the Python client have the causes that the sources have."""
    causes = {word for pair in CAUSE.findall(sources) for word in pair if word}
    client = {word for words in CAUSE_OF_PYTHON.findall(python) for word in "|".join(words).split("|")}
    for where, has in (("docs/plans.md", causes_listed(page)), ("clients/python", client)):
        yield from (f"{where}: lacks the cause {cause}" for cause in sorted(causes - has))
        yield from (f"{where}: has the cause {cause}, which is none" for cause in sorted(has - causes))


def problems(root):
    def read(path):
        with open(os.path.join(root, path), encoding="utf-8") as file:
            return file.read()

    sources = [os.path.join(directory, name) for directory, _, names in os.walk(os.path.join(root, "ventilator/core"))
               for name in names if name.endswith(".cpp")]
    codes = set(OF_CLIENTS.findall(read("clients/cpp/tasks/story.cpp"))).union(*(said(read(path)) for path in sources))
    states = read("common/protocol/records.cpp").split("to_text(TaskState state)", 1)[1].split("\n}\n", 1)[0]
    codes |= set(STATE.findall(states))
    yield from problems_of_causes(
        read("docs/plans.md"), read("common/protocol/causes.cpp") + read("common/protocol/causes.hpp"),
        read("clients/python/eole/submission.py"))
    rows = listed(read("docs/plans.md"))
    yield from (f"docs/plans.md: lacks the code {code}, which explain says" for code in sorted(codes - set(rows)))
    yield from (f"docs/plans.md: has the code {code}, which nothing says" for code in sorted(set(rows) - codes))
    yield from (f"docs/plans.md: has the code {code} twice" for code in sorted(set(rows)) if rows.count(code) > 1)


def self_test():
    text = 'return Why{"cap", text(1)};  end({"expired", "expired so"});  {is_it ? "a" : "b",  {"state", "open"}'
    if said(text) != {"cap", "expired", "a", "b"}:
        yield "tidy does not read the codes of explain"
    if listed("| code | x |\n|---|---|\n| `a`, `b_c` | of `d` |\n\n`e`") != ["a", "b_c"]:
        yield "tidy does not read the table of codes"
    found = list(problems_of_causes("| `on` (`x`) | causes: `exit:1-9`, `lots` | `no` |\n",
                                    'Numbered{"exit", 1} kCauseLost = "lost"', 'fullmatch(r"(exit)(:1)?|lost|x", cause)'))
    if found != ["docs/plans.md: lacks the cause lost", "docs/plans.md: has the cause lots, which is none",
                 "clients/python: has the cause x, which is none"]:
        yield f"tidy does not compare causes: {found}"
