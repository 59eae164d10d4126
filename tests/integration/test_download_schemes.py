"""Downloads over ftp and s3 where a worker allows them, and who is told the names and passwords that only it knows."""

import hashlib
import hmac
import http.server
import os
import socketserver
import tempfile
import threading
import unittest

from cluster import Cluster
from test_download import OLD, Scripted

NAME, PASSWORD = "AKIDEXAMPLE", "hunter2/very+secret"


class Ftp(socketserver.StreamRequestHandler):
    """As much of an FTP server as a download needs: one file, for anybody."""

    def handle(self):
        data = None
        self.say("220 here")
        for line in self.rfile:
            word, _, rest = line.decode().strip().partition(" ")
            self.server.heard.append(line.decode().strip())
            if word == "USER":
                self.say("331 and the password?")
            elif word == "PASS":
                self.say("230 in")
            elif word == "EPSV":
                data = socketserver.socket.create_server(("127.0.0.1", 0))
                self.say(f"229 ok (|||{data.getsockname()[1]}|)")
            elif word == "SIZE":
                self.say(f"213 {len(OLD)}" if rest == "file.bin" else "550 no such file")
            elif word == "RETR":
                self.say("150 it comes")
                connection, _ = data.accept()
                connection.sendall(OLD[:self.server.breaks.pop(0)] if self.server.breaks else OLD)
                connection.close()
                data.close()
                self.say("226 that was all")
            elif word == "PWD":
                self.say('257 "/"')
            elif word == "QUIT":
                return self.say("221 bye")
            else:
                self.say("200 ok")

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")


def is_signed(request):
    """Whether a request is signed with the password, as AWS's Signature Version 4 has it."""
    given = request.headers.get("Authorization", "")
    if not given.startswith("AWS4-HMAC-SHA256 "):
        return False
    fields = dict(field.strip().split("=", 1) for field in given[len("AWS4-HMAC-SHA256 "):].split(","))
    name, date, region, service, end = fields["Credential"].split("/")
    names = fields["SignedHeaders"].split(";")
    path, _, query = request.path.partition("?")
    lines = "".join(f"{each}:{' '.join(request.headers[each].split())}\n" for each in names)
    canonical = "\n".join([request.command, path, query, lines, ";".join(names), request.headers["x-amz-content-sha256"]])
    scope = "/".join((date, region, service, end))
    signed = "\n".join(["AWS4-HMAC-SHA256", request.headers["x-amz-date"], scope,
                        hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + PASSWORD).encode()
    for part in (date, region, service, end, signed):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return name == NAME and (region, service) == ("eu-west-3", "s3") and "host" in names and key.hex() == fields["Signature"]


class Schemes(unittest.TestCase):
    def serve(self, server):
        server.daemon_threads = True
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server.server_address[1]

    def secrets(self, lines, mode=0o600):
        file = tempfile.NamedTemporaryFile("w", suffix=".netrc")
        self.addCleanup(file.close)
        file.write(lines)
        file.flush()
        os.chmod(file.name, mode)
        return file.name

    def download(self, cluster, url, **args):
        return cluster.submit([{"kind": "download", "args": {"url": url, **args}}], "--wait", check=False)[0]

    def check_done(self, result):
        self.assertEqual(result["state"], "done", result.get("error"))
        self.assertEqual(result["value"]["sha256"], hashlib.sha256(OLD).hexdigest())
        self.assertNotIn(PASSWORD, str(result))

    def test_ftp_is_fetched_where_it_is_allowed_and_is_not_told_the_workers_secrets(self):
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Ftp)
        server.heard, server.breaks = [], [1000]
        url = f"ftp://127.0.0.1:{self.serve(server)}/file.bin"
        with Cluster("--allow-net", "127.0.0.1", workers=1, slots=1) as cluster:
            result = self.download(cluster, url)
            self.assertEqual(result["error"], f"download {url}: a worker takes ftp://… only with --allow-scheme ftp")
        self.assertEqual(server.heard, [])
        secrets = self.secrets(f"machine 127.0.0.1 login {NAME} password {PASSWORD}\n")
        with Cluster("--allow-net", "127.0.0.1", "--allow-scheme", "ftp", "--netrc", secrets, workers=1, slots=1) as cluster:
            self.check_done(self.download(cluster, url))  # At its second try: the first one broke off.
            self.assertEqual(server.breaks, [])
            self.assertIn("USER anonymous", server.heard)  # All can listen.
            self.assertNotIn(PASSWORD, str(server.heard))
            missing = self.download(cluster, url + "x")
            self.assertEqual(missing["state"], "failed")
            self.assertNotIn(PASSWORD, str(missing) + cluster.eole("logs", "--since", "1h").stdout)
            divided = self.download(cluster, url, part=1, parts=2)
            self.assertEqual(divided["state"], "failed")
            self.assertEqual(self.download(cluster, f"sftp://127.0.0.1:{server.server_address[1]}/x")["error"].split(": ")[1],
                             "a worker takes sftp://… only with --allow-scheme sftp")
        with Cluster("--allow-scheme", "ftp", "--allow-net", "10.0.0.0/8", workers=1, slots=1) as cluster:
            self.assertIn("is not public", self.download(cluster, url)["error"])

    def test_s3_is_a_path_at_its_store_signed_with_the_workers_secrets(self):
        handler = type("Store", (Scripted,), {"asked": {}})

        def answer(request, n):
            signed = is_signed(request)
            request.answer(200 if signed else 403, OLD if signed else b"", ETag='"v1"')
        handler.scripts = {"/bucket/a/key.bin": answer}
        port = self.serve(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler))
        env = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_REGION": "eu-west-3"}
        options = ("--allow-net", "127.0.0.1", "--allow-scheme", "s3")
        for password, code in ((PASSWORD, None), ("another", 403)):
            secrets = self.secrets(f"machine 127.0.0.1 login {NAME} password {password}\n")
            with Cluster(*options, "--netrc", secrets, workers=1, slots=1, env=env) as cluster:
                result = self.download(cluster, "s3://bucket/a/key.bin")
                if code is None:
                    self.check_done(result)
                    self.assertEqual(result["artifact"]["name"], "key.bin")
                else:
                    self.assertIn("HTTP 403", result["error"])
                    self.assertNotIn(password, str(result))

    def test_a_password_is_not_told_to_a_host_that_all_can_listen_to(self):
        handler, told = type("Plain", (Scripted,), {"asked": {}}), []

        def answer(request, n):
            told.append(request.headers.get("Authorization"))
            request.answer(200, OLD, ETag='"v1"')
        handler.scripts = {"/file.bin": answer}
        port = self.serve(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler))
        secrets = self.secrets(f"machine 127.0.0.1 login {NAME} password {PASSWORD}\n")
        with Cluster("--allow-net", "127.0.0.1", "--netrc", secrets, workers=1, slots=1) as cluster:
            self.check_done(self.download(cluster, f"http://127.0.0.1:{port}/file.bin"))
        self.assertEqual(set(told), {None})

    def test_secrets_that_others_may_read_or_that_are_for_all_hosts_are_refused(self):
        for lines, mode in (("machine a login b password c\n", 0o644), ("default login b password c\n", 0o600)):
            with self.subTest(lines):
                cluster = Cluster("--netrc", self.secrets(lines, mode), workers=1)
                self.addCleanup(cluster.__exit__, None, None, None)
                with self.assertRaises(AssertionError):
                    cluster.start()


if __name__ == "__main__":
    unittest.main()
