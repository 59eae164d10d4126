"""JPEG and PNG files that were damaged on purpose, and what must become of each.

./dev mutants [--count N] [--seed S]: straight through eole-picture (--program: another build of it, with a sanitizer);
with --cluster as tasks of three workers. Every one must end, as done or as failed with a reason. Done is wrong if its
JPEG is not of the size that was said, or shows something else than Pillow and its colour management make of the same
file; no decoder may crash, though it would cost one attempt only; no worker may die, and every slot be free after."""

import argparse
import io
import itertools
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import warnings
import zlib

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "integration"), str(HERE.parents[1] / "clients/python")]

from PIL import Image  # noqa: E402

import eole  # noqa: E402
import pictures  # noqa: E402
from cluster import Cluster, wait_until  # noqa: E402
from pictures import chunk, interlaced, pack, png, saved, scene  # noqa: E402

TOLERANCE = 6  # Levels of 255 in the mean: the output is a JPEG of quality 85, the input may be noise.
MAGIC = b"\x89PNG\r\n\x1a\n"


def seeds():
    """Whole files of every kind that can be read."""
    base = scene(72, 56)
    exif = Image.Exif()
    exif[0x0112] = 6
    swapped = pictures.swapped_profile()
    found = [saved(base, "JPEG", quality=90), saved(base, "JPEG", quality=70, progressive=True),
             saved(base.convert("L"), "JPEG", quality=80), saved(base.convert("CMYK"), "JPEG", quality=80),
             saved(base, "JPEG", quality=80, subsampling=0, icc_profile=swapped),
             saved(base, "JPEG", quality=80, exif=exif, subsampling="4:1:1"), saved(base, "JPEG", quality=20),
             saved(base.convert("CMYK"), "JPEG", quality=80, icc_profile=pictures.cmyk_profile())]
    if shutil.which("cjpeg"):
        for options in (["-restart", "1"], ["-arithmetic"], ["-arithmetic", "-progressive"]):
            found.append(subprocess.run(["cjpeg", *options], input=saved(base, "PPM"), capture_output=True,
                                        check=True).stdout)
    rgba = base.copy()
    rgba.putalpha(Image.radial_gradient("L").resize(base.size))
    found += [saved(base, "PNG"), saved(rgba, "PNG", exif=exif), saved(rgba.convert("LA"), "PNG"),
              saved(base, "PNG", icc_profile=swapped), saved(base.quantize(60), "PNG", transparency=3),
              saved(base.convert("1"), "PNG"), saved(base.convert("L"), "PNG", icc_profile=pictures.grey_profile(1.0))]
    deep = [[(x * 900 + y * 3, x * y * 7, y * 1000) for x in range(31)] for y in range(23)]
    found += [png(31, 23, 16, 2, [pack(sum(row, ()), 16) for row in deep]), interlaced(31, 23, 16, 2, deep),
              interlaced(31, 23, 4, 0, [[((x + y) % 16,) for x in range(31)] for y in range(23)])]
    animation = [base.quantize(40), base.rotate(180).quantize(40)]
    found += [saved(base, "WEBP", quality=80), saved(rgba, "WEBP", lossless=True, exact=True),
              saved(base, "WEBP", lossless=True, icc_profile=swapped, exif=exif.tobytes()),
              saved(base, "WEBP", save_all=True, append_images=[base.rotate(180)]),
              saved(base.quantize(60), "GIF", transparency=3), saved(base.quantize(4), "GIF", interlace=0),
              saved(animation[0], "GIF", save_all=True, append_images=animation[1:]),
              saved(base, "BMP"), saved(base.quantize(60), "BMP"), saved(base.convert("1"), "BMP")]
    found += [saved(image, "TIFF", compression=coding) for image, coding in (
        (base, "raw"), (base, "tiff_lzw"), (base, "jpeg"), (base.convert("1"), "group4"), (base.quantize(60), "packbits"),
        (base.convert("CMYK"), "tiff_adobe_deflate"), (rgba, "tiff_lzw"))]
    found.append(saved(base, "TIFF", tiffinfo={274: 6}, icc_profile=swapped))
    return found


# What can be done to bytes.

