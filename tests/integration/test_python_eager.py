"""Tasks of Python that run at once in the process, as in the tests of whoever has tasks."""

import asyncio
import concurrent.futures
import threading
import types
import unittest

from python_tasks_cases import Cases, eole, shop
import eole.aio
import eole.testing


class Eager(Cases, unittest.TestCase):
    def setUp(self):
        eager = eole.testing.eager()
        eager.__enter__()
        self.addCleanup(eager.__exit__, None, None, None)

    def see_too_large(self, future):
        self.assertEqual(future.result(), 250_000)  # Nothing is sent, so nothing is.

    def test_how_far_a_task_was_and_what_it_ran_as(self):
        @eole.task(name="told", project="night")
        def told():
            eole.progress(1, 2, "half")
            return eole.current.id, eole.current.project

        handle = told.delay()
        self.assertEqual((handle.get(), handle.progress), ((handle.id, "night"), (1, 2, "half")))
        self.assertEqual((eole.current.id, eole.current.attempt, eole.current.is_cancelled), (None, 0, False))

    def test_a_schedule_is_noted_and_does_not_beat(self):
        schedule = eole.schedule(shop.add, (1, 2), name="again", every="1s", project="beats")
        self.assertEqual((schedule["name"], schedule["fired"]), ("again", 0))
        said = eole.default.cluster().schedules.said["again"]
        self.assertEqual((said["kind"], said["args"], said["project"]), ("shop_tasks.add", [1, 2], "beats"))


class Waits(unittest.TestCase):
    def test_a_wait_that_is_cancelled_meanwhile_takes_nothing_from_others(self):
        cancelled, other = concurrent.futures.Future(), concurrent.futures.Future()
        cancelled.cancel()
        cancelled.cancelled = lambda: False  # As it was when it was looked at.
        result = eole.records.Result(0, "k3f9qz-1", "shop.add", "", "done", 1, True, "w1", 0.0, 0.0, {"value": 1})
        waiting = object.__new__(eole.listener.Listener)
        waiting._wanted, waiting._futures, waiting._awake = {result.id}, {result.id: [cancelled, other]}, None
        waiting._cluster = types.SimpleNamespace(take=lambda *_: [result])
        waiting._wait()
        self.assertEqual(other.result(0), result)

    def test_the_value_of_an_awaited_one_is_made_beside_the_loop(self):
        handle = eole.Handle("k3f9qz-1")
        handle._result = True
        handle.get = threading.current_thread

        async def main():
            return await handle

        self.assertIsNot(asyncio.run(main()), threading.current_thread())


class Together(unittest.TestCase):
    def test_what_gathers_for_a_task_runs_where_that_does_and_in_no_line(self):
        body = shop.total.s().set(priority=7, project="night", needs={"gpu": "1"}, key="k", after="k3f9qz-1")
        graph = eole.flows.Graph({"key": "each"})
        eole.chord([shop.same.s(n) for n in range(1001)], body).add(graph, None)
        gathering, last = [each for each in graph.tasks if "$gather" in each["args"]], graph.tasks[-1]
        self.assertEqual(len(gathering), 2)
        for each in gathering:
            self.assertEqual([each[word] for word in ("priority", "project", "needs")], [7, "night", {"gpu": "1"}])
            self.assertEqual((each["key"], each.get("after")), ("", None))
        self.assertEqual((last["key"], last["after"]), ("k", "k3f9qz-1"))


class Declared(unittest.TestCase):
    def test_what_cannot_be_a_task_is_said_at_once(self):
        with self.assertRaisesRegex(eole.BadTask, "function of a module"):
            eole.task(lambda: 1)
        with self.assertRaisesRegex(eole.BadTask, "did you mean timeout"):
            eole.task(timeot=5)(shop.add.function)
        with self.assertRaisesRegex(eole.BadTask, "priority"):
            eole.task(priority=11)(shop.add.function)
        with self.assertRaisesRegex(eole.BadTask, "no call to be made later"):
            eole.chain(shop.add.s(1, 2), 5)

    def test_more_parameters_than_a_runner_can_tell_of_are_not_told(self):
        for count, told in ((63, 63), (64, 0)):
            made = {}
            exec(f"def many({', '.join(f'a{n}' for n in range(count))}): pass", made)  # noqa: S102
            self.assertEqual(len(eole.task(name="many")(made["many"]).parameters()), told)


if __name__ == "__main__":
    unittest.main()
