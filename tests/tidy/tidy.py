"""The rules of the tree that a machine can check. Use: tidy.py ROOT"""

import os
import re
import sys

import bounds
import codes
import coroutines
import events
import golden
import members
import ring
import routes
import shown
import wire

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)

# Each third-party header and the only directories that may include it.
HOMES = {
    r"^zmq(\.hpp|\.h|_addon)": ("common/net/", "bench/raw.cpp", "bench/events.cpp"),
    r"^msgpack": ("common/protocol/",),
    r"^nlohmann/": ("common/protocol/value_json.cpp", "tests/unit/protocol/json_reader_test.cpp"),
    r"^toml\+\+": ("common/net/",),
    r"^curl/": ("worker/handlers/http_transfer.cpp", "worker/handlers/web.cpp"),
    r"^stb/": ("examples/make_photo.cpp",),
    r"^(webp/.*|gif_lib|jpeglib|jerror|png|lcms2|tiffio)\.h": ("worker/picture/",),
    r"^spdlog": ("common/process/log.cpp",),
    r"^openssl": ("common/process/hash.cpp", "common/process/signing.cpp", "common/process/certificate.cpp"),
    r"^date/": ("common/base/zone.cpp",),
    r"^sqlite3\.h": ("sink/io/database.cpp", "bench/storage.cpp"),
    r"^isa-l/": ("common/base/crc32c.cpp",),
    r"^CLI/": ("cli/",),
    r"^boost/beast/http": ("gateway/core/http/reader.cpp",),
    r"^boost/": ("gateway/",),
    r"^catch2": ("tests/",),
}
# What a core must not know: clocks, threads, files, sockets, the system.
IMPURE = re.compile(r"^(thread|mutex|condition_variable|atomic|future|fstream|iostream|filesystem|random|"
                    r"unistd\.h|fcntl\.h|sys/.*|poll\.h|signal\.h|ctime|time\.h)$")
# main -> io -> core -> protocol -> base; roles never include each other.
MAY_INCLUDE = {
    "common/base": ("common/base",),
    "common/protocol": ("common/protocol", "common/base"),
    "common/kinds": ("common/kinds", "common/protocol", "common/base"),
    "common/storage": ("common/storage", "common/base"),
    "common/process": ("common/process", "common/base"),
    "common/role": ("common",),
    "common/net": ("common/net", "common/protocol", "common/base"),
    "clients/cpp/core": ("clients/cpp/core", "common/base", "common/protocol"),
    "clients/cpp/session": ("clients/cpp/core", "clients/cpp/session", "common"),
    "clients/cpp/tasks": ("clients/cpp/tasks", "common/base", "common/protocol", "common/kinds", "common/process"),
    "clients/cpp/blocking": ("clients/cpp", "common"),
    "cli": ("cli", "clients/cpp", "common"),
    "worker/handlers": ("worker/handlers", "common/kinds", "common/base", "common/protocol", "common/process",
                        "worker/runners/process", "worker/command/serve.hpp", "worker/picture/limits.hpp",
                        "worker/picture/job.hpp"),
    "worker/runners/frames": ("worker/runners/frames", "common/base", "common/protocol"),
    "worker/runners/process": ("worker/runners/process", "worker/runners/frames", "common/base", "common/protocol",
                               "common/process"),
    "worker/command": ("worker/command", "worker/runners/frames", "worker/runners/process/process_tree.hpp",
                       "common/base", "common/kinds", "common/protocol", "common/process"),
    "worker/runners": ("worker/runners", "worker/core", "worker/handlers", "worker/command/serve.hpp", "clients/cpp",
                       "common"),
    "worker/picture": ("worker/picture", "worker/runners/frames", "common/base", "common/kinds", "common/protocol"),
    **{f"{role}/core": (f"{role}/core", "common/base", "common/protocol")
       for role in ("ventilator", "worker", "sink")},
    "gateway/core/pull": ("gateway/core/pull", "worker/core", "common/base", "common/protocol"),
    "gateway/core": ("gateway/core", "common/base", "common/protocol", "common/kinds", "clients/cpp/tasks",
                     "common/process/hash.hpp"),
    "gateway/core/access": ("gateway/core", "common/base", "common/process/hash.hpp", "common/net/tokens.hpp"),
    "gateway/io": ("gateway", "clients/cpp", "common", "worker/core", "worker/io/node.hpp", "worker/runners/part.hpp",
                   "worker/runners/references.hpp"),
    "relay/core": ("relay/core", "common/base", "common/protocol", "clients/cpp/tasks"),
    "relay/io": ("relay", "clients/cpp", "common"),
    "ventilator/io": ("ventilator", "common"),
    "sink/io": ("sink", "common"),
    "worker/io": ("worker", "clients/cpp", "common"),
}
BAD_NAMES = re.compile(r"(^|[_/])(util|utils|helpers|misc|manager)([_.]|$)")
LINES_MAX = 500
COLUMNS_MAX = 120
COLUMNS_PYTHON_MAX = 132
PARTS = (bounds, codes, coroutines, events, golden, members, ring, routes, shown, wire)


