"""What arguments and values of Python become on their way, and that they come back."""

import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import json
import pathlib
import sys
import types
import unittest
import uuid

import msgpack
import numpy

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "clients/python"))
import eole  # noqa: E402
from eole import codec  # noqa: E402


class Colour(enum.Enum):
    RED = "r"


class Mode(enum.Flag):
    READ = 1
    WRITE = 2


class Level(enum.IntEnum):
    HIGH = 3


@dataclasses.dataclass
class Point:
    x: int
    y: object
    sum: int = dataclasses.field(init=False, default=0)


Pair = collections.namedtuple("Pair", "first second")


class Odd:
    def __init__(self, n):
        self.n = n

    def __eq__(self, other):
        return isinstance(other, Odd) and other.n == self.n


def there_and_back(value):
    return codec.unpack(codec.pack(value))


class Unsayable(Exception):
    def __str__(self):
        raise KeyError("text")


class Values(unittest.TestCase):
    def assert_same(self, value):
        found = there_and_back(value)
        self.assertEqual((type(found), found), (type(value), value))

    def test_everything_comes_back_as_it_was(self):
        zone = datetime.timezone(datetime.timedelta(hours=2))
        for value in (None, True, 0, -5, 2 ** 64 - 1, 2 ** 64, -2 ** 200, 1.5, float("inf"), "text", b"\xff",
                      [], {}, [1, "a", [2.5]], {"a": {"b": [1]}}, (1, (2, "x")), {1, 2}, frozenset({"a"}),
                      bytearray(b"ab"), 3 + 4j, {1: "one", (2, 3): "two"},
                      {"$type": "mine"}, {"$result": "k3f9qz-1"}, {"$parts": True}, [{"x": float("-inf")}],
                      datetime.datetime(2026, 1, 31, 12, 0, 0, 5, zone), datetime.datetime(2026, 1, 31),
                      datetime.date(2026, 1, 31),
                      datetime.time(1, 2, 3), datetime.timedelta(-1, 2, 3), decimal.Decimal("1.10"), uuid.UUID(int=7),
                      Colour.RED, Mode.READ | Mode.WRITE, Level.HIGH, Point(1, Point(2, {3})),
                      Pair(1, (2,)), [Colour.RED, 1]):
            with self.subTest(value=value):
                self.assert_same(value)

    def test_what_json_has_goes_as_it_is(self):
        for value in (1, "a", [1, 2, "x", None], {"a": [1.5, {"b": True}]}):
            self.assertEqual(codec.encode(value), value)

    def test_the_rest_is_a_map_that_others_can_read(self):
        for value, said in ((datetime.date(2026, 1, 31), {"$type": "date", "value": "2026-01-31"}),
                            (decimal.Decimal("1.10"), {"$type": "decimal", "value": "1.10"}),
                            ((1, 2), {"$type": "tuple", "value": [1, 2]}),
                            (Colour.RED, {"$type": f"{__name__}.Colour", "value": "RED"}),
                            (Point(1, 2), {"$type": f"{__name__}.Point", "value": {"x": 1, "y": 2}}),
                            (float("inf"), {"$type": "float", "value": "inf"})):
            self.assertEqual(codec.encode(value), said)
            json.dumps(said, allow_nan=False)

    def test_a_subclass_without_a_codec_goes_as_its_base(self):
        self.assertEqual(there_and_back(collections.OrderedDict(a=1)), {"a": 1})
        self.assertEqual(there_and_back(collections.defaultdict(list, a=[1])), {"a": [1]})

    def test_arrays_of_numpy_come_back_with_shape_and_type(self):
        for array in (numpy.arange(12.0).reshape(3, 4), numpy.array(["ab", "c"]), numpy.zeros((0, 3), "i2"),
                      numpy.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
                      numpy.asfortranarray(numpy.ones((2, 3)))):
            found = there_and_back(array)
            self.assertEqual((found.dtype, found.shape, found.tobytes()), (array.dtype, array.shape, array.tobytes()))
            self.assertTrue(found.flags.writeable)
        found = there_and_back(numpy.float32(2.5))
        self.assertEqual((type(found), found), (numpy.float32, 2.5))
        with self.assertRaisesRegex(eole.BadValue, "objects"):
            codec.pack(numpy.array([object()]))

    def test_a_large_array_is_not_copied_on_its_way(self):
        for array in (numpy.arange(1000.0), numpy.arange(1000.0).reshape(10, 10, 10)[:, ::2],
                      numpy.asfortranarray(numpy.ones((20, 3))),
                      numpy.zeros(500, dtype=[("a", "<i4"), ("b", "<f8")]), numpy.arange(500).astype("datetime64[s]")):
            pieces = codec.array_pieces(array, 1)
            self.assertEqual(numpy.shares_memory(numpy.frombuffer(pieces[1], "u1"), array), array.flags.c_contiguous)
            raw = bytearray(b"".join(pieces))
            for found in (codec.unpack(bytes(raw)), codec.unpack_own(raw)):
                self.assertEqual((found.dtype, found.shape, found.tobytes()), (array.dtype, array.shape, array.tobytes()))
                self.assertEqual((found.flags.writeable, found.flags.aligned), (True, True))
            self.assertTrue(numpy.shares_memory(found, numpy.frombuffer(raw, "u1")))
        for other in ([1, "x"], {"a": numpy.ones(3)}, "x" * 300_000, (1, 2), None):
            self.assertIsNone(codec.array_pieces(other, 1))
            numpy.testing.assert_equal(codec.unpack_own(bytearray(codec.pack(other))), other)
        head, body = codec.array_pieces(numpy.arange(8.0), 1)
        for bad in (head + bytes(body)[:-1], head.replace(b"<f8", b"|O8") + bytes(body),
                    head.replace(b"\x91\x08", b"\x91\x07") + body):
            with self.assertRaises(eole.BadValue):
                codec.unpack_own(bytearray(bad))

    def test_a_class_of_ones_own_has_a_codec_once_it_is_registered(self):
        with self.assertRaisesRegex(eole.BadValue, "Fraction has no codec"):
            codec.pack(fractions.Fraction(1, 3))
        eole.register(fractions.Fraction, str, fractions.Fraction, name="fraction")
        self.assert_same([fractions.Fraction(1, 3)])
        self.assertEqual(codec.encode(fractions.Fraction(1, 3)), {"$type": "fraction", "value": "1/3"})

    def test_pickles_go_only_where_both_sides_ask(self):
        with self.assertRaisesRegex(eole.BadValue, "Odd has no codec"):
            codec.pack(Odd(1))
        eole.use_pickle()
        self.addCleanup(setattr, codec, "_is_pickle_allowed", False)
        packed = codec.pack(Odd(1))
        self.assertEqual(codec.unpack(packed), Odd(1))
        codec._is_pickle_allowed = False
        with self.assertRaisesRegex(eole.BadValue, "takes none"):
            codec.unpack(packed)

    def test_what_others_wrote_imports_nothing_and_calls_nothing_else(self):
        for said in ({"$type": "os.system", "value": "true"}, {"$type": "subprocess.Popen", "value": {"args": "true"}},
                     {"$type": "this.Never", "value": 1}, {"$type": 5}, {"$type": "date", "value": 5},
                     {"$type": "date"}, {"$type": "timedelta", "weeks": "x"}, {"$type": "set", "value": [[1]]},
                     {"$type": f"{__name__}.Point", "value": {"z": 1}}, {"$type": "int", "value": "x"},
                     {"$type": "numpy.ndarray", "dtype": "O", "shape": [1], "value": b"12345678"},
                     {"$type": "numpy.ndarray", "dtype": "f8", "shape": [1 << 40], "value": b""},
                     {"$type": "file", "name": "a", "sha256": "../../etc/passwd", "bytes": 1}):
            with self.subTest(said=said), self.assertRaises(eole.BadValue):
                codec.decode(said)
        self.assertNotIn("this", sys.modules)
        asked = []
        lazy = types.ModuleType("lazy_module")
        lazy.__getattr__ = lambda name: asked.append(name) or Point
        sys.modules["lazy_module"] = lazy
        self.addCleanup(sys.modules.pop, "lazy_module")
        with self.assertRaises(eole.BadValue):
            codec.decode({"$type": "lazy_module.Point", "value": {"x": 1, "y": 2}})
        self.assertEqual(asked, [])
        with self.assertRaises(eole.BadValue):
            codec.unpack(b"\xc1")

    def test_an_exception_that_cannot_be_made_again_is_a_remote_error(self):
        body = {"value": {"error_class": "Unsayable", "module": __name__, "text": "no", "args": ["no"], "attributes": {},
                          "traceback": "there"}}
        result = eole.records.Result(0, "k3f9qz-1", "shop.add", "", "failed", 1, True, "w1", 0.0, 0.0, body)
        error = eole.remote.error_of(result)
        self.assertEqual((type(error), str(error)), (eole.RemoteError, "Unsayable: no"))

    def test_what_is_too_deep_is_said_and_what_is_not_fits_a_result(self):
        value = 1
        for _ in range(codec.DEPTH_MAX):
            value = [value]
        self.assertEqual(eole.records.decode(msgpack.packb({"value": codec.encode(value)})), {"value": value})
        with self.assertRaisesRegex(eole.BadValue, "28 deep"):
            codec.encode([value])

    def test_keys_that_are_no_text_count_as_the_levels_that_they_are(self):
        value, packed = 1, b""
        with self.assertRaisesRegex(eole.BadValue, "28 deep"):
            for _ in range(codec.DEPTH_MAX):
                value = {1: value}
                packed = msgpack.packb({"value": codec.encode(value)})
        self.assertEqual(codec.decode(eole.records.decode(packed)["value"]), value[1])


if __name__ == "__main__":
    unittest.main()
