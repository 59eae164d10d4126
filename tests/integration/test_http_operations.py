"""Every operation of the OpenAPI document with inputs made from its schemas, sound and broken: each answer is
documented, and nothing makes the gateway fail."""

import json
import re
import string
import tempfile
import unittest
import urllib.parse

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir

from cluster import Cluster
from http_client import Http

LIVE = {("get", "/notifications"), ("get", "/wamp"), ("get", "/events")}  # These do not end: test_http_live.
BOUNDARY = "b"
TEXT = st.text(st.characters(blacklist_categories=["Cs"]), max_size=20)
NAME = st.text(string.ascii_lowercase + string.digits + "-_./ %", min_size=1, max_size=12)
FIELD = st.text(string.ascii_letters + string.digits + " -_.,;=/*\"'", max_size=20)
JSON = st.recursive(st.none() | st.booleans() | st.integers(-2**70, 2**70) | st.floats() | TEXT,
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=8)
SPAN = st.sampled_from(["0s", "10ms", "1s", "-1s", "1", "x", "", "10000000h", "0.5s"])
# What a parameter of this name means, where its schema only says that it is text.
MEANT = {
    "wait": st.sampled_from(["0s", "10ms", "x", "-1s", "100h"]),
    "lease": SPAN, "delay": SPAN, "expires": SPAN, "backoff": SPAN, "backoff_max": SPAN,
    "kind": st.sampled_from(["echo", "image", "queue.q"]) | NAME,
    "scope": st.sampled_from(["all", "kind:none", "project:p", "worker:w", "kind:", "x"]) | NAME,
    "topic": st.sampled_from(["#", "p/*/done", "a*"]) | NAME,
    "since": st.sampled_from(["2024-01-01T00:00:00Z", "0", "x"]),
    "until": st.sampled_from(["2999-01-01T00:00:00Z", "0", "x"]),
    "Range": st.sampled_from(["bytes=0-1", "bytes=-1", "bytes=9-1", "bytes=0-0,2-3", "lines=1", "bytes=", "bytes=0-" + "9" * 30]),
    "Tus-Resumable": st.sampled_from(["1.0.0", "1.0.0", "1.0.0", "0.2.2"]),
    "Upload-Length": st.sampled_from(["0", "3", "-1", "x", "9" * 30]),
    "Upload-Offset": st.sampled_from(["0", "3", "-1", "x"]),
    "Upload-Defer-Length": st.sampled_from(["1", "0"]),
    "Upload-Concat": st.sampled_from(["partial", "final;", "final;/uploads/x", "other"]),
    "Upload-Metadata": st.sampled_from(["filename YS5qcGc=,kind ZWNobw==", "filename", "a !", ""]),
    "Upload-Checksum": st.sampled_from(["sha1 AAAA", "md5 AAAA", "sha256", "crc32 x"]),
    "X-HTTP-Method-Override": st.sampled_from(["PATCH", "DELETE", "GET"]),
}


