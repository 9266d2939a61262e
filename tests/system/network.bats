#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# bats file_tags=network

load lib
load lib-world

setup_file() {
    # As after the restarts below: what a daemon watches depends on what systemd has made by the time it starts.
    systemctl restart wardend.service
    file_begin
    world_up
}

teardown_file() {
    world_down
    file_end
}

teardown() {
    case_end
    rm -rf /run/warden/wardend.conf.d
    [[ -z $RESTORE ]] || { RESTORE='' && systemctl restart wardend.service; }
}
RESTORE=''

# configure LINE…: with these in [Manager] for the rest of the case
configure() {
    RESTORE=1
    mkdir -p /run/warden/wardend.conf.d
    printf '%s\n' '[Manager]' "$@" >/run/warden/wardend.conf.d/test.conf
    systemctl restart wardend.service
    daemon_wait
}

host4() { container_get "$1" HostAddress; }

# bats test_tags=anywhere
@test "gives a private container an interface, addresses and a way out" {
    create t-one
    is private "$(container_get t-one Network)"
    is $'eth0\nlo' "$(inside t-one ls /sys/class/net)"
    like "inet $(address4 t-one)/30 .* eth0" "$(inside t-one ip -o -4 addr show dev eth0)"
    like "inet6 $(address6 t-one)/126 scope global" "$(inside t-one ip -o -6 addr show dev eth0)"
    like "^default via $(host4 t-one) dev eth0" "$(inside t-one ip route)"
    like 'default via fd.* dev eth0' "$(inside t-one ip -6 route)"
    like "inet $(host4 t-one)/30" "$(ip -o -4 addr show dev "$(container_get t-one NetworkInterface)")"
    is "w-$(container_get t-one Id)" "$(container_get t-one NetworkInterface)"
    is default "$(container_get t-one NetworkPool)"
    # To make more than it uses would cost each create two waits for all processors.
    is 1 "$(ip -d -j link show dev "$(container_get t-one NetworkInterface)" | jq '.[0].num_tx_queues')"
    is 1 "$(inside t-one ip -d -j link show dev eth0 | jq '.[0].num_tx_queues')"
    is "[\"$(address4 t-one)/30\",\"$(address6 t-one)/126\"]" "$(container_get t-one Addresses | jq -c .)"
}

# bats test_tags=anywhere,kernel
@test "reaches what is beyond the host, and is reached by the host, on both IP versions" {
    create t-one
    # Addresses and routes are there before the first instruction: the very first packet goes through.
    inside t-one ping -c 1 -W 2 "$WORLD4"
    inside t-one ping -c 1 -W 2 "$WORLD6"
    ping -c 1 -W 2 "$(address4 t-one)"
    ping -c 1 -W 2 "$(address6 t-one)"
}

# bats test_tags=anywhere
@test "shows the addresses in info" {
    create t-one
    like "Address: $(address4 t-one)/30 \(host: $(host4 t-one) on w-" "$(wardenctl info t-one)"
    is "$(address4 t-one)" "$(wardenctl info --json t-one | jq -r '.[0].ContainerAddress')"
}

# bats test_tags=anywhere
@test "has nothing but lo without a network, and no address" {
    create t-none --network none
    is lo "$(inside t-none ls /sys/class/net)"
    is '' "$(container_get t-none ContainerAddress)"
    is '[]' "$(container_get t-none Addresses)"
}

# bats test_tags=anywhere
@test "takes a fixed address, and says why not" {
    create t-one --address 10.254.7.2
    is 10.254.7.2 "$(address4 t-one)"
    inside t-one ping -c 1 -W 2 "$WORLD4"
    refuses create t-two --address 10.254.7.2
    like "Address: 10.254.7.2 is taken by container 't-one'" "$output"
    refuses create t-two --address 10.254.7.1
    like '10.254.7.2 is the one' "$output"
    refuses create t-two --address 192.0.2.7
    like 'is not in any pool' "$output"
    refuses create t-two --network-pool nowhere
    like "there is no pool 'nowhere'" "$output"
    refuses create t-two --network none --address 10.254.7.6
    like 'only for Network=private' "$output"
    gone t-two
    wardenctl destroy t-one >/dev/null
    # Its interface takes a moment longer than the answer.
    until_true create t-one --address 10.254.7.2
}

