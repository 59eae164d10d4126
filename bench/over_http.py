"""./dev bench http: what the gateway does over HTTP, on a local cluster with two no-op workers."""

import http.client
import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import threading
import time

from bench import BIN, Cluster, bench, cpu_seconds, run  # It finds the next two.
from http_client import Http
from live_client import WebSocket
from node_tests import install
from eole.connection import Connection

PAGE_TESTS = pathlib.Path(__file__).parents[1] / "tests/page"
TASK = json.dumps({"kind": "echo", "args": {"text": "x" * 60}})
CONNECTIONS = 64
LISTENERS, EVENTS_PER_SECOND, SECONDS = 1000, 1000, 20
HISTORY = 10_000_000
KEYED = 200_000  # Of them, the oldest, each with a key of its own.


def wrk(address, path, body, fields=(), seconds=5):
    """Requests a second that wrk (Debian has it) gets answered with 2xx, from one thread."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f"wrk.method = 'POST'\nwrk.body = [[{body}]]\n")
        script.writelines(f"wrk.headers['{name}'] = '{value}'\n" for name, value in fields)
        script.flush()
        said = subprocess.run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", script.name,
                               f"http://{address}{path}"], capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in said, said
    return float(re.search(r"Requests/sec: +([\d.]+)", said)[1])


def one_by_one(connection, path, body, count, fields=None):
    """Microseconds of each request."""
    times = []
    for _ in range(count):
        start = time.monotonic()
        connection.request("POST", path, body, fields or {})
        answer = connection.getresponse()
        answer.read()
        times.append((time.monotonic() - start) * 1e6)
        assert answer.status < 300, answer.status
    return times


def connected(address):
    return http.client.HTTPConnection(address.host, address.port, timeout=60)


def gateway_pid(address):
    return address.get("/cluster")["gateway"]["pid"]


def posts():
    """One task a request, each durable before its answer."""
    with Cluster(workers=2, slots=1) as cluster:
        address = Http(cluster)
        return wrk(f"{address.host}:{address.port}", "/task", TASK)


def gateway_time():
    """Microseconds of the gateway's for each of these."""
    with Cluster(workers=2, slots=1) as cluster:
        address = Http(cluster)
        pid = gateway_pid(address)
        before = cpu_seconds(pid), cluster.status()["accepted"]
        wrk(f"{address.host}:{address.port}", "/task", TASK)
        after = cpu_seconds(pid), cluster.status()["accepted"]
        return 1e6 * (after[0] - before[0]) / (after[1] - before[1])


def tasks_per_sync():
    with Cluster(workers=2, slots=1) as cluster:
        address = Http(cluster)
        before = cluster.status()
        wrk(f"{address.host}:{address.port}", "/task", TASK)
        after = cluster.status()
        return (after["accepted"] - before["accepted"]) / (after["journal_syncs"] - before["journal_syncs"])


def lines():
    count = 1_000_000
    body = ((TASK + "\n") * count).encode()
    with Cluster(workers=2, slots=1) as cluster:
        connection = connected(Http(cluster))
        start = time.monotonic()
        connection.request("POST", "/task", body, {"Content-Type": "application/x-ndjson"})
        answer = connection.getresponse().read()
        seconds = time.monotonic() - start
        assert len(json.loads(answer)["ids"]) == count
        return count / seconds


def wait():
    """?wait=, as a multiple of a lone task's time, in turns on one cluster."""
    shares = []
    with Cluster(workers=2, slots=1) as cluster:
        connection = connected(Http(cluster))
        for _ in range(5):
            times = one_by_one(connection, "/task?wait=10s", TASK, 500)
            lone = bench(cluster, "latency", tasks=500)["p50_us"]
            shares.append(statistics.median(times) / lone)
    return shares


