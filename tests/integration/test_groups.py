"""Consumer groups: whoever is killed, stopped or away, no record is missed, and only what was not committed comes twice."""

import collections
import json
import os
import pathlib
import signal
import subprocess
import unittest

from cluster import BIN, Cluster, wait_until

TASKS = 400


class Groups(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster(workers=2, slots=2))

    def submit(self, count, **words):
        return [each["id"] for each in self.cluster.submit([{"kind": "echo", "args": {"n": n}, **words}
                                                            for n in range(count)], "--wait")]

    def group(self, name):
        return next((each for each in self.cluster.json("group", "list") if each["group"] == name), None)

    def consumer(self, group, member, *arguments):
        path = pathlib.Path(self.cluster.directory, f"{group}-{member}.jsonl")
        process = subprocess.Popen([BIN / "eole", "watch", "--group", group, "--member", member, "--json", *arguments],
                                   env=self.cluster.env, stdout=open(path, "w"), stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: process.poll() is None and process.kill())
        return process, path

    @staticmethod
    def read(path):
        return [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]

    def test_three_share_a_log_and_one_is_killed_one_stopped_and_the_sink_away(self):
        self.cluster.eole("group", "create", "three", "--from", "earliest")
        members = {name: self.consumer("three", name, "--commit", "each") for name in ("a", "b", "c")}
        wait_until(lambda: self.group("three")["members"] == 3, what="three members")
        first = self.submit(TASKS)
        wait_until(lambda: all(self.read(path) for _, path in members.values()), what="each has read something")
        members["a"][0].send_signal(signal.SIGKILL)
        members["b"][0].send_signal(signal.SIGSTOP)
        second = self.submit(TASKS)
        self.cluster.kill("sink")
        wait_until(lambda: self.cluster.settled() >= 0, what="the sink is back")
        third = self.submit(TASKS)

        def seen():
            return {each["id"] for _, path in members.values() for each in self.read(path)}
        wait_until(lambda: seen() >= {*first, *second, *third}, seconds=90, what="nothing is missing")
        members["b"][0].send_signal(signal.SIGCONT)
        fourth = self.submit(TASKS)
        wait_until(lambda: seen() >= {*fourth}, seconds=60, what="the woken one is no obstacle")
        wait_until(lambda: self.group("three")["lag_records"] == 0, what="all is committed")
        who = collections.defaultdict(list)
        for name, (_, path) in members.items():
            for each in self.read(path):
                who[each["offset"]].append(name)
        twice = {offset: names for offset, names in who.items() if len(names) > 1}
        # What was printed and not committed yet: a record at most of each that was cut off.
        self.assertLessEqual(len(twice), 3, twice)
        self.assertTrue(all({"a", "b"} & {*names} for names in twice.values()), twice)

    def test_a_member_ends_well_and_the_next_goes_on_behind_it(self):
        self.cluster.eole("group", "create", "steps", "--from", "latest", "--partitions", "4")
        ids = self.submit(20, project="steps")
        got = [each["id"] for _ in range(4) for each in self.cluster.json("watch", "--group", "steps", "--count", 5)]
        self.assertEqual(sorted(got), sorted(ids))
        self.assertEqual(self.group("steps")["lag_records"], 0)
        told = self.cluster.json("group", "show", "steps")[0]
        self.assertEqual(told["partitions"], 4)

    def test_what_was_not_committed_comes_again(self):
        self.cluster.eole("group", "create", "again", "--from", "latest", "--partitions", "1")
        ids = self.submit(3, project="again")
        for _ in range(2):
            got = self.cluster.json("watch", "--group", "again", "--count", 3, "--commit", "never")
            self.assertEqual(sorted(each["id"] for each in got), sorted(ids))
        self.assertEqual(self.group("again")["lag_records"], 3)

    def test_a_group_is_moved_and_deleted(self):
        self.cluster.eole("group", "create", "moved", "--from", "latest")
        self.submit(5)
        wait_until(lambda: self.group("moved")["lag_records"] >= 5, what="it is behind")
        self.cluster.eole("group", "move", "moved", "--to", "latest")
        self.assertEqual(self.group("moved")["lag_records"], 0)
        self.cluster.eole("group", "delete", "moved")
        self.assertIsNone(self.group("moved"))
        refused = self.cluster.eole("watch", "--group", "moved", "--count", 1, check=False)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("eole group create moved", refused.stderr)

    def test_a_member_that_is_removed_ends_and_says_why(self):
        self.cluster.eole("group", "create", "left", "--from", "latest")
        [one] = self.submit(1)
        watch = subprocess.Popen([BIN / "eole", "watch", "--group", "left", "--member", "me", "--commit", "never"],
                                 env=self.cluster.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: watch.poll() is None and watch.kill())

        def members():
            return self.cluster.json("group", "show", "left")[0]["each_member"]
        wait_until(lambda: [each["unacknowledged"] for each in members()] == [1], what="it has the record in hand")
        self.assertRegex(self.cluster.eole("group", "show", "left").stdout, r"me +8 partitions +heard .* ago +1 unacknowledged")
        for group, member in (("left", "you"), ("nowhere", "me")):
            refused = self.cluster.eole("group", "remove", group, member, check=False)
            self.assertEqual(refused.returncode, 2, refused.stderr)
        self.cluster.eole("group", "remove", "left", "me")
        _, why = watch.communicate(timeout=60)
        self.assertIn("the member me was removed", why)
        self.assertNotEqual(watch.returncode, 0)
        [again] = self.cluster.json("watch", "--group", "left", "--count", 1)
        self.assertEqual(again["id"], one)

    def test_tasks_of_a_key_are_one_partitions(self):
        self.cluster.eole("group", "create", "keyed", "--from", "latest")
        self.submit(6, key="one", project="keyed")
        got = self.cluster.json("watch", "--group", "keyed", "--count", 6, "--project", "keyed")
        self.assertEqual(({each["key"] for each in got}, len({each["partition"] for each in got})), ({"one"}, 1))

    def test_a_cursor_goes_on_where_it_was(self):
        head = self.cluster.status()["head"]
        ids = self.submit(4, project="mine")
        one = self.cluster.json("watch", "--as", "mine", "--from", head, "--count", 2)
        rest = self.cluster.json("watch", "--as", "mine", "--count", 2)
        self.assertEqual(sorted(each["id"] for each in one + rest), sorted(ids))
        [oldest] = self.cluster.json("watch", "--as", "all of it", "--from", "earliest", "--count", 1)
        self.assertEqual(oldest["offset"], self.cluster.status()["log_kept_from"])
        [first] = self.cluster.json("watch", "--from", "earliest", "--count", 1)
        self.assertEqual(first["offset"], oldest["offset"])


if __name__ == "__main__":
    unittest.main()
