"""The messages of common/protocol and the tables of docs/protocol.md say the same of every message."""

import os
import re

MESSAGES = [f"common/protocol/{each}messages.hpp" for each in ("", "artifact_", "group_", "hand_")]
STRUCT = re.compile(r"((?:^///[^\n]*\n)+)^struct (\w+) \{\n(.*?)^\};", re.M | re.S)
MEMBER = re.compile(r"^  ([\w:]+) (\w+)(?: = (?:\w+|\{\}))?;", re.M)
ROW = re.compile(r"^\| `(\w+)` \| ([^|]*→[^|]*) \| ([^|]*) \| ([^|]*)\|$", re.M)
TYPES = {"std::uint8_t": "u8", "std::uint16_t": "u16", "std::uint32_t": "u32", "std::uint64_t": "u64",
         "std::string": "text", "RunId": "u64", "Seq": "u64", "Origin": "u32"}


def route(text):
    """Who sends and who hears: what stands before the first mark."""
    return re.split(r"[,:(.]", text.replace("->", "→"))[0].strip().lower()


def in_code(text):
    """Name -> (who sends and hears, fields, whether it has a payload)."""
    found = {}
    for comment, name, body in STRUCT.findall(text):
        kind = re.search(r'kName = "(\w+)"', body)
        types = dict((field, TYPES.get(type_, type_)) for type_, field in MEMBER.findall(body))
        order = re.findall(r"io\((\w+)\)", body)
        needed = re.search(r"kFieldsNeeded = (\d+)", body)
        needed = int(needed[1]) if needed else len(order)
        fields = ", ".join(f"{field if at < needed else f'*{field}*'} {types.get(field, '?')}"
                           for at, field in enumerate(order))
        found[kind[1] if kind else name] = route(comment.lstrip("/ ")), fields, "payload" in types
    return found


def in_docs(text):
    return {name: (route(way), fields.strip(), bool(payload.strip())) for name, way, fields, payload in ROW.findall(text)}


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def compare(code, docs):
    for name in code.keys() | docs.keys():
        if name not in docs:
            yield f"docs/protocol.md: has no row for the message {name}"
        elif name not in code:
            yield f"docs/protocol.md: has a row for the message {name}, which messages.hpp does not have"
        else:
            for what, there, here in zip(("goes", "has the fields", "has a payload:"), code[name], docs[name]):
                if there != here:
                    yield f"message {name} {what} {there} in messages.hpp, {here} in docs/protocol.md"


def problems(root):
    code = {name: said for path in MESSAGES for name, said in in_code(read(root, path)).items()}
    yield from compare(code, in_docs(read(root, "docs/protocol.md")))
    for name in code:
        if not os.path.exists(os.path.join(root, "tests/golden", name + ".hex")):
            yield f"tests/golden: has no sample of the message {name}"


SAMPLE = """
/// Worker -> sink (payload: bytes),
/// now and then.
struct Some {
  static constexpr std::string_view kName = "some";
  RunId run = 0;
  std::string name;
  Bytes payload;
  void fields(auto& io) { io(run), io(name); }
};
"""


def self_test():
    for row, is_same in (("worker → sink | run u64, name text | bytes", True),
                         ("worker → sink | name text, run u64 | bytes", False),
                         ("worker → sink | run u32, name text | bytes", False),
                         ("worker → sink | run u64, name text | ", False),
                         ("sink → worker | run u64, name text | bytes", False)):
        if bool(list(compare(in_code(SAMPLE), in_docs(f"| `some` | {row} |")))) == is_same:
            yield f"tidy does not tell whether a message is as documented: {row}"
