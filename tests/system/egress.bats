#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# bats file_tags=anywhere
#
# What a container may reach: the world, but not the host and not other containers, unless somebody says so; the
# same with both versions of IP.

load lib
load lib-world

CONF=/run/warden/wardend.conf.d/test-egress.conf

setup_file() {
    world_up
    file_begin
    create s-one
    create s-two
    web s-two
}

teardown_file() {
    rm -rf "${CONF%/*}"
    file_end
    world_down
}

teardown() {
    case_end
    if [[ -e $CONF ]]; then
        rm -r "${CONF%/*}"
        systemctl reload wardend.service
    fi
}

# policy LINE…: into wardend.conf
policy() {
    mkdir -p "${CONF%/*}"
    printf '%s\n' '[Manager]' "$@" >"$CONF"
    systemctl reload wardend.service
    # The tables follow at once, but not before the answer.
    until_true bash -c 'nft list set inet warden deny4 | grep -q elements'
}

# reaches NAME ADDRESS PORT, and fails_to
reaches() { inside "$1" nc -w 2 -z "$2" "$3"; }
fails_to() { refuses inside "$1" nc -w 1 -z "$2" "$3"; }

# rule NAME allow|deny GVARIANT
rule() {
    local method=AllowEgress
    [[ $2 == allow ]] || method=DenyEgress
    gcall "$(path_of "$1")" "Container.$method" "$3"
}

@test "reaches the world, which sees the host's address" {
    echo_service in_world TCP4-LISTEN:7000
    echo_service in_world "TCP6-LISTEN:7000,ipv6only=1"
    until_true reaches s-one $WORLD4 7000
    is "seen $HOST4" "$(inside s-one nc -w 2 $WORLD4 7000)"
    until_true reaches s-one $WORLD6 7000
    like "^seen \[?(2001:db8:77:|2001:0db8:0077:)" "$(inside s-one nc -w 2 $WORLD6 7000)"
    inside s-one ping -c 1 -W 2 $WORLD4
}

@test "does not reach services of the host, at any of its addresses" {
    in_background "$BATS_TEST_TMPDIR/a" socat TCP6-LISTEN:7100,ipv6only=0,reuseaddr,fork -
    until_true nc -z 127.0.0.1 7100
    fails_to s-one $HOST4 7100
    fails_to s-one $HOST6 7100
    fails_to s-one "$(container_get s-one HostAddress)" 7100
}

@test "is told at once that it may not" {
    capture timeout 5 wardenctl exec s-one -- nc -z "$HOST4" 22
    ((status != 124 && status != 0))
}

@test "does not reach other containers" {
    local address
    address=$(container_get s-two ContainerAddress)
    fails_to s-one "$address" 80
    refuses inside s-one ping -c 1 -W 1 "$address"
}

@test "reaches a service of the host when it is allowed to, and only that" {
    in_background "$BATS_TEST_TMPDIR/a" socat TCP6-LISTEN:7100,ipv6only=0,reuseaddr,fork -
    in_background "$BATS_TEST_TMPDIR/b" socat TCP6-LISTEN:7101,ipv6only=0,reuseaddr,fork -
    for port in 7100 7101; do until_true nc -z 127.0.0.1 "$port"; done
    rule s-one allow "{'Host': <true>, 'Protocol': <'tcp'>, 'Ports': <['7100']>}"
    reaches s-one $HOST4 7100
    reaches s-one $HOST6 7100
    fails_to s-one $HOST4 7101
    fails_to s-two $HOST4 7100
    rule s-one deny "{'Host': <true>, 'Protocol': <'tcp'>, 'Ports': <['7100']>}"
    fails_to s-one $HOST4 7100
    is '[]' "$(container_get s-one EgressRules | jq -c .)"
}

@test "is told by wardenctl what it may reach" {
    in_background "$BATS_TEST_TMPDIR/a" socat TCP6-LISTEN:7100,ipv6only=0,reuseaddr,fork -
    until_true nc -z 127.0.0.1 7100
    wardenctl egress s-one allow host:7100 "[2001:db8:99::/64]:80,443/tcp/log"
    reaches s-one $HOST4 7100
    like 'host +7100 +tcp +-' "$(wardenctl egress s-one)"
    like '2001:db8:99::/64 +80,443 +tcp +yes' "$(wardenctl egress s-one)"
    is 2 "$(wardenctl egress --json s-one | jq '.Rules | length')"
    # What is printed is what takes it back.
    wardenctl egress s-one -q | xargs wardenctl egress s-one deny
    fails_to s-one $HOST4 7100
    is '[]' "$(wardenctl egress --json s-one | jq -c .Rules)"
    create t-allowed --allow host:7100
    reaches t-allowed $HOST4 7100
    refuses wardenctl egress s-one deny any:80
    like 'was not allowed that' "$output"
}