# bats test_tags=anywhere
@test "takes the MTU of the host's way out, of the configuration, and of the client" {
    ip link set up0 mtu 1400
    create t-host
    ip link set up0 mtu 1500
    is 1400 "$(inside t-host cat /sys/class/net/eth0/mtu)"
    is 1400 "$(cat "/sys/class/net/$(container_get t-host NetworkInterface)/mtu")"
    create t-own --mtu 9000
    is 9000 "$(inside t-own cat /sys/class/net/eth0/mtu)"
    refuses create t-bad --mtu 1000
    like 'MTU: 1000 is less than the 1280 that the IPv6 of pool' "$output"
    refuses create t-bad --mtu 70000
    configure 'NetworkMTU=1300'
    create t-conf
    is 1300 "$(inside t-conf cat /sys/class/net/eth0/mtu)"
}

# bats test_tags=anywhere
@test "leases from several pools, each to its end" {
    configure 'NetworkPool=small 10.99.0.0/29' 'NetworkPool=big 10.98.0.0/24 fd00:98::/64' \
        'NetworkPool=clash 10.98.0.128/25'
    like "pools 'big' and 'clash' overlap" "$(journalctl -u wardend.service -n 20 -o cat)"
    create t-one
    is small "$(container_get t-one NetworkPool)"
    is '' "$(address6 t-one)"
    inside t-one ping -c 1 -W 2 "$WORLD4"
    unlike 'inet6 [^:]*::[^1 ]' "$(ip -6 -o addr show dev "$(container_get t-one NetworkInterface)" scope global)"
    create t-two
    refuses create t-three
    like "all 2 slots of pool 'small' are in use" "$output"
    create t-three --network-pool big
    is 10.98.0.2 "$(address4 t-three)"
    is fd00:98::2 "$(address6 t-three)"
}

# bats test_tags=anywhere
@test "gives no addresses of a pool that would hide a network or an address of the host" {
    configure 'NetworkPool=mine 10.97.0.0/24 fd00:97::/64' 'NetworkPool=other 10.96.0.0/24'
    create t-before
    ip link add hidden0 type veth peer name hidden1
    ip link set hidden0 up
    ip link set hidden1 up
    ip route add 10.97.0.128/26 dev hidden0
    systemctl restart wardend.service
    daemon_wait
    like "pool 'mine' cannot be used: it would hide the host's route 10.97.0.128/26 of hidden0" \
        "$(journalctl -q -o cat MESSAGE_ID=5a0c1f6c37c84fd0a7d7f2b0d9a4e308 | tail -n 1)"
    # Who is there already stays, and keeps what it has.
    inside t-before ping -c 1 -W 5 "$WORLD4"
    refuses create t-after
    like "NetworkPool: pool 'mine' cannot be used.*route 10.97.0.128/26 of hidden0" "$output"
    gone t-after
    create t-after --network-pool other
    ip route del 10.97.0.128/26 dev hidden0
    ip -6 addr add fd00:97::77/128 dev hidden0 nodad
    systemctl restart wardend.service
    daemon_wait
    refuses create t-late
    like 'address fd00:97::77 of hidden0' "$output"
    ip link del hidden0
    systemctl restart wardend.service
    daemon_wait
    create t-late
    is mine "$(container_get t-late NetworkPool)"
}

# bats test_tags=anywhere
@test "waits for an interface that a daemon before has left" {
    configure 'NetworkPool=mine 10.97.0.0/24'
    # As after the death of a daemon whose last container's kernel was not through with its connections.
    ip link add w-00000000001 type veth peer name hidden1
    ip addr add 10.97.0.1/30 dev w-00000000001
    systemctl restart wardend.service
    daemon_wait
    create t-one
    is 10.97.0.6 "$(address4 t-one)"
    refuses create t-two --address 10.97.0.2
    like 'that of container 00000000001, whose interface still exists' "$output"
    ip link del w-00000000001
    until_true create t-two --address 10.97.0.2
    is 10.97.0.2 "$(address4 t-two)"
}

