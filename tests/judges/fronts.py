"""nginx, haproxy, lighttpd and mitmproxy before the gateway, the first two with connections that all clients share:
whatever one of them writes, the next one gets its own answer."""

import pathlib
import socket
import tempfile

from cluster import Cluster, wait_until
from http_client import Http
from judge import Missing, free_port, listens, running, tool
from test_http_framing import ANSWERED, SOUND, UNSOUND, statuses

BEHIND = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
NGINX = """
daemon off; master_process off; worker_processes 1; pid {directory}/pid; error_log {directory}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;
  upstream gateway {{ server 127.0.0.1:{behind}; keepalive 4; }}
  server {{
    listen 127.0.0.1:{port}; merge_slashes off; ignore_invalid_headers off; underscores_in_headers on;
    location / {{
      proxy_pass http://gateway; proxy_http_version 1.1; proxy_request_buffering off;
      proxy_set_header Connection ""; proxy_set_header Host localhost;
    }}
  }}
}}
"""
HAPROXY = """
defaults
  mode http
  timeout connect 5s
  timeout client 10s
  timeout server 10s
  option accept-invalid-http-request
  option accept-invalid-http-response
frontend front
  bind 127.0.0.1:{port}
  default_backend gateway
backend gateway
  http-reuse always
  http-request set-header Host localhost
  server one 127.0.0.1:{behind} maxconn 4
"""


LIGHTTPD = """
server.modules = ("mod_proxy")
server.document-root = "{directory}"
server.errorlog = "{directory}/lighttpd.log"
server.bind = "127.0.0.1"
server.port = {port}
server.http-parseopts = ("header-strict" => "disable", "host-strict" => "disable", "url-normalize" => "disable")
proxy.server = ("" => (("host" => "127.0.0.1", "port" => {behind})))
proxy.header = ("map-host-request" => ("-" => "localhost"))
"""
MITMPROXY = """
mode: reverse:http://127.0.0.1:{behind}
listen_host: 127.0.0.1
listen_port: {port}
validate_inbound_headers: false
modify_headers: ["/~q/Host/localhost"]
"""


def through(port, data, patience):
    """What comes until the front closes, or says nothing for so long. (A half-closed connection is taken for a closed one.)"""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as peer:
        got = b""
        try:
            peer.sendall(data)
            while piece := peer.recv(65536):
                got += piece
        except OSError:
            pass
        return got


def check(name, port):
    """How many cases; each is followed by somebody else's request on a connection of its own."""
    counts = {}
    cases = {**SOUND, **UNSOUND, **{each: data for each, (data, _) in ANSWERED.items()}}
    for number, (case, data) in enumerate(cases.items()):
        answer = through(port, data + BEHIND, 0.5)
        if not data.startswith((b"HEAD", b"CONNECT")):
            got = [status for status in statuses(answer) if status >= 200] if answer.startswith(b"HTTP/1.1 ") else []
            counts[len(got)] = counts.get(len(got), 0) + 1
            assert len(got) <= 2, f"{name}: {case}: {len(got)} answers to two requests: {answer}"
        own = f"/task/nobody-{number}"
        mine = through(port, f"GET {own} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode(), 15)
        assert f"nobody-{number}".encode() in mine, f"{name}: behind {case}: somebody else's answer: {mine}"
    print(f"fronts: {name}: {len(cases)} cases, each followed by another client's request: all got their own answers; "
          f"answers to two requests on one connection: {dict(sorted(counts.items()))}", flush=True)


def run(_seconds):
    with Cluster(workers=0) as cluster, tempfile.TemporaryDirectory() as directory:
        http, missing = Http(cluster), None
        for name, package, config, flags in (("nginx", "Debian: nginx-light", NGINX, ("-c",)),
                                             ("haproxy", "Debian: haproxy", HAPROXY, ("-f",)),
                                             ("lighttpd", "Debian: lighttpd", LIGHTTPD, ("-D", "-f")),
                                             ("mitmdump", "Debian: mitmproxy", MITMPROXY, None)):
            try:
                program, port = tool(name, package), free_port()
                file = pathlib.Path(directory, "config.yaml" if flags is None else name + ".conf")
                file.write_text(config.format(directory=directory, port=port, behind=http.port), encoding="utf-8")
                with running(program, *(("--set", f"confdir={directory}") if flags is None else (*flags, file))):
                    wait_until(lambda at=port: listens(at), what=f"{name} serves")
                    check(name, port)
            except Missing as error:
                missing = error
        if missing:
            raise missing
