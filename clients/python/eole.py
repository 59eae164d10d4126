"""Submit tasks to an Eole cluster and hear of their results. Needs pyzmq and msgpack.

    import eole

    with eole.Cluster() as cluster:
        ids = cluster.submit("echo", [{"n": n} for n in range(1000)])   # durable when it returns
        for result in cluster.results(ids):
            print(result.id, result.state, result.value)

The wire is docs/protocol.md. One thread per Cluster.
"""

import collections
import os
import struct
import time
import tomllib

import msgpack
import zmq
import zmq.utils.monitor

_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
_STATES = (None, "done", "failed", "dead", "cancelled")
_SPEC = struct.Struct("<BBBBI")
_ACCEPTANCE = struct.Struct("<QQI")
_BATCH = struct.Struct("<QQQIHH")
_RUN = struct.Struct("<IQIQHBBqIBBBBII")
_SIZE = struct.Struct("<I")
_REPEAT_SECONDS = 2  # An unanswered message is sent again under its number: nothing happens twice.


class Error(Exception):
    """The cluster does not answer, or a cursor does not fit its log."""


class Refused(Error):
    """A role refused a message; the text says why."""


class Result(collections.namedtuple(
        "Result", "offset id kind project state attempt is_final finished run_seconds body")):
    """How a task ended (or, if not `is_final`, one attempt that will be tried again).

    offset: place in the log; id: "k3f9qz-17"; state: done, failed, dead or cancelled; finished:
    Unix time in seconds; run_seconds: how long it ran; body: what docs/protocol.md calls the body.
    """
    __slots__ = ()

    @property
    def value(self):
        """What a done task returned."""
        return self.body.get("value")

    @property
    def error(self):
        """Why any other did not."""
        return self.body.get("error")

    @property
    def artifact(self):
        """{"sha256", "bytes", "name"} of the file that the task made, or None."""
        return self.body.get("artifact")


def _origin_text(origin):
    return "".join(_LETTERS[origin >> shift & 31] for shift in range(25, -1, -5))


class _Window:
    """How many messages may be unanswered: doubled as long as that raises the rate by a seventh."""

    def __init__(self):
        self.messages = 8
        self._answered = self._tasks = self._begun = self._best = 0

    def on_answer(self, tasks):
        now = time.monotonic()
        if self._answered == 0:  # The first answer begins a round, and is not in it.
            self._begun, self._tasks, self._answered = now, 0, 1
            return
        self._tasks += tasks
        self._answered += 1
        if self._answered <= 4 * self.messages or now <= self._begun:
            return
        rate = self._tasks / (now - self._begun)
        if rate > 1.15 * self._best:
            self.messages, self._best = min(2 * self.messages, 4096), rate
        self._answered = 0


