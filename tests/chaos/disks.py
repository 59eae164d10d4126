"""Disks and networks that fail, made of loop images, small file systems and namespaces."""

import os
import pathlib
import shutil
import subprocess
import tempfile


class Missing(Exception):
    """This machine cannot do it."""


def run(*command):
    try:
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    except FileNotFoundError as error:
        raise Missing(f"needs {command[0]}") from error
    if done.returncode != 0:
        raise Missing(f"{' '.join(map(str, command))}: {done.stderr.strip()}")


class Tmpfs:
    """`with Tmpfs("64M") as path`: a file system of that size in memory."""

    def __init__(self, size):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="eole-disk-"))
        run("mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "none", self.path)

    def __enter__(self):
        return self.path

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.path], capture_output=True)
        self.path.rmdir()


class Image:
    """A file system in a file; cut() is what a disk holds when the power fails now."""

    def __init__(self, kind, size, options=(), backing="2G"):
        self.backing = Tmpfs(backing)
        self.file = self.backing.path / "image"
        self.mount = self.backing.path / "mount"
        self.mount.mkdir()
        run("truncate", "-s", size, self.file)
        run(f"mkfs.{kind}", "-q", *options, self.file)
        run("mount", "-o", "loop,discard", self.file, self.mount)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.mount], capture_output=True)
        self.backing.__exit__()

    def cut(self):
        return Remains(self)


class Remains:
    """`with image.cut() as path`: another mount, of what the disk held at this moment."""

    def __init__(self, image):
        self.file = image.backing.path / "cut"
        self.mount = image.backing.path / "after"
        run("cp", "--sparse=always", image.file, self.file)
        self.mount.mkdir()

    def __enter__(self):
        run("mount", "-o", "loop", self.file, self.mount)
        return self.mount

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.mount], capture_output=True)
        self.mount.rmdir()
        self.file.unlink()


class Thin(Image):
    """Promises `size` and has `has`: writes go well, and the sync fails."""

    def __init__(self, has, size):
        super().__init__("ext4", size, ("-O", "^has_journal"), backing=has)
        self.has = has

    def is_exhausted(self):
        return shutil.disk_usage(self.backing.path).free < 1 << 20

    @staticmethod
    def drop_caches():
        os.sync()
        pathlib.Path("/proc/sys/vm/drop_caches").write_text("3", encoding="ascii")


class Namespace:
    """A network of its own, joined to this one by a wire on which rules can be put."""

    here, there = "10.78.0.1", "10.78.0.2"

    def __init__(self):
        self.name = f"eole{os.getpid()}"
        self.within = ["ip", "netns", "exec", self.name]
        self.table = False
        run("ip", "netns", "add", self.name)
        try:
            run("ip", "link", "add", f"{self.name}a", "type", "veth", "peer", "name", f"{self.name}b",
                "netns", self.name)
            run("ip", "addr", "add", f"{self.here}/24", "dev", f"{self.name}a")
            run("ip", "link", "set", f"{self.name}a", "up")
            run(*self.within, "ip", "addr", "add", f"{self.there}/24", "dev", f"{self.name}b")
            run(*self.within, "ip", "link", "set", f"{self.name}b", "up")
        except BaseException:  # As in a chroot, which may make one and not use it.
            self.__exit__()
            raise

    def __enter__(self):
        run("nft", "add", "table", "inet", self.name)
        self.table = True
        for chain, hook in (("arriving", "input"), ("leaving", "output")):
            run("nft", "add", "chain", "inet", self.name, chain,
                f"{{ type filter hook {hook} priority 0; }}")
        return self

    def rule(self, text):
        """Puts one rule on the wire, or none."""
        for chain in ("arriving", "leaving"):
            run("nft", "flush", "chain", "inet", self.name, chain)
        if text:
            chain = "leaving" if "daddr" in text else "arriving"
            run("nft", "add", "rule", "inet", self.name, chain, *text.format(there=self.there).split())

    def __exit__(self, *_):
        if self.table:
            subprocess.run(["nft", "delete", "table", "inet", self.name], capture_output=True)
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True)
