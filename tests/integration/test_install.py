"""What is installed works from where it was installed: programs, services, man pages, completion, the C++ library, the
Debian packages. Nothing is compiled but the example; EOLE_BARE=1 also tries the packages in a bare Debian."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

from cluster import BIN, SANITIZER, Cluster, wait_until

BUILD = BIN.parent
ROOT = pathlib.Path(__file__).parents[2]
ROLES = ("ventilator", "sink", "gateway", "relay", "worker")


def run(*words, **options):
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, check=False, **{"timeout": 300, **options})
    if done.returncode != 0:
        raise AssertionError(f"{words}: exit {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


class Service:
    """A role as its unit starts it, and what it says to the service manager."""

    def __init__(self, unit, bin_path, data, env):
        words = re.search(r"^ExecStart=(.*)$", unit.read_text(encoding="utf-8"), re.M)[1]
        words = words.replace("/var/lib/eole", str(data)).replace("%H-%i", "w1").replace("%i", "w1").split()
        self.notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notified.settimeout(60)
        path = f"{data}/{unit.stem}.notify"
        self.notified.bind(path)
        self.process = subprocess.Popen([bin_path / words[0], *words[1:]], stderr=subprocess.PIPE, text=True,
                                        env={**env, "NOTIFY_SOCKET": path, "WATCHDOG_USEC": "300000"})

    def hears(self):
        return self.notified.recv(4096).decode().split("\n")

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        said = self.process.communicate(timeout=60)[1]
        self.notified.close()
        return self.process.returncode, said


@unittest.skipIf(SANITIZER, "nobody installs a sanitizer's build")
class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp(prefix="eole-test-")
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.prefix = pathlib.Path(cls.directory, "prefix")
        run("cmake", "--install", BUILD, "--prefix", cls.prefix, "--strip")
        cls.bin = cls.prefix / "bin"

    def env(self, directory):
        return {**os.environ, "XDG_STATE_HOME": str(directory), "HOME": str(directory)}

    def test_a_cluster_starts_from_there_and_a_client_built_there_uses_it(self):
        build = os.path.join(self.directory, "example")
        run("cmake", "-S", ROOT / "examples/cpp", "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={self.prefix}")
        run("cmake", "--build", build)
        with Cluster(workers=1, programs=self.bin) as cluster:
            args = {"n": 6}
            said = run(f"{build}/eole-example", "nqueens", json.dumps(args), env=cluster.env)
            view = json.loads(said)
            self.assertEqual((view["state"], view["value"]["solutions"]), ("done", 4))
            self.assertEqual(cluster.task(view["id"])["state"], "done")
        with Cluster("--runner", f"{build}/eole-example-runner", workers=1, programs=self.bin) as cluster:
            self.assertEqual(cluster.eole("submit", "gcd", "--a", 12, "--b", "x", check=False).returncode, 2)
            each = {"kind": "gcd", "args": {"a": 12, "b": 18}}
            done, failed = cluster.submit([each, {**each, "args": {"a": 0, "b": 1}}], "--wait", check=False)
            self.assertEqual((done["value"], failed["state"], failed["cause"]), (6, "failed", "ValueError"))

    def test_python_is_there(self):
        said = run(sys.executable, "-c", "import eole; print(eole.__file__)",
                   env={**os.environ, "PYTHONPATH": str(self.prefix / "lib/python3/dist-packages")})
        self.assertTrue(said.startswith(str(self.prefix)))

    def test_every_program_and_command_has_a_man_page(self):
        listed = run(self.bin / "eole", "--help")
        commands = re.findall(r"^  ([a-z]+) ", listed.split("Subcommands:")[1], re.M)
        self.assertGreater(len(commands), 25)
        for name in ("eole", *(f"eole-{command}" for command in commands), *(f"eole-{role}" for role in ROLES)):
            page = self.prefix / f"share/man/man1/{name}.1"
            text = page.read_text(encoding="utf-8")
            self.assertRegex(text, rf'^\.TH {name.upper()} 1 "" "eole [\d.]+" "Eole"\n\.SH NAME\n{name} \\- [A-Z]')
            for part in ("SYNOPSIS", "OPTIONS"):
                self.assertIn(f".SH {part}\n", text, name)
        self.assertIn("exec", (self.prefix / "share/man/man1/eole-submit.1").read_text(encoding="utf-8"))
        if shutil.which("groff"):
            pages = sorted((self.prefix / "share/man/man1").iterdir())
            done = subprocess.run(["groff", "-Kutf8", "-man", "-Tutf8", "-ww", "-z", *pages], capture_output=True, text=True,
                                  check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_each_shell_completes_commands_options_kinds_projects_and_ids(self):
        places = {"bash": "bash-completion/completions/eole", "zsh": "zsh/vendor-completions/_eole",
                  "fish": "fish/vendor_completions.d/eole.fish"}
        scripts = {shell: self.prefix / "share" / place for shell, place in places.items()}
        for shell, script in scripts.items():
            self.assertEqual(script.read_text(encoding="utf-8"), run(self.bin / "eole", "completion", shell))
        asked = {
            "bash": 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _eole; '
                    'printf "%s\\n" "${COMPREPLY[@]}"',
            "zsh": 'compdef() { }; compadd() { shift; print -l -- "$@" }; source "$1"; shift; '
                   'words=("$@"); CURRENT=$#; _eole',
            "fish": 'source $argv[1]; complete -C (string join " " -- $argv[2..])'}

        def completed(shell, *words):
            said = run(shell, "-c", asked[shell], *(["x"] if shell != "fish" else []), scripts[shell], "eole", *words,
                       env={**cluster.env, "PATH": f"{self.bin}:{os.environ['PATH']}"}, cwd=self.directory)
            return said.split()

        with Cluster("--allow-exec", workers=1) as cluster:
            (task,) = cluster.submit([{"kind": "sleep", "args": {"seconds": 60}, "project": "photos"}])
            wait_until(lambda: "photos" in cluster.eole("project").stdout, what="the project is known")
            for shell in filter(shutil.which, scripts):
                with self.subTest(shell):
                    self.assertEqual(completed(shell, "subm"), ["submit"])
                    self.assertEqual(completed(shell, "submit", "--wait", "image", "--qu"), ["--quality"])
                    self.assertEqual(completed(shell, "tasks", "--kind", "sl"), ["sleep"])
                    self.assertEqual(completed(shell, "tasks", "--project", ""), ["photos"])
                    self.assertEqual(completed(shell, "project", "close", "pho"), ["photos"])
                    self.assertIn(task["id"], completed(shell, "explain", task["id"][:3]))
            cluster.eole("cancel", "--all", "--yes", check=False)

    def test_services_start_as_their_units_say_and_tell_that_they_live(self):
        directory = pathlib.Path(self.directory, "services")
        directory.mkdir(mode=0o700)
        env = self.env(directory)
        run(self.bin / "eole", "init", "--data", directory, env=env)
        units = self.prefix / "lib/systemd/system"
        services = []
        try:
            for role in ROLES:
                name = f"eole-{role}{'@' if role == 'worker' else ''}.service"
                services.append(Service(units / name, self.bin, directory, env))
            for service in services:
                self.assertIn("READY=1", service.hears())
                self.assertIn("WATCHDOG=1", service.hears())
                self.assertIn("WATCHDOG=1", service.hears())
            said = run(self.bin / "eole", "submit", "echo", "hello", "--wait", env=env)
            self.assertIn("done", said)
        finally:
            ends = [service.end() for service in reversed(services)]
        self.assertEqual([code for code, _ in ends], [0] * len(ROLES), ends)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "needs systemd-analyze")
    def test_systemd_understands_the_units(self):
        root = pathlib.Path(self.directory, "root")
        shutil.copytree(self.prefix / "lib/systemd", root / "usr/lib/systemd")
        (root / "usr/bin").mkdir()
        for role in ROLES:
            shutil.copy("/bin/true", root / f"usr/bin/eole-{role}")
        for unit in (*(f"eole-{role}.service" for role in ROLES[:-1]), "eole-worker@1.service", "eole.target"):
            done = subprocess.run(["systemd-analyze", f"--root={root}", "--man=no", "--recursive-errors=no", "verify", unit],
                                  capture_output=True, text=True, check=False)
            ours = [line for line in done.stderr.splitlines() if "eole" in line and "not found" not in line]
            self.assertEqual(ours, [])
            if unit.endswith(".service"):  # How exposed: of 10, where a unit that says nothing has 9.6.
                most = "25" if "worker" in unit else "20"  # Its commands may have namespaces.
                run("systemd-analyze", f"--root={root}", "--offline=yes", f"--threshold={most}", "security", unit)


    @unittest.skipUnless(os.environ.get("EOLE_BARE") and shutil.which("systemd-nspawn"), "boots a systemd: EOLE_BARE=1, root, "
                         "systemd-container")
    def test_services_run_under_systemd_which_starts_them_again(self):
        system = pathlib.Path(self.directory, "system/usr/local")
        run("cmake", "--install", BUILD, "--prefix", "/usr/local", "--strip", env={**os.environ, "DESTDIR": system.parents[1]})
        (system / "bin/try").write_text(SERVICES, encoding="ascii")
        (system / "bin/try").chmod(0o755)
        (system / "lib/systemd/system/try.service").write_text(
            "[Service]\nType=oneshot\nExecStart=/usr/local/bin/try\nStandardOutput=journal+console\n", encoding="ascii")
        (system / "lib/systemd/system-preset").mkdir()
        (system / "lib/systemd/system-preset/00-none.preset").write_text("disable *\n", encoding="ascii")
        # Of this machine it has /usr, read-only, and nothing else: no files, no network.
        said = run("systemd-nspawn", "--register=no", "--keep-unit", "--private-network", "--directory=/", "--volatile=yes",
                   f"--bind-ro={system}:/usr/local", "--boot", "systemd.firstboot=no", "systemd.unit=multi-user.target",
                   "systemd.wants=try.service", stdin=subprocess.DEVNULL)
        for words in ("done  echo  {\"text\":\"hello\"}", "done  echo  {\"text\":\"again\"}", "started again: 1 1 1 1 1",
                      "the others have, a worker has not: yes no", "tried: 0"):
            self.assertIn(words, said)


SERVICES = """#!/bin/sh
trap 'echo "tried: $?"; systemctl poweroff' EXIT
set -e
useradd --system --user-group --home-dir /var/lib/eole eole
install -d -o eole -g eole -m 0700 /var/lib/eole
setpriv --reuid eole --regid eole --init-groups eole init --data /var/lib/eole
services="eole-ventilator eole-sink eole-gateway eole-relay eole-worker@1"
systemctl enable --now eole.target $services
export EOLE_CLUSTER=/var/lib/eole/admin.toml
eole submit echo hello --wait
systemctl is-active $services
systemctl kill --signal=KILL $services
eole submit echo again --wait
echo started again: $(systemctl show --property=NRestarts --value $services)
echo the others have, a worker has not: $(systemctl show --property=MemoryDenyWriteExecute --value eole-sink eole-worker@1)
systemctl stop eole.target $services
! systemctl is-active $services
test -z "$(journalctl --quiet --no-pager --unit 'eole-*' --priority crit)"
"""

# In a bare system, after its packages are there: what a person does, without systemctl.
FIRST_STEPS = """set -e
as_eole() { su -s /bin/sh eole -c "$1"; }
test "$(stat -c '%U %a' /var/lib/eole)" = "eole 700"
as_eole "eole init --data /var/lib/eole"
as_eole "eole doctor"
setpriv --reuid eole --regid eole --init-groups env HOME=/var/lib/eole eole up --data /var/lib/eole --workers 1 >/tmp/up &
up=$!
trap 'kill -TERM $up 2>/dev/null && wait $up || :' EXIT
until grep -qx ready /tmp/up; do kill -0 $up; sleep 0.1; done
as_eole "eole submit echo hello --wait"
eole --cluster /var/lib/eole/admin.toml status
"""
PYTHON_STEPS = """
cat > /tmp/many.py <<END
import eole
with eole.Cluster() as cluster:
    print(list(cluster.results(cluster.submit("nqueens", {"n": 6})))[0].value)
