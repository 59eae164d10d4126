"""Every format that comes in and goes out, and every wish, beside what Pillow makes of the same."""

import io
import json
import os
import struct
import tempfile
import unittest

from PIL import Image, ImageChops, ImageFilter, ImageOps

import pictures
from cluster import Cluster
from pictures import difference, expected, on_white, run, saved, scene


def opened(data):
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def alpha_scene():
    image = scene()
    image.putalpha(Image.radial_gradient("L").resize(image.size))
    return image


class Case(unittest.TestCase):
    def made(self, data, count=1, **args):
        value, said, code, files = run(data, quality=args.pop("quality", 95), **args)
        self.assertEqual((code, len(files)), (0, count), said)
        for about, file in zip(value["made"], files):
            self.assertEqual(opened(file).size, (about["width"], about["height"]))
            self.assertEqual(opened(file).format.lower(), value["format"])
        return value, files

    def one(self, data, **args):
        value, files = self.made(data, **args)
        return opened(files[0]), value

    def refused(self, data, text, **args):
        value, said, code, _ = run(data, quality=95, **args)
        self.assertEqual((value, code), (None, 1))
        self.assertIn(text, said)


class In(Case):
    """As a PNG: sample by sample."""

    def same(self, data, want=None, most=1, **args):
        got, value = self.one(data, format="png", background="ffffff", **args)
        self.assertLessEqual(difference(got.convert("RGB"), want or expected(data))[0], most)
        return value

    def test_webp(self):
        for image, options in ((scene(), {"quality": 90}), (scene(), {"lossless": True}), (scene().convert("L"), {"quality": 80}),
                               (alpha_scene(), {"lossless": True, "exact": True}), (alpha_scene(), {"quality": 90})):
            value = self.same(saved(image, "WEBP", **options))
            self.assertFalse(value["first_of_many"])
        exif = Image.Exif()
        exif[0x0112] = 6
        self.same(saved(scene(), "WEBP", lossless=True, exif=exif.tobytes()))
        swapped = self.same(saved(scene(), "WEBP", lossless=True, icc_profile=pictures.swapped_profile()))
        self.assertEqual(swapped["format"], "png")

    def test_an_animation_or_a_document_is_its_first_picture_and_that_is_said(self):
        frames = [scene(), ImageOps.invert(scene()), ImageOps.mirror(scene())]
        for form, options in (("WEBP", {"lossless": True}), ("GIF", {}), ("TIFF", {})):
            first = frames[0].quantize(64) if form == "GIF" else frames[0]
            rest = [each.quantize(64) for each in frames[1:]] if form == "GIF" else frames[1:]
            data = saved(first, form, save_all=True, append_images=rest, **options)
            with self.subTest(form=form):
                self.assertTrue(self.same(data, expected(saved(first, form, **options)))["first_of_many"])
                self.assertFalse(self.same(saved(first, form, **options))["first_of_many"])

    def test_gif(self):
        for colours in (2, 4, 17, 256):
            for interlace in (0, 1):
                self.same(saved(scene().quantize(colours), "GIF", interlace=interlace))
        clear = scene().quantize(16)
        self.same(saved(clear, "GIF", transparency=3))
        self.same(saved(scene().convert("L"), "GIF"))

    def test_a_gif_that_is_smaller_than_its_screen_leaves_it_clear(self):
        data = bytearray(saved(Image.new("P", (4, 2), 1), "GIF"))
        data[6:10] = struct.pack("<HH", 9, 5)
        at = data.index(b"\x2c")
        data[at + 1:at + 5] = struct.pack("<HH", 3, 2)
        got, _ = self.one(bytes(data), format="png")
        self.assertEqual(got.size, (9, 5))
        self.assertEqual(got.getchannel("A").getbbox(), (3, 2, 7, 4))

    def test_bmp(self):
        for image in (scene(), scene().convert("L"), scene().convert("1"), scene().quantize(200), scene(33, 21)):
            self.same(saved(image, "BMP"))
        for colours in (2, 16):
            self.same(saved(scene(35, 20).quantize(colours), "BMP"))

    @staticmethod
    def bmp(width, height, bits, coding, body, colours=b"", masks=b"", top_first=False):
        head = struct.pack("<IiiHHIIiiII", 40, width, -height if top_first else height, 1, bits, coding, len(body), 0, 0,
                           len(colours) // 4, 0)
        at = 14 + len(head) + len(masks) + len(colours)
        return b"BM" + struct.pack("<IHHI", at + len(body), 0, 0, at) + head + masks + colours + body

    def test_bmp_of_every_coding(self):
        colours = bytes(sum(([i * 13 % 256, i * 7 % 256, i * 3 % 256, 0] for i in range(256)), []))
        want = lambda rows: Image.merge("RGB", [Image.frombytes("L", (len(rows[0]), len(rows)), bytes(
            colours[i * 4 + c] for row in rows for i in row)) for c in (2, 1, 0)])
        runs8 = bytes((3, 9, 0, 3, 1, 2, 3, 0, 0, 0, 6, 5, 0, 1))
        self.same(self.bmp(6, 2, 8, 1, runs8, colours), want([[5] * 6, [9, 9, 9, 1, 2, 3]]))
        moved = bytes((1, 9, 0, 2, 2, 1, 2, 5, 0, 1))
        self.same(self.bmp(6, 2, 8, 1, moved, colours), want([[0, 0, 0, 5, 5, 0], [9, 0, 0, 0, 0, 0]]))
        runs4 = bytes((5, 0x12, 0, 0, 0, 5, 0x34, 0x56, 0x70, 0, 0, 1))
        self.same(self.bmp(5, 2, 4, 2, runs4, colours[:64]), want([[3, 4, 5, 6, 7], [1, 2, 1, 2, 1]]))
        for away in (bytes((0, 2, 7, 0)), bytes((0, 2, 0, 3)), b"\0\0" * 3, bytes((0, 2, 255, 0)) * 9000):
            self.refused(self.bmp(6, 2, 8, 1, away + bytes((0, 1)), colours), "a run to")
        five = struct.pack("<4H", 0x7c00, 0x03e0, 0x001f, 0x4210)
        want16 = Image.new("RGB", (2, 2))
        want16.putdata([(0, 0, 255), (131, 131, 131), (255, 0, 0), (0, 255, 0)])
        self.same(self.bmp(2, 2, 16, 0, five), want16)
        six = struct.pack("<2H", 0xf800, 0x07e0)
        self.same(self.bmp(2, 1, 16, 3, six, masks=struct.pack("<3I", 0xf800, 0x7e0, 0x1f)), want16.crop((0, 1, 2, 2)))
        thirty_two = struct.pack("<2I", 0x00ff0000, 0x12345678)
        self.same(self.bmp(2, 1, 32, 0, thirty_two, top_first=True))
        self.refused(self.bmp(2, 1, 8, 0, b"\1\5\0\0", colours[:16]), "colour 5 of a palette of 4", format="png")
        self.refused(self.bmp(2, 2, 8, 1, bytes((9, 1, 0, 1)), colours), "a damaged BMP: a run to 2, 0", format="png")
        away = bytes((0, 2, 255, 0, 0, 1))
        self.refused(self.bmp(2, 2, 8, 1, away, colours), "a damaged BMP: a run to 255, 0", format="png")
        self.refused(self.bmp(2, 2, 7, 0, bytes(99)), "a BMP of 7 bits with coding 0", format="png")

    def test_tiff(self):
        base = scene()
        for image, coding in ((base, "raw"), (base, "tiff_lzw"), (base, "tiff_adobe_deflate"), (base, "packbits"),
                              (base.convert("L"), "tiff_lzw"), (base.convert("1"), "group4"), (base.quantize(99), "raw"),
                              (base.convert("CMYK"), "tiff_lzw"), (base, "jpeg")):
            with self.subTest(mode=image.mode, coding=coding):
                self.same(saved(image, "TIFF", compression=coding), most=2 if coding == "jpeg" else 1)
        for orientation in range(1, 9):
            self.same(saved(base, "TIFF", tiffinfo={274: orientation}), pictures.expected(saved(
                base, "PNG", exif=self.exif(orientation))))
        self.same(saved(base, "TIFF", icc_profile=pictures.swapped_profile()))
        self.same(saved(base.convert("CMYK"), "TIFF", icc_profile=pictures.cmyk_profile()), most=3)

    @staticmethod
    def exif(orientation):
        exif = Image.Exif()
        exif[0x0112] = orientation
        return exif

    def test_tiff_of_16_bits_and_with_alpha(self):
        deep = Image.new("I;16", (64, 4))
        deep.putdata([x * 1000 for x in range(64)] * 4)
        want = Image.new("L", (64, 4))
        want.putdata([x * 1000 // 257 for x in range(64)] * 4)
        self.same(saved(deep, "TIFF"), want.convert("RGB"), most=2)
        got, _ = self.one(saved(alpha_scene(), "TIFF"), format="png")
        self.assertLessEqual(difference(on_white(got), on_white(alpha_scene()))[0], 2)

    def test_what_is_damaged_or_too_large_is_refused(self):
        for form in ("WEBP", "GIF", "BMP", "TIFF"):
            data = saved(scene(200, 150).quantize(64) if form == "GIF" else scene(200, 150), form)
            for size in (len(data) // 2, len(data) - 40, 30):
                self.refused(data[:size], "damaged")
        tiff = saved(scene(), "TIFF")
        self.refused(tiff.replace(struct.pack("<HHI", 262, 3, 1), struct.pack("<HHI", 40000, 3, 1)), "what its samples mean")
        head = bytearray(saved(scene(), "BMP"))
        head[18:26] = struct.pack("<ii", 30000, 30000)
        self.refused(bytes(head), "30000 x 30000 pixels, limit 64000000")
        gif = bytearray(saved(scene().quantize(4), "GIF"))
        gif[6:10] = b"\xff\xff\xff\xff"
        self.refused(bytes(gif), "65535 x 65535 pixels, limit")


class Out(Case):
    def test_png_and_webp_keep_what_is_transparent_unless_there_is_a_background(self):
        data = saved(alpha_scene(), "PNG")
        got, _ = self.one(data, format="png")
        self.assertEqual(ImageChops.difference(got, alpha_scene()).getextrema(), ((0, 0),) * 4)
        webp, _ = self.one(data, format="webp")
        self.assertEqual(webp.mode, "RGBA")
        self.assertLess(difference(on_white(webp), on_white(alpha_scene()))[1], 3)
        red, _ = self.one(data, format="png", background="#ff0000")
        want = Image.alpha_composite(Image.new("RGBA", red.size, "red"), alpha_scene()).convert("RGB")
        self.assertLessEqual(difference(red, want)[0], 1)
        jpeg, _ = self.one(data)
        self.assertLess(difference(jpeg, on_white(alpha_scene()))[1], 2)
        self.refused(data, "background must be RRGGBB", background="orange")

    def test_what_is_opaque_or_grey_is_stored_as_that(self):
        opaque = scene()
        opaque.putalpha(255)
        self.assertEqual(self.one(saved(opaque, "PNG"), format="png")[0].mode, "RGB")
        for form in ("png", "jpeg"):
            self.assertEqual(self.one(saved(scene().convert("L"), "PNG"), format=form)[0].mode, "L")

    def test_the_format_is_that_of_the_picture_if_it_is_to_be_kept(self):
        for form, want in (("JPEG", "jpeg"), ("PNG", "png"), ("WEBP", "webp"), ("BMP", "png"), ("TIFF", "png")):
            self.assertEqual(self.one(saved(scene(), form), format="keep", width=50)[1]["format"], want)

    def test_how_a_jpeg_is_coded(self):
        data = saved(scene(200, 200), "PNG")
        for chroma, want in (("420", (2, 2)), ("422", (2, 1)), ("444", (1, 1))):
            got, _ = self.one(data, chroma=chroma)
            self.assertEqual(got.layer[0][1:3], want)
        self.assertIn("progressive", self.one(data, progressive=True)[0].info)
        self.assertNotIn("progressive", self.one(data)[0].info)
        plain, best = (self.made(data, optimise=wish)[1][0] for wish in (False, True))
        self.assertLess(len(best), len(plain))
        self.assertEqual(opened(plain).tobytes(), opened(best).tobytes())

    def test_a_jpeg_gets_the_chroma_that_was_asked_for_whatever_it_had(self):
        for had in (0, 1, 2, "4:1:1"):
            data = saved(scene(101, 67), "JPEG", quality=97, subsampling=had)
            for chroma, want in (("420", (2, 2)), ("422", (2, 1)), ("444", (1, 1))):
                for options in ({}, {"width": 60}, {"rotate": 90}):
                    got, _ = self.one(data, chroma=chroma, **options)
                    self.assertEqual(got.layer[0][1:3], want)
                    full = expected(data)
                    if "width" in options:
                        full = full.resize(got.size, Image.Resampling.LANCZOS)
                    if "rotate" in options:
                        full = full.transpose(Image.Transpose.ROTATE_270)
                    self.assertLess(difference(got, full)[1], 2, (had, chroma, options))

    def test_metadata_leaves_only_if_it_is_to_be_kept(self):
        exif = Image.Exif()
        exif[0x010e], exif[0x0112] = "where I live", 6
        xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>who</x:xmpmeta>"
        profile = pictures.swapped_profile()
        jpeg = saved(scene(), "JPEG", quality=98, exif=exif, icc_profile=profile)
        body = b"http://ns.adobe.com/xap/1.0/\0" + xmp
        jpeg = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]
        webp = saved(scene(), "WEBP", quality=95, exif=exif.tobytes(), icc_profile=profile, xmp=xmp)
        png = saved(scene(), "PNG", exif=exif, icc_profile=profile)
        for name, data in (("jpeg", jpeg), ("webp", webp), ("png", png)):
            for form in ("jpeg", "png", "webp"):
                with self.subTest(given=name, form=form):
                    got, _ = self.one(data, format=form)
                    _, plain = self.made(data, format=form)
                    for word in (b"where I live", b"who", profile[:100]):
                        self.assertNotIn(word, plain[0])
                    got, value = self.one(data, format=form, keep=["exif", "icc", "xmp"])
                    self.assertEqual(got.info["icc_profile"], profile)
                    kept = got.getexif()
                    self.assertEqual((kept[0x010e], kept[0x0112]), ("where I live", 1))
                    if name != "png":
                        self.assertIn(b"who", self.made(data, format=form, keep=["xmp"])[1][0])
                    self.assertLess(difference(expected(saved(got, "PNG", icc_profile=profile)), expected(data))[1], 3)

    def test_the_best_quality_that_fits_is_found(self):
        data = saved(scene(400, 300), "PNG")
        for form in ("jpeg", "webp"):
            for limit in (3000, 5000, 9000):
                value, files = self.made(data, format=form, size_max=limit, quality=95)
                quality = value["made"][0]["quality"]
                self.assertLessEqual(len(files[0]), limit)
                if quality < 95:
                    self.assertGreater(len(self.made(data, format=form, quality=quality + 1)[1][0]), limit)
            self.refused(data, "bytes at quality 1, size_max is 100", format=form, size_max=100)
        self.refused(data, "bytes as PNG, size_max is 100", format="png", size_max=100)

    def test_a_jpeg_that_is_coarse_enough_is_kept_but_for_its_metadata(self):
        coarse = saved(scene(400, 300), "JPEG", quality=70, optimize=True, comment=b"secret")
        value, files = self.made(coarse, quality=85)
        self.assertTrue(value["kept"])
        self.assertEqual(files[0], pictures.without_marker(coarse, 0xfe))
        for wish in ({"width": 100}, {"rotate": 90}, {"grayscale": True}, {"quality": 60},
                     {"size_max": len(files[0]) - 1}, {"format": "png"}):
            self.assertFalse(self.made(coarse, **{"quality": 85, **wish})[0]["kept"], wish)
        fine = saved(scene(400, 300), "JPEG", quality=70, subsampling=0)
        self.assertFalse(self.made(fine, quality=85)[0]["kept"])
        damaged = coarse[:3000] + b"\xff\xd9" + coarse[3000:]
        self.refused(damaged, "damaged")

    def test_a_png_that_would_grow_is_kept_but_for_its_metadata(self):
        small = saved(scene().quantize(3), "PNG", optimize=True)
        value, files = self.made(small, format="png")
        self.assertEqual((value["kept"], files[0]), (True, small))

    def test_webp_has_a_limit_of_its_own(self):
        row = pictures.png(16384, 1, 8, 0, [b"\x80" * 16384])
        self.refused(row, "16384 x 1 pixels, a WebP has at most 16383 a side", format="webp")


class Wishes(Case):
    """As a PNG, beside what Pillow makes."""

    def near(self, got, want, most=2):
        self.assertEqual(got.size, want.size)
        self.assertLessEqual(difference(got.convert("RGB"), want.convert("RGB"))[0], most)

    def test_lanczos_is_pillows(self):
        for image in (scene(301, 207), scene(301, 207).convert("L"), Image.effect_noise((301, 207), 90).convert("RGB")):
            for width in (300, 150, 77, 5):
                got, _ = self.one(saved(image, "PNG"), format="png", width=width)
                # Pillow goes across first; here it is down, of which there is less to do.
                side = image.transpose(Image.Transpose.TRANSPOSE).resize(got.size[::-1], Image.Resampling.LANCZOS)
                self.near(got, side.transpose(Image.Transpose.TRANSPOSE), 1)

    def test_a_jpeg_is_as_good_when_it_becomes_smaller_while_it_is_decoded(self):
        image = ImageChops.add(scene(1600, 1200), Image.effect_noise((1600, 1200), 30).convert("RGB"), 2)
        data = saved(image, "JPEG", quality=95)
        for width in (800, 400, 200, 100, 33):
            for options in ({"format": "png"}, {"chroma": "444", "quality": 100}):
                got, _ = self.one(data, width=width, **options)
                want = opened(data).resize(got.size, Image.Resampling.LANCZOS)
                self.assertLess(difference(got, want)[1], 2.5, (width, options))

    def test_fill_and_crop(self):
        image = scene(300, 200)
        data = saved(image, "PNG")
        got, _ = self.one(data, format="png", width=120, height=100, resize="crop")
        self.near(got, ImageOps.fit(image, (120, 100), Image.Resampling.LANCZOS))
        got, _ = self.one(data, format="png", width=120, height=100, resize="fill", background="102030")
        self.near(got, ImageOps.pad(image, (120, 100), Image.Resampling.LANCZOS, color=(16, 32, 48)))
        clear, _ = self.one(data, format="png", width=120, height=100, resize="fill")
        self.assertEqual(clear.getchannel("A").getbbox(), (0, 10, 120, 90))
        jpeg, _ = self.one(saved(image, "JPEG", quality=97), width=120, height=100, resize="crop", chroma="444")
        self.near(jpeg, ImageOps.fit(image, (120, 100), Image.Resampling.LANCZOS), 12)
        exif = Image.Exif()
        exif[0x0112] = 6
        turned, _ = self.one(saved(image, "PNG", exif=exif), format="png", width=90, height=60, resize="crop")
        self.near(turned, ImageOps.fit(image.transpose(Image.Transpose.ROTATE_270), (90, 60), Image.Resampling.LANCZOS), 1)

    def test_several_sizes_are_a_file_each(self):
        image = scene(300, 200)
        for data in (saved(image, "PNG"), saved(image, "JPEG", quality=97)):
            value, files = self.made(data, count=3, sizes=[150, 30, 500], quality=100, chroma="444")
            self.assertEqual([opened(file).size for file in files], [(150, 100), (30, 20), (300, 200)])
            for file in files:
                small = opened(file)
                self.assertLess(difference(small, image.resize(small.size, Image.Resampling.LANCZOS))[1], 2)
            self.assertFalse(value["kept"])

    def test_rotation_comes_after_orientation(self):
        image = scene()
        turns = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}
        for orientation in range(1, 9):
            exif = Image.Exif()
            exif[0x0112] = orientation
            for form, most in (("PNG", 0), ("JPEG", 6)):
                data = saved(image, form, exif=exif, **({"quality": 97} if form == "JPEG" else {}))
                for degrees, turn in turns.items():
                    got, _ = self.one(data, format="png", rotate=degrees)
                    self.near(got, expected(data).transpose(turn), most)
                    jpeg, _ = self.one(data, rotate=degrees, width=64)
                    want = expected(data).transpose(turn)
                    self.assertLess(difference(jpeg, want.resize(jpeg.size, Image.Resampling.LANCZOS))[1], 3)

    def test_grey_blurred_and_sharp(self):
        image = scene(120, 80)
        data = saved(image, "PNG")
        grey, _ = self.one(data, format="png", grayscale=True)
        self.assertEqual(grey.mode, "L")
        self.near(grey, image.convert("L"), 0)
        jpeg, _ = self.one(saved(image, "JPEG", quality=97), grayscale=True)
        self.assertEqual(jpeg.mode, "L")
        self.assertLess(difference(jpeg, image.convert("L"))[1], 2)
        soft, _ = self.one(data, format="png", blur=4.0)
        self.near(soft, image.filter(ImageFilter.GaussianBlur(4)), 6)
        sharp, _ = self.one(data, format="png", sharpen=2.0)
        self.near(sharp, image.filter(ImageFilter.UnsharpMask(1, 200, 0)), 6)
        both, _ = self.one(saved(alpha_scene(), "PNG"), format="png", grayscale=True)
        self.assertEqual(both.mode, "RGBA")
        self.near(both.convert("RGB"), scene().convert("L"), 1)

    def test_a_watermark_lies_in_the_lower_right_corner(self):
        image, mark = Image.new("RGB", (400, 200), (0, 0, 100)), Image.new("RGBA", (200, 100), (255, 255, 0, 128))
        got, _ = self.one(saved(image, "PNG"), mark=saved(mark, "PNG"), format="png")
        want = image.copy()
        want.paste((128, 128, 50), (400 - 4 - 100, 200 - 4 - 50, 396, 196))
        self.near(got, want, 1)
        clear, _ = self.one(saved(Image.new("RGBA", (400, 200), (0, 0, 0, 0)), "PNG"), mark=saved(mark, "PNG"), format="png")
        self.assertEqual(clear.getpixel((350, 170)), (255, 255, 0, 128))
        self.assertEqual(clear.getpixel((5, 5))[3], 0)
        self.refused(saved(image, "PNG"), "no picture that is known", mark=b"text")


class Tasks(unittest.TestCase):
    """What a person types."""

    @classmethod
    def setUpClass(cls):
        cls.files = tempfile.TemporaryDirectory()
        cls.cluster = Cluster(workers=1, slots=2)
        cls.cluster.start()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)
        cls.files.cleanup()

    def image(self, name, data, *options):
        path = os.path.join(self.files.name, name)
        with open(path, "wb") as file:
            file.write(data)
        return self.cluster.json("submit", "image", path, "--wait", *options, check=False)[0]

    def test_several_sizes_are_artifacts_named_after_them(self):
        result = self.image("photo.JPG", saved(scene(300, 200), "JPEG"), "--sizes", "[150,30]", "--format", "webp")
        self.assertEqual([each["name"] for each in result["artifacts"]], ["photo-150.webp", "photo-30.webp"])
        sizes = result["value"]["sizes"]
        self.assertEqual([(each["width"], each["height"]) for each in sizes], [(150, 100), (30, 20)])
        self.assertEqual([each["bytes"] for each in sizes], [each["bytes"] for each in result["artifacts"]])
        self.assertEqual(result["value"]["format"], "webp")

    def test_the_result_is_called_after_its_format_and_says_what_it_is(self):
        frames = [each.quantize(16) for each in (scene(), ImageOps.invert(scene()))]
        data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
        for form, name in (("keep", "a.png"), ("webp", "a.webp"), ("jpeg", "a.jpg")):
            result = self.image("a.gif", data, "--format", form)
            self.assertEqual((result["artifact"]["name"], result["value"]["first_of_many"]), (name, True))

    def test_a_flag_alone_is_true_and_one_with_a_value_is_that(self):
        data = saved(scene(300, 200), "PNG")
        plain, best, scans = (self.image("b.png", data, *options)["value"]["bytes"]
                              for options in (("--optimise=false",), ("--optimise",), ("--progressive",)))
        self.assertLess(best, plain)
        self.assertNotEqual(scans, best)

    def test_a_watermark_is_an_artifact(self):
        mark = self.image("mark.png", saved(Image.new("RGB", (50, 50), "red"), "PNG"), "--format", "png")
        result = self.image("c.png", saved(scene(300, 200), "PNG"), "--watermark", mark["artifact"]["sha256"])
        self.assertEqual(result["state"], "done", result)
        path = os.path.join(self.files.name, "marked")
        self.cluster.eole("fetch", result["id"], "-o", path)
        self.assertGreater(Image.open(path).getpixel((280, 180))[0], 240)
        both = self.image("c.png", saved(scene(300, 200), "PNG"), "--sizes", "[150,100]", "--watermark",
                          mark["artifact"]["sha256"])
        self.assertEqual(both["state"], "done", both)
        missing = self.image("c.png", saved(scene(), "PNG"), "--watermark", "0" * 64)
        self.assertIn("image: its watermark: ", missing["error"])

    def test_wishes_that_exclude_each_other_are_told(self):
        data = saved(scene(), "PNG")
        for options, text in ((("--resize", "crop", "--width", "9"), "resize crop needs width and height"),
                              (("--rotate", "45"), "rotate must be 0, 90, 180 or 270, not 45"),
                              (("--sizes", "[9]", "--width", "9"), "no width, height or resize beside them"),
                              (("--sizes", "[0]"), "sizes has 0, allowed is 1 to 16384"),
                              (("--background", "orange"), "background must be RRGGBB")):
            self.assertIn(text, self.image("d.png", data, *options)["error"])
        for wish, text in (({"keep": ["gps"]}, "keep must be exif, icc or xmp, not gps"),
                           ({"progressive": "yes"}, "progressive must be true or false"),
                           ({"format": "heic"}, "format must be jpeg, png, webp or keep, not heic")):
            done = self.cluster.eole("submit", "--file", "-", check=False, input=json.dumps(
                {"kind": "image", "args": {"data": "x", **wish}}))
            self.assertIn(text, done.stderr)


if __name__ == "__main__":
    unittest.main()
