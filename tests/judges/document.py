"""prism between a client and the gateway: it validates each request and each answer by the OpenAPI document."""

import json
import pathlib
import tempfile

from cluster import Cluster, wait_until
from http_client import Http
from judge import free_port, listens, running, tool

REQUESTS = [
    ("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/cluster"), ("GET", "/kinds"), ("GET", "/workers"), ("GET", "/tasks"),
    ("GET", "/tasks?limit=1&state=queued"), ("GET", "/history"), ("GET", "/history?limit=2&text=x"), ("GET", "/projects"),
    ("GET", "/projects/p"), ("GET", "/projects/nobody"), ("GET", "/limits"), ("GET", "/schedules"), ("GET", "/schedules/s"),
    ("GET", "/dead"), ("GET", "/dead/groups"), ("GET", "/queues"), ("GET", "/queues/q"), ("GET", "/task/{id}"),
    ("GET", "/task/zzzzzz-1"), ("GET", "/status?file_name=a"), ("GET", "/queues/q/messages?max=2"),
    ("POST", "/task", {"kind": "echo", "args": 1}), ("POST", "/task", [{"kind": "echo"}]), ("POST", "/task", {"kind": ""}),
    ("POST", "/task?wait=10s", {"kind": "echo"}), ("POST", "/pause", {"scope": "kind:none"}),
    ("POST", "/resume", {"scope": "kind:none"}),
    ("POST", "/tasks/cancel", {"project": "p", "dry_run": True}), ("POST", "/dead/replay", {"all": True, "dry_run": True}),
    ("POST", "/dead/discard", {"all": True}), ("POST", "/projects/p/open", {"is_again": True}), ("POST", "/projects/p/close", {}),
    ("POST", "/queues/q/messages", {"n": 1}), ("POST", "/work/none/lease?wait=0s"), ("PUT", "/limits/kind:none", {"running": 2}),
    ("DELETE", "/limits/kind:none"), ("POST", "/schedules/s/pause"), ("POST", "/schedules/s/run"), ("DELETE", "/schedules/s"),
    ("DELETE", "/queues/q/messages"), ("DELETE", "/queues/q"), ("DELETE", "/task/{id}"),
]


def run(_seconds):
    prism = tool("prism", "npm: @stoplight/prism-cli@5.14.2, with its directory of programs in PATH")
    with Cluster(workers=1) as cluster, tempfile.TemporaryDirectory() as directory:
        http = Http(cluster)
        file, port = pathlib.Path(directory, "openapi.json"), free_port()
        file.write_text(json.dumps(http.document.document), encoding="utf-8")
        task = http.post("/task?wait=10s", {"kind": "echo", "project": "p"})["id"]
        http.ask("PUT", "/schedules/s", {"every": "1h", "task": {"kind": "echo"}})
        http.post("/queues/q")
        with running(prism, "proxy", str(file), f"http://127.0.0.1:{http.port}", "--port", str(port), "--host", "127.0.0.1"):
            wait_until(lambda: listens(port), what="prism serves")
            proxied = object.__new__(Http)  # Its answers have fields of prism's own.
            proxied.host, proxied.port, proxied.document = "127.0.0.1", port, None
            found = []
            for method, path, *body in REQUESTS:
                status, fields, _ = proxied.ask(method, path.replace("{id}", task), body[0] if body else None,
                                             {"Content-Type": "application/json"} if body else {})
                for each in json.loads(fields.get("sl-violations", "[]")):
                    if each["location"][0] == "response":
                        found.append(f"{method} {path}: {status}: {each['message']}")
            assert not found, f"prism finds fault: {found}"
            print(f"document: prism finds no fault with the answers to {len(REQUESTS)} requests", flush=True)
