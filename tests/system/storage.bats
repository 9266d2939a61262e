#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Where layers are when the host's file system has no project quota: an image of their own, or memory.

load lib

LAYERS=/var/lib/warden/containers

# devices: the loop devices that have an image of ours
devices() { losetup --noheadings --output BACK-FILE --list | grep "/containers/[^/]*/image" || true; }
no_devices() { [[ -z $(devices) ]]; }
image_of() { echo "$LAYERS/$(container_get "$1" Id)/image"; }
image_kib() { du -k "$(image_of "$1")" | cut -f1; }

# On kernels before 6.6 a tmpfs holds no attributes of a user.
has_tmpfs() { [[ $(printf '%s\n' 6.6 "$(uname -r)" | sort -V | head -n 1) == 6.6 ]]; }

# bats test_tags=anywhere
@test "refuses a disk limit where nothing could enforce it, and says what to do" {
    [[ $(findmnt -n -o OPTIONS -T /var/lib/warden) != *prjquota* ]] || skip "/var/lib/warden has project quota"
    refuses create t-a --disk 16M
    like 'DiskMax.*/var/lib/warden .*prjquota.*loop.*tmpfs' "$output"
    refuses create t-a --disk-inodes 100
    like 'DiskInodesMax' "$output"
    gone t-a
    create t-a --storage directory
    is directory "$(container_get t-a Storage)"
}

# bats test_tags=anywhere
@test "an image needs a size" {
    refuses create t-a --storage loop
    like 'DiskMax' "$output"
    refuses create t-a --storage loop --disk infinity
    refuses create t-a --storage loop --disk 4M
    like 'DiskMax: 4194304' "$output"
    refuses create t-a --storage loop --disk 16M --disk-inodes 10000
    like 'DiskInodesMax' "$output"
    gone t-a
    no_devices
}

@test "a container cannot write more than its image holds, and its neighbour does not notice" {
    create t-hog --storage loop --disk 16M
    create t-good --storage loop --disk 16M
    refuses script_in t-hog 'dd if=/dev/zero of=/big bs=1M count=32 2>&1'
    like 'No space left' "$output"
    script_in t-good 'dd if=/dev/zero of=/big bs=1M count=8 2>&1; test "$(stat -c %s /big)" = 8388608'
    (($(script_in t-hog 'stat -c %s /big') < 16777216))
    # Nor more files than it has inodes.
    create t-many --storage loop --disk 16M --disk-inodes 100
    refuses script_in t-many 'for i in $(seq 200); do : >/f$i || exit 1; done'
    like 'No space left' "$output"
    script_in t-many 'test -e /f80 && test ! -e /f130'
}

# bats test_tags=anywhere
@test "files of an image have the container's owners, and all of an overlay works" {
    create t-a --storage loop --disk 16M
    script_in t-a 'touch /x && chown 33:33 /x && test "$(stat -c %u:%g /x)" = 33:33 &&
        rm -r /opt && mkdir /opt && test -z "$(ls -A /opt)" && mv /srv /srv2 2>/dev/null; ln /x /y && rm /etc/hostname'
    create t-b --storage loop --disk 16M --private-users no
    script_in t-b 'touch /x && chown 33:33 /x && rm -r /opt && mkdir /opt && test -z "$(ls -A /opt)"'
}

# bats test_tags=anywhere
@test "no mount of an image is the host's, and a space that is freed inside is the host's again" {
    local before
    before=$(cat /proc/mounts)
    create t-a --storage loop --disk 64M
    is "$before" "$(cat /proc/mounts)"
    is 600 "$(stat -c %a "$(image_of t-a)")"
    (($(image_kib t-a) < 4096))
    script_in t-a 'dd if=/dev/urandom of=/big bs=1M count=32 2>/dev/null; sync'
    # What the overlay is told to write out it does not: that is what a layer is spared.
    refuses script_in t-a 'mount -o remount,rw /'
    wardenctl stop t-a
    (($(image_kib t-a) >= 32768))
    wardenctl start t-a
    script_in t-a 'rm /big'
    wardenctl stop t-a
    (($(image_kib t-a) < 8192))
}

