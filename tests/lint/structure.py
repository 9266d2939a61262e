#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Holds the tree to its own rules: who may include whom, no cycles, lengths, headers that stand alone.

usage: structure.py SOURCE_ROOT [COMPILER…]      prints TAP
"""

import os
import re
import subprocess
import sys

ROOT = sys.argv[1]
COMPILER = sys.argv[2:] or ["cc"]

# What each folder of src/ may include beside itself. doc/architecture.md draws it.
ALLOWED = {
    "basic": set(),
    "model": {"basic"},
    "wire": {"basic", "model"},
    "rootfs": {"basic", "model", "wire"},
    "quota": {"basic"},
    "network": {"basic", "model", "wire"},
    "worker": {"basic", "model", "wire", "cgroup", "rootfs", "quota", "network"},
    "init": {"basic", "wire"},
    "cgroup": {"basic", "model", "wire"},
    "systemd": {"basic", "model", "wire"},
    "daemon": {"basic", "model", "wire", "cgroup", "quota", "systemd"},
    "daemon/bus": {"basic", "model", "wire", "cgroup", "quota", "systemd", "daemon"},
    "ctl": {"basic", "model"},
    "shell": {"basic", "model", "wire", "ctl"},
    "journal": {"basic", "model", "wire"},
    "firewall": {"basic", "model", "wire"},
}
# A program's main stands above what it starts.
MAINS = {"src/daemon/main.c": {"daemon/bus"}}
# wshd has another libc and no heap: of the wire it may see only what was written for that.
INIT_ONLY = {
    "basic/macro.h", "basic/fd.h", "basic/frame.h",
    "wire/codec.h", "wire/wshd-message.h", "wire/job-wire.h",
}
# The bus is a detail of three folders.
SD_BUS_FOLDERS = {"systemd", "daemon/bus", "ctl"}

COLUMNS_MAX = 100
FILE_LINES_MAX = 1200
FILE_LINES_REASON = 800
FUNCTION_LINES_MAX = 100
FUNCTION_LINES_P90 = 45


def sources(top, suffixes=(".c", ".h")):
    for folder, _, names in sorted(os.walk(os.path.join(ROOT, top))):
        for name in sorted(names):
            if name.endswith(suffixes):
                yield os.path.relpath(os.path.join(folder, name), ROOT)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def folder_of(path):
    return os.path.dirname(path)[len("src/"):]


def includes(path):
    for m in re.finditer(r'^\s*#\s*include\s+"([^"]+)"', read(path), re.M):
        if m.group(1) != "config.h":
            yield m.group(1)


def check_directions():
    for path in sources("src"):
        folder = folder_of(path)
        if folder not in ALLOWED:
            yield f"{path}: folder {folder} has no rule; add it to ALLOWED and doc/architecture.md"
            continue
        for name in includes(path):
            target = os.path.dirname(name)
            if not os.path.exists(os.path.join(ROOT, "src", name)):
                yield f"{path}: includes {name}, which is not in src/"
            elif path in MAINS and target in MAINS[path]:
                continue
            elif target != folder and target not in ALLOWED[folder]:
                yield f"{path}: {folder} may not include {name}"
            elif folder == "init" and target != "init" and name not in INIT_ONLY:
                yield f"{path}: wshd may not include {name}"


def check_bus_includes():
    for path in sources("src"):
        if "systemd/sd-bus.h" in read(path) and folder_of(path) not in SD_BUS_FOLDERS:
            yield f"{path}: includes sd-bus"


def check_cycles():
    """Of files: a header that includes itself by way of others; of modules: x.h <-> y.h."""
    graph = {p[len("src/"):]: list(includes(p)) for p in sources("src", (".h",))}
    state = {}

    def walk(node, stack):
        if state.get(node) == "done":
            return
        if state.get(node) == "open":
            yield "cycle: " + " -> ".join(stack[stack.index(node):] + [node])
            return
        state[node] = "open"
        for other in graph.get(node, []):
            yield from walk(other, stack + [node])
        state[node] = "done"

    for node in graph:
        yield from walk(node, [])


def check_include_groups():
    """<system>, then <lib>, then "ours"; a header of ours never before a system's."""
    for path in list(sources("src")) + list(sources("tests")):
        seen_ours = False
        for m in re.finditer(r'^#include ([<"])', read(path), re.M):
            if m.group(1) == '"':
                seen_ours = True
            elif seen_ours:
                yield f"{path}: a <system> header after one of ours"
                break


def check_headers_alone():
    for path in sources("src", (".h",)):
        r = subprocess.run(
            COMPILER + ["-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
             "-Wno-unused-function", "-Wno-unused-parameter", "-I", os.path.join(ROOT, "src"),
             "-include", path[len("src/"):], "-x", "c", "/dev/null"],
            capture_output=True, text=True, check=False)
        if r.returncode:
            yield f"{path}: does not compile alone: {r.stderr.strip().splitlines()[0]}"


