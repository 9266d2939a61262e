#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2016,SC2030,SC2031 # scripts for a shell in the container
#
# The daemon ends at any moment, by whatever hand: containers, jobs and what became of them are still there.

load lib

teardown() {
    systemctl reset-failed wardend.service
    daemon_wait
    case_end
}

# crash: and Restart= brings it back
crash() {
    local pid
    pid=$(daemon_pid)
    daemon_kill
    restarted() { local now; now=$(daemon_pid); [[ $now != 0 && $now != "$pid" ]]; }
    until_true restarted
    daemon_wait
}

# down: it stays down until daemon_wait. What the bus is asked would start it again.
down() { systemctl stop wardend.service; }

@test "finds its containers and jobs again after a crash" {
    create t-crash --label who=me --env WHERE=here
    local job init pid
    job=$(spawn t-crash /bin/sleep 1000)
    init=$(leader t-crash)
    pid=$(job_get t-crash "$job" PID)
    crash
    is active "$(container_get t-crash State)"
    is "$init" "$(leader t-crash)"
    is running "$(job_get t-crash "$job" State)"
    is "$pid" "$(job_get t-crash "$job" PID)"
    is '{"who":"me"}' "$(container_get t-crash Labels | jq -c .)"
    is here "$(inside t-crash printenv WHERE)"
    job_call t-crash "$job" Kill i 9
    until_true job_is t-crash "$job" killed
}

# bats test_tags=anywhere
@test "tells after a crash how a job ended that ran meanwhile" {
    create t-crash
    local job
    job=$(spawn t-crash /bin/sh -c 'while [ ! -e /tmp/go ]; do sleep 0.1; done; exit 23')
    crash
    inside t-crash touch /tmp/go
    until_true job_is t-crash "$job" exited
    is 23 "$(job_get t-crash "$job" ExitCode)"
}

# bats test_tags=anywhere
@test "tells how a job ended while there was no daemon" {
    create t-gap --bind "$BATS_TEST_TMPDIR:/srv"
    chmod 0777 "$BATS_TEST_TMPDIR"
    chmod 0755 "$BATS_RUN_TMPDIR" "$BATS_SUITE_TMPDIR"
    local exits dies first
    exits=$(spawn t-gap /bin/sh -c 'while [ ! -e /srv/go ]; do sleep 0.1; done; exit 42')
    dies=$(spawn t-gap /bin/sh -c 'while [ ! -e /srv/go ]; do sleep 0.1; done; kill -SEGV $$')
    first=$(job_get t-gap "$exits" PID)
    down
    touch "$BATS_TEST_TMPDIR/go"
    ended() { [[ ! -e /proc/$first ]]; }
    until_true ended
    daemon_wait
    until_true job_is t-gap "$exits" exited
    is 42 "$(job_get t-gap "$exits" ExitCode)"
    until_true job_is t-gap "$dies" killed
    is 11 "$(job_get t-gap "$dies" ExitSignal)"
}

# bats test_tags=anywhere
@test "keeps a client waiting for a job over a restart" {
    create t-wait
    local job pid
    job=$(spawn t-wait /bin/sh -c 'while [ ! -e /tmp/go ]; do sleep 0.1; done; exit 17')
    wardenctl wait t-wait "$job" >"$BATS_TEST_TMPDIR/wait" 2>&1 3>&- &
    pid=$!
    sleep 0.5
    systemctl restart wardend.service
    daemon_wait
    inside t-wait touch /tmp/go
    status=0
    wait "$pid" || status=$?
    is 17 "$status" "$(cat "$BATS_TEST_TMPDIR/wait")"
}

# bats test_tags=anywhere
@test "lets jobs read and write while there is no daemon" {
    create t-pipe
    mkfifo "$BATS_TEST_TMPDIR/in"
    wardenctl exec t-pipe -- cat <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- &
    BACKGROUND+=($!)
    exec 9>"$BATS_TEST_TMPDIR/in"
    echo before >&9
    until_true grep -q before "$BATS_TEST_TMPDIR/out"
    down
    echo meanwhile >&9
    until_true grep -q meanwhile "$BATS_TEST_TMPDIR/out"
    exec 9>&-
    daemon_wait
}

