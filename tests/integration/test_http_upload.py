"""Files come in over HTTP, become artifacts and tasks, and go out again: the flow of the image
service, what is refused, ranges, uploads that go on after the gateway was killed, and what a large
file costs it."""

import base64
import hashlib
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import unittest
import urllib.parse

from cluster import BIN, SANITIZER, Cluster, alive, wait_until
from http_client import Http

BOUNDARY = "----a-boundary"


def form(*parts):
    """(name, file name or None, bytes) each, as multipart/form-data."""
    out = b""
    for name, file_name, data in parts:
        file = "" if file_name is None else f'; filename="{file_name}"'
        out += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode()
        out += data + b"\r\n"
    return out + f"--{BOUNDARY}--\r\n".encode()


class HttpUpload(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster(workers=1, slots=1))
        photo = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()), "photo.jpg")
        subprocess.run([BIN / "eole-make-photo", "1600", "1200", "97", "1", photo], check=True)
        cls.photo = photo.read_bytes()
        cls.http = Http(cls.cluster)
        wait_until(cls.answers, what="the gateway serves")

    @classmethod
    def answers(cls):
        try:
            return cls.ask("OPTIONS", "/uploads")[0] == 204
        except OSError:
            return False

    @classmethod
    def ask(cls, method, path, body=None, **fields):
        """Status, fields and body; fields are written with _ for -."""
        return cls.http.ask(method, path, body, {name.replace("_", "-"): value for name, value in fields.items()})

    def upload(self, *parts, **fields):
        status, _, said = self.ask("POST", "/upload", form(*parts),
                                   Content_Type=f"multipart/form-data; boundary={BOUNDARY}", **fields)
        return status, said

    def completed(self, name):
        query = urllib.parse.urlencode({"file_name": name})

        def over():
            said = self.http.get(f"/status?{query}")
            return said["status"] != "processing" and said

        said = wait_until(over, what=f"{name} is processed")
        self.assertEqual(said["status"], "completed", said)
        return said

    def gateway_pid(self):
        return self.http.get("/cluster")["gateway"]["pid"]

    def test_a_photo_is_compressed_and_fetched_by_the_name_that_was_told(self):
        status, said = self.upload(("image", "été 1.jpg", self.photo))
        self.assertEqual((status, said["status"]), (202, "processing"), said)
        self.assertEqual(said["file_name"], f"été 1-{said['task_id']}.jpg")
        self.assertEqual(said["sha256"], hashlib.sha256(self.photo).hexdigest())
        done = self.completed(said["file_name"])
        self.assertEqual(done["download_url"], said["download_url"])
        status, fields, body = self.ask("GET", done["download_url"])
        self.assertEqual((status, body[:3]), (200, b"\xff\xd8\xff"))
        self.assertLess(len(body), len(self.photo))
        self.assertEqual(fields["content-type"], "image/jpeg")
        self.assertEqual(fields["content-disposition"],
                         'attachment; filename="_t_ 1.jpg"; filename*=UTF-8\'\'%C3%A9t%C3%A9%201.jpg')
        self.assertEqual(hashlib.sha256(body).hexdigest(), fields["etag"].strip('"'))
        small = self.upload(("width", None, b"100"), ("image", "a.jpg", self.photo))[1]
        self.assertEqual(self.completed(small["file_name"])["result"]["width"], 100)

    def test_what_is_no_picture_or_no_upload_is_refused(self):
        for parts, status, detail in (
                ([], 400, "no file part"),
                ([("kind", None, b"image")], 400, "no file part"),
                ([("image", None, b"text")], 400, "no file part"),
                ([("image", "", b"")], 400, "no selected file"),
                ([("image", "..", b"x")], 400, "no selected file"),
                ([("image", "a.jpg", b"%PDF-1.7")], 400, "type not allowed"),
                ([("image", "a.jpg", b"")], 400, "type not allowed"),
                ([("image", "a.jpg", b"x"), ("image", "b.jpg", b"x")], 400, "more than one file"),
                ([("quality", None, b"101"), ("image", "a.jpg", self.photo)], 400, "quality"),
                ([("kind", None, b"nqueens"), ("image", "a.jpg", self.photo)], 400, "takes no file")):
            with self.subTest(detail=detail):
                got, said = self.upload(*parts)
                self.assertEqual(got, status, said)
                self.assertIn(detail, said["detail"])
        status, fields, said = self.ask("POST", "/upload", b"{}", Content_Type="application/json")
        self.assertEqual((status, fields["content-type"]), (400, "application/problem+json"))
        self.assertIn("no file part", said["detail"])
        cut = form(("image", "a.jpg", self.photo))[:-20]
        self.assertEqual(self.ask("POST", "/upload", cut, Content_Type=f"multipart/form-data; boundary={BOUNDARY}")[0], 400)
        for path in ("/status?file_name=photo.jpg", "/download?file_name=..%2F..%2Fetc%2Fpasswd",
                     "/status?file_name=a-zzzzzz-1.jpg", "/download?file_name=a-zzzzzz-1.jpg",
                     "/artifact/" + "0" * 64, "/artifact/x"):
            self.assertEqual(self.ask("GET", path)[0], 404, path)

    def test_a_failed_one_says_why(self):
        _, said = self.upload(("image", "a.jpg", b"\xff\xd8\xff\xe0 and nothing more"))
        over = wait_until(lambda: (now := self.http.get(said["status_url"]))["status"] != "processing" and now)
        self.assertEqual(over["status"], "failed")
        self.assertIn("image:", over["error"])
        status, _, body = self.ask("GET", said["download_url"])
        self.assertEqual(status, 404)
        self.assertIn("image:", body["detail"])

    def test_parts_of_an_artifact(self):
        data = bytes(range(256)) * 4096
        _, said = self.upload(("kind", None, b"echo"), ("image", "a.bin", data))
        path = "/artifact/" + said["sha256"]
        etag = f'"{said["sha256"]}"'
        size = len(data)
        for wanted, status, body in (("bytes=0-9", 206, data[:10]), ("bytes=-5", 206, data[-5:]),
                                     ("bytes=700000-", 206, data[700000:]), ("lines=1-2", 200, data),
                                     ("bytes=5-1", 200, data)):
            told, _, got = self.ask("GET", path, Range=wanted)
            self.assertEqual((told, got == body), (status, True), wanted)
        self.assertEqual(self.ask("GET", path, Range="bytes=0-9")[1]["content-range"], f"bytes 0-9/{size}")
        status, fields, _ = self.ask("GET", path, Range=f"bytes={size}-")
        self.assertEqual((status, fields["content-range"]), (416, f"bytes */{size}"))
        status, fields, got = self.ask("GET", path, Range="bytes=0-9,1000-1009")
        self.assertEqual(status, 206)
        boundary = fields.get_param("boundary")
        parts = got.split(b"\r\n--" + boundary.encode())
        self.assertEqual([part.split(b"\r\n\r\n", 1)[-1] for part in parts[1:3]], [data[:10], data[1000:1010]])
        self.assertEqual(parts[3], b"--\r\n")
        _, fields, got = self.ask("HEAD", path)
        self.assertEqual((fields["content-length"], fields["etag"], got), (str(size), etag, b""))
        self.assertEqual(self.ask("GET", path, Range="bytes=0-9", If_Range=etag)[0], 206)
        self.assertEqual(self.ask("GET", path, Range="bytes=0-9", If_Range='"other"')[0], 200)
        self.assertEqual(self.ask("GET", path, If_None_Match=etag)[0], 304)
        _, fields, _ = self.ask("GET", path + "?name=" + urllib.parse.quote("../a\"b.bin"))
        self.assertEqual(fields["content-disposition"], 'attachment; filename="a_b.bin"')

    def tus(self, method, path, body=None, **fields):
        """Status and fields."""
        return self.ask(method, path, body, Tus_Resumable="1.0.0", **fields)[:2]

    def patch(self, path, offset, body, **fields):
        return self.tus("PATCH", path, body, Content_Type="application/offset+octet-stream",
                        Upload_Offset=str(offset), **fields)

    def test_an_upload_goes_on_after_its_gateway_was_killed(self):
        half = len(self.photo) // 2
        name = base64.b64encode(b"photo.jpg").decode()
        status, made = self.tus("POST", "/uploads", Upload_Length=str(len(self.photo)),
                                Upload_Metadata=f"filename {name}")
        path = made["location"]
        self.assertEqual(status, 201)
        self.assertEqual(self.patch(path, 0, self.photo[:half])[0], 204)
        before = self.gateway_pid()
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: not alive(before) and self.answers(), what="another gateway")
        self.assertEqual(self.tus("HEAD", path)[1]["upload-offset"], str(half))
        self.assertEqual(self.patch(path, half - 1, b"x")[0], 409)
        digest = base64.b64encode(hashlib.sha1(self.photo[half:]).digest()).decode()
        self.assertEqual(self.patch(path, half, b"x" * 100, Upload_Checksum=f"sha1 {digest}")[0], 460)
        self.assertEqual(self.tus("HEAD", path)[1]["upload-offset"], str(half))
        status, done = self.patch(path, half, self.photo[half:], Upload_Checksum=f"sha1 {digest}")
        self.assertEqual((status, done["upload-offset"]), (204, str(len(self.photo))))
        told = self.http.get(path)
        self.assertEqual((told["task_id"], told["file_name"]), (done["eole-task"], f"photo-{told['task_id']}.jpg"))
        self.assertEqual(told["sha256"], hashlib.sha256(self.photo).hexdigest())
        self.completed(told["file_name"])
        whole = str(len(self.photo))
        for body, code in ((b"", 204), (b"x", 413)):  # Of what was taken in nothing is written again.
            self.assertEqual(self.patch(path, whole, body)[0], code)
            self.assertEqual(self.tus("HEAD", path)[1]["upload-offset"], whole)
        self.assertEqual(self.patch(path, 0, b"x")[0], 409)
        self.assertEqual(self.tus("DELETE", path)[0], 204)
        self.assertEqual(self.tus("HEAD", path)[0], 404)
        status, fields, _ = self.ask("HEAD", path, Tus_Resumable="0.2.2")
        self.assertEqual((status, fields["tus-version"]), (412, "1.0.0"))

    def test_what_came_whole_is_taken_in_after_the_gateway_was_killed(self):
        """Killed between the last byte and the task's acceptance: nobody asks, and there is one task all the same."""
        path = self.tus("POST", "/uploads", Upload_Length=str(len(self.photo)))[1]["location"]
        ventilator = self.cluster.pid("ventilator")
        gateway = self.gateway_pid()
        os.kill(ventilator, signal.SIGSTOP)
        try:
            with socket.create_connection((self.http.host, self.http.port)) as peer:
                peer.sendall((f"PATCH {path} HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
                              f"Content-Type: application/offset+octet-stream\r\nContent-Length: {len(self.photo)}\r\n\r\n")
                             .encode() + self.photo)
                wait_until(lambda: self.tus("HEAD", path)[1]["upload-offset"] == str(len(self.photo)), what="all came")
                os.kill(gateway, signal.SIGKILL)
            wait_until(lambda: not alive(gateway) and self.answers(), what="another gateway")
            self.assertNotIn("task_id", self.http.get(path))
        finally:
            os.kill(ventilator, signal.SIGCONT)
        told = wait_until(lambda: "task_id" in (now := self.http.get(path)) and now, what="it has a task")
        self.assertEqual(self.completed(told["file_name"])["task_id"], told["task_id"])
        self.assertEqual(self.tus("HEAD", path)[1]["eole-task"], told["task_id"])

    def test_parts_are_put_together(self):
        half = len(self.photo) // 2
        paths = []
        for body in (self.photo[:half], self.photo[half:]):
            status, made = self.tus("POST", "/uploads", body, Upload_Length=str(len(body)), Upload_Concat="partial",
                                    Content_Type="application/offset+octet-stream")
            self.assertEqual((status, made["upload-offset"]), (201, str(len(body))))
            paths.append(made["location"])
        status, final = self.tus("POST", "/uploads", Upload_Concat="final;" + " ".join(paths))
        self.assertEqual(status, 201)
        told = self.http.get(final["location"])
        self.assertEqual(told["sha256"], hashlib.sha256(self.photo).hexdigest())
        done = self.completed(told["file_name"])
        said = self.http.get(final["location"])
        self.assertEqual({**said, **done}, said)

    def test_an_upload_whose_task_failed_says_so(self):
        broken = b"\xff\xd8\xff\xe0 and nothing more"
        path = self.tus("POST", "/uploads", broken, Upload_Length=str(len(broken)),
                        Content_Type="application/offset+octet-stream")[1]["location"]
        over = wait_until(lambda: (now := self.http.get(path))["status"] != "processing" and now, what="it ended")
        self.assertEqual(over["status"], "failed", over)
        self.assertEqual(over["error"], self.http.get(over["status_url"])["error"])

    def test_a_large_file_costs_little_memory(self):
        size, piece = 300 << 20, bytes(1 << 20)
        head, tail = form(("kind", None, b"echo"), ("image", "big.bin", b"*")).split(b"*")
        connection = http.client.HTTPConnection(self.http.host, self.http.port, timeout=120)
        self.addCleanup(connection.close)
        connection.putrequest("POST", "/upload")
        connection.putheader("Content-Type", f"multipart/form-data; boundary={BOUNDARY}")
        connection.putheader("Content-Length", str(len(head) + size + len(tail)))
        connection.endheaders()
        connection.send(head)
        for _ in range(size // len(piece)):
            connection.send(piece)
        connection.send(tail)
        answer = connection.getresponse()
        said = json.loads(answer.read())
        self.assertEqual((answer.status, said["bytes"]), (202, size), said)
        connection.request("GET", "/artifact/" + said["sha256"])
        answer = connection.getresponse()
        digest = hashlib.sha256()
        while bytes_of_it := answer.read(1 << 20):
            digest.update(bytes_of_it)
        self.assertEqual(digest.hexdigest(), said["sha256"])
        status = pathlib.Path(f"/proc/{self.gateway_pid()}/status").read_text(encoding="utf-8")
        peak = next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM"))
        if not SANITIZER:
            self.assertLess(peak, 64 << 20)


if __name__ == "__main__":
    unittest.main()
