"""What `import eole` gives beside Cluster: tasks that are functions, and their errors."""

from .beats import schedule
from .codec import register, use_pickle
from .default import configure
from .errors import BadValue, Cancelled, RemoteError, TimedOut, WrongProcess, WrongThread
from .executor import Executor
from .files import File
from .flows import chain, chord, group
from .handles import Handle, Handles
from .running import Retry, current, log, progress
from .tasks import task

__all__ = ["BadValue", "Cancelled", "Executor", "File", "Handle", "Handles", "RemoteError", "Retry", "TimedOut",
           "WrongProcess", "WrongThread", "chain", "chord", "configure", "current", "group", "log", "progress", "register",
           "schedule", "task", "use_pickle"]
