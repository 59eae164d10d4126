"""The cluster that tasks go to: one client for each thread, made when it is needed, and anew after a fork."""

import atexit
import os
import sys
import threading

from .files import ClusterStore, use

_path, _patience = None, 30
_generation = 0
_instead = None  # Of all threads: what eole.testing puts there.
_of_thread = threading.local()


def configure(path=None, patience=30):
    """Which cluster tasks go to from now on, in this process: by its cluster or join file. Without it: EOLE_CLUSTER,
    else the local one. patience: seconds without any answer, then NoAnswer."""
    global _path, _patience, _generation
    _path, _patience = path, patience
    _generation += 1


class _Held:
    """A thread's client, closed when the thread ends: left to the collector, another thread would wait for its
    sockets for ever."""

    def __init__(self):
        from .client import Client
        self.made = (os.getpid(), _generation)
        self.cluster = Client(_path, _patience)

    def __del__(self):
        # What is of the process before a fork is left alone, as is what another thread has when the program ends.
        if hasattr(self, "cluster") and self.made[0] == os.getpid() and not sys.is_finalizing():
            self.cluster.close()


def cluster():
    """This thread's client of that cluster."""
    if _instead is not None:
        return _instead
    held = getattr(_of_thread, "held", None)
    if held is None or held.made != (os.getpid(), _generation):
        held = _of_thread.held = None  # The old one is closed first.
        held = _of_thread.held = _Held()
    return held.cluster


@atexit.register
def _leave():
    _of_thread.held = None


def put_instead(another):
    """For all threads; returns what was there."""
    global _instead
    before, _instead = _instead, another
    return before


use(ClusterStore(cluster))
