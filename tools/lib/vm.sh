# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The virtual machine: the same Debian root with a kernel of its own, for what the host's cannot show: cgroup v2 with
# every controller, project quota, another kernel's modules. Commands go through virtio ports (vm-agent.py).

. "$LIB/vm-qemu.sh"

vm_usage() {
    cat <<'USAGE'
usage: tools/sandbox vm VERB [OPTION…] [COMMAND…]

Verbs:
  run       boots, installs the build, runs COMMAND, removes everything; gives COMMAND's exit code
  up        boots and installs the build; back when systemd says "running"
  exec      runs COMMAND inside as root: its input, output and exit code are those of this command
  shell     the same with a terminal of its own; without COMMAND a login shell
  install   installs the current build again and restarts wardend.service if it runs
  status    lists the sandboxes and virtual machines
  down      ends one at once and removes all of it

Options:
  --name NAME        which one (default: "vm"; run: one of its own)
  --cgroup MODE      up, run: unified (default, cgroup v2), hybrid or legacy (cgroup v1)
  --build DIR        up, run, install: the meson build folder (default: build/ of this checkout)
  --no-install       up, run: install no build
  --bind SRC[:DST]   up, run: copies SRC of the host in; may be repeated
  --timeout SECONDS  up: for the boot (180); exec: for the command (1800); run: for both each

Inside: a copy of the checkout's files at /usr/src/warden, a Debian root for containers at
/var/lib/warden-images/debian (ext4), /var/lib/warden is an ext4 of 8 GiB with project quota.
Exit codes: COMMAND's own; 124 when the time is over; 125 is a failure of tools/sandbox itself.
Environment: as tools/sandbox, and WARDEN_VM_MEMORY (4G).
USAGE
}

vm_main() {
    local verb=${1-}
    (($# == 0)) || shift
    case $verb in
        run|up|exec|shell|install|status|down) ;;
        -h|--help|help) vm_usage; exit ;;
        '') vm_usage >&2; exit 125 ;;
        *) die "There is no verb 'vm $verb'." "See: $SAY_PROGRAM --help" ;;
    esac
    # shellcheck disable=SC2034
    OPTIONS_USAGE=vm_usage OPTIONS_NAME=vm SAY_PROGRAM='tools/sandbox vm'
    "vm_verb_$verb" "$@"
}

vm_verb_run() {
    local code=0
    # shellcheck disable=SC2034
    OPTIONS_NAME=run-$$
    options_read "--name --cgroup --build --no-install --bind --timeout" "$@"
    need_rest
    [[ -z $OPT_INSTALL ]] || build_default
    # Whatever happens to us, the machine ends with us.
    trap 'vm_bury' EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    vm_up "${OPT_INSTALL:+$OPT_BUILD}" "${OPT_BINDS%$'\n'}" "${OPT_TIMEOUT:-180}" "$OPT_CGROUP"
    vm_exec "${OPT_TIMEOUT:-1800}" '' "${REST[@]}" || code=$?
    exit $code
}

vm_verb_up() {
    options_read "--name --cgroup --build --no-install --bind --timeout" "$@"
    no_rest
    [[ -z $OPT_INSTALL ]] || build_default
    vm_up "${OPT_INSTALL:+$OPT_BUILD}" "${OPT_BINDS%$'\n'}" "${OPT_TIMEOUT:-180}" "$OPT_CGROUP"
}

vm_verb_exec() {
    options_read "--name --timeout" "$@"
    need_rest
    vm_require_ready
    vm_exec "${OPT_TIMEOUT:-1800}" '' "${REST[@]}"
}

