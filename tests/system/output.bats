#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Output of jobs: rings, attaching, input, terminals, ends, the journal, wsh, and a daemon that dies in between.

# bats file_tags=anywhere

load lib

setup_file() {
    file_begin_without_journal
    create s-out
}

teardown_file() { file_end_without_journal; }

teardown() {
    systemctl reset-failed wardend.service
    daemon_wait
    case_end
}

job_path() { echo "$(path_of "$1")/job/$2"; }
journal_of() { journalctl --sync; journalctl --quiet "CONTAINER_NAME=$1" "CONTAINER_JOB=$2" _UID=0 "${@:3}"; }
wshd_pss() { awk '/^Pss:/ { print $2 }' "/proc/$(leader "$1")/smaps_rollup"; }
daemon_rss() { awk '/^VmRSS:/ { print $2 }' "/proc/$(daemon_pid)/status"; }

@test "keeps output from its first byte, and gives it to whoever comes later" {
    local n
    n=$(start s-out '' 'seq 1 1000; seq 1 500 >&2')
    until_true ended s-out "$n"
    for _ in 1 2; do
        wardenctl logs s-out "$n" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err"
        cmp <(seq 1 1000) "$BATS_TEST_TMPDIR/out"
        cmp <(seq 1 500) "$BATS_TEST_TMPDIR/err"
    done
    is 3893 "$(job_get s-out "$n" StdoutBytes)"
    is 1892 "$(job_get s-out "$n" StderrBytes)"
}

@test "keeps the last bytes of a job that floods both streams and exits" {
    local n
    n=$(start s-out "'RingBytes': <uint64 1048576>" 'head -c 900000 /dev/zero | tr "\0" o; head -c 900000 /dev/zero | tr "\0" e >&2')
    until_true ended s-out "$n"
    is 900000 "$(wardenctl logs s-out "$n" 2>/dev/null | tr -d '\n' | wc -c)"
    is 900000 "$(wardenctl logs s-out "$n" 2>&1 >/dev/null | tr -cd e | wc -c)"
}

@test "says how much a late reader has missed" {
    local n
    n=$(start s-out "'RingBytes': <uint64 65536>" 'head -c 1000000 /dev/zero | tr "\0" x')
    until_true ended s-out "$n"
    capture wardenctl logs s-out "$n"
    like '934464' "$(tr -d x <<<"$output")"
}

@test "gives several readers the same bytes at the same time" {
    local n i
    n=$(start s-out "'OpenStdin': <true>" 'read -r go; seq 1 20000')
    for i in 1 2 3; do in_background "$BATS_TEST_TMPDIR/$i" wardenctl logs -f s-out "$n"; done
    sleep 0.5
    wardenctl attach s-out "$n" <<<go >"$BATS_TEST_TMPDIR/0"
    for i in 0 1 2 3; do until_true cmp <(seq 1 20000) "$BATS_TEST_TMPDIR/$i"; done
}

@test "lets a job with backpressure wait for its reader, and loses nothing" {
    local n pid
    n=$(start s-out "'Backpressure': <true>, 'RingBytes': <uint64 65536>" 'seq 1 200000')
    sleep 0.5
    is running "$(job_get s-out "$n" State)"
    wardenctl logs -f s-out "$n" >"$BATS_TEST_TMPDIR/out"
    cmp <(seq 1 200000) "$BATS_TEST_TMPDIR/out"
    until_true ended s-out "$n"
}

