#!/usr/bin/python3
"""A runner in Python and msgpack alone: `worker --runner examples/runners/plain.py` (docs/runners.md).

It offers one kind: `eole submit word-count --args '{"text": "to be or not to be"}' --wait`."""

import collections
import os
import socket
import struct
import traceback

import msgpack

HELLO, RUN, DONE, FAILED, PROGRESS, KIND, PING, PONG = 1, 2, 5, 6, 7, 8, 11, 12
worker = socket.socket(fileno=int(os.environ["EOLE_RUNNER_FD"]))
os.set_inheritable(worker.fileno(), False)


def say(kind, *fields):
    payload = msgpack.packb(fields)
    worker.sendall(struct.pack("<BI", kind, len(payload)) + payload)


def read(size):
    data = worker.recv(size, socket.MSG_WAITALL)
    if len(data) < size:
        raise SystemExit  # The worker is gone, or wants us gone.
    return data


def word_count(args, number):
    words = args["text"].split()
    say(PROGRESS, number, len(words), len(words), "counted")
    return dict(collections.Counter(words))


say(HELLO, 2, 1, 1)
say(KIND, "word-count", "Counts each word of a text.", 1, "text", "text", 1, "")
while True:
    frame, size = struct.unpack("<BI", read(5))
    fields = msgpack.unpackb(read(size))
    if frame == PING:
        say(PONG, fields[0])
    elif frame == RUN:  # What else there is: a cancel. Who does not listen is told by SIGTERM.
        number, task, attempt, kind, args, directory, project, traceparent, *_ = fields
        try:
            say(DONE, number, msgpack.packb(word_count(msgpack.unpackb(args), number)), 0)
        except Exception as error:
            value = {"error_class": type(error).__name__, "traceback": traceback.format_exc()}
            say(FAILED, number, str(error), msgpack.packb(value), type(error).__name__, 0)
