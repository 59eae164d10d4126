"""The Python client's cores answer what the C++ client's do: tests/golden/transcripts, step by step."""

import collections
import json
import pathlib
import struct
import sys
import time
import unittest

import msgpack

ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "clients/python"))
from eole.flights import Flights  # noqa: E402
from eole.following import Cursor, Following  # noqa: E402
from eole.log import FOUND_MAX, Log  # noqa: E402
from eole.member import Lost, Member  # noqa: E402
from eole.records import RUN, SIZE, open_batch  # noqa: E402
from eole.topics import topics  # noqa: E402

PATIENCE = 30
INPUTS = ("at", "hears", "does", "most", "tasks", "from", "pattern")


class Played:
    """A core: what comes to it, and what it tells."""

    was_over = False

    def told_of(self, core):
        """An error, once."""
        error = None if self.was_over else core.take_error()
        self.was_over = core.is_over
        return {"error": str(error)} if error else {}


class Group(Played):
    """A member, and what goes through its pieces."""

    def __init__(self):
        self.member = Member("g", 7, "me", 0, PATIENCE)
        self.records, self.piece, self.drops = [], None, 0

    def hear(self, fields, payload, now):
        name, *numbers = fields[1:]
        member = self.member
        {"attending": lambda: member.on_attending(*numbers, payload, now),
         "records": lambda: member.on_records(numbers[0], numbers[2], numbers[3], payload, now),
         "gone": lambda: member.on_gone(numbers[0], numbers[3], numbers[4], now),
         "log_head": lambda: member.on_grown(*numbers[:2], now),
         "refused": lambda: member.on_refused(fields)}[name]()

    def do(self, name, step, now):
        if name == "take":
            return {"finds": list(self.take(step["most"], now))}
        if name != "wait":
            getattr(self.member, name)(now)
        return {}

    def take(self, most, now):
        member, found = self.member, 0
        while found < most:
            if self.drops != member.drops:
                self.drops, self.records, self.piece = member.drops, [], None
            if self.records:
                record = self.records.pop(0)
                if member.takes(record.partition, record.offset):
                    found += 1
                    yield record.offset
            elif self.piece:
                piece, self.piece = self.piece, None
                member.went_to(piece.next)
                member.end_piece(len(piece.batch), now)
            elif not member.pieces:
                return
            elif isinstance(piece := member.pieces.popleft(), Lost):
                member.went_to(piece.last + 1)
                found += 1
                yield f"gone {piece.first}-{piece.last}"
            else:
                self.piece = piece
                if piece.batch:
                    open_batch(piece.batch, 0, self.records, member.count)

    def end(self, now):
        member = self.member
        member.on_deadline(now)
        said, member.out = member.out, []
        holds = {"sure": member.may_hand_out(now), "to let go": member.is_to_let_go(),
                 "committed": member.is_committed(), "left": member.has_left, "over": member.is_over}
        return {"says": said, "is": [name for name, does in holds.items() if does]} | self.told_of(member)


class Submit:
    """A client's run at the ventilator."""

    def __init__(self):
        self.flights = Flights(7, PATIENCE)

    def hear(self, fields, payload, now):
        if fields[1] == "accepted":
            self.flights.on_accepted(fields[2], payload, now)
        else:
            self.flights.on_refused(fields, now)

    def do(self, name, step, now):
        flights = self.flights
        if name == "submit":
            count, key, payload = step["tasks"]
            flights.submit(bytes.fromhex(payload), count, key, now)
        elif name == "break":
            flights.on_broken()
        elif name == "stand":
            flights.on_standing(now)
        return {}

    def end(self, now):
        flights = self.flights
        flights.on_deadline(now)
        said, flights.out = flights.out, []
        ended = [[request, *(came_to if isinstance(came_to, tuple) else [str(came_to)])]
                 for request, came_to in flights.ended.items()]
        flights.ended.clear()
        return {"says": said, "ends": ended, "is": ["idle"] * (not flights)}


