#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2016 # scripts for a shell in the container
# bats file_tags=anywhere
#
# Ports of the host that lead into containers, seen from outside, from the host and from other containers.

load lib
load lib-world

setup_file() {
    world_up
    file_begin
    create s-web -p 8080:80
    web s-web
    create s-other
}

teardown_file() {
    file_end
    world_down
}

teardown() {
    case_end
    wardenctl port s-web rm 8081 2>/dev/null || true
    wardenctl port s-web rm 127.0.0.1:8081:80 2>/dev/null || true
}

seen_by_host() { like "^seen " "$(fetch "$1" "$2")"; }

# bats test_tags=kernel
@test "serves a page to a client outside, which is seen with its own address" {
    is "seen $WORLD4" "$(in_world bash -c "$(declare -f fetch); fetch $HOST4 8080")"
    is "seen $WORLD6" "$(in_world bash -c "$(declare -f fetch); fetch [$HOST6] 8080")"
}

@test "serves it to the host itself, at its own addresses and at 127.0.0.1" {
    is "seen $HOST4" "$(fetch $HOST4 8080)"
    like '^seen [0-9.]+$' "$(fetch 127.0.0.1 8080)"
    is "seen $HOST6" "$(fetch "[$HOST6]" 8080)"
}

@test "serves it to another container, which is seen with its own address" {
    is "seen $(container_get s-other ContainerAddress)" "$(fetch_in s-other $HOST4 8080)"
}

@test "serves it to the container itself" {
    like '^seen [0-9.]+$' "$(fetch_in s-web $HOST4 8080)"
    like '^seen [0-9a-f:]+$' "$(fetch_in s-web $HOST6 8080)"
}

@test "is not a way around: the container's own address stays closed" {
    refuses in_world nc -w 1 -z "$(container_get s-web ContainerAddress)" 80
    refuses inside s-other nc -w 1 -z "$(container_get s-web ContainerAddress)" 80
}

@test "leads to it as long as it is told to, while the container runs" {
    refuses fetch $HOST4 8081
    is 8081:80/tcp "$(wardenctl port s-web add 8081:80)"
    is "seen $HOST4" "$(fetch $HOST4 8081)"
    like '8081.* 80.*tcp' "$(wardenctl port s-web)"
    is 2 "$(wardenctl port --json s-web | jq length)"
    wardenctl port s-web rm 8081
    refuses fetch $HOST4 8081
    is 1 "$(container_get s-web ForwardedPorts | jq length)"
}

@test "chooses a port when none is named, and never the same for two" {
    local first second
    first=$(wardenctl port s-web add 80)
    second=$(wardenctl port s-web add 80)
    like '^61[0-9]{3}:80/tcp$' "$first"
    [[ $first != "$second" ]]
    is "seen $HOST4" "$(fetch $HOST4 "${second%%:*}")"
    wardenctl port s-web rm "$first" "$second"
}

@test "carries UDP and ranges" {
    create t-udp -p 7000-7003:7000-7003/udp
    in_background "$BATS_TEST_TMPDIR/udp" wardenctl exec t-udp -- python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 7002))
while True:
    data, who = s.recvfrom(100)
    s.sendto(("seen %s" % who[0]).encode(), who)'
    answer() { [[ $(echo x | in_world socat -T 1 - UDP:$HOST4:7002) == "seen $WORLD4" ]]; }
    until_true answer
}

@test "leads a client that goes on talking to the next container" {
    local name
    # From one port all the time, as a resolver or a game does: to the kernel that is one connection.
    ask() { [[ $(echo x | in_world socat -T 1 - "UDP4:$HOST4:7010,bind=:5555") == "i am $1" ]]; }
    for name in t-first t-second; do
        create "$name" -p 7010:7010/udp
        in_background "$BATS_TEST_TMPDIR/$name" wardenctl exec "$name" -- python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 7010))
while True:
    data, who = s.recvfrom(100)
    s.sendto(("i am %s" % sys.argv[1]).encode(), who)' "$name"
        until_true ask "$name"
        wardenctl destroy "$name"
    done
}

# bats test_tags=kernel
@test "carries SCTP" {
    local has='import socket; socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_SCTP)'
    python3 -c "$has" 2>/dev/null || skip "this kernel has no SCTP"
    wardenctl port s-web add 8087:8087/sctp
    in_background "$BATS_TEST_TMPDIR/sctp" wardenctl exec s-web -- python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)
s.bind(("", 8087))
s.listen()
while True:
    c, who = s.accept()
    c.send(("seen %s\n" % who[0]).encode())
    c.close()'
    answer() {
        in_world python3 -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)
s.settimeout(5)
s.connect(('$HOST4', 8087))
print(s.recv(100).decode(), end='')" | grep -x "seen $WORLD4"
    }
    until_true answer
    wardenctl port s-web rm 8087/sctp
    refuses answer
}

@test "keeps to the address that was named" {
    wardenctl port s-web add 127.0.0.1:8081:80
    like '^seen' "$(fetch 127.0.0.1 8081)"
    refuses in_world nc -w 1 -z $HOST4 8081
    wardenctl port s-web rm 127.0.0.1:8081:80
}

@test "refuses a port that is another container's, and says whose" {
    create t-late
    refuses wardenctl port t-late add 8080:80
    like "8080/tcp leads to container 's-web'" "$output"
    is '[]' "$(container_get t-late ForwardedPorts | jq -c .)"
    refuses wardenctl create --name t-never -p 8080:80 "$IMAGE"
    like 's-web' "$output"
    gone t-never
}