@test "reaches another container when it is allowed to" {
    local address
    address=$(container_get s-two ContainerAddress)
    rule s-one allow "{'Networks': <['$address']>, 'Protocol': <'tcp'>, 'Ports': <['80-89']>}"
    is "seen $(container_get s-one ContainerAddress)" "$(fetch_in s-one "$address" 80)"
    refuses inside s-one ping -c 1 -W 1 "$address"
    rule s-one deny "{'Networks': <['$address']>, 'Protocol': <'tcp'>, 'Ports': <['80-89']>}"
    fails_to s-one "$address" 80
}

@test "keeps to what the host denies, and reaches what is allowed to it alone" {
    echo_service in_world "TCP6-LISTEN:7000,ipv6only=0"
    until_true reaches s-one $WORLD4 7000
    policy "DenyNetworks=192.0.2.0/24 2001:db8:77::/64"
    fails_to s-one $WORLD4 7000
    fails_to s-one $WORLD6 7000
    rule s-one allow "{'Networks': <['$WORLD4', '$WORLD6']>, 'Protocol': <'tcp'>, 'Ports': <['7000']>}"
    reaches s-one $WORLD4 7000
    reaches s-one $WORLD6 7000
    fails_to s-two $WORLD4 7000
    fails_to s-two $WORLD6 7000
    rule s-one deny "{'Networks': <['$WORLD4', '$WORLD6']>, 'Protocol': <'tcp'>, 'Ports': <['7000']>}"
    fails_to s-one $WORLD4 7000
}

@test "reaches what the host allows out of what it denies" {
    echo_service in_world "TCP6-LISTEN:7000,ipv6only=0"
    until_true reaches s-one $WORLD4 7000
    policy "DenyNetworks=0.0.0.0/0 ::/0" "AllowNetworks=$WORLD4"
    reaches s-one $WORLD4 7000
    fails_to s-one $WORLD6 7000
}

@test "is not led around a denial by a forwarded port" {
    wardenctl port s-two add 8090:80
    is "seen $(container_get s-one ContainerAddress)" "$(fetch_in s-one $HOST4 8090)"
    policy "DenyNetworks=$HOST4"
    fails_to s-one $HOST4 8090
    wardenctl port s-two rm 8090
}

@test "keeps connections that there are, whatever is denied then" {
    echo_service in_world TCP4-LISTEN:7000
    in_background "$BATS_TEST_TMPDIR/server" in_world socat TCP4-LISTEN:7002,reuseaddr PIPE
    until_true in_world nc -z "$WORLD4" 7000
    # That one takes a single connection.
    until_true bash -c 'ip netns exec world ss -Hltn "sport = :7002" | grep -q .'
    in_background "$BATS_TEST_TMPDIR/long" wardenctl exec s-one -- python3 -c "
import socket, time
s = socket.create_connection(('$WORLD4', 7002), 5)
print('connected', flush=True)
time.sleep(3)
s.send(b'still here')
print(s.recv(100).decode(), flush=True)"
    until_true grep connected "$BATS_TEST_TMPDIR/long"
    policy "DenyNetworks=0.0.0.0/0"
    until_true grep 'still here' "$BATS_TEST_TMPDIR/long"
    fails_to s-one $WORLD4 7000
}

# talker FILE ADDRESS PORT: connects from s-one, and says what becomes of the connection, a word every now and then
talker() {
    in_background "$1" wardenctl exec s-one -- python3 -c "
import socket, time
s = socket.create_connection(('$2', $3), 5)
s.settimeout(20)
for i in range(100):
    try:
        s.send(b'x')
        print('alive' if s.recv(1) else 'ended', flush=True)
    except OSError as e:
        print('cut', e, flush=True)
        break
    time.sleep(0.1)"
    until_true grep alive "$1"
}

