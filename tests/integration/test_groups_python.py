"""Groups in Python: as test_groups.py has them of the command, and what a program asks besides."""

import collections
import datetime
import itertools
import json
import os
import pathlib
import signal
import subprocess
import sys
import unittest

import msgpack
from cluster import Cluster, wait_until
from fake_sink import GOLDEN

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "clients/python"))
import eole  # noqa: E402
from eole import member, records, topics  # noqa: E402

TASKS = 400


def cursors(**offsets):
    return b"".join(member.CURSOR.pack(int(partition[1:]), offset) for partition, offset in offsets.items())


def batch(first, *seqs):
    """Of tasks without a key, one result a run."""
    runs = b"".join(records.RUN.pack(0, seq, 1, seq, 1, 1, 1, 5, 4, 7, 4, 0, 0, 0, 1, 5) + b"echo" + b"\1\0\0\0\xc0"
                    for seq in seqs)
    encoded = records.BATCH.pack(first, 7, 5, len(seqs), 2, 0) + b"w1" + runs
    return records.SIZE.pack(len(encoded)) + encoded


class Decides(unittest.TestCase):
    """A member without a cluster: what it says, and which records it takes."""

    def setUp(self):
        self.member = member.Member("g", 5, "me", 0, 30)
        self.member.on_deadline(0)
        self.asked, self.request = [], 0
        self.said()

    def said(self):
        """What it attended with since; what it read is in `asked`."""
        out, self.member.out = [(msgpack.unpackb(head)[1:], payload) for head, payload in self.member.out], []
        self.asked += [(head[1], head[3], payload) for head, payload in out if head[0] == "read"]
        attends = [(head, payload) for head, payload in out if head[0] == "attend"]
        self.request = attends[-1][0][1] if attends else self.request
        return attends

    def told(self, generation, now, moved=0, request=None, **offsets):
        """The answer to its latest attend, or what it is told unasked."""
        self.said()
        self.member.on_attending(self.request if request is None else request, 9, generation, moved, 2000, 4,
                                 cursors(**offsets), now)

    def taken(self, first, *seqs, now):
        """Those that are handed out of a batch that is read."""
        self.said()
        request = self.asked[-1][0]
        self.member.on_records(request, first + len(seqs), first + len(seqs), batch(first, *seqs), now)
        return self.go_through()

    def go_through(self):
        taken = []
        while self.member.pieces:
            piece = self.member.pieces.popleft()
            found = []
            if piece.batch:
                records.open_batch(piece.batch, 0, found, self.member.count)
            taken += [each.offset for each in found if self.member.takes(each.partition, each.offset)]
            self.member.went_to(piece.next)
        return taken

    def test_the_golden_messages_are_written_and_read(self):
        fields = records.head_of(GOLDEN["attend"])
        self.assertEqual(fields[:2], [1, "attend"])
        self.assertEqual([type(each) for each in fields[2:8]], [int, str, int, str, int, int])
        again = member.Member("g", 5, "me", 0, 30)
        again.on_deadline(0)
        [(head, payload)] = again.out
        self.assertEqual(([type(each) for each in msgpack.unpackb(head)[2:8]], payload),
                         ([int, str, int, str, int, int], b""))
        fields = records.head_of(GOLDEN["attending"])
        self.assertEqual((fields[:2], len(fields[2:8])), ([1, "attending"], 6))

    def test_the_partition_of_a_key_is_its_crc32c(self):
        self.assertEqual(records.crc32c(b"123456789"), 0xe3069283)

    def test_it_takes_what_it_owns_and_commits_what_was_dealt_with(self):
        self.told(1, 0.1, p0=10, p2=12)
        self.said()
        self.assertEqual(self.asked[-1][1:], (10, member.PARTITION.pack(4) + member.PARTITION.pack(0)
                                              + member.PARTITION.pack(2)))
        self.assertEqual(self.taken(10, 4, 6, 8, 5, 6, now=0.2), [10, 12, 14])  # Offset 11 is committed there.
        self.member.commit(0.3, but=(2, 14))
        self.assertEqual(self.said(), [])  # What it said before is not answered yet.
        self.told(1, 0.4, p0=10, p2=12)
        [(_, payload)] = self.said()
        self.assertEqual(payload, cursors(p0=15, p2=14))
        self.assertFalse(self.member.is_committed())
        self.told(1, 0.5, p0=15, p2=14)
        self.assertTrue(self.member.is_committed())

    def test_it_is_sure_only_if_the_sink_answered_lately(self):
        self.told(1, 0.1, p0=0)
        self.assertTrue(self.member.may_hand_out(4.9))
        self.assertFalse(self.member.may_hand_out(5.1))
        self.member.on_deadline(100)  # It was stopped.
        self.told(1, 100, request=2, p0=0)  # The answer to what it said before.
        self.assertFalse(self.member.may_hand_out(100))
        self.told(1, 100.1, p0=0)
        self.assertTrue(self.member.may_hand_out(100.2))

    def test_what_moves_is_let_go_once_it_is_dealt_with_and_what_stays_goes_on(self):
        self.told(1, 0.1, p0=0, p1=0)
        self.assertEqual(self.taken(0, 4, 5, now=0.2), [0, 1])
        self.told(2, 0.3, request=0, p0=0)
        self.assertTrue(self.member.is_to_let_go())
        self.assertEqual(self.said(), [])
        self.member.commit(0.4)
        [(head, payload)] = self.said()
        self.assertEqual((head[5], payload), (2, cursors(p0=2, p1=2)))
        self.told(2, 0.5, p0=2)
        self.assertEqual(sorted(self.member.owned), [0])
        self.member.on_grown(9, 4, 0.6)
        self.assertEqual(self.taken(2, 5, 8, now=0.7), [3])

    def test_it_lets_go_by_itself_if_nobody_asks_and_commits_nothing(self):
        self.told(1, 0.1, p0=0, p1=0)
        self.taken(0, 5, now=0.2)
        self.told(2, 0.3, request=0, p0=0)
        self.said()
        self.member.on_deadline(5.4)
        [(head, payload)] = self.said()
        self.assertEqual((head[5], payload), (2, cursors(p0=1)))

    def test_what_a_person_moved_is_read_from_there(self):
        self.told(1, 0.1, p0=0)
        self.taken(0, 4, 8, now=0.2)
        self.told(2, 0.3, moved=2, request=0, p0=0)
        self.assertFalse(self.member.has_handed(0, 1))
        self.assertEqual(self.taken(0, 4, 8, now=0.5), [0, 1])

    def test_what_is_given_back_comes_again_and_is_not_committed(self):
        self.told(1, 0.1, p0=0, p1=0)
        self.assertEqual(self.taken(0, 4, 5, 8, now=0.2), [0, 1, 2])
        self.assertEqual([self.member.has_handed(0, offset) for offset in (0, 2)], [False, True])
        self.member.commit(0.3, but=(0, 2))
        self.member.give_back(0, 2)
        self.assertFalse(self.member.has_handed(0, 2))
        self.member.commit(0.4)
        self.told(1, 0.5, p0=0, p1=0)
        self.assertEqual(self.said()[0][1], cursors(p0=2, p1=3))
        self.assertEqual(self.taken(2, 8, 9, now=0.6), [2, 3])

    def test_what_another_member_has_is_its_own_no_more(self):
        self.told(1, 0.1, p0=0, p1=0)
        self.taken(0, 5, now=0.2)
        self.told(2, 0.3, request=0, p0=0)
        self.assertTrue(self.member.has_handed(1, 0))  # It waits until that is dealt with …
        self.member.on_deadline(5.4)                   # … but not for ever.
        self.assertFalse(self.member.has_handed(1, 0))

    def test_what_is_gone_is_told_once(self):
        self.told(1, 0.1, p0=3)
        self.said()
        request = self.asked[-1][0]
        self.member.on_gone(request, 8, 20, 0.2)
        self.member.on_gone(request, 8, 20, 0.2)
        self.assertEqual(list(self.member.pieces), [member.Lost(3, 7)])

    def test_another_log_ends_it(self):
        self.told(1, 0.1, p0=0)
        self.member.on_attending(0, 10, 2, 0, 2000, 4, b"", 1)
        self.assertIsInstance(self.member.take_error(), eole.LogReplaced)
        self.assertTrue(self.member.is_over)