class Read(Played):
    """A reader of the log."""

    def hear(self, fields, payload, now):
        name, core = fields[1], self.core
        {"notification": lambda: core.on_notification(fields[2], payload, now),
         "log_head": lambda: core.on_grown(*fields[2:4], now),
         "records": lambda: core.on_records(*fields[2:7], fields[7] if len(fields) > 7 else "", payload, now),
         "gone": lambda: core.on_gone(fields[2], fields[5], now),
         "refused": lambda: core.on_refused(fields)}[name]()

    def do(self, name, step, now):
        if name == "open":
            log, self.wanted, _ = step["from"]
            pattern = step.get("pattern", "")
            self.core, self.wants = Following(Cursor(log, self.wanted), now, PATIENCE, pattern), pattern and topics(pattern)
        return {}

    def end(self, now):
        core, found = self.core, []
        core.on_deadline(now)
        while core.batches:
            open_batch(core.batches.popleft(), self.wanted, found, wants=self.wants)
        said, core.out = core.out, []
        is_now = ["over"] if core.is_over else ["open"] if core.is_open else []
        return {"says": said, "finds": [each.offset for each in found], "behind": core.offset,
                "is": is_now} | self.told_of(core)


class Ahead(unittest.TestCase):
    def test_what_was_published_behind_a_gap_is_taken_in_its_order_and_looked_through_once(self):
        core, count = Following(Cursor(), 0, PATIENCE), 100_000
        core.on_records(1, 7, 0, 0, 0, "", b"", 0)
        batches = [struct.pack("<QQQIHI", offset, 7, 5, 1, 2, 0) + b"w1" for offset in range(count)]
        for batch in batches[1:] + batches[1:9]:  # Some come twice.
            core.on_notification(7, batch, 0)
        start = time.process_time()
        core.on_notification(7, batches[0], 0)
        self.assertEqual(list(core.batches), batches)
        self.assertLess(time.process_time() - start, 5)  # By the square it takes a minute.

    def test_what_has_come_is_not_all_opened_at_once(self):
        log, count = Log.__new__(Log), 5 * FOUND_MAX  # No socket: what is there needs none.
        log.found, log._wanted, log._wants, log._core = collections.deque(), 0, None, Following(Cursor(), 0, PATIENCE)
        run = RUN.pack(1, 1, 0, 0, 1, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1, 5) + b"echo" + SIZE.pack(1) + b"\x80"
        log._core.batches.extend(struct.pack("<QQQIHI", at, 7, 5, 1, 2, 0) + b"w1" + run for at in range(count))
        log._core.offset = count
        for at in range(count):
            if not log.found:
                log.wait(0)
                self.assertLessEqual(len(log.found), FOUND_MAX)
                self.assertEqual(log.offset, at + len(log.found))
            self.assertEqual(log.found.popleft().offset, at)


class Transcripts(unittest.TestCase):
    def play(self, kind, prefix):
        paths = sorted((ROOT / "tests/golden/transcripts").glob(f"{prefix}*.jsonl"))
        self.assertTrue(paths)
        for path in paths:
            played = kind()
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                step = json.loads(line)
                now, seen = step["at"] / 1000, {}
                if "hears" in step:
                    fields, payload = step["hears"]
                    played.hear(fields, bytes.fromhex(payload), now)
                else:
                    seen = played.do(step["does"], step, now)
                seen |= played.end(now)
                seen["says"] = [[msgpack.unpackb(head), payload.hex()] for head, payload in seen["says"]]
                expected = {name: value for name, value in step.items() if name not in INPUTS}
                with self.subTest(f"{path.name}:{number}", does=line[:120]):
                    self.assertEqual(seen, expected)

    def test_a_member_of_a_group(self):
        self.play(Group, "group_")

    def test_a_submitter(self):
        self.play(Submit, "submit_")

    def test_a_reader(self):
        self.play(Read, "read_")


if __name__ == "__main__":
    unittest.main()