@test "ends connections when a rule is taken back, if it is told to" {
    in_background "$BATS_TEST_TMPDIR/echo4" in_world socat TCP4-LISTEN:7003,reuseaddr,fork PIPE
    in_background "$BATS_TEST_TMPDIR/echo6" in_world socat TCP6-LISTEN:7003,ipv6only=1,reuseaddr,fork PIPE
    in_background "$BATS_TEST_TMPDIR/other" in_world socat TCP4-LISTEN:7004,reuseaddr,fork PIPE
    until_true in_world nc -z "$WORLD4" 7003
    until_true in_world nc -z "$WORLD6" 7003
    until_true in_world nc -z "$WORLD4" 7004
    policy "DenyNetworks=0.0.0.0/0 ::/0"
    wardenctl egress s-one allow "[$WORLD4,$WORLD6]:7003" "$WORLD4:7004"
    talker "$BATS_TEST_TMPDIR/four" "$WORLD4" 7003
    talker "$BATS_TEST_TMPDIR/six" "$WORLD6" 7003
    talker "$BATS_TEST_TMPDIR/stays" "$WORLD4" 7004
    wardenctl egress s-one deny --cut "[$WORLD4,$WORLD6]:7003"
    until_true grep cut "$BATS_TEST_TMPDIR/four"
    until_true grep cut "$BATS_TEST_TMPDIR/six"
    # What another rule allows to another port lives on.
    wc -l <"$BATS_TEST_TMPDIR/stays" >"$BATS_TEST_TMPDIR/count"
    grown() { (($(wc -l <"$BATS_TEST_TMPDIR/stays") > $(cat "$BATS_TEST_TMPDIR/count"))); }
    until_true grown
    refuses grep cut "$BATS_TEST_TMPDIR/stays"
    wardenctl egress s-one deny "$WORLD4:7004"
}

@test "ends connections to the host the same way, and does not let it pick them up" {
    # The host talks, too: a packet of its own must not bring the connection back.
    in_background "$BATS_TEST_TMPDIR/a" socat TCP4-LISTEN:7100,reuseaddr,fork \
        "SYSTEM:while echo x; do sleep 0.05; done"
    until_true nc -z 127.0.0.1 7100
    wardenctl egress s-one allow host:7100
    talker "$BATS_TEST_TMPDIR/talk" "$HOST4" 7100
    wardenctl egress s-one deny --cut host:7100
    until_true grep -E 'cut|ended' "$BATS_TEST_TMPDIR/talk"
}

@test "lets its network go when nobody ends its connections" {
    local name links=()
    in_background "$BATS_TEST_TMPDIR/quiet" in_world socat TCP4-LISTEN:7005,reuseaddr,fork "SYSTEM:sleep 100"
    until_true in_world nc -z "$WORLD4" 7005
    create t-orphan
    create t-limited --bandwidth 1M
    for name in t-orphan t-limited; do
        links+=("w-$(container_get "$name" Id)")
        in_background "$BATS_TEST_TMPDIR/$name" wardenctl exec "$name" -- python3 -c "
import socket, time
s = socket.create_connection(('$WORLD4', 7005), 5)
print('there', flush=True)
time.sleep(1000)"
        until_true grep there "$BATS_TEST_TMPDIR/$name"
    done
    # From now on the world is deaf: what the container's kernel says of the end, it says again for minutes.
    in_world nft add table inet deaf
    in_world nft add chain inet deaf input '{ type filter hook input priority 0; policy drop; }'
    wardenctl destroy t-orphan t-limited
    for name in "${links[@]}"; do until_true bash -c "! ip link show $name"; done
    in_world nft delete table inet deaf
}

@test "allows ICMP by type" {
    policy "DenyNetworks=0.0.0.0/0 ::/0"
    refuses inside s-one ping -c 1 -W 1 $WORLD4
    rule s-one allow "{'Protocol': <'icmp'>, 'IcmpType': <byte 8>}"
    inside s-one ping -c 1 -W 2 $WORLD4
    refuses inside s-one ping -c 1 -W 1 $WORLD6
    rule s-one deny "{'Protocol': <'icmp'>, 'IcmpType': <byte 8>}"
}

@test "gets its rules with its first instruction, and keeps them" {
    echo_service in_world TCP4-LISTEN:7000
    policy "DenyNetworks=0.0.0.0/0"
    gcall "$ROOT" Manager.CreateContainer "{'Name': <'t-ruled'>, 'RootDirectory': <'$IMAGE'>, 'AllowEgress': <[{'Networks': <['$WORLD4']>}]>}"
    until_true reaches t-ruled $WORLD4 7000
    daemon_kill
    daemon_wait
    reaches t-ruled $WORLD4 7000
    fails_to s-one $WORLD4 7000
    nft flush ruleset
    until_true nft list chain inet warden "rules-$(container_get t-ruled Id)"
    reaches t-ruled $WORLD4 7000
}

