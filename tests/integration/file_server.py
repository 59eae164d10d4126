"""A small HTTP server with ranges, for tests and the demo: python3 file_server.py DIR prints its port.

It can misbehave: /cut/N/FILE breaks each connection after N bytes, /slow/N/FILE sends N bytes a
second, /redirect/URL sends a redirect.
"""

import email.utils
import http.server
import os
import sys
import threading
import time
import urllib.parse


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    directory = "."
    served = []

    def log_message(self, *_):
        pass

    def do_GET(self):  # noqa: N802 - the name that http.server wants
        path = urllib.parse.unquote(self.path).lstrip("/")
        cut = slow = None
        if path.startswith("redirect/"):
            self.send_response(302)
            self.send_header("Location", path[len("redirect/"):])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if path.startswith(("cut/", "slow/")):
            mode, amount, path = path.split("/", 2)
            cut, slow = (int(amount), None) if mode == "cut" else (None, int(amount))
        name = os.path.join(self.directory, os.path.basename(path))
        try:
            file = open(name, "rb")
        except OSError:
            self.send_error(404)
            return
        with file:
            self.send_file(file, cut, slow)

    def send_file(self, file, cut, slow):
        status = os.fstat(file.fileno())
        start = 0
        wanted = self.headers.get("Range", "")
        tag = f'"{status.st_size:x}-{status.st_mtime_ns:x}"'
        if wanted.startswith("bytes=") and self.headers.get("If-Range", tag) == tag:
            start = int(wanted[6:].split("-")[0])
        if start >= status.st_size > 0:
            self.send_response(416)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(status.st_size - start))
        self.send_header("ETag", tag)
        self.send_header("Last-Modified", email.utils.formatdate(status.st_mtime, usegmt=True))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{status.st_size - 1}/{status.st_size}")
        self.end_headers()
        self.served.append(start)
        file.seek(start)
        left = min(cut or status.st_size, status.st_size - start)
        piece = max(1, slow // 20) if slow else 1 << 18
        while left > 0:
            chunk = file.read(min(piece, left))
            try:
                self.wfile.write(chunk)
            except OSError:
                break
            left -= len(chunk)
            if slow:
                time.sleep(0.05)
        if cut:
            self.close_connection = True


class FileServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass


def serve(directory, address="127.0.0.1", port=0):
    """Serves `directory` from a thread; returns the server (its URL is server.url)."""
    handler = type("Here", (Handler,), {"directory": directory, "served": []})
    server = FileServer((address, port), handler)
    server.url = f"http://{address}:{server.server_address[1]}"
    server.served = handler.served
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


if __name__ == "__main__":
    running = serve(sys.argv[1])
    print(running.server_address[1], flush=True)
    threading.Event().wait()
