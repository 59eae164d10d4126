"""Whether a test can make a box here."""

import subprocess
import unittest

from cluster import SANITIZER

needs_boxes = unittest.skipIf(
    SANITIZER or subprocess.run(["unshare", "--user", "true"], stderr=subprocess.DEVNULL, check=False).returncode,
    "needs user namespaces (not in a chroot), and processes without a sanitizer: those do not end in a box")