# count NAME FILTER: of GetEgressCounters, through jq
count() { wardenctl egress --json "$1" | jq -c "$2"; }

@test "counts what its rules let through, and what they do not" {
    local refused others
    echo_service in_world TCP4-LISTEN:7000
    echo_service in_world TCP4-LISTEN:7001
    until_true in_world nc -z "$WORLD4" 7001
    policy "DenyNetworks=0.0.0.0/0 ::/0"
    wardenctl egress s-one allow "$WORLD4:7000" "$WORLD4:7001"
    is '[0,0]' "$(count s-one '[.Rules[].Packets]')"
    # What its kernel does by itself is no forgery.
    is '[0,0]' "$(count s-one '[.ForgedPackets, .ForgedBytes]')"
    for _ in 1 2 3; do reaches s-one $WORLD4 7000; done
    # One that is repeated counts twice, which a slow machine may do.
    is true "$(count s-one '.Rules[0].Packets >= 3 and .Rules[0].Bytes >= 120 and .Rules[1].Packets == 0')"
    refused=$(count s-one .RefusedPackets)
    others=$(count s-two .RefusedPackets)
    fails_to s-one $WORLD4 7002
    is true "$(count s-one ".RefusedPackets > $refused")"
    is "$others" "$(count s-two .RefusedPackets)"
    wardenctl egress s-one deny "$WORLD4:7000" "$WORLD4:7001"
}

@test "goes on counting when rules, tables and daemons change" {
    local packets refused
    echo_service in_world TCP4-LISTEN:7000
    until_true in_world nc -z "$WORLD4" 7000
    policy "DenyNetworks=0.0.0.0/0 ::/0"
    wardenctl egress s-one allow 10.0.0.0/8 "$WORLD4:7000"
    reaches s-one $WORLD4 7000
    fails_to s-one $WORLD4 7002
    packets=$(count s-one '.Rules[1].Packets')
    refused=$(count s-one .RefusedPackets)
    ((packets > 0 && refused > 0))
    # A container may be refused more at any time: what its kernel sends by itself.
    counts_on() { is true "$(count s-one ".Rules[0].Packets == $packets and .RefusedPackets >= $refused")"; }
    wardenctl egress s-one deny 10.0.0.0/8
    wardenctl egress s-one allow 10.1.0.0/16
    counts_on
    daemon_kill
    daemon_wait
    counts_on
    policy "DenyNetworks=0.0.0.0/0"
    counts_on
    is 0 "$(count s-one '.Rules[1].Packets')"
    wardenctl egress s-one deny "$WORLD4:7000" 10.1.0.0/16
    wardenctl egress s-one allow "$WORLD4:7000"
    is 0 "$(count s-one '.Rules[0].Packets')"
    wardenctl egress s-one deny "$WORLD4:7000"
}

@test "tells the kernel's log of what a rule with Log lets through" {
    echo_service in_world TCP4-LISTEN:7000
    wardenctl egress s-one allow "$WORLD4:7000/tcp/log"
    until_true reaches s-one $WORLD4 7000
    like "log prefix \"warden $(container_get s-one Id): \"" \
        "$(nft list chain inet warden "rules-$(container_get s-one Id)")"
    # Only the first network namespace of a machine is logged, unless its owner says otherwise.
    if [[ $(readlink /proc/1/ns/net) == 'net:[4026531840]' || $(cat /proc/sys/net/netfilter/nf_log_all_netns) == 1 ]]; then
        logged() { dmesg | grep "warden $(container_get s-one Id): .*DPT=7000"; }
        until_true logged
    fi
    wardenctl egress s-one deny "$WORLD4:7000/tcp/log"
}

@test "refuses rules that make no sense, naming the key" {
    refuses rule s-one allow "{'Networks': <['example.org']>}"
    like "Networks: 'example.org'" "$output"
    refuses rule s-one allow "{'Protocol': <'tcp'>, 'Ports': <['90-80']>}"
    like "Ports: '90-80'" "$output"
    refuses rule s-one allow "{'Ports': <['80']>}"
    like 'Ports: need Protocol' "$output"
    refuses rule s-one allow "{'Port': <['80']>}"
    like 'did you mean Ports' "$output"
    refuses rule s-one deny "{'Networks': <['203.0.113.0/24']>}"
    like 'was not allowed that' "$output"
    is '[]' "$(container_get s-one EgressRules | jq -c .)"
}
