"""tests/golden has a sample of each record of the journal and of the log, and none that nothing writes."""

import os
import re

import wire

# What a sample's name ends with, and the enums that have its records.
RECORDS = {".journal.hex": (("ventilator/io/journal_format.hpp", "JournalRecord"), ("ventilator/core/parts.hpp", "Part")),
           ".log.hex": (("sink/io/log_record.hpp", "LogRecord"), ("sink/core/checkpoint.hpp", "Part"))}
WHOLE = {"journal.segment.hex", "log.segment.hex", "log.pages.hex"}
MESSAGE = re.compile(r'kName = "(\w+)"')
QUOTED = re.compile(r'"([\w.]+)"')


def in_enum(text, name):
    """The names of an enum's values as samples are named; kEnd is no record. None: there is no such enum."""
    body = re.search(rf"enum class {name}\b[^{{;]*\{{(.*?)\}};", text, re.S)
    if body is None:
        return None
    values = re.findall(r"(?:^|,)\s*k([A-Z]\w*)", re.sub(r"//[^\n]*", "", body[1]))
    return [re.sub(r"(?<!^)(?=[A-Z])", "_", value).lower() for value in values if value != "End"]


def compare(wanted, words, found):
    """`wanted`: the samples of records; `words`: messages, and what tests of samples name."""
    yield from (f"tests/golden: has no sample {name}" for name in sorted(wanted - found))
    for name in sorted(found - wanted):
        if name.endswith(tuple(RECORDS)) or not {name, name.split(".")[0]} & words:
            yield f"tests/golden: {name} is a sample of nothing"


def problems(root):
    def read(path):
        with open(os.path.join(root, path), encoding="utf-8") as file:
            return file.read()
    wanted = set()
    for end, path, enum in ((end, *each) for end, enums in RECORDS.items() for each in enums):
        names = in_enum(read(path), enum)
        if names is None:
            yield f"{path}: has no enum class {enum}, whose values are records (tests/tidy/golden.py)"
        wanted.update(name + end for name in names or ())
    words = {name for path in wire.MESSAGES for name in MESSAGE.findall(read(path))}
    for directory, _, names in os.walk(os.path.join(root, "tests/unit")):
        for text in (read(os.path.join(directory, name)) for name in names if name.endswith(".cpp")):
            if "check_golden(" in text:
                words.update(QUOTED.findall(text))
    found = {name for name in os.listdir(os.path.join(root, "tests/golden")) if name.endswith(".hex")}
    yield from compare(wanted | WHOLE, words, found)


def self_test():
    enum = "enum class Part : int {\n  kOne = 8,  // kNot.\n  kTwoOfThem, kThree = kTwoOfThem,\n  kEnd,  // None.\n};"
    if in_enum(enum, "Part") != ["one", "two_of_them", "three"] or in_enum(enum, "Par") is not None:
        yield "tidy does not read the records of an enum"
    wanted, words = {"one.log.hex", "two.log.hex"}, {"head", "part.record.hex", "log", "three"}
    if len(list(compare(wanted, words, {"one.log.hex", "three.log.hex", "head.later.hex", "part.record.hex", "stray.hex"}))) != 3:
        yield "tidy does not compare the golden samples with the records"
