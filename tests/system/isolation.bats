#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2016 # scripts for a shell in the container
#
# What a job of the container's root can see and do: nothing that is not the container's.

load lib

setup_file() {
    file_begin
    create s-cell
}

in_cell() { inside s-cell "$@"; }
cell() { script_in s-cell "$@"; }

# status_of FIELD…: lines of a job's own /proc/self/status
status_of() { inside s-cell grep -E "^($(IFS='|'; echo "$*")):" /proc/self/status | tr -d ' \t'; }

# in_perl CODE: by a job of root's; the image's Python has neither ctypes nor termios
in_perl() { inside s-cell perl -e "$1"; }

# system_calls NAME:NUMBER:ARGUMENTS…: what each of them says
system_calls() {
    [[ $(uname -m) == x86_64 ]] || skip "the numbers of system calls are x86-64's"
    inside s-cell perl -e 'for (@ARGV) {
        my ($name, $number, $arguments) = split(/:/);
        $! = 0;
        my $r = syscall($number, map { 0 + $_ } split(/,/, $arguments));
        print "$name $r $!\n";
    }' "$@"
}

# bats test_tags=anywhere
@test "shares no namespace with the host" {
    for ns in cgroup ipc mnt net pid user uts; do
        [[ $(in_cell readlink "/proc/self/ns/$ns") != "$(readlink "/proc/self/ns/$ns")" ]]
        is "$(readlink "/proc/$(leader s-cell)/ns/$ns")" "$(in_cell readlink "/proc/self/ns/$ns")"
    done
}

# bats test_tags=anywhere
@test "shows nothing of the host in a job's mount table, and nothing of it in the host's" {
    unlike '/var/lib/warden|/run/warden|warden-images|/var/cache|/usr/src/warden|bats-run' "$(cell 'cut -d" " -f4- /proc/self/mountinfo | sed "s/ - overlay .*/ - overlay/"')"
    is 1 "$(cell 'grep -c " / / " /proc/self/mountinfo')"
    unlike "$(container_get s-cell Id)" "$(cat /proc/1/mountinfo "/proc/$(daemon_pid)/mountinfo")"
}

# bats test_tags=anywhere
@test "gives a job descriptors 0 to 2 and no other, and leaks none in PID 1" {
    is "0 1 2" "$(inside s-cell python3 -c 'import os
print(*[fd for fd in range(1024) if os.path.lexists(f"/proc/self/fd/{fd}")])')"
    is "" "$(find "/proc/$(leader s-cell)/fd" -lname '/*' ! -lname /dev/null ! -lname /dev/pts -printf '%l\n')"
}

# bats test_tags=anywhere
@test "gives a job the capabilities of OCI's default, none inheritable and none ambient" {
    is $'CapInh:0000000000000000\nCapPrm:00000000a80425fb\nCapEff:00000000a80425fb\nCapBnd:00000000a80425fb\nCapAmb:0000000000000000' \
        "$(status_of CapInh CapPrm CapEff CapBnd CapAmb)"
    # A user other than root has none to use.
    is CapEff:0000000000000000 "$(wardenctl exec -u 1000:1000 s-cell -- grep CapEff /proc/self/status | tr -d ' \t')"
}

# bats test_tags=anywhere
@test "gains a job nothing by set-id programs, unless it is privileged" {
    is NoNewPrivs:1 "$(status_of NoNewPrivs)"
    is NoNewPrivs:0 "$(wardenctl exec --privileged s-cell -- grep NoNewPrivs /proc/self/status | tr -d ' \t')"
    cell 'cp /usr/bin/id /usr/local/bin/rootid; chmod 4755 /usr/local/bin/rootid'
    unlike euid=0 "$(wardenctl exec -u 1000:1000 s-cell -- rootid)"
    like euid=0 "$(wardenctl exec --privileged -u 1000:1000 s-cell -- rootid)"
}