class Cluster:
    """A cluster, by its cluster or join file: `path`, else EOLE_CLUSTER, else the local one's."""

    def __init__(self, path=None, patience=30):
        """patience: seconds without any answer, then Error."""
        state = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
        path = path or os.environ.get("EOLE_CLUSTER") or os.path.join(state, "eole/cluster.toml")
        with open(path, "rb") as file:
            self._cluster = tomllib.load(file)
        self._patience = patience
        self._context = zmq.Context()
        self._run = int.from_bytes(os.urandom(8), "little")
        self._request = 0
        self._window = _Window()
        self._ventilator = self._connect(zmq.DEALER, "ventilator")
        self._monitor = self._ventilator.get_monitor_socket(zmq.EVENT_DISCONNECTED | zmq.EVENT_HANDSHAKE_SUCCEEDED)
        self._is_broken = False
        self._sink = self._connect(zmq.DEALER, "queries")
        self._news = self._connect(zmq.SUB, "notifications")
        self._log = self._offset = self._head = None
        self._own = set()  # Submitted here, and their results not handed out yet.
        self._seen = {}    # Of these, the results that came while others were waited for.

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._context.destroy(linger=500)

    def submit(self, kind, args, project="", retry=False, attempts=0, key="", batch=1024):
        """Submits one task for each of `args` (anything msgpack takes; one dict is one task) and
        returns their ids once all are durable.

        retry: a failed attempt is tried again, up to `attempts` (0: the ventilator's default).
        key: the same tasks under the same key are accepted once, for 24 hours; all in one message.
        """
        if isinstance(args, dict):
            args = [args]
        self._hear()
        pack = msgpack.Packer().pack
        kind_bytes, project_bytes = kind.encode(), project.encode()
        names = kind_bytes + project_bytes
        ids, flights, first = {}, collections.OrderedDict(), self._request + 1
        specs = []

        def send():
            self._request += 1
            confirmed = next(iter(flights), self._request) - 1
            head = pack([1, "submit", self._run, self._request, confirmed, key, len(specs), attempts])
            message = (head, b"".join(specs))
            flights[self._request] = [message, time.monotonic()]
            self._ventilator.send_multipart(message)
            specs.clear()

        for each in args:
            packed = pack(each)
            specs.append(_SPEC.pack(retry, len(kind_bytes), len(project_bytes), 0, len(packed)) + names + packed)
            if len(specs) == batch and not key:
                send()
                self._collect(flights, ids, self._window.messages)
        if specs:
            send()
        self._collect(flights, ids, 0)
        ids = [f"{_origin_text(origin)}-{seq}" for request in range(first, self._request + 1)
               for origin, start, count in [ids[request]] for seq in range(start, start + count)]
        self._own.update(ids)
        return ids

    def results(self, ids=None, timeout=None):
        """Yields each result as it comes: of these ids (until all are final), or of every task.

        What this object submitted is never missed. timeout: seconds without one, then it ends.
        """
        self._hear()
        wanted = None if ids is None else set(ids)
        if wanted is not None:
            for task in [task for task in self._seen if task in wanted]:
                wanted.discard(task)
                self._own.discard(task)
                yield self._seen.pop(task)
        until = None if timeout is None else time.monotonic() + timeout
        while wanted is None or wanted:
            left = 1000 if until is None else int((until - time.monotonic()) * 1000)
            if left <= 0:
                return
            for result in self._next(min(left, 1000)):
                until = None if timeout is None else time.monotonic() + timeout
                if wanted is None:
                    yield result
                elif result.is_final and result.id in wanted:
                    wanted.discard(result.id)
                    self._own.discard(result.id)
                    yield result
                elif result.is_final and result.id in self._own:
                    self._seen[result.id] = result

    def map(self, kind, args, **options):
        """Submits and returns the results in the order of `args`."""
        ids = self.submit(kind, args, **options)
        done = {result.id: result for result in self.results(ids)}
        return [done[task] for task in ids]

    # ---- Below: the wire.

    def _connect(self, kind, name):
        socket = self._context.socket(kind)
        socket.set_hwm(0)
        if "server_key" in self._cluster:
            socket.curve_serverkey = self._cluster["server_key"].encode()
            socket.curve_publickey = self._cluster["public_key"].encode()
            socket.curve_secretkey = self._cluster["secret_key"].encode()
        socket.connect(self._cluster[name])
        return socket

    def _collect(self, flights, ids, most):
        """Takes answers until at most `most` messages are unanswered."""
        give_up = time.monotonic() + self._patience
        while len(flights) > most:
            if not self._ventilator.poll(100):
                now = time.monotonic()
                if now > give_up:
                    raise Error("no answer from the ventilator: is it running, and may this key connect?")
                is_anew = self._has_reconnected()
                for flight in flights.values():
                    if is_anew or now > flight[1] + _REPEAT_SECONDS:
                        flight[1] = now
                        self._ventilator.send_multipart(flight[0])
                continue
            head, payload = self._ventilator.recv_multipart()
            fields = msgpack.unpackb(head)
            if fields[1] == "refused":
                raise Refused(f"the ventilator: {fields[3]}")
            if fields[1] != "accepted":
                continue
            give_up = time.monotonic() + self._patience
            for request, first, count in _ACCEPTANCE.iter_unpack(payload):
                if flights.pop(request, None):
                    ids[request] = (fields[2], first, count)
                    self._window.on_answer(count)

    def _has_reconnected(self):
        """Then what was on its way when the connection broke may be lost."""
        has = False
        while self._monitor.poll(0):
            event = zmq.utils.monitor.recv_monitor_message(self._monitor)["event"]
            has = has or (self._is_broken and event == zmq.EVENT_HANDSHAKE_SUCCEEDED)
            self._is_broken = event == zmq.EVENT_DISCONNECTED
        return has

    def _ask(self, name, *fields):
        """One question to the sink; its answer's head fields and payload."""
        self._request += 1
        question = (msgpack.packb([1, name, self._request, *fields]), b"")
        for _ in range(max(1, int(self._patience))):
            self._sink.send_multipart(question)
            while self._sink.poll(1000):
                head, payload = self._sink.recv_multipart()
                answer = msgpack.unpackb(head)
                if answer[2] not in (self._request, 0):
                    continue
                if answer[1] == "refused":
                    raise Refused(f"the sink: {answer[3]}")
                return answer, payload
        raise Error("no answer from the sink: is it running, and may this key connect?")

    def _hear(self):
        """From here on no result is missed."""
        if self._log is not None:
            return
        self._news.subscribe(b"result.")
        self._news.subscribe(b"head")
        _, status = self._ask("query", "status", 0, 0)
        self._offset = msgpack.unpackb(status)["head"]
        answer, _ = self._ask("read", 0, self._offset, 0, 1)
        self._log, self._head = answer[3], answer[5]

    def _next(self, milliseconds):
        """The results that come next, without a gap; none if nothing came in time."""
        if self._head > self._offset:
            answer, payload = self._ask("read", self._log, self._offset, 0, 1 << 20)
            self._head = answer[5]
            found, at = [], 0
            while at < len(payload):
                size = _SIZE.unpack_from(payload, at)[0]
                found += self._open(payload[at + 4:at + 4 + size])
                at += 4 + size
            return found
        if not self._news.poll(milliseconds):
            return []
        _, head, payload = self._news.recv_multipart()
        fields = msgpack.unpackb(head)
        if fields[1] == "log_head":
            if fields[2] != self._log:
                raise Error("the log was replaced: what was not read yet is gone")
            self._head = max(self._head, fields[3])
        elif fields[1] == "notification" and fields[2] == self._log:
            first, _, _, count, _, _ = _BATCH.unpack_from(payload)
            if first > self._offset:
                self._head = max(self._head, first + count)  # Some were missed: they are read.
            elif first == self._offset:
                return self._open(payload)
        return []

    def _open(self, batch):
        """The records of a batch from the wanted offset on."""
        first, _, _, count, worker, _ = _BATCH.unpack_from(batch)
        at = _BATCH.size + worker
        unpack, size_at, found = msgpack.unpackb, _SIZE.unpack_from, []
        offset = first
        while offset < first + count:
            (origin, seq, _, _, attempt, state, flags, finished, run_ms, kind, project, artifacts, _,
             results, _) = _RUN.unpack_from(batch, at)
            at += _RUN.size
            prefix = _origin_text(origin) + "-"
            of_all = (batch[at:at + kind].decode(), batch[at + kind:at + kind + project].decode(), _STATES[state],
                      attempt, bool(flags & 1), finished / 1000, run_ms / 1000)
            at += kind + project + 32 * artifacts
            for number in range(seq, seq + results):
                begin = at + _SIZE.size
                at = begin + size_at(batch, at)[0]
                if offset >= self._offset:
                    found.append(Result(offset, prefix + str(number), *of_all,
                                        unpack(batch[begin:at], strict_map_key=False)))
                offset += 1
        self._offset = max(self._offset, first + count)
        self._head = max(self._head, self._offset)
        return found
