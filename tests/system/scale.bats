#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2016 # scripts for a shell in the container
#
# Many containers, at once and in turn, and a daemon that answers meanwhile.

load lib

teardown() { containers_destroy 't-|bench-|parallel-'; }
teardown_file() {
    containers_destroy 'bench-|parallel-'
    file_end
}

# watch_answers FILE: asks again and again, and writes the longest answer's milliseconds until FILE.stop is there
watch_answers() {
    local start took longest=0
    until [[ -e $1.stop ]]; do
        start=${EPOCHREALTIME/./}
        busctl call --timeout=100 "$BUS" "$ROOT" "$BUS.Manager" ListContainers >/dev/null || { echo failed >"$1"; return; }
        took=$(((${EPOCHREALTIME/./} - start) / 1000))
        ((took <= longest)) || longest=$took
        echo "$longest" >"$1"
        sleep 0.05
    done
}

@test "makes a hundred containers at once, answers meanwhile, and leaves nothing" {
    local file=$BATS_TEST_TMPDIR/longest n watcher
    n=$(scaled 100 10)
    watch_answers "$file" 3>&- &
    watcher=$!
    capture "$BENCH" parallel "$IMAGE" "$n"
    touch "$file.stop"
    wait "$watcher"
    is 0 "$status" "$output"
    is "$n" "$(jq .n <<<"$output")"
    # A whole busctl, on a machine that is busy with the containers: far from the time of all of them.
    unlike failed "$(cat "$file")"
    (($(cat "$file") < $(scaled 2000 20000)))
    "$HERE/leftovers" "$BATS_FILE_TMPDIR/before"
}

# bats test_tags=anywhere
@test "makes and destroys a thousand containers in turn, and leaves nothing" {
    capture "$BENCH" cycle "$IMAGE" "$(scaled 1000 20)" 0
    is 0 "$status" "$output"
    "$HERE/leftovers" "$BATS_FILE_TMPDIR/before"
}

# bats test_tags=anywhere
@test "does not grow with what it has done" {
    local before after n
    rss() { awk '/^VmRSS/ { print $2 }' "/proc/$(daemon_pid)/status"; }
    n=$(scaled 200 5)
    "$BENCH" cycle "$IMAGE" "$n" 0
    before=$(rss)
    "$BENCH" cycle "$IMAGE" "$n" 0
    after=$(rss)
    ((after <= before + 256)) || { echo "from $before to $after KiB"; return 1; }
}

# bats test_tags=anywhere
@test "keeps fifty containers with a job each over a restart" {
    local n i pids=()
    n=$(scaled 50 5)
    for ((i = 1; i <= n; i++)); do
        create "t-$i" 3>&- &
        pids+=($!)
    done
    wait "${pids[@]}"
    for ((i = 1; i <= n; i++)); do wardenctl exec -d "t-$i" -- sleep 1000; done
    is "$n" "$(wardenctl list -q | grep -c '^t-')"
    daemon_kill
    daemon_wait
    is "$n" "$(busctl call -j "$BUS" "$ROOT" "$BUS.Manager" ListContainers | jq '[.data[0][] | select(.[1] == "active")] | length')"
    is "$n" "$(busctl call -j "$BUS" "$ROOT" org.freedesktop.DBus.ObjectManager GetManagedObjects |
        jq '[.data[0][]["org.warden.Warden1.Job"] | select(.State.data == "running")] | length')"
}

# bats test_tags=anywhere
@test "runs jobs in many containers at once, and mixes nothing up" {
    local n i
    n=$(scaled 20 4)
    for ((i = 1; i <= n; i++)); do create "t-$i"; done
    for ((i = 1; i <= n; i++)); do
        inside "t-$i" sh -c 'echo "$(hostname) $1"; exit "$1"' sh "$i" >"$BATS_TEST_TMPDIR/$i" </dev/null 2>&1 3>&- &
        echo "$!" >"$BATS_TEST_TMPDIR/$i.pid"
    done
    for ((i = 1; i <= n; i++)); do
        status=0
        wait "$(cat "$BATS_TEST_TMPDIR/$i.pid")" || status=$?
        is "$i" "$status"
        is "t-$i $i" "$(cat "$BATS_TEST_TMPDIR/$i")"
    done
}

# switches PID…: how often they were put on a processor or taken off it, all together
switches() {
    local pid sum=0
    for pid in "$@"; do
        sum=$((sum + $(awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$pid/status")))
    done
    echo "$sum"
}

# fill NAME N: a container with N jobs that sleep
fill() {
    local path i
    path=$(path_of "$1")
    create "$1"
    for ((i = 0; i < $2; i++)); do
        busctl call "$BUS" "$path" "$BUS.Container" SpawnJob 'asa{sv}' 2 sleep 100000 0 >/dev/null
    done
}

# bats test_tags=anywhere
@test "is not woken by a thousand jobs that do nothing" {
    local n per i before before_daemon pids=() leaders=() daemon
    n=$(scaled 50 3)
    per=20
    for ((i = 1; i <= n; i++)); do
        fill "t-$i" "$per" 3>&- &
        pids+=($!)
        ((i % 5)) || { wait "${pids[@]}"; pids=(); }
    done
    ((${#pids[@]} == 0)) || wait "${pids[@]}"
    for ((i = 1; i <= n; i++)); do
        leaders+=("$(leader "t-$i")")
        is "$per" "$(container_get "t-$i" Jobs | jq length)"
    done
    daemon=$(daemon_pid)
    sleep 2 # what the questions themselves have started is over
    before=$(switches "${leaders[@]}")
    before_daemon=$(switches "$daemon")
    sleep 5
    # None of a PID 1; the daemon hears of others on the bus, if anything.
    is "$before" "$(switches "${leaders[@]}")"
    (($(switches "$daemon") <= before_daemon + 3)) || { echo "wardend was woken"; return 1; }
}
