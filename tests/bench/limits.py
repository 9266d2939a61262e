# SPDX-License-Identifier: LGPL-2.1-or-later
"""What statistics and limits take, and what they keep from a neighbour."""

import concurrent.futures
import contextlib
import json
import os
import shutil
import subprocess
import time

from tables import PODMAN, Table, bench, bench_command, run

BENCH_OOM = "/usr/lib/warden/tests/bench-oom"


# ---- containers that are there ----

def quiet(*command):
    """Its output must not be a pipe of ours: what it starts would hold it open."""
    return subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode


def each(names, *commands):
    """A command for each name, four at a time; raises what the first one that fails says."""
    def one(name):
        for command in commands:
            r = run(*[word.replace("{}", name) for word in command], check=False)
            if r.returncode:
                raise RuntimeError(r.stderr.strip() or f"{command[0]}: exit code {r.returncode}")

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(one, names))


@contextlib.contextmanager
def ours(root, count):
    names = [f"bench{i}" for i in range(count)]
    try:
        each(names, ["wardenctl", "create", "--name", "{}", root])
        yield names
    finally:
        for i in range(0, count, 64):
            quiet("wardenctl", "destroy", *names[i:i + 64])


@contextlib.contextmanager
def theirs(tool, names, start, remove):
    """The same number of idle containers of a peer."""
    try:
        if not shutil.which(tool):
            raise RuntimeError("not installed here")
        if any(quiet(*[word.replace("{}", name) for word in start]) for name in names):
            raise RuntimeError("its containers do not start here")
        yield
    finally:
        if shutil.which(tool):
            for name in names:
                quiet(*[word.replace("{}", name) for word in remove])


def until(condition, what):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.1)
    raise RuntimeError(f"{what}: not within 30 s")


# ---- statistics ----

def daemon_usec():
    pid = run("systemctl", "show", "-P", "MainPID", "wardend.service").stdout.strip()
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as f:
        return int(f.read().split()[0]) / 1e3


def get_stats(n):
    """One call after the other, so that each has its share of the daemon's time."""
    waits, daemon = [], []
    for _ in range(n):
        before = daemon_usec()
        waits += bench("stats", "-", 1)["stats"]
        daemon.append(daemon_usec() - before)
    return {None: waits, "the daemon's own time, the goal for 1,000 is 10 ms": daemon}


def silent(*command):
    """Its output is not ours to read."""
    return bench_command(0, "sh", "-c", 'exec "$@" >/dev/null', "-", *command)


def one_by_one(n, names, *command):
    """A tool that knows one container only is asked for each of them."""
    samples = []
    for _ in range(n):
        start = time.monotonic()
        for name in names:
            run(*[word.replace("{}", name) for word in command])
        samples.append((time.monotonic() - start) * 1e6)
    return {None: samples}


