"""Pictures come out as Pillow and its colour management show them, or are refused by name; what
a hostile one does to its decoder costs its own attempt alone.

Pixels are compared after the same JPEG encoder at quality 100, which makes up to four levels of 255
of a level's rounding."""

import hashlib
import os
import pathlib
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest
import zlib

import msgpack
from PIL import Image

import child_frames
import file_server
import pictures
from cluster import BIN, SANITIZER, Cluster, alive, wait_until
from pictures import chunk, convert, interlaced, pack, png, saved, scene

TOLERANCE = 4


class Pixels(unittest.TestCase):
    """Straight through eole-picture."""

    def check(self, data, want=None, size=None, tolerance=TOLERANCE):
        said, code, out = convert(data, quality=100)
        self.assertEqual((said.split()[0], code), ("done", 0), said)
        got = pictures.decoded(out)
        want = want or pictures.expected(data)
        self.assertEqual(got.size, size or want.size)
        self.assertEqual(got.size, tuple(map(int, said.split()[1:3])))
        self.assertLessEqual(pictures.difference(got, pictures.as_jpeg(want, 100))[0], tolerance)
        self.assertFalse({"exif", "icc_profile", "comment", "xmp"} & set(got.info), got.info)
        return got

    def refused(self, data, text, **options):
        said, code, out = convert(data, **options)
        self.assertEqual((said[:6], code, out), ("failed", 1, b""))
        self.assertIn(text, said)

    def test_every_mode_in_every_orientation_with_and_without_a_profile(self):
        base = scene()
        alpha = Image.radial_gradient("L").resize(base.size)
        rgba = base.copy()
        rgba.putalpha(alpha)
        swapped, grey = pictures.swapped_profile(), pictures.grey_profile(1.0)
        kinds = [("JPEG", base, swapped), ("JPEG", base.convert("L"), grey), ("PNG", base, swapped),
                 ("JPEG", base.convert("CMYK"), pictures.cmyk_profile()), ("PNG", base.convert("L"), grey),
                 ("PNG", rgba, swapped), ("PNG", rgba.convert("LA"), None), ("PNG", base.convert("1"), None),
                 ("PNG", base.quantize(17), None)]
        for form, image, profile in kinds:
            for orientation in range(1, 9):
                for with_profile in (False, True):
                    exif = Image.Exif()
                    exif[0x0112] = orientation
                    options = {"exif": exif, "quality": 97} if form == "JPEG" else {"exif": exif}
                    if with_profile and profile:
                        options["icc_profile"] = profile
                    with self.subTest(form=form, mode=image.mode, orientation=orientation, profile=with_profile):
                        self.check(saved(image, form, **options))

    def test_profiles_change_what_is_shown(self):
        """The comparison above would not notice if both sides ignored them."""
        base = scene()
        for image, profile in ((base, pictures.swapped_profile()), (base.convert("L"), pictures.grey_profile(1.0)),
                               (base.convert("CMYK"), pictures.cmyk_profile())):
            plain = pictures.expected(saved(image, "JPEG", quality=97))
            got = self.check(saved(image, "JPEG", quality=97, icc_profile=profile))
            self.assertGreater(pictures.difference(plain, got)[1], 10, image.mode)

    def test_a_profile_in_many_markers_is_put_together(self):
        large = pictures.profile(b"mntr", b"RGB ", b"XYZ ", [
            *pictures.tags_of(pictures.swapped_profile()), (b"zzzz", b"text\0\0\0\0" + b"x" * 150_000)])
        data = saved(scene(), "JPEG", quality=97, icc_profile=large)
        self.assertEqual(data.count(b"ICC_PROFILE\0"), 3)
        got = self.check(data)
        self.assertGreater(pictures.difference(got, scene())[1], 10)

    def test_a_broken_profile_counts_as_none_and_so_does_one_of_other_colours(self):
        base = scene()
        plain = pictures.expected(saved(base, "JPEG", quality=97))
        whole = pictures.swapped_profile()
        for profile in (whole[:200], b"\0" * 500, whole[:128] + b"\xff" * 400, pictures.cmyk_profile()):
            self.check(saved(base, "JPEG", quality=97, icc_profile=profile), plain)

    def test_cmyk_without_adobes_marker_is_shown_as_browsers_do(self):
        data = saved(scene().convert("CMYK"), "JPEG", quality=97)
        self.assertIn(b"Adobe", data)
        self.check(pictures.without_marker(data, 0xee))

    def test_ycck(self):
        data = bytearray(saved(scene().convert("CMYK"), "JPEG", quality=97))
        at = data.find(b"Adobe")
        data[at + 11] = 2  # The same samples, said to be YCCK.
        self.check(bytes(data))

    def test_grey_and_rgb_of_every_depth_plain_and_interlaced(self):
        for width, height in ((33, 21), (1, 1), (3, 2), (8, 9)):
            for depth in (1, 2, 4, 8, 16):
                for colour, channels in ((0, 1), (2, 3), (4, 2), (6, 4)):
                    if colour != 0 and depth < 8:
                        continue
                    top = (1 << depth) - 1
                    levels = [[tuple((x * 7 + y * 5 + c * 3) % 32 * top // 31 for c in range(channels))
                               for x in range(width)] for y in range(height)]
                    want = self.composed(levels, depth, colour)
                    rows = [pack([sample for pixel in row for sample in pixel], depth) for row in levels]
                    with self.subTest(size=(width, height), depth=depth, colour=colour):
                        self.check(png(width, height, depth, colour, rows), want)
                        self.check(interlaced(width, height, depth, colour, levels), want)

    @staticmethod
    def composed(levels, depth, colour, key=None):
        """On white, by the plain formula."""
        def shown(pixel):
            part = [sample * 255 / ((1 << depth) - 1) for sample in pixel]
            alpha = 0 if pixel == key else part[-1] / 255 if colour in (4, 6) else 1
            colours = part[:3] if colour in (2, 6) else part[:1] * 3
            return tuple(round(level * alpha + 255 * (1 - alpha)) for level in colours)
        image = Image.new("RGB", (len(levels[0]), len(levels)))
        image.putdata([shown(pixel) for row in levels for pixel in row])
        return image

    def test_a_transparent_colour_shows_white(self):
        for depth, colour in ((1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (8, 2), (16, 2)):
            channels = 1 if colour == 0 else 3
            top = (1 << depth) - 1
            key = (top // 2,) * channels
            # Beside the key at 16 bits: a colour that is the same in its upper half, and is not transparent.
            near = tuple(level ^ 1 for level in key)
            levels = [[key if x < 16 else near for x in range(32)] for _ in range(16)]
            extra = chunk(b"tRNS", b"".join(level.to_bytes(2, "big") for level in key))
            rows = [pack([sample for pixel in row for sample in pixel], depth) for row in levels]
            want = self.composed(levels, depth, colour, key)
            with self.subTest(depth=depth, colour=colour):
                self.check(png(32, 16, depth, colour, rows, extra), want)
                self.check(interlaced(32, 16, depth, colour, levels, extra), want)

    def test_a_palette_with_transparency(self):
        for depth in (1, 2, 4, 8):
            count = 1 << depth
            colours = [((i * 37) % 256, 255 - i * 201 % 256, i * 91 % 256) for i in range(count)]
            alphas = [i * 50 % 256 for i in range(count // 2 + 1)]  # The rest is opaque.
            levels = [[((x + y) // 2 % count,) for x in range(30)] for y in range(20)]
            extra = (chunk(b"PLTE", bytes(sum(colours, ()))), chunk(b"tRNS", bytes(alphas)))
            full = [[colours[i] + ((alphas + [255] * count)[i],) for (i,) in row] for row in levels]
            want = self.composed(full, 8, 6)
            with self.subTest(depth=depth):
                rows = [pack([pixel[0] for pixel in row], depth) for row in levels]
                self.check(png(30, 20, depth, 3, rows, *extra), want)
                self.check(interlaced(30, 20, depth, 3, levels, *extra), want)

    def test_every_coding_of_a_jpeg(self):
        base = scene(101, 67)
        for subsampling in (0, 1, 2, "4:1:1"):
            for progressive in (False, True):
                with self.subTest(subsampling=subsampling, progressive=progressive):
                    # Chroma gets fewer samples by Lanczos, not by the mean of two.
                    self.check(saved(base, "JPEG", quality=97, subsampling=subsampling, progressive=progressive),
                               tolerance=TOLERANCE + 2)
        if not shutil.which("cjpeg"):
            return
        for options in (["-sample", "4x1"], ["-restart", "1B"], ["-arithmetic"], ["-rgb"], ["-arithmetic", "-progressive"]):
            data = subprocess.run(["cjpeg", "-quality", "97", *options], input=saved(base, "PPM"),
                                  capture_output=True, check=True).stdout
            with self.subTest(options=options):
                self.check(data)

    def test_the_box_is_of_the_picture_as_it_is_shown(self):
        for orientation in range(1, 9):
            exif = Image.Exif()
            exif[0x0112] = orientation
            data = saved(scene(400, 200), "JPEG", quality=97, exif=exif)
            want = pictures.expected(data)
            for box in ({"width": 50}, {"height": 50}, {"width": 60, "height": 60}, {"width": 4000}):
                scale = min(1, *(limit / side for limit, side in zip((box.get("width", 1e9), box.get("height", 1e9)),
                                                                     want.size)))
                size = tuple(round(side * scale) for side in want.size)
                said, _, out = convert(data, quality=95, **box)
                got = pictures.decoded(out)
                self.assertEqual(got.size, size, (orientation, box))
                want_small = want.resize(size, Image.Resampling.LANCZOS)
                self.assertLess(pictures.difference(got, pictures.as_jpeg(want_small, 95))[1], 3, said)

    def test_very_flat_pictures_can_be_resized(self):
        row = [pack([x % 256 for x in range(16384)], 8)]
        for data, box in ((png(16384, 1, 8, 0, row), {"width": 1}), (png(16384, 1, 8, 0, row), {"width": 300}),
                          (png(1, 16384, 8, 0, [b"\x80"] * 16384), {"height": 1})):
            said, code, _ = convert(data, **box)
            self.assertEqual((said.split()[0], code), ("done", 0), said)

    def test_what_only_lacks_its_end_comes_out_and_what_is_cut_is_refused(self):
        base = scene(200, 150)
        for options in ({}, {"progressive": True}):
            data = saved(base, "JPEG", quality=90, **options)
            self.check(data[:-2], pictures.expected(data))
            for part in (0.2, 0.5, 0.8, 0.95, 0.99):
                self.refused(data[:int(len(data) * part)], "cut off")
        data = saved(base, "PNG")
        for size in (len(data) - 1, len(data) - 12, len(data) // 2, 40, 9):
            self.refused(data[:size], "cut off")

    def test_a_progressive_jpeg_without_its_last_scans_is_refused(self):
        data = saved(scene(200, 150), "JPEG", quality=90, progressive=True)
        scans = [at for at in range(len(data)) if data[at:at + 2] == b"\xff\xda"]
        self.assertGreater(len(scans), 4)
        for at in scans[1:]:
            self.refused(data[:at], "cut off")

    def test_a_colour_that_its_palette_does_not_have_is_told(self):
        levels = [[(3,), (60,)]]
        extra = chunk(b"PLTE", bytes(60 * 3))
        self.refused(png(2, 1, 8, 3, [b"\3\74"], extra), "a damaged PNG: colour 60 of a palette of 60")
        self.refused(interlaced(2, 1, 8, 3, levels, extra), "a damaged PNG: colour 60 of a palette of 60")

    def test_what_lies_before_the_end_mark_is_padding_or_damage(self):
        data = saved(scene(), "JPEG", quality=97)
        self.check(data[:-2] + b"\0" * 12 + data[-2:], pictures.expected(data))
        self.refused(data[:-2] + b"\0" * 40 + data[-2:], "damaged")

    def test_damage_is_told(self):
        data = bytearray(saved(scene(), "PNG"))
        data[data.find(b"IDAT") + 40] ^= 1
        self.refused(bytes(data), "a damaged PNG: IDAT")
        for name in (b"IHDR", b"PLTE", b"tRNS", b"IDAT"):
            data = bytearray(saved(scene().quantize(9), "PNG", transparency=0))
            at = data.find(name)
            data[at + 4 + int.from_bytes(data[at - 4:at], "big")] ^= 1
            self.refused(bytes(data), name.decode() + ": CRC error")
        jpeg = saved(scene(300, 200), "JPEG", quality=90)
        middle = len(jpeg) // 2
        self.refused(jpeg[:middle] + b"\xff\xd9" + jpeg[middle:], "damaged")
        self.refused(jpeg[:middle] + jpeg[-2:], "damaged")

    def test_too_large_is_told_with_numbers_before_anything_is_decoded(self):
        for width, height in ((20000, 20000), (30000, 1000), (9000, 9000), (50000, 50000), (2147483647, 1)):
            self.refused(png(width, height, 8, 2, [b""]), f"{width} x {height} pixels, limit 64000000 and 16384 a side")
        jpeg = bytearray(saved(scene(), "JPEG"))
        at = jpeg.find(b"\xff\xc0")
        jpeg[at + 5:at + 9] = b"\xff\xdc\xff\xdc"
        self.refused(bytes(jpeg), "65500 x 65500 pixels, limit")

    def test_other_formats_are_refused_by_name(self):
        base = scene()
        self.refused(saved(base, "JPEG2000"), "a JPEG 2000 file; JPEG, PNG, WebP, GIF, BMP and TIFF can be read")
        self.refused(b"\0\0\0\x1cftypavif\0\0\0\0", "an AVIF file")
        self.refused(b"\0\0\0\x18ftypheic\0\0\0\0", "a HEIC file")
        self.refused(b"", "empty")
        self.refused(b"hello", "no picture that is known")

    @unittest.skipIf(SANITIZER, "a sanitizer's memory is its own")
    def test_a_bomb_ends_within_its_memory(self):
        packer = zlib.compressobj(9)
        bomb = b"".join(packer.compress(b"\0" * (1 << 24)) for _ in range(40)) + packer.flush()
        head = png(1, 1, 8, 2, [b""]).split(b"IDAT")[0][:-4]
        said, code, _ = convert(head + chunk(b"IDAT", bomb) + chunk(b"IEND", b""))
        self.assertIn(code, (0, 1), said)


def fields(pid, name):
    """/proc/PID/NAME as {first words: the rest}."""
    with open(f"/proc/{pid}/{name}", encoding="ascii") as file:
        return {line[:26].split("  ")[0].split(":")[0].strip(): line.split() for line in file}


def children(pid):
    return subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()


class Confinement(unittest.TestCase):
    """What the decoder's process may not do."""

    def start(self):
        """A decoder that waits for its input, started by a process that waits too."""
        code = ("import os,socket,sys\n"
                "sys.path.insert(0,sys.argv[1])\n"
                "import child_frames,msgpack,pictures\n"
                "ours,its=socket.socketpair()\n"
                "args={'input':sys.argv[3],'quality':85,'width':0,'height':0}\n"
                "ours.sendall(child_frames.frame(2,1,'t',1,'image',msgpack.packb(args),sys.argv[4],'',''))\n"
                "p=pictures.start(sys.argv[2],its)\n"
                "its.close()\n"
                "print(p.pid,flush=True)\n"
                "p.wait()\n")
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        fifo = os.path.join(directory.name, "input")
        os.mkfifo(fifo)
        parent = subprocess.Popen([sys.executable, "-c", code, pathlib.Path(__file__).parent, BIN / "eole-picture", fifo,
                                   directory.name], stdout=subprocess.PIPE, text=True)
        self.addCleanup(parent.stdout.close)
        self.addCleanup(parent.wait)
        self.addCleanup(parent.kill)
        writer = os.open(fifo, os.O_WRONLY)  # Once it has opened its end.
        self.addCleanup(os.close, writer)
        return parent, int(parent.stdout.readline())

    @unittest.skipIf(SANITIZER, "a sanitizer needs memory and files")
    def test_it_has_bounds_of_memory_time_files_and_calls(self):
        _, pid = self.start()
        wait_until(lambda: fields(pid, "limits")["Max open files"][3] == "0", what="confined")
        wait_until(lambda: fields(pid, "status")["Seccomp"][1] == "2", what="a filter of system calls")
        limits = fields(pid, "limits")
        self.assertEqual([limits["Max address space"][3], limits["Max cpu time"][3], limits["Max file size"][3],
                          limits["Max core file size"][4]], [str(768 << 20), "60", str(256 << 20), "0"])
        self.assertEqual(fields(pid, "status")["NoNewPrivs"][1], "1")

    def test_it_dies_with_its_worker(self):
        parent, pid = self.start()
        if not SANITIZER:
            wait_until(lambda: fields(pid, "limits")["Max open files"][3] == "0", what="confined")
        parent.kill()
        wait_until(lambda: not alive(pid), what="the decoder is gone")

    def test_it_does_nothing_for_a_worker_that_is_gone(self):
        with tempfile.TemporaryDirectory() as directory:
            source = pathlib.Path(directory, "input")
            source.write_bytes(saved(scene(), "PNG"))
            ours, its = socket.socketpair()
            args = {"input": str(source), "quality": 85}
            ours.sendall(child_frames.frame(2, 1, "t", 1, "image", msgpack.packb(args), directory, "", ""))
            ours.close()
            with its:
                self.assertNotEqual(pictures.start(BIN / "eole-picture", its).wait(), 0)
            output = pathlib.Path(directory, "picture-1")
            self.assertFalse(output.exists() and output.stat().st_size)


class Damaged(unittest.TestCase):
    """A bounded share of ./dev mutants."""

    def run_mutants(self, *arguments):
        done = subprocess.run([sys.executable, pathlib.Path(__file__).parents[1] / "chaos/mutants.py", *arguments],
                              capture_output=True, text=True, timeout=600, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_damaged_files_are_refused_or_shown_as_pillow_shows_them(self):
        self.run_mutants("--count", "300")

    def test_damaged_files_cost_no_worker_and_no_slot(self):
        self.run_mutants("--count", "200", "--cluster")


class Tasks(unittest.TestCase):
    """Through a cluster whose decoder can be told to misbehave."""

    @classmethod
    def setUpClass(cls):
        cls.files = tempfile.TemporaryDirectory()
        programs = pathlib.Path(cls.files.name, "bin")
        programs.mkdir()
        for name in ("eole", "ventilator", "sink", "worker", "gateway", "relay"):
            shutil.copy(BIN / name, programs)
        stand_in = programs / "eole-picture"
        stand_in.write_text(f"#!{sys.executable}\nimport sys\nsys.path[:0] = [{os.path.dirname(__file__)!r}]\n"
                            f"import stand_in_decoder\nstand_in_decoder.run({str(BIN / 'eole-picture')!r})\n",
                            encoding="utf-8")
        stand_in.chmod(0o755)
        cls.cluster = Cluster(workers=1, slots=4, programs=programs)
        cls.cluster.start()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)
        cls.files.cleanup()

    def write(self, name, data):
        path = os.path.join(self.files.name, name)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def image(self, path, *options):
        return self.cluster.json("submit", "image", path, "--wait", *options, check=False)[0]

    def fetched(self, result):
        path = os.path.join(self.files.name, "fetched")
        if os.path.exists(path):
            os.unlink(path)
        self.cluster.eole("fetch", result["id"], "-o", path)
        with open(path, "rb") as file:
            return file.read()

    def test_whatever_happens_to_the_decoder_costs_its_attempt_alone(self):
        path = self.write("x.png", saved(scene(), "PNG"))
        neighbours = self.cluster.submit([{"kind": "sleep", "args": {"seconds": 3}}] * 2)
        worker = self.cluster.pid("w1")
        for quality, text in ((1, "crashed (signal 11): the file is damaged or hostile; it printed: it was the picture"),
                              (3, "its decoder ended without a word, with code 0"),
                              (4, "more than 60 s of processor time"),
                              (5, "its decoder spoke nonsense: a frame of "), (6, "no file ../../w1/lock in its directory"),
                              (7, r"image: a\x1b[31mb"), (8, "was killed"), (9, "output of a stream 1, which it has not"),
                              (10, "its decoder made no picture")):
            got = self.image(path, "--quality", str(quality))
            self.assertEqual((got["state"], got["attempt"]), ("failed", 1))
            self.assertIn(text, got["error"])
        self.assertEqual(self.image(path)["state"], "done")
        for task in neighbours:
            wait_until(lambda: self.cluster.task(task["id"])["state"] not in ("queued", "running"), what="it ended")
            ended = self.cluster.json("result", task["id"])[0]
            self.assertEqual((ended["state"], ended["attempt"]), ("done", 1))
        self.assertEqual(self.cluster.pid("w1"), worker)

    def test_a_cancel_ends_the_decoder(self):
        path = self.write("c.png", saved(scene(), "PNG"))
        worker = self.cluster.pid("w1")
        task = self.cluster.json("submit", "image", path, "--quality", "2")[0]["id"]
        wait_until(lambda: children(worker), what="a decoder runs")
        self.assertEqual(self.cluster.json("cancel", task)[0]["state"], "cancelled")
        wait_until(lambda: not children(worker), what="it is gone, and reaped")

    def test_nothing_is_left_open_or_unreaped(self):
        path = self.write("o.png", saved(scene(), "PNG"))
        worker = self.cluster.pid("w1")
        self.image(path)
        before = len(os.listdir(f"/proc/{worker}/fd"))
        digest = self.image(path)["artifact"]["sha256"]
        tasks = [{"kind": "image", "args": {"artifact": digest, "quality": 1 + n % 2 * 84}} for n in range(40)]
        self.cluster.submit(tasks, "--wait", check=False)
        self.assertEqual(children(worker), [])
        self.assertLessEqual(len(os.listdir(f"/proc/{worker}/fd")), before + 3 * 2)  # Slots that were new.

    def test_a_text_is_data_too_and_no_picture(self):
        result = self.cluster.submit([{"kind": "image", "args": {"data": "text"}}], "--wait", check=False)[0]
        self.assertIn("no picture that is known", result["error"])

    def test_one_artifact_is_fetched_by_many_tasks_at_the_same_time(self):
        data = random.Random(1).randbytes(3 * 1400 * 1400)
        self.image(self.write("noise.png", saved(Image.frombytes("RGB", (1400, 1400), data), "PNG")))
        with open(os.path.join(self.files.name, "noise.png"), "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        tasks = [{"kind": "image", "args": {"artifact": digest, "width": 10 + n}} for n in range(16)]
        results = self.cluster.submit(tasks, "--wait", check=False)
        self.assertEqual([result.get("error") for result in results], [None] * 16)
        self.assertEqual([result["value"]["width"] for result in results], list(range(10, 26)))
        left = [path.name for path in pathlib.Path(self.cluster.directory).rglob("w1/*") if path.name != "lock"]
        self.assertEqual(left, [])

    def test_the_result_is_called_what_it_is(self):
        for name, want in (("photo.png", "photo.jpg"), ("Photo.PNG", "Photo.jpg"), ("a.b.png", "a.b.jpg"),
                           ("photo.jpeg", "photo.jpeg"), ("photo", "photo.jpg"), ("photo.v2", "photo.v2.jpg")):
            result = self.image(self.write(name, saved(scene(), "PNG")))
            self.assertEqual(result["artifact"]["name"], want)

    def test_a_picture_is_fetched_from_a_url_and_named_after_it(self):
        self.write("from far.png", saved(scene(), "PNG"))
        server = file_server.serve(self.files.name)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        for more, want in (({}, "from far.jpg"), ({"name": "near.png"}, "near.jpg")):
            got = self.cluster.submit([{"kind": "image", "args": {"url": f"{server.url}/from%20far.png", **more}}],
                                      "--wait", check=False)[0]
            self.assertEqual((got["state"], got.get("artifact", {}).get("name")), ("done", want), got)
        got = self.cluster.submit([{"kind": "image", "args": {"url": f"{server.url}/absent.png"}}], "--wait",
                                  check=False)[0]
        self.assertIn("404", got["error"])

    def test_nothing_but_pixels_leaves(self):
        exif = Image.Exif()
        exif[0x010e] = "where I live"
        data = saved(scene(400, 300), "JPEG", quality=98, exif=exif, comment=b"secret")
        out = self.fetched(self.image(self.write("gps.jpg", data)))
        for word in (b"Exif", b"where I live", b"secret"):
            self.assertIn(word, data)
            self.assertNotIn(word, out)

    def test_what_would_only_grow_is_kept_and_said_to_be(self):
        small = saved(Image.effect_noise((400, 300), 60), "JPEG", quality=20)
        result = self.image(self.write("small.jpg", small))
        self.assertEqual(result["value"], {"width": 400, "height": 300, "bytes": len(small), "format": "jpeg",
                                           "kept": True, "input_bytes": len(small)})
        self.assertEqual(self.fetched(result), small)
        shrunk = self.image(self.write("small.jpg", small), "--width", "200")
        self.assertNotIn("kept", shrunk["value"])
        exif = Image.Exif()
        exif[0x0112] = 6  # It cannot be kept: it would lie on its side.
        turned = self.image(self.write("turned.jpg", saved(Image.effect_noise((400, 300), 60), "JPEG", quality=20,
                                                           exif=exif)))
        self.assertNotIn("kept", turned["value"])

    @unittest.skipIf(SANITIZER, "a sanitizer's memory is its own")
    def test_large_pictures_cost_the_worker_no_memory(self):
        rows = [b"\0" * 16384 * 8] * 3906
        result = self.image(self.write("large.png", png(16384, 3906, 16, 6, rows)), "--width", "64")
        self.assertEqual(result["state"], "done", result)
        peak = int(fields(self.cluster.pid("w1"), "status")["VmHWM"][1])
        self.assertLess(peak, 150_000)


if __name__ == "__main__":
    unittest.main()