def functions(path):
    """(name, lines) of every function, by the one layout that clang-format leaves: braces in column 0."""
    lines = read(path).split("\n")
    start = None
    for i, line in enumerate(lines):
        if line == "{" and i > 0 and not lines[i - 1].endswith((";", "=")):
            start = i
        elif line == "}" and start is not None:
            head = next((lines[k] for k in range(start - 1, max(-1, start - 12), -1)
                         if re.match(r"[A-Za-z_]", lines[k])), "?")
            m = re.search(r"(\w+)\(", head)
            yield (m.group(1) if m else head), i - start - 1
            start = None


def check_lengths():
    all_lengths = []
    for path in list(sources("src")) + list(sources("tests")):
        n = read(path).count("\n")
        if n > FILE_LINES_MAX:
            yield f"{path}: {n} lines, more than {FILE_LINES_MAX}"
        elif n > FILE_LINES_REASON and "Long because" not in read(path):
            yield f"{path}: {n} lines; over {FILE_LINES_REASON} the header must say 'Long because'"
        for name, length in functions(path) if path.endswith(".c") else ():
            if path.startswith("src/"):
                all_lengths.append(length)
            if length > FUNCTION_LINES_MAX:
                yield f"{path}: {name}() has {length} lines, more than {FUNCTION_LINES_MAX}"
    all_lengths.sort()
    if all_lengths:
        p90 = all_lengths[len(all_lengths) * 9 // 10]
        print(f"# {len(all_lengths)} functions, median {all_lengths[len(all_lengths) // 2]}, "
              f"p90 {p90}, longest {all_lengths[-1]} lines")
        if p90 > FUNCTION_LINES_P90:
            yield f"src: p90 of function lengths is {p90}, more than {FUNCTION_LINES_P90}"


def check_columns():
    for path in list(sources("src")) + list(sources("tests")):
        for i, line in enumerate(read(path).split("\n"), 1):
            if len(line) > COLUMNS_MAX:
                yield f"{path}:{i}: {len(line)} columns"
            if "\t" in line:
                yield f"{path}:{i}: a tab"
            if re.search(r"(^|[^:\"'])//", line):
                yield f"{path}:{i}: a // comment"


def check_spdx():
    r = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, text=True, check=False)
    for path in r.stdout.split("\0"):
        if not path or "/corpus/" in path or path.endswith((".md", ".json")) or path in ("LICENSE", ".gitignore"):
            continue
        try:
            head = read(path)[:600]
        except (UnicodeDecodeError, FileNotFoundError):
            continue
        if "SPDX-License-Identifier: LGPL-2.1-or-later" not in head:
            yield f"{path}: no SPDX line"


def check_mutable_state():
    """No file-scope variable that changes, but arg_* of a main."""
    pattern = re.compile(r"^static (?!const\b|inline\b)(?!.*\bconst\b)[^(\n{]*?(\w+)(\[[^\]\n]*\])*( =|;)", re.M)
    for path in sources("src", (".c",)):
        for m in pattern.finditer(read(path)):
            if not m.group(1).startswith("arg_") and "__thread" not in m.group(0):
                yield f"{path}: file-scope variable {m.group(1)}; only a main's arg_* may be one"


def check_format():
    files = list(sources("src")) + list(sources("tests"))
    try:
        r = subprocess.run(["clang-format", "--dry-run", "--Werror"] + files, cwd=ROOT,
                           capture_output=True, text=True, check=False)
    except FileNotFoundError:
        yield "clang-format is not installed"
        return
    for line in r.stderr.splitlines():
        if "error:" in line:
            yield line


CHECKS = [
    ("folders include only what the design allows", check_directions),
    ("only three folders see the bus library", check_bus_includes),
    ("no header includes itself by way of others", check_cycles),
    ("system headers come before ours", check_include_groups),
    ("every header compiles alone", check_headers_alone),
    ("files and functions keep their lengths", check_lengths),
    ("lines keep to the columns, no tabs, no // comments", check_columns),
    ("every file names its licence", check_spdx),
    ("no file keeps state of its own", check_mutable_state),
    ("clang-format finds nothing to change", check_format),
]


def main():
    failed = 0
    print(f"1..{len(CHECKS)}")
    for number, (name, check) in enumerate(CHECKS, 1):
        problems = sorted(set(check()))
        for problem in problems[:40]:
            print(f"# {problem}")
        failed += bool(problems)
        print(f"{'not ' if problems else ''}ok {number} - {name}")
    return 1 if failed else 0


sys.exit(main())
