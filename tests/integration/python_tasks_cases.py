"""What holds of tasks in Python wherever they run: at once in this process, or at a cluster's runners."""

import asyncio
import datetime
import os
import pathlib
import sys
import tempfile
import threading

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "clients/python"))
import eole  # noqa: E402
from eole.listener import listener  # noqa: E402
import shop_tasks as shop  # noqa: E402

SECONDS = 60


class Cases:
    def test_a_function_runs_here_or_there(self):
        self.assertEqual(shop.add(1, 2), 3)
        handle = shop.add.delay(1, b=2)
        self.assertEqual(handle.get(timeout=SECONDS), 3)
        self.assertEqual((handle.state, handle.get(), eole.Handle(handle.id).get(SECONDS)), ("done", 3, 3))

    def test_arguments_that_do_not_fit_are_said_at_once(self):
        with self.assertRaisesRegex(TypeError, "shop_tasks.add: missing a required argument: 'b'"):
            shop.add.delay(1)
        with self.assertRaisesRegex(eole.BadTask, "did you mean priority"):
            shop.add.apply([1, 2], priorty=3)

    def test_values_keep_their_types(self):
        self.assertEqual(shop.order.delay("pen", wanted=2).get(SECONDS), shop.Order("pen", 3.0, datetime.date(2026, 1, 31)))
        self.assertEqual(shop.same.delay({(1, 2): {3}}).get(SECONDS), {(1, 2): {3}})
        self.assertEqual(shop.same.delay({"$result": "k3f9qz-1"}).get(SECONDS), {"$result": "k3f9qz-1"})
        self.assertEqual(shop.in_a_loop.delay(1).get(SECONDS), 2)

    def test_the_remote_exception_is_raised_with_its_traceback(self):
        with self.assertRaises(shop.OutOfStock) as caught:
            shop.order.delay("pen", 11).get(SECONDS)
        self.assertEqual((str(caught.exception), caught.exception.item), ("pen: 11 are not there", "pen"))
        self.assertIn("raise OutOfStock(item, wanted)", str(caught.exception.__cause__))
        self.assertRegex(caught.exception.__notes__[0], "of shop_tasks.order: failed, attempt 1")
        with self.assertRaisesRegex(eole.RemoteError, "SystemExit: 0"):  # Of no Exception.
            shop.leaves.delay().get(SECONDS)

    def test_many_at_once_come_in_order_or_as_they_end(self):
        handles = shop.same.map(range(1000))
        self.assertEqual(handles.get(SECONDS), list(range(1000)))
        self.assertEqual(shop.add.starmap([(n, 1) for n in range(10)]).get(SECONDS), list(range(1, 11)))
        self.assertEqual(sorted(shop.same.map("abc").values(SECONDS)), ["a", "b", "c"])
        self.assertEqual(len(handles[:10]), 10)
        self.assertEqual(shop.add.chunks([(n, 1) for n in range(5)], 2).get(SECONDS), [[1, 2], [3, 4], [5]])
        self.assertEqual(shop.same.map([]).get(SECONDS), [])
        for size in (0, -1):
            with self.assertRaisesRegex(ValueError, f"chunks of {size} calls"):
                shop.add.chunks([(1, 2)], size)
        mixed = shop.order.starmap([("pen", 1), ("pen", 11)])
        found = mixed.get(SECONDS, return_exceptions=True)
        self.assertEqual((found[0].price, type(found[1])), (1.5, shop.OutOfStock))
        with self.assertRaises(shop.OutOfStock):
            mixed.get(SECONDS)

    def test_chains_groups_and_chords(self):
        self.assertEqual((shop.add.s(1, 2) | shop.add.s(3) | shop.add.s(b=4)).delay().get(SECONDS), 10)
        self.assertEqual(eole.chain(shop.add.si(1, 1), shop.add.si(2, 2)).delay().get(SECONDS), 4)
        self.assertEqual(eole.group(shop.add.s(n, n) for n in range(5)).delay().get(SECONDS), [0, 2, 4, 6, 8])
        self.assertEqual(eole.chord([shop.add.s(n, n) for n in range(5)])(shop.total.s()).get(SECONDS), 20)
        both = shop.same.s(5) | eole.group(shop.add.s(1), shop.add.s(2) | shop.add.s(10)) | shop.total
        self.assertEqual(both.delay().get(SECONDS), 23)
        self.assertEqual(eole.group(eole.group(shop.same.s(1), shop.same.s(2)), shop.same.s(3)).delay().get(SECONDS), [[1, 2], 3])
        self.assertEqual((eole.group([]) | shop.total.s()).delay().get(SECONDS), 0)
        self.assertEqual((shop.same.s({1, 2}) | shop.same).delay().get(SECONDS), {1, 2})

    def test_a_call_is_completed_later(self):
        begun = shop.divided.s(2)
        self.assertEqual((begun.delay(10).get(SECONDS), begun(10), begun.args), (5, 5, (2,)))
        self.assertEqual(shop.divided.s(by=4).delay(10).get(SECONDS), 2.5)
        with self.assertRaisesRegex(eole.BadTask, "shop_tasks.divided.si.*takes no arguments but its own"):
            shop.divided.si(10, 2).delay(1)

    def test_a_chord_takes_more_values_than_one_task_may(self):
        self.assertEqual(eole.chord([shop.same.s(n) for n in range(2500)], shop.total.s()).delay().get(SECONDS), 3123750)

    def test_a_chain_raises_what_broke_it(self):
        handle = (shop.order.s("pen", 11) | shop.same.s() | shop.same.s()).delay()
        with self.assertRaisesRegex(shop.OutOfStock, "pen"):
            handle.get(SECONDS)
        self.assertEqual((handle.state, handle.parent.parent.state), ("failed", "failed"))

    def test_a_failure_is_tried_again_as_its_task_asks(self):
        self.assertEqual(shop.third_time.delay().get(SECONDS), 3)
        self.assertEqual(shop.later.delay(0.01).get(SECONDS), "now")
        with self.assertRaises(shop.OutOfStock):
            shop.third_time.apply(attempts=2, retry=True).get(SECONDS)

    def test_files_go_in_and_come_out(self):
        with tempfile.TemporaryDirectory(prefix="eole-test-") as directory:
            path = os.path.join(directory, "a.txt")
            pathlib.Path(path).write_text("hello", encoding="ascii")
            found = (shop.upper.s(eole.File(path)) | shop.upper.s()).delay().get(SECONDS)
            self.assertEqual((found.name, found.bytes, found.read()), ("a.txt", 5, b"HELLO"))
            there = found.save(os.path.join(directory, "b.txt"))
            self.assertEqual(pathlib.Path(there).read_text(encoding="ascii"), "HELLO")
            pathlib.Path(path).write_bytes(b"")
            self.assertEqual(shop.upper.delay(eole.File(path)).get(SECONDS).read(), b"")

    def test_what_is_large_goes_all_the_same(self):
        array = numpy.arange(500_000.0)
        handle = (shop.same.s(array) | shop.same.s()).delay()
        self.assertEqual(handle.get(SECONDS).tobytes(), array.tobytes())

    def test_a_function_that_makes_keys(self):
        self.assertEqual(shop.pay.delay("ann", 5).get(SECONDS), ["ann", 5])
        self.assertEqual(shop.pay.starmap([("ann", 5), ("bob", 6)]).get(SECONDS), [["ann", 5], ["bob", 6]])

    def test_an_executor(self):
        with eole.Executor() as executor:
            self.assertEqual(executor.submit(shop.add, 1, 2).result(SECONDS), 3)
            self.assertEqual(list(executor.map(shop.add, range(50), range(50))), [2 * n for n in range(50)])
            with self.assertRaises(shop.OutOfStock):
                executor.submit(shop.order, "pen", 11).result(SECONDS)
            together = threading.Event()
            listener().ask(together.wait)
            with_a_bad_one = [executor.submit(shop.longest, *["x" * size] * 5) for size in (1, 250_000, 2)]
            together.set()
            self.assertEqual([each.result(SECONDS) for each in with_a_bad_one[::2]], [1, 2])
            self.see_too_large(with_a_bad_one[1])
            with self.assertRaisesRegex(eole.BadTask, "imported by nobody"):
                executor.submit(lambda: 1)
        with self.assertRaisesRegex(RuntimeError, "shutdown"):
            executor.submit(shop.add, 1, 2)

    def test_asyncio(self):
        async def main():
            handle = await eole.aio.delay(shop.add, 1, 2)
            found = [await handle, await shop.same.map(range(5)), await asyncio.gather(shop.same.delay(1), shop.same.delay(2))]
            chain = await eole.aio.delay(shop.order.s("pen", 11) | shop.same.s())
            with self.assertRaises(shop.OutOfStock):
                await chain
            ended = [each.get() async for each in eole.aio.results(shop.same.map(range(5)))]
            return [*found, sorted(ended)]

        self.assertEqual(asyncio.run(main()), [3, [0, 1, 2, 3, 4], [1, 2], [0, 1, 2, 3, 4]])
