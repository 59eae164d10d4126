"""docs/bounds.md has a row for every bound in the code of the roles, with its value. `eole status --bounds` prints it."""

import os
import re

DOCS = "docs/bounds.md"
KEPT_IN = ("common/base", "common/net", "common/protocol", "ventilator", "sink", "worker", "gateway", "relay", "clients/cpp")
CONSTANT = re.compile(r"constexpr [\w: ]+? (k\w+)(?: =\s*|\{)([^;]+?)\}?;")
SETTING = re.compile(r"^  [\w:]+ (\w+_max) = ([^;]+);", re.M)  # In a core's config.hpp.
ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.M)
UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40, "PiB": 1 << 50, "ms": 0.001, "min": 60}
# Named like bounds, but no peer's doing: how something is shown, written or tried.
NO_BOUND = {"kSleepMax", "kPauseMost", "kReservedMost", "kUnbindMost", "kSilentHalfBeatsMax", "kStuckBeatsMax", "kDoublingsMax",
            "kReadDepthMax", "kPaddingMax", "kBytesMax", "kRangesMax", "kEndingMax", "kFileNameMax", "kWordMax"}


def evaluated(expression, known):
    """The value of a constant expression, or None. Durations are seconds."""
    plain = re.sub(r"(?<=\d)'(?=\d)", "", expression.split("//")[0])
    plain = re.sub(r"(?<=\d)(?:ULL|LL|UL|U|L)\b", "", plain)
    plain = re.sub(r"\b(\d+)ms\b", r"(\1/1000)", plain)
    plain = re.sub(r"\b(\d+)(s|h)\b", lambda found: f"({found[1]}*{3600 if found[2] == 'h' else 1})", plain)
    plain = re.sub(r"(?:\w+::)*(k[A-Z]\w*)", lambda found: str(known.get(found[1], found[1])), plain)
    return eval(plain) if re.fullmatch(r"[\d\s()+*/<.-]+", plain) else None  # noqa: S307 - numbers only


def told(value):
    """"64 MiB" as a number of bytes, "65,536 tasks" as 65536."""
    number, _, unit = value.strip().partition(" ")
    return float(number.replace(",", "")) * UNITS.get(unit.split(" ")[0], 1)


def in_code(texts):
    """Name -> the values that it has."""
    known, found = {}, {}
    for _ in range(3):  # Constants are made of others.
        for path, text in texts:
            for name, expression in CONSTANT.findall(text):
                value = evaluated(expression, known)
                if value is not None:
                    known[name] = value
                if name.endswith(("Max", "Most")) and name not in NO_BOUND:
                    found.setdefault(name, {})[path] = value
            if path.endswith("/core/config.hpp"):
                for name, expression in SETTING.findall(text):
                    found.setdefault(name, {})[path] = evaluated(expression, known)
    return found


def compare(code, rows):
    names = [name for name, *_ in rows]
    for name in sorted(code.keys() - set(names)):
        yield f"{DOCS}: has no row for the bound {name} of {' and '.join(sorted(code[name]))}"
    for name, value, *_ in rows:
        if name not in code:
            yield f"{DOCS}: has a row for {name}, which is no bound in the code"
        elif told(value) not in code[name].values():
            yield f"{DOCS}: says {value} of {name}, which is {sorted(code[name].values())}"
    yield from (f"{DOCS}: has {len(values)} values of {name}, which has {names.count(name)} rows"
                for name, values in code.items() if name in names and len(set(values.values())) != names.count(name))


def sources(root):
    for top in KEPT_IN:
        for directory, _, names in os.walk(os.path.join(root, top)):
            for name in sorted(name for name in names if name.endswith((".hpp", ".cpp"))):
                path = os.path.join(directory, name)
                with open(path, encoding="utf-8") as file:
                    yield os.path.relpath(path, root), file.read()


def problems(root):
    with open(os.path.join(root, DOCS), encoding="utf-8") as file:
        yield from compare(in_code(list(sources(root))), ROW.findall(file.read()))


def self_test():
    code = in_code([("x/core/config.hpp", "  std::uint64_t held_max = 2 * kTasksMax;\n"),
                    ("x.cpp", "constexpr std::size_t kTasksMax = 1'024;\nstatic constexpr Duration kPauseMax = 60s;\n")])
    rows = [("held_max", "2,048 tasks", "", ""), ("kPauseMax", "59 s", "", ""), ("kGone", "1 MiB", "", "")]
    if len(list(compare(code, rows))) != 3:
        yield "tidy does not notice a bound that is missing, wrong or gone"
