"""Ends a test log: what its failed tests said, again, and one line, "N passed, N failed, N skipped"."""

import re
import sys

UNIT = r"^ *\d+/\d+ Test +#\d+: [^\n]*\*\*\*(?!Skipped).*?(?=^ *\d+/\d+ Test |^ +Start |^\s*\d+% tests passed)"
INTEGRATION = r"^=+\n(?:FAIL|ERROR): .*?(?=^=+\n|^-+\nRan )"
LONGEST = 4000  # Characters of one test; of a longer one its two ends.

with open(sys.argv[1], encoding="utf-8", errors="replace") as log:
    text = log.read()
passed = failed = skipped = 0
for match in re.finditer(r"(\d+)% tests passed, (\d+) tests failed out of (\d+)", text):
    failed += int(match[2])
    passed += int(match[3]) - int(match[2])
for match in re.finditer(r"integration: (\d+) passed, (\d+) failed, (\d+) skipped", text):
    passed, failed, skipped = passed + int(match[1]), failed + int(match[2]), skipped + int(match[3])
for match in re.finditer(f"{UNIT}|{INTEGRATION}", text, re.M | re.S):
    print(match[0][:LONGEST // 2] + " […] " + match[0][-LONGEST // 2:] if len(match[0]) > LONGEST else match[0])
print(f"{passed} passed, {failed} failed, {skipped} skipped")
