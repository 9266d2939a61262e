#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2016 # scripts for a shell in the container
#
# What one limited container does wrong leaves another's work unharmed: it is done, and its result is right.

load lib

setup_file() {
    file_begin
    create s-neighbour
}

# A piece of work with a result that tells whether all of it was done.
ROUNDS=$(scaled 200000 20000)
WORK='i=0; s=0; while [ $i -lt '$ROUNDS' ]; do i=$((i+1)); s=$(((s+i*i)%1000003)); done; echo $s; head -c 4M /dev/zero | md5sum'
RESULT=$(scaled 664002 669426)$'\nb5cfa9d6c8febd618f91ac2843d50a1c  -'

works() {
    local result
    result=$(inside s-neighbour sh -c "$WORK")
    is "$RESULT" "$result"
    state_is s-neighbour active
}

# peak NAME TASKS: waits until the container's attack is under way
has_tasks() { (($(cgroup_file "$1" pids pids.current) >= $2)); }

@test "knows the right result of the work" { works; }

@test "a memory hog leaves its neighbour's work unharmed" {
    create t-hog -m 32M --oom-policy continue
    spawn t-hog sh -c 'while :; do head -c 300M /dev/zero | tail -c 200M >/dev/null; done' >/dev/null
    works
    works
}

# bats test_tags=anywhere
@test "a fork bomb leaves its neighbour's work unharmed" {
    create t-bomb --tasks-max 100 -m 64M --oom-policy continue
    # each makes two more; those that cannot be made are tried again
    spawn t-bomb bash -c 'f() { f | f & }; while :; do f; done' >/dev/null
    until_true has_tasks t-bomb 60
    works
    (($(cgroup_file t-bomb pids pids.current) <= 100))
    wardenctl destroy t-bomb
    works
}

# bats test_tags=anywhere
@test "a processor hog leaves its neighbour's work unharmed" {
    create t-cpu --cpus 0.2
    local i
    for i in 1 2 3 4 5 6 7 8; do spawn t-cpu sh -c 'while :; do :; done' >/dev/null; done
    works
    # It was held back while the neighbour worked.
    (($(cgroup_file t-cpu cpu cpu.stat | sed -n 's/^nr_throttled //p') > 0))
}

# bats test_tags=anywhere
@test "a disk hog leaves its neighbour's work unharmed" {
    create t-disk --storage loop --disk 64M
    spawn t-disk sh -c 'while :; do head -c 100M /dev/zero >/full 2>/dev/null; rm -f /full; done' >/dev/null
    is_filling() { (($(wardenctl stats --json t-disk | jq '."t-disk".DiskCurrent') > 32 << 20)); }
    until_true is_filling
    works
    is 96995b58d4cbf6aaa9041b4f00c7f6ae \
        "$(script_in s-neighbour 'dd if=/dev/zero of=/work bs=1M count=8 conv=fsync 2>/dev/null; md5sum </work; rm /work' | cut -c1-32)"
}
