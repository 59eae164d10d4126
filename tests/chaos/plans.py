"""Keyed tasks and chains while roles are killed: order and exactly once, by what the log says in the end."""

import collections
import threading
import time

import eole
from cluster import Cluster
from rig import Killer

KEYS = 20
LINKS = 5  # Of a chain.
SLACK_SECONDS = 0.003  # Times in the log are milliseconds, rounded.


class Plans:
    """Submits so many tasks a second until it is told to end; what waits for what, by the ids."""

    def __init__(self, cluster, rate):
        self._rate = rate
        self._path = f"{cluster.directory}/eole/cluster.toml"
        self._should_end = threading.Event()
        self._error = None
        self.keyed = collections.defaultdict(list)  # Key -> ids in their order.
        self.chains = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        try:
            with eole.Cluster(self._path, patience=120) as client:
                number = 0
                count = 0
                while not self._should_end.wait(count / self._rate):
                    number += 1
                    count = self._submit(client, number)
        except Exception as error:  # noqa: BLE001 - told by finish()
            self._error = error

    def _submit(self, client, number):
        keyed = [{"kind": "sleep", "args": {"seconds": 0.002}, "key": f"key {n % KEYS}"} for n in range(3 * KEYS)]
        chain = [{"kind": "echo", "name": "0", "args": {"n": number}}]
        chain += [{"kind": "echo", "name": str(n), "args": {"n": {"$result": str(n - 1), "path": "n"}}}
                  for n in range(1, LINKS)]
        ids = client.submit(keyed + chain, attempts=255)
        for n, task in enumerate(ids[:len(keyed)]):
            self.keyed[n % KEYS].append(task)
        self.chains.append((number, ids[len(keyed):]))
        return len(ids)

    def finish(self):
        self._should_end.set()
        self._thread.join()
        if self._error is not None:
            raise self._error

    def ids(self):
        return [task for ids in (*self.keyed.values(), *(chain for _, chain in self.chains)) for task in ids]


def begun(record):
    return record.finished - record.run_seconds


def compare(plans, records):
    """What the log says, record by record, with what was asked for."""
    ends = {}
    for record in records:
        if record.is_final:
            assert record.id not in ends, f"{record.id} ended twice"
            assert record.state == "done", f"{record.id}: {record.state}: {record.error}"
            ends[record.id] = record
    assert set(ends) == set(plans.ids()), "other tasks ended than were accepted"
    for ids in (*plans.keyed.values(), *(chain for _, chain in plans.chains)):
        for before, after in zip(ids, ids[1:]):
            one, other = ends[before], ends[after]
            assert one.offset < other.offset, f"{after} ended before {before}"
            assert begun(other) >= one.finished - SLACK_SECONDS, f"{after} began before {before} ended"
    for number, chain in plans.chains:
        assert [ends[task].value for task in chain] == [{"n": number}] * LINKS, f"{chain}: a value went astray"


def order(options):
    with Cluster(workers=3, slots=2) as cluster:
        plans = Plans(cluster, options.rate)
        killer = Killer(cluster, options.random)
        killer.run(time.monotonic() + 60 * options.minutes)
        plans.finish()
        accepted = len(plans.ids())
        cluster.wait_settled(accepted, 300)
        head = cluster.status()["head"]
        with eole.Cluster(f"{cluster.directory}/eole/cluster.toml") as client:
            records = []
            for record in client.results(offset=0, timeout=30):
                records.append(record)
                if record.offset + 1 >= head:
                    break
        compare(plans, records)
        return {"tasks": accepted, "chains": len(plans.chains), "kills": killer.count("kill"),
                "attempts_again": sum(record.attempt > 1 for record in records)}
