"""What the Python runners of a chaos scenario run."""

import os
import time

import eole


@eole.task
def twice(number: int):
    """The double, after a little while."""
    time.sleep(0.001 * (number % 5))
    return 2 * number


@eole.task
def meet(directory: str, name: str, count: int, seconds: float):
    """Done once so many of them are at it at the same time."""
    open(f"{directory}/{name}", "w", encoding="ascii").close()
    until = time.monotonic() + seconds
    while len(os.listdir(directory)) < count:
        if time.monotonic() > until:
            raise TimeoutError(f"{os.listdir(directory)} are here, wanted are {count}")
        time.sleep(0.01)
    return name
