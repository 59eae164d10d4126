"""A client of one system, told what to do a line at a time (bench/pythons.py): rate COUNT, lone COUNT, arrays COUNT.

Answers each with a line of JSON: tasks and submits a second; microseconds of each."""

import json
import os
import sys
import time

import numpy

from python_tasks import SYSTEM, negative, noop

BODY = "x" * 100
ARRAY = numpy.random.default_rng(1).random(1_250_000)  # 10 MB that nothing compresses.


class Eole:
    def submit_all(self, bodies):
        return noop.map(bodies)

    def gather(self, handles):
        return handles.get(timeout=120)

    def call(self, task, argument):
        return task.delay(argument).get(timeout=60)


class Celery:
    def submit_all(self, bodies):
        import celery
        return celery.group(noop.s(body) for body in bodies).apply_async()

    def gather(self, results):
        return results.join_native(timeout=120) if results.supports_native_join else results.get(timeout=120)

    def call(self, task, argument):
        return task.delay(argument).get(timeout=60)


class Rq:
    def __init__(self):
        import redis
        import rq
        self.redis = redis.Redis(port=int(os.environ["REDIS_PORT"]))
        self.queue = rq.Queue(connection=self.redis)

    def submit_all(self, bodies):
        return self.queue.enqueue_many([self.queue.prepare_data(noop, args=(body,)) for body in bodies])

    def gather(self, jobs):
        from rq.job import Job
        while self.queue.started_job_registry.count or len(self.queue):
            time.sleep(0.01)
        return [job.result for job in Job.fetch_many([job.id for job in jobs], connection=self.redis)]

    def call(self, task, argument):
        job = self.queue.enqueue(task, argument)
        while job.get_status() != "finished":
            time.sleep(0.0005)
        return job.result


class Dask:
    def __init__(self):
        import distributed
        self.client = distributed.Client(os.environ["SCHEDULER"])

    def submit_all(self, bodies):
        return self.client.map(noop, bodies, pure=False)

    def gather(self, futures):
        return self.client.gather(futures)

    def call(self, task, argument):
        return self.client.submit(task, argument, pure=False).result()


def rate(system, count):
    bodies = [f"{number:010}{BODY[10:]}" for number in range(count)]
    start = time.monotonic()
    submitted = system.submit_all(bodies)
    middle = time.monotonic()
    assert list(system.gather(submitted)) == bodies
    return {"submits_per_second": count / (middle - start), "tasks_per_second": count / (time.monotonic() - start)}


def times(call, count):
    found = []
    for number in range(count):
        start = time.monotonic()
        call(number)
        found.append(1e6 * (time.monotonic() - start))
    return {"us": sorted(found)}


def one_array(system, number):
    array = ARRAY + number
    start = time.monotonic()
    value = system.call(negative, array)
    seconds = time.monotonic() - start
    assert (value == -array).all()
    return seconds


def main():
    system = {"eole": Eole, "celery": Celery, "rq": Rq, "dask": Dask}[SYSTEM]()
    assert system.call(noop, BODY) == BODY  # All connections stand.
    print("ready", flush=True)
    for line in sys.stdin:
        what, count = line.split()
        if what == "rate":
            said = rate(system, int(count))
        elif what == "lone":
            said = times(lambda _: system.call(noop, BODY), int(count))
        else:
            said = {"us": sorted(1e6 * one_array(system, number) for number in range(int(count)))}
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
