"""./dev bench pictures: pictures through eole-picture and through a cluster, beside Pillow, in turns.

Photographs of 12 M pixels: the JPEG files of --photos, else some of 4000 x 3000 that eole-make-photo makes.
eole-picture has a process for each, as below a worker; Pillow does them one after another in one process. Medians of
the rounds. What is compared is processor time, of which other work on the machine takes less than of the clock;
pictures a second are by the clock."""

import argparse
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/integration"))
import msgpack  # noqa: E402
from PIL import Image  # noqa: E402

import child_frames  # noqa: E402
from cluster import BIN, Cluster  # noqa: E402

WORK = {"quality 85": {}, "to 1920": {"width": 1920}, "to 400": {"width": 400}, "to WebP": {"format": "webp"}}


def photos(directory, target):
    if directory:
        return sorted(map(str, pathlib.Path(directory).glob("*.jpg")))
    paths = [os.path.join(target, f"{n}.jpg") for n in range(3)]
    for n, path in enumerate(paths):  # 4:2:0, as cameras write; above 90 stb writes 4:4:4.
        subprocess.run([BIN / "eole-make-photo", "4000", "3000", "90", str(n), path], check=True)
    return paths


def with_pillow(path, target, width=None, format="jpeg"):
    """Bytes of the result. To 400 by thumbnail(), its fast way, to 1920 by resize(), its exact one."""
    image = Image.open(path)
    if width == 400:
        image.thumbnail((width, width), Image.Resampling.LANCZOS)
    image = image.convert("RGB")
    if width == 1920:
        image = image.resize((width, image.height * width // image.width), Image.Resampling.LANCZOS)
    image.save(target, format, quality=85, **({"optimize": True} if format == "jpeg" else {}))
    return os.path.getsize(target)


def with_eole(path, **wish):
    """Processor time from its start to its end, and bytes of the result."""
    with tempfile.TemporaryDirectory() as directory:
        ours, its = socket.socketpair()
        args = msgpack.packb({"input": path, "quality": 85, **wish})
        ours.sendall(child_frames.frame(2, 1, "task", 1, "image", args, directory, "", ""))
        program = str(BIN / "eole-picture")
        child = os.posix_spawn(program, [program], {}, file_actions=[(os.POSIX_SPAWN_DUP2, its.fileno(), 3)])
        its.close()
        while ours.recv(65536):
            pass
        ours.close()
        _, status, used = os.wait4(child, 0)
        if status:
            sys.exit(f"{path}: eole-picture failed")
        size = os.path.getsize(os.path.join(directory, "picture-1"))
        return used.ru_utime + used.ru_stime, size


def alone(paths, rounds):
    with tempfile.TemporaryDirectory() as directory:
        out = os.path.join(directory, "out")
        print("| 12 M pixels | eole-picture, CPU s | Pillow, CPU s | ratio | bytes, ratio |\n|---|---|---|---|---|")
        for name, wish in WORK.items():
            ours, theirs, sizes = [], [], []
            for path in paths * rounds:
                spent, size = with_eole(path, **wish)
                ours.append(spent)
                begin = time.process_time()
                size /= with_pillow(path, out, **wish)
                theirs.append(time.process_time() - begin)
                sizes.append(size)
            one, other = statistics.median(ours), statistics.median(theirs)
            print(f"| {name} | {one:.3f} | {other:.3f} | {one / other:.2f} | "
                  f"{statistics.median(sizes):.2f} |", flush=True)
            if name == "quality 85":
                whole = one
        pixel = os.path.join(directory, "pixel.jpg")
        Image.new("RGB", (1, 1)).save(pixel)
        process = statistics.median(with_eole(pixel)[0] for _ in range(20 * rounds))
        print(f"\nits process (a picture of one pixel): {process:.4f} s, {process / whole:.1%} of quality 85", flush=True)


def through_a_cluster(paths, count):
    """Pictures a second from submit, which uploads them, to the last result."""
    with Cluster(workers=1, slots=2) as cluster:
        cluster.eole("status", "--until-workers", 1)
        begin = time.monotonic()
        cluster.eole("submit", "image", *(paths * count)[:count], "--wait", timeout=600)
        return count / (time.monotonic() - begin)


def by_two_pillows(paths, count):
    """The same by two processes that wait for nobody."""
    with tempfile.TemporaryDirectory() as directory:
        begin = time.monotonic()
        children = []
        for which in (0, 1):
            children.append(os.fork())
            if children[-1] == 0:
                for path in (paths * count)[:count][which::2]:
                    with_pillow(path, os.path.join(directory, str(which)))
                os._exit(0)
        for child in children:
            os.waitpid(child, 0)
        return count / (time.monotonic() - begin)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", default=None, help="a directory with JPEG files")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--count", type=int, default=60, help="pictures through the cluster, each round [60]")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        paths = photos(options.photos, directory)
        alone(paths, options.rounds)
        ours, theirs = [], []
        for _ in range(options.rounds):
            ours.append(through_a_cluster(paths, options.count))
            theirs.append(by_two_pillows(paths, options.count))
    one, other = statistics.median(ours), statistics.median(theirs)
    print(f"\ntwo slots, end to end: {one:.1f} pictures/s; two processes of Pillow: {other:.1f}; ratio {one / other:.2f}")


if __name__ == "__main__":
    main()
