#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# bats file_tags=anywhere
#
# Policies of egress, each with every kind of packet, to every kind of place, on both versions of IP: what is said of
# one holds for the other.

load lib
load lib-world

CONF=/run/warden/wardend.conf.d/test-matrix.conf

# Answers every datagram to an address; of a host with several the answer would come from another one.
ECHO='import socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 7000))
while True: s.sendto(b"seen", s.recvfrom(99)[1])'

setup_file() {
    world_up
    file_begin
    create s-one
    create s-two
    web s-two
    wardenctl exec -d s-two -- python3 -c "$ECHO" "$(address4 s-two)" >/dev/null
    wardenctl exec -d s-two -- python3 -c "$ECHO" "$(address6 s-two)" >/dev/null
}

teardown_file() {
    rm -rf "${CONF%/*}"
    file_end
    world_down
}

setup() {
    serve "$HOST4" "$HOST6"
    serve "$WORLD4" "$WORLD6" in_world
}

# serve ADDRESS4 ADDRESS6 [PREFIX]
serve() {
    local address prefix=${3-}
    # shellcheck disable=SC2086 # none is no word
    in_background "$BATS_TEST_TMPDIR/tcp$prefix" $prefix socat TCP6-LISTEN:80,ipv6only=0,reuseaddr,fork -
    until_true $prefix nc -z "$1" 80
    for address in "$1" "$2"; do
        # shellcheck disable=SC2086
        in_background "$BATS_TEST_TMPDIR/udp$address" $prefix python3 -c "$ECHO" "$address"
        until_true $prefix bash -c "echo hi | nc -u -w 1 $address 7000 | grep seen"
    done
}

teardown() {
    wardenctl egress -q s-one | xargs -r wardenctl egress s-one deny
    case_end
    [[ ! -e $CONF ]] || { rm -r "${CONF%/*}" && systemctl reload wardend.service; }
}

# places: where s-one may want to go
places() {
    local protocol
    for protocol in tcp udp icmp; do
        echo "4 world $protocol $WORLD4"
        echo "6 world $protocol $WORLD6"
        echo "4 host $protocol $HOST4"
        echo "6 host $protocol $HOST6"
        echo "4 other $protocol $(address4 s-two)"
        echo "6 other $protocol $(address6 s-two)"
    done
}

# reached: the kinds and places that it reaches, a line each and sorted
reached() {
    # shellcheck disable=SC2016 # a script for a shell in the container
    places | script_in s-one 'while read -r version place protocol address; do
        case $protocol in
        tcp) nc -w 2 -z "$address" 80 ;;
        udp) echo hi | nc -u -w 1 "$address" 7000 | grep -q seen ;;
        icmp) ping -c 1 -W 2 "$address" ;;
        esac </dev/null >/dev/null 2>&1 && echo "$place $protocol $version"
    done | sort'
}

# expect LINE…: these with both versions of IP, and nothing else
expect() {
    local line wanted
    wanted=$(for line; do printf '%s 4\n%s 6\n' "$line" "$line"; done | sort)
    is "$wanted" "$(reached)"
}

@test "reaches the world alone when nothing is said" {
    expect 'world tcp' 'world udp' 'world icmp'
}

@test "reaches all of what is allowed by network" {
    wardenctl egress s-one allow "$(address4 s-two)" "[$(address6 s-two)]"
    expect 'world tcp' 'world udp' 'world icmp' 'other tcp' 'other udp' 'other icmp'
}

# bats test_tags=kernel
@test "reaches only the ports and protocols that are allowed" {
    wardenctl egress s-one allow "$(address4 s-two):80/tcp" "[$(address6 s-two)]:80/tcp" host:7000/udp
    expect 'world tcp' 'world udp' 'world icmp' 'other tcp' 'host udp'
    wardenctl egress s-one deny "$(address4 s-two):80/tcp" "[$(address6 s-two)]:80/tcp"
    expect 'world tcp' 'world udp' 'world icmp' 'host udp'
}

@test "reaches nothing of what the host denies, but what is allowed to it" {
    mkdir -p "${CONF%/*}"
    printf '%s\n' '[Manager]' 'DenyNetworks=192.0.2.0/24 2001:db8:77::/64' >"$CONF"
    systemctl reload wardend.service
    until_true bash -c 'nft list set inet warden deny6 | grep -q elements'
    expect
    wardenctl egress s-one allow "$WORLD4:7000/udp" "[$WORLD6]:7000/udp"
    expect 'world udp'
}
