"""Tasks that come again and again."""

import datetime
import os

import msgpack

from .errors import BadTask, NotFound
from .submission import messages_of
from .words import check_words, milliseconds


def control(connection, what, options):
    """Says what is to hold from now on; an id tells its copies, of which one may come late, from a new wish."""
    packed = msgpack.packb({"id": os.urandom(8).hex(), **options}, use_bin_type=True)
    return connection.answer("ventilator", "control", what, payload=packed)


def time_of(unix_ms):
    """RFC 3339, in UTC; None stays."""
    if unix_ms is None:
        return None
    second = datetime.datetime.fromtimestamp(unix_ms // 1000, datetime.timezone.utc)
    return second.strftime("%Y-%m-%dT%H:%M:%S") + (f".{unix_ms % 1000:03d}Z" if unix_ms % 1000 else "Z")


def view_of(schedule):
    """As `eole schedule list --json` has it."""
    view = {name: schedule[name] for name in ("cron", "zone", "every_ms", "last_error") if schedule.get(name) is not None}
    view.update({name: time_of(schedule.get(name)) for name in ("next", "last")})
    if "last_error" in view:
        view["tried_again"] = time_of(schedule["tried_again"])
    return {"name": schedule["name"], "fired": schedule.get("fired") or 0, "paused": schedule.get("paused") is True,
            "missed": schedule["missed"], **view}


class Schedules:
    """The schedules of a cluster (docs/plans.md, "Schedules"): `cluster.schedules`. A schedule is a map with name,
    next, last, fired, paused, missed, its cron and zone or every_ms, and last_error if its task was not accepted.
    NotFound if there is none of a name."""

    def __init__(self, connection, submit):
        self._connection = connection
        self._submit = submit

    def add(self, name, kind, args=None, cron="", zone="", every=None, missed="once", project="", retry=False,
            attempts=0, **words):
        """Sets one up: each beat is a task of this kind. cron and zone (UTC), or every: a span. missed: beats that
        passed while the ventilator was away come "once", for the last of them, or not at all ("skip"). words: as of
        submit(). Said again, it is the same one."""
        check_words({"kind": kind, **words})
        if bool(cron) == (every is not None):
            raise BadTask(f"schedule {name}: give cron or every")
        if zone and not cron:
            raise BadTask(f"schedule {name}: zone goes with cron")
        rhythm = {"cron": cron, "zone": zone or "UTC"} if cron else {"every_ms": milliseconds(every, "every")}
        [(task, _, _)] = messages_of(kind, [args], project, retry, attempts, "", 1, words)
        return self._control(name, "added", missed=missed, task=task, **rhythm)

    def list(self):
        return [view_of(each) for each in self._connection.query("ventilator", "schedules")]

    def show(self, name, beats=5):
        """One, with its next `beats`."""
        schedule = self._find(name, beats)
        return {**view_of(schedule), "beats": [time_of(beat) for beat in schedule.get("beats") or ()]}

    def pause(self, name):
        """No beats until it is resumed."""
        return self._control(name, "paused")

    def resume(self, name):
        """Goes on; what a pause has passed over is not made up for."""
        return self._control(name, "running")

    def run(self, name):
        """Submits its task now, beside its beats; the id."""
        return self._submit([(self._find(name, 0)["task"], 1, "")])[0]

    def remove(self, name):
        """Takes it back; its tasks stay. False if there was none."""
        return control(self._connection, "schedule", {"name": name, "state": "removed"})["was_there"]

    def _find(self, name, beats):
        schedule = self._connection.query("ventilator", "schedule", options={"name": name, "beats": beats})
        if schedule is None:
            raise NotFound(f"schedule {name}: there is none")
        return schedule

    def _control(self, name, state, **wish):
        if state != "added":
            self._find(name, 0)
        return view_of(control(self._connection, "schedule", {"name": name, "state": state, **wish}))
