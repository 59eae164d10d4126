"""A WebSocket and an event stream of a test, in the bytes that they are: nothing mends what the gateway sends."""

import base64
import hashlib
import json
import os
import socket
import struct


class Ended(Exception):
    """The gateway has closed: (code, reason), or None if it only went."""


class WebSocket:
    """`with WebSocket(http, "/notifications?topic=#") as live:` reads and sends text."""

    def __init__(self, http, path, protocol=None, timeout=30, receive_bytes=None, fields="", tls=None):
        self.peer = socket.socket()
        if receive_bytes:
            self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.peer.settimeout(timeout)
        self.peer.connect((http.host, http.port))
        if tls:
            self.peer = tls.wrap_socket(self.peer, server_hostname=http.host)
        key = base64.b64encode(os.urandom(16)).decode()
        named = f"Sec-WebSocket-Protocol: {protocol}\r\n" if protocol else ""
        self.peer.sendall(f"GET {path} HTTP/1.1\r\nHost: {http.host}:{http.port}\r\nUpgrade: websocket\r\n"
                          f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n{named}{fields}"
                          f"Sec-WebSocket-Key: {key}\r\n\r\n".encode())
        self.unread = b""
        while b"\r\n\r\n" not in self.unread:
            self.fill()
        self.head, self.unread = self.unread.split(b"\r\n\r\n", 1)
        wanted = base64.b64encode(hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        assert self.head.startswith(b"HTTP/1.1 101 ") and wanted in self.head, self.head
        assert not protocol or protocol.encode() in self.head, self.head

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.peer.close()

    def fill(self):
        piece = self.peer.recv(1 << 16)
        if not piece:
            raise Ended(None)
        self.unread += piece

    def take(self, count):
        while len(self.unread) < count:
            self.fill()
        taken, self.unread = self.unread[:count], self.unread[count:]
        return taken

    def frame(self):
        first, size = self.take(2)
        if size == 126:
            size = struct.unpack(">H", self.take(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self.take(8))[0]
        return first, self.take(size)

    def send(self, message, opcode=1):
        if not isinstance(message, (bytes, str)):
            message = json.dumps(message)
        payload = message.encode() if isinstance(message, str) else message
        size = len(payload)
        head = struct.pack(">BB", 0x80 | opcode, 0x80 | size) if size < 126 else struct.pack(">BBH", 0x80 | opcode, 0xFE, size)
        mask = os.urandom(4)
        self.peer.sendall(head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload)))

    def message(self):
        """The next one, as JSON."""
        first, payload = self.frame()
        if first == 0x88:
            raise Ended((struct.unpack(">H", payload[:2])[0], payload[2:].decode()) if payload else None)
        assert first == 0x81, first
        return json.loads(payload)

    def until(self, wanted):
        """The next message for which `wanted` holds."""
        while not wanted(message := self.message()):
            pass
        return message

    def event(self):
        """The next result of the log."""
        return self.until(lambda message: "offset" in message and "type" not in message)


class Events:
    """Server-Sent Events as (name, id, data)."""

    def __init__(self, http, path, last=None, timeout=30, fields=""):
        self.peer = socket.create_connection((http.host, http.port), timeout=timeout)
        resumed = f"Last-Event-ID: {last}\r\n" if last is not None else ""
        self.peer.sendall(f"GET {path} HTTP/1.1\r\nHost: {http.host}\r\n{fields}{resumed}\r\n".encode())
        self.file = self.peer.makefile("rb")
        begun = self.file.readline()
        assert begun.startswith(b"HTTP/1.1 200 "), begun
        while self.file.readline().strip():
            pass
        self.text = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.peer.close()

    def next(self):
        while b"\n\n" not in self.text:
            size = int(self.file.readline(), 16)
            self.text += self.file.read(size)
            self.file.readline()
        block, self.text = self.text.split(b"\n\n", 1)
        fields = dict(line.split(": ", 1) for line in block.decode().split("\n"))
        return fields.get("event"), fields.get("id"), fields.get("data")

    @staticmethod
    def is_event(seen):
        """Of the log: what has a name is none, nor is what only says when to come back."""
        return seen[0] is None and seen[2] is not None

    def event(self):
        while not self.is_event(seen := self.next()):
            pass
        return int(seen[1]), json.loads(seen[2])
