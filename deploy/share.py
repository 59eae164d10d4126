"""Writes what `cmake --install` puts under share/: man pages made of --help, and completion. share.py BIN OUT VERSION"""

import pathlib
import re
import subprocess
import sys

ROLES = ("ventilator", "sink", "gateway", "relay", "worker")
SHELLS = {"bash": "eole", "zsh": "_eole", "fish": "eole.fish"}
HEADINGS = {"Exit codes": "EXIT STATUS"}


def said(*words):
    return subprocess.run([*map(str, words)], capture_output=True, text=True, check=True).stdout


def escaped(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


def commands_in(help_text):
    """The names under "Subcommands:"."""
    listed = re.search(r"^Subcommands:\n((?:  .*\n)+)", help_text, re.M)
    return re.findall(r"^  (\S+)", listed[1], re.M) if listed else []


def sections(lines):
    """Headings of --help with their lines: "Options:" and what follows it, "Exit codes: …" likewise."""
    heading, body = "DESCRIPTION", []
    for line in lines:
        found = re.match(r"(?!Usage)([A-Z][a-z]+(?: codes)?)(?: \(.*\))?:(?: (.*))?$", line)
        if found and (not found[2] or found[1] in HEADINGS):
            yield heading, body
            heading, body = HEADINGS.get(found[1], found[1].upper()), [found[2]] if found[2] else []
        elif not line and heading != "DESCRIPTION":
            yield heading, body
            heading, body = "NOTES", []
        else:
            body.append(line)
    yield heading, body


def page(name, help_text, version, also):
    """A man page of a program's or command's --help, with those of its own commands behind it."""
    # A role says "name - what it does."; the others what they do, and then their usage.
    what, *lines = help_text.replace(f"{name} - ", "", 1).strip().split("\n")
    usage = [line.removeprefix("Usage: ") for line in lines if line.startswith("Usage: ")]
    while lines and lines[0] and not lines[0].startswith("Usage: "):
        what += " " + lines.pop(0)
    lines = [line for line in lines if not line.startswith("Usage: ")]
    title = name.replace(" ", "-")
    out = [f'.TH {title.upper()} 1 "" "eole {version}" "Eole"', ".SH NAME", f"{title} \\- {escaped(what.rstrip('.'))}",
           ".SH SYNOPSIS", f".B {escaped(usage[0] if usage else name + ' [OPTIONS]')}"]
    for heading, body in sections(lines):
        if any(body):
            out += [f".SH {heading}", ".nf", escaped("\n".join(body).strip("\n")), ".fi"]
    for command, text in also:
        out += [f".SH {escaped(command).upper()}", ".nf", escaped(text.strip()), ".fi"]
    return "\n".join(out) + "\n"


def pages(binaries, version):
    eole = binaries / "eole"
    root = said(eole, "--help")
    yield "eole", page("eole", root, version, [])
    for command in commands_in(root):
        text = said(eole, command, "--help")
        footer = text[text.rfind("\n\n"):]  # Which its commands without one of their own say again.
        also = [(f"eole {command} {sub}", said(eole, command, sub, "--help").removesuffix(footer))
                for sub in commands_in(text)]
        yield f"eole-{command}", page(f"eole {command}", text, version, also)
    for role in ROLES:
        text = re.sub(r"\[\S+-\d+\]$", "[HOST-PID]", said(binaries / role, "--help"), flags=re.M)
        yield f"eole-{role}", page(f"eole-{role}", text.replace(role, f"eole-{role}", 1), version, [])


def main():
    binaries, out, version = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    man = out / "man"
    man.mkdir(parents=True, exist_ok=True)
    for old in man.iterdir():  # Of a command that is gone.
        old.unlink()
    for name, text in pages(binaries, version):
        (man / f"{name}.1").write_text(text, encoding="utf-8")
    for shell, name in SHELLS.items():
        (out / name).write_text(said(binaries / "eole", "completion", shell), encoding="utf-8")


if __name__ == "__main__":
    main()