def statistics(root, bundle, count, n, with_peers):
    plural = "s" if count > 1 else ""
    table = Table(f"statistics of {count} container{plural}, all at once", "wardenctl stats --json")
    idle = os.path.join(bundle.folder, "idle")
    peers = [
        ("runc", ["runc", "run", "-d", "-b", idle, "{}"], ["runc", "delete", "-f", "{}"]),
        ("podman", [*PODMAN, "run", "-d", "--name", "{}", "--network=none", "--rootfs", f"{root}:O", "/bin/sleep",
                    "infinity"], [*PODMAN, "rm", "-f", "-t", "0", "{}"]),
    ]
    with contextlib.ExitStack() as stack:
        names = stack.enter_context(ours(root, count))
        table.add("warden, GetStats at the bus", n, get_stats)
        table.add("wardenctl stats --json", n, silent("wardenctl", "stats", "--json"))
        for tool, start, remove in peers if with_peers else []:
            try:
                stack.enter_context(theirs(tool, names, start, remove))
            except RuntimeError as e:
                table.notes.append(f"{tool}: not measured: {e}")
                continue
            if tool == "runc":
                table.add("runc events --stats" + (", one after the other" if plural else ""), n // 4,
                          lambda n: one_by_one(n, names, "runc", "events", "--stats", "{}"))
            else:
                table.add("podman stats --no-stream", n // 4, silent(*PODMAN, "stats", "--no-stream"))
        if with_peers:
            table.notes.append("crun has no statistics")
        table.measure()
    return table


# ---- limits ----

def set_limits(root, bundle, n):
    table = Table("a limit of memory is changed, live", "systemctl set-property --runtime")
    with ours(root, 1) as names:
        unit = json.loads(run("wardenctl", "info", "--json", names[0]).stdout)
        unit = (unit[0] if isinstance(unit, list) else unit)["Unit"]
        table.add("warden, SetLimits at the bus", n, lambda n: {None: bench("limits", names[0], n)["limits"]})
        table.add("wardenctl limit", n // 2, silent("wardenctl", "limit", names[0], "MemoryMax=64M"))
        table.add("systemctl set-property --runtime", n // 2,
                  bench_command(0, "systemctl", "set-property", "--runtime", unit, "MemoryMax=64M"))
        for tool in ("crun", "runc"):
            start = [tool, "run", "-d", "-b", os.path.join(bundle.folder, "idle"), "{}"]
            try:
                with theirs(tool, [f"b-{tool}-limit"], start, [tool, "delete", "-f", "{}"]):
                    samples = bench_command(0, tool, "update", "--memory", "67108864", f"b-{tool}-limit")(n // 4)
                table.samples[f"{tool} update"] = samples[None]
            except RuntimeError as e:
                table.notes.append(f"{tool} update: not measured: {e}")
        table.measure()
    return table


def oom(root, n):
    table = Table("from a kill for want of memory to OutOfMemory() at a client, the goal is 5 ms", "warden")
    run("wardenctl", "create", "--name", "bench-oom", "-m", "32M", "--oom-policy", "continue", root)
    try:
        table.add("warden", n, lambda n: {None: bench("bench-oom", n, tool=BENCH_OOM)["oom"]})
        table.measure()
    finally:
        quiet("wardenctl", "destroy", "bench-oom")
    return table


# ---- neighbours ----

COUNT = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"
WRITE = "i=0; while [ $i -lt 8 ]; do i=$((i+1)); dd if=/dev/zero of=/work bs=1M count=1 conv=fsync 2>/dev/null; done"

HOGS = {
    "memory hog, MemoryMax=32M": (["-m", "32M", "--oom-policy", "continue"], 1,
                                  "while :; do head -c 300M /dev/zero | tail -c 200M >/dev/null; done"),
    "fork bomb, TasksMax=100": (["--tasks-max", "100", "-m", "64M", "--oom-policy", "continue"], 1,
                                "f() { f | f & }; while :; do f; done"),
    "8 that count for ever, CPUQuota=20%": (["--cpus", "0.2"], 8, "while :; do :; done"),
    "8 that count for ever, without a limit": ([], 8, "while :; do :; done"),
    "disk hog, Storage=loop, DiskMax=64M": (["--storage", "loop", "--disk", "64M"], 1,
                                            "while :; do head -c 100M /dev/zero >/full 2>/dev/null; sync; done"),
}


@contextlib.contextmanager
def hog(root, options, jobs, script):
    run("wardenctl", "create", "--name", "bench-hog", *options, root)
    try:
        for _ in range(jobs):
            run("wardenctl", "exec", "--detach", "bench-hog", "--", "bash", "-c", script)

        # PID 1 and each job. What they use is not known everywhere: cgroup v1 counts time on demand only.
        def is_at_work():
            stats = json.loads(run("wardenctl", "stats", "--json", "bench-hog").stdout)["bench-hog"]
            return stats["TasksCurrent"] > jobs
        until(is_at_work, "the hog is at work")
        time.sleep(0.5)
        yield
    finally:
        quiet("wardenctl", "destroy", "bench-hog")


def neighbours(root, work, script, n):
    table = Table(f"a neighbour that {work}, beside a container that does wrong", "alone")
    job = bench_command(0, "wardenctl", "exec", "bench-neighbour", "--", "sh", "-c", script)

    def beside(*about):
        def measure(n):
            with hog(root, *about):
                return job(n)
        return measure

    run("wardenctl", "create", "--name", "bench-neighbour", root)
    try:
        table.add("alone", n, job)
        for name, about in HOGS.items():
            table.add(name, n, beside(*about))
        table.measure()
    finally:
        quiet("wardenctl", "destroy", "bench-neighbour")
    return table
