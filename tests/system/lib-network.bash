# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# For the tests of networks: a host beyond this one's uplink, "world", so that what leaves can be seen from outside. It
# knows no way to the containers, as nobody outside does. Used after lib.bash.

WORLD4=192.0.2.100 UPLINK4=192.0.2.1
WORLD6=2001:db8::100 UPLINK6=2001:db8::1
export WORLD4 WORLD6 UPLINK4 UPLINK6

world_begin() {
    world_end
    ip netns add world
    ip link add warden-up type veth peer name eth0 netns world
    ip addr add "$UPLINK4/24" dev warden-up
    ip addr add "$UPLINK6/64" dev warden-up nodad
    ip link set warden-up up
    world ip addr add "$WORLD4/24" dev eth0
    world ip addr add "$WORLD6/64" dev eth0 nodad
    world ip link set eth0 up
    world ip link set lo up
    ip route add default via "$WORLD4"
    ip -6 route add default via "$WORLD6"
}

world_end() {
    ip netns del world 2>/dev/null || true
    # With its peer, when the kernel has time; nobody else's routes go through it.
    ip link del warden-up 2>/dev/null || true
    # What ip(8) made for the names of namespaces, unless somebody has others.
    if [[ -z $(ip netns list) ]] && mountpoint -q /run/netns; then umount /run/netns; fi
}

# world COMMAND…: runs it there
world() { ip netns exec world "$@"; }

# addresses NAME: the container's, without prefixes
address4() { container_get "$1" ContainerAddress; }
address6() { container_get "$1" Addresses | jq -r '.[] | select(test(":")) | sub("/.*"; "")'; }

# network_traces: all that networks of containers may leave on a host, sorted
network_traces() {
    ip -o link show | sed -nE 's/^[0-9]+: ([wi]-[^:@]+).*/link \1/p'
    ip route show table all | sed -nE '/ dev [wi]-/s/^/route /p'
    ip -6 route show table all | sed -nE '/ dev [wi]-/s/^/route /p'
    ip netns list | sed 's/^/netns /'
    # Ours of the host, as a whole: a switch of an interface goes with the interface.
    sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding net.ipv6.conf.default.accept_ra
    find /run/warden/network -type f | sed 's/^/claim /'
    lsns -t net -n -o NS | wc -l | sed 's/^/namespaces /'
}
