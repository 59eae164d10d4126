"""Dead letters over HTTP, more of them than one page has."""

import json
import unittest

from cluster import Cluster, wait_until
from http_client import Http

MANY = 10_400  # More than one request looks through.
FEW = ("echo says no", "echo says no", "echo says no")


class Letters(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster(workers=1))
        cls.http = Http(cls.cluster)

        def dying(error):
            return json.dumps({"kind": "dead", "args": {"error": error}, "attempts": 1, "retry": True}) + "\n"
        lines = "".join(map(dying, [f"part {n} is missing" for n in range(MANY)]))
        cls.of_many = cls.die(lines, MANY)
        cls.of_few = cls.die("".join(map(dying, FEW)), MANY + len(FEW))  # Behind all of those.

    @classmethod
    def die(cls, lines, count):
        ids = cls.http.post("/task", lines, **{"Content-Type": "application/x-ndjson"})["ids"]
        wait_until(lambda: cls.http.get("/cluster")["sink"]["dead"] == count, seconds=120, what="all are dead")
        return ids

    def pages(self, query):
        """How many letters each page has, and the ids of all."""
        sizes, ids, after = [], [], ""
        while True:
            page = self.http.get(f"/dead?{query}{after}")
            sizes.append(len(page["letters"]))
            ids += [letter["id"] for letter in page["letters"]]
            if page["next"] is None:
                return sizes, ids
            after = f"&after={page['next']}"

    def test_each_letter_of_a_group_is_on_one_of_its_pages(self):
        sizes, ids = self.pages("group=part+%23+is+missing&limit=200")
        self.assertEqual(max(sizes), 200)
        self.assertEqual((len(ids), set(ids)), (MANY, set(self.of_many)))
        sizes, ids = self.pages("group=echo+says+no&limit=2")
        self.assertEqual((sizes[0], sizes[-1], set(ids), len(ids)), (0, 1, set(self.of_few), 3))
        self.assertEqual(self.pages("group=nobody+died+of+it")[1], [])

    def test_a_kind_and_a_project_narrow_it_too(self):
        self.assertEqual(self.pages("kind=echo")[1], [])
        self.assertEqual(set(self.pages("kind=dead&group=echo+says+no")[1]), set(self.of_few))
        self.assertEqual(self.pages("project=p&group=echo+says+no"), ([0], []))
        self.assertEqual(len(self.pages("limit=1000")[1]), MANY + len(FEW))
        for limit in (0, 1001, "x"):
            status, _, problem = self.http.ask("GET", f"/dead?limit={limit}")
            self.assertEqual((status, problem["detail"]), (400, f"limit={limit}: 1 to 1000"))


if __name__ == "__main__":
    unittest.main()
