"""A build of 10,000 tasks: what is compiled, archived from that, linked from those, and all.

    eole up &
    python3 build_graph.py [TASKS]

It writes the tasks as lines of JSON that name one another, has `eole submit --file` read them, and checks that each ran
once, after all that it is made of, and was handed what those made.
"""

import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

EOLE = os.environ.get("EOLE_BIN", "")
LINKED = 0.01    # Of all tasks; they take the results of what they are made of.
ARCHIVED = 0.14


def graph(count):
    """Tasks, and the names that each is made of."""
    random_ = random.Random(1)
    linked, archived = int(count * LINKED), int(count * ARCHIVED)
    compiled = [f"compile {n}" for n in range(count - linked - archived - 1)]
    archives = [f"archive {n}" for n in range(archived)]
    made_of = {name: [] for name in compiled}
    made_of |= {name: random_.sample(compiled, random_.randrange(1, 9)) for name in archives}
    made_of |= {f"link {n}": random_.sample(archives, random_.randrange(2, 7)) for n in range(linked)}
    made_of["all"] = list(made_of)[-linked:]
    tasks = []
    for name, parts in made_of.items():
        task = {"name": name, "kind": "echo", "args": {"made": name}, "project": "build"}
        if name.startswith("link"):
            task["args"]["from"] = [{"$result": part, "path": "made"} for part in parts]
        elif parts:
            task["after"] = parts
        tasks.append(task)
    return tasks, made_of


def main(count):
    tasks, made_of = graph(count)
    with tempfile.TemporaryDirectory(prefix="build-") as directory:
        path = pathlib.Path(directory, "tasks.jsonl")
        path.write_text("".join(json.dumps(task) + "\n" for task in tasks), encoding="ascii")
        eole = os.path.join(EOLE, "eole") if EOLE else shutil.which("eole")
        done = subprocess.run([eole, "submit", "--file", path, "--wait"], check=True, capture_output=True, text=True)
    results = dict(zip(made_of, map(json.loads, done.stdout.splitlines())))
    for name, parts in made_of.items():
        if results[name]["state"] != "done" or results[name]["value"]["made"] != name:
            sys.exit(f"{name}: {results[name]}")
        if any(results[part]["offset"] > results[name]["offset"] for part in parts):
            sys.exit(f"{name}: ran before what it is made of")
        if name.startswith("link") and results[name]["value"]["from"] != parts:
            sys.exit(f"{name}: was handed {results[name]['value']['from']}, not {parts}")
    if len({result["id"] for result in results.values()}) != count:
        sys.exit("a task is missing")
    waits = sum(map(len, made_of.values()))
    print(f"{count} tasks with {waits} parents: each ran after all that it is made of")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
