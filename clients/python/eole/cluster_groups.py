"""What a Cluster does with groups of readers (docs/log.md)."""

from __future__ import annotations

import datetime
import os
from typing import Any, Callable, Iterable, Iterator

import msgpack

from .errors import BadTask, NotFound
from .cache import Cache
from .consuming import BACKOFF_SECONDS, TRIES, consume, letters_of, project_of
from .groups import Group
from .records import Result
from .words import text

OFFSETS_END = 1 << 63
Start = str | int | datetime.datetime  # "earliest", "latest", an offset, a time.


class OfGroups:
    """Of a Cluster."""

    def group(self, name: str, member: str = "", create_from: Start | None = None, partitions: int = 8, topic: str = "",
              commits: str = "end", timeout: float | None = None) -> Group:
        """Reads the log as a member of a group, of which each record goes to one member:

            with cluster.group("billing", create_from="earliest") as group:
                for record in group:
                    ...

        A record is a Result with its `partition`. create_from: makes the group if it is not there, with so many
        partitions, from "earliest", "latest", an offset or a datetime on. topic: only what fits, as of results().
        commits: "end" commits what was dealt with when the block ends and when a partition moves to another member,
        "each" also before each next record, "manual" only with group.commit(). timeout: seconds without a record, then
        the iteration ends. Records that are not kept any more are a Gone, behind which the next iteration goes on."""
        if create_from is not None:
            self.create_group(name, create_from, partitions)
        return Group(self._opened, (self._connection, self._submitter), name, member, topic, commits, timeout)

    def cursor(self, name: str, start: Start = "latest", **options: Any) -> Group:
        """A group of one partition, made when it is not there: reads on where the last one with it committed."""
        return self.group(name, create_from=start, partitions=1, **options)

    def consume(self, name: str, handler: Callable[[Result], object], tries: int = TRIES, backoff: float = BACKOFF_SECONDS,
                **options: Any) -> int:
        """eole.consume() of a group as group() has it."""
        with self.group(name, **options) as group:
            return consume(group, handler, tries, backoff)

    def dead_of_group(self, name: str) -> Iterator[dict[str, Any]]:
        """Yields the dead letters of a group: what consume() gave up."""
        yield from self.dead(project=project_of(name))

    def retry_group(self, name: str, ids: str | Iterable[str] | None = None) -> list[str]:
        """Gives dead letters (these, or all) to the group again, and takes them off the list; returns their ids.
        It is a replay(): one that failed half way leaves them on the list, and said again it is the same."""
        letters = letters_of(self, name, ids)
        self.replay(letters, kind="echo")
        return letters

    def cache(self, project: str, topic: str = "") -> Cache:
        """A mapping of each key of a project to what its last task that was done returned, which then follows the log:

            with cluster.cache("users") as users:
                users["alice"]; users.wait(result.offset); for key, value in users.changes(): ...

        topic: only of what fits, as of results()."""
        return Cache(self._opened, project, topic)

    def groups(self) -> Iterator[dict[str, Any]]:
        """Yields all groups by name, maps as `eole group list --json` has them."""
        yield from self._pages("queries", "groups", "groups", "after")

    def create_group(self, name: str, start: Start = "latest", partitions: int = 8) -> dict[str, Any]:
        """Makes a group that reads from there on: "earliest", "latest", an offset or a datetime. One that is there
        stays as it is; with other partitions it is Refused."""
        return self._wish("group_create", name, partitions=partitions, **{"from": self._place(start)})

    def move_group(self, name: str, to: Start) -> dict[str, Any]:
        """It goes on there; returns a map with `from`, and how many records that `skips` and `repeats`."""
        place = self._place(to)
        if place in ("earliest", "latest"):
            place = self._query("queries", "status")["log_kept_from" if place == "earliest" else "head"]
        before = self._query("queries", "groups", group=name, to=place)
        view = self._wish("group_move", name, **{"from": place})
        if before is None or not view["was_there"]:
            raise NotFound(f"group {name}: there is none")
        return {**view, "skips": before["skips"], "repeats": before["repeats"]}

    def delete_group(self, name: str) -> None:
        """Forgets it and its cursors; the log stays."""
        if not self._wish("group_delete", name)["was_there"]:
            raise NotFound(f"group {name}: there is none")

    def remove_member(self, name: str, member: str) -> None:
        """The member hears that it was removed (Refused), and others have its partitions within 7 s."""
        view = self._wish("group_remove_member", name, member=text(member, "member"))
        if not view["was_there"]:
            raise NotFound(f"group {name}: there is none")
        if not view["removed"]:
            raise NotFound(f"member {member}: group {name} has none of that name")

    def _place(self, where):
        """As the sink takes it."""
        if isinstance(where, datetime.datetime):
            unix_ms = max(0, round(where.timestamp() * 1000))
            return self._query("queries", "offset_at", unix_ms=unix_ms)["offset"]
        if isinstance(where, int) and not 0 <= where < OFFSETS_END:
            raise BadTask(f"group: the offset {where}: must be at least 0, and below {OFFSETS_END}")
        return where

    def _wish(self, what, name, **wish):
        # By its number a copy that comes late is known.
        packed = msgpack.packb({"wish": int.from_bytes(os.urandom(8)) >> 1, "group": text(name, "group"), **wish})
        return self._connection.answer("queries", "control", what, "", payload=packed)
