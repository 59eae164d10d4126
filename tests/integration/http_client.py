"""HTTP to the gateway of a test's cluster, as a script has it, and in bytes of one's own."""

import functools
import http.client
import json
import re
import socket

import jsonschema


class Document:
    """Judges answers by the gateway's own OpenAPI document."""

    def __init__(self, document):
        self.document = document
        self.paths = [(re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), item)
                      for path, item in document["paths"].items()]

    @functools.cache
    def validator(self, method, path, status, content_type):
        items = [item for pattern, item in self.paths if pattern.fullmatch(path)]
        if not items or method.lower() not in items[0]:
            assert status in (404, 405, 421), f"{method} {path}: {status}, but is not documented"
            return None
        responses = items[0][method.lower()]["responses"]
        response = responses.get(str(status)) or (responses["default"] if status >= 400 else None)
        assert response, f"{method} {path}: {status} is not documented"
        if "$ref" in response:
            response = self.document["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
        content = response.get("content", {})
        if not content:
            return None
        assert content_type in content, f"{method} {path}: {content_type} is not documented for {status}"
        return jsonschema.Draft202012Validator(
            {**content[content_type]["schema"], "components": self.document["components"]})

    def judge(self, method, target, status, content_type, body):
        validator = self.validator(method, target.split("?")[0], status, content_type.split(";")[0])
        if validator and "json" in content_type:
            validator.validate(body)



class Http:
    def __init__(self, cluster):
        with open(cluster.directory + "/eole/cluster.toml", encoding="utf-8") as file:
            self.host, self.port = re.search(r"http = 'http://([^:']+):(\d+)'", file.read()).groups()
        self.port = int(self.port)
        self.document = None
        self.document = Document(self.get("/openapi.json"))

    def connection(self):
        return http.client.HTTPConnection(self.host, self.port, timeout=30)

    def ask(self, method, path, body=None, headers=None):
        """(status, fields, body): the body as JSON if it says so."""
        connection = self.connection()
        try:
            if body is not None and not isinstance(body, (bytes, str)):
                body = json.dumps(body)
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            content = answer.read()
            if "json" in answer.headers.get("Content-Type", "") and content:
                content = json.loads(content)
            if self.document:
                of = answer.headers.get("Content-Type", "")
                self.document.judge(method, path, answer.status, of, content)
                named = answer.headers["X-Request-Id"]
                assert named, f"{method} {path}: its request has no name"
                if of == "application/problem+json" and content:
                    assert content["request_id"] == named, f"{method} {path}: {content} of {named}"
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


def upload(http, **fields):
    """Of a small file: its status, and what is wrong."""
    boundary = "----of-a-test"
    parts = "".join(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                    for name, value in fields.items())
    file = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n--{boundary}--\r\n'
    status, _, said = http.ask("POST", "/upload", (parts + file).encode(),
                               {"content-type": f"multipart/form-data; boundary={boundary}"})
    return status, said.get("detail")
