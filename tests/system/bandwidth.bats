#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Limits of the bandwidth under iperf3, by what the kernel counts and says: whole frames, as the limit is meant.
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

# serve NAME: an iperf3 server of the host's in a container's network, so that the image needs none; it ends with the case
serve() {
    SERVED=$(container_get "$1" Leader)
    in_background "$BATS_TEST_TMPDIR/server" nsenter -t "$SERVED" -n iperf3 -s --forceflush
    until_true is_serving
}

# Between two clients it takes a moment, and refuses the next one. What a connection has not sent yet keeps the network
# alive after the container is gone.
is_serving() {
    local log=$BATS_TEST_TMPDIR/server
    (($(grep -c 'Server listening' "$log") > $(grep -c 'Accepted connection' "$log"))) &&
        [[ -z $(nsenter -t "$SERVED" -n ss -Htn state connected exclude time-wait) ]]
}

# bucket DEVICE: when the look at its token bucket began, what has passed, what waits, when it ended (ns and bytes)
bucket() {
    local before
    before=$(date +%s%N)
    tc -s -j qdisc show dev "$1" | jq -r --arg t "$before" '.[] | select(.kind == "tbf") | "\($t) \(.bytes) \(.backlog)"' | tr '\n' ' '
    date +%s%N
}

# rate DEVICE: bytes a second that its bucket lets through, in two seconds or more. At both ends something waits in it, so
# that all it may spend is spent; and the looks take so little of the time that it does not matter what else is busy.
rate() {
    local a bytes waits b a2=0 bytes2 waits2 b2 tries=0
    until read -r a bytes waits b < <(bucket "$1") && ((waits > 0)); do
        ((++tries < 300)) || { echo "nothing waits in $1" >&2; return 1; }
        sleep 0.1
    done
    until ((a2 - b > 2000000000 && waits2 > 0 && (b2 - a2 + b - a) * 50 < a2 - b)); do
        ((++tries < 600)) || { echo "no two good looks at $1" >&2; return 1; }
        sleep 0.1
        read -r a2 bytes2 waits2 b2 < <(bucket "$1")
    done
    echo $(((bytes2 - bytes) * 2000000000 / (a2 + b2 - a - b)))
}

# near RATE MEASURED: within 10 % of it, on both sides
near() {
    (($2 * 10 >= $1 * 9 && $2 * 10 <= $1 * 11)) || { echo "$2 bytes a second are not within 10 % of $1"; return 1; }
}

# passes_at RATE DEVICE IPERF3…: what goes by the device while that client is at it. With a burst of 150 ms, as the cases
# have it, the bucket makes up for the time in which a busy machine let neither end run.
passes_at() {
    local client measured
    "${@:3}" -t 600 >/dev/null 2>&1 &
    client=$!
    measured=$(rate "$2")
    kill "$client"
    wait "$client" || true
    until_true is_serving
    near "$1" "$measured"
}

# much_above RATE OPTION…: that for this client there is no such limit, by its own count
much_above() {
    local measured
    measured=$(iperf3 -J -t 2 "${@:2}" | jq '.end.sum_received | .bytes / .seconds | floor')
    until_true is_serving
    ((measured > $1 * 4)) || { echo "$measured bytes a second are not far above $1"; return 1; }
}

# receives_at, sends_at NAME RATE: what it gets, by IPv4 and IPv6
receives_at() {
    passes_at "$2" "$(pair_of "$1")" iperf3 -c "$(address4 "$1")"
    passes_at "$2" "$(pair_of "$1")" iperf3 -c "$(address6 "$1")"
}
sends_at() {
    passes_at "$2" "$(device_of "$1")" iperf3 -R -c "$(address4 "$1")"
    passes_at "$2" "$(device_of "$1")" iperf3 -R -c "$(address6 "$1")"
}
receives_freely() { much_above "$2" -c "$(address4 "$1")"; }
sends_freely() { much_above "$2" -R -c "$(address4 "$1")"; }

limit() { wardenctl limit "$@" >/dev/null; }
pair_of() { container_get "$1" NetworkInterface; }
device_of() { local pair; pair=$(pair_of "$1"); echo "i${pair#w}"; }
# The kernel's module brings ifb0 and ifb1 along, which are nobody's.
no_device() { [[ ! -e /sys/class/net/$1 ]] && ! compgen -G '/sys/class/net/i-*' >/dev/null; }

@test "holds a container to its rate in both directions, by IPv4 and IPv6" {
    create t-one --bandwidth 2M:300K
    is '{"BandwidthReceiveMax":[2000000,300000],"BandwidthTransmitMax":[2000000,300000]}' "$(wardenctl limit --json t-one)"
    serve t-one
    receives_at t-one 2000000
    sends_at t-one 2000000
}

@test "counts what a limit delays and drops" {
    create t-one --bandwidth 100K
    serve t-one
    # Of a limit that nothing has reached yet.
    is '0 0' "$(container_call t-one GetStats | jq -r '.data[0] | [.NetworkReceiveLimitDropped.data, .NetworkTransmitLimitDelayed.data] | join(" ")')"
    # More for a moment than any queue holds.
    iperf3 -u -b 80M -t 1 -c "$(address4 t-one)" >/dev/null
    until_true is_serving
    iperf3 -u -b 80M -t 1 -R -c "$(address4 t-one)" >/dev/null
    until_true is_serving
    is 'true true true true' "$(container_call t-one GetStats | jq -r '.data[0] | [.NetworkReceiveLimitDropped, .NetworkTransmitLimitDropped,
        .NetworkReceiveLimitDelayed, .NetworkTransmitLimitDelayed] | map(.data > 0) | join(" ")')"
    # By the other way, of all containers.
    is true "$(manager --json=short GetStats as 0 | jq -r '.data[0]["t-one"].NetworkTransmitLimitDelayed.data > 0')"
}

