# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The native sandbox: a systemd as PID 1 of fresh namespaces over an overlay of the cached root. Seconds to boot,
# full speed, the host's kernel. What lies on a real file system inside, because an overlay would not do:
#   /var/lib/warden                  this sandbox's own, read and write
#   /var/lib/warden-images/debian    the cached image, read-only, the same for all sandboxes
#   /usr/src/warden                  the checkout, read-only

NATIVE_EXEC_GROUP=system.slice/warden-sandbox-exec.service
NATIVE_PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# native_require_ready: sets PROCESS_PID to PID 1 of the sandbox
native_require_ready() {
    if ! state_is_ready; then
        [[ ! -d $STATE ]] || ! state_is_alive || die "The sandbox '$NAME' is still booting, or its boot failed." "See: $SAY_PROGRAM status"
        die "There is no sandbox '$NAME'." "Start it: $SAY_PROGRAM up$(name_option)"
    fi
    [[ $(state_get kind) == native ]] || die "The sandbox '$NAME' is a virtual machine." "Use: $SAY_PROGRAM vm …"
    process_recorded "$STATE/init" || die "The sandbox '$NAME' has just ended." "Start it: $SAY_PROGRAM up$(name_option)"
}

# native_enter COMMAND…: runs it in all namespaces of the sandbox and in the groups of its exec unit. The groups
# are joined first and from outside: a nested group may be joined from outside on every kind of host.
native_enter() {
    local group
    while read -r _ _ _ group; do
        [[ ! -e $group/$NATIVE_EXEC_GROUP ]] || group+=/$NATIVE_EXEC_GROUP
        echo 0 >"$group/cgroup.procs"
    done <"$STATE/cgroups"
    umask 022
    ulimit -Hn 524288 2>/dev/null || true # less where the caller may not raise it
    ulimit -Sn 1024
    # A killed `tools/sandbox exec` takes the command with it.
    exec nsenter --target "$PROCESS_PID" --mount --uts --ipc --net --pid --cgroup --root --wd \
        setpriv --pdeathsig TERM env -i -C /root PATH=$NATIVE_PATH HOME=/root USER=root LOGNAME=root SHELL=/bin/bash \
        LANG=C.UTF-8 TERM="${TERM:-dumb}" container=warden-sandbox "$@"
}

# The same in a subshell, for the tool's own commands. What outlives a killed tool must not hold its lock.
native_call() { (state_unlock; process_recorded "$STATE/init" && native_enter "$@"); }

# ---- up ----

native_up() {
    local build=$1 binds=$2 timeout=$3 mode=$4
    packages_install root
    cache_init
    [[ -n $mode ]] || mode=$(cgroup_default_mode)
    cgroup_check_mode "$mode"
    state_sweep
    state_lock
    if native_is_up "$mode"; then
        say "The sandbox '$NAME' is already up (${mode})."
    else
        trap state_bury_unready EXIT
        native_prepare "$mode" "$binds"
        native_launch "$mode"
        native_wait "$timeout"
        trap - EXIT
    fi
    [[ -z $build ]] || stage_install "$build"
    state_unlock
}

# native_is_up MODE
native_is_up() {
    [[ -d $STATE ]] || return 1
    if state_is_ready; then
        [[ $(state_get kind) == native ]] || die "'$NAME' is the name of a virtual machine that is up." "Take another --name, or: $SAY_PROGRAM vm down --name $NAME"
        [[ $(state_get mode) == "$1" ]] || die "The sandbox '$NAME' is up with --cgroup=$(state_get mode)." "Take another --name, or: $SAY_PROGRAM down$(name_option)"
        return 0
    fi
    say "Removing what is left of the sandbox '$NAME', which never came up."
    state_bury
    return 1
}