# bats test_tags=anywhere
@test "an image is there again after a stop and after the daemon's end" {
    create t-a --storage loop --disk 16M
    script_in t-a 'echo kept >/x'
    wardenctl stop t-a
    until_true no_devices
    daemon_kill
    daemon_wait
    wardenctl start t-a
    is kept "$(inside t-a cat /x)"
    daemon_kill
    daemon_wait
    is kept "$(inside t-a cat /x)"
    kill -KILL "$(leader t-a)"
    until_true state_is t-a stopped
    wardenctl start t-a
    is kept "$(inside t-a cat /x)"
}

# bats test_tags=anywhere
@test "somebody who still holds the old mount does not get a second writer beside him" {
    create t-a --storage loop --disk 16M
    exec 8</proc/"$(leader t-a)"/root
    wardenctl stop t-a
    is 1 "$(devices | wc -l)"
    wardenctl start t-a
    is 1 "$(devices | wc -l)"
    script_in t-a 'echo new >/x'
    exec 8<&-
    is new "$(inside t-a cat /x)"
}

# bats test_tags=anywhere
@test "an image and its device go with the container, however it ends" {
    local image
    create t-a --storage loop --disk 16M
    image=$(image_of t-a)
    [[ -e $image ]]
    script_in t-a 'dd if=/dev/zero of=/big bs=1M count=8 2>/dev/null'
    wardenctl destroy t-a
    [[ ! -e $image ]]
    until_true no_devices
    # One that fails half-way.
    refuses create t-b --storage loop --disk 16M --bind /nonexistent:/mnt
    until_true no_devices
    for _ in $(seq "$(scaled 20 3)"); do
        create t-c --storage loop --disk 16M
        wardenctl destroy t-c
    done
    until_true no_devices
}

# bats test_tags=anywhere
@test "a layer in memory is bounded, charged to the container, and empty after a stop" {
    local before after
    has_tmpfs || skip "this kernel's tmpfs has no user attributes"
    create t-a --storage tmpfs --disk 16M --disk-inodes 100
    refuses script_in t-a 'dd if=/dev/zero of=/big bs=1M count=32 2>&1'
    like 'No space left' "$output"
    script_in t-a 'rm /big'
    refuses script_in t-a 'for i in $(seq 200); do : >/f$i || exit 1; done'
    script_in t-a 'rm /f*; rm -r /opt && mkdir /opt && test -z "$(ls -A /opt)"'
    before=$(memory_bytes t-a)
    script_in t-a 'dd if=/dev/zero of=/big bs=1M count=12 2>/dev/null'
    after=$(memory_bytes t-a)
    ((after - before > 8 << 20)) || { echo "$before $after"; false; }
    wardenctl stop t-a
    wardenctl start t-a
    script_in t-a 'test ! -e /big && test -e /etc/passwd'
    [[ ! -e $LAYERS/$(container_get t-a Id) ]]
}

memory_bytes() {
    if [[ $(cgroup_mode) == unified ]]; then cgroup_file "$1" memory memory.current
    else cgroup_file "$1" memory memory.usage_in_bytes; fi
}

@test "where memory cannot hold a layer of private users, that is said" {
    ! has_tmpfs || skip "this kernel's tmpfs has user attributes"
    refuses create t-a --storage tmpfs
    like 'tmpfs.*6\.6.*loop' "$output"
    gone t-a
    create t-b --storage tmpfs --private-users no --disk 16M
    refuses script_in t-b 'dd if=/dev/zero of=/big bs=1M count=32 2>&1'
    like 'No space left' "$output"
}

# bats test_tags=anywhere
@test "sizes of images and of memory cannot be changed, and statistics know an image's blocks" {
    create t-a --storage loop --disk 16M
    refuses container_call t-a SetLimits 'a{sv}' 1 DiskMax t $((64 << 20))
    like "cannot be changed with Storage 'loop'" "$output"
    is $((16 << 20)) "$(container_get t-a Limits | jq .DiskMax.data)"
    is $(($(stat -c %b "$(image_of t-a)") * 512)) "$(container_call t-a GetStats | jq '.data[0].DiskCurrent.data')"
    container_call t-a SetLimits 'a{sv}' 1 TasksMax t 50
}
