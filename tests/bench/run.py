#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures warden beside its peers, in one run, on one machine, with one clock (bench-bus).

usage: run.py [--quick] [--only TABLES] ROOT        on a machine with wardend and, as far as they are there, the peers

Prints tables in Markdown: medians, 99th percentiles and ratios. Peers that are missing or refuse are named with the
reason. tools/bench runs this in a sandbox.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import firewall
import limits
import network
from tables import BENCH_OUTPUT, DESTINATION, PODMAN, RateTable, Table, bench, bench_command, leader_of, percentile, run


class Bundle:
    """The same root and program as an OCI bundle: crun's own default spec, with /bin/true and no terminal."""

    def __init__(self, root, folder):
        self.folder = folder
        tool = shutil.which("crun") or shutil.which("runc")
        if not tool:
            return
        run(tool, "spec", cwd=folder)
        path = os.path.join(folder, "config.json")
        with open(path, encoding="utf-8") as f:
            spec = json.load(f)
        spec["process"]["terminal"] = False
        spec["process"]["args"] = ["/bin/true"]
        spec["root"] = {"path": root, "readonly": True}
        with open(path, "w", encoding="utf-8") as f:
            json.dump(spec, f)
        os.mkdir(os.path.join(folder, "idle"))
        spec["process"]["args"] = ["/bin/sleep", "infinity"]
        with open(os.path.join(folder, "idle", "config.json"), "w", encoding="utf-8") as f:
            json.dump(spec, f)


def peers_of_run(bundle, root):
    yield "crun run --systemd-cgroup", ["crun", "--systemd-cgroup", "run", "-b", bundle.folder, "b-crun-s"]
    yield "crun run", ["crun", "run", "-b", bundle.folder, "b-crun"]
    yield "runc run --systemd-cgroup", ["runc", "--systemd-cgroup", "run", "-b", bundle.folder, "b-runc-s"]
    yield "runc run", ["runc", "run", "-b", bundle.folder, "b-runc"]
    yield "systemd-nspawn", ["systemd-nspawn", "-q", "--read-only", "--private-network", "-D", root,
                             "--machine=b-nspawn", "/bin/true"]
    yield "bwrap (no cgroup, no manager)", ["bwrap", "--unshare-all", "--ro-bind", root, "/", "--proc", "/proc",
                                            "--dev", "/dev", "/bin/true"]
    yield "podman run --network=none", PODMAN + ["run", "--rm", "--network=none", "--rootfs", f"{root}:O",
                                                 "/bin/true"]