@test "filters system calls of jobs and of PID 1" {
    is Seccomp:2 "$(status_of Seccomp)"
    is $'Seccomp:\t2' "$(grep Seccomp: "/proc/$(leader s-cell)/status")"
    capture system_calls keyctl:250:0,-3,1 bpf:321:0,0,0 userfaultfd:323:0 io_uring_setup:425:1,0 \
        perf_event_open:298:0,0,-1,-1,0 mount:165:0,0,0,0,0 kexec_load:246:0,0,0,0 init_module:175:0,0,0 \
        reboot:169:0xfee1dead,672274793,0,0 open_by_handle_at:304:-1,0,0 setns:308:0,0 swapon:167:0,0
    is 0 "$status"
    is "" "$(grep -v -- '-1 Operation not permitted\|-1 Function not implemented' <<<"$output" || true)"
    is 12 "$(wc -l <<<"$output")"
}

# bats test_tags=anywhere
@test "makes no namespaces from inside" {
    for option in --user --mount --pid --net --ipc --uts; do
        refuses in_cell unshare $option true
        like 'Operation not permitted' "$output"
    done
    refuses wardenctl exec -u 1000:1000 s-cell -- unshare --user true
}

# bats test_tags=anywhere
@test "lets nobody inside harm PID 1" {
    local pid
    pid=$(leader s-cell)
    capture cell 'for s in KILL STOP TERM INT HUP QUIT USR1 SEGV; do kill -$s 1; done; kill -KILL -- -1; true'
    is "$pid" "$(leader s-cell)"
    like '^S' "$(ps -o stat= -p "$pid")"
    is fine "$(in_cell echo fine)"
    refuses in_cell cat /proc/1/environ
    refuses in_cell cat /proc/1/mem
    refuses in_cell ls -l /proc/1/fd
    refuses in_cell readlink /proc/1/exe
    # PTRACE_ATTACH and PTRACE_SEIZE
    is $'attach -1 Operation not permitted\nseize -1 Operation not permitted' "$(system_calls attach:101:16,1,0,0 seize:101:16902,1,0,0)"
    is 0 "$(grep TracerPid "/proc/$pid/status" | cut -f2)"
}

# bats test_tags=anywhere
@test "shows only its own processes" {
    is 1 "$(cell 'ls -d /proc/[0-9]* | grep -cx /proc/1')"
    is "" "$(in_cell ps -eo comm= | grep -vxE 'wshd|ps' || true)"
    refuses in_cell kill -0 "$(daemon_pid)"
}

# bats test_tags=anywhere
@test "writes no sysctl, no trigger and nothing of /sys" {
    for file in /proc/sys/kernel/hostname /proc/sys/kernel/core_pattern /proc/sys/vm/overcommit_memory \
        /proc/sys/net/ipv4/ip_forward /proc/sysrq-trigger /proc/irq/default_smp_affinity /sys/kernel/uevent_helper /sys/power/state; do
        in_cell test -e "$file" || continue
        refuses cell "echo 1 >$file"
        like 'Read-only file system|Permission denied' "$output"
    done
    refuses in_cell mkdir /sys/fs/cgroup/mine
    like '(^|,)ro(,|$)' "$(in_cell findmnt -no OPTIONS /proc/sys)"
    like '(^|,)ro(,|$)' "$(in_cell findmnt -no OPTIONS /sys)"
}

@test "mounts, remounts and unmounts nothing" {
    refuses in_cell mount -t tmpfs none /mnt
    refuses in_cell mount --bind /etc /mnt
    refuses in_cell mount -o remount,rw /proc/sys
    refuses in_cell umount /proc/sys
    refuses in_cell umount -l /sys
    refuses in_cell chroot / mount -t proc proc /mnt
}

# bats test_tags=anywhere
@test "reads nothing from what is masked in /proc and /sys" {
    for file in kcore keys latency_stats sched_debug timer_list acpi scsi; do
        in_cell test -e "/proc/$file" || continue
        is "" "$(cell "if [ -d /proc/$file ]; then ls -A /proc/$file; else head -c 100 /proc/$file; fi" || true)"
    done
    is "" "$(in_cell ls -A /sys/firmware || true)"
    refuses cell 'echo x >/sys/firmware/x'
}

