#!/usr/bin/python3
"""A cache that is kept up to date from the log, compared with the truth while the sink is killed, three times, and a
log that is kept small is cut meanwhile.

    eole up --compact users --keep-bytes 1MiB
    python3 examples/cache.py [CHANGES]
"""

import os
import pathlib
import random
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients/python"))
import eole  # noqa: E402

CHANGES = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
KILLS = 3
PROJECT = "users"
truth = {}


def change(cluster):
    """A user is changed or, now and then, removed. Tasks of one key are done in the order in which they were submitted."""
    key = f"user {os.getpid()}-{random.randrange(200)}"
    value = {"credit": random.randrange(1000)} if random.randrange(10) else None
    truth[key] = value
    return cluster.submit("echo", value, project=PROJECT, key=key)


def mine(cache):
    return {key: value for key, value in cache.items() if key.startswith(f"user {os.getpid()}-")}


with eole.Cluster() as cluster:
    ids = [task for _ in range(CHANGES // 4) for task in change(cluster)]
    list(cluster.results(ids))
    with cluster.cache(PROJECT) as early:
        for kill in range(KILLS):
            ids = [task for _ in range(CHANGES // 4) for task in change(cluster)]
            [sink] = [role for role in cluster.status()["roles"] if role["role"] == "sink"]
            os.kill(sink["pid"], signal.SIGKILL)
            last = max(result.offset for result in cluster.results(ids))
            early.wait(last)
            wanted = {key: value for key, value in truth.items() if value is not None}
            assert mine(early) == wanted, f"after kill {kill + 1}: {mine(early)}, not {wanted}"
            list(cluster.map("echo", ["others' results" * 30_000] * 4))  # For which old ones go, if little is kept.
            with cluster.cache(PROJECT) as late:  # Warmed now, from what is left of the log.
                assert mine(late) == wanted, f"after kill {kill + 1}: warmed {mine(late)}, not {wanted}"
        told = dict(early.changes(timeout=0.1))
        assert told == dict(early)
    print(f"{CHANGES} changes of {len(truth)} users, the sink killed {KILLS} times: the cache is the truth")
