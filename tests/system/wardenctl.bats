#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2016 # scripts for a shell in the container
#
# The command line: what it prints, what it exits with, and that it tidies up after itself.

# bats file_tags=anywhere

load lib

setup_file() {
    file_begin
    create s-shown --label app=web -m 512M
}

@test "lists containers in a table of 80 columns, however long their names are" {
    create "t-$(printf 'n%.0s' $(seq 60))"
    for verb in list ls ps; do
        capture script -qec "stty cols 80 rows 24; wardenctl $verb" /dev/null </dev/null
        is 0 "$status"
        like 's-shown' "$output"
        (($(sed $'s/\e\[[0-9;]*m//g; s/\r//' <<<"$output" | wc -L) <= 80)) || { echo "$output"; return 1; }
    done
    like '^NAME +' "$(wardenctl list | head -n 1)"
}

@test "prints bare names with -q, and JSON that a program can read" {
    is s-shown "$(wardenctl list -q)"
    is '["s-shown","active"]' "$(wardenctl list --json | jq -c '(if type == "array" then .[0] else . end) | [.Name, .State]')"
    is "$(leader s-shown)" "$(wardenctl info --json s-shown | jq '(if type == "array" then .[0] else . end) | .Leader')"
    is t-json "$(wardenctl create --name t-json --json "$IMAGE" | jq -r .Name)"
}

@test "shows all about a container" {
    spawn s-shown /bin/sleep 1000
    for verb in info status; do
        capture wardenctl $verb s-shown
        is 0 "$status"
        for text in s-shown active "$(leader s-shown)" "$(unit_of s-shown)" app=web 512 'sleep'; do like "$text" "$output"; done
    done
}

@test "says in one line what is wrong, and ends with 125" {
    for arguments in 'info t-nobody' 'stop t-nobody' 'destroy t-nobody' 'exec t-nobody true' 'start s-shown' 'create /no/such/root' 'kill -s NOSUCH s-shown'; do
        # shellcheck disable=SC2086
        ends_with 125 wardenctl $arguments
        like '^wardenctl: ' "$output"
        is 1 "$(wc -l <<<"$output")"
    done
}

@test "suggests what was meant" {
    ends_with 125 wardenctl lsit
    like list "$output"
    ends_with 125 wardenctl create --nmae x "$IMAGE"
    like -- '--name' "$output"
}

@test "explains each verb" {
    local help
    help=$(wardenctl help)
    for verb in create run exec shell start stop kill destroy list info wait; do
        like "$verb" "$help"
        ends_with 0 wardenctl $verb --help
    done
    like '^wardenctl [0-9]' "$(wardenctl version)"
}

@test "runs a command in a container for that command" {
    is "$(printf 'hello\nt-run')" "$(wardenctl run --name t-run "$IMAGE" -- sh -c 'echo hello; hostname')"
    gone t-run
    ends_with 7 wardenctl run --name t-run "$IMAGE" -- sh -c 'exit 7'
    gone t-run
    ends_with 127 wardenctl run --name t-run "$IMAGE" -- /no/such/program
    gone t-run
    is data "$(echo data | wardenctl run --name t-run "$IMAGE" -- cat)"
}

@test "removes the container of a run that is interrupted" {
    for signal in INT TERM HUP; do
        # A shell starts what is in the background with INT ignored.
        python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])' wardenctl run --name t-run "$IMAGE" -- sleep 1000 </dev/null >/dev/null 2>&1 3>&- &
        local pid=$!
        runs() { inside t-run pgrep -x sleep; }
        until_true runs
        kill -$signal "$pid"
        status=0
        wait "$pid" || status=$?
        ((status > 128)) || { echo "exit code $status"; return 1; }
        gone t-run
    done
}

@test "stops within the time it is given" {
    create t-stop
    spawn t-stop /bin/sh -c 'trap "" TERM; while :; do sleep 0.1; done'
    local start=$SECONDS
    wardenctl stop -t 1s t-stop
    ((SECONDS - start <= $(scaled 5 60)))
    state_is t-stop stopped
    wardenctl start t-stop
    state_is t-stop active
}

@test "sends a signal by name or number" {
    create t-kill
    local job
    job=$(spawn t-kill /bin/sleep 1000)
    wardenctl kill -s USR1 t-kill
    until_true job_is t-kill "$job" killed
    is 10 "$(job_get t-kill "$job" ExitSignal)"
    job=$(spawn t-kill /bin/sleep 1000)
    wardenctl kill -s 9 t-kill
    until_true job_is t-kill "$job" killed
    is 9 "$(job_get t-kill "$job" ExitSignal)"
}

@test "destroys several at once, and says which it could not" {
    create t-1
    create t-2
    capture wardenctl rm t-1 t-nobody t-2
    is 125 "$status"
    like t-nobody "$output"
    gone t-1
    gone t-2
}

@test "waits for a container to stop" {
    create t-wait
    wardenctl wait t-wait >"$BATS_TEST_TMPDIR/wait" 2>&1 3>&- &
    local pid=$!
    sleep 0.3
    kill -0 "$pid"
    wardenctl stop t-wait
    wait "$pid"
}

@test "prints colours only to a terminal that wants them" {
    unlike $'\e' "$(wardenctl list; wardenctl info s-shown)"
    unlike $'\e' "$(script -qec 'NO_COLOR=1 wardenctl list' /dev/null </dev/null)"
    unlike $'\e' "$(script -qec 'TERM=dumb wardenctl list' /dev/null </dev/null)"
}

@test "says that there is no daemon, and how to get one" {
    # Neither running nor to be had: masked, a call on the bus cannot start it.
    systemctl mask --runtime --quiet --now wardend.service
    ends_with 125 wardenctl list
    local said=$output
    systemctl unmask --runtime --quiet wardend.service
    systemctl start wardend.service
    like 'wardend' "$said"
    like 'systemctl|not running|start' "$said"
    is s-shown "$(wardenctl list -q)"
}

@test "says that the bus is not for everybody" {
    ends_with 125 setpriv --reuid 65534 --regid 65534 --clear-groups wardenctl list
    like 'root|denied|allowed|permi' "$output"
}

@test "completes verbs and names in bash" {
    capture bash -c '. /usr/share/bash-completion/completions/wardenctl
        complete -p wardenctl
        f=$(complete -p wardenctl | grep -oP "(?<=-F )\S+")
        COMP_WORDS=(wardenctl in) COMP_CWORD=1 COMP_LINE="wardenctl in" COMP_POINT=12; $f wardenctl in wardenctl; echo "${COMPREPLY[@]}"
        COMP_WORDS=(wardenctl info s-) COMP_CWORD=2 COMP_LINE="wardenctl info s-" COMP_POINT=17; $f wardenctl s- info; echo "${COMPREPLY[@]}"'
    is 0 "$status"
    like $'\ninfo' "$output"
    like $'\ns-shown' "$output"
}