def included(text):
    return [(kind == "<", name) for kind, name in INCLUDE.findall(text)]


def problems_in(path, text):
    room = next((room for room in sorted(MAY_INCLUDE, key=len, reverse=True) if path.startswith(room + "/")), None)
    for is_system, name in included(text):
        if is_system or "/" not in name or name.split("/")[0] not in (
                "common", "ventilator", "worker", "sink", "gateway", "relay", "cli", "clients"):
            for pattern, homes in HOMES.items():
                if re.search(pattern, name) and not path.startswith(homes):
                    yield f"includes <{name}>, whose home is {' '.join(homes)}"
            if "/core/" in path and not path.startswith("tests/") and IMPURE.match(name):
                yield f"is a core and includes <{name}>"
        elif room and not f"{name}/".startswith(tuple(f"{allowed}/" for allowed in MAY_INCLUDE[room])):
            yield f"includes {name}: {room} may include {', '.join(MAY_INCLUDE[room])}"
    if "/core/" in path and not path.startswith("tests/") and re.search(r"::now\(\)|getrandom|std::rand", text):
        yield "is a core and asks for the time or for random bits"
    if 'planted("' in text and not (path.endswith(".cpp") and room):
        yield "asks for a planted fault: only the sources of libraries are compiled for them"


def too_large(path, text):
    lines = text.splitlines()
    if len(lines) > LINES_MAX:
        yield f"has {len(lines)} lines, limit {LINES_MAX}"
    most = COLUMNS_PYTHON_MAX if path.endswith(".py") else COLUMNS_MAX
    for number, line in enumerate(lines, 1):
        if len(line) > most:
            yield f"line {number} has {len(line)} columns, limit {most}"
            break


def wide_prose(text):
    """A row of a table has no other line to go on in."""
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > COLUMNS_MAX and not line.lstrip().startswith("|"):
            yield f"line {number} has {len(line)} columns, limit {COLUMNS_MAX}"


def files(root):
    """The tree's files, without what builds and caches leave."""
    for directory, names, found in os.walk(root):
        names[:] = [name for name in names if not name.startswith(".") and name not in ("build", "__pycache__", "node_modules")]
        yield from (os.path.relpath(os.path.join(directory, name), root) for name in found)


def check(root):
    for path in files(root):
        if not path.endswith((".cpp", ".hpp", ".py", ".md")):
            continue
        if BAD_NAMES.search(path):
            yield f"{path}: a name that says nothing"
        with open(os.path.join(root, path), encoding="utf-8") as file:
            text = file.read()
        yield from (f"{path}: {problem}" for problem in (wide_prose(text) if path.endswith(".md") else too_large(path, text)))
        if path.endswith((".cpp", ".hpp")):
            yield from (f"{path}: {problem}" for problem in problems_in(path, text))
            if path.endswith(".hpp") and not text.startswith("#pragma once"):
                yield f"{path}: no #pragma once"
            if path.endswith("main.cpp") and path.count("/") == 1 and len(text.splitlines()) > 60:
                yield f"{path}: a main wires, in few lines"


def self_test():
    """The rules bite: each of these must be found."""
    bad = {
        "ventilator/core/x.cpp": '#include <thread>\n',
        "sink/core/x.cpp": '#include "ventilator/core/core.hpp"\n',
        "worker/io/x.cpp": '#include <zmq.hpp>\n',
        "common/base/x.hpp": '#include "common/net/socket.hpp"\n',
        "common/base/y.hpp": 'if (planted("x")) return;\n',
        "worker/core/x.cpp": "auto t = std::chrono::steady_clock::now();\n",
    }
    for path, text in bad.items():
        if not list(problems_in(path, text)):
            yield f"tidy does not notice what is wrong with {text.strip()} in {path}"
    yield from (each for part in PARTS for each in part.self_test())


def main():
    found = [*self_test(), *check(sys.argv[1]), *(each for part in PARTS for each in part.problems(sys.argv[1]))]
    print("\n".join(found) or "tidy: nothing to say")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
