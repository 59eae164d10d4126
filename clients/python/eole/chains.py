"""Notifications that become tasks."""

import datetime

from .errors import BadTask
from .schedules import control
from .submission import messages_of
from .topics import topics
from .words import check_words, milliseconds, names_of


class Chains:
    """The chains of a cluster (docs/chains.md): `cluster.chains`. A chain is a map with name, from, start and task."""

    def __init__(self, connection, place):
        self._connection, self._place = connection, place

    def add(self, name, topic, kind, args=None, start="latest", project="", retry=False, attempts=0, **words):
        """Each notification whose project/kind/state fits the topic becomes a task of this kind, once. A text "$id" among
        the arguments is what the notification has there, "${value.url}" the same within a text, "$$" a dollar. start:
        "latest", "earliest", an offset or a datetime, if its group is not there yet. words: as of submit()."""
        topics(topic)
        check_words({"kind": kind, **words})
        words["after"] = names_of(words.get("after") or ())
        list(messages_of(kind, [args], project, retry, attempts, "", 1, words))  # Says what is wrong with them.
        said = {"kind": kind, "project": project, "retry": retry, "attempts": attempts, **words}
        task = {"args": args, **{word: _plain(value, word) for word, value in said.items() if value}}
        head = self._connection.query("queries", "status")["head"] if start == "latest" else self._place(start)
        return control(self._connection, "chain", {"name": name, "state": "added", "from": topic, "start": head, "task": task})

    def list(self):
        return self._connection.query("ventilator", "chains")

    def remove(self, name):
        """Takes it back; its group and its tasks stay. False if there was none."""
        return control(self._connection, "chain", {"name": name, "state": "removed"})["was_there"]


def _plain(value, word):
    """As in JSON, also what is in it."""
    if isinstance(value, dict):
        return {name: _plain(each, f"{word}.{name}") for name, each in value.items()}
    if isinstance(value, datetime.timedelta):
        return f"{milliseconds(value, word)}ms"
    if isinstance(value, datetime.datetime):
        return value.astimezone().isoformat()  # One without a zone is of this machine's, as in submit().
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise BadTask(f"{word}: {value!r} is no text, which a chain's task must have") from None
    return value
