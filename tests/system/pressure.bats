#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Pressure on a container's memory, by real reclaim: told while it lasts, and only where it was asked for.

load lib

setup_file() { file_begin; }

teardown() {
    daemon_wait
    case_end
}

need_v2() { [[ $(cgroup_mode) == unified ]] || skip "needs cgroup v2"; }
listening() { grep -q NameAcquired "$BATS_TEST_TMPDIR/signals"; }
listen() {
    in_background "$BATS_TEST_TMPDIR/signals" dbus-monitor --system "type='signal',interface='$BUS.Container'"
    until_true listening
}
signals() { grep -c "path=$(path_of "$1"); .*member=MemoryPressure$" "$BATS_TEST_TMPDIR/signals" || true; }
more_than() { (($(signals "$1") > $2)); }

# More than MemoryHigh, held and touched again and again: each round waits for reclaim.
SQUEEZE='x=$(head -c 24M /dev/zero | tr "\0" x); while :; do y=$x; y=; done'

@test "tells of pressure while it lasts, also after the daemon was killed, and of none without" {
    need_v2
    local n count
    listen
    create t-calm --memory-pressure 100ms
    create t-deaf --memory-high 16M --oom-policy continue
    create t-tight --memory-high 16M --memory-pressure 100ms --oom-policy continue
    is 100000 "$(container_get t-tight MemoryPressureThresholdUSec)"
    is 0 "$(container_get t-deaf MemoryPressureThresholdUSec)"
    spawn t-deaf /bin/sh -c "$SQUEEZE" >/dev/null
    n=$(spawn t-tight /bin/sh -c "$SQUEEZE")
    until_true more_than t-tight 1

    daemon_kill
    daemon_wait
    is 100000 "$(container_get t-tight MemoryPressureThresholdUSec)"
    count=$(signals t-tight)
    until_true more_than t-tight "$count"
    is running "$(job_get t-tight "$n" State)"

    # Nobody's but the one's that asked and is short of memory.
    is '0 0' "$(signals t-calm) $(signals t-deaf)"
}

@test "refuses a threshold on cgroup v1, before anything is made" {
    [[ $(cgroup_mode) != unified ]] || skip "is about cgroup v1"
    refuses create t-bad --memory-pressure 150ms
    like "MemoryPressureThresholdUSec: needs cgroup v2.*$(cgroup_mode)" "$output"
    gone t-bad
}
