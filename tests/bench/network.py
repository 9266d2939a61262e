# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a private network costs: as time of a create, job and destroy, with many at once, and as throughput of a forward."""

import contextlib
import json
import shutil
import subprocess
import time

from tables import PODMAN, PairedTable, Table, bench, bench_command, leader_of, percentile, run

BENCH_NETWORK = "/usr/lib/warden/tests/bench-network"
ROUNDS = 10
PORT = 5201


class PriceTable(Table):
    """Pairs of contenders, without a network and with one: the difference of their medians is its price."""

    ROUNDS = ROUNDS

    def __init__(self, title):
        super().__init__(title, "the kernel alone")
        self.rows = []  # (name, key of the samples without, key of those with)

    def couple(self, name, n, without, with_network, parts=()):
        def side(key, function):
            def measure(n):
                links_gone()
                return {f"{name}/{key}/{part}": samples for part, samples in function(n).items()}
            self.add(f"{name}/{key}", n, measure)

        side("without", without)
        side("with", with_network)
        for part in (None, *parts):
            keys = [f"… of which {name}/{side}/{part}" for side in ("without", "with")]
            self.rows.append((f"… of which {part}" if part else name, *keys))

    def print(self):
        print(f"\n### {self.title}\n")
        print("| | n | without, median ms | with, median ms | with, p99 ms | more, ms | times the kernel's |\n"
              "|---|---:|---:|---:|---:|---:|---:|")
        floor = None
        for name, without, with_network in self.rows:
            a, b = self.samples.get(without), self.samples.get(with_network)
            if not a or not b:
                continue
            more = percentile(b, 50) - percentile(a, 50)
            floor = more if name == self.reference else floor
            ratio = f"{more / floor:.2f}" if floor else "–"
            print(f"| {name} | {len(b)} | {percentile(a, 50) / 1000:.2f} | {percentile(b, 50) / 1000:.2f} | "
                  f"{percentile(b, 99) / 1000:.2f} | {more / 1000:.2f} | {ratio} |")
        for note in self.notes:
            print(f"\n{note}")


def kernel(n, gap):
    """Namespace and pair come from one run: what lacks in the first is the second."""
    parts = bench("one", n, gap, tool=BENCH_NETWORK)
    return parts["namespace"], [a + b for a, b in zip(parts["namespace"], parts["pair"])]