@test "is not held up by a reader that never reads, and stays small" {
    local n before bytes=$((${WARDEN_SLOW:-0} ? 256 << 20 : 10 << 30))
    before=$(wshd_pss s-out)
    n=$(start s-out "'OpenStdin': <true>, 'RingBytes': <uint64 1048576>" "read -r go; head -c $bytes /dev/zero; echo end")
    in_background "$BATS_TEST_TMPDIR/log" wardenctl logs -f s-out "$n"
    sleep 0.3
    kill -STOP "${BACKGROUND[-1]}"
    local daemon
    daemon=$(daemon_rss)
    printf 'go\n' | wardenctl attach s-out "$n" | tail -c 4 >"$BATS_TEST_TMPDIR/tail"
    kill -CONT "${BACKGROUND[-1]}"
    kill "${BACKGROUND[-1]}" || true # it may have seen the end
    is end "$(cat "$BATS_TEST_TMPDIR/tail")"
    is "$((bytes + 4))" "$(job_get s-out "$n" StdoutBytes)"
    echo "wshd: $before, now $(wshd_pss s-out) KiB; wardend: $daemon, now $(daemon_rss) KiB"
    (($(wshd_pss s-out) < before + 2500 && $(daemon_rss) < daemon + 2048))
}

@test "tells a reader that is too slow how many bytes it has missed" {
    local n shown missed
    n=$(start s-out "'OpenStdin': <true>, 'RingBytes': <uint64 65536>" 'read -r go; head -c 10000000 /dev/zero | tr "\0" x; touch /tmp/written; read -r end')
    in_background "$BATS_TEST_TMPDIR/err" bash -c 'exec wardenctl logs -f s-out "$1" >"$2"' sh "$n" "$BATS_TEST_TMPDIR/out"
    sleep 0.5
    kill -STOP "${BACKGROUND[-1]}"
    in_background "$BATS_TEST_TMPDIR/attached" bash -c '{ echo go; sleep 1000; } | wardenctl attach s-out "$1" | wc -c' sh "$n"
    until_true inside s-out test -e /tmp/written
    kill -CONT "${BACKGROUND[-2]}"
    job_call s-out "$n" Kill i 9
    wait "${BACKGROUND[-2]}" || true
    shown=$(wc -c <"$BATS_TEST_TMPDIR/out")
    missed=$(grep -oE '[0-9]+ bytes' "$BATS_TEST_TMPDIR/err")
    is 10000000 "$((shown + ${missed% bytes}))"
    ((shown < 1000000))
}

@test "gives the others all of it when a reader vanishes in the middle" {
    local n
    n=$(start s-out "'OpenStdin': <true>, 'Backpressure': <true>" 'read -r go; seq 1 500000')
    in_background "$BATS_TEST_TMPDIR/out" wardenctl logs -f s-out "$n"
    # Three bytes of a frame, and away; one that is killed; one that never reads, and is then killed.
    in_background "$BATS_TEST_TMPDIR/vanished" bash -c 'wardenctl logs -f s-out "$1" | head -c 3' sh "$n"
    in_background "$BATS_TEST_TMPDIR/killed" wardenctl logs -f s-out "$n"
    sleep 0.5
    kill -STOP "${BACKGROUND[-1]}"
    in_background "$BATS_TEST_TMPDIR/attached" wardenctl attach s-out "$n" <<<go
    sleep 0.5
    kill -KILL "${BACKGROUND[-2]}"
    until_true ended s-out "$n"
    until_true cmp <(seq 1 500000) "$BATS_TEST_TMPDIR/out"
}

@test "passes stdin on, its end included, and lets it be attached again" {
    local n
    n=$(start s-out "'OpenStdin': <true>" 'cat; echo over')
    like 'one' "$(wardenctl attach s-out "$n" <<<one)"
    like 'over' "$(wardenctl logs -f s-out "$n")"
    until_true ended s-out "$n"
}

@test "pipes through exec as through ssh" {
    local sum
    head -c 20000000 /dev/urandom >"$BATS_TEST_TMPDIR/data"
    sum=$(sha256sum <"$BATS_TEST_TMPDIR/data")
    is "$sum" "$(inside s-out sha256sum <"$BATS_TEST_TMPDIR/data")"
    is "$sum" "$(inside s-out cat <"$BATS_TEST_TMPDIR/data" | sha256sum)"
    tar -C "$BATS_TEST_TMPDIR" -c data | inside s-out tar -C /tmp -x
    is "$sum" "$(inside s-out cat /tmp/data | sha256sum)"
    inside s-out rm /tmp/data
}

