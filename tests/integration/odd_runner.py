"""A runner whose tasks say what it does: what it should not, too. `odd_runner.py KIND AHEAD [NAME:TYPE:NEEDED:DEFAULT …]`."""

import collections
import os
import signal
import socket
import sys
import time

import msgpack
from child_frames import frame, frames

HELLO, RUN, CANCEL, OUTPUT, DONE, FAILED, PROGRESS, KIND, FETCH, FETCHED, PING, PONG = range(1, 13)
worker = socket.socket(fileno=int(os.environ["EOLE_RUNNER_FD"]))
os.set_inheritable(worker.fileno(), False)
held, waiting, leaked = b"", collections.deque(), []


def say(*fields):
    worker.sendall(frame(*fields))


def hear():
    """The next frame that is no ping."""
    global held
    while True:
        while not waiting:
            got = worker.recv(1 << 16)
            if not got:
                sys.exit(0)
            held += got
            for kind, fields in frames(held):
                waiting.append((kind, fields))
                held = held[5 + len(msgpack.packb(fields)):]
        kind, fields = waiting.popleft()
        if kind != PING:
            return kind, fields
        say(PONG, *fields)


def done(number, value=None, *files):
    say(DONE, number, b"" if value is None else msgpack.packb(value), len(files), *files)


def run(number, task, attempt, kind, args, directory, project, traceparent):
    args = msgpack.unpackb(args)
    match args["do"]:
        case "value":
            done(number, args.get("value"))
        case "about":
            done(number, {"task": task, "attempt": attempt, "kind": kind, "pid": os.getpid(), "project": project})
        case "read":
            done(number, open(args["path"], encoding="utf-8").read())
        case "fail":
            say(FAILED, number, "no such table", msgpack.packb({"error_class": "KeyError"}), "KeyError", args.get("ms", 0))
        case "tell":
            while not os.path.exists(args["until"]):  # Again: whoever watches may have come late.
                say(PROGRESS, number, 3, 10, "page 3")
                say(OUTPUT, number, 2, "ü".encode()[:1])
                say(OUTPUT, number, 2, "ü".encode()[1:])
                print("by print", flush=True)
                time.sleep(0.1)
            done(number)
        case "make":
            os.makedirs(directory)
            for name in args["files"]:
                with open(f"{directory}/{name}", "w", encoding="utf-8") as file:
                    file.write(f"this is {name}")
            done(number, None, *args["files"])
        case "take":
            say(FETCH, number, args["sha256"], args["name"])
            heard, (_, name, error) = hear()
            assert heard == FETCHED and name == args["name"], (heard, name)
            done(number, error or open(f"{directory}/{name}", encoding="utf-8").read())
        case "wait":
            open(args["begun"], "w", encoding="utf-8").close()
            heard, (of, grace) = hear()
            say(FAILED, of, f"heard {heard} of {of - number}, {grace} ms", b"", "", 0)
        case "hang":
            if args.get("deaf"):
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
            open(args["begun"], "w", encoding="utf-8").close()
            time.sleep(600)
        case "flood":
            for _ in range(200):
                os.write(1, b"x" * 65536)
                os.write(2, b"y" * 65536)
            done(number, "flooded")
        case "close":
            print("it was me", file=sys.stderr, flush=True)
            worker.shutdown(socket.SHUT_RDWR)
            worker.close()
            time.sleep(600)
        case "exit":
            os._exit(args["code"])
        case "kill":
            print("last words", flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        case "fork":
            if os.fork() == 0:
                os.setsid()
                with open(args["pid"], "w", encoding="ascii") as file:
                    file.write(f"{os.getpid()}\n")
                time.sleep(600)
            while not os.path.exists(args["pid"]):
                time.sleep(0.01)
            os._exit(3)
        case "leak":
            leaked.append(b"x" * (args["mb"] << 20))
            done(number, os.getpid())
        case "nonsense":
            worker.sendall(b"what is this? a frame of no size")
            time.sleep(600)


say(HELLO, 2, int(sys.argv[2]), 1)
told = [argument.split(":", 3) for argument in sys.argv[3:]]
say(KIND, sys.argv[1], "What its task says.", len(told),
    *(field for name, kind, needed, default in told for field in (name, kind, int(needed), default)))
while True:
    heard, fields = hear()
    if heard == RUN:
        run(*fields)
