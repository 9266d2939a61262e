#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A kernel without one of its modules: whoever asks for what needs it is told which, and what can be without it is.

load lib
load lib-world

CONF=/run/modprobe.d/warden-test.conf

setup() {
    modprobe -q sch_tbf && [[ -e /sys/module/sch_tbf/initstate ]] || skip "this kernel has no modules that could be taken away"
    mkdir -p "${CONF%/*}"
}

teardown() {
    case_end
    rm -f "$CONF"
}

# without MODULE: until the end of the case
without() {
    echo "install $1 /bin/false" >>"$CONF"
    until_true modprobe -r "$1"
    [[ ! -e /sys/module/$1 ]]
}

# tables_remove: with the last container they are nobody's, and what they are made of can be unloaded
tables_remove() {
    until_true networks_are_quiet
    nft delete table inet warden 2>/dev/null || true
    nft delete table arp warden 2>/dev/null || true
}

@test "names what a limit of the bandwidth misses" {
    without sch_tbf
    refuses create t-one --bandwidth-receive 10M
    like "BandwidthReceiveMax: this kernel is without 'sch_tbf' \\(try 'modprobe -a sch_tbf'\\)" "$output"
    gone t-one
    without ifb
    create t-one
    refuses wardenctl limit t-one BandwidthTransmitMax=10M
    like "BandwidthTransmitMax: this kernel is without 'ifb' \\(try 'modprobe ifb'\\)" "$output"
    rm "$CONF"
    without act_mirred
    refuses wardenctl limit t-one BandwidthTransmitMax=10M
    like "BandwidthTransmitMax: this kernel is without 'cls_u32 act_mirred'" "$output"
    rm "$CONF"
    wardenctl limit t-one BandwidthTransmitMax=10M
}

@test "names what a private network misses" {
    tables_remove
    without nft_masq
    refuses create t-one
    like "Network=private: this kernel is without 'nft_masq' \\(try 'modprobe -a nft_masq'\\)" "$output"
    gone t-one
    create t-two --network none
    rm "$CONF"
    create t-one
    wardenctl destroy t-one
    until_true modprobe -r veth
    without veth
    refuses create t-one
    like "Network=private: this kernel is without 'veth' \\(try 'modprobe veth'\\)" "$output"
    gone t-one
}

@test "names what rules of egress and the end of connections miss" {
    create t-one --publish 8080:80
    without nft_log
    refuses wardenctl egress t-one allow 10.0.0.0/8:443/tcp/log
    like "AllowEgress: Log: this kernel is without 'nft_log' \\(try 'modprobe -a nft_log'\\)" "$output"
    is 0 "$(container_get t-one EgressRules | jq length)"
    wardenctl egress t-one allow 10.0.0.0/8:443
    without nf_conntrack_netlink
    refuses wardenctl port t-one rm --cut 8080
    like "CutConnections: this kernel is without 'nf_conntrack_netlink' \\(try 'modprobe nf_conntrack_netlink'\\)" "$output"
    # It is taken back all the same.
    is 0 "$(container_get t-one ForwardedPorts | jq length)"
}