@test "ends the output of a job that closes it, and not the job" {
    local n
    n=$(start s-out '' 'echo first; exec >&- 2>&-; sleep 1000')
    is first "$(timeout 10 wardenctl logs -f s-out "$n" || true)"
    is running "$(job_get s-out "$n" State)"
    job_call s-out "$n" Kill i 9
}

@test "keeps what descendants write after the job's end" {
    local n
    n=$(start s-out '' '(sleep 1; echo late) & echo early')
    until_true ended s-out "$n"
    late() { [[ $(wardenctl logs s-out "$n") == $'early\nlate' ]]; }
    until_true late
}

@test "keeps ended jobs up to the configured count, and counts the others" {
    local i
    mkdir -p /etc/warden/wardend.conf.d
    printf '[Manager]\nEndedJobsMax=3\n' >/etc/warden/wardend.conf.d/50-test.conf
    systemctl reload wardend.service
    create t-many
    for i in 1 2 3 4 5; do start t-many '' true; done
    few() { (($(container_get t-many JobsDropped) == 2)); }
    until_true few
    is 3 "$(container_get t-many Jobs | jq length)"
    rm -r /etc/warden/wardend.conf.d
    systemctl reload wardend.service
}

@test "keeps ended jobs for the configured time, and counts what it drops" {
    local n running
    create t-old
    running=$(start t-old '' 'sleep 1000')
    mkdir -p /etc/warden/wardend.conf.d
    printf '[Manager]\nEndedJobsSec=1s\n' >/etc/warden/wardend.conf.d/50-test.conf
    systemctl reload wardend.service
    n=$(start t-old '' 'echo short')
    none() { (($(container_get t-old JobsDropped) == 1)); }
    until_true none
    refuses wardenctl logs t-old "$n"
    is "[\"$(job_path t-old "$running")\"]" "$(container_get t-old Jobs | jq -c .)"
    rm -r /etc/warden/wardend.conf.d
    systemctl reload wardend.service
}

@test "writes lines to the journal, with the container's name and the line's priority" {
    local n
    n=$(start s-out "'Log': <'journal'>, 'Identifier': <'web'>" 'echo plain; echo "<4>warned"; echo wrong >&2; printf last')
    until_true ended s-out "$n"
    lines() { [[ $(journal_of s-out "$n" -o cat | wc -l) == 4 ]]; }
    until_true lines
    is 'last:6:stdout plain:6:stdout warned:4:stdout wrong:3:stderr' "$(journal_of s-out "$n" -o json |
        jq -r '"\(.MESSAGE):\(.PRIORITY):\(.CONTAINER_STREAM)"' | sort | xargs)"
    is 'web s-out' "$(journal_of s-out "$n" -o json | jq -r '"\(.SYSLOG_IDENTIFIER) \(.CONTAINER)"' | sort -u)"
    is 4 "$(journalctl --quiet -u "$(unit_of s-out)" "CONTAINER_JOB=$n" -o cat | wc -l)"
    is "$(printf 'plain\nwarned\nlast')" "$(wardenctl logs s-out "$n" 2>/dev/null)"
    is last "$(wardenctl logs -n 2 s-out "$n" 2>/dev/null)"
    is "" "$(wardenctl logs --since @4000000000 s-out "$n" 2>&1)"
}

@test "marks partial lines in the journal, and keeps every byte" {
    local n
    n=$(start s-out "'Log': <'both'>" 'head -c 100000 /dev/zero | tr "\0" x; echo; printf "a\001\000b\n"')
    until_true ended s-out "$n"
    lines() { (($(journal_of s-out "$n" -o json | wc -l) == 4)); }
    until_true lines
    is 2 "$(journal_of s-out "$n" CONTAINER_PARTIAL_MESSAGE=true -o json | wc -l)"
    is '97,1,0,98' "$(journal_of s-out "$n" -o json --all | jq -r 'select(.MESSAGE | type == "array") | .MESSAGE | map(tostring) | join(",")')"
}

