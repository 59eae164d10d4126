"""Patterns of topics, project/kind/state: * is any one word, # any number of them, none too."""

import functools

from .errors import BadTask

PATTERN_BYTES_MAX = 1024
PATTERN_WORDS_MAX = 64


def topics(pattern):
    """Whether a (project, kind, state) fits; names with slashes in them are several words."""
    if not pattern:
        raise BadTask("topic: is empty, which none fits; # is for all")
    words = pattern.split("/")
    if len(pattern.encode()) > PATTERN_BYTES_MAX or len(words) > PATTERN_WORDS_MAX:
        raise BadTask(f"topic: {len(pattern.encode())} bytes and {len(words)} words, limits {PATTERN_BYTES_MAX} and "
                      f"{PATTERN_WORDS_MAX}")
    for word in words:
        if len(word) > 1 and set("*#") & set(word):
            raise BadTask(f"topic: {word}: * and # stand for words, and alone between slashes")

    def with_many(places):
        """A # may take no word at all."""
        for place in range(len(words)):
            if place in places and words[place] == "#":
                places.add(place + 1)
        return places

    @functools.lru_cache(1024)
    def fits(project, kind, state):
        places = with_many({0})
        for word in "/".join(map(text_of, (project, kind, state))).split("/"):
            places = with_many({place + (words[place] != "#") for place in places
                                if place < len(words) and words[place] in ("#", "*", word)})
        return len(words) in places

    return fits


def text_of(name):
    return name if isinstance(name, str) else name.decode(errors="surrogateescape")
