"""docs/plans.md lists the codes of `eole explain` that the sources say, and no others."""

import os
import re

# Why{"cap", text(…)}, {"expired", "expired before it began"}, {is_skipped ? "skipped" : "parent_failed", …}.
SAID = re.compile(r'\{"([a-z_]+)",\s*(?:text\(|std::move\(|"[^"]* )')
CHOSEN = re.compile(r'\{[a-z_ <]+\? "([a-z_]+)" : "([a-z_]+)",')
OF_CLIENTS = re.compile(r'"code", "([a-z_]+)"')
STATE = re.compile(r'return "([a-z]+)";')
LISTED = re.compile(r"`([a-z_]+)`")


def said(text):
    return {*SAID.findall(text), *(code for pair in CHOSEN.findall(text) for code in pair)}


def listed(page):
    """The first column of the table of codes."""
    table = page.split("| code |", 1)[1].split("\n\n", 1)[0]
    return [code for row in table.splitlines()[2:] for code in LISTED.findall(row.split("|")[1])]


def problems(root):
    def read(path):
        with open(os.path.join(root, path), encoding="utf-8") as file:
            return file.read()

    sources = [os.path.join(directory, name) for directory, _, names in os.walk(os.path.join(root, "ventilator/core"))
               for name in names if name.endswith(".cpp")]
    codes = set(OF_CLIENTS.findall(read("clients/cpp/tasks/story.cpp"))).union(*(said(read(path)) for path in sources))
    states = read("common/protocol/records.cpp").split("to_text(TaskState state)", 1)[1].split("\n}\n", 1)[0]
    codes |= set(STATE.findall(states))
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
