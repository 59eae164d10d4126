"""The documents name no command and no option that does not exist."""

import functools
import pathlib
import re
import subprocess
import unittest

from cluster import BIN

ROOT = pathlib.Path(__file__).parents[2]
# A command in a line of code or in a span of it: up to a comment, a pipe, or what it hands on.
COMMAND = re.compile(r"(?:^\s*(?:\$ )?|`|; |\| )((?:eole|worker|\./dev) [^`#|;\n]*)", re.M)
# What each tool of ./dev passes its options to.
TOOLS = {**{name: ("/usr/bin/python3", ROOT / path) for name, path in (
             ("bench", "bench/bench.py"), ("chaos", "tests/chaos/chaos.py"), ("others", "tests/chaos/others.py"),
             ("mutants", "tests/chaos/mutants.py"))},
         "sim": (BIN / "eole-sim",), "crash": (BIN / "eole-crash",)}


@functools.cache
def help_of(*command):
    done = subprocess.run([*command, "--help"], capture_output=True, text=True, check=False, timeout=60)
    return done.stdout + done.stderr


def problems_of(line):
    """What a command line names that its help does not."""
    # What stands in quotes is another program's.
    program, *words = re.sub(r"'[^']*'", "quoted", line.split(" -- ")[0]).split()
    path, flags = [], [word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)]
    if program == "./dev":
        tool = words[0] if words else "help"
        if not re.search(rf"^{tool}\(\)", (ROOT / "dev").read_text(encoding="utf-8"), re.M):
            return [f"no ./dev {tool}"]
        if tool not in TOOLS:
            return []
        texts = [help_of(*TOOLS[tool], *(word for word in words[1:2] if word.isalpha()))]  # `bench pictures`.
    else:
        texts = [help_of(BIN / program)]
        for word in words if program == "eole" else []:
            known = not word.startswith("-") and word not in ("COMMAND", "KIND")
            if not known or not re.search(rf"^  {re.escape(word)}\s", help_of(BIN / program, *path), re.M):
                if not path and word != "COMMAND" and not word.startswith("-"):
                    return [f"no eole {word}"]
                break
            path.append(word)
            texts.append(help_of(BIN / program, *path))
    return [f"no {flag} in {program} {' '.join(path)}" for flag in flags
            if not any(re.search(rf"(?<![\w-]){flag}(?![\w-])", text) for text in texts)]


class Docs(unittest.TestCase):
    def test_what_they_name_exists(self):
        found, seen = [], 0
        for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
            for line in COMMAND.findall(path.read_text(encoding="utf-8")):
                seen += 1
                found += [f"{path.relative_to(ROOT)}: {line.strip()}: {problem}" for problem in problems_of(line)]
        self.assertFalse(found, "\n".join(found))
        self.assertGreater(seen, 60)

    def test_what_does_not_exist_is_found(self):
        for line in ("eole upp", "eole up --wrokers 2", "worker --slot 2", "./dev tset", "./dev sim --seed-s 3",
                     "./dev chaos --minute", "eole submit image x.jpg --widht 3", "eole dead list --jsn"):
            self.assertTrue(problems_of(line), line)


if __name__ == "__main__":
    unittest.main()
