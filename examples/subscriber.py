#!/usr/bin/python3
"""Prints the results of a cluster as they come: subscriber.py [CLUSTER_FILE] (docs/protocol.md)."""
import os, struct, sys
import msgpack, zmq

path = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("EOLE_CLUSTER") or os.path.join(
    os.environ.get("XDG_STATE_HOME", os.path.expanduser("~/.local/state")), "eole/cluster.toml")
cluster = dict(line.strip().replace("'", "").replace('"', "").split(" = ") for line in open(path) if " = " in line)
socket = zmq.Context().socket(zmq.SUB)
if "server_key" in cluster:
    socket.curve_serverkey = cluster["server_key"].encode()
    socket.curve_publickey, socket.curve_secretkey = cluster["public_key"].encode(), cluster["secret_key"].encode()
socket.subscribe(b"result.")
socket.connect(cluster["notifications"])
while True:
    _topic, _head, batch = socket.recv_multipart()
    offset, _run, _level, count, worker, _ = struct.unpack_from("<QQQIHH", batch)
    at = 32 + worker
    for offset in range(offset, offset + count):
        head = struct.unpack_from("<IQIQHBBqIBBBBI", batch, at)
        kind, project, artifacts, body = head[9], head[10], head[11], head[13]
        at += 48
        name = batch[at:at + kind].decode()
        at += kind + project + 32 * artifacts
        print(offset, head[1], name, "done failed dead cancelled".split()[head[5] - 1],
              msgpack.unpackb(batch[at:at + body]), flush=True)
        at += body
