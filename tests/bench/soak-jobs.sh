#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Inside a sandbox: soak-jobs.sh SECONDS PARALLEL. tools/soak has the explanation.

set -eu -o pipefail
seconds=$1 parallel=$2
soak=/usr/lib/warden/tests/soak-jobs
image=${WARDEN_IMAGE:-/var/lib/warden-images/debian}
folder=$(mktemp -d)
containers=(soak-a soak-b soak-c soak-d)
trap 'wardenctl destroy "${containers[@]}" >/dev/null 2>&1 || true; rm -rf "$folder"' EXIT

pid_of() { wardenctl info --json "$1" | jq -r 'if type == "array" then .[0] else . end | .Leader'; }
pss() { awk '/^Pss:/ { print $2 }' "/proc/$1/smaps_rollup"; }
fds() { find "/proc/$1/fd" -mindepth 1 | wc -l; }
daemon() { systemctl show -P MainPID wardend.service; }
settle() { until wardenctl list -q >/dev/null 2>&1; do sleep 0.1; done; }

# What may not grow: descriptors and memory of each PID 1, files, and the freshly started daemon's own.
snapshot() {
    local c pid
    systemctl restart wardend.service
    settle
    for c in "${containers[@]}"; do
        pid=$(pid_of "$c")
        echo "wshd-fds $(fds "$pid")"
        echo "wshd-pss $(pss "$pid")"
    done
    echo "wardend-fds $(fds "$(daemon)")"
    echo "wardend-pss $(pss "$(daemon)")"
    echo "files $(find /run/warden -type f ! -path '*/journal/*' | wc -l)"
}

for c in "${containers[@]}"; do
    wardenctl create --name "$c" --bind "${soak%/*}:/mnt:ro" "$image" >/dev/null
    # Once, so that what PID 1 keeps for its first jobs is there.
    "$soak" run 3 "$c" /mnt/soak-jobs >/dev/null
done
snapshot >"$folder/before"

pids=()
for ((i = 0; i < parallel; i++)); do
    "$soak" run "$seconds" "${containers[i % 4]}" /mnt/soak-jobs >"$folder/result.$i" 2>"$folder/error.$i" &
    pids+=($!)
done
end=$((SECONDS + seconds)) kills=0
while ((SECONDS < end)); do
    sleep "$((RANDOM % 4)).$((RANDOM % 10))"
    systemctl reset-failed wardend.service
    if ((RANDOM % 4)); then
        systemctl kill --signal KILL --kill-whom main wardend.service 2>/dev/null || true
    else
        systemctl restart wardend.service
    fi
    kills=$((kills + 1))
done
failed=0
for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
settle
# Of a job whose spawn was not answered, as wardend was killed in the middle of it, no client knows: it may still wait for
# a reader. A release that was not answered may not have happened. All that is left is of these two kinds.
left=0
for c in "${containers[@]}"; do
    path=/org/warden/Warden1/container/${c/-/_2d}
    for job in $(busctl get-property -j org.warden.Warden1 "$path" org.warden.Warden1.Container Jobs | jq -r '.data[]'); do
        left=$((left + 1))
        wardenctl kill --job "${job##*/}" -s KILL "$c" 2>/dev/null || true
        for _ in {1..50}; do
            busctl call org.warden.Warden1 "$job" org.warden.Warden1.Job Release 2>/dev/null && break
            sleep 0.1
        done
    done
done
((left <= $(jq -s 'map(.unknown) | add' "$folder"/result.*))) || { echo "$left jobs were left over" >&2; failed=1; }
sleep 1
snapshot >"$folder/after"

sum() { jq -s "map(.$1) | add" "$folder"/result.*; }
echo
echo "| $((seconds / 60)) minutes, ${#containers[@]} containers, $parallel clients | |"
echo "|---|---:|"
echo "| jobs | $(sum jobs) |"
echo "| readers (of them vanished) | $(sum readers) ($(sum vanished)) |"
echo "| stalls of readers | $(sum stalls) |"
echo "| GiB checked byte by byte | $(jq -n "$(sum bytes) / 1073741824 * 10 | round / 10") |"
echo "| GiB told as missed | $(jq -n "$(sum missed) / 1073741824 * 10 | round / 10") |"
echo "| wardend killed or restarted | $kills |"
echo "| calls without an answer because of that | $(sum unknown) |"
echo "| **wrong** bytes, counts or statuses | $(sum wrong) |"
echo
echo "| | before | after |"
echo "|---|---:|---:|"
while read -r key value && read -r key2 value2 <&3; do
    echo "| $key | $value | $value2 |"
    case $key in
    *-pss) ((value2 <= value + 256)) || { echo "$key has grown" >&2; failed=1; } ;;
    *) ((value2 <= value)) || { echo "$key has grown" >&2; failed=1; } ;;
    esac
    [[ $key == "$key2" ]]
done <"$folder/before" 3<"$folder/after"
cat "$folder"/error.* | head -40 >&2
exit $failed
