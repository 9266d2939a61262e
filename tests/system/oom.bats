#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Kills for want of memory, by real allocation: told once each, never falsely, and answered as OOMPolicy says.

load lib

setup_file() { file_begin; }

setup() {
    in_background "$BATS_TEST_TMPDIR/signals" dbus-monitor --system "type='signal',interface='$BUS.Container'"
    until_true listening
}

teardown() {
    systemctl reset-failed wardend.service
    daemon_wait
    case_end
}

listening() { grep -q NameAcquired "$BATS_TEST_TMPDIR/signals"; }
signals() { grep -c "path=$(path_of "$1"); .*member=OutOfMemory$" "$BATS_TEST_TMPDIR/signals" || true; }
kills() { container_get "$1" OOMKills; }
# kills_are NAME COUNT: counted, and signalled as often
kills_are() { [[ $(kills "$1") == "$2" && $(signals "$1") == "$2" ]]; }
events() { container_get "$1" Events | jq -r .data[] 2>/dev/null || container_get "$1" Events; }
ended() { [[ $(job_get "$1" "$2" State) != running ]]; }
end_of() { echo "$(job_get "$1" "$2" State) $(job_get "$1" "$2" EndReason)"; }
HOG='x=x; while :; do x=$x$x; done'
hog() { spawn "$1" /bin/sh -c "$HOG"; }
# quiet NAME: nothing is told of it, however long the daemon has to hear of it
quiet() {
    sleep "$(scaled 1 3)"
    is '0 0' "$(kills "$1") $(signals "$1")"
    is '' "$(events "$1" | tr -d '[]\n')"
}

@test "stops the container by default, and says why" {
    local n other id
    create t-stop --memory 32M
    is stop "$(container_get t-stop OOMPolicy)"
    id=$(container_get t-stop Id)
    other=$(spawn t-stop sleep 1000)
    n=$(hog t-stop)
    until_true state_is t-stop stopped
    is 'killed oom' "$(end_of t-stop "$n")"
    is 'container' "$(job_get t-stop "$other" EndReason)"
    until_true kills_are t-stop 1
    like 'out of memory' "$(events t-stop)"
    journalctl --sync
    is 1 "$(journalctl -q -o cat MESSAGE_ID=5a0c1f6c37c84fd0a7d7f2b0d9a4e305 "CONTAINER_ID=$id" | wc -l)"
    like "job $n \(/bin/sh, process [0-9]+\)" \
        "$(journalctl -q -o cat MESSAGE_ID=5a0c1f6c37c84fd0a7d7f2b0d9a4e306 "CONTAINER_ID=$id" "CONTAINER_JOB=$n")"

    # Another life counts from zero again, and what happened stays.
    wardenctl start t-stop
    n=$(hog t-stop)
    until_true state_is t-stop stopped
    until_true kills_are t-stop 2
}

@test "goes on with continue, and tells each kill once" {
    local n other leader i
    create t-go --memory 32M --oom-policy continue
    leader=$(leader t-go)
    other=$(spawn t-go sleep 1000)
    for i in 1 2 3; do
        n=$(hog t-go)
        until_true ended t-go "$n"
        is 'killed oom' "$(end_of t-go "$n")"
    done
    until_true kills_are t-go 3
    is 'running' "$(job_get t-go "$other" State)"
    is "active $leader" "$(container_get t-go State) $(leader t-go)"
    sleep 0.5
    kills_are t-go 3
}

# bats test_tags=anywhere
@test "kills all jobs and keeps the container with kill" {
    local n other leader
    create t-kill --memory 32M --oom-policy kill
    leader=$(leader t-kill)
    other=$(spawn t-kill sleep 1000)
    n=$(hog t-kill)
    until_true ended t-kill "$other"
    until_true ended t-kill "$n"
    is 'killed oom' "$(end_of t-kill "$n")"
    is 'killed oom' "$(end_of t-kill "$other")"
    until_true kills_are t-kill 1
    is "active $leader" "$(container_get t-kill State) $(leader t-kill)"
    inside t-kill true
}

# bats test_tags=anywhere
@test "does not take a job for the victim when it was a child of its" {
    local n
    create t-child --memory 32M --oom-policy continue
    n=$(spawn t-child /bin/sh -c "/bin/sh -c '$HOG'; exit 3")
    until_true ended t-child "$n"
    is 'exited exited 3' "$(end_of t-child "$n") $(job_get t-child "$n" ExitCode)"
    until_true kills_are t-child 1
}

