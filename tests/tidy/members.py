"""A class of a core stays small: at most MEMBERS_MAX data members. Settings (core/config.hpp) are a list, not a class."""

import os
import re

CORES = ("ventilator/core", "worker/core", "sink/core", "gateway/core", "relay/core", "clients/cpp/core")
MEMBERS_MAX = 15
TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])+\'|^\s*#[^\n]*', re.S | re.M)
LABEL = re.compile(r"\b(?:public|private|protected)\s*:(?!:)")
TYPE = re.compile(r"^(?:template\s*<.*>\s*)?(?:(class|struct|union)|enum)\b[^(=]*?([\w:]+)?\s*(?:final\s*)?(?::[^:].*)?$", re.S)
NOT_DATA = re.compile(r"^(?:using|typedef|friend|static|template|enum|class|struct|union|static_assert)\b")


def without_angles(text):
    """A statement without template arguments: what is left of it has no ( unless it is a function."""
    text = re.sub(r"operator\s*(?:[<>=!+*/-]+)", "operator", text).replace("->", "")
    while (shorter := re.sub(r"<[^<>]*>", "", text)) != text:
        text = shorter
    return text


def closing(text, at):
    """The place behind the brace that closes the one at `at`."""
    depth = 0
    for end in range(at, len(text)):
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        if depth == 0:
            return end + 1
    return len(text)


def data_in(statement):
    """How many data members a statement declares."""
    plain = without_angles(statement).strip()
    if not plain or NOT_DATA.match(plain) or "(" in plain.split("=")[0].split("{")[0]:
        return 0
    return plain.count(",") + 1


def classes(text, outer=""):
    """Name and number of data members of each class defined in a piece of C++ without comments."""
    at = begin = members = 0
    while (found := re.compile(r"[{};]").search(text, at)) is not None:
        at, statement = found.end(), LABEL.sub("", text[begin:found.start()]).strip()
        if found[0] == "}":
            begin = at
        elif found[0] == ";":
            members += data_in(re.sub(r"\{\}", "", statement))
            begin = at
        else:
            at = closing(text, found.start())
            kind = TYPE.match(without_angles(statement).strip())
            if statement.startswith("namespace") or kind and kind[1]:
                name = outer if statement.startswith("namespace") else f"{outer}::{kind[2]}".strip(":")
                yield from classes(text[found.end():at - 1], name)
                begin = at
            elif kind:
                begin = at
            elif "(" in without_angles(statement).split("=")[0]:  # A function with its body.
                begin = at
            else:  # A member with its initialiser: the statement goes on to its semicolon.
                text = text[:found.start()] + "{}" + text[at:]
                at = found.start() + 2
    if outer:
        yield outer, members


def too_many(path, text):
    is_settings = path.endswith("core/config.hpp")
    yield from (f"{path}: {each} has {members} data members, limit {MEMBERS_MAX}"
                for each, members in classes(TOKEN.sub(" ", text))
                if members > MEMBERS_MAX and not (is_settings and each == "Config"))


def problems(root):
    for core in CORES:
        for directory, _, names in os.walk(os.path.join(root, core)):
            for name in sorted(name for name in names if name.endswith((".hpp", ".cpp"))):
                path = os.path.join(directory, name)
                with open(path, encoding="utf-8") as file:
                    yield from too_many(os.path.relpath(path, root), file.read())


SAMPLE = """
namespace eole { class Base { int b = 0; };
struct Outer : Base {
  explicit Outer(int a, int b) : a_(a) { if (a) { b_ = b; } }
  enum class Kind : unsigned { kOne, kTwo };
  struct Inner { int x = 0; std::map<int, std::pair<int, int>> y; } inner;
  static constexpr int kMax = 3;
  bool operator==(const Outer&) const = default;
  std::function<void(int, int)> call_;
 private:
  void go(std::map<int, int>& out) const;
  int a_{}, b_ = 0;
  TimePoint at_ = TimePoint{};
  using Map = std::map<int, int>;
}; }
"""


def self_test():
    found = dict(classes(SAMPLE))
    if found != {"Base": 1, "Outer::Inner": 2, "Outer": 5}:
        yield f"tidy counts data members wrongly: {found}"
    large = "namespace { struct Config {" + " int x;" * (MEMBERS_MAX + 1) + " }; }"
    for path, count in (("sink/core/part.cpp", 1), ("sink/core/part.hpp", 1), ("sink/core/config.hpp", 0)):
        if len(list(too_many(path, large))) != count:
            yield f"tidy does not tell whether a class is too large in {path}"