class Inputs:
    """Strategies for what an operation takes."""

    def __init__(self, document, known):
        self.document = document
        self.known = known

    def of(self, schema):
        """What a schema allows, mostly."""
        if "$ref" in schema:
            return st.deferred(lambda: self.of(self.document["components"]["schemas"][schema["$ref"].split("/")[-1]]))
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        if "oneOf" in schema:
            return st.one_of(*map(self.of, schema["oneOf"]))
        kind = schema.get("type")
        if isinstance(kind, list):
            return st.one_of(*(self.of({**schema, "type": each}) for each in kind))
        if kind == "object":
            properties = {name: self.of(each) if each else JSON for name, each in schema.get("properties", {}).items()}
            properties["kind"] = MEANT["kind"] if "kind" in properties else st.nothing()
            needed = {name: properties.pop(name) for name in schema.get("required", ())}
            optional = {name: each for name, each in properties.items() if not each.is_empty}
            return st.fixed_dictionaries(needed, optional=optional)
        if kind == "array":
            return st.lists(self.of(schema["items"]), min_size=schema.get("minItems", 0), max_size=3)
        if kind == "integer":
            return st.integers(schema.get("minimum", -5), min(schema.get("maximum", 2**40), 2**40))
        if kind == "number":
            return st.floats(0.001, 1e6)
        return {"boolean": st.booleans(), "string": TEXT}.get(kind, JSON)

    def parameter(self, parameter):
        name, schema = parameter["name"], parameter["schema"]
        if parameter["in"] == "path":
            return st.sampled_from([*self.known.get(name, []), ".."]) | NAME
        meant = MEANT.get(name)
        if meant is None:
            meant = self.of(schema).map(str) if schema.get("type") != "string" or "enum" in schema else FIELD
        return meant | FIELD if parameter["in"] == "header" else meant | TEXT

    def body(self, content_type, schema):
        if "json" in content_type and "ndjson" not in content_type:
            sound = self.of(schema) if schema else JSON
            return (sound | sound | JSON).map(lambda value: json.dumps(value).encode()) | st.binary(max_size=40)
        if "ndjson" in content_type:
            return st.lists(self.of({"$ref": "#/components/schemas/Task"}) | JSON, max_size=3).map(
                lambda tasks: "".join(json.dumps(task) + "\n" for task in tasks).encode()) | st.binary(max_size=40)
        if "multipart" in content_type:
            part = st.tuples(st.sampled_from(["image", "file", "kind", "args", "width", "x"]),
                             st.sampled_from(["", '; filename="a.jpg"', '; filename=""']),
                             st.sampled_from([b"\xff\xd8\xff", b"echo", b"{}", b"5"]) | st.binary(max_size=20))
            return st.lists(part, max_size=3).map(self.form) | st.binary(max_size=40)
        return st.binary(max_size=10)

    @staticmethod
    def form(parts):
        out = b"".join(f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + data + b"\r\n"
                       for name, file, data in parts)
        return out + f"--{BOUNDARY}--\r\n".encode()

    @st.composite
    def request(draw, self, path, item, operation):  # noqa: N805 - as hypothesis has it
        """(target, body, fields)"""
        query, fields = [], {}
        for parameter in [*item.get("parameters", []), *operation.get("parameters", [])]:
            name, where = parameter["name"], parameter["in"]
            if where != "path" and not parameter.get("required") and draw(st.integers(0, 2)) == 0:
                continue
            value = draw(self.parameter(parameter))
            if where == "path":
                path = path.replace("{" + name + "}", urllib.parse.quote(value, safe=""))
            elif where == "query":
                query.append((name, value))
            elif value.strip():
                fields[name] = value.strip()
        if draw(st.integers(0, 9)) == 0:
            query.append((draw(TEXT), draw(TEXT)))
        body = None
        if content := operation.get("requestBody", {}).get("content"):
            content_type = draw(st.sampled_from(sorted(content)))
            body = draw(self.body(content_type, content[content_type].get("schema")))
            fields["Content-Type"] = content_type + (f"; boundary={BOUNDARY}" if "multipart" in content_type else "")
            if draw(st.integers(0, 9)) == 0:
                fields["Content-Type"] = draw(FIELD).strip() or "x"
        target = path + ("?" + urllib.parse.urlencode(query) if query else "")
        return target, body, fields