# bats test_tags=anywhere
@test "goes through a restart and a stop and start by systemctl" {
    create t-systemctl
    local job
    job=$(spawn t-systemctl /bin/sleep 1000)
    systemctl restart wardend.service
    is running "$(job_get t-systemctl "$job" State)"
    systemctl stop wardend.service
    systemctl start wardend.service
    is running "$(job_get t-systemctl "$job" State)"
    is fine "$(inside t-systemctl echo fine)"
}

# bats test_tags=anywhere
@test "shows a container as stopped that died while there was no daemon, and its jobs as lost" {
    create t-died
    local job init unit
    job=$(spawn t-died /bin/sleep 1000)
    init=$(leader t-died)
    unit=$(unit_of t-died)
    down
    kill -KILL "$init"
    dead() { [[ ! -e /proc/$init ]]; }
    until_true dead
    daemon_wait
    until_true state_is t-died stopped
    is 0 "$(leader t-died)"
    is lost "$(job_get t-died "$job" State)"
    until_true test inactive = "$(systemctl is-active "$unit")"
    wardenctl start t-died
    is fine "$(inside t-died echo fine)"
}

# bats test_tags=anywhere
@test "shows a container as stopped whose PID 1 dies under its eyes" {
    create t-died
    local job
    job=$(spawn t-died /bin/sleep 1000)
    kill -KILL "$(leader t-died)"
    until_true state_is t-died stopped
    until_true job_is t-died "$job" lost
}

# bats test_tags=anywhere
@test "believes no pid that is another process's now" {
    create t-reuse
    local id init pid
    id=$(container_get t-reuse Id)
    init=$(leader t-reuse)
    sleep 1000 3>&- &
    pid=$!
    BACKGROUND+=("$pid")
    down
    kill -KILL "$init"
    # The numbers of this machine go round only after millions: instead, what was saved of the leader names a process
    # that is another one.
    python3 - "/run/warden/containers/$id/state" "$init" "$pid" <<'PYTHON'
import struct, sys
path, old, new = sys.argv[1], struct.pack("<I", int(sys.argv[2])), struct.pack("<I", int(sys.argv[3]))
data = open(path, "rb").read()
assert data.count(old) == 1, data.hex(" ")
open(path, "wb").write(data.replace(old, new))
PYTHON
    daemon_wait
    until_true state_is t-reuse stopped
    is 0 "$(leader t-reuse)"
    wardenctl start t-reuse
    wardenctl destroy t-reuse
    kill -0 "$pid"
}

# bats test_tags=anywhere
@test "stops an empty scope that nobody knows, and no other" {
    local empty=warden-00000000001.scope used=warden-00000000002.scope
    down
    systemd-run -q --scope --unit "$empty" sleep 0.1 3>&-
    systemd-run -q --scope --collect --unit "$used" sleep 1000 3>&- &
    BACKGROUND+=("$!")
    until_true systemctl -q is-active "$used"
    daemon_wait
    stopped() { ! systemctl -q is-active "$empty"; }
    until_true stopped
    is active "$(systemctl is-active "$used")"
    systemctl stop "$used"
}

@test "leaves nothing half-made when it is killed at any moment of creates and destroys" {
    local round rounds answered
    rounds=$(scaled 40 4)
    for ((round = 0; round < rounds; round++)); do
        (
            for i in 1 2 3; do
                wardenctl create --name "t-$round-$i" "$IMAGE" && echo "made t-$round-$i"
            done
            wardenctl destroy "t-$round-1" && echo "destroyed t-$round-1"
        ) >"$BATS_TEST_TMPDIR/answers" 2>/dev/null 3>&- &
        answered=$!
        sleep "0.0$((RANDOM % 9))$((RANDOM % 10))"
        daemon_kill
        wait "$answered" || true
        daemon_wait
        while read -r name; do
            if grep -qx "destroyed $name" "$BATS_TEST_TMPDIR/answers"; then
                gone "$name"
            elif [[ $name != *-1 ]]; then
                state_is "$name" active
                [[ $(inside "$name" echo fine </dev/null) == fine ]]
            fi
        done < <(sed -n 's/^made //p' "$BATS_TEST_TMPDIR/answers")
        # What was not answered exists wholly or not at all.
        is "" "$(busctl call -j "$BUS" "$ROOT" "$BUS.Manager" ListContainers | jq -r '.data[0][] | select(.[1] != "active") | .[0] + " is " + .[1]')"
        containers_destroy 't-'
    done
    "$HERE/leftovers" "$BATS_FILE_TMPDIR/before"
}
