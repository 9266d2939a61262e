#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2016,SC2009 # scripts for a shell in the container; pgrep does not know control groups
#
# What is mounted into a container, and whose its files are.

# bats file_tags=anywhere

load lib

setup() {
    DIR=$(real_directory)
    chmod 0755 "$DIR"
    echo from-host >"$DIR/file"
}

teardown() {
    case_end
    awk -v dir="$DIR/" 'index($2, dir) == 1 { print $2 }' /proc/mounts | xargs -r umount
    rm -rf "$DIR"
}

@test "shows a directory of the host, and changes go both ways" {
    chmod 0777 "$DIR"
    create t-bind --bind "$DIR:/srv/data"
    is from-host "$(inside t-bind cat /srv/data/file)"
    script_in t-bind 'echo from-inside >/srv/data/reply'
    is from-inside "$(cat "$DIR/reply")"
    # Not idmapped: what root of the container makes belongs to the user that it is on the host.
    is "$(container_get t-bind UIDBase)" "$(stat -c %u "$DIR/reply")"
}

@test "writes nothing through a read-only bind, and cannot make it writable" {
    chmod 0777 "$DIR"
    create t-bind --bind "$DIR:/srv/data:ro"
    is from-host "$(inside t-bind cat /srv/data/file)"
    refuses script_in t-bind 'echo x >/srv/data/new'
    like 'Read-only' "$output"
    refuses inside t-bind mount -o remount,rw,bind /srv/data
    [[ ! -e $DIR/new ]]
}

@test "shifts the owners of an idmapped bind, so that root inside is root outside, there" {
    create t-bind --bind "$DIR:/srv/data:idmap,nosuid"
    is "0 0" "$(inside t-bind stat -c '%u %g' /srv/data/file)"
    script_in t-bind 'echo x >/srv/data/mine; chown 33:33 /srv/data/mine'
    is "33 33" "$(stat -c '%u %g' "$DIR/mine")"
}

@test "leaves the owners of a plain bind alone" {
    create t-bind --bind "$DIR:/srv/data"
    is "65534 65534" "$(inside t-bind stat -c '%u %g' /srv/data/file)"
    refuses script_in t-bind 'echo x >/srv/data/new'
    like 'Permission denied' "$output"
}

@test "binds a single file, and makes what is missing for it" {
    create t-bind --bind "$DIR/file:/srv/a/b/c:ro"
    is from-host "$(inside t-bind cat /srv/a/b/c)"
    refuses script_in t-bind 'echo x >/srv/a/b/c'
}

@test "shows the mounts below a bind, and those of the host later do not appear" {
    mkdir "$DIR/below" "$DIR/later"
    mount -t tmpfs -o size=1M below "$DIR/below"
    echo deep >"$DIR/below/deep"
    create t-bind --bind "$DIR:/srv/data:ro"
    is deep "$(inside t-bind cat /srv/data/below/deep)"
    refuses script_in t-bind 'echo x >/srv/data/below/x'
    mount -t tmpfs -o size=1M later "$DIR/later"
    echo late >"$DIR/later/late"
    refuses inside t-bind test -e /srv/data/later/late
}

@test "runs set-id programs of an idmapped bind for privileged jobs only, and of a nosuid one never" {
    cp /usr/bin/id "$DIR/id"
    chmod 4755 "$DIR/id"
    create t-bind --bind "$DIR:/srv/data:idmap" --bind "$DIR:/srv/nosuid:idmap,nosuid"
    like 'uid=1000[^ ]* .*euid=0' "$(wardenctl exec --privileged -u 1000:1000 t-bind -- /srv/data/id)"
    unlike 'euid=' "$(wardenctl exec -u 1000:1000 t-bind -- /srv/data/id)"
    unlike 'euid=' "$(wardenctl exec --privileged -u 1000:1000 t-bind -- /srv/nosuid/id)"
}

@test "opens no devices of a nodev bind, and runs no programs of a noexec one" {
    mknod -m 0666 "$DIR/null" c 1 3
    cp /usr/bin/id "$DIR/id"
    create t-bind --bind "$DIR:/srv/data:nodev,noexec"
    refuses script_in t-bind 'echo x >/srv/data/null'
    ends_with 126 inside t-bind /srv/data/id
}

@test "mounts file systems in memory with size and mode" {
    create t-memory --tmpfs /scratch:size=4M,mode=0750 --tmpfs /cache:ro
    is "750 tmpfs" "$(script_in t-memory 'echo $(stat -c %a /scratch) $(stat -f -c %T /scratch)')"
    refuses inside t-memory dd if=/dev/zero of=/scratch/big bs=1M count=8
    like 'No space left' "$output"
    refuses script_in t-memory 'echo x >/cache/x'
    refuses script_in t-memory 'cp /bin/true /scratch/true; rm -f /scratch/big; cp /bin/true /scratch/true && /scratch/true'
}

@test "mounts outer before inner, in whatever order they are given" {
    create t-order --bind "$DIR:/scratch/data:ro" --tmpfs /scratch
    is from-host "$(inside t-order cat /scratch/data/file)"
    is tmpfs "$(inside t-order stat -f -c %T /scratch)"
}

@test "mounts nothing over /proc, /sys or /dev that a program relies on" {
    for destination in /proc /proc/sys /proc/1/root; do
        refuses create t-over --bind "$DIR:$destination"
    done
    gone t-over
}

@test "makes its root nobody on the host, from the pool, one range for each container" {
    create t-one
    create t-two
    local one two
    one=$(stat -c %u "/proc/$(leader t-one)")
    two=$(stat -c %u "/proc/$(leader t-two)")
    ((one >= 65536 && two >= 65536))
    is "$one" "$(container_get t-one UIDBase)"
    is 65536 "$(container_get t-one UIDCount)"
    is "0 $one 65536" "$(inside t-one cat /proc/self/uid_map | tr -s ' ' | sed 's/^ //')"
    is "0 $one 65536" "$(inside t-one cat /proc/self/gid_map | tr -s ' ' | sed 's/^ //')"
    ((one + 65536 <= two || two + 65536 <= one))
}

@test "gives a range that was asked for, exactly" {
    create t-range --private-users 700000:1000
    is "0 700000 1000" "$(inside t-range cat /proc/self/uid_map | tr -s ' ' | sed 's/^ //')"
    is 700000 "$(stat -c %u "/proc/$(leader t-range)")"
    is 700000:1000 "$(container_get t-range PrivateUsers)"
}

@test "runs as the host's users when told to, with fewer capabilities than they have" {
    create t-plain --private-users no
    is 0 "$(stat -c %u "/proc/$(leader t-plain)")"
    is 0 "$(container_get t-plain UIDCount)"
    is "$(readlink /proc/self/ns/user)" "$(readlink "/proc/$(leader t-plain)/ns/user")"
    [[ $(grep CapBnd "/proc/$(leader t-plain)/status") != "$(grep CapBnd /proc/self/status)" ]]
    refuses inside t-plain mknod /tmp/disk b 8 0
    refuses script_in t-plain 'echo x >/proc/sys/kernel/core_pattern'
}

@test "gives a range back, and to whom it was leased over a restart" {
    create t-first
    local base
    base=$(container_get t-first UIDBase)
    systemctl restart wardend.service
    is "$base" "$(container_get t-first UIDBase)"
    create t-second
    [[ $(container_get t-second UIDBase) != "$base" ]]
    wardenctl destroy t-first
    create t-third
    is "$base" "$(container_get t-third UIDBase)"
}