@test "refuses a port that a process of the host has" {
    in_background "$BATS_TEST_TMPDIR/listener" socat TCP-LISTEN:8082,reuseaddr,fork -
    until_true nc -z 127.0.0.1 8082
    refuses wardenctl port s-web add 8082:80
    like '8082/tcp is in use by a process' "$output"
    refuses wardenctl create --name t-never -p 8082:80 "$IMAGE"
    gone t-never
}

@test "refuses what makes no sense, naming the field" {
    refuses gcall "$(path_of s-web)" Container.ForwardPort "{'HostPort': <uint16 80>}"
    like 'ContainerPort: 0 is not from 1 to 65535' "$output"
    refuses gcall "$(path_of s-web)" Container.ForwardPort "{'HostPort': <uint16 65535>, 'ContainerPort': <uint16 80>, 'Count': <uint16 2>}"
    like 'HostPort: 2 ports from 65535' "$output"
    refuses gcall "$(path_of s-web)" Container.ForwardPort "{'ContainerPort': <uint16 80>, 'HostAddress': <'example.org'>}"
    like "HostAddress: 'example.org'" "$output"
    refuses gcall "$(path_of s-web)" Container.ForwardPort "{'ContainerPort': <uint16 80>, 'HostAddress': <'198.51.100.7'>, 'HostPort': <uint16 9>}"
    like 'is no address of this host' "$output"
    refuses wardenctl port s-web rm 4711
    like 'no forward of this container' "$output"
    create t-none --network none
    refuses wardenctl port t-none add 80
    like 'no private network' "$output"
}

@test "keeps its forwards and connections over the death of the daemon" {
    visit_begin "$HOST4" 8080
    daemon_kill
    visit
    daemon_wait
    visit
    visit_end
    is "seen $HOST4" "$(fetch $HOST4 8080)"
    is 8080 "$(container_get s-web ForwardedPorts | jq '.[0].HostPort.data')"
    refuses wardenctl port s-other add 8080:80
}

# talker FILE ADDRESS PORT: connects from outside, and says what becomes of the connection, a word every now and then
talker() {
    in_background "$1" in_world python3 -c "
import socket, time
s = socket.create_connection(('$2', $3), 5)
s.settimeout(20)
for i in range(300):
    try:
        s.send(b'x')
        print('alive' if s.recv(100) else 'ended', flush=True)
    except OSError as e:
        print('cut', e, flush=True)
        break
    time.sleep(0.1)"
    until_true grep alive "$1"
}

# bats test_tags=kernel
@test "ends connections with the forward when it is told to, and only its own" {
    # It talks without being asked, from the port that the forward has: that must not pass for the forward's.
    in_background "$BATS_TEST_TMPDIR/server" wardenctl exec s-web -- python3 -c '
import os, socket, time
s = socket.create_server(("", 8086), family=socket.AF_INET6, dualstack_ipv6=True)
for i in range(2):
    c = s.accept()[0]
    if os.fork() == 0:
        try:
            for i in range(600):
                c.send(b"x")
                time.sleep(0.05)
        except OSError as e:
            print("server", e, flush=True)
        os._exit(0)
    c.close()'
    wardenctl port s-web add 8086:8086
    visit_begin "$HOST4" 8080
    is_listening() { inside s-web python3 -c 'open("/proc/net/tcp6").read().index(":1F96 ")'; }
    until_true is_listening
    talker "$BATS_TEST_TMPDIR/four" "$HOST4" 8086
    talker "$BATS_TEST_TMPDIR/six" "$HOST6" 8086
    wardenctl port s-web rm --cut 8086
    until_true grep cut "$BATS_TEST_TMPDIR/four"
    until_true grep cut "$BATS_TEST_TMPDIR/six"
    server_knows() { (($(grep -c '^server' "$BATS_TEST_TMPDIR/server") == 2)); }
    until_true server_knows
    visit
    visit_end
}

# bats test_tags=kernel
@test "comes back when somebody flushes the rules, under a connection that lives on" {
    visit_begin "$HOST4" 8080
    nft flush ruleset
    until_true nft list table inet warden
    like 's-web|w-' "$(nft list set inet warden slots)"
    like 'Somebody else has changed' \
        "$(journalctl -q -o cat MESSAGE_ID=5a0c1f6c37c84fd0a7d7f2b0d9a4e307 | tail -n 1)"
    visit
    visit_end
    is "seen $HOST4" "$(fetch $HOST4 8080)"
}

@test "leaves other tables alone" {
    nft add table inet stranger
    wardenctl port s-web add 8081:80
    nft delete table inet warden
    until_true fetch $HOST4 8081
    nft list table inet stranger
    nft delete table inet stranger
    wardenctl port s-web rm 8081
}

@test "keeps them over a stop and a start" {
    create t-again -p 8083:80
    wardenctl stop t-again
    refuses create t-thief -p 8083:80
    wardenctl start t-again
    web t-again
    is "seen $HOST4" "$(fetch $HOST4 8083)"
    wardenctl destroy t-again
    create t-heir -p 8083:80
}

@test "leaves no element of a container that is gone" {
    local id
    create t-gone -p 8084:80 -p 127.0.0.1:8085:80
    id=$(container_get t-gone Id)
    like "$id" "$(nft list ruleset)"
    wardenctl destroy t-gone
    # Its interface alone is known for three minutes, to answer what its kernel may still say.
    unlike "$id|8084|8085" "$(nft list ruleset | grep -v expires)"
}
