#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# bats file_tags=anywhere
#
# Who may talk to whom: containers of one segment to each other, and nobody else to anybody, the same with both
# versions of IP.

load lib
load lib-world

CONF=/run/warden/wardend.conf.d/test-segment.conf

setup_file() {
    file_begin
    create s-red1 --segment red
    create s-red2 --segment red
    create s-blue1 --segment blue
    create s-blue2 --segment blue
    create s-alone
    local name
    for name in s-red1 s-red2 s-blue1 s-blue2 s-alone; do web "$name"; done
}

teardown_file() {
    rm -rf "${CONF%/*}"
    file_end
}

teardown() {
    case_end
    if [[ -e $CONF ]]; then
        rm -r "${CONF%/*}"
        systemctl reload wardend.service
    fi
}

# talks FROM TO: 4, 6, 46 or nothing, by TCP; both versions must answer or refuse at once
talks() {
    local result=""
    inside "$1" nc -w 5 -z "$(address4 "$2")" 80 && result+=4
    inside "$1" nc -w 5 -z "$(address6 "$2")" 80 && result+=6
    echo "$result"
}

# matrix: all that can talk, a line each
matrix() {
    local from to
    for from in s-red1 s-red2 s-blue1 s-blue2 s-alone; do
        for to in s-red1 s-red2 s-blue1 s-blue2 s-alone; do
            [[ $from == "$to" ]] || echo "$from $to $(talks "$from" "$to")"
        done
    done | grep '[46]$' | sort
}

MATRIX='s-blue1 s-blue2 46
s-blue2 s-blue1 46
s-red1 s-red2 46
s-red2 s-red1 46'

@test "lets those of one segment talk, and no others" {
    is "$MATRIX" "$(matrix)"
}

@test "lets them talk by UDP and ICMP, too" {
    inside s-red1 ping -c 1 -W 5 "$(address4 s-red2)"
    inside s-red1 ping -c 1 -W 5 "$(address6 s-red2)"
    refuses inside s-red1 ping -c 1 -W 1 "$(address4 s-blue1)"
    refuses inside s-red1 ping -c 1 -W 1 "$(address6 s-blue1)"
    in_background "$BATS_TEST_TMPDIR/udp" wardenctl exec s-red2 -- python3 -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 7005))
while True:
    data, who = s.recvfrom(100)
    s.sendto(("seen %s" % who[0]).encode(), who)'
    answer() { [[ $(script_in s-red1 'echo x | nc -u -w 1 "$1" 7005' "$(address4 s-red2)") == "seen $(address4 s-red1)" ]]; }
    until_true answer
}

@test "shows each the address of the other" {
    is "seen $(address4 s-red1)" "$(fetch_in s-red1 "$(address4 s-red2)" 80)"
    is "seen $(address6 s-red1)" "$(fetch_in s-red1 "$(address6 s-red2)" 80)"
}

@test "keeps to that whatever the host denies" {
    mkdir -p "${CONF%/*}"
    printf '%s\n' '[Manager]' "DenyNetworks=0.0.0.0/0 ::/0" >"$CONF"
    systemctl reload wardend.service
    until_true bash -c 'nft list set inet warden deny4 | grep -q elements'
    is "$MATRIX" "$(matrix)"
}

@test "is not opened by the mark that others give to packets" {
    # The numbers of segments are small; a table of somebody else's gives them to everybody's packets.
    nft -f - <<'END'
table inet stranger {
    chain c {
        type filter hook forward priority mangle; policy accept;
        meta mark set 1
    }
}
END
    is "" "$(talks s-alone s-red1)"
    is "" "$(talks s-alone s-blue1)"
    is 46 "$(talks s-blue2 s-blue1)"
    nft delete table inet stranger
}

@test "is there again after a flush, a restart and a stop" {
    nft flush ruleset
    until_true nft list map inet warden segments
    is 46 "$(talks s-red1 s-red2)"
    daemon_kill
    daemon_wait
    is 46 "$(talks s-red1 s-red2)"
    is "" "$(talks s-red1 s-blue2)"
    wardenctl stop s-red2
    wardenctl start s-red2
    web s-red2
    is 46 "$(talks s-red1 s-red2)"
    is "" "$(talks s-alone s-red2)"
}

@test "is given to the next of its name, and to nobody else" {
    create t-green1 --segment green
    create t-green2 --segment green
    web t-green2
    is 46 "$(talks t-green1 t-green2)"
    wardenctl destroy t-green1
    create t-other --segment other
    is "" "$(talks t-other t-green2)"
    create t-green3 --segment green
    is 46 "$(talks t-green3 t-green2)"
}