# bats test_tags=anywhere
@test "tells nothing when nobody was killed for want of memory" {
    local n
    create t-false --memory 32M --oom-policy continue
    # Full, and emptied again by the kernel.
    script_in t-false 'i=0; while [ $i -lt 4 ]; do head -c 20000000 /dev/zero >/root/f$i; cat /root/f$i >/dev/null; i=$((i+1)); done'
    n=$(spawn t-false sleep 1000)
    kill -KILL "$(job_get t-false "$n" PID)"
    until_true ended t-false "$n"
    is 'killed signal' "$(end_of t-false "$n")"
    n=$(spawn t-false sleep 1000)
    quiet t-false
    wardenctl stop t-false
    is container "$(job_get t-false "$n" EndReason)"
    quiet t-false
    wardenctl destroy t-false
    is 0 "$(signals t-false)"
}

# bats test_tags=anywhere
@test "leaves a neighbour out of it" {
    local n
    create t-near --memory 32M
    create t-hog --memory 32M
    n=$(hog t-hog)
    until_true kills_are t-hog 1
    quiet t-near
    is active "$(container_get t-near State)"
}

@test "tells after a restart what happened meanwhile" {
    local n pid
    create t-gap --memory 32M --oom-policy continue
    n=$(spawn t-gap /bin/sh -c "sleep 2; $HOG")
    pid=$(job_get t-gap "$n" PID)
    systemctl stop wardend.service
    until_true pid_is_gone "$pid"
    systemctl start wardend.service
    until_true kills_are t-gap 1
    is 'killed oom' "$(end_of t-gap "$n")"
    daemon_kill
    daemon_wait
    sleep 0.3
    kills_are t-gap 1
    like 'out of memory' "$(events t-gap)"
}
pid_is_gone() { [[ ! -e /proc/$1 ]]; }

# bats test_tags=anywhere
@test "stops after a restart a container that ran out of memory meanwhile" {
    local n pid
    create t-late --memory 32M
    n=$(spawn t-late /bin/sh -c "sleep 2; $HOG")
    pid=$(job_get t-late "$n" PID)
    systemctl stop wardend.service
    until_true pid_is_gone "$pid"
    systemctl start wardend.service
    until_true state_is t-late stopped
    is 'killed oom' "$(end_of t-late "$n")"
}

@test "never has PID 1 chosen, and no job that would be spared like it" {
    local leader i n
    create t-pid1 --memory 32M --oom-policy continue
    leader=$(leader t-pid1)
    is 0 "$(script_in t-pid1 'cat /proc/self/oom_score_adj')"
    refuses script_in t-pid1 'echo -1 >/proc/self/oom_score_adj'
    (echo -1 >/proc/self/oom_score_adj) 2>/dev/null || skip "this machine lets root protect nobody (CAP_SYS_RESOURCE)"
    is -1000 "$(cat "/proc/$leader/oom_score_adj")"
    # Many at once, each of which the kernel would rather spare than PID 1.
    for ((i = 0; i < $(scaled 8 3); i++)); do hog t-pid1 >/dev/null; done
    settled() { ! container_get t-pid1 Jobs | grep -q . || (($(kills t-pid1) >= $(scaled 8 3))); }
    until_true settled
    is "active $leader" "$(container_get t-pid1 State) $(leader t-pid1)"
    inside t-pid1 true
}

@test "counts what is killed in a group below" {
    [[ $(cgroup_mode) == unified ]] || skip "cgroup v1 counts for each group alone, and containers cannot make one"
    local n group
    create t-below --memory 32M --oom-policy continue
    group=/sys/fs/cgroup$(container_get t-below ControlGroup)/below
    n=$(spawn t-below /bin/sh -c "sleep 3; $HOG")
    mkdir "$group"
    echo "$(job_get t-below "$n" PID)" >"$group/cgroup.procs"
    until_true ended t-below "$n"
    is 'killed oom' "$(end_of t-below "$n")"
    until_true kills_are t-below 1
    rmdir "$group"
    quiet_again() { kills_are t-below 1; }
    sleep 0.5
    quiet_again
}

# bats test_tags=anywhere
@test "takes systemd-oomd's kill for what it is" {
    [[ $(cgroup_mode) == unified ]] || skip "systemd-oomd needs cgroup v2"
    local n group
    create t-oomd
    n=$(spawn t-oomd sleep 1000)
    group=/sys/fs/cgroup$(container_get t-oomd ControlGroup)
    # What it does: the note, then SIGKILL to all.
    setfattr -n user.oomd_ooms -v 1 "$group"
    echo 1 >"$group/cgroup.kill"
    until_true state_is t-oomd stopped
    until_true kills_are t-oomd 1
    is oom "$(job_get t-oomd "$n" EndReason)"
}

# bats test_tags=anywhere
@test "refuses a policy that there is not" {
    refuses create t-bad --oom-policy maybe
    like "stop" "$output"
    gone t-bad
}
