# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# A world outside: a network namespace behind an uplink of the host, which knows no address but those of the uplink.
# What it sees is what anybody out there would see.

HOST4=192.0.2.1 WORLD4=192.0.2.2
HOST6=2001:db8:77::1 WORLD6=2001:db8:77::2
export HOST4 WORLD4 HOST6 WORLD6

world_up() {
    world_down
    ip netns add world
    ip link add up0 type veth peer name up1 netns world
    ip addr add "$HOST4/24" dev up0
    ip -6 addr add "$HOST6/64" dev up0 nodad
    ip link set up0 up
    ip -n world addr add "$WORLD4/24" dev up1
    ip -n world -6 addr add "$WORLD6/64" dev up1 nodad
    ip -n world link set lo up
    ip -n world link set up1 up
    ip route replace default via "$WORLD4"
    ip -6 route replace default via "$WORLD6"
}

world_down() {
    ip netns pids world 2>/dev/null | xargs -r kill
    ip link del up0 2>/dev/null || true
    ip netns del world 2>/dev/null || true
    # What ip(8) made for the names of namespaces, unless somebody has others.
    if [[ -z $(ip netns list) ]] && mountpoint -q /run/netns; then umount /run/netns; fi
}

in_world() { ip netns exec world "$@"; }

# addresses of a container, without prefixes
address4() { container_get "$1" ContainerAddress; }
address6() {
    local addresses six='"([0-9a-f]*:[0-9a-f:]*)/'
    addresses=$(container_get "$1" Addresses) || return
    [[ ! $addresses =~ $six ]] || echo "${BASH_REMATCH[1]}"
}

# network_traces: all that networks of containers may leave on a host, sorted
network_traces() {
    ip -o link show | sed -nE 's/^[0-9]+: ([wi]-[^:@]+).*/link \1/p'
    ip route show table all | sed -nE '/ dev [wi]-/s/^/route /p'
    ip -6 route show table all | sed -nE '/ dev [wi]-/s/^/route /p'
    ip netns list | sed 's/^/netns /'
    # Ours of the host, as a whole: a switch of an interface goes with the interface.
    sysctl -a -r '^net\.ipv[46]\.(ip_forward|conf\.(all|default|lo)\.)' 2>/dev/null
    find /run/warden/network -type f | sed 's/^/claim /'
    # What is answered to those that are gone goes by itself.
    nft list ruleset | grep -v expires | grep -E '"[wi]-' | sed 's/^/rule /' || true
    lsns -t net -n -o NS | wc -l | sed 's/^/namespaces /'
}

# networks_are_quiet: no container has one, and what the host forwards is as it was before; it takes a moment longer than
# the last answer
networks_are_quiet() { [[ -z $(find /run/warden/network -type f 2>/dev/null) ]]; }

same_traces() { [[ $(network_traces) == "$1" ]] || { diff <(echo "$1") <(network_traces); return 1; }; }

# fetch ADDRESS PORT: the last line of a web page; IPv6 in brackets
fetch() {
    local page
    page=$(printf 'GET / HTTP/1.0\r\n\r\n' | socat -T 5 - "TCP:$1:$2,connect-timeout=3") || return
    tail -n 1 <<<"$page"
}

# visit_begin ADDRESS PORT: a client outside that asks for the page and keeps its connection; visit asks for it once
# more on the same one, and waits for the answer
visit_begin() {
    mkfifo "$BATS_TEST_TMPDIR/request"
    in_background "$BATS_TEST_TMPDIR/pages" \
        sh -c "exec ip netns exec world socat -T 60 - TCP:$1:$2 <'$BATS_TEST_TMPDIR/request'"
    exec 7>"$BATS_TEST_TMPDIR/request"
    VISITS=0
    visit
}

visit_is_answered() { (($(grep -c "^seen $WORLD4" "$BATS_TEST_TMPDIR/pages") == VISITS)); }

visit() {
    VISITS=$((VISITS + 1))
    printf 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' >&7
    until_true visit_is_answered
}

visit_end() { exec 7>&-; }

# fetch_in NAME ADDRESS PORT: the same from a container; IPv6 without brackets
fetch_in() {
    # shellcheck disable=SC2016 # a script for a shell in the container
    script_in "$1" 'printf "GET / HTTP/1.0\r\n\r\n" | nc -w 3 "$1" "$2" | tail -n 1' "$2" "$3"
}

# web NAME: nginx in a container that tells everybody the address by which it sees them
web() {
    script_in "$1" 'cat >/etc/nginx/sites-enabled/default' <<'END'
server {
    listen 80 default_server;
    listen [::]:80 default_server;
    location / { default_type text/plain; return 200 "seen $remote_addr\n"; }
}
END
    wardenctl exec -d "$1" -- nginx -g 'daemon off;' >/dev/null
    until_true inside "$1" nc -z 127.0.0.1 80
}

# echo_service [COMMAND…] -- SOCAT_ADDRESS: tells every caller its address, until the case ends
echo_service() {
    local address=${!#}
    # shellcheck disable=SC2016 # for a shell of socat's
    in_background "$BATS_TEST_TMPDIR/service-$RANDOM" "${@:1:$#-1}" socat "$address,reuseaddr,fork" 'SYSTEM:echo seen $SOCAT_PEERADDR'
}

# world_names: a name server in the world for box.world.test (192.0.2.77 and 2001:db8:77::77); no other name exists. It
# ends with the case, and says how often it was asked for an address by whom.
world_names() {
    cat >"$BATS_TEST_TMPDIR/names.py" <<'END'
import select, socket, sys

NAME = b"\3box\5world\4test\0"
DATA = {1: socket.inet_aton("192.0.2.77"), 28: socket.inet_pton(socket.AF_INET6, "2001:db8:77::77")}

def answer(query):
    end = query.index(b"\0", 12) + 5
    question, kind = query[12:end], int.from_bytes(query[end - 4:end - 2], "big")
    exists = question[:-4].lower() == NAME
    found = DATA.get(kind) if exists else None
    header = query[:2] + (b"\x85\x80" if exists else b"\x85\x83") + b"\0\1" + (b"\0\1" if found else b"\0\0") + b"\0\0\0\0"
    record = b"\xc0\x0c" + kind.to_bytes(2, "big") + b"\0\1\0\0\0\0" + len(found).to_bytes(2, "big") + found if found else b""
    return header + question + record

sockets = []
for address in sys.argv[1:]:
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((address, 53))
    sockets.append(s)
while True:
    for s in select.select(sockets, [], [])[0]:
        query, peer = s.recvfrom(512)
        s.sendto(answer(query), peer)
        print("asked by", peer[0])
END
    in_background "$BATS_TEST_TMPDIR/names" in_world python3 -u "$BATS_TEST_TMPDIR/names.py" "$WORLD4" "$WORLD6"
    until_true sh -c "[ \$(ip netns exec world ss -Hlun 'sport = :53' | wc -l) -eq 2 ]"
}
