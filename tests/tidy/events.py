"""docs/events.md lists the events that the sources have, and no others."""

import os
import re

WORDS = re.compile(r"k(Abouts|Events)\{(.*?)\};", re.S)
WORD = re.compile(r'"([a-z]+)"')
STATE = re.compile(r'return "([a-z]+)";')
# `json.PROJECT.%project.over`, `….left`, and "`json.PROJECT.KIND.` done, failed".
TOPIC = re.compile(r"`(?:json\.[A-Z]*\.(?:%([a-z]+)|KIND)|…)\.([a-z]*)`([a-z, ]*)")
FROM_LOG = {"retrying", "copy", "over"}


def in_sources(news, records):
    """Abouts, and events with the states of ends."""
    words = {of: set(WORD.findall(list_)) for of, list_ in WORDS.findall(news)}
    states = records.split("to_text(TaskState state)", 1)[1].split("\n}\n", 1)[0]
    return words["Abouts"] - {"task"}, words["Events"] | set(STATE.findall(states)) | FROM_LOG


def in_document(page):
    abouts, events = set(), set()
    for line in page.split("## Chosen by a pattern")[0].splitlines():
        topics = line.split("|")[2] if line.startswith("|") and line.count("|") > 3 else ""
        for about, event, others in TOPIC.findall(topics):
            abouts |= {about} - {""}
            events |= {event, *others.replace(" ", "").split(",")} - {""}
    return abouts, events


def compare(sources, document):
    for has, listed in zip(sources, document):
        yield from (f"docs/events.md: lacks {word}" for word in sorted(has - listed))
        yield from (f"docs/events.md: has {word}, which nothing tells" for word in sorted(listed - has))


def problems(root):
    def read(path):
        with open(os.path.join(root, path), encoding="utf-8") as file:
            return file.read()
    return compare(in_sources(read("common/protocol/news.cpp"), read("common/protocol/records.cpp")),
                   in_document(read("docs/events.md")))


def self_test():
    news = 'kAbouts{"task", "worker"};\nkEvents{\n    "started", "lost"};'
    records = 'to_text(TaskState state) {\n  return "done";\n}\n'
    page = "| | `json.PROJECT.KIND.` done, dead | x |\n| | `json..%worker.lost`, `….joined` | `….gone` |\n"
    if len(list(compare(in_sources(news, records), in_document(page)))) != 6:
        yield "tidy does not compare the events"