def whole_life(root, bundle, n, gap):
    table = Table(f"create, job `true`, its exit, destroy; {gap} ms apart", "crun run --systemd-cgroup")

    def ours(n):
        parts = bench("cycle", root, n, gap)
        return {None: parts.pop("cycle"), **parts}

    table.add("warden, at the bus", n, ours)
    table.add("wardenctl run", n // 2, bench_command(gap, "wardenctl", "run", "--network", "none", root, "--",
                                                           "/bin/true"))
    for name, command in peers_of_run(bundle, root):
        if shutil.which(command[0]):
            slow = command[0] in ("runc", "systemd-nspawn", "podman")
            table.add(name, n // 4 if slow else n, bench_command(gap, *command))
        else:
            table.notes.append(f"{name}: not installed here")
    table.measure()
    return table


def idle_peers(bundle, root):
    """What starts an idle container of each peer, what runs a command in there, what removes it; and its cost."""
    idle = os.path.join(bundle.folder, "idle")
    for tool, cost in (("crun", 1), ("runc", 4)):
        name = f"b-{tool}-idle"
        yield ([tool, "run", "-d", "-b", idle, name], [tool, "exec", name], [tool, "delete", "-f", name], cost)
    yield (PODMAN + ["run", "-d", "--name", "b-podman", "--network=none", "--rootfs", f"{root}:O", "/bin/sleep",
                     "infinity"],
           PODMAN + ["exec", "b-podman"], PODMAN + ["rm", "-f", "-t", "0", "b-podman"], 8)


@contextlib.contextmanager
def idle_containers(bundle, root, notes):
    """Our container "bench", and one of each peer: yields the tool's name, its exec, and its cost."""
    started = []
    run("wardenctl", "create", "--name", "bench", "--network", "none", root)
    try:
        for start, enter, remove, cost in idle_peers(bundle, root):
            tool = start[0]
            if not shutil.which(tool):
                notes.append(f"{tool} exec: not installed here")
                continue
            # Its output must not be a pipe of ours: the idle container would hold it open.
            r = subprocess.run(start, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
            started.append((tool, enter, remove, cost))
            if r.returncode:
                notes.append(f"{tool} exec: its container does not start here")
                started[-1] = (tool, None, remove, cost)
        yield [(tool, enter, cost) for tool, enter, _, cost in started if enter]
    finally:
        for _, _, remove, _ in started:
            run(*remove, check=False)
        run("wardenctl", "destroy", "bench")


def jobs(root, bundle, n):
    table = Table(f"a job `true` in a running container, {n} of them", "crun exec")

    def ours(n):
        parts = bench("jobs", "bench", n, "/bin/true")
        return {None: parts["job"], "SpawnJob, the goal is 1.5 ms": parts["spawn"]}

    with idle_containers(bundle, root, table.notes) as peers:
        table.add("warden, at the bus", n, ours)
        table.add("wardenctl exec", n // 4, bench_command(0, "wardenctl", "exec", "bench", "--", "/bin/true"))
        for tool, enter, cost in peers:
            table.add(f"{tool} exec", n // 4 // cost, bench_command(0, *enter, "/bin/true"))
        table.add("nsenter (no cgroup, no limits)", n // 4,
                  bench_command(0, "nsenter", "-t", str(leader_of("bench")), "-a", "/bin/true"))
        table.measure()
    return table


def output(root, bundle, mib):
    size = mib << 20
    source = ["head", "-c", str(size), "/dev/zero"]
    table = RateTable(f"output of a job to one reader, {mib} MiB of it", "a plain pipe", size)

    def program(*command):
        return lambda n: {None: bench("program", size, n, "--", *command, *source, tool=BENCH_OUTPUT)["output"]}

    with idle_containers(bundle, root, table.notes) as peers:
        table.add("a plain pipe", 5, program())
        table.add("warden, the client's own descriptor", 5, program("wardenctl", "exec", "bench", "--"))
        table.add("warden, a ring of 1 MiB", 5,
                  lambda n: {None: bench("ring", "bench", size, n, tool=BENCH_OUTPUT)["output"]})
        table.add("wsh", 5, program("wsh", "bench", "--"))
        for tool, enter, _ in peers:
            table.add(f"{tool} exec", 5, program(*enter))
            if tool == "podman":
                table.add("podman run, attached to conmon; its start included", 5,
                          program(*PODMAN, "run", "--rm", "--network=none", "--rootfs", f"{root}:O"))
        table.measure()
    return table


def rollup(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as f:
        return {m.group(1): int(m.group(2)) for m in re.finditer(r"^(\w+):\s+(\d+) kB", f.read(), re.M)}


def memory(root, counts):
    daemon = run("systemctl", "show", "-P", "MainPID", "wardend.service").stdout.strip()
    rows, made, first = [], 0, None
    try:
        for count in counts:
            while made < count:
                run("busctl", "call", DESTINATION, "/org/warden/Warden1", DESTINATION + ".Manager", "CreateContainer",
                    "a{sv}", "3", "Name", "s", f"memory{made}", "RootDirectory", "s", root, "Network", "s", "none")
                made += 1
            pss = [rollup(leader_of(f"memory{i}"))["Pss"] for i in range(count)]
            private = rollup(daemon)["Anonymous"]
            first = first or (count, private)
            each = (private - first[1]) / (count - first[0]) if count > first[0] else None
            rows.append((count, sorted(pss)[len(pss) // 2], max(pss), private, each))
    finally:
        for i in range(made):
            run("wardenctl", "destroy", f"memory{i}", check=False)
    print("\n### Memory, KiB\n")
    print("| containers | PSS of wshd, median | largest | wardend, anonymous | of it per container |\n"
          "|---:|---:|---:|---:|---:|")
    for count, median, largest, private, each in rows:
        print(f"| {count} | {median} | {largest} | {private} | {'–' if each is None else f'{each:.1f}'} |")
    return rows


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        cpu = re.search(r"model name\s*: (.*)", f.read())
    mode = run("busctl", "get-property", DESTINATION, "/org/warden/Warden1", DESTINATION + ".Manager", "CgroupMode")
    versions = []
    for command in (["crun", "--version"], ["runc", "--version"], ["bwrap", "--version"], ["podman", "--version"], ["systemctl", "--version"]):
        if shutil.which(command[0]):
            versions.append(run(*command).stdout.splitlines()[0])
    print(f"{os.cpu_count()} processors ({cpu.group(1) if cpu else 'unknown'}), Linux {os.uname().release}, "
          f"cgroup {mode.stdout.split()[1].strip(chr(34))}; {'; '.join(versions)}.")


TABLES = ("life", "jobs", "output", "network", "firewall", "statistics", "limits", "neighbours")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root")
    parser.add_argument("--quick", action="store_true", help="a tenth of the rounds")
    parser.add_argument("--only", choices=[*TABLES, "memory"], action="append",
                        help="these tables only; may be repeated")
    arguments = parser.parse_args()
    root, n = arguments.root, 20 if arguments.quick else 200
    is_complete = True

    def wants(table):
        return not arguments.only or table in arguments.only

    machine()
    with tempfile.TemporaryDirectory(prefix="warden-bench-") as folder:
        bundle = Bundle(root, folder)
        todo = {
            "life": [lambda: whole_life(root, bundle, n, 0), lambda: whole_life(root, bundle, n // 2, 30)],
            "jobs": [lambda: jobs(root, bundle, n * 5)],
            "output": [lambda: output(root, bundle, n * 5)],
            "network": [lambda: network.price(root, n, 0), lambda: network.price(root, n, 30),
                        lambda: network.crowd(root, 50, max(2, n // 20)),
                        lambda: network.throughput(root, 200, max(10, n // 4))],
            "firewall": [lambda: firewall.changes(n * 5)],
            "statistics": [lambda: limits.statistics(root, bundle, 1, n // 4, True),
                           lambda: limits.statistics(root, bundle, 20, n // 4, True),
                           lambda: limits.statistics(root, bundle, n * 5, n // 8, False)],
            "limits": [lambda: limits.set_limits(root, bundle, n), lambda: limits.oom(root, n // 4)],
            "neighbours": [lambda: limits.neighbours(root, "counts to 200,000", limits.COUNT, n // 8),
                           lambda: limits.neighbours(root, "writes and syncs 8 MiB", limits.WRITE, n // 8)],
        }
        for measure in [m for name, measures in todo.items() if wants(name) for m in measures]:
            table = measure()
            table.print()
            is_complete &= bool(table.samples)
    if wants("memory"):
        memory(root, [1, 10, 100] if not arguments.quick else [1, 10])
    return 0 if is_complete else 1


sys.exit(main())
