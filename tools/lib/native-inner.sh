#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# native-inner.sh STEP STATE MODE: PID 1 of the new namespaces, before it becomes systemd.
#   join   in the host's root and cgroup namespace: joins the groups, records its pid as the host sees it
#   mount  in a cgroup namespace whose roots are those groups: mounts everything and pivots
# All mounts are made in this mount namespace and go with it.

set -eu -o pipefail
step=$1 STATE=$2 MODE=$3
LIB=$(cd "$(dirname "$0")" && pwd)
ROOT=$STATE/warden-root

join() {
    . "$LIB/process.sh"
    local pid group
    while read -r _ _ _ group; do
        echo 0 >"$group/cgroup.procs"
    done <"$STATE/cgroups"
    # /proc is still the host's, and so is what it calls this process.
    read -r pid _ </proc/self/stat
    process_record "$STATE/init" "$pid"
    exec unshare --cgroup bash "$0" mount "$STATE" "$MODE"
}

mount_root() {
    local run
    run=$(<"$STATE/run")
    mount -t overlay warden-sandbox -o "lowerdir=$(<"$STATE/root"),upperdir=$run/upper,workdir=$run/work" "$ROOT"
    cd "$ROOT"
    mount -t sysfs sysfs sys
    mount -t tmpfs -o mode=755,nosuid,nodev warden-sandbox run
    mount -t tmpfs -o mode=1777,nosuid,nodev warden-sandbox tmp
    mount_proc
}

# Sysctls are the whole machine's, and systemd writes some at boot (fs.file-max), so they are read-only, all but
# the network's, which are this namespace's. A user namespace may mount proc only where a wholly visible one is
# in sight: that is what the second one is for.
mount_proc() {
    mount -t proc proc proc
    mount --bind proc/sys proc/sys
    mount --bind proc/sys/net proc/sys/net
    mount -o remount,bind,ro proc/sys
    if [[ -e proc/sysrq-trigger ]]; then
        mount --bind proc/sysrq-trigger proc/sysrq-trigger
        mount -o remount,bind,ro proc/sysrq-trigger
    fi
    mkdir -m 0700 run/host
    mkdir run/host/proc
    mount -t proc proc run/host/proc
}

# The device nodes of a container; no udev, so what the host has is bound one by one.
mount_dev() {
    local node
    mount -t tmpfs -o mode=755,nosuid warden-sandbox dev
    mkdir dev/pts dev/shm dev/mqueue dev/net
    for node in null zero full random urandom tty fuse net/tun loop-control /dev/loop[0-9]*; do
        node=${node#/dev/}
        [[ -e /dev/$node ]] || continue
        : >"dev/$node"
        mount --bind "/dev/$node" "dev/$node"
    done
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
    mount -t tmpfs -o mode=1777,nosuid,nodev warden-sandbox dev/shm
    ln -s pts/ptmx dev/ptmx
    ln -s /proc/self/fd dev/fd
    ln -s /proc/self/fd/0 dev/stdin
    ln -s /proc/self/fd/1 dev/stdout
    ln -s /proc/self/fd/2 dev/stderr
}

mount_cgroups() {
    local type options where controller
    [[ $MODE == unified ]] || mount -t tmpfs -o mode=755,nosuid,nodev,noexec warden-sandbox sys/fs/cgroup
    while read -r type options where _; do
        [[ $where == . ]] || mkdir "sys/fs/cgroup/$where"
        if [[ $options == - ]]; then
            mount -t "$type" "$type" "sys/fs/cgroup/$where"
        else
            mount -t "$type" -o "$options" "$type" "sys/fs/cgroup/$where"
        fi
        [[ $where != *,* ]] || for controller in ${where//,/ }; do ln -s "$where" "sys/fs/cgroup/$controller"; done
    done <"$STATE/cgroups"
}

# What must be on a real file system (an overlay is no upper layer of another, and has no idmapped mounts), and
# what the caller asked to see inside. A line: SOURCE DESTINATION ro|rw, tabs between.
mount_binds() {
    local source destination how
    while IFS=$'\t' read -r source destination how; do
        if [[ -d $source ]]; then mkdir -p ".$destination"; else mkdir -p ".${destination%/*}"; : >>".$destination"; fi
        mount --bind "$source" ".$destination"
        [[ $how != ro ]] || mount -o remount,bind,ro ".$destination"
    done <"$STATE/binds"
}

become_init() {
    local -a options=()
    case $MODE in
        legacy) options=(systemd.unified_cgroup_hierarchy=0 systemd.legacy_systemd_cgroup_controller=1) ;;
        hybrid) options=(systemd.unified_cgroup_hierarchy=0) ;;
        unified) options=(systemd.unified_cgroup_hierarchy=1) ;;
    esac
    # What the kernel and systemd would give, whatever this shell was given.
    umask 022
    ulimit -Hn 524288 2>/dev/null || true # less where the caller may not raise it
    ulimit -Sn 1024
    mkdir -p run/warden-old
    pivot_root . run/warden-old
    cd /
    # Shared, as systemd makes everything on a machine but not where $container is set: services with mount
    # namespaces of their own see what is mounted later.
    exec env -i container=warden-sandbox PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
        bash -c 'umount -l /run/warden-old; rmdir /run/warden-old; mount --make-rshared /; exec /sbin/init "$@"' \
        init "${options[@]}"
}

case $step in
    join) join ;;
    mount)
        hostname warden-sandbox
        mount_root
        mount_dev
        mount_cgroups
        mount_binds
        become_init
        ;;
esac
