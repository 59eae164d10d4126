"""Records of a group given to a handler until it has dealt with them, and what is given up as dead letters
(docs/decisions/0025-dead-letters-of-groups.md)."""

import logging
import time

import msgpack

from .errors import Error, Gone, NotFound, Refused
from .log import record_at
from .records import DEPTH_MAX, Result, decode
from .submission import messages_of
from .words import text

TRIES = 5
BACKOFF_SECONDS = 1
BACKOFF_SECONDS_MAX = 60
DOUBLINGS_MAX = 16  # A letter may be refused for days.
ERROR_LETTERS_MAX = 4096
BODY_BYTES_MAX = 900_000  # Of a letter, whose arguments have at most 1 MiB; a larger one is read in the log.

logger = logging.getLogger("eole")


def project_of(group):
    """Where its dead letters are."""
    return f"{group}/dead"


def consume(group, handler, tries=TRIES, backoff=BACKOFF_SECONDS):
    """Calls handler(record) for each record of a group (cluster.group()) until its iteration ends. What it returned from is
    committed; if it raises an exception it is called again after `backoff` seconds, twice that … up to a minute, and what
    failed so many `tries` is a dead letter of the group. Nothing else of this member goes on meanwhile. Whatever is
    killed in between, each record is dealt with, or a dead letter; it may be tried again. Returns how many were."""
    return Consumer(group, handler, tries, backoff).run()


class Consumer:
    """Gives each record of a group to a handler, and commits it once that has returned."""

    def __init__(self, group, handler, tries, backoff):
        if not callable(handler):
            raise TypeError(f"consume: {handler!r} cannot be called with a record")
        self._group = group
        self._connection, self._submitter = group.roles
        self._handler, self._tries, self._backoff = handler, tries, backoff
        self._project = text(project_of(group.name), "consume: the project of its dead letters")
        group.hear_also(self._project)

    def run(self):
        count = 0
        for place in self._group:
            record = self._given_back(place) if place.project == self._project else place
            if record is not None and not self._deal_with(record, place):
                self._group.give_back(place)
                continue
            count += record is not None
            self._group.commit(wait=False)
        self._group.commit()
        return count

    def _deal_with(self, record, place):
        """False: it is another member's now. place: the record in the log that brought it."""
        for number in range(1, self._tries + 1):
            if number > 1 and not self._may_go_on(number - 1, place):
                return False
            try:
                self._handler(record)
                return True
            except Exception as error:  # noqa: BLE001 - whatever it is, the record is not dealt with
                why = f"{type(error).__name__}: {error}"
                logger.warning("group %s: record %d (%s): try %d of %d: %s", self._group.name, record.offset, record.id,
                               number, self._tries, why)
        number = 0
        while True:
            try:
                self._give_up(record, place, why)
                return True
            except Error as error:
                logger.warning("group %s: record %d: its dead letter: %s", self._group.name, record.offset, error)
            number += 1
            if not self._may_go_on(number, place):
                return False

    def _may_go_on(self, number, place):
        until = time.monotonic() + min(BACKOFF_SECONDS_MAX, self._backoff * 2 ** min(number - 1, DOUBLINGS_MAX))
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 1))
        return self._group.holds(place)

    def _give_up(self, record, place, why):
        """Once: its key is the place in the log."""
        body = msgpack.packb(record.body, unicode_errors="surrogateescape")
        args = {"error": f"group {self._group.name}: {self._tries} tries: {why[:ERROR_LETTERS_MAX]}",
                **{name: value for name, value in record._asdict().items() if name not in ("body", "partition")},
                "body": body if len(body) <= BODY_BYTES_MAX else None}
        key = f"dead/{self._group.name}/{self._group.log:016x}/{place.offset}"
        try:
            self._submitter.submit(messages_of("dead", args, self._project, True, 1, key, 1, {}))
        except Refused as error:
            if error.code != "key_used":
                raise
            # It was given up before, for another reason, and not committed.

    def _given_back(self, letter):
        """The record of a letter that was given to the group again; None of any other."""
        told = letter.value
        if letter.kind != "echo" or not isinstance(told, dict):
            return None
        try:
            if told["body"] is None:
                return record_at(self._connection, told["offset"])
            return Result(*(told[name] for name in Result._fields[:10]), decode(told["body"], DEPTH_MAX), told["key"],
                          submitted=told["submitted"])
        except (LookupError, TypeError, Gone) as error:
            logger.warning("group %s: record %d: cannot be given back: %s", self._group.name, letter.offset, error)
            return None


def letters_of(cluster, group, ids):
    """The ids of its dead letters: these, or all."""
    found = [letter["id"] for letter in cluster.dead(project=project_of(group))]
    if ids is None:
        return found
    ids = [ids] if isinstance(ids, str) else list(ids)
    for each in ids:
        if each not in found:
            raise NotFound(f"{each}: is no dead letter of the group {group}")
    return ids
