"""/metrics before promtool, and before a Prometheus whose numbers must be those of `eole status`."""

import json
import pathlib
import subprocess
import tempfile
import urllib.parse
import urllib.request

from cluster import Cluster, wait_until
from http_client import Http
from judge import free_port, running, tool

CONFIG = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: eole
    static_configs: [{{targets: ['127.0.0.1:{port}']}}]
"""


def run(_seconds):
    promtool, prometheus = tool("promtool", "Debian: prometheus"), tool("prometheus", "Debian: prometheus")
    with Cluster("--allow-exec", workers=2) as cluster, tempfile.TemporaryDirectory() as directory:
        http = Http(cluster)
        ids = http.post("/task", [{"kind": "echo", "args": n} for n in range(500)]
                        + [{"kind": "exec", "args": {"argv": ["false"]}} for _ in range(5)]
                        + [{"kind": "echo", "delay": "1h"} for _ in range(7)])["ids"]
        wait_until(lambda: cluster.settled() >= len(ids) - 7, what="all have ended")
        text = http.get("/metrics")
        text = text if isinstance(text, str) else text.decode()
        checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
        assert checked.returncode == 0 and not checked.stderr, f"promtool check metrics: {checked.stderr}"
        names = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
        print(f"metrics: promtool has nothing to say of {len(names)} metrics", flush=True)
        file, port = pathlib.Path(directory, "prometheus.yml"), free_port()
        file.write_text(CONFIG.format(port=http.port), encoding="utf-8")
        with running(prometheus, f"--config.file={file}", f"--storage.tsdb.path={directory}/data",
                     f"--web.listen-address=127.0.0.1:{port}"):
            wait_until(lambda: is_ready(port), what="Prometheus serves")
            compare(cluster, names, port)


def is_ready(port):
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=10).status == 200
    except OSError:
        return False


def ask(port, query):
    url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": query})
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)["data"]["result"]


def compare(cluster, names, port):
    wait_until(lambda: ask(port, 'up{job="eole"} == 1'), what="it is scraped")
    status = cluster.status()
    told = {"eole_tasks_accepted_total": status["accepted"], "sum(eole_tasks)": status["accepted"] - status["settled"],
            "eole_log_head_offset": status["head"], "sum(eole_workers)": 2}
    for query, value in told.items():
        [found] = ask(port, query)
        assert float(found["value"][1]) == value, f"{query}: Prometheus says {found['value'][1]}, eole status says {value}"
    absent = sorted(name for name in names if not ask(port, f"count({name} or {name}_count)"))
    print(f"metrics: Prometheus has scraped {len(names) - len(absent)} of {len(names)} (of {absent} there is nothing as yet), "
          f"and agrees with eole status: {', '.join(f'{query} {value}' for query, value in told.items())}", flush=True)
