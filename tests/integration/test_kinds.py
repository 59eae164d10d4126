"""Each kind of task does real work, and fails with a clear text."""

import hashlib
import json
import os
import struct
import subprocess
import tempfile
import unittest
import zlib

import file_server
from cluster import BIN, SANITIZER, Cluster, alive, wait_until


def lines(path):
    try:
        with open(path, encoding="ascii") as file:
            return file.readlines()
    except FileNotFoundError:
        return []


class Kinds(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster("--allow-exec", workers=2, slots=3)
        cls.cluster.start()
        cls.files = tempfile.TemporaryDirectory()
        cls.server = file_server.serve(cls.files.name)

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)
        cls.server.shutdown()
        cls.server.server_close()
        cls.files.cleanup()

    def run_one(self, kind, args, **more):
        return self.cluster.submit([{"kind": kind, "args": args, **more}], "--wait", check=False)[0]

    def make_file(self, name, size):
        path = os.path.join(self.files.name, name)
        content = os.urandom(1 << 16) * (size // (1 << 16)) + os.urandom(size % (1 << 16))
        with open(path, "wb") as file:
            file.write(content)
        return hashlib.sha256(content).hexdigest()

    # Downloads.

    def test_downloads_become_artifacts_with_the_right_bytes(self):
        digests = [self.make_file(f"f{n}", 100_000 * (n + 1)) for n in range(12)]
        tasks = [{"kind": "download", "args": {"url": f"{self.server.url}/f{n}", "sha256": digest}}
                 for n, digest in enumerate(digests)]
        results = self.cluster.submit(tasks, "--wait")
        for n, (result, digest) in enumerate(zip(results, digests)):
            self.assertEqual(result["artifact"]["sha256"], digest)
            target = os.path.join(self.files.name, f"out{n}")
            self.cluster.eole("fetch", result["id"], "-o", target)
            with open(target, "rb") as file:
                self.assertEqual(hashlib.sha256(file.read()).hexdigest(), digest)

    def test_a_wrong_digest_fails(self):
        self.make_file("wrong", 1000)
        result = self.run_one("download", {"url": self.server.url + "/wrong", "sha256": "0" * 64})
        self.assertEqual(result["state"], "failed")
        self.assertIn("wanted " + "0" * 64, result["error"])

    def test_a_broken_connection_is_resumed_where_it_broke(self):
        digest = self.make_file("broken", 3_000_000)
        self.server.served.clear()
        result = self.run_one("download", {"url": self.server.url + "/cut/1000000/broken",
                                           "sha256": digest})
        self.assertEqual(result["state"], "done", result)
        self.assertEqual(self.server.served, [0, 1_000_000, 2_000_000])

    def test_a_killed_workers_download_is_resumed_by_the_next_attempt(self):
        with Cluster(workers=1, slots=1) as cluster:
            digest = self.make_file("long", 4_000_000)
            url = self.server.url + "/slow/2000000/long"
            task_id = cluster.submit([{"kind": "download", "args": {"url": url, "sha256": digest}}])[0]["id"]
            part = os.path.join(cluster.directory, "eole/data/w1", task_id + ".part")
            wait_until(lambda: os.path.exists(part) and os.path.getsize(part) > 1_000_000)
            noted = os.stat(part + ".version").st_mtime_ns
            wait_until(lambda: os.path.getsize(part) > 1_500_000)
            self.assertEqual(os.stat(part + ".version").st_mtime_ns, noted)  # Once: a kill finds it whole.
            cluster.kill("w1")
            cluster.wait_settled(1)
            result = cluster.json("result", task_id)[0]
            self.assertEqual((result["state"], result["attempt"]), ("done", 2))
            self.assertGreater(result["value"]["resumed_at"], 1_000_000)

    def test_redirects_are_followed_but_only_to_http(self):
        digest = self.make_file("target", 5000)
        good = self.run_one("download", {"url": f"{self.server.url}/redirect/{self.server.url}/target"})
        self.assertEqual(good["artifact"]["sha256"], digest)
        bad = self.run_one("download", {"url": f"{self.server.url}/redirect/file:///etc/passwd", "retries": 0})
        self.assertEqual(bad["state"], "failed")

    def test_a_file_over_the_size_limit_is_refused(self):
        self.make_file("large", 500_000)
        result = self.run_one("download", {"url": self.server.url + "/large", "size_max": 1000})
        self.assertIn("size_max, 1000 bytes", result["error"])

    def test_a_source_below_the_low_speed_limit_is_given_up(self):
        self.make_file("drip", 100_000)
        result = self.run_one("download", {"url": self.server.url + "/slow/1000/drip", "retries": 0,
                                           "low_speed_bytes": 50_000, "low_speed_seconds": 1})
        self.assertEqual(result["state"], "failed")
        self.assertRegex(result["error"], "(?i)too slow")

    def test_a_missing_file_fails_with_its_status(self):
        result = self.run_one("download", {"url": self.server.url + "/absent"})
        self.assertIn("HTTP 404", result["error"])

    # Images.

    def test_a_photo_is_compressed_and_resized(self):
        photo = os.path.join(self.files.name, "photo.jpg")
        subprocess.run([BIN / "eole-make-photo", "1600", "1200", "95", "7", photo], check=True)
        done = self.cluster.json("submit", "image", photo, "--wait", "--width", "800")[0]
        self.assertEqual(done["state"], "done", done)
        self.assertEqual((done["value"]["width"], done["value"]["height"]), (800, 600))
        self.assertLess(done["value"]["bytes"], done["value"]["input_bytes"])
        out = os.path.join(self.files.name, "small.jpg")
        self.cluster.eole("fetch", done["id"], "-o", out)
        with open(out, "rb") as file:
            self.assertEqual(file.read(2), b"\xff\xd8")

    def test_what_is_no_image_fails_clearly(self):
        path = os.path.join(self.files.name, "not.jpg")
        with open(path, "wb") as file:
            file.write(b"%PDF-1.7" + os.urandom(100))
        result = self.cluster.json("submit", "image", path, "--wait", check=False)[0]
        self.assertIn("a PDF file; JPEG, PNG, WebP, GIF, BMP and TIFF can be read", result["error"])

    def test_an_image_over_the_pixel_limit_is_refused_before_it_is_decoded(self):
        def chunk(kind, data):
            return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        path = os.path.join(self.files.name, "bomb.png")
        with open(path, "wb") as file:
            file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 16000, 16000, 8, 2, 0, 0, 0))
                       + chunk(b"IDAT", b"x") + chunk(b"IEND", b""))
        result = self.cluster.json("submit", "image", path, "--wait", check=False)[0]
        self.assertIn("16000 x 16000 pixels, limit", result["error"])

    # Commands.

    def test_a_command_gets_its_input_and_environment_and_its_output_is_kept(self):
        result = self.run_one("exec", {"argv": ["sh", "-c", "cat; echo $NAME >&2; pwd"], "stdin": "in\n",
                                       "env": {"NAME": "value"}, "cwd": "/usr"})
        self.assertEqual({**result["value"], "exit_code": 0, "stdout": "in\n/usr\n", "stderr": "value\n"}, result["value"])

    def test_an_exit_code_is_a_failure_with_its_output(self):
        result = self.run_one("exec", {"shell": "echo out; exit 7"})
        self.assertEqual((result["state"], result["error"]), ("failed", "exit code 7"))
        self.assertEqual(result["value"]["stdout"], "out\n")

    @unittest.skipIf(SANITIZER == "thread", "ThreadSanitizer turns vfork into fork")
    def test_a_command_that_is_not_there_fails_with_its_name(self):
        result = self.run_one("exec", {"argv": ["/no/such/program"]})
        self.assertIn("/no/such/program: No such file", result["error"])

    def test_a_time_limit_kills_the_whole_tree(self):
        pids = os.path.join(self.files.name, "pids")
        script = f"(setsid sh -c 'echo $$ >> {pids}; sleep 60 & echo $! >> {pids}; wait' &) ; echo $$ >> {pids}; sleep 60"
        result = self.run_one("exec", {"shell": script, "timeout": 0.7})
        self.assertIn("time limit", result["error"])
        self.check_dead(pids, 3)

    def test_cancelling_a_command_kills_the_whole_tree_and_says_so(self):
        pids = os.path.join(self.files.name, "cancelled")
        script = f"(setsid sh -c 'echo $$ >> {pids}; sleep 60' &) ; echo $$ >> {pids}; sleep 60"
        task_id = self.cluster.submit([{"kind": "exec", "args": {"shell": script}}])[0]["id"]
        wait_until(lambda: len(lines(pids)) == 2)
        answer = self.cluster.json("cancel", task_id)[0]
        self.assertEqual(answer["state"], "cancelled")
        self.assertIn("SIGTERM ended the process tree", answer["error"])
        self.check_dead(pids, 2)

    def test_a_killed_workers_commands_die_with_it(self):
        with Cluster("--allow-exec", workers=1, slots=1) as cluster:
            pids = os.path.join(self.files.name, "orphans")
            cluster.submit([{"kind": "exec", "attempts": 1, "args": {
                "shell": f"(setsid sleep 60 & echo $! >> {pids}); echo $$ >> {pids}; sleep 60"}}])
            wait_until(lambda: len(lines(pids)) == 2)
            cluster.kill("w1")
            self.check_dead(pids, 2)
            cluster.wait_settled(1)

    def check_dead(self, path, count):
        with open(path, encoding="ascii") as file:
            pids = [int(line) for line in file]
        self.assertEqual(len(pids), count)
        wait_until(lambda: not any(map(alive, pids)), what="the tree is gone")

    def test_a_workers_output_is_seen_while_the_command_runs(self):
        watch = subprocess.Popen([BIN / "eole", "watch", "--progress", "--json"], env=self.cluster.env,
                                 stdout=subprocess.PIPE, text=True)
        try:
            gate = os.path.join(self.files.name, "gate")
            self.cluster.submit([{"kind": "exec", "args": {
                "shell": "for i in 1 2 3 4 5 6 7 8 9; do echo tick; sleep 0.1; done; "
                         f"while [ ! -e {gate} ]; do sleep 0.05; done"}}])
            line = watch.stdout.readline()  # Comes although the command has not ended.
            self.assertIn('"stream":"stdout"', line)
            with open(gate, "w", encoding="ascii"):
                pass
        finally:
            watch.kill()
            watch.wait()
            watch.stdout.close()

    # The rest.

    def test_queens(self):
        for n, solutions in ((1, 1), (2, 0), (4, 2), (5, 10), (8, 92), (9, 352), (13, 73712), (14, 365596)):
            self.assertEqual(self.cluster.json("nqueens", n)[0]["solutions"], solutions)
            if n < 10:  # As one task.
                self.assertEqual(self.run_one("nqueens", {"n": n})["value"], {"solutions": solutions})

    def test_queens_are_shown(self):
        told = self.cluster.json("nqueens", 6, "--show", 1000)[0]
        self.assertEqual(len({tuple(board) for board in told["boards"]}), told["solutions"])
        for board in told["boards"]:
            for row, column in enumerate(board):
                self.assertNotIn(column, board[:row])
                self.assertNotIn(row, [above + abs(board[above] - column) for above in range(row)])
        self.assertEqual(self.cluster.eole("nqueens", 4, "--show", 1).stdout.split("\n\n")[0],
                         ". Q . .\n. . . Q\nQ . . .\n. . Q .")

    def test_echo_gives_back_what_it_got(self):
        args = {"text": "é\u0001", "list": [1, 2.5, None, True, {"deep": []}], "big": 2**40, "neg": -7}
        self.assertEqual(self.run_one("echo", args)["value"], args)

    def test_results_come_in_the_order_of_the_tasks(self):
        tasks = [{"kind": "sleep", "args": {"seconds": 0.3 - n / 100}} for n in range(20)]
        results = self.cluster.submit(tasks, "--wait")
        self.assertEqual([r["value"]["seconds"] for r in results], [t["args"]["seconds"] for t in tasks])

    def test_a_task_over_the_size_limit_is_refused_with_its_size(self):
        task = json.dumps({"kind": "echo", "args": "x" * 1_100_000})
        done = self.cluster.eole("submit", "--file", "-", input=task, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("1100005 bytes, limit 1048576", done.stderr)

    def test_a_bad_line_is_named_by_its_number(self):
        done = self.cluster.eole("submit", "--file", "-", input='{"kind":"echo"}\n{"kind":\n', check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("line 2: not valid JSON", done.stderr)


class Failures(unittest.TestCase):
    def test_a_task_that_kills_its_worker_becomes_a_dead_letter_and_can_be_replayed(self):
        with Cluster("--allow-exec", workers=2, slots=1) as cluster:
            gate = os.path.join(cluster.directory, "gate")
            # The command's parent is the helper, whose parent is the worker.
            poison = f"[ -e {gate} ] && exit 0; kill -9 $(awk '{{print $4}}' /proc/$PPID/stat); sleep 30"
            poison_id = cluster.submit([{"kind": "exec", "args": {"shell": poison}, "attempts": 3}])[0]["id"]
            others = cluster.submit([{"kind": "sleep", "args": {"seconds": 0.05}}] * 30)
            cluster.wait_settled(31)
            dead = cluster.json("dead", "list")
            self.assertEqual([letter["id"] for letter in dead], [poison_id])
            self.assertEqual(len(dead[0]["reasons"]), 3)
            self.assertIn("dead after 3 attempts", dead[0]["error"])
            states = {entry["id"]: entry["state"] for entry in cluster.log()}
            self.assertEqual({states[line["id"]] for line in others}, {"done"})
            with open(gate, "w", encoding="ascii"):
                pass
            replay = cluster.json("dead", "replay", poison_id)[0]
            self.assertEqual(cluster.json("dead", "replay", poison_id)[0]["id"], replay["id"])
            cluster.wait_settled(32)
            self.assertEqual(cluster.json("result", replay["id"])[0]["state"], "done")

    def test_a_failed_task_is_tried_again_only_if_it_asks(self):
        with Cluster("--allow-exec", workers=1) as cluster:
            fail = {"kind": "exec", "args": {"shell": "exit 1"}, "attempts": 3}
            once, often = cluster.submit([fail, {**fail, "retry": True}], "--wait", check=False)
            self.assertEqual((once["state"], once["attempt"]), ("failed", 1))
            self.assertEqual((often["state"], often["attempt"]), ("dead", 3))

    def test_a_task_without_a_willing_worker_waits_and_says_so(self):
        with Cluster(workers=1) as cluster:
            task_id = cluster.submit([{"kind": "exec", "args": {"argv": ["true"]}}])[0]["id"]
            wait_until(lambda: cluster.task(task_id).get("why"), what="a reason")
            self.assertEqual(cluster.task(task_id)["state"], "queued")
            self.assertEqual(cluster.json("cancel", task_id)[0]["state"], "cancelled")

    def test_cancelling_queued_and_running_tasks(self):
        with Cluster("--prefetch", "1", workers=1, slots=1) as cluster:
            ids = [line["id"] for line in cluster.submit([{"kind": "sleep", "args": {"seconds": 60}}] * 3)]
            wait_until(lambda: cluster.status()["running"] == 1)
            for task_id in reversed(ids):
                self.assertEqual(cluster.json("cancel", task_id)[0]["state"], "cancelled")
            self.assertEqual(cluster.status()["cancelled"], 3)

    def test_a_drain_finishes_what_runs_and_keeps_what_waits(self):
        cluster = Cluster("--prefetch", "4", workers=1, slots=1)
        with cluster:
            ids = [line["id"] for line in cluster.submit([{"kind": "sleep", "args": {"seconds": 1}}] * 4)]
            wait_until(lambda: cluster.status()["running"] == 4)
            self.assertEqual(cluster.stop(), 0)
            cluster.start()
            cluster.wait_settled(4)
            log = cluster.log()
            self.assertEqual(sorted(entry["id"] for entry in log), sorted(ids))
            self.assertEqual({entry["attempt"] for entry in log}, {1})


if __name__ == "__main__":
    unittest.main()