@test "limits each direction for itself, live, and takes it away" {
    create t-one
    serve t-one
    limit t-one BandwidthReceiveMax=1M:150K
    receives_at t-one 1000000
    sends_freely t-one 1000000
    limit t-one BandwidthReceiveMax=3M:450K BandwidthTransmitMax=1500K:225K
    receives_at t-one 3000000
    sends_at t-one 1500000
    limit t-one BandwidthReceiveMax=infinity
    receives_freely t-one 3000000
    limit t-one BandwidthMax=infinity
    sends_freely t-one 1500000
    is '' "$(tc qdisc show dev "$(pair_of t-one)" | grep -E 'tbf|ingress' || true)"
    no_device "$(device_of t-one)"
}

@test "changes a rate under a connection" {
    local before after
    create t-one --bandwidth-transmit 500K
    serve t-one
    in_background "$BATS_TEST_TMPDIR/client" iperf3 -c "$(address4 t-one)" -R -t 60 -i 1 -J --forceflush
    grows() { (($(cat "/sys/class/net/$(pair_of t-one)/statistics/rx_bytes") > $1)); }
    until_true grows 1000000
    # Of the queue itself: a change does not begin it anew.
    before=$(tc -s -j qdisc show dev "$(device_of t-one)" | jq '.[0].bytes')
    limit t-one BandwidthTransmitMax=20M
    after=$(tc -s -j qdisc show dev "$(device_of t-one)" | jq '.[0].bytes')
    ((after >= before && before > 0))
    # Far more than the old rate would let through in all the time that this may take.
    until_true grows 40000000
}

@test "limits what goes through a forward and to the world" {
    create t-one --bandwidth 2M:300K -p 5201:5201
    serve t-one
    passes_at 2000000 "$(pair_of t-one)" ip netns exec world iperf3 -c "$HOST4"
    passes_at 2000000 "$(device_of t-one)" ip netns exec world iperf3 -R -c "$HOST6"
}

@test "keeps its limits over a kill of the daemon, a stop and a start" {
    local limits
    create t-one --bandwidth-receive 1M --bandwidth-transmit 2M:300K
    limits=$(wardenctl limit --json t-one)
    queues() { tc qdisc show | grep tbf | sort; }
    before=$(queues)
    daemon_kill
    is "$before" "$(queues)"
    daemon_wait
    is "$limits" "$(wardenctl limit --json t-one)"
    # The kernel's word after what the start does by itself.
    until_true wardenctl limit t-one BandwidthReceiveMax=1M
    is "$before" "$(queues)"
    wardenctl stop t-one >/dev/null
    limit t-one BandwidthReceiveMax=1500K
    wardenctl start t-one >/dev/null
    like 'rate 12Mbit ' "$(tc qdisc show dev "$(pair_of t-one)")"
    like 'rate 16Mbit ' "$(tc qdisc show dev "$(device_of t-one)")"
    serve t-one
    sends_at t-one 2000000
}

# bats test_tags=kernel
@test "leaves no device of a container that is destroyed, and none of a create that fails" {
    local device
    create t-one --bandwidth 1M
    device=$(device_of t-one)
    [[ -e /sys/class/net/$device ]]
    wardenctl destroy t-one >/dev/null
    until_true no_device "$device"
    refuses create t-two --bandwidth 1M --bind /nonexistent:/mnt
    refuses create t-two --bandwidth 1M:1000
    like 'a burst of 1000 is less than the 1514 bytes of a packet with MTU 1500' "$output"
    gone t-two
    until_true no_device i-none
}

@test "removes the device of a container whose remover was killed" {
    # As if its directories had been put away, and the worker killed then.
    ip link add i-0123456789a type ifb
    ip link add i-other type ifb
    daemon_kill
    daemon_wait
    gone_device() { [[ ! -e /sys/class/net/i-0123456789a ]]; }
    until_true gone_device
    # Nobody knows that one.
    ip link del i-other
}

@test "refuses what it cannot limit, and changes nothing" {
    refuses create t-one --network none --bandwidth 1M
    like 'BandwidthReceiveMax: is only for Network=private' "$output"
    create t-one --bandwidth-receive 1M
    refuses wardenctl limit t-one BandwidthTransmitMax=1M:1K
    like 'BandwidthTransmitMax: a burst of 1000 is less than the 1514 bytes' "$output"
    refuses wardenctl limit t-one BandwidthMax=5
    refuses wardenctl slice limit t-slice BandwidthMax=5M
    like 'is of a container, not of a slice' "$output"
    is '{"BandwidthReceiveMax":[1000000,0]}' "$(wardenctl limit --json t-one)"
    until_true no_device "$(device_of t-one)"
    like 'rate 8Mbit ' "$(tc qdisc show dev "$(pair_of t-one)")"
}
