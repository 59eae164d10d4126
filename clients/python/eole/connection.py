"""The sockets to a cluster, by its file, and questions over them."""

import collections
import contextlib
import itertools
import os
import pwd
import stat
import sys
import threading
import time
import tomllib

import msgpack
import zmq

from .errors import BadClusterFile, NoAnswer, Refused, WrongProcess, WrongThread
from .records import DEPTH_MAX, decode, head_of

ANSWER_LEVELS = 8   # What an answer adds to the values of others that are in it.
REPEAT_SECONDS = 2  # An unanswered message is sent again under its number: nothing happens twice.
UNDER_WAY = 8       # Questions of many.


def read_cluster_file(path):
    """Its entries, all text."""
    try:
        with open(path, "rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise BadClusterFile(f"cluster file {path}: others can read it, chmod it to 0600")
            entries = tomllib.loads(file.read().decode())
    except FileNotFoundError:
        raise BadClusterFile(f"cluster file {path}: not there; `eole up` writes it") from None
    except OSError as error:
        raise BadClusterFile(f"cluster file {path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise BadClusterFile(f"cluster file {path}: {error}") from error
    for name, value in entries.items():
        if not isinstance(value, str):
            raise BadClusterFile(f"cluster file {path}: {name} is no text")
        if value.startswith("tcp://") != ("server_key" in entries) and value.startswith(("tcp://", "ipc://")):
            raise BadClusterFile(f"cluster file {path}: {name} = {value}: "
                                 + ("TCP needs keys" if value.startswith("tcp://") else "ipc takes no keys"))
    for name in ("ventilator", "queries", "notifications", "artifacts"):
        if not entries.get(name):
            raise BadClusterFile(f"cluster file {path}: names no {name}")
    return entries


def home_directory():
    """HOME, or without one what the system has for this user."""
    return os.environ.get("HOME") or pwd.getpwuid(os.geteuid()).pw_dir


TURNED_AWAY = "this key may not connect: it is not in the cluster's key table, or not any more"


def send(socket, frames):
    """Never waits: a socket whose key was turned away has no way out any more, and would wait for ever. What does
    not go now goes with the next repeat."""
    try:
        socket.send_multipart(frames, zmq.NOBLOCK)
    except zmq.Again:
        pass


class Context(zmq.Context):
    """One that may be left to the collector: pyzmq's own knows its sockets weakly, has none of them any more when it is
    collected with them, and would wait for them for ever."""

    made = None

    def socket(self, *args, **options):
        socket = super().socket(*args, **options)
        self.made = [each for each in self.made or () if not each.closed] + [socket]
        return socket

    def __del__(self):
        if not self.closed and not sys.is_finalizing():
            for socket in self.made or ():
                socket.close(0)
            super().__del__()


class Connection:
    """A ZeroMQ context and the sockets in it."""

    def __init__(self, path, patience):
        home = os.environ.get("XDG_STATE_HOME") or os.path.join(home_directory(), ".local/state")
        self._path = path or os.environ.get("EOLE_CLUSTER") or os.path.join(home, "eole/cluster.toml")
        self._entries = read_cluster_file(self._path)
        self.patience = patience
        self._context = Context()
        self._asking = {}  # A socket for each role that is asked, and its monitor.
        self._question = 0
        self._place = None  # Not asked for yet.
        self._process, self._thread = os.getpid(), threading.get_ident()

    def check_owner(self):
        """Sockets are one thread's, and a fork has none of them."""
        if os.getpid() != self._process:
            raise WrongProcess(f"this Cluster is process {self._process}'s: after a fork, make another")
        if threading.get_ident() != self._thread:
            raise WrongThread("this Cluster is another thread's: each thread makes its own (eole.task does so by itself)")

    def adopt(self):
        """From here on it is this thread's; the one that made it uses it no more."""
        self._thread = threading.get_ident()

    def close(self):
        self._context.destroy(linger=500)

    def connect(self, kind, name, most=0):
        return self.watch(kind, name, 0, most)[0]

    def watch(self, kind, name, events, most=0):
        """A socket, and the monitor that tells these events of its connection: none, without any."""
        socket = self._context.socket(kind)
        monitor = socket.get_monitor_socket(events) if events else None
        socket.set_hwm(most)
        try:
            if "server_key" in self._entries:
                socket.curve_serverkey = self._entries["server_key"].encode()
                socket.curve_publickey = self._entries.get("public_key", "").encode()
                socket.curve_secretkey = self._entries.get("secret_key", "").encode()
            socket.connect(self._entries[name])
        except (zmq.ZMQError, ValueError) as error:
            if monitor:
                socket.disable_monitor()
                monitor.close(0)
            socket.close(0)
            raise BadClusterFile(f"cluster file {self._path}: {name} = {self._entries[name]}, or a key: "
                                 f"{error}") from error
        return socket, monitor

    def place(self):
        """The sink's directory of artifacts, if this is its machine, or ""."""
        if self._place is None:
            self._place = ""
            if self._entries["artifacts"].startswith("ipc:"):
                with contextlib.suppress(Refused):  # It goes over the wire, too.
                    self._place = self.ask("artifacts", ("handed",), "hand", "", 0, 0)[0][5]
        return self._place

    def query(self, where, what, task=(0, 0), options=None):
        """The answer to a query about nothing or a task, (origin, seq)."""
        # A project that is no UTF-8 is text all the same.
        packed = msgpack.packb(options, use_bin_type=False) if options else b""
        return self.answer(where, "query", what, *task, payload=packed)

    def answer(self, where, name, *fields, payload=b""):
        """The value that is the answer."""
        return decode(self.ask(where, ("answer",), name, *fields, payload=payload)[1], DEPTH_MAX + ANSWER_LEVELS)

    def ask(self, where, wanted, name, *fields, payload=b""):
        """One question; the head and payload of its answer, which has one of the names in `wanted`."""
        return next(self.ask_all(where, wanted, name, [(fields, payload)]))

    def ask_all(self, where, wanted, name, questions):
        """Many questions (fields, payload), some of them under way at a time; yields the answers in their order. Nothing
        else is asked there meanwhile."""
        self.check_owner()
        who = "ventilator" if where == "ventilator" else "sink"
        if where not in self._asking:
            self._asking[where] = self.watch(zmq.DEALER, where, zmq.EVENT_HANDSHAKE_FAILED_AUTH)
        socket, monitor = self._asking[where]
        questions, unanswered, answers, due = iter(questions), {}, {}, collections.deque()
        give_up = again = 0
        while True:
            if time.monotonic() >= again:
                if monitor.poll(0):  # It stays there: libzmq does not try again.
                    raise NoAnswer(f"no answer from the {who}: {TURNED_AWAY}")
                for question in unanswered.values():
                    send(socket, question)
                again = time.monotonic() + REPEAT_SECONDS
            for fields, payload in itertools.islice(questions, UNDER_WAY - len(unanswered)):
                self._question += 1
                due.append(self._question)
                unanswered[self._question] = msgpack.packb([1, name, self._question, *fields]), payload
                send(socket, unanswered[self._question])
            if not unanswered:
                return
            give_up = give_up or time.monotonic() + self.patience
            while socket.poll(max(0, int((min(again, give_up) - time.monotonic()) * 1000))):
                head, answer = socket.recv_multipart()
                fields = head_of(head)
                if fields[1] == "refused" and (fields[2] == 0 or fields[2] in unanswered):
                    raise Refused.by(who, fields)
                if fields[1] in wanted and unanswered.pop(fields[2], None):
                    answers[fields[2]] = fields, answer
                    break
            while due and due[0] in answers:
                yield answers.pop(due.popleft())
                give_up = 0
            if give_up and time.monotonic() >= give_up:
                raise NoAnswer(f"no answer from the {who} within {self.patience} s: is it running, "
                               "and may this key connect?")