# bats test_tags=kernel
@test "changes while a container runs, and stays so over a restart and a stop" {
    create t-one
    create t-two --segment red
    web t-one
    is "" "$(talks s-red1 t-one)"
    wardenctl segment t-one join red
    is red "$(container_get t-one Segment)"
    is 46 "$(talks s-red1 t-one)"
    is 46 "$(talks t-one s-red2)"
    wardenctl segment t-one join blue
    is "" "$(talks s-red1 t-one)"
    is 46 "$(talks s-blue1 t-one)"
    wardenctl segment t-two leave
    is true "$(container_get t-two Isolated)"
    is "" "$(talks t-two s-red1)"
    daemon_kill
    daemon_wait
    is 46 "$(talks s-blue1 t-one)"
    is "" "$(talks t-two s-red1)"
    nft flush ruleset
    until_true nft list map inet warden segments
    is 46 "$(talks s-blue1 t-one)"
    wardenctl stop t-one
    wardenctl segment t-one join red
    wardenctl start t-one
    web t-one
    is 46 "$(talks s-red1 t-one)"
    is "" "$(talks s-blue1 t-one)"
    is "$MATRIX" "$(matrix)"
    wardenctl destroy t-one t-two
    # What it was in on the way is not left behind.
    until_true elements_are 8
}

# elements_are N: so many containers are in segments, each by two
elements_are() {
    (($(nft -j list ruleset | jq '[.nftables[] | .map?, .set? | select(. and (.name == "segments" or .name == "members")) |
        .elem // [] | length] | add') == $1))
}

# conversation_begin FROM TO: what FROM says, TO hears, all by one connection
conversation_begin() {
    in_background "$BATS_TEST_TMPDIR/server" wardenctl exec "$2" -- nc -l -p 7007
    until_true script_in "$2" 'ss -Hltn "sport = :7007" | grep -q .'
    mkfifo "$BATS_TEST_TMPDIR/words"
    in_background "$BATS_TEST_TMPDIR/client" \
        sh -c "exec wardenctl exec '$1' -- nc '$(address4 "$2")' 7007 <'$BATS_TEST_TMPDIR/words'"
    exec 7>"$BATS_TEST_TMPDIR/words"
}

says() { echo "$1" >&7; }
heard() { grep -q "^$1\$" "$BATS_TEST_TMPDIR/server"; }

@test "keeps connections when it changes, and cuts them when it is told to" {
    create t-one --segment red
    create t-two --segment red
    conversation_begin t-one t-two
    says first
    until_true heard first
    wardenctl segment t-one leave
    says second
    until_true heard second
    refuses inside t-one nc -w 5 -z "$(address4 t-two)" 7008
    wardenctl segment t-one join red
    wardenctl segment --cut t-one leave
    says third
    # The client is told, and ends.
    until_true bash -c "! wardenctl exec t-one -- pgrep -x nc"
    refuses heard third
    exec 7>&-
}

@test "is what Isolated is not" {
    gcall "$ROOT" Manager.CreateContainer "{'Name': <'t-open1'>, 'RootDirectory': <'$IMAGE'>, 'Isolated': <false>}"
    create t-open2 --segment default
    web t-open2
    is default "$(container_get t-open1 Segment)"
    is false "$(container_get t-open1 Isolated)"
    is true "$(container_get s-alone Isolated)"
    is "" "$(container_get s-alone Segment)"
    like 'Segment: default' "$(wardenctl info t-open1)"
    unlike 'Segment:' "$(wardenctl info s-alone)"
    is 46 "$(talks t-open1 t-open2)"
}

@test "lists them" {
    is $'blue\nred' "$(wardenctl segment -q)"
    is $'s-blue1\ns-blue2' "$(wardenctl segment -q s-blue2)"
    like "red +s-red2 +$(address4 s-red2)" "$(wardenctl segment)"
    is 4 "$(wardenctl segment --json | jq length)"
}

@test "refuses what contradicts itself or is no name" {
    refuses wardenctl segment s-red1 join a/b
    like "Segment: 'a/b' is not" "$output"
    is red "$(container_get s-red1 Segment)"
    refuses gcall "$ROOT" Manager.CreateContainer "{'Name': <'t-no'>, 'RootDirectory': <'$IMAGE'>, 'Isolated': <true>, 'Segment': <'red'>}"
    like "Isolated: contradicts Segment 'red'" "$output"
    refuses gcall "$ROOT" Manager.CreateContainer "{'Name': <'t-no'>, 'RootDirectory': <'$IMAGE'>, 'Segment': <'a/b'>}"
    like "Segment: 'a/b' is not" "$output"
    refuses gcall "$ROOT" Manager.CreateContainer "{'Name': <'t-no'>, 'RootDirectory': <'$IMAGE'>, 'Isolated': <false>, 'Network': <'none'>}"
    like 'Segment: is only for Network=private' "$output"
    gone t-no
}
