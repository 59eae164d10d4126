"""The servers of other systems, for benchmarks beside them: each on a port and in a directory of its own, gone at the end."""

import contextlib
import glob
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from bench import ROOT, resident_bytes


def install(packages):
    """What is missing of these packages of Debian."""
    missing = [package for package in packages if subprocess.run(
        ["dpkg-query", "-W", package], capture_output=True).returncode != 0]
    if not missing:
        return
    print("bench: installing", *missing, file=sys.stderr, flush=True)
    root = [] if os.geteuid() == 0 else ["sudo"]
    subprocess.run([*root, "env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get", "install", "-y", "-qq",
                    "--no-install-recommends", *missing], check=True, stdout=subprocess.DEVNULL)


def build(target):
    """One that is left out of what ./dev builds."""
    subprocess.run(["cmake", "--preset", "release"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", ROOT / "build/release", "--quiet", target], check=True, stdout=subprocess.DEVNULL)


def end_on_sigterm():
    """As on Ctrl-C: what was started ends, too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


class Server:
    """A peer's server on a free port, with an empty data directory, ended with all it started. Its command has PORT
    and DIR in the place of these; prepare(directory, port) writes what it needs, and returns environment."""

    def __init__(self, command, prepare=None):
        self.command = command
        self.prepare = prepare or (lambda directory, port: {})

    def __enter__(self):
        self.port, self.directory = free_port(), tempfile.mkdtemp(prefix="eole-peer-")
        env = {**os.environ, "HOME": self.directory, **self.prepare(self.directory, self.port)}
        command = [part.replace("DIR", self.directory).replace("PORT", str(self.port)) for part in self.command]
        with open(self.directory + "/server.log", "wb") as log:
            self.process = subprocess.Popen(command, env=env, cwd=self.directory, start_new_session=True, stdout=log,
                                            stderr=subprocess.STDOUT)
        try:
            until = time.monotonic() + 180
            while not answers(self.port):
                if self.process.poll() is not None:
                    raise RuntimeError(f"{command[0]}: ended before it opened its port")
                if time.monotonic() > until:
                    raise RuntimeError(f"{command[0]}: never opened its port")
                time.sleep(0.1)
            time.sleep(1)
        except BaseException:
            self.__exit__()
            raise
        return self

    def members(self):
        """The server and all that has its directory as HOME: Erlang's processes leave the group."""
        if self.process.poll() is None:
            yield self.process.pid  # Redis writes over its environment.
        home = f"HOME={self.directory}".encode()
        for path in glob.glob("/proc/[0-9]*/environ"):
            try:
                with open(path, "rb") as environ:
                    pid = int(path.split("/")[2])
                    if pid != self.process.pid and home in environ.read().split(b"\0"):
                        yield pid
            except OSError:
                pass

    def resident(self):
        return sum(resident_bytes(pid) for pid in self.members())

    def __exit__(self, *_):
        for how in (signal.SIGTERM, signal.SIGKILL):
            for pid in list(self.members()):
                try:
                    os.kill(pid, how)
                except ProcessLookupError:
                    pass
            time.sleep(1)
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


def redis(*flags):
    return Server(["redis-server", "--port", "PORT", "--save", "", "--dir", "DIR", *flags])


def rabbitmq(over_http=False):
    """Its port is that of AMQP, or of the management's HTTP."""
    program = glob.glob("/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server")[0]

    def prepare(directory, port):
        plugins, settings = ("[rabbitmq_management]", f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {port}\n"
                             ) if over_http else ("[]", "")
        pathlib.Path(directory, "plugins").write_text(plugins + ".\n", encoding="ascii")
        pathlib.Path(directory, "rabbitmq.conf").write_text(settings, encoding="ascii")
        return {"RABBITMQ_CONFIG_FILE": directory + "/rabbitmq.conf", "RABBITMQ_NODENAME": f"bench{port}@localhost",
                "RABBITMQ_MNESIA_BASE": directory + "/data", "RABBITMQ_LOG_BASE": directory + "/log",
                "RABBITMQ_ENABLED_PLUGINS_FILE": directory + "/plugins", "RABBITMQ_CONF_ENV_FILE": "/dev/null",
                "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1", "RABBITMQ_NODE_PORT": str(free_port() if over_http else port),
                "RABBITMQ_DIST_PORT": str(free_port()), "ERL_EPMD_PORT": str(free_port()), "ERL_EPMD_ADDRESS": "127.0.0.1"}
    return Server([program], prepare)


def nats():
    return Server(["nats-server", "-a", "127.0.0.1", "-p", "PORT", "-js", "-sd", "DIR/store"])


def beanstalkd(*flags):
    return Server(["beanstalkd", "-l", "127.0.0.1", "-p", "PORT", *flags])


class Webdis:
    """Redis with HTTP before it."""

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        with self.stack:
            of_redis = self.stack.enter_context(redis("--appendonly", "yes", "--appendfsync", "always"))

            def prepare(directory, port):
                with open(directory + "/webdis.json", "w", encoding="ascii") as file:
                    json.dump({"redis_host": "127.0.0.1", "redis_port": of_redis.port, "http_host": "127.0.0.1",
                               "http_port": port, "threads": 2, "pool_size": 16, "daemonize": False, "database": 0,
                               "verbosity": 0, "logfile": directory + "/webdis.log", "acl": [{"enabled": ["*"]}]}, file)
                return {}
            web = self.stack.enter_context(Server(["webdis", "DIR/webdis.json"], prepare))
            self.stack = self.stack.pop_all()
        return web

    def __exit__(self, *error):
        self.stack.__exit__(*error)


def gearmand():
    return Server(["gearmand", "-L", "127.0.0.1", "-p", "PORT", "-l", "DIR/log", "-P", "DIR/pid"])
