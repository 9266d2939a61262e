#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Adds up what tests reported.

usage: tally.py TAP_FILE…            a TAP stream each; NAME.exit beside it holds its exit code
       tally.py --meson TESTLOG.json… --again TESTLOG.json…
       tally.py --failed TESTLOG.json       only the names of the tests that failed, for meson
What failed and passes when it is run again, after a second plan of its stream or in a log behind --again, has passed,
and is named as unsteady: somebody has to find out why. Prints every failed case, every skip with its reason, then "N passed, N failed, N skipped". A stream that ends before
its plan, or whose program failed without a failed case, counts as one failure.
"""

import json
import os
import re
import sys

passed = 0
failed = []
skipped = []
unsteady = []


def passed_again(what):
    """@what begins the names of the failures that did not come again."""
    global passed
    mended = [f for f in failed if f == what or f.startswith(what + ": ")]
    for f in mended:
        failed.remove(f)
    unsteady.extend(mended)
    passed += len(mended)


def take_tap(name, text, exit_code):
    global passed
    plan = None
    is_again = False
    seen = 0
    bad = 0
    for line in text.splitlines():
        m = re.match(r"1\.\.(\d+)(?:\s*#\s*skip\s*(.*))?", line, re.I)
        if m and plan:
            is_again = True
            continue
        if m:
            plan = int(m.group(1))
            if plan == 0 and m.group(2) is not None:
                skipped.append(f"{name}: {m.group(2)}")
            continue
        m = re.match(r"(not )?ok\b\s*(\d*)\s*-?\s*(.*)", line)
        if not m:
            continue
        title, _, directive = m.group(3).partition("# ")
        what = f"{name}: {title.strip()}"
        if is_again:
            if not m.group(1):
                passed_again(what)
            continue
        seen += 1
        if re.match(r"skip", directive, re.I):
            reason = directive[4:].strip(" :()")
            skipped.append(f"{what}: {reason or 'NO REASON GIVEN'}")
        elif m.group(1):
            bad += 1
            failed.append(what)
        else:
            passed += 1
    if plan is None:
        failed.append(f"{name}: printed no plan (exit code {exit_code})")
    elif seen < plan:
        failed.append(f"{name}: ended after {seen} of {plan} cases (exit code {exit_code})")
    elif exit_code and not bad:
        failed.append(f"{name}: exit code {exit_code} with no failed case")


def take_meson_again(path):
    tag = os.path.basename(os.path.dirname(os.path.dirname(os.path.abspath(path))))
    with open(path, encoding="utf-8") as f:
        for test in map(json.loads, f):
            if test.get("result") == "OK":
                passed_again(f"{tag.removesuffix('.again')}: {test['name']}")


def take_meson(path):
    global passed
    tag = os.path.basename(os.path.dirname(os.path.dirname(os.path.abspath(path))))
    with open(path, encoding="utf-8") as f:
        for line in f:
            test = json.loads(line)
            name = f"{tag}: {test['name']}"
            output = test.get("stdout") or ""
            if test.get("result") == "SKIP" and "ok" not in output:
                skipped.append(f"{name}: {(output.strip() or 'NO REASON GIVEN').splitlines()[-1]}")
            elif re.search(r"^1\.\.\d+", output, re.M):
                code = test.get("returncode") or 0
                before = len(failed)
                take_tap(name, output, code)
                if test.get("result") not in ("OK", "SKIP") and len(failed) == before:
                    failed.append(f"{name}: {test.get('result')}")
            elif test.get("result") == "OK":
                passed += 1
            else:
                failed.append(f"{name}: {test.get('result')}")


def print_failed(path):
    with open(path, encoding="utf-8") as f:
        for test in map(json.loads, f):
            if test.get("result") not in ("OK", "SKIP"):
                print(test["name"].rpartition(" / ")[2])


def main():
    arguments = sys.argv[1:]
    if arguments[:1] == ["--failed"]:
        return print_failed(arguments[1])
    kind = "--tap"
    for argument in arguments:
        if argument in ("--meson", "--again", "--tap"):
            kind = argument
        elif kind == "--meson":
            take_meson(argument)
        elif kind == "--again":
            take_meson_again(argument)
        else:
            try:
                with open(argument + ".exit", encoding="utf-8") as f:
                    code = int(f.read().strip() or 1)
            except (OSError, ValueError):
                code = 1
            with open(argument, encoding="utf-8", errors="replace") as f:
                take_tap(os.path.basename(argument), f.read(), code)
    for what in skipped:
        print(f"skipped  {what}")
    for what in unsteady:
        print(f"unsteady {what}: failed beside the others, passed when run again")
    for what in failed:
        print(f"FAILED   {what}")
    print(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped")
    return 1 if failed or not passed else 0


sys.exit(main())
