"""Pictures of every kind, and what Pillow and its colour management make of them."""

import io
import os
import pathlib
import socket
import struct
import subprocess
import tempfile
import zlib

import msgpack
from PIL import Image, ImageCms, ImageOps

from child_frames import frame, frames
from cluster import BIN

SANITIZER_ENV = {name: value for name, value in os.environ.items() if "SAN_OPTIONS" in name}
SRGB = ImageCms.createProfile("sRGB")


def start(program, socket, **options):
    """A program that finds its end of the socket where a worker's children do."""
    return subprocess.Popen([str(program)], preexec_fn=lambda: os.dup2(socket.fileno(), 3), pass_fds=(3,),
                            env=SANITIZER_ENV, **options)


def convert(data, quality=85, program=None, seconds=120, **args):
    """Through eole-picture itself: what it says, its exit code (negative: a signal), its picture."""
    value, said, code, files = run(data, program, seconds, quality=quality, **args)
    if value:
        made = value["made"][0]
        said = f"done {made['width']} {made['height']}"
    return said, code, files[0] if files else b""


def run(data, program=None, seconds=120, mark=None, **args):
    """What it tells of a picture (or None), what else it says, its exit code, and the files."""
    with tempfile.TemporaryDirectory() as directory:
        source = pathlib.Path(directory, "input")
        source.write_bytes(data)
        ours, its = socket.socketpair()
        args["input"] = str(source)
        if mark:
            args["mark"] = os.path.join(directory, "mark")
            pathlib.Path(args["mark"]).write_bytes(mark)
        value = None
        ours.sendall(frame(2, 1, "task-1", 1, "image", msgpack.packb(args), directory, "", ""))
        done = start(program or BIN / "eole-picture", its, stderr=subprocess.PIPE)
        its.close()
        errors = done.communicate(timeout=seconds)[1]
        said = errors.decode(errors="replace")
        heard = b""
        while more := ours.recv(65536):
            heard += more
        ours.close()
        for kind, fields in frames(heard):
            if kind == 5:
                value = msgpack.unpackb(fields[1])
            elif kind == 6:
                said = f"failed {fields[1]}"
        files = [path.read_bytes() for path in sorted(pathlib.Path(directory).glob("picture-*"))]
        return value, said, done.returncode, files


def saved(image, form, **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def as_jpeg(image, quality):
    """The same encoder with the same settings: what is decoded right comes out alike."""
    return Image.open(io.BytesIO(saved(image, "JPEG", quality=quality, subsampling=2, optimize=True)))


def on_white(image):
    if image.mode == "P" and "transparency" in image.info or image.mode in ("LA", "PA"):
        image = image.convert("RGBA")
    if image.mode == "RGBA":
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def expected(data):
    """The picture in sRGB as Pillow decodes, ImageCms converts and exif_transpose turns it."""
    image = Image.open(io.BytesIO(data))
    profile = image.info.get("icc_profile")
    image.load()  # Which turns a TIFF.
    turned = image.copy() if image.format == "TIFF" else ImageOps.exif_transpose(image)
    if not profile:
        return on_white(turned)
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    alpha = turned.convert("RGBA").getchannel("A") if turned.mode in ("RGBA", "LA") else None
    plain = turned.convert("L" if turned.mode == "LA" else "RGB") if alpha else turned
    shown = ImageCms.profileToProfile(plain, source, SRGB, outputMode="RGB")
    if alpha:
        shown.putalpha(alpha)
    return on_white(shown)


def difference(one, other):
    """(greatest, mean) difference of a sample of two RGB pictures."""
    if one.size != other.size:
        raise AssertionError(f"{one.size} instead of {other.size}")
    pairs = list(zip(one.convert("RGB").tobytes(), other.convert("RGB").tobytes()))
    return max(abs(a - b) for a, b in pairs), sum(abs(a - b) for a, b in pairs) / len(pairs)


def decoded(jpeg):
    image = Image.open(io.BytesIO(jpeg))
    image.load()
    return image


# Pictures.

def scene(width=96, height=64):
    """Smooth, coloured, and different in every corner."""
    across = Image.linear_gradient("L").rotate(90).resize((width, height))
    down = Image.linear_gradient("L").resize((width, height))
    spot = ImageOps.invert(Image.radial_gradient("L").resize((width, height)))
    return Image.merge("RGB", (across, down, spot))


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width, height, depth, colour, rows, *extra, interlace=0):
    """`rows`: packed samples, one bytes object a row. Chunks in `extra` come before the pixels."""
    packed = zlib.compress(b"".join(b"\0" + row for row in rows))
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    return b"".join((b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", head), *extra, chunk(b"IDAT", packed), chunk(b"IEND", b"")))


def pack(samples, depth):
    """A row of samples as PNG packs them."""
    if depth == 16:
        return struct.pack(f">{len(samples)}H", *samples)
    bits = "".join(format(sample, f"0{depth}b") for sample in samples)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[at:at + 8], 2) for at in range(0, len(bits), 8))


ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def interlaced(width, height, depth, colour, pixels, *extra):
    """`pixels[y][x]`: a tuple of samples."""
    rows = []
    for left, top, across, down in ADAM7:
        for y in range(top, height, down):
            samples = [sample for x in range(left, width, across) for sample in pixels[y][x]]
            if samples:
                rows.append(pack(samples, depth))
    return png(width, height, depth, colour, rows, *extra, interlace=1)


