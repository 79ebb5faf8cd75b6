#!/usr/bin/env python3
"""Counts what Meson's test logs say: TAP subtests where a program prints TAP, else the program itself.

usage: count-tests.py FAILED_BUILDS LOG.json...
A log that is not there is a failure: its suites did not run. Prints every failure by name, then "N passed, N failed[, N skipped]"; the exit status is 0 only if nothing failed and something ran.
"""
import json
import re
import sys

GOOD = {"OK", "EXPECTEDFAIL"}
SKIPPED = {"SKIP"}


def count(record):
    """passed, failed, skipped and the names of what failed in one test program"""
    entire = [m.group(0) for m in re.finditer(r"^(?:ok|not ok)\b[^\n]*", record.get("stdout") or "", re.M)]
    name = record["name"]
    if record["result"] in SKIPPED and not entire:
        return 0, 0, 1, []
    skipped = sum(1 for line in entire if re.search(r"#\s*SKIP", line, re.I))
    bad = [f"{name}: {line}" for line in entire if line.startswith("not ok") and not re.search(r"#\s*TODO", line, re.I)]
    passed = sum(1 for line in entire if line.startswith("ok")) - skipped
    if record["result"] not in GOOD | SKIPPED and not bad:
        bad = [f"{name}: {record['result']}"]
    if not entire and record["result"] in GOOD:
        passed = 1
    return passed, len(bad), skipped, bad


def main():
    total = [0, int(sys.argv[1]), 0]
    failures = [f"{sys.argv[1]} build(s) failed"] if int(sys.argv[1]) else []
    for path in sys.argv[2:]:
        try:
            with open(path, encoding="utf-8") as log:
                records = [json.loads(line) for line in log]
        except FileNotFoundError:
            total[1] += 1
            failures.append(f"{path} was not written: no test ran")
            continue
        for record in records:
            passed, failed, skipped, bad = count(record)
            total = [total[0] + passed, total[1] + failed, total[2] + skipped]
            failures += bad
    for failure in failures:
        print("FAILED", failure)
    skipped = f", {total[2]} skipped" if total[2] else ""
    print(f"{total[0]} passed, {total[1]} failed{skipped}")
    return 0 if total[1] == 0 and total[0] > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
