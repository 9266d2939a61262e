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

# cable NAME: an interface of the host whose other end is "far"
cable() {
    ip link add "$1" type veth peer name "far-$1"
    ip link set "far-$1" up
}

has_interface() { [[ -e /sys/class/net/$1 ]]; }
lost_interface() { ! has_interface "$1"; }
cables_remove() { for name in /sys/class/net/{c,far-c,dev}[0-9]; do ip link del "${name##*/}" 2>/dev/null || true; done; }

teardown() {
    case_end
    cables_remove
}

@test "moves interfaces of the host in before the first instruction, and gives them back" {
    cable c1
    cable c2
    create t-one --interface c1 --interface c2
    is $'c1\nc2\neth0\nlo' "$(inside t-one ls /sys/class/net)"
    is '["c1","c2"]' "$(container_get t-one Interfaces | jq -c .)"
    like 'Interfaces: c1' "$(wardenctl info t-one)"
    lost_interface c1
    # They work: configured from the host, as the container may not do that itself.
    nsenter -t "$(container_get t-one Leader)" -n ip addr add 192.0.2.130/30 dev c1
    nsenter -t "$(container_get t-one Leader)" -n ip link set c1 up
    ip addr add 192.0.2.129/30 dev far-c1
    inside t-one ping -c 1 -W 2 192.0.2.129
    inside t-one ping -c 1 -W 2 "$WORLD4"
    wardenctl stop t-one >/dev/null
    has_interface c1
    has_interface c2
    wardenctl start t-one >/dev/null
    lost_interface c1
    is $'c1\nc2\neth0\nlo' "$(inside t-one ls /sys/class/net)"
    wardenctl destroy t-one >/dev/null
    has_interface c1
    has_interface c2
    is '' "$(grep /run/warden/ /proc/1/mountinfo | grep nsfs || true)"
}

@test "moves them into a container without another network" {
    cable c1
    create t-one --network none --interface c1
    is $'c1\nlo' "$(inside t-one ls /sys/class/net)"
    wardenctl destroy t-one >/dev/null
    has_interface c1
}

# bats test_tags=kernel
@test "gives them back when the first process is killed" {
    cable c1
    create t-one --interface c1
    kill -KILL "$(container_get t-one Leader)"
    until_true has_interface c1
    until_true wardenctl start t-one
    is $'c1\neth0\nlo' "$(inside t-one ls /sys/class/net)"
}

@test "gives them back over deaths of the daemon" {
    cable c1
    create t-one --interface c1
    daemon_kill
    daemon_wait
    lost_interface c1
    is $'c1\neth0\nlo' "$(inside t-one ls /sys/class/net)"
    # And when the container ends while nobody watches.
    local leader
    leader=$(container_get t-one Leader)
    systemctl stop wardend.service
    kill -KILL "$leader"
    systemctl start wardend.service
    daemon_wait
    until_true has_interface c1
    wardenctl destroy t-one >/dev/null
    has_interface c1
}

@test "gives back by another name where its own is taken, and one that was renamed" {
    cable c1
    cable c2
    create t-one --interface c1 --interface c2
    ip link add c1 type veth peer name far-c3
    nsenter -t "$(container_get t-one Leader)" -n ip link set c2 name mine
    wardenctl destroy t-one >/dev/null
    # As devN: the one that the far end of the first is of.
    like 'far-c1@dev[0-9]' "$(ip -br link show far-c1)"
    has_interface c2
}

@test "lets one container have an interface, and names the owner" {
    cable c1
    create t-one --interface c1
    refuses create t-two --interface c1
    like "Interfaces: 'c1' is container 't-one''s" "$output"
    wardenctl stop t-one >/dev/null
    refuses create t-two --interface c1
    wardenctl destroy t-one >/dev/null
    create t-two --interface c1
}

@test "refuses interfaces that cannot be had, and moves none" {
    cable c1
    refuses create t-one --interface c1 --interface nowhere
    like "Interfaces: the host has no interface 'nowhere'" "$output"
    has_interface c1
    refuses create t-one --interface up0
    like "the host's default route \(IPv4\) goes through 'up0'" "$output"
    # A host may have but one of IPv6, or each by another interface.
    ip link set c1 up
    ip -6 route replace default dev c1
    refuses create t-one --interface c1
    like "the host's default route \(IPv6\) goes through 'c1'" "$output"
    has_interface c1
    ip route del default
    ip -6 route replace default via "$WORLD6"
    refuses create t-one --interface up0
    like "the host's default route \(IPv6\) goes through 'up0'" "$output"
    ip route add default via "$WORLD4"
    refuses create t-one --interface c1 --network host
    # One that has been moved when a later step fails comes back.
    refuses create t-one --interface c1 --tmpfs /proc/self/nowhere
    until_true has_interface c1
    gone t-one
    is '' "$(grep /run/warden/ /proc/1/mountinfo | grep nsfs || true)"
}