@test "lets no container forge the name of another, or an emergency" {
    local n
    n=$(start s-out "'Log': <'journal'>" 'printf "x\nCONTAINER_NAME=other\nMESSAGE=y\n<0>wall\n"')
    lines() { (($(journal_of s-out "$n" -o cat | wc -l) == 4)); }
    until_true lines
    is 1 "$(journal_of s-out "$n" -o json | jq -r 'select(.MESSAGE == "wall") | .PRIORITY')"
    is "" "$(journalctl --quiet CONTAINER_NAME=other -o cat)"
    # Nor by the name that a job gives itself, nor by journald's own sockets.
    refuses start s-out "'Log': <'journal'>, 'Identifier': <'x\nCONTAINER_NAME=other'>" 'echo x'
    like 'InvalidSpec.*Identifier' "$output"
    refuses inside s-out ls /run/systemd/journal
    refuses inside s-out ls /dev/log
}

has_lines() {
    local lines
    lines=$(journal_of s-out "$1" -o cat | wc -l)
    echo "$lines lines"
    ((lines >= $2))
}

@test "keeps the lines of a job that is released before the journal has them" {
    local n lines
    lines=$(scaled 30000 3000)
    n=$(start s-out "'Log': <'journal'>, 'RingBytes': <uint64 4194304>" "seq 1 $lines")
    until_true ended s-out "$n"
    pkill -KILL -x warden-journal
    job_call s-out "$n" Release
    refuses job_get s-out "$n" State
    sleep 0.2
    daemon_kill
    daemon_wait
    until_true has_lines "$n" "$lines"
    # A kill between a line and its place doubles that line: their positions are the same.
    cmp <(seq 1 "$lines") <(journal_of s-out "$n" -o json | jq -r '"\(.CONTAINER_STREAM_POSITION) \(.MESSAGE)"' | sort -n -u | cut -d ' ' -f 2)
    local files
    files=/run/warden/containers/$(container_get s-out Id)
    forgotten() { [[ ! -e $files/jobs/$n && ! -e $files/journal/$n ]]; }
    until_true forgotten
}

@test "loses and doubles no line when wardend and warden-journal are killed" {
    local n i lines
    lines=$(scaled 30000 3000)
    n=$(start s-out "'Log': <'journal'>, 'RingBytes': <uint64 4194304>" "seq 1 $lines")
    for i in 1 2 3 4; do
        sleep 0.4
        if ((i % 2)); then pkill -KILL -x warden-journal || true; else daemon_kill; fi
    done
    daemon_wait
    until_true has_lines "$n" "$lines"
    cmp <(seq 1 "$lines") <(wardenctl logs s-out "$n")
}

@test "readers do not notice that wardend is killed, and every status arrives" {
    local n i code
    n=$(start s-out "'Backpressure': <true>, 'OpenStdin': <true>" 'read -r go; seq 1 2000000; exit 23')
    in_background "$BATS_TEST_TMPDIR/out" wardenctl logs -f s-out "$n"
    sleep 0.3
    in_background "$BATS_TEST_TMPDIR/attached" wardenctl attach s-out "$n" <<<go
    for i in 1 2 3; do sleep 0.3; daemon_kill; daemon_wait; done
    until_true ended s-out "$n"
    is 23 "$(job_get s-out "$n" ExitCode)"
    until_true cmp <(seq 1 2000000) "$BATS_TEST_TMPDIR/out"
}

