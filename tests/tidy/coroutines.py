"""What GCC 12 compiles wrongly in a coroutine (freed twice, or early), so that nobody writes it: a co_await in a
branch of `? :`, a braced temporary (but `{}` alone) in the expression of a co_await, and a co_await that is negated."""

import os
import re

from members import closing

COMMENT = re.compile(r'//[^\n]*|/\*.*?\*/', re.S)
STRING = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'')
LAMBDA = re.compile(r"\[[^\[\]]*\]\s*(?:\([^()]*\)\s*)?(?:mutable\s*)?(?:->\s*[\w:<>\s]+?)?\{")
BLOCK = re.compile(r"(?:\)|\belse|\bdo|\btry|\bconst|\boverride|\bnoexcept|->\s*[\w:<>\s]+)\s*$")


def without_lambdas(text):
    """Each lambda's body on its own behind the text, and a name where it stood."""
    bodies = []
    while (found := LAMBDA.search(text)) is not None:
        end = closing(text, found.end() - 1)
        bodies.append(text[found.end():end - 1])
        text = text[:found.start()] + "a_lambda" + text[end:]
    return "\n;".join([text, *map(without_lambdas, bodies)])


def expressions(text):
    """What stands between semicolons and the braces of blocks; braces of initialisers stay inside."""
    begin = depth = at = 0
    while at < len(text):
        letter = text[at]
        before = text[begin:at]
        if letter == "{" and depth == 0 and (BLOCK.search(before) or not before.strip() or "=" not in before and re.search(
                r"\b(?:namespace|class|struct|enum|union)\b", before)):
            yield before
            begin = at + 1
        elif letter == "{":
            depth += 1
        elif letter == "}" and depth > 0:
            depth -= 1
        elif letter in ";}" and depth == 0:
            yield before
            begin = at + 1
        at += 1


def faults(text):
    plain = STRING.sub('""', COMMENT.sub("", text))
    for expression in expressions(without_lambdas(plain)):
        if "co_await" not in expression:
            continue
        shown = " ".join(expression.split())[-100:]
        if re.search(r"!\s*co_await\b", expression):
            yield f"negates a co_await: {shown}"
        if re.search(r"\?.*\bco_await\b", expression, re.S):
            yield f"has a co_await in a branch of a condition: {shown}"
        if re.search(r"\{(?!\s*\})|[\w>]\{", expression):
            yield f"has a braced temporary in the expression of a co_await: {shown}"


def problems(root):
    for directory, _, names in os.walk(os.path.join(root, "gateway")):
        for name in sorted(names):
            if not name.endswith((".cpp", ".hpp")):
                continue
            path = os.path.join(directory, name)
            with open(path, encoding="utf-8") as file:
                text = file.read()
            if "co_await" in text:
                yield from (f"{os.path.relpath(path, root)}: {fault} (GCC 12 compiles it wrongly: use if and else, "
                            "and variables with names)" for fault in faults(text))


BAD = (
    "void f() { if (x) { auto a = b ? co_await c() : co_await d(); } }",
    "void f() { if (!co_await g()) throw 1; }",
    "void f() { auto a = co_await g(Value::Map{}); }",
    "void f() { co_await g({1, 2}); }",
    "auto f = [a](int b) -> awaitable<int> { co_return co_await g(T{b}); };",
)
GOOD = (
    "awaitable<void> f() { T a{1}; if (co_await g(a)) { a = b ? c : d; } }",
    "void f() { auto a = co_await told<A>([&](auto tell) { ask({a}, [t](const A& b) { t(b ? 1 : 2); }); }); }",
    "struct A { awaitable<int> f() { co_return co_await g(\"{?\", a_ ? 1 : 2, {}); } int a_{}; };",
)


def self_test():
    for text in BAD:
        if not list(faults(text)):
            yield f"tidy does not notice what is wrong with {text}"
    for text in GOOD:
        if found := list(faults(text)):
            yield f"tidy finds fault with {text}: {found}"
