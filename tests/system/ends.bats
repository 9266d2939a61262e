#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2016 # scripts for a shell in the container
#
# How a job ended, and of what. Not tagged "anywhere": who was killed for want of memory is told by another file of the
# kernel on cgroup v2.

load lib

setup_file() {
    file_begin
    create s-ends
}

# end_of NAME JOB: when it has ended, its state, code or signal, and the reason
end_of() {
    until_true ended "$1" "$2" || return
    local state code
    state=$(job_get "$1" "$2" State)
    code=$(job_get "$1" "$2" "$([[ $state == exited ]] && echo ExitCode || echo ExitSignal)")
    echo "$state $code $(job_get "$1" "$2" EndReason)"
}

# bats test_tags=anywhere
@test "tells an exit, a signal, and the end of the container apart" {
    create t-ends
    is 'exited 7 exited' "$(end_of t-ends "$(start t-ends '' 'exit 7')")"
    is 'killed 11 signal' "$(end_of t-ends "$(start t-ends '' 'kill -SEGV $$')")"
    local n
    n=$(start t-ends '' 'exec sleep 1000')
    job_call t-ends "$n" Kill i 9
    is 'killed 9 signal' "$(end_of t-ends "$n")"
    n=$(start t-ends '' 'sleep 1000')
    wardenctl stop t-ends
    is container "$(job_get t-ends "$n" EndReason)"
}

@test "tells that the kernel has killed a job for want of memory, also after a restart" {
    create t-oom --memory 32M --oom-policy continue
    local n
    n=$(start t-oom '' 'x=x; while :; do x=$x$x; done')
    is 'killed 9 oom' "$(end_of t-oom "$n")"
    systemctl restart wardend.service
    is 'killed 9 oom' "$(end_of t-oom "$n")"
    # The next one that a client kills is not a victim of it.
    sleep 1.2
    n=$(start t-oom '' 'exec sleep 1000')
    job_call t-oom "$n" Kill i 9
    is 'killed 9 signal' "$(end_of t-oom "$n")"
}

# bats test_tags=anywhere
@test "tells what could not start from what ended" {
    ends_with 127 inside s-ends /no/such
    ends_with 126 inside s-ends /etc/passwd
    refuses start s-ends "'WorkingDirectory': <'/no/such'>" 'true'
    like 'Error.NotFound.*WorkingDirectory' "$output"
    is '[]' "$(container_get s-ends Jobs | jq -c .)"
}

@test "tells whether a job that was killed has dumped core" {
    [[ $(</proc/sys/kernel/core_pattern) != '|'* ]] || skip "cores go to a program of the host"
    local n size
    for size in 0 18446744073709551615; do
        n=$(start s-ends "'WorkingDirectory': <'/tmp'>, 'Rlimits': <{'CORE': (uint64 $size, uint64 $size)}>" 'kill -SEGV $$')
        is 'killed 11 signal' "$(end_of s-ends "$n")"
        is "$([[ $size == 0 ]] && echo false || echo true)" "$(job_get s-ends "$n" CoreDumped)" "CoreDumped with $size"
    done
    systemctl restart wardend.service
    is true "$(job_get s-ends "$n" CoreDumped)"
    script_in s-ends 'rm /tmp/core*'
}

# bats test_tags=anywhere
@test "gives the exit code while output is still open, and the output when it comes" {
    local n
    n=$(start s-ends '' '(while [ ! -e /tmp/go ]; do sleep 0.1; done; echo late) & echo early; exit 9')
    is 'exited 9 exited' "$(end_of s-ends "$n")"
    is early "$(wardenctl logs s-ends "$n")"
    inside s-ends touch /tmp/go
    late() { [[ $(wardenctl logs s-ends "$n") == $'early\nlate' ]]; }
    until_true late
}