# bats test_tags=anywhere
@test "has a private network without a way out when there is no pool" {
    configure 'NetworkPool='
    create t-one
    is lo "$(inside t-one ls /sys/class/net)"
    refuses create t-two --address 10.254.0.2
}

# bats test_tags=anywhere
@test "keeps its address over stop and start" {
    local address mac
    create t-one
    address=$(address4 t-one)
    mac=$(inside t-one cat /sys/class/net/eth0/address)
    for _ in 1 2 3; do
        wardenctl stop t-one >/dev/null
        wardenctl start t-one >/dev/null
        inside t-one ping -c 1 -W 2 "$WORLD4"
    done
    is "$address" "$(address4 t-one)"
    is "$mac" "$(inside t-one cat /sys/class/net/eth0/address)"
}

# bats test_tags=anywhere
@test "keeps address and connections over the daemon's death" {
    local before
    create t-one
    before=$(address4 t-one)
    # shellcheck disable=SC2016 # a script for a shell in the container
    wardenctl exec -d t-one -- sh -c 'nc -l -p 7000 >/tmp/heard </dev/null' >/dev/null
    until_true sh -c "wardenctl exec t-one -- ss -ltn | grep -q :7000"
    mkfifo "$BATS_TEST_TMPDIR/pipe"
    in_background "$BATS_TEST_TMPDIR/client" sh -c "nc -N $before 7000 <$BATS_TEST_TMPDIR/pipe"
    exec 7>"$BATS_TEST_TMPDIR/pipe"
    echo before >&7
    heard() { [[ $(inside t-one cat /tmp/heard) == "$1" ]]; }
    until_true heard before
    daemon_kill
    daemon_wait
    echo after >&7
    exec 7>&-
    until_true heard $'before\nafter'
    is "$before" "$(address4 t-one)"
    refuses create t-two --address "$before"
    like "is taken by container 't-one'" "$output"
    create t-two
    [[ $(address4 t-two) != "$before" ]]
}

# bats test_tags=anywhere
@test "writes resolv.conf, hosts and hostname" {
    local before
    before=$(cat /etc/resolv.conf)
    create t-one --hostname box --dns 192.0.2.53 --dns 2001:db8::53 --dns-search example.org
    is $'nameserver 192.0.2.53\nnameserver 2001:db8::53\nsearch example.org' "$(inside t-one cat /etc/resolv.conf)"
    like "$(address4 t-one) box" "$(inside t-one cat /etc/hosts)"
    like "$(address6 t-one) box" "$(inside t-one cat /etc/hosts)"
    is box "$(inside t-one cat /etc/hostname)"
    # Its own files.
    script_in t-one 'echo 192.0.2.9 friend >>/etc/hosts && mv /etc/hosts /etc/h && mv /etc/h /etc/hosts'
    like friend "$(inside t-one getent hosts friend)"
    is "$before" "$(cat /etc/resolv.conf)"
    refuses create t-bad --dns ns.example.org
    like "DNS: 'ns.example.org' is not an IPv4 or IPv6 address" "$output"
    refuses create t-bad --dns-search 'a b'
}

# bats test_tags=anywhere,kernel
@test "looks names up, by both IP versions" {
    local copy=$BATS_TEST_TMPDIR/resolv.conf
    world_names
    create t-four --dns "$WORLD4"
    like '^192\.0\.2\.77 ' "$(inside t-four getent ahostsv4 box.world.test)"
    like '^2001:db8:77::77 ' "$(inside t-four getent ahostsv6 box.world.test)"
    ends_with 2 inside t-four getent hosts nobody.world.test
    create t-six --dns "$WORLD6" --dns-search world.test
    like '^2001:db8:77::77 +box\.world\.test' "$(inside t-six getent hosts box)"
    # The host's own server, and asked by nobody but the host.
    cp /etc/resolv.conf "$copy"
    printf 'nameserver %s\n' "$WORLD4" >/etc/resolv.conf
    create t-host
    cp "$copy" /etc/resolv.conf
    like '^192\.0\.2\.77 ' "$(inside t-host getent ahostsv4 box.world.test)"
    is "asked by $HOST4"$'\n'"asked by $HOST6" "$(sort -u "$BATS_TEST_TMPDIR/names")"
}

