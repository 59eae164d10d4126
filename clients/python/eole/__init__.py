"""Submit tasks to an Eole cluster and hear of their results. Needs pyzmq and msgpack.

    import eole

    with eole.Cluster() as cluster:
        ids = cluster.submit("echo", [{"n": n} for n in range(1000)])   # durable when it returns
        for result in cluster.results(ids):
            print(result.id, result.state, result.value)

The wire is docs/protocol.md. One thread per Cluster. Whatever goes wrong is an eole.Error, and each
kind of it has a class (errors.py).

What others wrote into a record may be anything: text that is not UTF-8 comes as bytes, an extension
as msgpack.ExtType, a map's key that is a list as a tuple; what is no msgpack, or nested more than 32
deep, comes whole, as its bytes.
"""

from .beats import schedule
from .cluster import Cluster
from .codec import register, use_pickle
from .consuming import consume
from .default import configure
from .errors import (BadClusterFile, BadTask, BadValue, Cancelled, Damaged, Error, FileExists, Gone, LogReplaced, NoAnswer,
                     NotFound, Refused, RemoteError, TimedOut, TooLarge, WrongProcess, WrongThread)
from .executor import Executor
from .files import File
from .flows import chain, chord, group
from .handles import Handle, Handles
from .records import Result
from .running import Retry, current, log, progress
from .scripts import signed
from .tasks import task

__all__ = ["BadClusterFile", "BadTask", "BadValue", "Cancelled", "Cluster", "Damaged", "Error", "Executor", "File",
           "FileExists", "Gone", "Handle", "Handles", "LogReplaced", "NoAnswer", "NotFound", "Refused", "RemoteError",
           "Result", "Retry", "TimedOut", "TooLarge", "WrongProcess", "WrongThread", "chain", "chord", "configure",
           "consume", "current", "group", "log", "progress", "register", "schedule", "signed", "task",
           "use_pickle"]
