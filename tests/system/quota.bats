#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Project quota of ext4. Needs a kernel with quota_v2: the virtual machine's.

load lib
load lib-quota

setup_file() { disk_begin ext4; }

@test "a container cannot write more than DiskMax, and its neighbour does not notice" {
    create t-hog --disk 16M
    create t-good --disk 16M
    refuses script_in t-hog 'dd if=/dev/zero of=/big bs=1M count=32 2>&1'
    like 'quota exceeded' "$output"
    (($(script_in t-hog 'stat -c %s /big') < 16 << 20))
    script_in t-good 'dd if=/dev/zero of=/big bs=1M count=8 2>&1; test "$(stat -c %s /big)" = 8388608'
    # What it deletes it may write again.
    script_in t-hog 'rm /big; dd if=/dev/zero of=/big bs=1M count=8 2>&1; test "$(stat -c %s /big)" = 8388608'
}

@test "a container cannot make more files than DiskInodesMax" {
    create t-a --disk-inodes 100
    refuses script_in t-a 'for i in $(seq 200); do : >/f$i || exit 1; done'
    like 'quota exceeded' "$output"
    script_in t-a 'test -e /f80 && test ! -e /f100'
    is '{"type":"a{sv}","data":{"DiskInodesMax":{"type":"t","data":100}}}' \
        "$(busctl get-property -j "$BUS" "$(path_of t-a)" "$BUS.Container" Limits)"
}

@test "all that is in a layer is of the container's project, and its root cannot change that" {
    local id
    create t-a --disk 16M
    id=$(project_of t-a)
    like '^50000[0-3]$' "$id"
    script_in t-a 'mkdir -p /a/b/c && touch /a/b/c/d && rm /etc/hostname && echo >>/etc/passwd && mv /a/b /b'
    is "$id" "$(projects_in t-a)"
    # The program does what it is to be kept from: it can on the host, and it runs inside.
    : >"$DISK/free"
    chattr -p 7 "$DISK/free"
    is 7 "$(lsattr -p "$DISK/free" | awk '{ print $1 }')"
    rm "$DISK/free"
    script_in t-a 'cat >/b/chattr; chmod 755 /b/chattr' <"$(command -v chattr)"
    like 'Usage: ' "$(script_in t-a '/b/chattr 2>&1 || true')"
    # In the user namespace of the container the ioctl that it uses is refused.
    for file in /b /b/c/d; do
        refuses script_in t-a "/b/chattr -p 7 $file 2>&1"
        like 'while setting project' "$output"
    done
    is "$id" "$(projects_in t-a)"
}

@test "limits hold over a restart of the container and of the daemon" {
    local id
    create t-a --disk 16M
    id=$(project_of t-a)
    daemon_kill
    daemon_wait
    create t-b --disk 16M
    [[ $(project_of t-b) != "$id" ]]
    fill t-a 8
    wardenctl stop t-a
    wardenctl start t-a
    is "$id" "$(project_of t-a)"
    refuses script_in t-a 'dd if=/dev/zero of=/more bs=1M count=12 2>&1'
    like 'quota exceeded' "$output"
}

@test "ids are given back when the files are gone, and nothing is left of a project" {
    until_true no_projects
    for i in $(seq "$(scaled 50 12)"); do
        until_true create "t-$i" --disk 16M
        ((i % 4)) || script_in "t-$i" 'dd if=/dev/zero of=/big bs=1M count=8 2>/dev/null'
        wardenctl destroy "t-$i"
    done
    until_true no_projects
    # Those of a container that could not be made, too.
    refuses create t-bad --disk 16M --bind /nonexistent:/mnt
    until_true no_projects
}

@test "when all ids are leased, the next container is refused, others are not" {
    for i in 1 2 3 4; do until_true create "t-$i" --disk 16M; done
    refuses create t-5 --disk 16M
    like 'ProjectPool=' "$output"
    gone t-5
    create t-6
    wardenctl destroy t-2
    until_true create t-5 --disk 16M
}

@test "infinity is counted, and no limit" {
    create t-a --disk infinity
    fill t-a 32
    like '#50000[0-3] .*' "$(projects)"
    is 0 "$(projects | awk '{ print $5 }')"
    (($(projects | awk '{ print $3 }') >= 32768))
}

@test "a disk without the mount option is said to lack it" {
    umount "$DISK" 2>/dev/null || { systemctl stop wardend.service; umount "$DISK"; }
    mount -o loop "$DISK.img" "$DISK"
    systemctl restart wardend.service
    refuses create t-a --disk 16M
    like 'without the option prjquota' "$output"
    systemctl stop wardend.service
    umount "$DISK"
    mount -o loop,prjquota "$DISK.img" "$DISK"
    systemctl start wardend.service
    create t-a --disk 16M
}

@test "limits are raised and lowered while the container runs, and survive the daemon" {
    create t-a --disk 16M --disk-inodes 100
    refuses script_in t-a 'dd if=/dev/zero of=/big bs=1M count=24 2>&1'
    container_call t-a SetLimits 'a{sv}' 1 DiskMax t $((64 << 20))
    script_in t-a 'dd if=/dev/zero of=/big bs=1M count=24 2>&1'
    daemon_kill
    daemon_wait
    is $((64 << 20)) "$(container_get t-a Limits | jq .DiskMax.data)"
    # Below what is there: kept, and nothing added.
    container_call t-a SetLimits 'a{sv}' 1 DiskMax t $((8 << 20))
    refuses script_in t-a 'dd if=/dev/zero of=/more bs=1M count=1 2>&1'
    like 'quota exceeded' "$output"
    is $((24 << 20)) "$(script_in t-a 'stat -c %s /big')"
    container_call t-a SetLimits 'a{sv}' 2 DiskMax t 18446744073709551615 DiskInodesMax t 50
    script_in t-a 'dd if=/dev/zero of=/more bs=1M count=24 2>&1'
    refuses script_in t-a 'for i in $(seq 60); do : >/f$i || exit 1; done'
    refuses container_call t-a SetLimits 'a{sv}' 1 DiskMax t 5
    create t-b
    refuses container_call t-b SetLimits 'a{sv}' 1 DiskMax t $((64 << 20))
    like 'created with' "$output"
}

@test "statistics tell what is there beside what may be" {
    local stats
    create t-a --disk 16M --disk-inodes 100
    fill t-a 4
    stats=$(container_call t-a GetStats | jq '.data[0] | map_values(.data)')
    (($(jq .DiskCurrent <<<"$stats") >= 4 << 20 && $(jq .DiskCurrent <<<"$stats") < 5 << 20))
    is $((16 << 20)) "$(jq .DiskMax <<<"$stats")"
    (($(jq .DiskInodesCurrent <<<"$stats") >= 5 && $(jq .DiskInodesCurrent <<<"$stats") < 20))
    is 100 "$(jq .DiskInodesMax <<<"$stats")"
}