# bats test_tags=anywhere
@test "puts other servers in the place of the host's loopback" {
    local copy=$BATS_TEST_TMPDIR/resolv.conf
    cp /etc/resolv.conf "$copy"
    echo 'nameserver 127.0.0.53' >/etc/resolv.conf
    create t-one
    mkdir -p /run/systemd/resolve
    echo 'nameserver 192.0.2.53' >/run/systemd/resolve/resolv.conf
    create t-two
    rm /run/systemd/resolve/resolv.conf
    cp "$copy" /etc/resolv.conf
    is "nameserver $(host4 t-one)" "$(inside t-one cat /etc/resolv.conf)"
    is "nameserver 192.0.2.53" "$(inside t-two cat /etc/resolv.conf)"
}

# bats test_tags=anywhere
@test "follows no link of an image out of it" {
    local image target
    image=$(real_directory)
    target=$BATS_TEST_TMPDIR/target
    echo mine >"$target"
    mkdir -p "$image"/{bin,proc,sys,dev,run,tmp} "$image/real"
    # In the root /etc is a link, and what is in it, too: absolute ones, to files of the host.
    ln -s /real "$image/etc"
    ln -s "$target" "$image/real/resolv.conf"
    ln -s ../../../../../../../../etc/passwd "$image/real/hosts"
    mkfifo "$image/real/hostname"
    cp /etc/passwd "$BATS_TEST_TMPDIR/passwd"
    wardenctl create --name t-links --dns 192.0.2.1 "$image" >/dev/null
    is mine "$(cat "$target")"
    cmp /etc/passwd "$BATS_TEST_TMPDIR/passwd"
    [[ -L $image/real/resolv.conf && -p $image/real/hostname ]]
    is 'nameserver 192.0.2.1' "$(cat "/proc/$(leader t-links)/root/real/resolv.conf")"
    wardenctl destroy t-links >/dev/null
    rm -r "$image"
}

# bats test_tags=anywhere
@test "shares the network of another container" {
    create t-one
    create t-two --network container:t-one
    is container:t-one "$(container_get t-two Network)"
    is "$(inside t-one readlink /proc/self/ns/net)" "$(inside t-two readlink /proc/self/ns/net)"
    like "$(address4 t-one)/30" "$(inside t-two ip -o addr)"
    # Also what /sys says is the other's, and not the host's.
    is $'eth0\nlo' "$(inside t-two ls /sys/class/net)"
    in_background "$BATS_TEST_TMPDIR/server" wardenctl exec t-one -- sh -c 'echo hello | nc -l -N 127.0.0.1 7001'
    until_true sh -c "wardenctl exec t-two -- ss -ltn | grep -q :7001"
    is hello "$(script_in t-two 'nc -d 127.0.0.1 7001')"
    refuses create t-bad --network container:t-nobody
    like "there is no container 't-nobody'" "$output"
    refuses create t-self --network container:t-self
    wardenctl stop t-one >/dev/null
    refuses create t-three --network container:t-one
    like "container 't-one' is stopped; start it first" "$output"
}

# bats test_tags=anywhere
@test "joins a namespace that somebody else made" {
    create t-world --network netns:/run/netns/world
    is netns:/run/netns/world "$(container_get t-world Network)"
    like "inet $WORLD4/24" "$(inside t-world ip -o addr)"
    refuses inside t-world ip link set up1 down
    refuses create t-bad --network netns:/run/netns/nowhere
    like 'join the network: cannot open' "$output"
    refuses create t-bad --network netns:/etc/passwd
    like 'is not a network namespace' "$output"
    wardenctl destroy t-world >/dev/null
    in_world ip link show up1
}

