# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# A sandbox's systemd gets one group in each hierarchy of the host, named warden-sandbox-NAME, as the root of
# its cgroup namespace. Nothing else of the host's cgroups is ever written.
#
# The plan is one line for each hierarchy: TYPE OPTIONS WHERE GROUP
#   TYPE OPTIONS WHERE  what to mount in the sandbox, and where under /sys/fs/cgroup
#   GROUP               the group on the host to join first

CGROUP_ROOT=/sys/fs/cgroup

cgroup_host_is_unified() { [[ $(stat -f -c %T $CGROUP_ROOT) == cgroup2fs ]]; }
cgroup_host_has_v1() { grep -q "^[^ ]* $CGROUP_ROOT/[^ ]* cgroup " /proc/self/mounts; }
cgroup_default_mode() { if cgroup_host_has_v1; then echo hybrid; else echo unified; fi; }

# cgroup_check_mode MODE: ends the program where this host cannot do it
cgroup_check_mode() {
    case $1 in
        unified) return ;;
        hybrid|legacy) cgroup_host_has_v1 || die "This host has no cgroup v1 controllers, so --cgroup=$1 cannot run natively." \
            "Use: $SAY_PROGRAM up --cgroup=unified, or $SAY_PROGRAM vm up --cgroup=legacy" ;;
        *) die "There is no cgroup mode '$1'." "Use --cgroup=hybrid, legacy or unified." ;;
    esac
}

# cgroup_plan MODE NAME: prints the plan
cgroup_plan() {
    local mode=$1 name=$2 path type options
    if cgroup_host_is_unified; then
        printf 'cgroup2 nsdelegate . %s/payload\n' "$(cgroup_own_path)"
        return
    fi
    while read -r _ path type options _; do
        [[ $path == $CGROUP_ROOT/* ]] || continue
        case $type:$mode in
            cgroup:hybrid|cgroup:legacy) printf 'cgroup %s %s %s\n' "$(cgroup_v1_options "$options")" "${path##*/}" "$path/warden-sandbox-$name" ;;
            cgroup2:hybrid) printf 'cgroup2 - unified %s\n' "$path/warden-sandbox-$name" ;;
            cgroup2:unified) printf 'cgroup2 - . %s\n' "$path/warden-sandbox-$name" ;;
        esac
    done </proc/self/mounts
}

# Of a v1 mount's options, those that name the hierarchy
cgroup_v1_options() {
    local option
    local -a wanted=()
    for option in ${1//,/ }; do
        case $option in
            rw|ro|relatime|noatime|nosuid|nodev|noexec|release_agent=*|clone_children|xattr|noprefix) ;;
            name=*) wanted+=(none "$option") ;;
            *) wanted+=("$option") ;;
        esac
    done
    (IFS=,; printf '%s' "${wanted[*]}")
}

# On a host with systemd and cgroup v2 the launcher runs in a scope of its own that systemd has delegated to it.
cgroup_own_path() {
    local line
    read -r line < <(grep '^0::' /proc/self/cgroup)
    printf '%s%s' $CGROUP_ROOT "${line#0::}"
}

# cgroup_make PLAN-FILE
cgroup_make() {
    local type group
    while read -r type _ _ group; do
        mkdir -p "$group"
        if [[ $type == cgroup && -e $group/cpuset.cpus ]]; then # an empty cpuset takes no process
            cat "${group%/*}/cpuset.cpus" >"$group/cpuset.cpus"
            cat "${group%/*}/cpuset.mems" >"$group/cpuset.mems"
        fi
    done <"$1"
    ! cgroup_host_is_unified || cgroup_delegate
}

# A group of cgroup v2 that has processes of its own hands no controller to its children: the launcher steps
# aside into `supervisor` and the sandbox's systemd gets `payload`. (Written from the manual: the machines this
# was tried on have cgroup v1.)
cgroup_delegate() {
    local own controller
    own=$(cgroup_own_path)
    mkdir -p "$own/supervisor"
    echo $$ >"$own/supervisor/cgroup.procs"
    for controller in $(<"$own/cgroup.controllers"); do
        echo "+$controller" >"$own/cgroup.subtree_control" 2>/dev/null || say_warning "Controller $controller cannot be delegated."
    done
}

# cgroup_remove PLAN-FILE: deepest first, for as long as the kernel needs to see the last process off
cgroup_remove() {
    local group left=
    [[ -e $1 ]] || return 0
    while read -r _ _ _ group; do
        cgroup_remove_tree "$group" || left+=" $group"
    done <"$1"
    [[ -z $left ]] || { say_warning "These groups are still busy:$left"; return 1; }
}

cgroup_remove_tree() {
    local try
    for ((try = 0; try < 100; try++)); do
        [[ -d $1 ]] || return 0
        find "$1" -depth -type d -exec rmdir {} \; 2>/dev/null || true
        [[ -d $1 ]] || return 0
        sleep 0.05
    done
    return 1
}

# cgroup_sweep: groups with our name that no state folder speaks for and that hold no process
cgroup_sweep() {
    local group name
    for group in $CGROUP_ROOT/warden-sandbox-* $CGROUP_ROOT/*/warden-sandbox-*; do
        [[ -d $group ]] || continue
        name=${group##*/warden-sandbox-}
        [[ ! -d $STATE_DIR/$name ]] || continue
        if [[ -z $(find "$group" -name cgroup.procs -exec cat {} + 2>/dev/null) ]]; then
            cgroup_remove_tree "$group" || true
        else
            say_warning "$group holds processes, but no sandbox '$name' is recorded; it is left alone."
        fi
    done
}
