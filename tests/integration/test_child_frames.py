"""The golden frames between a worker and its children, as another language reads and writes them."""

import pathlib
import unittest

from child_frames import frame, frames

GOLDEN = pathlib.Path(__file__).parents[1] / "golden"


class Frames(unittest.TestCase):
    def test_golden_frames_are_read_and_come_out_the_same(self):
        samples = sorted(GOLDEN.glob("*.frame.hex"))
        self.assertEqual(len(samples), 12)
        for path in samples:
            data = bytes.fromhex(path.read_text(encoding="ascii"))
            (kind, fields), = frames(data)
            self.assertEqual(frame(kind, *fields), data, path.name)


if __name__ == "__main__":
    unittest.main()
