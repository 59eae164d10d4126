"""What stands for tasks that were submitted: their ends, their values, how far they are."""

from __future__ import annotations

import collections
import time
from typing import Any, Generator, Generic, Iterator, Literal, Sequence, TypeVar, overload

from . import default
from .errors import TimedOut
from .records import Result
from .remote import value_of

Progress = collections.namedtuple("Progress", "done total text")
FIRST_SECONDS = 0.5  # Progress is told five times a second.
Value = TypeVar("Value")
FINAL = ("done", "failed", "dead", "cancelled")


class Handle(Generic[Value]):
    """One task, by its id. Any process can make one: Handle("k3f9qz-17")."""

    def __init__(self, id: str, parent: Handle | Handles | None = None, cluster=None):  # noqa: A002
        self.id = id
        self.parent = parent  # Of a chain: the step before.
        self._result = self._told = self._news = None
        self._of, self._kept = cluster, (id,)  # The client that keeps what comes of these until it is asked for.

    def __repr__(self) -> str:
        return f"<eole.Handle {self.id}>"

    def __del__(self):
        if self._of is not None:
            self._of.forget(self._kept)

    def result(self, timeout: float | None = None) -> Result:
        """How it ended, whatever its end. timeout: seconds, then TimedOut."""
        if self._result is None:
            for result in default.cluster().results([self.id], timeout=timeout):
                self._result = result
        if self._result is None:
            raise TimedOut(f"{self.id}: has not ended within {timeout} s")
        return self._result

    def get(self, timeout: float | None = None) -> Value:
        """Its value; raises what it raised. timeout: seconds, then TimedOut."""
        result = self.result(timeout)
        if self.parent is not None and isinstance(result.body, dict) and result.body.get("code") == "parent_failed":
            self.parent.get(timeout)  # What began it, if that can be told.
        return value_of(result)

    @property
    def state(self) -> str:
        """waiting, queued, running, cancelling; or done, failed, dead, cancelled."""
        if self._result is not None:
            return self._result.state
        return default.cluster().state(self.id)

    @property
    def is_done(self) -> bool:
        """Whether it has ended, however."""
        return self.state in FINAL

    @property
    def progress(self) -> Progress | None:
        """The newest that it said while somebody asked: the first time waits half a second at most."""
        if self._news is None:
            self._news = default.cluster().follow_progress(self.id)
            wait = FIRST_SECONDS
        else:
            wait = 0
        for said in self._news.take(wait):
            self._told = Progress(*said)
        return self._told

    def cancel(self) -> None:
        """It is to end; get() raises Cancelled once it has."""
        default.cluster().cancel([self.id], wait=False)

    def __await__(self) -> Generator[Any, None, Value]:
        from .listener import future_of
        return future_of(self).__await__()


class Handles(Sequence["Handle[Value]"], Generic[Value]):
    """Many tasks of one submit, in its order; members may be Handles themselves."""

    def __init__(self, members: Sequence[str | Handle | Handles], cluster=None, kept: Sequence[str] = ()):
        self._members, self._of, self._kept = members, cluster, kept

    def __len__(self):
        return len(self._members)

    def __getitem__(self, at):
        if isinstance(at, slice):
            return Handles(self._members[at])
        member = self._members[at]
        return Handle(member) if isinstance(member, str) else member

    def __repr__(self) -> str:
        return f"<eole.Handles of {len(self)}>"

    def __del__(self):
        if self._of is not None:
            self._of.forget(self._kept)

    @property
    def ids(self) -> list[str]:
        """Of all tasks in it, in their order."""
        found = []
        for each in self._members:
            found += each.ids if isinstance(each, Handles) else [each if isinstance(each, str) else each.id]
        return found

    @overload
    def get(self, timeout: float | None = None, return_exceptions: Literal[False] = False) -> list[Value]: ...

    @overload
    def get(self, timeout: float | None, return_exceptions: bool) -> list[Value | Exception]: ...

    @overload
    def get(self, timeout: float | None = None, *, return_exceptions: bool) -> list[Value | Exception]: ...

    def get(self, timeout=None, return_exceptions=False):
        """All values, in order; raises what the first that was not done raised, once all have ended.
        return_exceptions: that stands in its place instead. timeout: seconds for all, then TimedOut."""
        wanted = set(self.ids)
        found = {handle.id: handle for handle in self.as_completed(timeout)} if wanted else {}
        return self._values(found, return_exceptions)

    def _values(self, found, return_exceptions):
        values = []
        for member in self._members:
            if isinstance(member, Handles):
                values.append(member._values(found, return_exceptions))
                continue
            handle = found[member if isinstance(member, str) else member.id]
            if isinstance(member, Handle):
                member._result = handle._result
                handle = member
            try:
                values.append(handle.get())
            except Exception as error:  # noqa: BLE001 - whatever was raised there
                if not return_exceptions:
                    raise
                values.append(error)
        return values

    def as_completed(self, timeout: float | None = None) -> Iterator[Handle[Value]]:
        """Each as it ends, whose get() does not wait any more. timeout: seconds for all, then TimedOut."""
        until = None if timeout is None else time.monotonic() + timeout
        left = set(self.ids)
        while left:
            seconds = None if until is None else until - time.monotonic()
            if seconds is not None and seconds <= 0:
                raise TimedOut(f"{len(left)} {'task has' if len(left) == 1 else 'tasks have'} not ended within {timeout} s")
            for result in default.cluster().results(left, timeout=seconds):
                left.discard(result.id)
                handle = Handle(result.id)
                handle._result = result
                yield handle
                if until is not None and time.monotonic() > until:
                    break

    def values(self, timeout: float | None = None) -> Iterator[Value]:
        """Each value as it comes; raises what a task raised."""
        for handle in self.as_completed(timeout):
            yield handle.get()

    def cancel(self) -> None:
        """All of them are to end."""
        default.cluster().cancel(self.ids, wait=False)

    def __await__(self) -> Generator[Any, None, list[Value]]:
        from .listener import all_of
        return all_of(self).__await__()
