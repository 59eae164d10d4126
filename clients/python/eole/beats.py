"""Tasks that come again and again, said in code."""

from __future__ import annotations

from typing import Any, Sequence

from . import default
from .tasks import Task


def schedule(task: Task, args: Sequence = (), kwargs: dict | None = None, *, name: str = "", every: Any = None,
             cron: str = "", zone: str = "", missed: str = "once", **words: Any) -> dict:
    """Has a task come every so often (a span: 30, "5m"), or by cron ("0 2 * * *", in a zone, else UTC), and returns the
    schedule. name: its own [the task's kind]; said again, it is the same one. missed, words: as of
    Cluster.schedules.add(). Cluster.schedules lists, pauses and removes them."""
    words = task.words_of(args, kwargs or {}, words)
    return default.cluster().schedules.add(name or task.kind, task.kind, task.said(args, kwargs or {}), cron=cron,
                                           zone=zone, every=every, missed=missed, **words)
