# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a change of the packet filter costs beside a thousand containers that have rules of their own, and beside one."""

from tables import Table, bench

BENCH_FIREWALL = "/usr/lib/warden/tests/bench-firewall"
NAMES = {"add": "a container", "forward": "a forward", "rules": "a rule", "unforward": "a forward taken back",
         "remove": "a container's end", "library": "a forward by libnftables"}


class ChangeTable(Table):
    """Its contenders are numbers of containers, each with all kinds of changes."""

    def print(self):
        self.samples = {name.removeprefix("… of which "): self.samples[name] for name in sorted(self.samples)}
        super().print()


def changes(n):
    table = ChangeTable("a change of the packet filter, beside 1 and 1,000 containers with rules", "a forward, 1")
    for count in (1, 1000):
        table.add(f"{count:,}", n, lambda n, count=count: {
            f"{NAMES[name]}, {count:,}": samples
            for name, samples in bench(count, n, tool=BENCH_FIREWALL).items()})
    table.measure()
    return table