@test "wsh runs commands while wardend is stopped, and gives their exit code" {
    local data=$BATS_TEST_TMPDIR/data
    systemctl stop wardend.service
    is hello "$(wsh s-out -- echo hello)"
    ends_with 7 wsh s-out -- sh -c 'exit 7'
    ends_with 127 wsh s-out -- /no/such
    ends_with 126 wsh s-out -- /etc/passwd
    ends_with 137 wsh s-out -- sh -c 'kill -9 $$'
    ends_with 125 wsh no-such-container -- true
    is 'nobody /tmp v w' "$(wsh s-out --user nobody --workdir /tmp --env K=v -- sh -c 'echo $(id -un) $PWD $K w')"
    head -c 5000000 /dev/urandom >"$data"
    is "$(sha256sum <"$data")" "$(wsh s-out -- cat <"$data" | sha256sum)"
    is "$(printf 'in\r\nout\r\n')" "$(printf 'in\n' | TERM=dumb wsh s-out --tty -- sh -c 'stty -echo; read -r x; echo $x; echo out' | tail -n 2)"
    systemctl start wardend.service
}

@test "wsh gives 255 when the connection breaks" {
    create t-broken
    (sleep 1; kill -KILL "$(leader t-broken)") 3>&- &
    ends_with 255 wsh t-broken -- sleep 1000
}

@test "gives a terminal that can be resized, and refuses sizes that are none" {
    local n
    n=$(start s-out "'TTY': <true>, 'TTYSize': <(uint16 40, uint16 120)>" 'trap "stty size" WINCH; stty size; while :; do sleep 0.1; done')
    seen() { [[ $(wardenctl logs s-out "$n") == *"$1"* ]]; }
    until_true seen '40 120'
    job_call s-out "$n" SetTTYSize qq 30 100
    until_true seen '30 100'
    refuses job_call s-out "$n" SetTTYSize qq 0 0
    refuses job_call s-out "$n" SetTTYSize qq 65536 1
    refuses job_call s-out "$n" SetTTYSize qq -1 1
    job_call s-out "$n" SetTTYSize qq 65535 1
    job_call s-out "$n" Kill i 9
}

@test "refuses to attach to a job that is gone, and twice to one stdin" {
    local n
    refuses wardenctl attach s-out 99999
    like '99999' "$output"
    n=$(start s-out "'OpenStdin': <true>" 'cat')
    mkfifo "$BATS_TEST_TMPDIR/fifo"
    in_background "$BATS_TEST_TMPDIR/first" sh -c 'exec 9<>"$1"; wardenctl attach "$2" "$3" <&9' sh "$BATS_TEST_TMPDIR/fifo" s-out "$n"
    sleep 0.5
    refuses gcall "$(job_path s-out "$n")" Job.Attach "{'Stdin': <true>}"
    like 'BadState' "$output"
    job_call s-out "$n" Kill i 9
}

@test "takes an environment with newlines, '=' and 10,000 variables" {
    local n
    n=$(start s-out "'Environment': <['A=x\ny=z', 'B==']>" 'printf "%s|%s" "$A" "$B"')
    until_true ended s-out "$n"
    is $'x\ny=z|=' "$(wardenctl logs s-out "$n")"
    local arguments=() i
    for ((i = 0; i < 10000; i++)); do arguments+=(--env "V$i=$i"); done
    is 10000 "$(wardenctl exec "${arguments[@]}" s-out -- /bin/sh -c 'env | grep -c ^V')"
}

@test "starts jobs with every limit, user, umask and nice that was asked for" {
    local n
    n=$(start s-out "'User': <'daemon'>, 'UMask': <uint32 63>, 'Nice': <5>, 'WorkingDirectory': <'/usr'>, 'Rlimits': <{'NOFILE': (uint64 100, uint64 200), 'CORE': (uint64 0, uint64 0)}>" \
        'id -un; umask; nice; pwd; ulimit -Sn; ulimit -Hn; ulimit -c')
    until_true ended s-out "$n"
    is 'daemon 0077 5 /usr 100 200 0' "$(wardenctl logs s-out "$n" | xargs)"
}
