#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2016 # scripts for a shell in the container
#
# A person at a terminal: leaving by the keys, coming back, others at the same time, and a terminal that is left as it
# was found, whatever ends wardenctl.

# bats file_tags=anywhere

load lib

setup_file() {
    file_begin
    create s-tty
}

teardown() {
    systemctl reset-failed wardend.service
    daemon_wait
    case_end
    job_end_all s-tty
}

# at_terminal CODE STEP… -- COMMAND…: see tests/system/terminal; it must end with this code, and restore the terminal
at_terminal() {
    ends_with "$1" "$HERE/terminal" "${@:2}"
    like 'terminal restored$' "$output"
}

newest_job() { wardenctl jobs -q "$1" | tail -n 1 | grep -oE '[0-9]+$'; }

@test "leaves by the keys, and comes back to what was there" {
    at_terminal 0 expect='# ' type='echo $((6*7))-here\n' expect=42-here type='\x10\x11' expect='goes on' \
        -- wardenctl exec -t s-tty -- sh
    local job
    job=$(newest_job s-tty)
    is running "$(job_get s-tty "$job" State)"
    at_terminal 0 expect=42-here type='\x10\x11' expect='goes on' -- wardenctl attach s-tty "$job"
    at_terminal 5 expect=42-here type='exit 5\n' -- wardenctl attach s-tty "$job"
    is 5 "$(job_get s-tty "$job" ExitCode)"
}

@test "leaves by other keys that were asked for, and passes the usual ones on" {
    at_terminal 0 expect=ready type='\x10\x11\n' expect='^P^Q' type='\x01d' expect='goes on' \
        -- wardenctl exec -t --detach-keys ctrl-a,d s-tty -- sh -c 'stty -ixon -iexten; echo ready; cat'
}

@test "lets two be attached to one terminal, and both see what either types" {
    local job
    job=$(wardenctl exec -d -t -i s-tty -- sh)
    in_background "$BATS_TEST_TMPDIR/first" "$HERE/terminal" expect='# ' type='echo from-$((1+1))-first\n' \
        expect=from-2-first expect=from-3-second -- wardenctl attach s-tty "$job"
    at_terminal 0 expect=from-2-first type='echo from-$((1+2))-second\n' expect=from-3-second type='\x10\x11' \
        -- wardenctl attach s-tty "$job"
    job_call s-tty "$job" Kill i 9
    until_true grep -q 'terminal restored' "$BATS_TEST_TMPDIR/first"
    like 'from-3-second' "$(cat "$BATS_TEST_TMPDIR/first")"
}

@test "sizes the terminal when it is attached to, and when it is resized" {
    local job
    job=$(wardenctl exec -d -t -i s-tty -- sh)
    at_terminal 0 size=41x101 expect='# ' type='stty size\n' expect='41 101' size=43x103 type='stty size\n' \
        expect='43 103' type='\x10\x11' -- wardenctl attach s-tty "$job"
}

@test "stays while wardend is killed and started again, and tells the job's end" {
    local kill="source '$HERE/lib.bash'; daemon_kill; daemon_wait"
    at_terminal 6 expect='# ' run="$kill" type='echo still-$((1+1))\n' expect=still-2 run="$kill" type='exit 6\n' \
        -- wardenctl exec -t s-tty -- sh
}

@test "restores the terminal when it is told to end, as a guest and as the owner" {
    local job
    job=$(wardenctl exec -d -t -i s-tty -- sh)
    for signal in TERM HUP; do
        at_terminal $((128 + $(kill -l $signal))) expect='# ' signal=$signal -- wardenctl attach s-tty "$job"
        is running "$(job_get s-tty "$job" State)" "after SIG$signal"
        at_terminal $((128 + $(kill -l $signal))) expect=up signal=$signal \
            -- wardenctl exec -t s-tty -- sh -c 'echo up; exec sleep 1000'
    done
    job_call s-tty "$job" Kill i 9
    # Those of the owner went with it.
    nothing_runs() { [[ $(wardenctl jobs s-tty) != *running* ]]; }
    until_true nothing_runs
}

@test "restores the terminal when the job is killed, or its container destroyed" {
    create t-tty
    at_terminal 137 expect='# ' run='wardenctl kill -s KILL t-tty' -- wardenctl exec -t t-tty -- sh
    ends_with 125 "$HERE/terminal" expect='# ' run='wardenctl destroy t-tty' -- wardenctl exec -t t-tty -- sh
    like 'terminal restored$' "$output"
}

@test "restores the terminal after wsh" {
    at_terminal 9 expect='# ' type='exit 9\n' -- wsh s-tty --tty -- sh
    # The shell was hung up, and that is how it ended.
    at_terminal 129 expect='# ' signal=TERM -- wsh s-tty --tty -- sh
}
