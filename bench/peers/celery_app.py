"""What the Celery workers of bench/peers/celery_run.py run."""

import os

from celery import Celery

app = Celery("bench", broker=os.environ["BROKER"], backend=os.environ["BACKEND"])
app.conf.update(task_acks_late=True, worker_prefetch_multiplier=4, task_serializer="json",
                result_expires=600, broker_connection_retry_on_startup=True)


@app.task(name="bench.echo")
def echo(body):
    return body