# bats test_tags=anywhere,kernel
@test "makes the kernel look for no module of an interface's name" {
    # It would do so for each name that is asked for in the old way and is not there, with two processes.
    local tracing=/sys/kernel/tracing
    [[ -w $tracing/events/module/module_request/enable ]] || skip "the kernel does not tell which modules it looks for"
    create t-one --bandwidth-receive 1M
    echo >$tracing/trace
    echo 1 >$tracing/events/module/module_request/enable
    container_call t-one GetStats >/dev/null
    manager GetStats as 0 >/dev/null
    wardenctl destroy t-one >/dev/null
    until_true networks_are_quiet
    create t-two
    refuses create t-three --interface nowhere
    echo 0 >$tracing/events/module/module_request/enable
    # udev looks at every interface that comes, and this one may be gone by then.
    is '' "$(grep -v udev $tracing/trace | grep -E 'module_request: .*([wi]-|nowhere)')"
}

# bats test_tags=anywhere
@test "cannot change its own interface, nor hear what it should not" {
    create t-one
    refuses inside t-one ip link set eth0 address 02:00:00:00:00:01
    refuses inside t-one ip addr add 10.254.9.2/30 dev eth0
    refuses inside t-one ip route add 192.0.2.0/24 via "$(host4 t-one)"
    is 0 "$(cat "/proc/sys/net/ipv6/conf/$(container_get t-one NetworkInterface)/accept_ra")"
    is 0 "$(cat "/proc/sys/net/ipv4/conf/$(container_get t-one NetworkInterface)/accept_redirects")"
    is 1 "$(cat "/proc/sys/net/ipv4/conf/$(container_get t-one NetworkInterface)/rp_filter")"
}

# bats test_tags=anywhere
@test "leaves forwarding as it was, and what somebody else has changed" {
    until_true networks_are_quiet
    sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
    # Whoever took a route from an advertisement goes on doing so.
    sysctl -qw net.ipv6.conf.up0.accept_ra=1
    create t-one
    create t-two
    is 1 "$(cat /proc/sys/net/ipv4/ip_forward)"
    is 1 "$(cat /proc/sys/net/ipv6/conf/all/forwarding)"
    is 2 "$(cat /proc/sys/net/ipv6/conf/up0/accept_ra)"
    daemon_kill
    daemon_wait
    wardenctl destroy t-one >/dev/null
    is 1 "$(cat /proc/sys/net/ipv4/ip_forward)"
    wardenctl destroy t-two >/dev/null
    until_true networks_are_quiet
    is 0 "$(cat /proc/sys/net/ipv4/ip_forward)"
    is 0 "$(cat /proc/sys/net/ipv6/conf/all/forwarding)"
    is 1 "$(cat /proc/sys/net/ipv6/conf/up0/accept_ra)"
    sysctl -qw net.ipv4.ip_forward=1
    create t-one
    wardenctl destroy t-one >/dev/null
    until_true networks_are_quiet
    is 1 "$(cat /proc/sys/net/ipv4/ip_forward)"
    sysctl -qw net.ipv4.ip_forward=0
}

# bats test_tags=anywhere
@test "leaves nothing of 200 containers, made one after another" {
    local before i
    until_true networks_are_quiet
    before=$(network_traces)
    for ((i = 0; i < $(scaled 200 20); i++)); do
        create "t-many-$i"
        wardenctl destroy "t-many-$i" >/dev/null
    done
    until_true same_traces "$before"
}

# bats test_tags=anywhere
@test "makes 50 at once, each with its own address" {
    local before i pids=()
    until_true networks_are_quiet
    before=$(network_traces)
    for ((i = 0; i < $(scaled 50 8); i++)); do
        create "t-par-$i" &
        pids+=($!)
    done
    for i in "${pids[@]}"; do wait "$i"; done
    is '' "$(for ((i = 0; i < ${#pids[@]}; i++)); do address4 "t-par-$i"; done | sort | uniq -d)"
    for ((i = 0; i < ${#pids[@]}; i += 7)); do ping -c 1 -W 2 "$(address4 "t-par-$i")"; done
    containers_destroy t-par-
    until_true same_traces "$before"
}
