"""Whether this machine lets a test make a box."""

import subprocess
import unittest

needs_boxes = unittest.skipUnless(
    subprocess.run(["unshare", "--user", "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0,
    "needs user namespaces (not in a chroot)")
