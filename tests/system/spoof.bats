#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# bats file_tags=anywhere
#
# A container's root makes packets by hand. What is not its own does not get out.

load lib
load lib-world

setup_file() {
    world_up
    file_begin
    create s-liar
    create s-victim
}

teardown_file() {
    file_end
    world_down
}

# The beginning of every script: frame(ether_type, payload, mac) sends from eth0, and ip4() makes a packet.
PRELUDE='
import socket, struct, sys
def own_mac():
    return bytes.fromhex(open("/sys/class/net/eth0/address").read().strip().replace(":", ""))
def frame(kind, payload, mac=None, to=b"\xff" * 6):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind(("eth0", 0))
    s.send(to + (mac or own_mac()) + struct.pack("!H", kind) + payload)
def checksum(data):
    if len(data) % 2: data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16: total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff
def ip4(source, target, protocol, payload):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0,
                       socket.inet_aton(source), socket.inet_aton(target))
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload
def udp(source, target, data=b"spoof"):
    return struct.pack("!HHHH", source, target, 8 + len(data), 0) + data
def ip6(source, target, protocol, payload):
    return struct.pack("!IHBB", 0x60000000, len(payload), protocol, 255) + \
        socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, target) + payload
def icmp6(source, target, kind, body):
    pseudo = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, target) + \
        struct.pack("!II", 4 + len(body), 58)
    plain = struct.pack("!BBH", kind, 0, 0) + body
    return ip6(source, target, 58, plain[:2] + struct.pack("!H", checksum(pseudo + plain)) + body)
host_mac = bytes.fromhex(sys.argv[1].replace(":", ""))
'
liar() { inside s-liar python3 -c "$PRELUDE$1" "$(cat "/sys/class/net/$(interface_of s-liar)/address")" "${@:2}"; }
interface_of() { ip -o route get "$(container_get "$1" ContainerAddress)" | sed -E 's/.* dev ([^ ]+).*/\1/'; }

# dropped CHAIN: packets that rules with "drop" have counted, together
dropped() { nft list chain "$@" | sed -nE 's/.*counter packets ([0-9]+) bytes [0-9]+ drop.*/\1/p' | awk '{ n += $1 } END { print n + 0 }'; }

# is_counted COUNT -- COMMAND…: it makes what COUNT prints grow
is_counted() {
    local count=() before
    while [[ $1 != -- ]]; do count+=("$1"); shift; done
    shift
    before=$("${count[@]}")
    "$@"
    more() { (($("${count[@]}") > before)); }
    until_true more
}
is_forged() { is_counted forged "$@"; }
forged() { wardenctl egress --json s-liar | jq .ForgedPackets; }

listener() {
    PORT=$((7000 + BATS_TEST_NUMBER))
    in_background "$BATS_TEST_TMPDIR/world" in_world socat -u "UDP4-RECVFROM:$PORT,fork" STDOUT
    until_true bash -c 'ip netns exec world ss -lun | grep -q '"$PORT"
}

@test "sends what is its own" {
    local own
    own=$(container_get s-liar ContainerAddress)
    listener
    liar "frame(0x0800, ip4('$own', '$WORLD4', 17, udp(1000, $PORT, b'honest')), None, host_mac)"
    until_true grep honest "$BATS_TEST_TMPDIR/world"
}

@test "sends nothing with another's address" {
    listener
    local address
    for address in "$(container_get s-victim ContainerAddress)" "$(container_get s-liar HostAddress)" 198.51.100.7 127.0.0.1 "$HOST4" 0.0.0.0; do
        is_forged -- \
            liar "frame(0x0800, ip4('$address', '$WORLD4', 17, udp(1000, $PORT)), None, host_mac)"
    done
    is "" "$(cat "$BATS_TEST_TMPDIR/world")"
}

@test "sends nothing with another MAC" {
    local own
    own=$(container_get s-liar ContainerAddress)
    is_forged -- \
        liar "frame(0x0800, ip4('$own', '$WORLD4', 17, udp(1000, 7000)), b'\x02\0\0\0\0\x99', host_mac)"
}

@test "reaches nothing of the host's loopback" {
    local own
    own=$(container_get s-liar ContainerAddress)
    wardenctl port s-liar add 127.0.0.1:8070:80
    is 1 "$(cat "/proc/sys/net/ipv4/conf/$(interface_of s-liar)/route_localnet")"
    in_background "$BATS_TEST_TMPDIR/lo" socat -u UDP4-RECVFROM:7003,bind=127.0.0.1,fork STDOUT
    is_forged -- \
        liar "frame(0x0800, ip4('$own', '127.0.0.1', 17, udp(1000, 7003)), None, host_mac)"
    is "" "$(cat "$BATS_TEST_TMPDIR/lo")"
    wardenctl port s-liar rm 127.0.0.1:8070:80
}

# bats test_tags=kernel
@test "claims no other address by ARP" {
    local victim host interface
    victim=$(container_get s-victim ContainerAddress)
    host=$(container_get s-liar HostAddress)
    interface=$(interface_of s-liar)
    arp="def arp(op, mac, address): frame(0x0806, struct.pack('!HHBBH', 1, 0x0800, 6, 4, op) + mac + socket.inet_aton(address) + b'\xff' * 6 + socket.inet_aton('$host'))
"
    is_counted dropped arp warden input -- liar "$arp
arp(2, own_mac(), '$victim')"
    is_counted dropped arp warden input -- liar "$arp
arp(1, own_mac(), '$HOST4')"
    is_counted dropped arp warden input -- liar "$arp
arp(1, b'\x02\0\0\0\0\x99', '$(container_get s-liar ContainerAddress)')"
    unlike "$victim|$HOST4" "$(ip neigh show dev "$interface")"
    inside s-liar ping -c 1 -W 2 "$WORLD4"
}

@test "sends no router advertisements, redirects and DHCP answers" {
    local own link
    own=$(container_get s-liar ContainerAddress)
    link=$(script_in s-liar "ip -6 -o addr show dev eth0 scope link | sed -E 's/.*inet6 ([^/]+).*/\1/'")
    [[ -n $link ]] || skip "the container has no IPv6"
    is_forged -- liar "frame(0x86dd, icmp6('$link', 'ff02::1', 134, struct.pack('!BBHII', 64, 0, 1800, 0, 0)), None, b'\x33\x33\0\0\0\x01')"
    is_forged -- liar "frame(0x86dd, icmp6('$link', 'ff02::1', 137, b'\0' * 36), None, b'\x33\x33\0\0\0\x01')"
    is_forged -- liar "frame(0x0800, ip4('$own', '255.255.255.255', 17, udp(67, 68)))"
}

@test "sends nothing with another's IPv6 address" {
    local address
    for address in 2001:db8:77::99 fe80::1 "$HOST6"; do
        is_forged -- liar "frame(0x86dd, icmp6('$address', '$WORLD6', 128, b'\0' * 8), None, host_mac)"
        is_forged -- liar "frame(0x86dd, icmp6('$address', 'ff02::1', 136, b'\0' * 20), None, b'\x33\x33\0\0\0\x01')"
    done
}

@test "still may not after somebody flushed the rules" {
    nft flush ruleset
    until_true nft list chain inet warden guard
    is_forged -- \
        liar "frame(0x0800, ip4('198.51.100.7', '$WORLD4', 17, udp(1000, 7000)), None, host_mac)"
}
