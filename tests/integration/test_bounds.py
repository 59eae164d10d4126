"""What one side sends or withholds costs the others a bounded amount of memory."""

import os
import signal
import unittest
from pathlib import Path

from cluster import SANITIZER, Cluster, wait_until

MIB = 1 << 20


def peak_bytes(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    raise AssertionError("no VmHWM")


class Worker(unittest.TestCase):
    def test_live_output_that_the_sink_does_not_take_costs_a_worker_little(self):
        with Cluster("--allow-exec", workers=1, slots=1) as c:
            sink, worker = c.pid("sink"), c.pid("worker")
            go, done = Path(c.directory, "go"), Path(c.directory, "done")
            c.submit([{"kind": "exec", "args": {
                "shell": f"until [ -e {go} ]; do sleep 0.01; done; head -c 400M /dev/zero | tr '\\0' x; touch {done}"}}])
            wait_until(lambda: c.status()["running"] == 1, what="the command to run")
            before = peak_bytes(worker)
            os.kill(sink, signal.SIGSTOP)
            go.touch()
            wait_until(done.exists, 120, "the command to end")
            grown = peak_bytes(worker) - before
            os.kill(sink, signal.SIGCONT)
            c.wait_settled(1)
            if SANITIZER is None:
                self.assertLess(grown, 96 * MIB)


if __name__ == "__main__":
    unittest.main()
