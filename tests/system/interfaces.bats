#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The interfaces of a container: what its own is called, and those of the host that are moved into it.
#
# bats file_tags=network,anywhere

load lib
load lib-world

setup_file() {
    file_begin
    world_up
}

teardown_file() {
    world_down
    file_end
}

@test "calls the interface inside as the client wants it" {
    create t-one --interface-name net0
    is net0 "$(container_get t-one InterfaceName)"
    is $'lo\nnet0' "$(inside t-one ls /sys/class/net)"
    inside t-one ping -c 1 -W 2 "$WORLD4"
    inside t-one ping -c 1 -W 2 "$WORLD6"
    wardenctl stop t-one >/dev/null
    wardenctl start t-one >/dev/null
    is $'lo\nnet0' "$(inside t-one ls /sys/class/net)"
    refuses create t-two --interface-name lo
    like "InterfaceName: 'lo' is not" "$output"
    gone t-two
}
