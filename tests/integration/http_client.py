"""HTTP to the gateway of a test's cluster, as a script has it, and in bytes of one's own."""

import http.client
import json
import re
import socket


class Http:
    def __init__(self, cluster):
        with open(cluster.directory + "/eole/cluster.toml", encoding="utf-8") as file:
            self.host, self.port = re.search(r"http = 'http://([^:']+):(\d+)'", file.read()).groups()
        self.port = int(self.port)

    def ask(self, method, path, body=None, headers=None):
        """(status, fields, body): the body as JSON if it says so."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        try:
            if body is not None and not isinstance(body, (bytes, str)):
                body = json.dumps(body)
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            content = answer.read()
            if "json" in answer.headers.get("Content-Type", "") and content:
                content = json.loads(content)
            return answer.status, answer.headers, content
        finally:
            connection.close()

    def get(self, path, **headers):
        status, _, body = self.ask("GET", path, headers=headers)
        assert status == 200, f"GET {path}: {status} {body}"
        return body

    def post(self, path, body=None, status=None, **headers):
        got, _, answer = self.ask("POST", path, body, headers)
        assert got == status or (status is None and got in (200, 201, 202)), f"POST {path}: {got} {answer}"
        return answer

    def raw(self, data, timeout=10):
        """What comes back for these bytes until the gateway closes, or nothing comes for a moment."""
        with socket.create_connection((self.host, self.port), timeout=timeout) as peer:
            peer.sendall(data)
            peer.shutdown(socket.SHUT_WR)
            got = b""
            while piece := peer.recv(65536):
                got += piece
            return got
