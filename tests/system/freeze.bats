#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Freezing: nothing moves, what needs PID 1 is refused, and every way to an end works.

load lib

setup_file() { file_begin; }

teardown() {
    systemctl reset-failed wardend.service
    daemon_wait
    case_end
}

# A job that counts, by a file of the host: its container's user writes it.
counter() {
    DIRECTORY=$(real_directory)
    chmod 0777 "$DIRECTORY"
    create "$1" --bind "$DIRECTORY:/count"
    JOB=$(spawn "$1" /bin/sh -c 'i=0; while :; do i=$((i+1)); echo $i >/count/n.new; mv /count/n.new /count/n; sleep 0.02; done')
    until_true test -s "$DIRECTORY/n"
}
count() { cat "$DIRECTORY/n"; }
counts_on() { local n; n=$(count); sleep 0.3; [[ $(count) != "$n" ]]; }
stands_still() { ! counts_on; }
ended() { [[ $(job_get "$1" "$2" State) != running ]]; }
clean_up() { rm -rf "$DIRECTORY"; }
freezer_group() { echo "/sys/fs/cgroup/freezer$(container_get "$1" ControlGroup)"; }

@test "freezes and thaws, and says which it is" {
    counter t-freeze
    wardenctl freeze t-freeze
    is frozen "$(container_get t-freeze State)"
    like "t-freeze +frozen" "$(wardenctl list)"
    stands_still
    wardenctl pause t-freeze
    is frozen "$(container_get t-freeze State)"
    wardenctl thaw t-freeze
    is active "$(container_get t-freeze State)"
    counts_on
    is running "$(job_get t-freeze "$JOB" State)"
    inside t-freeze true
    wardenctl unpause t-freeze
    clean_up
}

# bats test_tags=anywhere
@test "refuses what needs PID 1, saying what to do" {
    local n
    create t-frozen
    n=$(spawn t-frozen sleep 1000)
    wardenctl freeze t-frozen
    refuses inside t-frozen true
    like "thaw it first" "$output"
    refuses gcall "$(path_of t-frozen)/job/$n" Job.Attach '{}'
    like "Error.BadState.*thaw it first" "$output"
    refuses gcall "$(path_of t-frozen)" Container.Kill 15
    like "Error.BadState.*thaw it first" "$output"
    wardenctl thaw t-frozen
    inside t-frozen true
}

# bats test_tags=anywhere
@test "stops, kills and destroys what is frozen" {
    local n
    create t-stop
    n=$(spawn t-stop sleep 1000)
    wardenctl freeze t-stop
    wardenctl stop t-stop
    is stopped "$(container_get t-stop State)"
    is container "$(job_get t-stop "$n" EndReason)"
    wardenctl start t-stop
    inside t-stop true

    wardenctl freeze t-stop
    wardenctl destroy t-stop
    gone t-stop

    create t-kill
    n=$(spawn t-kill sleep 1000)
    wardenctl freeze t-kill
    wardenctl kill -s KILL t-kill
    until_true ended t-kill "$n"
    until_true state_is t-kill active
    inside t-kill true
}

@test "stays frozen when wardend is killed, and is thawed by the next" {
    counter t-restart
    wardenctl freeze t-restart
    daemon_kill
    daemon_wait
    is frozen "$(container_get t-restart State)"
    stands_still
    refuses inside t-restart true
    wardenctl thaw t-restart
    counts_on
    inside t-restart true
    is running "$(job_get t-restart "$JOB" State)"

    wardenctl freeze t-restart
    daemon_kill
    daemon_wait
    wardenctl stop t-restart
    is stopped "$(container_get t-restart State)"
    clean_up
}

# bats test_tags=anywhere
@test "catches up with a container that forks" {
    create t-fork --tasks-max 200
    spawn t-fork /bin/sh -c 'while :; do (sleep 0.01; :) & (:) & wait; done' >/dev/null
    spawn t-fork /bin/sh -c 'while :; do /bin/true; done' >/dev/null
    wardenctl freeze t-fork
    is frozen "$(container_get t-fork State)"
    local group before
    group=$(container_get t-fork ControlGroup)
    case $(cgroup_mode) in
        unified) procs() { cat "/sys/fs/cgroup$group/cgroup.procs"; } ;;
        hybrid) procs() { cat "/sys/fs/cgroup/unified$group/cgroup.procs"; } ;;
        legacy) procs() { cat "/sys/fs/cgroup/systemd$group/cgroup.procs"; } ;;
    esac
    before=$(procs)
    sleep 0.3
    is "$before" "$(procs)"
    wardenctl thaw t-fork
    wardenctl destroy t-fork
}

@test "leaves no group behind on cgroup v1" {
    [[ $(cgroup_mode) != unified ]] || skip "systemd keeps the groups of cgroup v2"
    local group
    create t-group
    group=$(freezer_group t-group)
    wardenctl freeze t-group
    [[ -d $group ]]
    wardenctl destroy t-group
    [[ ! -e $group ]]
}

# bats test_tags=anywhere
@test "refuses to freeze what does not run" {
    create t-off
    wardenctl stop t-off
    refuses wardenctl freeze t-off
    like "Cannot freeze while the container is stopped" "$output"
    refuses wardenctl thaw t-off
    like "Cannot thaw" "$output"
}
