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
    end = offset + count
    while offset < end:
        run = struct.unpack_from("<IQIQHBBqIBBBBII", batch, at)
        seq, state, kind, project, artifacts, results = run[1], run[5], run[9], run[10], run[11], run[13]
        name = batch[at + 52:at + 52 + kind].decode()
        at += 52 + kind + project + 32 * artifacts
        for seq in range(seq, seq + results):
            size, = struct.unpack_from("<I", batch, at)
            print(offset, seq, name, "done failed dead cancelled".split()[state - 1],
                  msgpack.unpackb(batch[at + 4:at + 4 + size]), flush=True)
            at, offset = at + 4 + size, offset + 1
