"""What can go wrong, by name. Every error is an Error."""


class Error(Exception):
    """What went wrong; the text says what, which, why and the limit."""
    ids: tuple[str, ...] | list[str] = ()  # Of an error in submit or replay: the tasks that were accepted nevertheless.


class NoAnswer(Error):
    """A role said nothing for as long as the cluster's patience."""


class Refused(Error):
    """A role refused a message; the text says why. code: of which sort (docs/protocol.md), None if it is of none;
    retry_after: seconds before which it makes no sense to say it again, if they are known."""

    def __init__(self, text, code=None, retry_after=None):
        super().__init__(text)
        self.code, self.retry_after = code, retry_after

    @classmethod
    def by(cls, who, fields):
        """What the fields of a `refused` say: version, name, request, reason, and what is known of it."""
        _, _, _, reason, code, retry_after_ms, *_ = *fields, *("", 0)[max(len(fields) - 4, 0):]
        return cls(f"the {who}: {reason}", code or None, retry_after_ms / 1000 or None)


class BadClusterFile(Error):
    """The cluster file is missing, unreadable, open to others or not one."""


class BadTask(Error):
    """A task cannot be submitted as it is."""


class TooLarge(BadTask):
    """A task, or all tasks under a key together, are over a limit."""


class NotFound(Error):
    """No such task, result or artifact."""


class LogReplaced(Error):
    """The sink has another log now: what was not read yet is gone. Reading on begins at its start."""


class Gone(Error):
    """The log is not kept any more where it was to be read. kept_from: the offset of the oldest result that is; first,
    last: of a group, the offsets of what is gone."""

    def __init__(self, text, kept_from=None, first=None, last=None):
        super().__init__(text)
        self.kept_from, self.first, self.last = kept_from, first, last


def not_kept(what, first, last):
    """Of records of these offsets."""
    return (f"1 {what}, offset {first}, is not kept any more" if first == last else
            f"{last - first + 1} {what}s, offsets {first} to {last}, are not kept any more")


class FileExists(Error):
    """A file is there already, and is left alone."""


class Damaged(Error):
    """What came is not what was asked for."""


class BadValue(BadTask):
    """An argument or a value that has no place in msgpack, and no codec."""


class RemoteError(Error):
    """A task failed elsewhere. The text has the class and the text of what was raised there; class_name, traceback:
    these alone, or None of a task that is no Python."""

    def __init__(self, text, class_name=None, traceback=None):
        super().__init__(text)
        self.class_name = class_name
        self.traceback = traceback


class Cancelled(Error):
    """A task was cancelled, or is to end now."""


class TimedOut(Error, TimeoutError):
    """What was waited for did not come in time. It goes on."""


class WrongThread(Error):
    """A Cluster was used in another thread than the one that made it."""


class WrongProcess(Error):
    """A Cluster was used in a process that was forked from the one that made it."""
