#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# No room to save the state: what cannot be saved is not done and said so, what was saved stays, and the way out works.
# bats file_tags=anywhere

load lib

RUN=/run/warden-small
DROP_IN=/etc/warden/wardend.conf.d/50-small.conf

setup_file() {
    mkdir -p "$RUN" "${DROP_IN%/*}"
    mount -t tmpfs -o size=1M,mode=700 none "$RUN"
    printf '[Manager]\nRuntimeDirectory=%s\n' "$RUN" >"$DROP_IN"
    systemctl restart wardend.service
    file_begin
}

teardown_file() {
    rm -f "$RUN/ballast"
    file_end || touch "$BATS_FILE_TMPDIR/failed"
    rm -f "$DROP_IN"
    systemctl restart wardend.service
    umount "$RUN"
    rmdir "$RUN"
    [[ ! -e $BATS_FILE_TMPDIR/failed ]]
}

teardown() {
    make_room
    case_end
}

# Pages and, since small files may fit into what is left of nothing, inodes of a tmpfs are both pages here.
fill_up() { dd if=/dev/zero of="$RUN/ballast" bs=4k 2>/dev/null || true; }
make_room() { rm -f "$RUN/ballast"; }
half_written() { find "$RUN" -name '.#*'; }

@test "what cannot be saved is refused by name, and nothing is half-written" {
    local before
    create t-a
    before=$(md5sum "$RUN/containers/$(container_get t-a Id)/state")
    fill_up
    refuses create t-b
    like 'No space left' "$output"
    gone t-b
    refuses spawn t-a /bin/sleep 100
    like 'No space left' "$output"
    refuses container_call t-a SetLimits 'a{sv}' 1 TasksMax t 50
    like 'No space left' "$output"
    is '' "$(half_written)"
    is "$before" "$(md5sum "$RUN/containers/$(container_get t-a Id)/state")"
    # The daemon did not end, nor did the container.
    state_is t-a active
    make_room
    create t-b
    inside t-a /bin/true
}

@test "what was saved is read again by the next daemon" {
    create t-a --label kept=yes
    fill_up
    daemon_kill
    daemon_wait
    state_is t-a active
    like kept "$(container_get t-a Labels)"
    make_room
    inside t-a /bin/true
}

@test "stop and destroy work: they are the way to make room" {
    create t-a
    create t-b
    fill_up
    wardenctl stop t-a
    state_is t-a stopped
    wardenctl destroy t-a
    wardenctl destroy t-b
    gone t-a
    gone t-b
    is '' "$(half_written)"
}
