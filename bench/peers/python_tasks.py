"""What the workers of bench/pythons.py run, for each system. Celery's has its settings beside it."""

import os


def noop(body):
    return body


def negative(array):
    return -array


SYSTEM = os.environ["BENCH_SYSTEM"]
if SYSTEM == "celery":
    import celery
    app = celery.Celery("bench", broker=os.environ["BROKER"], backend=os.environ["BACKEND"])
    app.conf.update(worker_prefetch_multiplier=64, task_acks_late=False, task_default_delivery_mode=1,
                    task_serializer="pickle", result_serializer="pickle", accept_content=["pickle"],
                    worker_send_task_events=False, task_send_sent_event=False)
    noop, negative = app.task(noop), app.task(negative)
elif SYSTEM == "eole":
    import eole
    noop, negative = eole.task(noop), eole.task(negative)