END
as_eole "python3 -B /tmp/many.py"
"""
NODE_STEPS = """
cat > /opt/shop/many.mjs <<END
import { Cluster } from 'eole';
const cluster = new Cluster();
const [result] = await cluster.wait(await cluster.submit('nqueens', { n: 6 }));
console.log(result.value);
cluster.close();
END
as_eole "node /opt/shop/many.mjs"
"""
END = """
kill -TERM $up; wait $up
"""
# As docs/install.md has it.
REMOVE_TREE = """
xargs -d '\\n' -a /tmp/install_manifest.txt rm -f
find /usr/local -depth -type d -empty -path '*eole*' -delete
"""


@unittest.skipIf(SANITIZER, "nobody installs a sanitizer's build")
@unittest.skipUnless(shutil.which("dpkg-shlibdeps"), "needs dpkg-dev")
class Packages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp(prefix="eole-test-")
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        run("cpack", "--config", BUILD / "CPackConfig.cmake", "-B", cls.directory)
        cls.packages = {path.name.split("_")[0]: path for path in pathlib.Path(cls.directory).glob("*.deb")}

    def field(self, package, name):
        return run("dpkg-deb", "--field", self.packages[package], name).strip()

    def listed(self, package):
        """The files in a package, each with its mode and owner."""
        lines = run("dpkg-deb", "--contents", self.packages[package]).splitlines()
        return {line.split()[5].removeprefix("."): line.split()[:2] for line in lines if not line.startswith("d")}

    def test_there_are_three_that_name_what_they_need(self):
        self.assertEqual(sorted(self.packages), ["eole", "eole-dev", "python3-eole"])
        needed = self.field("eole", "Depends")
        for library in ("libc6", "libzmq5", "libcurl4", "libssl3", "libsqlite3-0", "libjpeg62-turbo", "adduser"):
            self.assertIn(library, needed)
        self.assertIn("libzmq3-dev", self.field("eole-dev", "Depends"))
        self.assertIn("python3-zmq", self.field("python3-eole", "Depends"))
        self.assertEqual(self.field("python3-eole", "Architecture"), "all")

    def test_each_holds_its_own(self):
        files = self.listed("eole")
        for path in ("/usr/bin/eole", "/usr/bin/eole-worker", "/usr/libexec/eole/eole-picture", "/usr/libexec/eole/eole-runner",
                     "/usr/share/man/man1/eole-submit.1", "/usr/lib/systemd/system/eole-worker@.service",
                     "/usr/share/doc/eole/copyright"):
            self.assertIn(path, files)
        self.assertIn("/usr/include/eole/clients/cpp/blocking/submitter.hpp", self.listed("eole-dev"))
        self.assertIn("/usr/lib/python3/dist-packages/eole/__init__.py", self.listed("python3-eole"))
        for package in self.packages:
            for path, (mode, owner) in self.listed(package).items():
                self.assertEqual((owner, mode[5], mode[8]), ("root/root", "-", "-") if mode[0] != "l" else
                                 ("root/root", "w", "w"), path)


@unittest.skipIf(SANITIZER, "nobody installs a sanitizer's build")
@unittest.skipUnless(os.environ.get("EOLE_BARE"), "makes a Debian system: EOLE_BARE=1, root, debootstrap, a mirror, node, npm")
class Bare(unittest.TestCase):
    """A Debian with nothing but what the packages name: each way of installing leaves it as it was."""

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp(prefix="eole-test-")
        cls.root = pathlib.Path(cls.directory, "bare")
        cls.addClassCleanup(run, "rm", "-r", "--one-file-system", cls.directory)
        run("debootstrap", "--variant=minbase", "bookworm", cls.root, timeout=1800)
        for kind in ("proc", "dev"):
            run("mount", "--rbind", f"/{kind}", cls.root / kind)
            cls.addClassCleanup(run, "umount", "-R", cls.root / kind)  # If it fails, what is mounted there stays.
            run("mount", "--make-rslave", cls.root / kind)
        run("cpack", "--config", BUILD / "CPackConfig.cmake", "-B", cls.root / "tmp")
        cls.packages = {path.name.split("_")[0]: f"/tmp/{path.name}" for path in (cls.root / "tmp").glob("*.deb")}
        needed = [run("dpkg-deb", "--field", f"{cls.root}{path}", "Depends").strip() for path in cls.packages.values()]
        others = [re.sub(r"(^|, )eole[^,]*", "", each).strip(", ") for each in needed]
        cls.inside("apt-get", "satisfy", "-y", "--no-install-recommends", ", ".join(filter(None, others)), "python3-pip",
                   "nodejs")
        cls.inside("sh", "-c", "adduser --system --group --quiet other && deluser --system --quiet other")  # Its own traces.

    @classmethod
    def inside(cls, *words):
        return run("chroot", cls.root, *words, env={"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root",
                                                    "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}, timeout=1800)

    def files(self):
        """But for what is of the moment, and of Python's and the package manager's caches; of directories only ours."""
        said = self.inside("find", "/", "-xdev", *(word for path in ("/proc", "/tmp", "/dev", "/var/cache", "/var/log")
                                                   for word in ("-path", path, "-prune", "-o")),
                           "(", "-not", "-type", "d", "-o", "-path", "*eole*", ")", "-print")
        return {path for path in said.splitlines() if "__pycache__" not in path or "eole" in path}

    def setUp(self):
        before = self.files()
        self.addCleanup(lambda: self.assertEqual(self.files() ^ before, set()))

    def install_tree(self):
        """The programs by cmake --install, as long as the test runs."""
        run("cmake", "--install", BUILD, "--prefix", "/usr/local", "--strip", env={**os.environ, "DESTDIR": str(self.root)})
        shutil.copy(BUILD / "install_manifest.txt", self.root / "tmp")
        self.addCleanup(self.inside, "sh", "-c", REMOVE_TREE)
        self.inside("adduser", "--system", "--group", "--quiet", "--home", "/var/lib/eole", "eole")
        self.addCleanup(self.inside, "sh", "-c", "deluser --system --quiet eole; rm -r /var/lib/eole")
        self.inside("chmod", "700", "/var/lib/eole")

    def test_debian_packages(self):
        self.inside("apt-get", "install", "-y", "--no-install-recommends", *self.packages.values())
        self.addCleanup(lambda: self.assertNotIn("eole", self.inside("cat", "/etc/passwd", "/etc/group")))
        self.addCleanup(self.inside, "apt-get", "purge", "-y", *self.packages)
        said = self.inside("sh", "-c", FIRST_STEPS + PYTHON_STEPS + END)
        for word in ("hello", "accepted", "'solutions': 4"):
            self.assertIn(word, said)

    def test_cmake_install(self):
        self.install_tree()
        said = self.inside("sh", "-c", FIRST_STEPS + END)
        for word in ("hello", "accepted"):
            self.assertIn(word, said)

    def test_a_wheel(self):
        self.install_tree()
        source = pathlib.Path(self.directory, "source")
        shutil.copytree(ROOT / "clients/python", source, ignore=shutil.ignore_patterns("__pycache__"))
        run("/usr/bin/python3", "-m", "pip", "wheel", "--quiet", "--no-index", "--no-build-isolation", "--no-deps",
            "--wheel-dir", self.root / "tmp", source)
        (wheel,) = (self.root / "tmp").glob("eole-*.whl")
        self.inside("pip", "install", "--quiet", "--break-system-packages", "--no-index", f"/tmp/{wheel.name}")
        self.addCleanup(self.inside, "pip", "uninstall", "--yes", "--quiet", "--break-system-packages", "eole")
        self.assertIn("'solutions': 4", self.inside("sh", "-c", FIRST_STEPS + PYTHON_STEPS + END))

    def test_an_npm_tarball(self):
        self.install_tree()
        archive = run("npm", "pack", "--silent", "--pack-destination", self.root / "tmp", cwd=ROOT / "clients/node").strip()
        place = self.root / "opt/shop"
        place.mkdir()
        self.addCleanup(self.inside, "rm", "-r", "/opt/shop")
        run("npm", "install", "--no-audit", "--no-fund", "--prefix", place, self.root / "tmp" / archive)
        self.assertIn("solutions: 4", self.inside("sh", "-c", FIRST_STEPS + NODE_STEPS + END))


if __name__ == "__main__":
    unittest.main()
