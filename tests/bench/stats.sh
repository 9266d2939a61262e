#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# usage: stats.sh [N]      in a sandbox: what GetStats of N containers costs (default: 1000)
#
# The containers are real, each with its PID 1 and scope. Printed are medians of 21 calls: how long the client waited, and
# how much processor time the daemon itself took (the first number of /proc/PID/schedstat), without the child that reads.
# Then what "crun events --stats" takes for one container, and "podman stats" for all, where they are there.

set -eu -o pipefail
N=${1:-1000}
IMAGE=${WARDEN_IMAGE:-/var/lib/warden-images/debian}
PREFIX=b-stats-

cleanup() {
    local names
    names=$(wardenctl list -q | grep "^$PREFIX" || true)
    [[ -z $names ]] || xargs -n 64 wardenctl destroy <<<"$names" >/dev/null
}
trap cleanup EXIT

systemctl start wardend.service
for ((i = 0; i < N; i++)); do echo "$PREFIX$i"; done | xargs -P 4 -I{} wardenctl create --name {} "$IMAGE" >/dev/null

python3 - "$N" <<'EOF'
import statistics, subprocess, sys, time

n = int(sys.argv[1])
pid = subprocess.run(["systemctl", "show", "-P", "MainPID", "wardend.service"], capture_output=True, text=True).stdout.strip()

def daemon_ms():
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as f:
        return int(f.read().split()[0]) / 1e6

def measure(what, arguments):
    waits, daemon = [], []
    for _ in range(21):
        before, start = daemon_ms(), time.monotonic()
        subprocess.run(["busctl", "call", "--quiet", "org.warden.Warden1", "/org/warden/Warden1",
                        "org.warden.Warden1.Manager", "GetStats", *arguments], check=True)
        waits.append((time.monotonic() - start) * 1e3)
        daemon.append(daemon_ms() - before)
    print(f"{what}: client {statistics.median(waits):.1f} ms, daemon {statistics.median(daemon):.2f} ms "
          f"(largest {max(daemon):.2f})")

measure(f"GetStats of all {n}", ["as", "0"])
measure("GetStats of one", ["as", "1", "b-stats-0"])
measure("GetStats of none (what the call itself costs)", ["as", "1", "nobody"])
EOF

if command -v podman >/dev/null; then
    echo "podman stats --no-stream, of what containers it has:"
    time podman stats --no-stream >/dev/null
else
    echo "podman is not here"
fi