def highest_resident_bytes(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def listeners(measure):
    """Listeners that hear of every task, each message without a gap; what `measure` says of it."""
    def run():
        with Cluster(workers=2, slots=1) as cluster:
            address = Http(cluster)
            pid = gateway_pid(address)
            events = EVENTS_PER_SECOND * SECONDS
            hearing = subprocess.Popen([BIN / "eole-bench-listeners", str(address.port), str(LISTENERS),
                                        str(events)], stdout=subprocess.PIPE, text=True)
            assert hearing.stdout.readline() == "listening\n"
            before = cpu_seconds(pid)
            subprocess.run([BIN / "eole-chaos", "load", str(EVENTS_PER_SECOND), str(SECONDS),
                            cluster.directory + "/accepted"], check=True, capture_output=True, env={
                                **cluster.env, "EOLE_CLUSTER": cluster.directory + "/eole/cluster.toml"})
            said = json.loads(hearing.communicate(timeout=120)[0])
            assert hearing.returncode == 0 and said["gaps"] == 0, said
            return measure(said, cpu_seconds(pid) - before, highest_resident_bytes(pid))
    return run


def history():
    """Milliseconds for the newest page of ten million results, one figure for each way to ask."""
    with Cluster(workers=2, slots=1) as cluster:
        bench(cluster, "throughput", tasks=HISTORY, ring=65536)
        connection = connected(Http(cluster))

        def page(query):
            start = time.monotonic()
            connection.request("GET", f"/history?limit=50{query}")
            answer = connection.getresponse()
            body = json.loads(answer.read())
            assert answer.status == 200, body
            return 1000 * (time.monotonic() - start), body
        while not (newest := page("")[1])["complete"]:  # Nobody asked before: the index is made now.
            pass
        assert len(newest["rows"]) == 50 and newest["as_of"] == HISTORY, newest["as_of"]
        times = []
        for query in ("", "&state=done", "&kind=echo", "&state=failed", "&text=xxx"):
            times.append(statistics.median(page(query)[0] for _ in range(20)))
        return times


def history_by(way, letter):
    """Milliseconds until the history has told what has a key or a word, among ten million results: of the oldest, of the
    newest, and of one that no result has. It is asked as `eole history` does, page by page."""
    def run():
        with Cluster(workers=2, slots=1) as cluster:
            lines = "".join(json.dumps({"kind": "echo", "args": {"text": f"{'x' * 50} n{number}"}, "key": f"k{number}"}) + "\n"
                            for number in range(KEYED))
            cluster.eole("submit", "--file", "-", input=lines, timeout=600)
            bench(cluster, "throughput", tasks=HISTORY - KEYED, ring=65536)
            asking = Connection(cluster.directory + "/eole/cluster.toml", 60)

            def found(wanted):
                start, options = time.monotonic(), {way: wanted, "limit": 50}
                while True:
                    page = asking.query("queries", "history", options=options)
                    if page["rows"] or page["next"] is None:
                        return 1000 * (time.monotonic() - start), page
                    options["cursor"] = page["next"]
            while not (oldest := found(f"{letter}0")[1])["complete"]:
                pass
            assert [row["key"] for row in oldest["rows"]] == ["k0"] and oldest["as_of"] == HISTORY, oldest
            times = [statistics.median(found(wanted)[0] for _ in range(20))
                     for wanted in (f"{letter}0", f"{letter}{KEYED - 1}", "none")]
            asking.close()
            return times
    return run


# As the page's first screen asks when nothing changes: path, seconds between two times.
ASKED = (("/cluster", 1), ("/workers", 10), ("/projects", 10), ("/dead/groups", 10), ("/dead/groups", 10),
         ("/history?state=failed&limit=5", 10))


def idle_page():
    """Per cent of a core that gateway, ventilator and sink use for an open page, beyond what they use without."""
    with Cluster(workers=2, slots=1) as cluster:
        address = Http(cluster)
        pids = [gateway_pid(address), cluster.pid("ventilator"), cluster.pid("sink")]

        def share(seconds=20):
            before = sum(map(cpu_seconds, pids))
            time.sleep(seconds)
            return 100 * (sum(map(cpu_seconds, pids)) - before) / seconds

        def ask(path, every):
            connection = connected(address)
            while not is_over.wait(every):
                connection.request("GET", path)
                connection.getresponse().read()
        address.get("/history?state=failed&limit=5")
        without = share()
        is_over = threading.Event()
        with WebSocket(address, "/notifications?from=latest"):
            asking = [threading.Thread(target=ask, args=each) for each in ASKED]
            for each in asking:
                each.start()
            try:
                return share() - without
            finally:
                is_over.set()
                for each in asking:
                    each.join()


def brushed_map():
    """Milliseconds between two frames of the page while somebody draws over a map of 100,000 tasks: the median, and of 99 in
    100; then the page's own work for each move."""
    install(PAGE_TESTS)
    with Cluster(workers=2, slots=1) as cluster:
        tasks = "".join(json.dumps({"kind": "echo", "project": "drawn", "args": number}) + "\n" for number in range(100_000))
        cluster.eole("submit", "--file", "-", input=tasks, timeout=600)
        cluster.wait_settled(100_000)
        address = Http(cluster)
        times = in_browser("brush.mjs", address, EOLE_PROJECT="drawn")
        return [times["median"], times["p99"], times["script"]]


def in_browser(program, address, **env):
    env = {**os.environ, "EOLE_PAGE": f"http://{address.host}:{address.port}", **env}
    return json.loads(subprocess.run(["node", program], cwd=PAGE_TESTS, env=env, capture_output=True, text=True, check=True).stdout)


def looked_at(name):
    """Of a page in a browser: until its figures are there, between frames while 10,000 rows are scrolled, while it is idle."""
    def run():
        install(PAGE_TESTS)
        with Cluster(workers=2, slots=1) as cluster:
            cluster.eole("submit", "--file", "-", input='{"kind": "echo"}\n' * 11_000, timeout=600)
            cluster.wait_settled(11_000)
            return in_browser("figures.mjs", Http(cluster))[name]
    return run


MEASURES = [
    ("HTTP, one task a request, 64 connections", "tasks/s", posts, 3),
    ("… processor time of the gateway for each", "us", gateway_time, 3),
    ("… tasks for each sync of the journal", "tasks", tasks_per_sync, 3),
    ("HTTP, a million lines in one request", "tasks/s", lines, 3),
    ("HTTP, ?wait= of one at a time, of that without HTTP in turns", "times", wait, 1),
    ("HTTP, 1,000 WebSockets that hear 1,000 events/s: memory of the gateway at most", "MiB",
     listeners(lambda said, seconds, most: most / 2**20), 3),
    ("… its processor time", "% of a core", listeners(lambda said, seconds, most: 100 * seconds / said["seconds"]), 3),
    ("HTTP, first page of the history of 10 million results, five ways to ask", "ms", history, 1),
    ("what has a key in the history of 10 million results, three keys", "ms", history_by("key", "k"), 1),
    ("what has a word in the history of 10 million results, three words", "ms", history_by("text", "n"), 1),
    ("HTTP, gateway, ventilator and sink with an idle page", "% of a core", idle_page, 3),
    ("the page from its request until it has its figures", "ms", looked_at("paint"), 3),
    ("a frame of the page while 10,000 rows are scrolled, the median", "ms", looked_at("median"), 3),
    ("… of 99 in 100", "ms", looked_at("p99"), 3),
    ("the browser's process of a page that is open and idle", "% of a core", looked_at("idle"), 3),
    ("a frame of the page's map of 100,000 tasks while it is drawn over, 99 in 100, and its own work", "ms", brushed_map, 1),
]


if __name__ == "__main__":
    run(MEASURES, "http", "./dev bench http", __doc__)
