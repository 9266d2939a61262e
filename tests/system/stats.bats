#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2016 # scripts for a shell in the container
#
# What containers use: by the bus, on the command line, and for Prometheus. Figures are compared with what was done to
# make them, and with the kernel's own files.

load lib

setup_file() {
    file_begin
    create s-busy -m 256M --pids-limit 60
}

# stat NAME KEY: empty when it is not known
stat_of() { wardenctl stats --json "$1" | jq -r --arg name "$1" --arg key "$2" '.[$name][$key] // empty'; }
at_least() { [[ -n $(stat_of "$1" "$2") ]] && (($(stat_of "$1" "$2") >= $3)); }
# by hand, with status line and head
scrape() { curl_like "GET ${1:-/metrics} HTTP/1.1" 'Host: localhost' ''; }
curl_like() { (($# == 0)) || printf '%s\r\n' "$@" | nc -N -w 20 127.0.0.1 9753; }

@test "counts memory, and knows the most there was" {
    local before peak
    before=$(stat_of s-busy MemoryCurrent)
    spawn s-busy /bin/sh -c 'head -c 30000000 /dev/zero >/dev/shm/hog; exec sleep 1000'
    until_true at_least s-busy MemoryCurrent $((before + 29000000))
    at_least s-busy MemoryShmem 29000000
    is "$((256 << 20))" "$(stat_of s-busy MemoryMax)"
    inside s-busy rm /dev/shm/hog
    peak=$(stat_of s-busy MemoryPeak)
    [[ -z $peak ]] || ((peak >= before + 29000000))
    (($(stat_of s-busy MemoryShmem) < 29000000))
    [[ $(cgroup_mode) != unified ]] || is "$(cgroup_file s-busy memory memory.max)" "$(stat_of s-busy MemoryMax)"
}

# bats test_tags=anywhere
@test "counts tasks and their limit" {
    local before
    before=$(stat_of s-busy TasksCurrent)
    spawn s-busy /bin/sh -c 'for i in 1 2 3 4 5; do sleep 1000 & done; wait'
    until_true at_least s-busy TasksCurrent $((before + 6))
    is 60 "$(stat_of s-busy TasksMax)"
    wardenctl kill -s KILL s-busy
}

# bats test_tags=anywhere
@test "counts the time of the container, and not of the process that waited for it" {
    local before after
    create t-first # makes the worker begin the next one's process
    before=$(awk '{ printf "%d", $1 * 1000 }' /proc/uptime)
    create t-up
    wardenctl stats --json t-up >"$BATS_TEST_TMPDIR/stats"
    after=$(awk '{ printf "%d", $1 * 1000 + 10 }' /proc/uptime)
    jq -e ".[\"t-up\"].UptimeUSec | . > 0 and . <= ($after - $before) * 1000" "$BATS_TEST_TMPDIR/stats"
}

@test "counts processor time and how it was throttled" {
    create t-cpu --cpus 0.1
    is 100000 "$(stat_of t-cpu CPUQuotaPerSecUSec)"
    spawn t-cpu /bin/sh -c 'while :; do :; done'
    until_true at_least t-cpu CPUThrottledPeriods 2
    at_least t-cpu CPUThrottledUSec 1
    # With cpu and cpuacct on mounts of their own, which is so in a sandbox, legacy mode counts none.
    if [[ $(cgroup_mode) == legacy && ! -d /sys/fs/cgroup/cpuacct$(container_get t-cpu ControlGroup) ]]; then
        is "" "$(stat_of t-cpu CPUUsageNSec)"
        skip "cpu and cpuacct are not mounted together here"
    fi
    until_true at_least t-cpu CPUUsageNSec 20000000
    like '^t-cpu +[0-9.]+% ' "$(wardenctl stats --no-legend t-cpu)"
}

# bats test_tags=anywhere
@test "counts what the kernel killed for want of memory" {
    create t-hog -m 32M --oom-policy=continue
    is 0 "$(stat_of t-hog OOMKills)"
    capture inside t-hog /bin/sh -c 'head -c 100000000 /dev/zero | tail'
    until_true at_least t-hog OOMKills 1
}

@test "counts input and output, of each device too" {
    create t-disk
    [[ -n $(stat_of t-disk IOWriteBytes) ]] || skip "no controller for it here"
    # Past the page cache, whose writing back cgroup v1 counts as nobody's.
    inside t-disk dd if=/dev/zero of=/written bs=64k count=16 oflag=direct status=none || skip "no direct writing on this file system"
    [[ $(cgroup_mode) == unified ]] || at_least t-disk IOWriteBytes 1 || skip "cgroup v1 counts only what it throttles"
    until_true at_least t-disk IOWriteBytes 1000000
    at_least t-disk IOWriteOperations 16
    wardenctl stats --json t-disk | jq -e '.["t-disk"] | (.IODevices | map(.[3]) | add) == .IOWriteBytes'
}

# bats test_tags=anywhere
@test "tells of many containers in one call, and of those that are stopped" {
    local i
    for i in 1 2 3 4 5 6; do create "t-many$i"; done
    wardenctl stop t-many3
    is 'active active stopped active active active' \
        "$(wardenctl stats --json | jq -r '[to_entries[] | select(.key | startswith("t-many"))] | sort_by(.key) | map(.value.State) | join(" ")')"
    is '["State"]' "$(wardenctl stats --json t-many3 | jq -c '.["t-many3"] | keys')"
    wardenctl stats --json t-many{1,2,3,4,5,6} | jq -e '[.[] | select(.UptimeUSec > 0)] | length == 5'
    # They may go while they are read.
    in_background "$BATS_TEST_TMPDIR/out" wardenctl destroy t-many{1,2,3,4,5,6}
    for i in 1 2 3 4 5; do wardenctl stats --json | jq -e 'has("s-busy")'; done
}

# bats test_tags=anywhere
@test "shows a table that fits the terminal" {
    capture script -qec "stty cols 100 rows 24; wardenctl stats -i 100ms" /dev/null </dev/null
    is 0 "$status"
    like 'NAME +CPU % +MEM USAGE / LIMIT +MEM % +NET I/O +BLOCK I/O +TASKS' "$output"
    (($(sed $'s/\e\[[0-9;]*m//g; s/\r//' <<<"$output" | wc -L) <= 100))
}

# bats test_tags=anywhere
@test "shows a whole screen that outlives the daemon" {
    local keys=$BATS_TEST_TMPDIR/keys screen=$BATS_TEST_TMPDIR/screen
    mkfifo "$keys"
    exec 7<>"$keys"
    # A shell in between, since one that runs something in the background takes its input away.
    in_background /dev/null bash -c 'exec script -qfec "stty cols 100 rows 24; TERM=xterm wardenctl top -i 200ms" "$1" <"$2"' - "$screen" "$keys"
    until_true grep -q 's-busy' "$screen"
    systemctl stop wardend.service
    until_true grep -q 'Cannot reach wardend' "$screen"
    is inactive "$(systemctl is-active wardend.service)"
    systemctl start wardend.service
    daemon_wait
    # What it draws anew is the sum, in place of the complaint.
    until_true eval 'sed "s/.*Cannot reach wardend//" "$BATS_TEST_TMPDIR/screen" | tail -c 2000 | grep -q "containers, "'
    printf q >&7
    until_true grep -qF $'\e[?1049l' "$screen"
    exec 7>&-
}

# bats test_tags=anywhere
@test "tells what there is for containers" {
    local json
    json=$(wardenctl capacity --json)
    is "$(awk '/^MemTotal/ { printf "%.0f", $2 * 1024 }' /proc/meminfo)" "$(jq .CapacityMemory <<<"$json")"
    jq -e '.CapacityDisk > .CapacityDiskFree and .CapacityDiskFree > 0' <<<"$json"
    jq -e '.CapacityContainers - .CapacityContainersFree == '"$(wardenctl list -q | wc -l)" <<<"$json"
    jq -e '.CapacityUsers > .CapacityUsersFree' <<<"$json"
    jq -e '.CapacityPorts == .CapacityPortsFree and .CapacityPorts > 0' <<<"$json"
    jq -e '.CapacityNetworks - .CapacityNetworksFree == '"$(ip -o link | grep -c ': w-')" <<<"$json"
    create t-capacity --publish 80
    jq -e --argjson before "$json" '.CapacityPortsFree == $before.CapacityPortsFree - 1 and
        .CapacityNetworksFree == $before.CapacityNetworksFree - 1' <<<"$(wardenctl capacity --json)"
    like '^Memory +[0-9.]+[MGT] ' "$(wardenctl capacity --no-legend)"
}

# bats test_tags=anywhere
@test "answers Prometheus, and nothing else" {
    local page
    refuses nc -z 127.0.0.1 9753
    systemctl start warden-metrics.socket
    page=$(scrape)
    like '^HTTP/1.1 200 OK' "$page"
    like 'Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8' "$page"
    like $'\nwarden_up 1\n' "$page"
    like 'warden_container_memory_max_bytes\{container="s-busy"\} 268435456' "$page"
    like $'\n# EOF$' "$page"
    like '^HTTP/1.1 404' "$(scrape /)"
    like '^HTTP/1.1 405' "$(curl_like 'POST /metrics HTTP/1.1' '')"
    like '^HTTP/1.1 400' "$(curl_like 'hello' '')"
    like '^HTTP/1.1 431' "$(head -c 9000 /dev/zero | tr '\0' x | nc -N -w 20 127.0.0.1 9753)"
    systemctl stop warden-metrics.socket
    is "" "$(systemctl list-units --failed --plain --no-legend 'warden-metrics*')"
}

# bats test_tags=anywhere
@test "is scraped by a user who can ask for nothing else" {
    local as="runuser -u warden-metrics --"
    $as busctl call "$BUS" "$ROOT" "$BUS.Manager" GetStats as 0
    refuses $as busctl call "$BUS" "$ROOT" "$BUS.Manager" ListContainers
    like '[Aa]ccess denied' "$output"
    refuses $as busctl call "$BUS" "$ROOT" "$BUS.Manager" DestroyContainer s s-busy
    refuses $as busctl call "$BUS" "$(path_of s-busy)" "$BUS.Container" GetStats
    refuses $as busctl get-property "$BUS" "$(path_of s-busy)" "$BUS.Container" Name
    refuses runuser -u nobody -- busctl call "$BUS" "$ROOT" "$BUS.Manager" GetStats as 0
    state_is s-busy active
}

# bats test_tags=anywhere
@test "says that the daemon is not there, and does not start it" {
    systemctl start warden-metrics.socket
    systemctl stop wardend.service
    like $'\nwarden_up 0\n# EOF$' "$(scrape)"
    is inactive "$(systemctl is-active wardend.service)"
    systemctl stop warden-metrics.socket
    systemctl start wardend.service
    daemon_wait
}