# native_prepare MODE BINDS: everything that the launcher reads
native_prepare() {
    local root image run
    cache_provide_root
    root=$CACHE_PATH
    cache_provide_image
    image=$CACHE_PATH

    state_make native "$1"
    run=$(state_get run)
    mkdir "$run/upper" "$run/work" "$run/warden"
    state_set root "$root"
    printf '%s\n' "$root" "$image" >"$STATE/uses"
    {
        printf '%s\t/var/lib/warden\trw\n' "$run/warden"
        printf '%s\t/var/lib/warden-images/debian\tro\n' "$image"
        printf '%s\t/usr/src/warden\tro\n' "$CHECKOUT"
        [[ -z $2 ]] || printf '%s\n' "$2"
    } >"$STATE/binds"
}

native_launch() {
    local -a scope=()
    if cgroup_host_is_unified && [[ -d /run/systemd/system ]]; then
        scope=(systemd-run --quiet --scope --collect -p Delegate=yes --unit="warden-sandbox-$NAME" --)
    fi
    : >"$STATE/console"
    (
        state_unlock
        exec setsid ${scope[@]+"${scope[@]}"} bash "$LIB/native-launch.sh" "$NAME" "$1" </dev/null >"$STATE/console" 2>&1
    ) &
    NATIVE_LAUNCHER=$!
    disown
}

# native_wait SECONDS: until systemd says that it is up
native_wait() {
    local deadline=$((SECONDS + $1)) console state
    exec {console}<"$STATE/console"
    stage_begin "Booting '$NAME' ($(state_get mode))"
    until process_recorded "$STATE/init" && [[ -S /proc/$PROCESS_PID/root/run/systemd/private ]]; do
        kill -0 "$NATIVE_LAUNCHER" 2>/dev/null && ((SECONDS < deadline)) ||
            { native_show_failure "$console"; die "The sandbox '$NAME' did not start." "What init said is above."; }
        sleep 0.02
    done
    state=$(state_unlock; native_call timeout "$((deadline - SECONDS > 0 ? deadline - SECONDS : 1))" systemctl is-system-running --wait) || true
    stage_end
    case $state in
        running) : >"$STATE/ready" ;;
        degraded)
            : >"$STATE/ready"
            native_call systemctl --no-pager --failed >&2 || true
            die "The sandbox '$NAME' is up, but units failed." "Look inside: $SAY_PROGRAM exec$(name_option) journalctl -b --no-pager -p warning"
            ;;
        *)
            native_show_failure "$console"
            die "The sandbox '$NAME' was not up after $1 s (state: ${state:-unknown})." "What it was waiting for is above; allow more with --timeout."
            ;;
    esac
}

native_show_failure() {
    stage_end_quietly
    cat <&"$1" >&2
    ! process_recorded "$STATE/init" || native_call systemctl --no-pager list-jobs >&2 || true
}

# ---- the other verbs ----

native_exec() {
    native_require_ready
    native_enter "$@"
}

# A shell wants a terminal of its own: /dev/pts inside is not the one that this terminal is on.
native_shell() {
    (($# > 0)) || set -- /bin/bash -l
    native_require_ready
    [[ -t 0 && -t 1 ]] || native_enter "$@"
    native_enter systemd-run --quiet --pty --wait --collect --same-dir --service-type=exec \
        --setenv=TERM="${TERM:-dumb}" --setenv=HOME=/root -- "$@"
}

native_down() {
    cache_init
    if [[ -d $STATE ]]; then
        state_lock
        native_stop "$1"
        state_retire_lock
    else
        say "There is no sandbox '$NAME'."
    fi
    state_sweep
}

# A clean end first, because loop devices and the like belong to the whole machine; what does not end is killed.
native_stop() {
    if [[ $1 != force ]] && state_is_ready && process_recorded "$STATE/init"; then
        stage_begin "Stopping '$NAME'"
        kill -s RTMIN+4 "$PROCESS_PID" 2>/dev/null || true # systemd(1): starts poweroff.target
        process_wait "$STATE/launcher" 15 || say_warning "'$NAME' did not power off within 15 s; it is killed."
        stage_end
    fi
    [[ ! -d $STATE ]] || state_bury
}

native_install() {
    cache_init
    state_lock
    native_require_ready
    stage_install "$1"
    state_unlock
}
