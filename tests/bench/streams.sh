#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# How fast output comes out of a container, beside a plain pipe in the same run, and what a spawn at the bus costs when
# a thousand jobs are there: streams.sh [GIB]. Inside a sandbox; prints Markdown.

set -eu -o pipefail
gib=${1:-4}
image=${WARDEN_IMAGE:-/var/lib/warden-images/debian}
bench=/usr/lib/warden/tests/bench-bus
bus=org.warden.Warden1
path=/org/warden/Warden1/container/bench
trap 'wardenctl destroy bench >/dev/null 2>&1 || true' EXIT
wardenctl create --name bench "$image" >/dev/null

# rate COMMAND…: GiB in a second that come out of it, the best of three
rate() {
    local start best=0 now
    for _ in 1 2 3; do
        start=$(date +%s%N)
        [[ $("$@" | wc -c) == $((gib << 30)) ]] || { echo "short: $*" >&2; return 1; }
        now=$(jq -n "$gib * 1e9 / ($(date +%s%N) - $start) * 100 | round / 100")
        best=$(jq -n "[$best, $now] | max")
    done
    echo "$best"
}
# shellcheck disable=SC2317 # called by name
plain() { head -c "${gib}G" /dev/zero; }
# shellcheck disable=SC2317
direct() { wardenctl exec bench -- head -c "${gib}G" /dev/zero; }
# shellcheck disable=SC2317
through_wsh() { wsh bench -- head -c "${gib}G" /dev/zero; }
# shellcheck disable=SC2317
ring() {
    local job
    job=$(busctl call -j -- "$bus" "$path" "$bus.Container" SpawnJob 'asa{sv}' 4 head -c "${gib}G" /dev/zero \
        1 Backpressure b true | jq -r '.data[0]')
    wardenctl logs -f bench "${job##*/}"
}

echo "| output, $gib GiB | GiB/s |"
echo "|---|---:|"
for way in plain direct through_wsh ring; do echo "| $way | $(rate "$way") |"; done
echo
for ((i = 0; i < 1000; i++)); do
    busctl call -- "$bus" "$path" "$bus.Container" SpawnJob 'asa{sv}' 2 sleep 1000 0 >/dev/null
done
echo "| with 1,000 idle jobs | |"
echo "|---|---:|"
"$bench" jobs bench 1000 /bin/true | jq -r '"| \(.name): median, p99 ms | \(.p50_usec / 10 | round / 100), \(.p99_usec / 10 | round / 100) |"'
pid=$(busctl get-property -j "$bus" "$path" "$bus.Container" Leader | jq .data)
wakeups() { awk '/^(non)?voluntary_ctxt_switches/ { n += $2 } END { print n }' "/proc/$pid/status"; }
before=$(wakeups)
sleep 5
echo "| wake-ups of PID 1 in 5 idle seconds | $(($(wakeups) - before)) |"
echo "| PSS of PID 1, KiB | $(awk '/^Pss:/ { print $2 }' "/proc/$pid/smaps_rollup") |"
command -v podman >/dev/null && command -v conmon >/dev/null || printf '\npodman exec and attach: not measured, podman or conmon is not installed here\n'
command -v crun >/dev/null || printf '\ncrun exec: not measured, crun is not installed here\n'
