"""`eole status --bounds` prints docs/bounds.md with what is used now."""

import pathlib
import re
import unittest

from cluster import Cluster

PAGE = pathlib.Path(__file__).parents[2] / "docs/bounds.md"


class Told(unittest.TestCase):
    def test_every_bound_of_the_page_is_printed_with_its_value_and_its_use(self):
        rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", PAGE.read_text(encoding="utf-8"), re.M)
        with Cluster(workers=1) as cluster:
            cluster.submit([{"kind": "nobodys", "args": {}}] * 3)
            told = cluster.json("status", "--bounds")
            self.assertEqual([(each["name"], each["value"]) for each in told], rows)
            use = {each["name"]: each["now"] for each in told if each["now"] is not None}
            self.assertEqual((use["queued_max"], use["workers_max"], use["kWaitingBytesMax"]), (3, 1, 0))
            text = cluster.eole("status", "--bounds").stdout
            self.assertIn("workers_max            4,096 workers (now 1)", text)


if __name__ == "__main__":
    unittest.main()
