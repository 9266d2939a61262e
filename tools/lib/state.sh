# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What is known of a sandbox on the host: the folder /run/warden-sandbox/NAME.
#   launcher, init   records of processes (process.sh)        kind      native or vm
#   root, run, uses  paths: the cached root, the writable     mode      hybrid, legacy or unified
#                    part, everything of the cache in use     cgroups   the plan (cgroup.sh)
#   binds            what is bound inside                     console   what the launcher and init said
#   installed        the build that was installed last        ready     is there once the boot is over
# Whoever changes a sandbox holds its lock, which is outside of that folder because it is held while there is none.

STATE_DIR=/run/warden-sandbox
STATE_LOCKS=/run/lock/warden-sandbox

# state_use NAME: sets NAME and STATE
state_use() {
    [[ $1 =~ ^[a-z0-9][a-z0-9-]{0,30}$ ]] || die "'$1' is not a sandbox name." "Use lower-case letters, digits and '-', at most 31."
    NAME=$1
    STATE=$STATE_DIR/$1
}

state_get() { [[ ! -e $STATE/$1 ]] || cat "$STATE/$1"; }
state_set() { printf '%s\n' "$2" >"$STATE/$1"; }

# What to add to a command line that is proposed, so that it means this sandbox
name_option() { [[ $NAME == "$OPTIONS_NAME" ]] || printf ' --name %s' "$NAME"; }

state_is_alive() { process_recorded "$STATE/launcher"; }
state_is_ready() { [[ -e $STATE/ready ]] && state_is_alive; }

STATE_LOCK=
state_lock() {
    [[ -z $STATE_LOCK ]] || return 0
    ! state_try_lock || return 0
    say "Waiting for another command that works on the sandbox '$NAME'."
    state_try_lock 300 || die "Another command has been working on the sandbox '$NAME' for five minutes." "Find it: fuser -v $STATE_LOCKS/$NAME"
}

# state_try_lock [SECONDS]: a lock file is removed together with its sandbox, so after the wait it must still be
# the file of this name.
state_try_lock() {
    while true; do
        mkdir -p "$STATE_LOCKS"
        { exec {STATE_LOCK}>"$STATE_LOCKS/$NAME"; } 2>/dev/null || continue
        flock --wait "${1-0}" "$STATE_LOCK" || { state_unlock; return 1; }
        [[ ! $STATE_LOCKS/$NAME -ef /proc/self/fd/$STATE_LOCK ]] || return 0
        state_unlock
    done
}

state_unlock() { [[ -z $STATE_LOCK ]] || exec {STATE_LOCK}>&-; STATE_LOCK=; }

# state_make KIND MODE
state_make() {
    mkdir -p "$STATE_DIR"
    mkdir -m 0700 "$STATE"
    mkdir "$STATE/warden-root"
    state_set kind "$1"
    state_set mode "$2"
    state_set run "$CACHE/run/$NAME"
    : >"$STATE/binds"
    rm -rf --one-file-system -- "${CACHE:?}/run/$NAME" # of a boot before this machine's last
    mkdir -p "$CACHE/run/$NAME"
}

state_remove() {
    local run
    run=$(state_get run 2>/dev/null) || true # another command may have another cache
    [[ $run != */run/"$NAME" ]] || rm -rf --one-file-system -- "$run"
    rm -rf --one-file-system -- "${STATE:?}"
    rmdir "$STATE_DIR" 2>/dev/null || true
}

# For the holder, when there is no sandbox any more
state_retire_lock() {
    rm -f "$STATE_LOCKS/$NAME"
    rmdir "$STATE_LOCKS" 2>/dev/null || true
    state_unlock
}

# state_names: every recorded sandbox
state_names() {
    local path
    for path in "$STATE_DIR"/*/; do
        [[ ! -d $path ]] || basename "$path"
    done
}

# state_bury: ends what is left of the sandbox NAME and removes all of it. The lock is held.
state_bury() {
    process_end "$STATE/launcher" KILL
    process_end "$STATE/init" KILL
    process_wait "$STATE/launcher" 10 && process_wait "$STATE/init" 10 ||
        die "A process of the sandbox '$NAME' does not end (pid $PROCESS_PID)." "Look at /proc/$PROCESS_PID/stack; then run: $SAY_PROGRAM down$(name_option)"
    cgroup_remove "$STATE/cgroups" || true
    state_remove
}

# For an EXIT trap: a sandbox comes up whole or not at all
state_bury_unready() {
    stage_end_quietly
    [[ ! -e $STATE/ready ]] || return 0
    [[ ! -d $STATE ]] || state_bury
    [[ -z $STATE_LOCK ]] || state_retire_lock
}

# state_sweep: buries every sandbox that nobody is working on and that is dead or never came up
state_sweep() {
    local name
    for name in $(state_names); do
        (
            state_use "$name"
            STATE_LOCK=
            state_try_lock || exit 0
            [[ -d $STATE ]] || { state_retire_lock; exit 0; }
            ! state_is_ready || exit 0
            say "Removing what is left of the sandbox '$name', which has died or never came up."
            state_bury
            state_retire_lock
        ) || true
    done
    cgroup_sweep
}
