# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What all files of the system tests share. Containers that one case makes are called t-…, those of a whole file
# s-…; both are removed even when a case fails, and at the end of a file nothing may be left that was not there at
# its beginning.

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
IMAGE=${WARDEN_IMAGE:-/var/lib/warden-images/debian}
BUS=org.warden.Warden1
ROOT=/org/warden/Warden1
BENCH=/usr/lib/warden/tests/bench-bus
export HERE IMAGE BUS ROOT BENCH

# scaled N SLOW: how many rounds this machine can take
scaled() { if ((${WARDEN_SLOW:-0})); then echo "$2"; else echo "$1"; fi; }

# bats notes before every single command where it is, which takes longer than most commands do: ten milliseconds on an
# emulated machine. It is enough to look when one has failed.
if declare -F bats_capture_stack_trace >/dev/null; then
    bats_debug_trap() { :; }
    bats_error_trap() {
        bats_check_status_from_trap
        bats_capture_stack_trace
        BATS_DEBUG_LAST_STACK_TRACE_IS_VALID=1
    }
fi

# ---- life of a file and of a case ----

file_begin() {
    systemctl start wardend.service
    "$HERE/leftovers" >"$BATS_FILE_TMPDIR/before"
}

file_end() {
    containers_destroy '[st]-'
    "$HERE/leftovers" "$BATS_FILE_TMPDIR/before"
}

# warden-journal is started with the first job that needs it, and stays: a file with such jobs begins and ends without it.
file_begin_without_journal() {
    systemctl restart wardend.service
    file_begin
}

file_end_without_journal() {
    containers_destroy '[st]-'
    systemctl restart wardend.service
    file_end
}

