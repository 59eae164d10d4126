"""Tasks of Python at a cluster's runners."""

import gc
import importlib.util
import math
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import unittest.mock

import numpy

from cluster import BIN, Cluster, wait_until
from python_tasks_cases import SECONDS, Cases, eole, shop
import eole.aio
from eole.client import Client
from eole.listener import listener, result_of

HERE = pathlib.Path(__file__).parent
RUNNER = "python3 -m eole.runner shop_tasks eole.calls"


def started(case, *arguments, **options):
    env = {"PYTHONPATH": f"{HERE.parents[1] / 'clients/python'}:{HERE}", "PATH": f"/usr/bin:{os.environ['PATH']}"}
    return case.enterClassContext(Cluster(*arguments, env=env, **options))


class Tasks(Cases, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = started(cls, "--runner", RUNNER, workers=2, slots=2)
        cls.path = f"{cls.cluster.directory}/eole/cluster.toml"
        eole.configure(cls.path)
        cls.addClassCleanup(eole.configure)

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="eole-test-")
        self.addCleanup(directory.cleanup)
        self.sign = os.path.join(directory.name, "sign")

    def sign_of_life(self):
        wait_until(lambda: os.path.exists(self.sign), what="the task runs")

    def see_too_large(self, future):
        with self.assertRaisesRegex(eole.TooLarge, "limit 1048576"):
            future.result(SECONDS)

    def test_a_chord_is_one_message_whatever_its_arguments(self):
        cluster = eole.default.cluster()
        before = cluster._submitter.next_request()
        handle = eole.chord([shop.longest.s("x" * 250_000) for _ in range(5)], shop.total.s()).delay()
        self.assertEqual((cluster._submitter.next_request() - before, handle.get(SECONDS)), (1, 1_250_000))
        with self.assertRaisesRegex(eole.TooLarge, "of 40 tasks as a whole: all tasks must fit one message"):
            eole.group(shop.longest.s("x" * 250_000) for _ in range(40)).delay()

    def test_who_waits_no_more_is_not_kept(self):
        handle = shop.until_cancelled.delay(self.sign)
        self.addCleanup(handle.cancel)
        futures = [result_of(handle.id) for _ in range(3)]
        waiting = listener()
        wait_until(lambda: len(waiting._futures.get(handle.id, ())) == 3, what="all wait")
        futures[0].cancel()
        futures[1].cancel()
        wait_until(lambda: waiting._futures[handle.id] == futures[2:], what="one waits")
        futures[2].cancel()
        wait_until(lambda: handle.id not in waiting._wanted and handle.id not in waiting._futures, what="none waits")
        last = result_of(handle.id)
        handle.cancel()
        self.assertEqual(last.result(SECONDS).state, "cancelled")

    def test_how_far_it_is_and_a_cancel_that_it_hears(self):
        handle = shop.until_cancelled.delay(self.sign)
        handle.progress  # noqa: B018 - from here on it is listened to
        self.sign_of_life()
        self.assertEqual(handle.state, "running")
        with self.assertRaisesRegex(eole.TimedOut, "has not ended within 0.05 s"):
            handle.get(timeout=0.05)
        handle.cancel()
        with self.assertRaises(eole.Cancelled):
            handle.get(SECONDS)
        self.assertEqual((handle.state, handle.result().body["stopped"]["seconds"] < 5), ("cancelled", True))

    def test_progress_is_told_while_it_runs(self):
        handle = shop.steps.delay(self.sign)
        try:
            told = wait_until(lambda: handle.progress, what="progress")
        finally:
            pathlib.Path(self.sign).touch()
        self.assertEqual((told.total, told.text), (1000, "step"))
        self.assertEqual(handle.get(SECONDS), "over")

    def test_one_that_does_not_listen_is_ended_all_the_same(self):
        handle = shop.stubborn.apply([self.sign], timeout=0.5)
        with self.assertRaisesRegex(eole.RemoteError, "time limit"):
            handle.get(SECONDS)
        self.assertEqual(shop.same.map(range(20)).get(SECONDS), list(range(20)))

    def test_a_runner_that_dies_loses_nothing_and_no_slot(self):
        self.assertEqual(shop.die_once.starmap([()] * 6).get(SECONDS), [2] * 6)
        self.assertEqual(shop.same.map(range(100)).get(SECONDS), list(range(100)))

    def test_who_has_ended_is_not_charged_with_the_death_of_its_process(self):
        handles = shop.die_if.starmap(((n % 20 == 19, self.sign) for n in range(400)), attempts=1)
        found = handles.get(SECONDS, return_exceptions=True)
        self.assertEqual([n for n, each in enumerate(found) if each != 1], list(range(19, 400, 20)))
        ran = pathlib.Path(self.sign).read_text(encoding="ascii").split()
        self.assertEqual(sorted(ran), sorted(handles.ids))

    def test_a_fork_within_a_task(self):
        self.assertEqual(shop.forks.delay().get(SECONDS), "parent")

    def test_what_a_task_prints_is_its_output(self):
        with subprocess.Popen([BIN / "eole", "watch", "--progress", "--json"], env=self.cluster.env, text=True,
                              stdout=subprocess.PIPE) as watch:
            try:
                def shout():
                    shop.shout.delay("aloud").get(SECONDS)
                    return seen
                seen = []
                thread = threading.Thread(target=lambda: seen.extend(line for line in watch.stdout if "aloud" in line))
                thread.start()
                wait_until(shout, what="output")
            finally:
                watch.terminate()
                thread.join()

    def test_a_client_in_a_thread_or_after_a_fork(self):
        found = []
        handle = shop.add.delay(1, 2)
        thread = threading.Thread(target=lambda: found.append((handle.get(SECONDS), shop.add.delay(3, 4).get(SECONDS))))
        thread.start()
        thread.join()
        self.assertEqual(found, [(3, 7)])
        with eole.Cluster(self.path) as cluster:
            def wrong():
                try:
                    cluster.status()
                except eole.WrongThread as error:
                    found.append(error)
            thread = threading.Thread(target=wrong)
            thread.start()
            thread.join()
            self.assertIsInstance(found[-1], eole.WrongThread)
            pid = os.fork()
            if pid == 0:
                code = 1
                try:
                    cluster.submit("echo", 1)
                except eole.WrongProcess:
                    code = 0 if (handle.get(SECONDS), shop.add.delay(3, 4).get(SECONDS)) == (3, 7) else 2
                finally:
                    os._exit(code)
            self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)

    def test_one_that_is_never_closed_stops_nobody(self):
        program = ("import gc, sys, eole\n"
                   "for _ in range(3):\n"
                   "    cluster = eole.Cluster(sys.argv[1])\n"
                   "    cluster.submit('shop_tasks.nothing', [[]])\n"
                   "    cluster.itself = cluster\n"
                   "    del cluster\n"
                   "    gc.collect()\n"
                   "cluster = eole.Cluster(sys.argv[1])\n"
                   "cluster.submit('shop_tasks.nothing', [[]])\n"
                   "print('over')")
        done = subprocess.run([sys.executable, "-c", program, self.path], text=True, capture_output=True, timeout=60,
                              check=False, env=self.cluster.env)
        self.assertEqual((done.stdout, done.stderr), ("over\n", ""))

    def test_a_program_of_its_own_has_tasks_too(self):
        program = "import shop_tasks as s; print((s.add.s(1, 2) | s.same).delay().get(60))"
        done = subprocess.run([sys.executable, "-c", program], text=True, capture_output=True, timeout=60, check=False,
                              env={**self.cluster.env, "EOLE_CLUSTER": self.path})
        self.assertEqual((done.stdout, done.stderr), ("3\n", ""))

    def test_a_schedule_in_code(self):
        schedule = eole.schedule(shop.add, (1, 2), name="again", every=1, project="beats")
        self.assertEqual(schedule["name"], "again")
        with eole.Cluster(self.path) as cluster:
            self.addCleanup(lambda: eole.default.cluster().schedules.remove("again"))
            result = next(cluster.results(topic="beats/#", offset=0, timeout=SECONDS))
            self.assertEqual((result.kind, result.value), ("shop_tasks.add", 3))

    def test_any_function_that_can_be_imported(self):
        with eole.Executor() as executor:
            self.assertEqual(executor.submit(os.path.join, "a", "b").result(SECONDS), "a/b")

    @unittest.skipUnless(importlib.util.find_spec("joblib"), "needs joblib")
    def test_joblib_runs_at_the_workers(self):
        joblib, _ = importlib.import_module("joblib"), importlib.import_module("eole.joblib")
        with joblib.parallel_backend("eole"):
            self.assertEqual(joblib.effective_n_jobs(), 4)
            self.assertEqual(joblib.Parallel()(joblib.delayed(math.sqrt)(n * n) for n in range(50)), list(range(50)))
            processes = joblib.Parallel()(joblib.delayed(os.getpid)() for _ in range(9))
            self.assertNotIn(os.getpid(), processes)
            with self.assertRaisesRegex(ValueError, "math domain error"):
                joblib.Parallel()(joblib.delayed(math.sqrt)(n) for n in (4, -1, 9))
            with self.assertRaisesRegex(eole.BadTask, "can be imported by nobody"):
                joblib.Parallel(pre_dispatch=1)(joblib.delayed(each)(1) for each in (abs, lambda n: n))
            with self.assertRaises(TimeoutError):
                joblib.Parallel(timeout=0.01)([joblib.delayed(time.sleep)(60)])

    def test_a_cancelled_future_cancels_its_task(self):
        with eole.Executor() as executor:
            future = executor.submit(shop.until_cancelled, self.sign)
            self.sign_of_life()
            self.assertTrue(future.cancel())
        self.assertEqual(eole.Handle(future.id).result(SECONDS).state, "cancelled")

    def test_one_that_is_cancelled_while_it_is_submitted(self):
        is_given, submit_whole = threading.Event(), Client.submit_whole

        def submit(cluster, tasks):
            ids = submit_whole(cluster, tasks)
            is_given.wait(SECONDS)
            self.assertTrue(future.cancel())
            return ids
        executor = eole.Executor()
        with unittest.mock.patch.object(Client, "submit_whole", submit):
            future = executor.submit(shop.until_cancelled, self.sign)
            is_given.set()
            wait_until(lambda: future.id is not None, what="its id")
        executor.shutdown(wait=False)
        self.assertEqual(eole.Handle(future.id).result(SECONDS).state, "cancelled")

    def test_what_is_not_waited_for_is_not_kept(self):
        cluster = eole.default.cluster()
        for _ in range(3):
            ids = shop.same.map(range(50)).ids
        gc.collect()
        shop.same.delay(1).get(SECONDS)
        self.assertFalse(set(ids) & (cluster._own | set(cluster._seen)))


