#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Project quota of XFS, where it has calls of its own. Needs a kernel with XFS_QUOTA: the virtual machine's.

load lib
load lib-quota

setup_file() { disk_begin xfs; }

@test "holds a container to bytes and files on XFS, and its limits may change" {
    local id
    create t-a --disk 16M --disk-inodes 100
    create t-b --disk 16M
    id=$(project_of t-a)
    like '^50000[0-3]$' "$id"
    refuses script_in t-a 'dd if=/dev/zero of=/big bs=1M count=24 2>&1'
    like 'quota exceeded|No space left' "$output"
    refuses script_in t-a 'for i in $(seq 200); do : >/f$i || exit 1; done'
    is "$id" "$(projects_in t-a)"
    script_in t-b 'dd if=/dev/zero of=/big bs=1M count=8 2>&1'
    container_call t-a SetLimits 'a{sv}' 2 DiskMax t $((64 << 20)) DiskInodesMax t 1000
    script_in t-a 'dd if=/dev/zero of=/big bs=1M count=24 2>&1; : >/another'
    daemon_kill
    daemon_wait
    refuses script_in t-a 'dd if=/dev/zero of=/big bs=1M count=80 2>&1'
}

@test "counts what is there on XFS, and gives ids back" {
    local stats
    create t-a --disk 16M --disk-inodes 100
    fill t-a 4
    stats=$(container_call t-a GetStats | jq '.data[0] | map_values(.data)')
    (($(jq .DiskCurrent <<<"$stats") >= 4 << 20 && $(jq .DiskCurrent <<<"$stats") < 6 << 20))
    (($(jq .DiskInodesCurrent <<<"$stats") >= 5 && $(jq .DiskInodesCurrent <<<"$stats") < 20))
    wardenctl destroy t-a
    # Four ids are all there are: each is leased again when its files are gone.
    for _ in $(seq 12); do
        until_true create t-again --disk 16M
        wardenctl destroy t-again
    done
}
