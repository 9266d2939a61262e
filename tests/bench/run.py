#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures warden beside its peers, in one run, on one machine, with one clock (bench-bus).

usage: run.py [--quick] ROOT        on a machine with wardend and, as far as they are there, the peers

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

BENCH = "/usr/lib/warden/tests/bench-bus"
BENCH_OUTPUT = "/usr/lib/warden/tests/bench-output"
# Its overlays need a real file system, which a sandbox's root is not.
PODMAN = ["podman", "--root", "/var/lib/warden/bench-podman", "--runroot", "/run/bench-podman"]
DESTINATION = "org.warden.Warden1"


def run(*command, check=True, **kwargs):
    return subprocess.run(command, check=check, capture_output=True, text=True, **kwargs)


def bench(*arguments, tool=BENCH):
    """Lines of JSON by their name: lists of microseconds."""
    r = run(tool, *[str(a) for a in arguments], check=False)
    if r.returncode:
        raise RuntimeError((r.stderr.strip() or f"exit code {r.returncode}").splitlines()[-1])
    return {row["name"]: row["usec"] for row in map(json.loads, r.stdout.splitlines())}


def bench_command(gap, *command):
    """A contender that is a program."""
    return lambda n: {None: bench("command", n, gap, "--", *command)["command"]}


def percentile(samples, percent):
    return sorted(samples)[min(len(samples) * percent // 100, len(samples) - 1)]


class Table:
    """Contenders, measured in turns: what else the machine does, it does to all of them alike."""

    ROUNDS = 5

    def __init__(self, title, reference):
        self.title = title
        self.reference = reference
        self.contenders = []  # (name, rounds' size, function of a size that returns {part: samples})
        self.samples = {}
        self.notes = []

    def add(self, name, n, function):
        self.contenders.append((name, max(1, n // self.ROUNDS), function))

    def measure(self):
        failed = set()
        for turn in range(self.ROUNDS):
            for name, n, function in self.contenders:
                if name in failed:
                    continue
                print(f"  {turn + 1}/{self.ROUNDS} {self.title}: {name} …", file=sys.stderr)
                try:
                    for part, samples in function(n).items():
                        self.samples.setdefault(part and f"… of which {part}" or name, []).extend(samples)
                except (RuntimeError, OSError) as e:
                    failed.add(name)
                    self.notes.append(f"{name}: not measured: {str(e).strip().splitlines()[-1]}")

    def print(self):
        reference = self.samples.get(self.reference)
        print(f"\n### {self.title}\n")
        print(f"| | n | median ms | p99 ms | of {self.reference} |\n|---|---:|---:|---:|---:|")
        for name, samples in self.samples.items():
            median, p99 = percentile(samples, 50), percentile(samples, 99)
            ratio = f"{median / percentile(reference, 50):.2f}" if reference else "–"
            print(f"| {name} | {len(samples)} | {median / 1000:.2f} | {p99 / 1000:.2f} | {ratio} |")
        for note in self.notes:
            print(f"\n{note}")


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


def leader_of(name):
    r = run("busctl", "get-property", DESTINATION, f"/org/warden/Warden1/container/{name}",
            DESTINATION + ".Container", "Leader")
    return int(r.stdout.split()[1])


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


class RateTable(Table):
    """Samples are the times that so many bytes took."""

    def __init__(self, title, reference, size):
        super().__init__(title, reference)
        self.size = size

    def print(self):
        reference = self.samples.get(self.reference)
        print(f"\n### {self.title}\n\n| | n | median GiB/s | of {self.reference} |\n|---|---:|---:|---:|")
        for name, samples in self.samples.items():
            median = percentile(samples, 50)
            ratio = f"{percentile(reference, 50) / median:.2f}" if reference else "–"
            print(f"| {name} | {len(samples)} | {self.size / median * 1e6 / (1 << 30):.2f} | {ratio} |")
        for note in self.notes:
            print(f"\n{note}")


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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root")
    parser.add_argument("--quick", action="store_true", help="a tenth of the rounds")
    arguments = parser.parse_args()
    n = 20 if arguments.quick else 200
    machine()
    with tempfile.TemporaryDirectory(prefix="warden-bench-") as folder:
        bundle = Bundle(arguments.root, folder)
        tables = [whole_life(arguments.root, bundle, n, 0), whole_life(arguments.root, bundle, n // 2, 30),
                  jobs(arguments.root, bundle, n * 5), output(arguments.root, bundle, n * 5)]
    for table in tables:
        table.print()
    memory(arguments.root, [1, 10, 100] if not arguments.quick else [1, 10])
    if any(not table.samples for table in tables):
        return 1
    return 0


sys.exit(main())
