"""Tasks of Python that tests run."""

import dataclasses
import datetime
import os
import signal
import subprocess
import sys
import threading
import time

import eole


@dataclasses.dataclass
class Order:
    item: str
    price: float
    when: datetime.date


class OutOfStock(Exception):
    def __init__(self, item, wanted):
        super().__init__(item, wanted)
        self.item = item

    def __str__(self):
        return f"{self.item}: {self.args[1]} are not there"


@eole.task
def divided(number, by):
    return number / by


@eole.task
def add(a, b):
    """Adds two numbers, texts or lists."""
    return a + b


@eole.task
def total(numbers):
    return sum(numbers)


@eole.task
def same(value):
    return value


@eole.task
def nothing():
    return None


@eole.task
def order(item, wanted: int = 1):
    if wanted > 10:
        raise OutOfStock(item, wanted)
    return Order(item, 1.5 * wanted, datetime.date(2026, 1, 31))


@eole.task(retry={"attempts": 3, "backoff": "10ms"})
def third_time():
    if eole.current.attempt < 3:
        raise OutOfStock("luck", eole.current.attempt)
    return eole.current.attempt


@eole.task(retry={"attempts": 2})
def later(seconds):
    if eole.current.attempt < 2:
        raise eole.Retry("not yet", after=seconds)
    return "now"


@eole.task
def until_cancelled(path):
    """Says that it runs by a file, and ends once it is to end."""
    eole.progress(1, 3, "waiting")
    with open(path, "w", encoding="ascii") as file:
        file.write(eole.current.id)
    while not eole.current.is_cancelled:
        time.sleep(0.01)
    raise eole.Cancelled("as it was told")


@eole.task
def stubborn(path):
    with open(path, "w", encoding="ascii") as file:
        file.write("runs")
    while True:
        time.sleep(0.01)


@eole.task
def upper(text_file):
    print("upper", text_file.name)
    path = os.path.join(eole.current.directory, text_file.name)
    with open(text_file, encoding="utf-8") as source, open(path, "w", encoding="utf-8") as target:
        target.write(source.read().upper())
    return eole.File(path)


@eole.task
def shout(text):
    print(text)
    eole.log("log " + text)
    subprocess.run(["true"], check=True)


@eole.task
def die_once():
    if eole.current.attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return eole.current.attempt


@eole.task
def die_if(is_bad, path):
    """Each run is a line in the file."""
    with open(path, "a", encoding="ascii") as file:
        file.write(f"{eole.current.id}\n")
    if is_bad:
        os._exit(0)
    return eole.current.attempt


@eole.task
def forks():
    """A child that goes on as if it were the runner, and would answer in its place."""
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        return "parent"
    try:
        eole.progress(1, 1)
    except eole.WrongProcess:
        return "child"
    return "child, unnoticed"


@eole.task
def fork_tells():
    """What becomes of a child that would tell progress."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    try:
        eole.progress(1, 1)
    except eole.WrongProcess:
        os._exit(7)
    os._exit(8)


@eole.task
def again_after(seconds, as_attribute=False):
    error = eole.Retry(after=0 if as_attribute else seconds)
    error.after = seconds
    raise error


@eole.task
def many_files(count):
    files = []
    for number in range(count):
        path = os.path.join(eole.current.directory, str(number))
        with open(path, "w", encoding="ascii") as file:
            file.write(str(number))
        files.append(eole.File(path))
    return files


@eole.task
def print_together(count):
    """Pieces of one line, by two threads at once."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    threads = [threading.Thread(target=lambda: [print("x", end="") for _ in range(count)]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(before)


_open = []


@eole.task
def keeps_open():
    """A file that it writes to again when the next one runs."""
    for file in _open:
        os.pwrite(file.fileno(), b"y" * 1000, 0)
    file = open(os.path.join(eole.current.directory, "a"), "wb")  # noqa: SIM115
    file.write(b"x" * 1_000_000)
    file.flush()
    _open.append(file)
    return eole.File(file.name)


@eole.task
def longest(*texts):
    return max(map(len, texts))


@eole.task
def leaves():
    raise SystemExit(0)


@eole.task
async def in_a_loop(n):
    return n + 1


@eole.task(key=lambda user, amount: f"user:{user}")
def pay(user, amount):
    return [user, amount]


@eole.task
def steps(path):
    """Tells that it goes on until a file is there."""
    done = 0
    while not os.path.exists(path):
        done += 1
        eole.progress(done % 1000, 1000, "step")
        time.sleep(0.01)
    return "over"


@eole.task
def brief(value):
    time.sleep(0.02)
    return value
