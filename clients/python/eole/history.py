"""What became of a task, in sentences: from its result, and from what the log has of its attempts."""

import re

ATTEMPTS_MAX = 255  # Of a task; a record may say any number.
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
    copies = {record["attempt"]: record.get("error") or "" for record in attempts
              if not record.get("worker") and record["state"] == "copy" and record["attempt"] not in records}
    reasons = {}
    for match in map(REASON.fullmatch, view.get("reasons") or ()):
        if match and int(match[1]) not in records:
            reasons.setdefault(int(match[1]), match[2])
    reasons.update(copies)
    # Of a lost one only the ventilator knew why; started anew, it forgot.
    if "offset" in view and view.get("worker"):
        for attempt in range(1, min(view["attempt"], ATTEMPTS_MAX)):
            if attempt not in records:
                reasons.setdefault(attempt, "no end of it is in the log")
    both = sorted({*records, *reasons})
    found = []
    for attempt in both:
        is_last = "offset" in view and attempt == both[-1]
        found.append(_told(records[attempt], is_last) if attempt in records
                     else {"attempt": attempt, "state": "lost", "error": reasons[attempt],
                           "text": f"attempt {attempt} was lost: {reasons[attempt]}"
                                   + ("; its other copy went on" if attempt in copies
                                      else "" if is_last else "; tried again unasked")})
    return found


def _told(record, is_last):
    is_copy = record["state"] == "copy"
    state = record.get("ended") if is_copy else "failed" if record["state"] == "retrying" else record["state"]
    stopped = record.get("stopped") if state == "cancelled" else None
    why = _how_stopped(stopped) if isinstance(stopped, dict) else record.get("error")
    text = f"attempt {record['attempt']} {state}{_where_and_when(record)}"
    text += f": {why}" if why else ""
    text += "; another end of its task counts" if is_copy else ""
    text += "; tried again, as its task asks" if record["state"] == "retrying" and not is_last else ""
    known = {name: record[name] for name in ("worker", "pid", "lease", "offset", "finished", "run_seconds", "error", "stopped")
             if record.get(name) is not None}
    return {"attempt": record["attempt"], "state": state, **known, "text": text}


def _how_stopped(stopped):
    """As eole cancel says it: "process 4711 and 2 others got SIGTERM, then SIGKILL; gone after 200 ms"."""
    seconds = stopped.get("seconds") or 0
    took = f"{seconds:.1f} s" if seconds >= 10 else f"{int(seconds * 1000)} ms"
    signals = stopped.get("signals")
    if not isinstance(signals, list):
        return f"it ended {took} after it was told to"
    others = (stopped.get("processes") or 1) - 1
    text = f"process {stopped.get('pid')}" + (f" and {others} other{'' if others == 1 else 's'}" if others > 0 else "")
    return text + (f" got {', then '.join(map(str, signals))}" if signals else "") + f"; gone after {took}"


def _where_and_when(record):
    text = f" on {record['worker']}" if record.get("worker") else ""
    text += f" at {record['finished']}" if record.get("finished") else ""
    seconds = record.get("run_seconds") or 0
    return text + (f" after {seconds:.1f} s" if seconds > 0 else "")
