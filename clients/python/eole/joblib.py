"""A backend of joblib: import this, then `with joblib.parallel_backend("eole"): joblib.Parallel()(…)`. Its functions run
as an Executor's do: any that can be imported, at `python3 -m eole.runner eole.calls`."""

import itertools
import time

from joblib import register_parallel_backend
from joblib.parallel import ParallelBackendBase

from . import default
from .executor import Executor, Future


class Job:
    """What becomes of a batch of calls: a list of their values."""

    def __init__(self, futures):
        self.futures = futures

    def get(self, timeout=None):
        until = None if timeout is None else time.monotonic() + timeout
        return [each.result(until and max(0, until - time.monotonic())) for each in self.futures]


class Backend(ParallelBackendBase):
    """words: as of Cluster.submit(), said of each call."""

    supports_timeout = True

    def __init__(self, nesting_level=None, inner_max_num_threads=None, **words):
        super().__init__(nesting_level, inner_max_num_threads)
        self._words = words
        self._executor = Executor(**words)

    def effective_n_jobs(self, n_jobs):
        """As many as the workers have slots, unless it is said."""
        if n_jobs is not None and n_jobs > 0:
            return n_jobs
        return max(1, sum(role.get("slots", 0) for role in default.cluster().status()["roles"]))

    def apply_async(self, func, callback=None):
        job = Job([self._submit(*call) for call in func.items])
        left = itertools.count(len(job.futures) - 1, -1)
        # What cannot be submitted is heard by get(); its callback would come within this call, and make the next one.
        is_lost = any(each.done() and each.exception() for each in job.futures)
        for each in job.futures if callback and not is_lost else ():
            each.add_done_callback(lambda _: next(left) or callback(job))  # By the last one.
        return job

    def abort_everything(self, ensure_ready=True):
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._executor = Executor(**self._words)

    def _submit(self, function, args, kwargs):
        try:
            return self._executor.submit(function, *args, **kwargs)
        except Exception as error:  # noqa: BLE001 - whoever gets its value hears it
            future = Future()
            future.set_exception(error)
            return future


register_parallel_backend("eole", Backend)
