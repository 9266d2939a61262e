#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Interfaces that vanish: a container's own on the host, those of the host that were moved into it, and the uplink.
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

teardown() {
    case_end
    for name in /sys/class/net/{c,far-c}[0-9]; do ip link del "${name##*/}" 2>/dev/null || true; done
}

pair_of() { container_get "$1" NetworkInterface; }
has_interface() { [[ -e /sys/class/net/$1 ]]; }
lost_interface() { ! has_interface "$1"; }
seen_outside() { [[ $(in_world_fetch "$1" "$2") == "seen $WORLD4" ]]; }
in_world_fetch() { printf 'GET / HTTP/1.0\r\n\r\n' | in_world socat -T 5 - "TCP:$1:$2,connect-timeout=3" | tail -n 1; }

no_rules() { ! network_traces | grep -q '^rule '; }

# journal_has TEXT [MESSAGE_ID]: of the container t-one, which has another id in each case
journal_has() { journalctl -q -o cat CONTAINER_ID="$ID" ${2:+MESSAGE_ID=$2} | grep -qF "$1"; }

# bats test_tags=kernel
@test "goes on without the interface of a container, and says what is gone" {
    local pair ID
    create t-one --publish 8080:80 --bandwidth 10M
    pair=$(pair_of t-one) ID=$(container_get t-one Id)
    web t-one
    seen_outside "$HOST4" 8080
    ip link del "$pair"
    until_true journal_has "Its interface $pair was removed from the host" 5a0c1f6c37c84fd0a7d7f2b0d9a4e309
    is lo "$(inside t-one ls /sys/class/net)"
    # What needs the interface itself says so, and changes nothing.
    refuses wardenctl limit t-one BandwidthReceiveMax=20M
    like "BandwidthReceiveMax: the interface $pair is gone from the host; stop and start the container" "$output"
    refuses wardenctl limit t-one BandwidthTransmitMax=20M
    like "BandwidthTransmitMax: the interface $pair is gone" "$output"
    is '[10000000,0]' "$(container_get t-one Limits | jq -c '.BandwidthReceiveMax.data // .BandwidthReceiveMax')"
    # What the packet filter is told counts when it is there again.
    wardenctl port t-one add 8081:80
    wardenctl egress t-one allow 10.0.0.0/8:443
    wardenctl segment t-one join red
    container_call t-one GetStats >/dev/null
    daemon_kill
    daemon_wait
    state_is t-one active
    is lo "$(inside t-one ls /sys/class/net)"
    is '' "$(in_world_fetch "$HOST4" 8080 2>/dev/null)"
    wardenctl stop t-one
    wardenctl start t-one
    has_interface "$pair"
    web t-one
    seen_outside "$HOST4" 8080
    seen_outside "$HOST4" 8081
    like tbf "$(tc qdisc show dev "$pair")"
    like tbf "$(tc qdisc show dev "i-${pair#w-}")"
}

@test "says nothing of interfaces that go with their containers" {
    local ID other
    create t-one
    ID=$(container_get t-one Id)
    wardenctl stop t-one
    wardenctl start t-one
    kill -KILL "$(leader t-one)"
    until_true state_is t-one stopped
    sleep 1.5
    wardenctl start t-one
    other=$(pair_of t-one)
    wardenctl destroy t-one
    until_true lost_interface "$other"
    # It would be said after a second; that nothing is said can only be waited for.
    sleep 1.5
    refuses journal_has "was removed from the host"
}

@test "destroys a container whose interface is gone, and leaves nothing" {
    local before pair device
    # Also of the case before.
    until_true networks_are_quiet
    until_true no_rules
    before=$(network_traces)
    create t-one --publish 8080:80 --bandwidth 10M --segment red --allow 10.0.0.0/8:443
    pair=$(pair_of t-one) device=i-${pair#w-}
    has_interface "$device"
    ip link del "$pair"
    wardenctl destroy t-one
    until_true lost_interface "$device"
    until_true same_traces "$before"
    # And when the device for what it sends is gone, or both.
    create t-one --bandwidth 10M
    pair=$(pair_of t-one)
    ip link del "i-${pair#w-}"
    wardenctl limit t-one BandwidthTransmitMax=20M
    has_interface "i-${pair#w-}"
    ip link del "i-${pair#w-}"
    ip link del "$pair"
    wardenctl stop t-one
    wardenctl destroy t-one
    until_true same_traces "$before"
}

@test "loses the interface of a container that still says farewell to nobody" {
    local pair
    create t-one
    pair=$(pair_of t-one)
    in_background "$BATS_TEST_TMPDIR/server" in_world nc -l -p 7008
    until_true in_world sh -c 'ss -Hltn "sport = :7008" | grep -q .'
    mkfifo "$BATS_TEST_TMPDIR/words"
    in_background "$BATS_TEST_TMPDIR/client" sh -c "exec wardenctl exec t-one -- nc $WORLD4 7008 <'$BATS_TEST_TMPDIR/words'"
    exec 7>"$BATS_TEST_TMPDIR/words"
    echo hello >&7
    until_true grep -q hello "$BATS_TEST_TMPDIR/server"
    # Nobody answers any more.
    in_world ip link set up1 down
    wardenctl destroy t-one
    exec 7>&-
    until_true lost_interface "$pair"
    in_world ip link set up1 up
    in_world ip -6 addr replace "$WORLD6/64" dev up1 nodad
}

@test "gives the others back when one of the host's interfaces has vanished inside" {
    local ID
    for name in c1 c2; do ip link add "$name" type veth peer name "far-$name"; done
    create t-one --interface c1 --interface c2
    ID=$(container_get t-one Id)
    ip link del far-c1
    is $'c2\neth0\nlo' "$(inside t-one ls /sys/class/net)"
    wardenctl stop t-one
    has_interface c2
    lost_interface c1
    refuses journal_has "cannot give"
    # Without it there is no start, and nothing is moved for it.
    refuses wardenctl start t-one
    like "Interfaces: the host has no interface 'c1'" "$output"
    state_is t-one stopped
    has_interface c2
    ip link add c1 type veth peer name far-c1
    wardenctl start t-one
    is $'c1\nc2\neth0\nlo' "$(inside t-one ls /sys/class/net)"
    ip link del far-c1
    ip link del far-c2
    wardenctl destroy t-one
    is '' "$(grep /run/warden/ /proc/1/mountinfo | grep nsfs || true)"
}

@test "makes a container or says which is missing when an interface vanishes meanwhile" {
    local round
    for ((round = 0; round < $(scaled 8 2); round++)); do
        ip link add c1 type veth peer name far-c1
        ip link add c2 type veth peer name far-c2
        in_background "$BATS_TEST_TMPDIR/remover" sh -c "sleep 0.0$((round * 2)); ip link del far-c2"
        capture create t-one --interface c1 --interface c2
        ((status == 0)) || like "Interfaces: the host has no interface 'c2'" "$output"
        until_true lost_interface far-c2
        wardenctl destroy t-one 2>/dev/null || ((status != 0))
        until_true has_interface c1
        ip link del c1
        is '' "$(grep /run/warden/ /proc/1/mountinfo | grep nsfs || true)"
    done
}

@test "has its network again when the uplink is" {
    local pair
    create t-one --publish 8080:80 --publish 192.0.2.1:8081:80 --bandwidth 10M
    pair=$(pair_of t-one)
    web t-one
    seen_outside "$HOST4" 8080
    ip link del up0
    # From the host it is reached all the while.
    is "seen $(container_get t-one HostAddress)" "$(fetch 127.0.0.1 8080)"
    refuses inside t-one ping -c 1 -W 1 "$WORLD4"
    wardenctl limit t-one BandwidthMax=20M
    wardenctl port t-one add 8082:80
    create t-two
    daemon_kill
    daemon_wait
    world_up
    seen_outside "$HOST4" 8080
    seen_outside "$HOST4" 8081
    seen_outside "$HOST4" 8082
    inside t-one ping -c 1 -W 2 "$WORLD4"
    inside t-one ping -c 1 -W 2 "$WORLD6"
    inside t-two ping -c 1 -W 2 "$WORLD4"
    like tbf "$(tc qdisc show dev "$pair")"
    is '' "$(ip -br link show "$pair" | grep -w DOWN || true)"
}