# bats test_tags=anywhere
@test "has a /dev with the usual nodes and nothing that leads to a disk" {
    is "fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero" \
        "$(inside s-cell ls /dev | grep -vxE 'console|core' | xargs)"
    # Not by `find -type`: what a directory entry says is the type below a bind mount.
    is "full null random tty urandom zero" "$(cell 'for f in /dev/*; do [ -L $f ] || [ ! -c $f ] || basename $f; done' | grep -vx console | xargs)"
    is "" "$(cell 'for f in /dev/* /dev/*/*; do [ ! -b $f ] || echo $f; done')"
    cell 'echo x >/dev/null; test "$(head -c 3 /dev/zero | od -An -tx1)" = " 00 00 00"; head -c 1 /dev/urandom >/dev/null'
    refuses cell 'echo x >/dev/full'
}

# bats test_tags=anywhere
@test "makes no device nodes" {
    refuses in_cell mknod /tmp/disk b 8 0
    refuses in_cell mknod /tmp/kmsg c 1 11
    refuses in_cell mknod /dev/shm/mem c 1 1
    in_cell mkfifo /tmp/fifo
}

# bats test_tags=anywhere
@test "reads no kernel log" {
    refuses in_cell dmesg
    # SYSLOG_ACTION_SIZE_BUFFER
    is 'syslog -1 Operation not permitted' "$(system_calls syslog:103:10,0,0)"
}

# bats test_tags=anywhere
@test "types nothing into a terminal that is not its own" {
    local ioctl='my $c = "x"; print ioctl(STDIN, 0x5412, $c) ? "typed" : "refused: $!"' # TIOCSTI
    capture script -qec "wardenctl exec -t s-cell -- perl -e '$ioctl'" /dev/null
    like 'refused: (Operation not permitted|Input/output error)' "$output"
    unlike typed "$output"
}

@test "lends its root no power over files of the host" {
    local base pid
    base=$(container_get s-cell UIDBase)
    pid=$(leader s-cell)
    ((base >= 65536))
    is "$base" "$(stat -c %u "/proc/$pid")"
    cell 'cp /bin/sh /srv/sh; chmod 6755 /srv/sh'
    # On disk it is root's and set-id: no user of the host may get there.
    refuses setpriv --reuid 65534 --regid 65534 --clear-groups ls "/var/lib/warden/containers/$(container_get s-cell Id)/upper"
    is 700 "$(stat -c %a /var/lib/warden)"
    is 700 "$(stat -c %a /run/warden)"
    is "" "$(find /var/lib/warden/containers /run/warden -mindepth 1 -maxdepth 1 -type d ! -name .trash -perm /077)"
}

# bats test_tags=anywhere
@test "reaches neither the daemon nor the host's bus" {
    refuses in_cell test -e /run/warden
    refuses in_cell test -e /run/dbus/system_bus_socket
    refuses in_cell test -e /run/systemd/private
    # Abstract sockets are the network namespace's.
    is "" "$(in_cell cat /proc/net/unix | grep '@' || true)"
}

# bats test_tags=anywhere
@test "keeps one container from seeing another" {
    create t-other
    script_in t-other 'echo secret >/srv/secret'
    spawn t-other /bin/sleep 4321
    refuses in_cell test -e /srv/secret
    unlike 4321 "$(in_cell ps -eo args=)"
    [[ $(container_get t-other UIDBase) != "$(container_get s-cell UIDBase)" ]]
}

# bats test_tags=anywhere
@test "tells inside what it is, as systemd's container interface has it" {
    is container=warden "$(in_cell env | grep '^container=')"
    in_cell test -d /run/host
    refuses cell 'echo x >/run/host/x'
    like '^[0-9a-f-]{32,36}$' "$(in_cell cat /run/host/container-uuid)"
    is warden "$(in_cell cat /run/host/container-manager)"
}