def price(root, n, gap):
    table = PriceTable(f"the price of a private network: create, job `true`, its exit, destroy; {gap} ms apart")

    def ours(kind):
        def measure(n):
            parts = bench("cycle", root, n, gap, kind)
            return {None: parts.pop("cycle"), **parts}
        return measure

    table.couple("the kernel alone", n, lambda n: {None: kernel(n, gap)[0]}, lambda n: {None: kernel(n, gap)[1]})
    table.couple("warden, at the bus", n, ours("none"), ours("private"), ("create", "job", "destroy"))
    if shutil.which("podman") and not shutil.which("netavark", path="/usr/lib/podman:/usr/libexec/podman"):
        table.notes.append("podman: without netavark here")
    elif shutil.which("podman"):
        podman = [[*PODMAN, "run", "--rm", f"--network={kind}", "--rootfs", f"{root}:O", "/bin/true"]
                  for kind in ("none", "bridge")]
        table.couple("podman run, netavark", n // 10, *[bench_command(gap, *command) for command in podman])
    else:
        table.notes.append("podman: not installed here")
    table.measure()
    return table


class CrowdTable(PriceTable):
    """A sample is the time of all of them together."""


def crowd(root, count, n):
    table = CrowdTable(f"{count} containers created at once, and the last one's answer")

    def ours(kind):
        def measure(n):
            samples = {None: [], "destroy": []}
            for _ in range(n):
                line = json.loads(run("/usr/lib/warden/tests/bench-bus", "parallel", root, str(count), kind).stdout)
                samples[None].append(line["create_usec"])
                samples["destroy"].append(line["destroy_usec"])
                links_gone()
            return samples
        return measure

    def floor(n):
        samples = []
        for _ in range(n):
            samples += bench("many", count, tool=BENCH_NETWORK)["many"]
            links_gone()
        return {None: samples}

    table.couple("the kernel alone", n, lambda n: {None: [0] * n}, floor)
    table.couple("warden, at the bus", n, ours("none"), ours("private"), ("destroy",))
    table.measure()
    return table


def links_gone():
    """Waits until the kernel has taken all pairs apart: that takes a lock, and is not to be in the way of who comes next."""
    for _ in range(3000):
        if not run("ip", "-o", "link", "show", "type", "veth").stdout:
            return
        time.sleep(0.01)
    raise RuntimeError("there are still interfaces of containers that are gone")


# ---- throughput ----

def ip(*arguments):
    run("ip", *arguments)


@contextlib.contextmanager
def namespaces(*names):
    try:
        for name in names:
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        yield
    finally:
        for name in names:
            run("ip", "netns", "del", name, check=False)


def wire(one, other):
    """A pair between (namespace, interface, address) and another; the namespace None is this one."""
    def there(end):
        return ["-n", end[0]] if end[0] else []

    ip(*there(one), "link", "add", one[1], "type", "veth", "peer", "name", other[1],
       *(["netns", other[0]] if other[0] else []))
    for end in (one, other):
        ip(*there(end), "addr", "add", end[2], "dev", end[1])
        ip(*there(end), "link", "set", end[1], "up")


@contextlib.contextmanager
def server(*prefix):
    process = subprocess.Popen([*prefix, "iperf3", "-s", "-p", str(PORT)], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            if f":{PORT}" in run(*prefix, "ss", "-Hltn").stdout:
                break
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait()


def client(namespace, address, size):
    """How long so many bytes took, by iperf3's own clock at the receiver."""
    def measure(n):
        samples = []
        for _ in range(n):
            r = run("ip", "netns", "exec", namespace, "iperf3", "-J", "-c", address, "-p", str(PORT), "-n", str(size),
                    check=False)
            report = json.loads(r.stdout or "{}")
            if r.returncode:
                raise RuntimeError(f"iperf3: {report.get('error', r.stderr.strip())}")
            received = report["end"]["sum_received"]
            samples.append(received["seconds"] * 1e6 * size / received["bytes"])
        return {None: samples}
    return measure


PLAIN = """
table ip plain {
    chain prerouting { type nat hook prerouting priority dstnat; tcp dport %d dnat to 198.18.2.2; }
    chain postrouting { type nat hook postrouting priority srcnat; oifname p-out masquerade; }
}
"""


@contextlib.contextmanager
def plain_way():
    """A client, a router with nftables and nothing else, a server."""
    with namespaces("p-client", "p-router", "p-server"):
        wire(("p-client", "eth0", "198.18.1.2/24"), ("p-router", "p-out", "198.18.1.1/24"))
        wire(("p-router", "p-in", "198.18.2.1/30"), ("p-server", "eth0", "198.18.2.2/30"))
        run("ip", "netns", "exec", "p-router", "sysctl", "-qw", "net.ipv4.ip_forward=1")
        run("ip", "netns", "exec", "p-router", "nft", "-f", "-", input=PLAIN % PORT)
        ip("-n", "p-server", "route", "add", "default", "via", "198.18.2.1")
        with server("ip", "netns", "exec", "p-server"):
            yield


@contextlib.contextmanager
def warden_way(root):
    """The same with this host as the router, and a container."""
    with namespaces("w-client"):
        wire((None, "bench-up", "198.18.3.1/24"), ("w-client", "eth0", "198.18.3.2/24"))
        run("wardenctl", "create", "--name", "benchnet", "--network", "private", root)
        try:
            run("wardenctl", "port", "benchnet", "add", f"{PORT}:{PORT}")
            # In its network and not in its group: what is measured is the way, and not the server's share.
            with server("nsenter", "-t", str(leader_of("benchnet")), "-n"):
                yield
        finally:
            run("wardenctl", "destroy", "benchnet")
            run("ip", "link", "del", "bench-up", check=False)


def throughput(root, mib, n):
    """Many short turns: what is to be seen are 5 %, and from one second to the next a machine is more different than that."""
    size = mib << 20
    table = PairedTable(f"TCP through a forwarded port, {mib} MiB a turn (iperf3)", "veth and nftables, no manager", size)
    table.ROUNDS = n
    if not shutil.which("iperf3"):
        table.notes.append("iperf3: not installed here")
        return table
    with plain_way(), warden_way(root):
        table.add("veth and nftables, no manager", n, client("p-client", "198.18.1.1", size))
        table.add("warden, ForwardPort", n, client("w-client", "198.18.3.1", size))
        table.measure()
    return table