def flip(data, rng):
    for _ in range(rng.choice((1, 1, 2, 8))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def overwrite(data, rng):
    at = rng.randrange(len(data))
    data[at:at + rng.randrange(1, 9)] = rng.randbytes(rng.randrange(1, 9))


def cut(data, rng):
    del data[rng.randrange(len(data)):]


def remove(data, rng):
    at = rng.randrange(len(data))
    del data[at:at + rng.randrange(1, 60)]


def insert(data, rng):
    at = rng.randrange(len(data))
    data[at:at] = rng.randbytes(rng.randrange(1, 30))


def repeat(data, rng):
    at = rng.randrange(len(data))
    data[at:at] = data[at:at + rng.randrange(1, 200)]


def number(data, rng):
    size = rng.choice((1, 2, 4))
    at = rng.randrange(max(1, len(data) - size))
    value = rng.choice((0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 65536))
    data[at:at + size] = (value & ((1 << 8 * size) - 1)).to_bytes(size, "big")


# What can be done to a JPEG that keeps its markers.

def segments(data):
    """(marker, where it begins, where it ends) up to the first scan's."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xff:
        size = 2 + int.from_bytes(data[at + 2:at + 4], "big")
        yield data[at + 1], at, min(len(data), at + size)
        if data[at + 1] == 0xda:
            return
        at += size


def a_segment(data, rng, *markers):
    found = [each for each in segments(data) if not markers or each[0] in markers]
    return rng.choice(found) if found else None


def in_segment(data, rng, *markers):
    if (found := a_segment(data, rng, *markers)) and found[2] - found[1] > 4:
        for _ in range(rng.choice((1, 2, 6))):
            data[rng.randrange(found[1] + 4, found[2])] = rng.randrange(256)


def tables(data, rng):
    in_segment(data, rng, 0xc4, 0xdb)


def frame(data, rng):
    in_segment(data, rng, 0xc0, 0xc1, 0xc2, 0xc9, 0xca, 0xda, 0xdd)


def metadata(data, rng):
    in_segment(data, rng, 0xe0, 0xe1, 0xe2, 0xee)


def huffman(data, rng):
    """More codes than there is room for, or any."""
    counts = bytes(rng.choice((0, 1, 2, 255, rng.randrange(256))) for _ in range(16))
    body = bytes((rng.choice((0, 0x10, 1, 0x11, rng.randrange(256))),)) + counts + rng.randbytes(min(sum(counts), 2000))
    data[2:2] = b"\xff\xc4" + struct.pack(">H", len(body) + 2) + body


def segment_length(data, rng):
    if found := a_segment(data, rng):
        data[found[1] + 2:found[1] + 4] = struct.pack(">H", rng.choice((0, 1, 2, 3, 0xffff, rng.randrange(600))))


def segment_moved(data, rng):
    if found := a_segment(data, rng):
        part = bytes(data[found[1]:found[2]])
        if rng.random() < 0.5:
            del data[found[1]:found[2]]
        other = a_segment(data, rng)
        if other and rng.random() < 0.8:
            data[other[1]:other[1]] = part


def in_scan(data, rng):
    begin = max((end for _, _, end in segments(data)), default=0)
    if begin < len(data):
        for _ in range(rng.choice((1, 3, 10))):
            data[rng.randrange(begin, len(data))] = rng.choice((0, 0xff, 0xd9, 0xd0, rng.randrange(256)))


# What can be done to a PNG whose checksums are right again afterwards.

def chunks(data):
    at = 8
    while at + 12 <= len(data):
        size = int.from_bytes(data[at:at + 4], "big")
        if at + 12 + size > len(data):
            return
        yield bytes(data[at + 4:at + 8]), bytes(data[at + 8:at + 8 + size])
        at += 12 + size


def rewrite(data, change):
    parts = list(chunks(data))
    if parts:
        data[:] = MAGIC + b"".join(chunk(name, body) for name, body in change(parts))


def chunk_changed(data, rng):
    def change(parts):
        at = rng.randrange(len(parts))
        name, body = parts[at][0], bytearray(parts[at][1])
        if body:
            rng.choice((flip, overwrite, number, remove, insert))(body, rng)
        parts[at] = (name, bytes(body))
        return parts
    rewrite(data, change)


def header_changed(data, rng):
    def change(parts):
        body = bytearray(parts[0][1])
        if len(body) == 13:
            at = rng.choice((3, 7, 8, 9, 10, 11, 12, 12, rng.randrange(13)))
            body[at] = rng.choice((0, 1, 2, 3, 4, 6, 8, 16, rng.randrange(256)))
        return [(parts[0][0], bytes(body)), *parts[1:]]
    rewrite(data, change)


def chunks_shuffled(data, rng):
    def change(parts):
        at, to = rng.randrange(len(parts)), rng.randrange(len(parts))
        part = parts[at]
        if rng.random() < 0.6:
            del parts[at]
        parts.insert(to, part)
        return parts
    rewrite(data, change)


def rows_changed(data, rng):
    """Other bytes behind a right deflate stream: filters, samples, more or fewer of them."""
    def change(parts):
        try:
            raw = bytearray(zlib.decompress(b"".join(body for name, body in parts if name == b"IDAT")))
        except zlib.error:
            return parts
        if raw:
            rng.choice((flip, overwrite, remove, insert, cut))(raw, rng)
        at = next(i for i, part in enumerate(parts) if part[0] == b"IDAT")
        rest = [part for part in parts if part[0] != b"IDAT"]
        return [*rest[:at], (b"IDAT", zlib.compress(bytes(raw))), *rest[at:]]
    rewrite(data, change)


ANY = (flip, overwrite, cut, remove, insert, repeat, number)
OF_JPEG = (tables, tables, frame, metadata, huffman, segment_length, segment_moved, in_scan, in_scan)
OF_PNG = (chunk_changed, chunk_changed, header_changed, chunks_shuffled, rows_changed, rows_changed)


def mutant(wholes, rng):
    """A damaged file; some are two glued together."""
    data = bytearray(rng.choice(wholes))
    if rng.random() < 0.05:
        other = rng.choice([each for each in wholes if each[:2] == data[:2]])
        data[rng.randrange(len(data)):] = other[rng.randrange(len(other)):]
    own = OF_PNG if data.startswith(MAGIC) else OF_JPEG
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        if len(data) > 12:
            rng.choice(own if rng.random() < 0.6 else ANY)(data, rng)
    return bytes(data)


def is_whole_profile(body):
    """Of a PNG: its name, a zero, how it is packed, and that."""
    try:
        profile = zlib.decompress(body[body.index(b"\0") + 2:])
    except (zlib.error, ValueError):
        return False
    return len(profile) == int.from_bytes(profile[:4], "big")


def is_doubtful(data, image):
    """Decoders differ, each with reason: Pillow does not look at a profile behind the frame's head, as browsers do;
    puts together parts of one whose numbers do not fit; takes half of a PNG's; of two profiles, or two blocks of EXIF,
    in a PNG the second, not the first; reads EXIF that does not begin as such; and nothing of a TIFF's directory behind
    an entry that leads out of the file."""
    exif = image.info.get("exif", b"").removeprefix(b"Exif\0\0")
    if exif and exif[:4] not in (b"II*\0", b"MM\0*"):
        return True
    if image.format == "PNG":
        names = [name for name, _ in chunks(data)]
        profiles = [body for name, body in chunks(data) if name == b"iCCP"]
        return max(map(names.count, (b"iCCP", b"eXIf"))) > 1 or any(not is_whole_profile(body) for body in profiles)
    if image.format == "TIFF":
        order = "<" if data[:2] == b"II" else ">"
        at, = struct.unpack_from(order + "I", data, 4)
        return len(image.tag_v2) < struct.unpack_from(order + "H", data, at)[0]
    frames = 0
    parts = []
    for marker, begin, _ in segments(data):
        frames += 0xc0 <= marker <= 0xcf and marker not in (0xc4, 0xc8, 0xcc)
        if frames and marker in (0xe1, 0xe2, 0xee):
            return True
        if marker == 0xe2:
            parts.append(tuple(data[begin + 16:begin + 18]))
    return sorted(parts) != [(part + 1, len(parts)) for part in range(len(parts))]


def wrong(data, width, height, out):
    """Why what was told done is wrong, or None."""
    try:
        got = pictures.decoded(out)
    except Exception as error:  # noqa: BLE001 - whatever Pillow says of it
        return f"its output cannot be read: {error}"
    if got.size != (width, height) or got.format != "JPEG":
        return f"said {width} x {height}, is {got.format} of {got.size}"
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.size[0] * image.size[1] > 100_000 or is_doubtful(data, image):
                return None
            want = pictures.expected(data)
    except Exception:  # noqa: BLE001 - Pillow refuses it: nothing to compare with
        return None
    if out == data:
        return None  # Kept.
    reference = pictures.decoded(saved(want, "JPEG", quality=85, subsampling=2, optimize=True))
    if reference.size != got.size:
        return f"{got.size}, Pillow {reference.size}"
    # Garish colours lose less where chroma never was RGB.
    mean = min(pictures.difference(each, got)[1] for each in (reference, want))
    return f"{mean:.1f} levels from what Pillow shows" if mean > TOLERANCE else None


class Count:
    """What became of the files."""

    def __init__(self, seed, keep):
        self.seed, self.keep = seed, keep
        self.done = self.failed = self.wrong = 0

    def add(self, index, data, state, told, out):
        """`told`: (width, height) of what is done, else why not."""
        problem = None
        if state == "done":
            self.done += 1
            problem = wrong(data, *told, out)
        elif state == "failed":
            self.failed += 1
            if "crashed" in told or "without a word" in told or "killed" in told:
                problem = told
        else:
            problem = f"ended as {state}: {told}"
        if problem:
            self.wrong += 1
            print(f"mutants: seed {self.seed}, number {index}: {problem}", flush=True)
            if self.keep:
                os.makedirs(self.keep, exist_ok=True)
                pathlib.Path(self.keep, f"{self.seed}-{index}").write_bytes(data)


def straight(files, program, count):
    for index, data in enumerate(files):
        said, code, out = pictures.convert(data, program=program, seconds=900)
        if code == 0 and said.startswith("done "):
            count.add(index, data, "done", tuple(map(int, said.split()[1:3])), out)
        elif code == 1 and said.startswith("failed "):
            count.add(index, data, "failed", said, out)
        else:
            count.add(index, data, f"code {code}", said[-2000:], out)


def through_a_cluster(files, count):
    """Returns what is wrong with the cluster afterwards."""
    workers, slots = 3, 2
    with Cluster(workers=workers, slots=slots) as cluster:
        cluster.eole("status", "--until-workers", workers)
        names = [f"w{number + 1}" for number in range(workers)]
        before = {name: cluster.pid(name) for name in names}
        artifacts = pathlib.Path(cluster.directory, "eole/data/sink/artifacts")
        with eole.Cluster(f"{cluster.directory}/eole/cluster.toml") as client:
            index = 0
            while some := list(itertools.islice(files, 500)):
                for data, result in zip(some, client.map("image", [{"data": data} for data in some], batch=50)):
                    value = result.value or {}
                    out = None
                    if result.state == "done":
                        out = (artifacts / result.artifact["sha256"]).read_bytes()
                    count.add(index, data, result.state, result.error or (value["width"], value["height"]), out)
                    index += 1
        if (after := {name: cluster.pid(name) for name in names}) != before:
            return f"workers died: {before}, then {after}"
        cluster.submit([{"kind": "sleep", "args": {"seconds": 3}}] * (workers * slots))
        wait_until(lambda: cluster.status()["running"] == workers * slots, what="every slot runs a task")
        for name, pid in before.items():
            if subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, check=False).stdout:
                return f"{name} still has children"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--cluster", action="store_true", help="as tasks of a cluster")
    parser.add_argument("--program", default=None, help="eole-picture [that of EOLE_BIN]")
    parser.add_argument("--keep", default=None, help="a directory for the files that were done wrong")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # Pillow has much to say about damaged files.
    seed = options.seed if options.seed is not None else random.randrange(1 << 32)
    rng, wholes = random.Random(seed), seeds()
    files = (mutant(wholes, rng) for _ in range(options.count))
    count = Count(seed, options.keep)
    if options.cluster:
        problem = through_a_cluster(files, count)
    else:
        problem = straight(files, options.program, count)
    print(f"mutants: seed {seed}: {options.count} files, {count.done} done, {count.failed} failed, {count.wrong} wrong"
          + (f", {problem}" if problem else ""))
    return 1 if count.wrong or problem else 0


if __name__ == "__main__":
    sys.exit(main())
