"""One run of Celery: celery_run.py throughput COUNT | lone COUNT. Two worker processes are up."""

import json
import sys
import time

from celery_app import echo


def main():
    what, count = sys.argv[1], int(sys.argv[2])
    body = "x" * 100
    echo.delay(body).get(timeout=30)  # All connections stand.
    if what == "throughput":
        start = time.monotonic()
        results = [echo.delay(body) for _ in range(count)]
        for result in results:
            result.get(timeout=60)
        print(json.dumps({"tasks_per_second": count / (time.monotonic() - start)}))
        return
    micros = []
    for _ in range(count):
        start = time.monotonic()
        echo.delay(body).get(timeout=30)
        micros.append(1e6 * (time.monotonic() - start))
    micros.sort()
    print(json.dumps({"p50_us": micros[count // 2], "p99_us": micros[count * 99 // 100]}))


if __name__ == "__main__":
    main()