class Operations(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        set_hypothesis_home_dir(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.http = Http(cls.enterClassContext(Cluster(workers=1)))
        cls.document = cls.http.document.document
        id_of = cls.http.post("/task?wait=20s", {"kind": "echo", "args": 1, "project": "p"})["id"]
        upload = cls.http.ask("POST", "/uploads", headers={"Tus-Resumable": "1.0.0", "Upload-Length": "9"})[1]["location"]
        cls.http.ask("PUT", "/schedules/s", {"every": "1h", "task": {"kind": "echo"}})
        cls.http.post("/queues/q")
        cls.known = {"id": [id_of, upload.rsplit("/", 1)[1]], "name": ["p", "s", "q"], "hash": ["0" * 64]}
        cls.known["kind"] = ["queue.q", "none"]

    def check(self, method, path, item, inputs):
        operation = item[method]

        @settings(max_examples=12, deadline=None, database=None, derandomize=True,
                  suppress_health_check=list(HealthCheck))
        @given(inputs.request(path, item, operation))
        def run(request):
            target, body, fields = request
            status, headers, said = self.http.ask(method.upper(), target, body, fields)  # Judges by the document.
            assert status not in (500, 501), f"{status} {said}"
            if status >= 400 and method != "head":
                assert headers.get("Content-Type") == "application/problem+json", f"{status} {headers}"
                assert said["status"] == status and said["detail"], said

        run()

    def test_each(self):
        inputs = Inputs(self.document, self.known)
        for path, item in self.document["paths"].items():
            for method in item:
                if method != "parameters" and (method, path) not in LIVE:
                    with self.subTest(f"{method.upper()} {path}"):
                        self.check(method, path, item, inputs)
        self.assertEqual(self.http.ask("GET", "/healthz")[0], 200)

    def test_a_member_of_another_type_is_refused_wherever(self):
        """Ignored, what would narrow a request would leave all of it, and what would only count would act."""
        right = {"string": "x", "integer": 1, "number": 1, "boolean": True, "array": ["x"]}
        wrong = {"string": (5, True, None, [], {}), "integer": ("x", True, []), "number": ("x", True, []),
                 "boolean": ("true", 1, None, {}), "array": ("x", 5, None, {})}
        for path, item in self.document["paths"].items():
            for method, operation in ((name, each) for name, each in item.items() if name != "parameters"):
                schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
                members = schema.get("properties", {})
                types = {name: "string" if "enum" in each else str(each.get("type")) for name, each in members.items()}
                sound = {name: members[name].get("enum", [right.get(types[name], {"kind": "echo"})])[0]
                         for name in schema.get("required", ())}
                if "all" in members:
                    sound["all"] = True
                for name, of in types.items():
                    for value in wrong.get(of, ()):
                        target = re.sub(r"{\w+}", "x", path.replace("{scope}", "kind:none"))
                        status, _, said = self.http.ask(method.upper(), target, {**sound, name: value})
                        with self.subTest(f"{method.upper()} {path} {name}: {value!r}"):
                            self.assertEqual(status, 400, said)
                            self.assertIn(name, said["detail"])

    def test_no_name_leads_out(self):
        """Wherever a name is taken, in a path or in a query, one that leads out of its place finds nothing."""
        names = [("../" * depth + "etc/passwd").replace("/", slash) for depth in (1, 8) for slash in ("/", "\\", "%2f")]
        names += ["/etc/passwd", "....//....//etc/passwd", "..;/etc/passwd", "passwd\0.jpg", "file:///etc/passwd", "..", "."]
        for path, item in self.document["paths"].items():
            taken = [each for each in item.get("parameters", ()) if each["in"] == "path"]
            taken += [each for each in item.get("get", {}).get("parameters", ()) if each["name"] in ("file_name", "name")]
            for parameter in taken if (("get", path) not in LIVE and "get" in item) else ():
                where = "{%s}" % parameter["name"]
                for written in [quote for name in names for quote in (urllib.parse.quote(name, safe=""), urllib.parse.quote(name))]:
                    target = path.replace(where, written) if where in path else f"{path}?{parameter['name']}={written}"
                    target = re.sub(r"{\w+}", "x", target)
                    answer = self.http.raw(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
                    with self.subTest(target):
                        self.assertIn(answer[9:12], (b"400", b"404"), answer[:300])
                        self.assertNotIn(b"root:", answer)

    def test_pages_and_names_of_others_are_refused_everywhere(self):
        for path, item in self.document["paths"].items():
            for method in {"get", "post", "put", "delete", "patch", "head"} & set(item):
                target = re.sub(r"{\w+}", "x", path)
                for field, status in (({"Host": "evil.example"}, 421), ({"Origin": "http://evil.example"}, 403),
                                      ({"Origin": "null"}, 403)):
                    with self.subTest(f"{method} {path} {field}"):
                        head = {"Host": "localhost", "Content-Length": "0", **field}
                        fields = "".join(f"{name}: {value}\r\n" for name, value in head.items())
                        answer = self.http.raw(f"{method.upper()} {target} HTTP/1.1\r\n{fields}\r\n".encode())
                        self.assertEqual(answer[9:12], str(status).encode(), answer[:300])


if __name__ == "__main__":
    unittest.main()
