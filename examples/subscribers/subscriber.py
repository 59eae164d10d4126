"""Prints how each task ended. Arguments: the address of `notifications` in the cluster file, a topic."""
import json, sys, zmq  # noqa: E401
socket = zmq.Context.instance().socket(zmq.SUB)
socket.subscribe(sys.argv[2])
socket.connect(sys.argv[1])
while True:
    topic, event = socket.recv_multipart()
    print(json.loads(event)["type"], json.loads(event)["subject"], flush=True)