class Patterns(unittest.TestCase):
    def test_star_is_a_word_and_hash_is_any_number(self):
        for pattern, topic, fits in (("shop/*/failed", ("shop", "echo", "failed"), True),
                                     ("shop/*/failed", ("shop", "a/b", "failed"), False),
                                     ("#/dead", ("a/b", "c", "dead"), True), ("#", ("", "c", "dead"), True),
                                     ("shop/#/echo/done", ("shop", "echo", "done"), True),
                                     ("*/echo/done", ("", "echo", "done"), True),
                                     ("shop/echo", ("shop", "echo", "done"), False),
                                     ("#/a/#/b/done", ("a", "x/a", "done"), False),
                                     ("x/#", (b"\xff", "a", "done"), False)):
            with self.subTest(pattern=pattern, topic=topic):
                self.assertEqual(topics.topics(pattern)(*topic), fits)
        with self.assertRaisesRegex(eole.BadTask, "ab#"):
            topics.topics("a/ab#")
        with self.assertRaisesRegex(eole.BadTask, "topic: is empty"):
            topics.topics("")


class Groups(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.running = cls.enterClassContext(Cluster(workers=2, slots=2))
        cls.path = pathlib.Path(cls.running.directory, "eole/cluster.toml")

    def setUp(self):
        self.cluster = self.enterContext(eole.Cluster(self.path))

    def submit(self, count, **words):
        ids = self.cluster.submit("echo", [{"n": n} for n in range(count)], **words)
        list(self.cluster.results(ids))
        return ids

    def look(self, name):
        return next((each for each in self.cluster.groups() if each["group"] == name), None)

    def read_all(self, count, *groups):
        """What each of them gives, a list each, until it is so many in all."""
        found = [[] for _ in groups]

        def look():
            for records_of, group in zip(found, groups):
                records_of.extend(group)  # To its timeout.
            return sum(map(len, found)) >= count
        wait_until(look, 60, f"{count} records are read")
        return found

    def consumer(self, group, name, **options):
        path = pathlib.Path(self.running.directory, f"{group}-{name}.jsonl")
        process = subprocess.Popen([sys.executable, HERE / "group_consumer.py", group, name,
                                    *(f"{word}={json.dumps(value)}" for word, value in options.items())],
                                   env=self.running.env, stdout=open(path, "w"), stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process, path

    @staticmethod
    def read(path):
        return [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]

    def test_three_share_a_log_and_one_is_killed_one_stopped_and_the_sink_away(self):
        self.cluster.create_group("three", "earliest")
        members = {name: self.consumer("three", name, commits="each") for name in ("a", "b", "c")}
        wait_until(lambda: self.look("three")["members"] == 3, what="three members")
        first = self.submit(TASKS)
        wait_until(lambda: all(self.read(path) for _, path in members.values()), what="each has read something")
        members["a"][0].kill()
        os.kill(members["b"][0].pid, signal.SIGSTOP)
        second = self.submit(TASKS)
        self.running.kill("sink")
        third = self.submit(TASKS)

        def seen():
            return {each["id"] for _, path in members.values() for each in self.read(path)}
        wait_until(lambda: seen() >= {*first, *second, *third}, seconds=90, what="nothing is missing")
        os.kill(members["b"][0].pid, signal.SIGCONT)
        fourth = self.submit(TASKS)
        wait_until(lambda: seen() >= {*fourth}, seconds=60, what="the woken one is no obstacle")
        wait_until(lambda: self.look("three")["lag_records"] == 0, what="all is committed")
        who = collections.defaultdict(list)
        for name, (_, path) in members.items():
            for each in self.read(path):
                who[each["offset"]].append(name)
        twice = {offset: names for offset, names in who.items() if len(names) > 1}
        # What was handed out and not committed yet: a record at most of each that was cut off.
        self.assertLessEqual(len(twice), 3, twice)
        self.assertTrue(all({"a", "b"} & {*names} for names in twice.values()), twice)

    def test_what_is_no_name_and_no_offset_is_said(self):
        for name, start in (("\udcff", 0), (5, 0), ("g", 10**30), ("g", -1)):
            with self.assertRaises(eole.BadTask):
                self.cluster.create_group(name, start)

    def test_what_waits_for_a_sink_that_is_away_has_a_bound(self):
        with self.cluster.group("bound", create_from="earliest") as group:
            self.assertEqual(group._sink.get_hwm(), 100)

    def test_a_block_that_ends_well_commits_and_one_that_does_not_keeps_its_record(self):
        ids = self.submit(6, project="steps")
        got = []
        with self.cluster.group("steps", create_from="earliest", partitions=2, topic="steps/#") as group:
            for record in group:
                got.append(record.id)
                if len(got) == 2:
                    break
        with self.assertRaises(ZeroDivisionError), self.cluster.group("steps", topic="steps/#") as group:
            got += [next(group).id, next(group).id]
            failed = next(group).id
            1 / 0
        with self.cluster.group("steps", topic="steps/#") as group:
            rest = [next(group).id for _ in range(len(ids) - len(got))]
        self.assertIn(failed, rest)
        self.assertEqual(sorted(got + rest), sorted(ids))

    def test_manual_commits_nothing_by_itself(self):
        ids = self.submit(5, project="manual")
        options = {"topic": "manual/#", "commits": "manual", "create_from": "earliest"}
        for _ in range(2):
            with self.cluster.group("manual", **options) as group:
                self.assertEqual(sorted(next(group).id for _ in ids), sorted(ids))
        with self.cluster.group("manual", **options) as group:
            got = [next(group).id, next(group).id]
            group.commit()
            next(group)
        with self.cluster.group("manual", **options) as group:
            got += [next(group).id for _ in range(3)]
            self.assertEqual(sorted(got), sorted(ids))

    def test_what_moves_goes_on_at_its_new_owner(self):
        self.cluster.create_group("two", "latest", partitions=4)
        with self.cluster.group("two", member="a", timeout=0.5) as a:
            first = self.submit(40, project="two")
            got = [next(a).id for _ in range(20)]
            with self.cluster.group("two", member="b", timeout=0.5) as b:
                def is_shared():  # Who is asked for the next record commits what it gives away.
                    got.extend(record.id for record in itertools.chain(*self.read_all(0, a, b)))
                    view = self.look("two")
                    return len(got) == 40 and view["members"] == 2 and view["is_settled"]
                wait_until(is_shared, what="both own some")
                second = self.submit(40, project="two")
                of_a, of_b = self.read_all(40, a, b)
        self.assertEqual(sorted(got), sorted(first))
        self.assertEqual(sorted(record.id for record in of_a + of_b), sorted(second))
        self.assertFalse({record.partition for record in of_a} & {record.partition for record in of_b})
        self.assertEqual(len({record.partition for record in of_b}), 2)

    def test_tasks_of_a_key_are_one_partitions_for_the_sink_and_here(self):
        self.cluster.create_group("keyed", "latest", partitions=64)
        with self.cluster.group("keyed", member="a", timeout=0.5) as a, self.cluster.group("keyed", timeout=0.5) as b:
            wait_until(lambda: self.look("keyed")["members"] == 2 and self.look("keyed")["is_settled"], what="two members")
            self.submit(5, key="one")
            self.submit(5, key="two\u00e9")
            of = collections.defaultdict(set)
            for record in itertools.chain(*self.read_all(10, a, b)):
                of[record.key].add((record.partition, record.id))
        self.assertEqual({key: len(found) for key, found in of.items()}, {"one": 5, "two\u00e9": 5})
        self.assertEqual({key: len({partition for partition, _ in found}) for key, found in of.items()},
                         {"one": 1, "two\u00e9": 1})

    def test_a_group_is_made_listed_moved_and_deleted(self):
        self.assertTrue(self.cluster.create_group("life", "latest", partitions=2)["created"])
        self.assertFalse(self.cluster.create_group("life", "latest", partitions=2)["created"])
        with self.assertRaisesRegex(eole.Refused, "with 2 partitions"):
            self.cluster.create_group("life", "latest", partitions=3)
        before = datetime.datetime.now()
        self.submit(3, project="life")
        self.assertEqual(self.look("life")["lag_records"], 3)
        self.assertEqual(self.cluster.move_group("life", "latest")["skips"], 3)
        self.assertEqual(self.look("life")["lag_records"], 0)
        self.assertGreaterEqual(self.cluster.move_group("life", before)["repeats"], 3)
        self.cluster.delete_group("life")
        self.assertIsNone(self.look("life"))
        for act in (lambda: self.cluster.delete_group("life"), lambda: self.cluster.move_group("life", 0)):
            self.assertRaisesRegex(eole.NotFound, "life", act)
        removed = self.assertRaisesRegex(eole.Refused, "member me was removed")
        with removed, self.cluster.group("one", "me", create_from="latest") as group:
            self.submit(1, project="one")
            self.assertEqual(next(group).offset, self.look("one")["head"] - 1)
            self.assertRaisesRegex(eole.NotFound, "you", lambda: self.cluster.remove_member("one", "you"))
            self.cluster.remove_member("one", "me")
            next(group)
        with self.cluster.group("life") as group, self.assertRaisesRegex(eole.Refused, "eole group create life"):
            next(group)

    def test_a_cursor_goes_on_where_it_was(self):
        head = self.cluster.status()["head"]
        ids = self.submit(4, project="mine")
        with self.cluster.cursor("mine", head) as cursor:
            got = [next(cursor).id, next(cursor).id]
        with self.cluster.cursor("mine") as cursor:
            got += [next(cursor).id, next(cursor).id]
        self.assertEqual(sorted(got), sorted(ids))


if __name__ == "__main__":
    unittest.main()
