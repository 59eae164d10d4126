"""What became of a task, in sentences: from its result, and from what the log has of its attempts."""

import re

REASON = re.compile(r"attempt (\d+): (.*)", re.DOTALL)  # As the ventilator tells of an attempt.


def why_ended(view):
    """How a settled task ended: a map with code and text."""
    state, error, is_told = view["state"], view.get("error") or "", bool(view.get("worker"))
    if "is_kept" in view:
        return {"code": "not_kept", "text": f"it ended, {state}; its result is no longer kept"}
    code = "" if is_told else view.get("code") or ""  # Only the ventilator says why one ended without a worker.
    text = (error if code else f"it is {state}") + (f", attempt {view['attempt']}" if is_told else "")
    text += _where_and_when(view)
    if not code:
        if not is_told and view["attempt"] == 0 and state == "cancelled":
            text += ", before it began"
        text += "" if error in ("", state) else f": {error}"
    return {"code": code or state, "text": text}


def history_of(view, attempts):
    """Each attempt that ended, the oldest first. attempts: what the log has; view: the task."""
    records = {record["attempt"]: record for record in attempts if record.get("worker")}
    reasons = {}
    for match in map(REASON.fullmatch, view.get("reasons") or ()):
        if match and int(match[1]) not in records:
            reasons.setdefault(int(match[1]), match[2])
    both = sorted({*records, *reasons})
    found = []
    for attempt in both:
        is_last = "offset" in view and attempt == both[-1]
        found.append(_told(records[attempt], is_last) if attempt in records
                     else {"attempt": attempt, "state": "lost", "error": reasons[attempt],
                           "text": f"attempt {attempt} was lost: {reasons[attempt]}"
                                   + ("" if is_last else "; tried again unasked")})
    return found


def _told(record, is_last):
    state = "failed" if record["state"] == "retrying" else record["state"]
    text = f"attempt {record['attempt']} {state}{_where_and_when(record)}"
    text += f": {record['error']}" if record.get("error") else ""
    text += "; tried again, as its task asks" if record["state"] == "retrying" and not is_last else ""
    known = {name: record[name] for name in ("worker", "finished", "run_seconds", "error")
             if record.get(name) is not None}
    return {"attempt": record["attempt"], "state": state, **known, "text": text}


def _where_and_when(record):
    text = f" on {record['worker']}" if record.get("worker") else ""
    text += f" at {record['finished']}" if record.get("finished") else ""
    seconds = record.get("run_seconds") or 0
    return text + (f" after {seconds:.1f} s" if seconds > 0 else "")
