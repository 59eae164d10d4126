"""Consumes a group, for tests: consumer.py GROUP FILE FAILS DIES. Writes a line to FILE for each call of its handler, which
raises an exception for n in FAILS (JSON) unlike any before; DIES: "letter" kills it behind the first dead letter, a number
at so many calls."""

import json
import os
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "clients/python"))
import eole  # noqa: E402
from eole import consuming  # noqa: E402

group, path, fails, dies = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), sys.argv[4]
calls = 0


def die():
    os.kill(os.getpid(), signal.SIGKILL)


class Mortal(consuming.Consumer):
    def _give_up(self, *arguments):
        super()._give_up(*arguments)
        die()


def handler(record):
    global calls
    calls += 1
    n = record.value["n"]
    if dies == str(calls):
        die()
    with open(path, "a", encoding="ascii") as file:
        file.write(f"{n} {'failed' if n in fails else 'done'}\n")
    if n in fails:
        raise ValueError(f"{n} fails in process {os.getpid()}")


if dies == "letter":
    consuming.Consumer = Mortal
with eole.Cluster() as cluster:  # Silent for longer than a killed member has what it owned.
    cluster.consume(group, handler, tries=2, backoff=0.02, topic=f"{group}/echo/done", timeout=9)
