#!/usr/bin/python3
"""Prints the results of a cluster as they come: subscriber.py [CLUSTER_FILE] (docs/protocol.md)."""
import os, struct, sys
import msgpack, zmq

path = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("EOLE_CLUSTER") or os.path.join(
    os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state"), "eole/cluster.toml")
cluster = dict(line.strip().replace("'", "").replace('"', "").split(" = ") for line in open(path) if " = " in line)
sys.stdout.reconfigure(errors="backslashreplace")
socket, last_log = zmq.Context().socket(zmq.SUB), None
if "server_key" in cluster:
    socket.curve_serverkey = cluster["server_key"].encode()
    socket.curve_publickey, socket.curve_secretkey = cluster["public_key"].encode(), cluster["secret_key"].encode()
socket.subscribe(b"result.")
socket.connect(cluster["notifications"])


def shown(raw, decode):  # Others wrote it: what cannot be decoded is shown as bytes, and repr() escapes the rest.
    try:
        return repr(decode(raw))
    except Exception:
        return repr(raw)


while True:
    _topic, head, batch = socket.recv_multipart()
    log, last_log = last_log, msgpack.unpackb(head)[2]
    if log not in (None, last_log):
        print("the log was replaced: offsets begin anew", file=sys.stderr)
    offset, _run, _level, count, worker, _pid = struct.unpack_from("<QQQIHI", batch)
    at, end = 34 + worker, offset + count
    while offset < end:
        run = struct.unpack_from("<IQIQHBBqqQBBBBII", batch, at)
        seq, state, kind, project, artifacts, key, results = run[1], run[5], *run[10:15]
        name = shown(batch[at + 64:at + 64 + kind], bytes.decode)
        at += 64 + kind + project + 32 * artifacts + key
        for seq in range(seq, seq + results):
            size, = struct.unpack_from("<I", batch, at)
            body = shown(batch[at + 4:at + 4 + size], lambda raw: msgpack.unpackb(raw, strict_map_key=False))
            print(offset, seq, name, "done failed dead cancelled".split()[state - 1], body, flush=True)
            at, offset = at + 4 + size, offset + 1
