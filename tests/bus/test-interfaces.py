#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Holds dbus/*.xml against what the daemon says of itself.

usage: test-interfaces.py WARDEND XML...      prints TAP
"""

import subprocess
import sys
import xml.etree.ElementTree as ElementTree

WARDEND, FILES = sys.argv[1], sys.argv[2:]
PREFIX = "org.warden.Warden1."
# What sd-bus says of a method by itself, and is of no use to clients.
IGNORED = {"org.freedesktop.systemd1.Privileged"}


def introspect(path):
    return subprocess.run([WARDEND, f"--bus-introspect={path}"], check=True, capture_output=True,
                          text=True).stdout


def lines(interface):
    """One line for each thing of an interface, in an order that does not matter."""
    for member in interface:
        head = f"{member.tag} {member.get('name')}"
        if member.tag == "property":
            head += f" {member.get('type')} {member.get('access')}"
        for arg in member.findall("arg"):
            direction = arg.get("direction", "out" if member.tag == "signal" else "in")
            head += f" {direction}:{arg.get('name')}:{arg.get('type')}"
        for annotation in member.findall("annotation"):
            if annotation.get("name") not in IGNORED:
                head += f" {annotation.get('name')}={annotation.get('value')}"
        yield head


def interfaces(text):
    return {i.get("name"): sorted(lines(i))
            for i in ElementTree.fromstring(text).findall("interface")}


def main():
    paths = introspect("list").split()
    daemon = {}
    for path in paths:
        daemon.update(interfaces(introspect(path)))
    ours = {name: members for name, members in daemon.items() if name.startswith(PREFIX)}
    failures = 0

    print(f"1..{len(FILES) + 2}")
    seen = set()
    number = 0
    for number, file in enumerate(FILES, 1):
        with open(file, encoding="utf-8") as f:
            for name, members in interfaces(f.read()).items():
                seen.add(name)
                wrong = [f"# only in the file: {m}" for m in members if m not in ours.get(name, [])]
                wrong += [f"# only in wardend: {m}" for m in ours.get(name, []) if m not in members]
                if not members:
                    wrong.append("# the file says nothing")
        print("\n".join(wrong + [("not ok" if wrong else "ok") + f" {number} - {name} is as written"]))
        failures += bool(wrong)
    missing = sorted(set(ours) ^ seen)
    print(("not ok" if missing or not ours else "ok") +
          f" {number + 1} - every interface has its file {' '.join(missing)}")
    failures += bool(missing or not ours)
    refused = subprocess.run([WARDEND, "--bus-introspect=/no/such"], capture_output=True, check=False)
    print(("ok" if refused.returncode == 1 else "not ok") +
          f" {number + 2} - refuses a path that is not there")
    return 1 if failures or refused.returncode != 1 else 0


sys.exit(main())
