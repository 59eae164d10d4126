"""A file taken apart, each part worked on anywhere, and put together again in its order.

    eole up --allow-exec &
    python3 in_parts.py [FILE]

Each part goes to a command that turns lower-case letters into capitals; the first attempt of every seventh fails, and
`eole project retry` does those again, and nothing else. The artifact is compared with what is made here at once.
"""

import hashlib
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients/python"))
import eole  # noqa: E402

EOLE = os.environ.get("EOLE_BIN", "")
PARTS = 200
# It fails unless somebody has put right what is wrong.
SCRIPT = '[ "$1" != fragile ] || [ -e "$2" ] || exit 1; tr a-z A-Z'


def run(*words):
    eole_ = os.path.join(EOLE, "eole") if EOLE else shutil.which("eole")
    return subprocess.run([eole_, "project", *words], check=False, capture_output=True, text=True)


def main(whole):
    project = f"in-parts-{uuid.uuid4()}"
    size = -(-len(whole) // PARTS)
    with tempfile.TemporaryDirectory(prefix="in-parts-") as directory, eole.Cluster() as cluster:
        mended = pathlib.Path(directory, "mended")
        cluster.open_project(project, expected=PARTS, then={"kind": "collect", "args": {"how": "concat"}})
        cluster.submit("exec", [{"argv": ["sh", "-c", SCRIPT, "sh", "fragile" if n % 7 == 0 else "solid", str(mended)],
                                 "stdin": whole[n * size:(n + 1) * size]} for n in range(PARTS)], project=project)
        broken = cluster.wait_project(project)["result"]
        if broken["state"] != "failed" or "parts were not done" not in broken["error"]:
            sys.exit(f"parts are missing, and nobody says so: {broken}")
        mended.touch()
        retried = run("retry", project)
        if retried.returncode != 0 or run(project, "--wait").returncode != 0:
            sys.exit(f"{project} was not done again: {retried.stderr}")
        result = cluster.project(project)["result"]
        path = cluster.fetch(result["id"], pathlib.Path(directory, "together"))
        digest = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
    wanted = hashlib.sha256(whole.upper()).hexdigest()
    if digest != wanted:
        sys.exit(f"put together it is {digest}, wanted {wanted}")
    print(f"{result['value']['parts']} parts, {broken['error'].split(':')[2].split()[0]} of them done again: "
          f"{result['value']['bytes']} bytes in order")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).read_bytes() if len(sys.argv) > 1 else random.Random(1).randbytes(1_000_000))
