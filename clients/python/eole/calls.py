"""Any function that can be imported, as a task: python3 -m eole.runner eole.calls, for eole.Executor. Who may submit
to such a runner may run anything in it."""

import importlib

from .tasks import task


@task
def call(function: str, args: list, kwargs: dict):
    """Calls MODULE:NAME with these arguments."""
    module, _, name = function.partition(":")
    found = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found(*args, **kwargs)