vm_verb_shell() {
    local terminal=
    options_read "--name --timeout" "$@"
    ((${#REST[@]} > 0)) || REST=(/bin/bash -l)
    vm_require_ready
    [[ ! -t 0 || ! -t 1 ]] || terminal=--tty
    vm_exec "${OPT_TIMEOUT:-86400}" "$terminal" "${REST[@]}"
}

vm_verb_install() {
    options_read "--name --build" "$@"
    no_rest
    build_default
    build_require
    cache_init
    state_lock
    vm_require_ready
    STAGE_CALL=vm_call stage_install "$OPT_BUILD"
    state_unlock
}

vm_verb_status() { verb_status "$@"; }

vm_verb_down() {
    options_read "--name --force" "$@"
    no_rest
    cache_init
    [[ -d $STATE ]] || say "There is no virtual machine '$NAME'."
    [[ ! -d $STATE || $(state_get kind) == vm ]] || die "'$NAME' is no virtual machine." "Use: tools/sandbox down --name $NAME"
    vm_bury
    state_sweep
}

# Nothing of the host hangs on its clean end, and nothing that it wrote is kept: it is killed.
vm_bury() {
    [[ -d $STATE ]] || return 0
    state_lock
    [[ ! -d $STATE ]] || state_bury
    state_retire_lock
}

# ---- up ----

# vm_up BUILD BINDS TIMEOUT MODE
vm_up() {
    local build=$1 binds=$2 timeout=$3 mode=${4:-unified}
    case $mode in unified|hybrid|legacy) ;; *) die "There is no cgroup mode '$mode'." "Use --cgroup=unified, hybrid or legacy." ;; esac
    packages_install root vm
    cache_init
    state_sweep
    state_lock
    if vm_is_up "$mode"; then
        say "The virtual machine '$NAME' is already up (${mode})."
    else
        [[ -n $(trap -p EXIT) ]] || trap state_bury_unready EXIT # `run` has its own
        vm_prepare "$mode"
        vm_launch "$mode"
        vm_wait "$timeout"
        vm_copy_in "$binds"
    fi
    [[ -z $build ]] || STAGE_CALL=vm_call stage_install "$build"
    state_unlock
}

# vm_is_up MODE
vm_is_up() {
    [[ -d $STATE ]] || return 1
    if state_is_ready; then
        [[ $(state_get kind) == vm ]] || die "'$NAME' is the name of a native sandbox that is up." "Take another --name."
        [[ $(state_get mode) == "$1" ]] || die "'$NAME' is up with --cgroup=$(state_get mode)." "Take another --name, or: $SAY_PROGRAM down$(name_option)"
        return 0
    fi
    say "Removing what is left of the virtual machine '$NAME', which never came up."
    state_bury
    return 1
}

# vm_provide: sets CACHE_PATH to the folder of the disk
vm_provide() {
    local image packages key
    cache_provide_image
    image=$CACHE_PATH
    packages=$(packages_list sandbox guest | paste -s -d ,)
    key=$(cache_key "$SUITE $MIRROR $packages $image" "$LIB/make-root.sh" "$LIB/make-vm.sh" "$LIB/vm-agent.py")
    cache_provide vm "$key" "Making the virtual machine's disk ($SUITE)" bash "$LIB/make-vm.sh" "$SUITE" "$MIRROR" "$packages" "$image"
}

vm_prepare() {
    local run
    vm_provide
    state_make vm "$1"
    state_set root "$CACHE_PATH"
    state_set uses "$CACHE_PATH"
    run=$(state_get run)
    truncate -s 8G "$run/scratch.img"
    mke2fs -q -t ext4 -L warden-scratch -O quota,project -E quotatype=prjquota,lazy_itable_init=1,lazy_journal_init=1 "$run/scratch.img"
}

vm_launch() {
    stage_begin "Trying KVM"
    VM_ACCELERATION=$(qemu_acceleration "$(state_get root)")
    stage_end
    : >"$STATE/console"
    : >"$STATE/launch-log"
    (
        state_unlock
        exec setsid bash "$LIB/vm-launch.sh" "$NAME" "$1" "$VM_ACCELERATION" </dev/null >"$STATE/launch-log" 2>&1
    ) &
    VM_LAUNCHER=$!
    disown
}

# vm_wait SECONDS: until systemd says that it is up
vm_wait() {
    local console log state
    exec {console}<"$STATE/console" {log}<"$STATE/launch-log"
    stage_begin "Booting the machine '$NAME' ($(state_get mode), ${VM_ACCELERATION%%,*})"
    until process_recorded "$STATE/init" && [[ -S $STATE/port0.sock ]]; do
        kill -0 "$VM_LAUNCHER" 2>/dev/null || { stage_end; cat <&$log >&2; die "qemu did not start." "What it said is above."; }
        sleep 0.02
    done
    state=$(state_unlock; vm_exec "$1" '' systemctl is-system-running --wait) || true
    stage_end
    case $state in
        running) : >"$STATE/ready" ;;
        degraded)
            : >"$STATE/ready"
            vm_exec 60 '' systemctl --no-pager --failed >&2 || true
            die "The virtual machine '$NAME' is up, but units failed." "Look inside: $SAY_PROGRAM exec$(name_option) journalctl -b --no-pager -p warning"
            ;;
        *)
            stage_end_quietly
            cat <&$log >&2
            tail -n 30 <&$console >&2
            die "The virtual machine '$NAME' was not up after $1 s (state: ${state:-unknown})." "The end of its console is above; allow more with --timeout."
            ;;
    esac
}

# vm_copy_in BINDS: the checkout's files (what git knows or would), and what the caller wants to see inside
vm_copy_in() {
    local source destination
    stage_begin "Copying the checkout into '$NAME'"
    (
        cd "$CHECKOUT" || exit
        git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
            [[ ! -e $file && ! -L $file ]] || printf '%s\0' "$file"
        done | tar -cz --owner=0 --group=0 --null -T -
    ) | vm_call tar -xz -C /usr/src/warden # the way in is slower than gzip
    while IFS=$'\t' read -r source destination _; do
        [[ -n $source ]] || continue
        vm_copy_one "$source" "$destination"
    done <<<"$1"
    stage_end
}

vm_copy_one() {
    if [[ -d $1 ]]; then
        vm_call mkdir -p "$2" </dev/null
        tar -C "$1" -c . | vm_call tar -x -C "$2"
    else
        vm_call mkdir -p "${2%/*}/" </dev/null
        vm_call dd status=none of="$2" <"$1"
    fi
}

# ---- commands ----

vm_require_ready() {
    if ! state_is_ready; then
        [[ ! -d $STATE ]] || ! state_is_alive || die "The virtual machine '$NAME' is still booting, or its boot failed." "See: $SAY_PROGRAM status"
        die "There is no virtual machine '$NAME'." "Start it: $SAY_PROGRAM up$(name_option)"
    fi
    [[ $(state_get kind) == vm ]] || die "'$NAME' is a native sandbox." "Use: tools/sandbox exec --name $NAME …"
}

# vm_exec SECONDS --tty|'' COMMAND…
vm_exec() {
    local seconds=$1 terminal=$2
    shift 2
    (state_unlock; exec python3 "$LIB/vm-client.py" --timeout "$seconds" ${terminal:+"$terminal"} "$STATE" "$@")
}

vm_call() { vm_exec 600 '' "$@"; }