class FromElsewhere(unittest.TestCase):
    def test_any_client_submits_by_place_and_by_name(self):
        cluster = started(self, "--runner", RUNNER, workers=1, slots=1)
        for args in ('["pen", 2]', '{"item": "pen", "wanted": 2}', '{"$args": ["pen"], "wanted": 2}'):
            [done] = cluster.json("submit", "shop_tasks.order", "--args", args, "--wait")
            self.assertEqual((done["value"]["value"]["item"], done["value"]["value"]["price"]), ("pen", 3.0))
        for args, why in (('["pen", 2, 3]', "3 arguments by place, it takes 2"), ('["pen", "x"]', "wanted must be a whole number"),
                          ('{"$args": ["pen"], "item": "x"}', "item is there twice")):
            done = cluster.eole("submit", "shop_tasks.order", "--args", args, check=False)
            self.assertEqual((done.returncode, why in done.stderr), (2, True), done.stderr)


class Large(unittest.TestCase):
    """What becomes artifacts, where the sink is on this machine and where it is not."""

    def use(self, *arguments):
        cluster = started(self, *arguments, "--runner", RUNNER, workers=1, slots=1)
        eole.configure(f"{cluster.directory}/eole/cluster.toml")
        self.addCleanup(eole.configure)
        return pathlib.Path(cluster.directory, "eole/data/sink/artifacts")

    def same(self):
        array = numpy.arange(500_000.0)
        handle = shop.same.delay(array)
        found = handle.get(SECONDS)
        numpy.testing.assert_equal(found, array)
        found += 1  # It is one's own.
        numpy.testing.assert_equal(handle.get(SECONDS), array)

    def test_here_they_lie_where_the_sink_has_them_and_change_no_more(self):
        place = self.use()
        self.same()
        self.assertEqual([path.name for path in place.iterdir() if len(path.name) != 64], ["lock"])
        first = shop.keeps_open.delay().get(SECONDS)
        shop.keeps_open.delay().get(SECONDS)
        self.assertEqual(first.read(), b"x" * 1_000_000)

    def test_elsewhere_they_go_over_the_wire(self):
        self.use("--listen", "127.0.0.1")
        self.same()

    def test_a_damaged_one_is_taken_by_nobody(self):
        place = self.use()
        said = eole.files.said
        with unittest.mock.patch("eole.tasks.files.said", lambda value: stored.append(said(value)) or stored[-1]):
            stored = []
            shop.same.delay(numpy.arange(500_000.0)).get(SECONDS)
            with open(place / stored[0]["sha256"], "r+b") as file:
                file.seek(-1, os.SEEK_END)
                file.write(b"!")
            with self.assertRaisesRegex(eole.BadValue, "another digest"):
                shop.same.delay(numpy.arange(500_000.0)).get(SECONDS)
        with self.assertRaisesRegex(eole.Damaged, "what was fetched has the digest"):
            eole.default.cluster().read(stored[0]["sha256"])


class Restarts(unittest.TestCase):
    def test_results_come_whatever_is_killed(self):
        cluster = started(type(self), "--runner", RUNNER, workers=2, slots=2)
        eole.configure(f"{cluster.directory}/eole/cluster.toml")
        self.addCleanup(eole.configure)
        handles = shop.brief.map(range(300))
        for role in ("w1", "ventilator", "sink"):
            cluster.kill(role, signal.SIGKILL)
        self.assertEqual(handles.get(120), list(range(300)))


if __name__ == "__main__":
    unittest.main()
