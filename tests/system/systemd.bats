#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2016 # scripts for a shell in the container
#
# Containers as units: whoever uses systemctl gets what systemctl promises.

load lib

# polite NAME FILE: a job that says goodbye in /tmp/FILE of the container, half a second after TERM
polite() {
    spawn "$1" /bin/sh -c "trap 'sleep 0.5; echo goodbye >/srv/$2; exit 0' TERM; echo up >/srv/up; while :; do sleep 0.1; done" >/dev/null
    until_true inside "$1" test -s /srv/up
}

@test "ends jobs politely and in order when systemctl stops the scope" {
    create t-stop --bind "$BATS_TEST_TMPDIR:/srv"
    chmod 0777 "$BATS_TEST_TMPDIR"
    chmod 0755 "$BATS_RUN_TMPDIR" "$BATS_SUITE_TMPDIR"
    polite t-stop bye
    systemctl stop "$(unit_of t-stop)"
    is goodbye "$(cat "$BATS_TEST_TMPDIR/bye")"
    until_true state_is t-stop stopped
    is 0 "$(leader t-stop)"
    wardenctl start t-stop
    state_is t-stop active
}

# bats test_tags=anywhere
@test "does the same when Stop is called, and kills what does not listen" {
    create t-stop --stop-timeout 1s
    spawn t-stop /bin/sh -c 'trap "" TERM; while :; do sleep 0.1; done'
    local start=$SECONDS
    wardenctl stop t-stop
    ((SECONDS - start <= $(scaled 6 60)))
    state_is t-stop stopped
}

# bats test_tags=anywhere
@test "is stopped when its scope is killed" {
    create t-kill
    systemctl kill -s KILL "$(unit_of t-kill)"
    until_true state_is t-kill stopped
    wardenctl start t-kill
    is fine "$(inside t-kill echo fine)"
}

@test "keeps its jobs over daemon-reload and daemon-reexec" {
    create t-reload
    local job
    job=$(spawn t-reload /bin/sleep 1000)
    systemctl daemon-reload
    systemctl daemon-reload
    is running "$(job_get t-reload "$job" State)"
    systemctl daemon-reexec
    is running "$(job_get t-reload "$job" State)"
    is active "$(systemctl is-active "$(unit_of t-reload)")"
    is fine "$(inside t-reload echo fine)"
    create t-after
}

@test "creates containers while systemd reloads and re-executes itself" {
    local n reloader
    n=$(scaled 20 3)
    (for i in $(seq "$n"); do systemctl daemon-reload; ((i % 5)) || systemctl daemon-reexec; done) 3>&- &
    reloader=$!
    for i in $(seq "$n"); do create "t-$i"; done
    wait "$reloader"
    for i in $(seq "$n"); do is active "$(systemctl is-active "$(unit_of "t-$i")")"; done
}

@test "takes limits from systemctl set-property while it runs" {
    create t-live
    systemctl set-property --runtime "$(unit_of t-live)" TasksMax=77
    is 77 "$(cgroup_file t-live pids pids.max)"
    is fine "$(inside t-live echo fine)"
    is 77 "$(systemctl show -P TasksMax "$(unit_of t-live)")"
}

# bats test_tags=anywhere
@test "shows its life in the journal of its unit" {
    create t-journal
    local unit
    unit=$(unit_of t-journal)
    wardenctl destroy t-journal
    journalctl --sync
    capture journalctl --quiet --no-pager -u "$unit"
    like 'Container created' "$output"
    like 'Container destroyed' "$output"
    like "$unit: Deactivated successfully|Stopped" "$output"
}

@test "stops every container with the slice, as a shutdown does" {
    create t-a --bind "$BATS_TEST_TMPDIR:/srv"
    chmod 0777 "$BATS_TEST_TMPDIR"
    chmod 0755 "$BATS_RUN_TMPDIR" "$BATS_SUITE_TMPDIR"
    create t-b
    polite t-a bye
    # The daemon is in the slice as well, and comes back at the next call.
    systemctl stop warden.slice
    is goodbye "$(cat "$BATS_TEST_TMPDIR/bye")"
    is "" "$(systemctl list-units --plain --no-legend 'warden-*.scope')"
    daemon_wait
    until_true state_is t-a stopped
    until_true state_is t-b stopped
    wardenctl start t-a
    state_is t-a active
}

@test "accounts for the memory and tasks of a container" {
    create t-account
    spawn t-account /bin/sleep 1000
    (($(systemctl show -P TasksCurrent "$(unit_of t-account)") == 2))
    like '^[0-9]+$' "$(systemctl show -P MemoryCurrent "$(unit_of t-account)")"
}

# bats test_tags=anywhere
@test "puts no process into the scope but the container's, and none of these elsewhere" {
    create t-cgroup
    local init job group
    init=$(leader t-cgroup)
    job=$(job_get t-cgroup "$(spawn t-cgroup /bin/sleep 1000)" PID)
    group=$(container_get t-cgroup ControlGroup)
    for pid in "$init" "$job"; do
        is "$(unit_of t-cgroup)" "$(ps -o unit= -p "$pid" | xargs)"
        # Every hierarchy that systemd puts it into
        like "$group" "$(grep -E '^(0:|[0-9]+:name=systemd:)' "/proc/$pid/cgroup")"
    done
    is "" "$(find /sys/fs/cgroup -path "*$group/*" -name cgroup.procs -exec cat {} + | grep -vxE "$init|$job" || true)"
}
