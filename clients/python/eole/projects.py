"""What people see of a project: the ventilator's view of its tasks that are not settled, the sink's of those that
ended."""

from .errors import BadTask, NotFound

UNSETTLED = ("waiting", "queued", "running")
ENDED = ("done", "failed", "dead", "cancelled")
EXPECTED_MAX = 1 << 40  # Tasks: more is a mistake.


def expected_of(name, expected):
    """The option of open that says so; none if nothing is expected."""
    if expected is None:
        return {}
    if type(expected) is not int or not 1 <= expected <= EXPECTED_MAX:
        raise BadTask(f"project {name}: expected {expected!r}: is no whole number from 1 to {EXPECTED_MAX}")
    return {"expected": expected}


def look_at(query, name):
    """What people see of it, whether it is over and its last task, too, and what the ventilator says, or {}."""
    live = query("ventilator", "project", project=name)
    since = {"since": live["read_to"]} if live else {}  # So that nothing is counted as both.
    ended = query("queries", "project", project=name, **since)
    if live is None and ended is None:
        raise NotFound(f"project {name}: nothing is known of it")
    last = (live or {}).get("collected")
    result = query("queries", "result", last) if last else None
    if result is not None and result.get("state") == "retrying":
        result = None
    view = {**project_view(live, ended), "result": result}
    is_over = view["state"] == "over" and not ((live or {}).get("has_collect") and result is None)
    return view, is_over, live or {}


def project_view(live, ended):
    """Of both views, each None if that role knows nothing; as `eole project --json` has it, but for `result`."""
    live, ended = live or {}, ended or {}
    left, since = {}, ended.get("since", 0)  # Of what the ventilator told, without what ended meanwhile.
    for name in reversed(UNSETTLED):
        count = live.get(name, 0)
        left[name], since = max(0, count - since), max(0, since - count)
    unsettled = sum(left.values())
    settled = sum(ended.get(name, 0) for name in ENDED)
    tasks = unsettled + settled
    state = live.get("state", "open")
    # What ended since may have been submitted since, while another one of it still runs.
    if not any(live.get(name) for name in UNSETTLED) and not live.get("is_opened"):
        state = "over"
    total = max(tasks, live.get("expected") or 0) if state == "open" else tasks
    done = settled + min(ended.get("running_done", 0), left["running"])
    only_waits = left["waiting"] > 0 and left["queued"] + left["running"] == 0
    return {"project": live["project"] if live else ended["project"], "state": state, "tasks": tasks,
            "expected": live.get("expected"),
            **{name: left[name] for name in UNSETTLED}, **{name: ended.get(name, 0) for name in ENDED},
            **{name: ended.get(name) if settled else None for name in ("first_unix_ms", "last_unix_ms")},
            "progress": done / total if total else float(state == "over"),
            "eta_seconds": None if only_waits else eta_of(total - done, settled, ended)}


def eta_of(left, ended, times):
    """By the rate from the first end to the last one; None if there were no two."""
    if left <= 0:
        return 0.0
    took = times.get("last_unix_ms", 0) - times.get("first_unix_ms", 0)
    return left * took / 1000 / (ended - 1) if ended >= 2 and took > 0 else None
