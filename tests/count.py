"""Adds up a test log: prints one line, "N passed, N failed, N skipped"."""

import re
import sys

with open(sys.argv[1], encoding="utf-8", errors="replace") as log:
    text = log.read()
passed = failed = skipped = 0
for match in re.finditer(r"(\d+)% tests passed, (\d+) tests failed out of (\d+)", text):
    failed += int(match[2])
    passed += int(match[3]) - int(match[2])
for match in re.finditer(r"integration: (\d+) passed, (\d+) failed, (\d+) skipped", text):
    passed, failed, skipped = passed + int(match[1]), failed + int(match[2]), skipped + int(match[3])
print(f"{passed} passed, {failed} failed, {skipped} skipped")