# containers_destroy PREFIX_REGEX
containers_destroy() {
    local name names=()
    for name in $(wardenctl list -q); do [[ ! $name =~ ^($1) ]] || names+=("$name"); done
    ((!${#names[@]})) || wardenctl destroy "${names[@]}" >/dev/null || true
}

setup_file() { file_begin; }
teardown_file() { file_end; }
teardown() { case_end; }

case_end() {
    local pid
    for pid in "${BACKGROUND[@]}"; do kill "$pid" 2>/dev/null || true; done
    containers_destroy 't-'
}

# in_background FILE COMMAND…: its output goes to FILE; it ends with the case. bats waits for whoever has one of
# its descriptors.
BACKGROUND=()
in_background() {
    local file=$1
    shift
    "$@" >"$file" 2>&1 3>&- &
    BACKGROUND+=($!)
}

# ---- doing things ----

# create NAME [OPTION…]: a container from the Debian image
create() {
    local name=$1
    shift
    wardenctl create --name "$name" "$@" "$IMAGE" >/dev/null
}

# inside NAME COMMAND…: runs it in the container; its output, exit code and input are this command's
inside() {
    local name=$1
    shift
    wardenctl exec "$name" -- "$@"
}

# script_in NAME SCRIPT [ARGUMENT…]
script_in() {
    local name=$1 script=$2
    shift 2
    wardenctl exec "$name" -- /bin/sh -c "$script" sh "$@"
}

# manager METHOD [SIGNATURE ARGUMENT…]
manager() { busctl call --timeout=120 "$BUS" "$ROOT" "$BUS.Manager" "$@"; }

# path_of NAME: its object path, as sd_bus_path_encode(3) has it for the names that are used here
path_of() {
    local name=${1//_/_5f}
    name=${name//-/_2d}
    echo "$ROOT/container/${name//./_2e}"
}

# property PATH INTERFACE PROPERTY: its plain value; anything but a string or number as JSON
property() {
    local json plain='^\{"type":"[a-z]","data":"?([^"\\]*)"?\}$' compound='^\{"type":"[^"]+","data":([[{].*)\}$'
    json=$(busctl get-property -j "$BUS" "$1" "$BUS.$2" "$3") || return
    # Nearly all are of these two, and jq takes longer to start than a container does.
    if [[ $json =~ $plain || $json =~ $compound ]]; then echo "${BASH_REMATCH[1]}"; else jq -r .data <<<"$json"; fi
}
container_get() { property "$(path_of "$1")" Container "$2"; }
job_get() { property "$(path_of "$1")/job/$2" Job "$3"; }
cgroup_mode() { property "$ROOT" Manager CgroupMode; }

# object_call PATH INTERFACE METHOD [SIGNATURE ARGUMENT…]: the answer as JSON
object_call() { busctl call -j --timeout=120 -- "$BUS" "$1" "$BUS.$2" "${@:3}"; }
container_call() { object_call "$(path_of "$1")" Container "${@:2}"; }
job_call() { object_call "$(path_of "$1")/job/$2" Job "${@:3}"; }

# spawn NAME PROGRAM…: a job without input and output; prints its number
spawn() {
    local reply
    reply=$(container_call "$1" SpawnJob 'asa{sv}' $(($# - 1)) "${@:2}" 0) || return
    [[ $reply =~ /job/([0-9]+) ]] && echo "${BASH_REMATCH[1]}"
}

# job_end_all NAME: kills and releases all jobs of a container, so that nothing of one case disturbs the next
job_end_all() {
    local job jobs
    jobs=$(container_get "$1" Jobs)
    for job in ${jobs//[][,\"]/ }; do
        job_call "$1" "${job##*/}" Kill i 9 >/dev/null 2>&1 || true
        until_true job_call "$1" "${job##*/}" Release
    done
}

# start NAME KEYS SCRIPT [ARGUMENT…]: a shell script as a job by SpawnJob with these keys (GVariant text); prints its number
start() {
    local name=$1 keys=$2 argv="'/bin/sh', '-c'" word reply
    shift 2
    (($# == 1)) || set -- "$1" sh "${@:2}"
    for word in "$@"; do
        word=${word//\\/\\\\}
        argv+=", '${word//\'/\\\'}'"
    done
    reply=$(gcall "$(path_of "$name")" Container.SpawnJob "[$argv]" "{$keys}") || { echo "$reply"; return 1; }
    [[ $reply =~ /job/([0-9]+) ]] && echo "${BASH_REMATCH[1]}"
}

# gcall OBJECT INTERFACE.METHOD ARGUMENT…: by gdbus, which tells the name of an error
gcall() {
    local path=$1 method=$2
    shift 2
    gdbus call --system --timeout 120 --dest "$BUS" --object-path "$path" --method "$BUS.$method" -- "$@"
}

# A directory of the host on a file system that can be an overlay's layer and be idmapped, on every kernel; a case that
# makes one removes it.
real_directory() { mktemp -d /var/lib/warden/test.XXXXXX; }

leader() { container_get "$1" Leader; }
unit_of() { container_get "$1" Unit; }

daemon_pid() { systemctl show -P MainPID wardend.service; }

# daemon_kill: by SIGKILL, and not counted as one crash too many
daemon_kill() {
    kill -KILL "$(daemon_pid)" 2>/dev/null || true
    systemctl reset-failed wardend.service
    cgroup_tell_empty /warden.slice/wardend.service
}

# cgroup_tell_empty GROUP: what the kernel does on a machine with cgroup v1 alone. In a sandbox its helper program runs
# outside, so that systemd would wait 90 seconds for the news that the last process of a group has ended.
cgroup_tell_empty() {
    local procs=/sys/fs/cgroup/systemd$1/cgroup.procs i
    [[ -e $procs && ! -d /sys/fs/cgroup/unified ]] || return 0
    # Not for long: when systemd did hear of it, the next daemon is in there already.
    for ((i = 0; i < 40; i++)); do
        if [[ -z $(cat "$procs" 2>/dev/null) ]]; then
            /lib/systemd/systemd-cgroups-agent "$1"
            return 0
        fi
        sleep 0.05
    done
}

# By a bus call, so that Restart= and activation may do it, whoever is first.
daemon_wait() { until_true manager ListContainers; }

# until_true COMMAND…: repeats it until it succeeds, for as long as this machine may need
until_true() {
    local deadline=$((SECONDS + $(scaled 20 120)))
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < deadline)) || { echo "still false: $*"; "$@"; return 1; }
        sleep 0.05
    done
}

# ---- saying what must be ----

# is EXPECTED ACTUAL [WHAT]
is() { [[ $2 == "$1" ]] || { printf 'expected%s: %q\n  actual: %q\n' "${3:+ $3}" "$1" "$2"; return 1; }; }

# like REGEX TEXT
like() { [[ $2 =~ $1 ]] || { printf 'expected a match of: %s\n              actual: %s\n' "$1" "$2"; return 1; }; }
unlike() { [[ ! $2 =~ $1 ]] || { printf 'expected no match of: %s\n              actual: %s\n' "$1" "$2"; return 1; }; }

# capture COMMAND…: its output, errors too, in $output and its exit code in $status
capture() { status=0; output=$("$@" 2>&1) || status=$?; }

# refuses COMMAND…: it must fail; $output has what it said
refuses() {
    capture "$@"
    ((status != 0)) || { echo "succeeded: $*"; echo "$output"; return 1; }
}

# ends_with CODE COMMAND…: its exit code must be this one
ends_with() {
    local code=$1
    shift
    capture "$@"
    ((status == code)) || { echo "expected exit code $code, got $status: $*"; echo "$output"; return 1; }
}

# state_is NAME STATE
state_is() { [[ $(container_get "$1" State) == "$2" ]]; }
ended() { [[ $(job_get "$1" "$2" State) != running ]]; }
job_is() { [[ $(job_get "$1" "$2" State) == "$3" ]]; }
# gone NAME: no such container
gone() { [[ $'\n'$(wardenctl list -q)$'\n' != *$'\n'"$1"$'\n'* ]]; }

# cgroup_file NAME CONTROLLER FILE: a value from the container's group, wherever this machine has it
cgroup_file() {
    local group base=/sys/fs/cgroup
    group=$(container_get "$1" ControlGroup)
    [[ $(cgroup_mode) == unified ]] || base+=/$2
    cat "$base$group/$3"
}