def without_marker(jpeg, marker):
    at = jpeg.find(b"\xff" + bytes([marker]))
    return jpeg[:at] + jpeg[at + 2 + int.from_bytes(jpeg[at + 2:at + 4], "big"):]


# Profiles.

def swapped_profile():
    """sRGB with red and green swapped: nobody overlooks whether it was applied."""
    data = bytearray(ImageCms.ImageCmsProfile(SRGB).tobytes())
    for at in range(132, 132 + 12 * int.from_bytes(data[128:132], "big"), 12):
        name = bytes(data[at:at + 4])
        if name in (b"rXYZ", b"gXYZ"):
            data[at:at + 4] = b"gXYZ" if name == b"rXYZ" else b"rXYZ"
    return bytes(data)


def profile(kind, space, connection, tags):
    """An ICC profile, version 2.4."""
    table, body, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, data in tags:
        data += b"\0" * (-len(data) % 4)
        table += name + struct.pack(">II", at + len(body), len(data))
        body += data
    head = struct.pack(">I4sI4s4s4s12s4s", at + len(body), b"\0" * 4, 0x02400000, kind, space, connection,
                       b"\0" * 12, b"acsp") + b"\0" * 28 + struct.pack(">iii", 0xf6d6, 0x10000, 0xd32d)
    return head + b"\0" * (128 - len(head)) + struct.pack(">I", len(tags)) + table + body


def tags_of(data):
    """The tags of a profile: (name, bytes)."""
    entries = (struct.unpack(">4sII", data[at:at + 12])
               for at in range(132, 132 + 12 * int.from_bytes(data[128:132], "big"), 12))
    return [(name, data[at:at + size]) for name, at, size in entries]


def named(text):
    return b"desc\0\0\0\0" + struct.pack(">I", len(text) + 1) + text + b"\0" + b"\0" * 78


WHITE = b"XYZ \0\0\0\0" + struct.pack(">iii", 0xf6d6, 0x10000, 0xd32d)


def grey_profile(gamma):
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))
    return profile(b"mntr", b"GRAY", b"XYZ ", [(b"desc", named(b"grey")), (b"wtpt", WHITE), (b"kTRC", curve)])


def cmyk_profile():
    """Inks whose mixtures are nobody else's: a table of 2 points an ink, to Lab."""
    table = b""
    for corner in range(16):
        c, m, y, k = (corner >> shift & 1 for shift in (3, 2, 1, 0))
        lightness = max(0, 100 - 30 * c - 40 * m - 10 * y - 70 * k)
        table += bytes((round(lightness * 2.55), 128 - 35 * c + 60 * m, 128 - 40 * c - 10 * m + 70 * y))
    line = bytes(range(256))
    lut = (b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x10000) +
           line * 4 + table + line * 3)
    return profile(b"prtr", b"CMYK", b"Lab ", [(b"desc", named(b"inks")), (b"wtpt", WHITE), (b"A2B0", lut)])
