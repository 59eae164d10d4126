"""Tasks of Python that run at once in the process, as in the tests of whoever has tasks."""

import unittest

from python_tasks_cases import Cases, eole, shop
import eole.aio
import eole.testing


class Eager(Cases, unittest.TestCase):
    def setUp(self):
        eager = eole.testing.eager()
        eager.__enter__()
        self.addCleanup(eager.__exit__, None, None, None)

    def test_how_far_a_task_was_and_what_it_ran_as(self):
        @eole.task(name="told", project="night")
        def told():
            eole.progress(1, 2, "half")
            return eole.current.id, eole.current.project

        handle = told.delay()
        self.assertEqual((handle.get(), handle.progress), ((handle.id, "night"), (1, 2, "half")))
        self.assertEqual((eole.current.id, eole.current.attempt, eole.current.is_cancelled), (None, 0, False))


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


if __name__ == "__main__":
    unittest.main()
