"""For asyncio: nothing here blocks the loop. `await handle` and `await handles` work of any handle."""

from __future__ import annotations

import asyncio
from typing import Any, AsyncIterator, Iterable, overload

from . import default
from .flows import Flow
from .handles import Handle, Handles
from .listener import listener, result_of
from .tasks import Takes, Task, Value

__all__ = ["apply", "cancel", "delay", "results", "submit"]


@overload
async def delay(task: Task[Takes, Value], *args: Takes.args, **kwargs: Takes.kwargs) -> Handle[Value]: ...


@overload
async def delay(task: Flow, *args: Any, **kwargs: Any) -> Any: ...


async def delay(task, *args, **kwargs):
    """task.delay(…); also of a chain, group or chord."""
    return await _in_thread(lambda: task.delay(*args, **kwargs))


async def apply(task: Task | Flow, *args: Any, **words: Any) -> Any:
    """task.apply(…)."""
    return await _in_thread(lambda: task.apply(*args, **words))


async def submit(kind: str, args: Any, **words: Any) -> Handles:
    """Cluster.submit(): tasks of any kind, durable when it returns."""
    ids = await _in_thread(lambda: default.cluster().submit(kind, args, **words))
    return Handles(ids)


async def results(handles: Iterable[Handle[Value]]) -> AsyncIterator[Handle[Value]]:
    """Each handle as its task ends, however it ended: its get() does not wait."""
    left = {}
    for handle in handles:
        left[asyncio.ensure_future(asyncio.wrap_future(result_of(handle.id)))] = handle
    try:
        while left:
            done, _ = await asyncio.wait(left, return_when=asyncio.FIRST_COMPLETED)
            for future in done:
                handle = left.pop(future)
                handle._result = future.result()
                yield handle
    finally:
        for future in left:
            future.cancel()


async def cancel(handle: Handle | Handles) -> None:
    """It is to end."""
    await _in_thread(handle.cancel)


async def _in_thread(function):
    return await asyncio.wrap_future(listener().ask(function))
