# SPDX-License-Identifier: LGPL-2.1-or-later
"""Contenders, their samples, and the tables that are printed of them."""

import json
import subprocess
import sys

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


def leader_of(name):
    r = run("busctl", "get-property", DESTINATION, f"/org/warden/Warden1/container/{name}",
            DESTINATION + ".Container", "Leader")
    return int(r.stdout.split()[1])


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
            ratio = f"{median / percentile(reference, 50):.2f}" if reference and percentile(reference, 50) else "–"
            print(f"| {name} | {len(samples)} | {median / 1000:.2f} | {p99 / 1000:.2f} | {ratio} |")
        for note in self.notes:
            print(f"\n{note}")


class RateTable(Table):
    """Samples are the times that so many bytes took."""

    def __init__(self, title, reference, size):
        super().__init__(title, reference)
        self.size = size

    def print(self):
        reference = self.samples.get(self.reference)
        print(f"\n### {self.title}\n\n| | n | least GiB/s | median | most | of {self.reference} |\n"
              "|---|---:|---:|---:|---:|---:|")
        for name, samples in self.samples.items():
            rates = [f"{self.size / percentile(samples, p) * 1e6 / (1 << 30):.2f}" for p in (100, 50, 0)]
            print(f"| {name} | {len(samples)} | {' | '.join(rates)} | {self.ratio(samples, reference)} |")
        for note in self.notes:
            print(f"\n{note}")

    def ratio(self, samples, reference):
        return f"{percentile(reference, 50) / percentile(samples, 50):.2f}" if reference else "–"


class PairedTable(RateTable):
    """Each turn has one sample of every contender: what is compared is the turn, since from one to the next the machine is
    not the same."""

    def ratio(self, samples, reference):
        if not reference or samples is reference:
            return "1.00" if reference else "–"
        ratios = [100 * r / s for s, r in zip(samples, reference)]
        least, median, most = [percentile(ratios, p) / 100 for p in (25, 50, 75)]
        return f"{median:.2f} (half of the turns: {least:.2f} to {most:.2f})"
