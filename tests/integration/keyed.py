"""A cluster with keys, and somebody whose key is of one role."""

import os
import unittest

import zmq

from cluster import Cluster
from test_security import read_toml


class Keyed(unittest.TestCase):
    prefix = ()

    def setUp(self):
        self.cluster = Cluster("--listen", "127.0.0.1", workers=1, prefix=self.prefix)
        self.cluster.start()
        self.addCleanup(self.cluster.__exit__, None, None, None)
        self.file = read_toml(self.cluster.directory + "/eole/cluster.toml")
        server = read_toml(self.cluster.directory + "/eole/data/server.toml")
        self.table = server["key_table"]
        self.context = zmq.Context()
        self.addCleanup(self.context.destroy, linger=0)

    def join(self, role):
        self.path = os.path.join(self.cluster.directory, role + ".toml")
        self.cluster.eole("join", "--role", role, "-o", self.path, "--force")
        return read_toml(self.path)

    def connect(self, kind, endpoint, keys, **options):
        sock = self.context.socket(kind)
        for name, value in options.items():
            setattr(sock, name, value)
        sock.curve_serverkey = keys["server_key"].encode()
        sock.curve_publickey = keys["public_key"].encode()
        sock.curve_secretkey = keys["secret_key"].encode()
        sock.connect(endpoint)
        return sock
