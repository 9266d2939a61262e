#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2016 # scripts for a shell in the container
#
# Limits: what is asked for is what the kernel has, at create and live, and what cannot be had is refused.

load lib

setup_file() { file_begin; }

is_v2() { [[ $(cgroup_mode) == unified ]]; }
need_v2() { is_v2 || skip "needs cgroup v2"; }
need_v1() { ! is_v2 || skip "is about cgroup v1"; }

# set_limits NAME COUNT [KEY TYPE VALUE]…
set_limits() { container_call "$1" SetLimits 'a{sv}' "${@:2}" >/dev/null; }

# limit_of NAME KEY: what the property says
limit_of() { container_get "$1" Limits | jq -c ".$2.data"; }
limit_is() { [[ $(limit_of "$1" "$2") == "$3" ]]; }

# memory_max NAME, tasks_max NAME, cpu_quota NAME: what the kernel says; a quota in percent
memory_max() { if is_v2; then cgroup_file "$1" memory memory.max; else cgroup_file "$1" memory memory.limit_in_bytes; fi; }
tasks_max() { cgroup_file "$1" pids pids.max; }
cpu_quota() {
    local quota period
    if is_v2; then
        read -r quota period <<<"$(cgroup_file "$1" cpu cpu.max)"
    else
        quota=$(cgroup_file "$1" cpu cpu.cfs_quota_us)
        period=$(cgroup_file "$1" cpu cpu.cfs_period_us)
    fi
    echo $((quota * 100 / period))
}

@test "changes limits of a running container, and the kernel has them" {
    create t-live -m 64M
    wardenctl limit t-live MemoryMax=96M TasksMax=50 CPUQuota=50%
    is $((96 << 20)) "$(memory_max t-live)"
    is 50 "$(tasks_max t-live)"
    is 50 "$(cpu_quota t-live)"
    is $((96 << 20)) "$(limit_of t-live MemoryMax)"
    is 500000 "$(limit_of t-live CPUQuotaPerSecUSec)"
    is $((96 << 20)) "$(systemctl show -P MemoryMax "$(unit_of t-live)")"
}

# bats test_tags=anywhere
@test "takes a limit back with infinity" {
    create t-back --tasks-max 50
    wardenctl limit t-back TasksMax=infinity
    is max "$(tasks_max t-back)"
    like '"TasksMax" t 18446744073709551615' "$(busctl get-property "$BUS" "$(path_of t-back)" "$BUS.Container" Limits)"
}

@test "ends what needs more memory than MemoryMax, and nothing else" {
    create t-hog --oom-policy continue
    wardenctl limit t-hog MemoryMax=24M
    # MemorySwapMax is v2's; a machine with swap would take it there
    ! is_v2 || wardenctl limit t-hog MemorySwapMax=0
    capture wardenctl exec t-hog -- sh -c 'head -c 200M /dev/zero | tail -c 150M >/dev/null'
    ((status != 0))
    ! is_v2 || like 'oom_kill [1-9]' "$(cgroup_file t-hog memory memory.events)"
    is_v2 || like 'oom_kill [1-9]' "$(cgroup_file t-hog memory memory.oom_control)"
    is ok "$(inside t-hog echo ok)"
    create t-other
    is ok "$(inside t-other echo ok)"
}

# bats test_tags=anywhere
@test "stops a fork bomb at TasksMax" {
    create t-bomb --tasks-max 30
    wardenctl exec t-bomb -- sh -c 'for i in $(seq 60); do sleep 30 & done 2>/dev/null; true' || true
    (($(cgroup_file t-bomb pids pids.current) <= 30))
    is ok "$(inside t-bomb echo ok || echo ok)"
    if is_v2; then like 'max [1-9]' "$(cgroup_file t-bomb pids pids.events)"; else
        like 'max [1-9]' "$(cgroup_file t-bomb pids pids.events)"
    fi
}

# bats test_tags=anywhere
@test "holds a busy loop to its CPUQuota" {
    local before after
    create t-cpu
    wardenctl limit t-cpu CPUQuota=10%
    spawn t-cpu sh -c 'while :; do :; done' >/dev/null
    throttled() { (($(cgroup_file t-cpu cpu cpu.stat | sed -n 's/^nr_throttled //p') >= 3)); }
    until_true throttled
}

# bats test_tags=anywhere
@test "keeps limits over a reload and a re-execution of systemd and its own restart" {
    create t-keep -m 64M
    wardenctl limit t-keep TasksMax=77 MemoryMax=80M
    systemctl daemon-reload
    limit_is t-keep TasksMax 77
    is 77 "$(tasks_max t-keep)"
    systemctl daemon-reexec
    until_true systemctl is-active "$(unit_of t-keep)"
    is 77 "$(tasks_max t-keep)"
    is $((80 << 20)) "$(memory_max t-keep)"
    daemon_kill
    daemon_wait
    is 77 "$(limit_of t-keep TasksMax)"
    is $((80 << 20)) "$(limit_of t-keep MemoryMax)"
    # and they can still be changed
    wardenctl limit t-keep TasksMax=78
    is 78 "$(tasks_max t-keep)"
}

# bats test_tags=anywhere
@test "shows what an administrator has set by systemctl, also after a restart" {
    create t-admin -m 64M
    systemctl set-property "$(unit_of t-admin)" MemoryMax=100M
    until_true limit_is t-admin MemoryMax $((100 << 20))
    systemctl set-property --runtime "$(unit_of t-admin)" TasksMax=99
    until_true limit_is t-admin TasksMax 99
    daemon_kill
    daemon_wait
    until_true limit_is t-admin MemoryMax $((100 << 20))
    until_true limit_is t-admin TasksMax 99
    # A new life has what was asked for here.
    wardenctl stop t-admin
    limit_is t-admin MemoryMax $((64 << 20))
    wardenctl start t-admin
    is $((64 << 20)) "$(memory_max t-admin)"
}

# bats test_tags=anywhere
@test "gives a stopped container its limits with the next start" {
    create t-stopped -m 64M
    wardenctl stop t-stopped
    wardenctl limit t-stopped MemoryMax=72M
    is $((72 << 20)) "$(limit_of t-stopped MemoryMax)"
    wardenctl start t-stopped
    is $((72 << 20)) "$(memory_max t-stopped)"
}

# bats test_tags=anywhere
@test "refuses bad values, names the bound, and changes nothing" {
    create t-bad -m 64M
    local bad
    for bad in MemoryMax=0 MemoryMax=1023K CPUWeight=0 CPUWeight=10001 IOWeight=0 TasksMax=1 CPUQuota=0% \
        MemoryMax=18446744073709551615999 MemoryMax=-5 CPUWeight=infinity AllowedCPUs=9999 AllowedCPUs=x \
        'IOReadBandwidthMax=/dev/null 5' 'IOReadBandwidthMax=/dev/none 5'; do
        refuses wardenctl limit t-bad "$bad"
        like "${bad%%=*}" "$output"
    done
    refuses wardenctl limit t-bad MemoryMax=1023K
    like 1048576 "$output"
    refuses set_limits t-bad 1 MemoryMax t 1
    refuses wardenctl limit t-bad Colour=red
    is '{"MemoryMax":{"type":"t","data":67108864}}' "$(container_get t-bad Limits | jq -c .)"
    is $((64 << 20)) "$(memory_max t-bad)"
}

# bats test_tags=anywhere
@test "refuses processors that are not there" {
    need_v2
    create t-nocpu
    refuses wardenctl limit t-nocpu AllowedCPUs=1000
    like 'no processor 1000' "$output"
}

# bats test_tags=anywhere
@test "refuses on v1 what systemd would take and not apply" {
    need_v1
    create t-v1
    local limit
    for limit in MemoryHigh=32M MemorySwapMax=0 AllowedCPUs=0; do
        refuses gcall "$(path_of t-v1)" Container.SetLimits "$(case $limit in
            AllowedCPUs*) echo "{'AllowedCPUs': <'0'>}" ;;
            MemoryHigh*) echo "{'MemoryHigh': <uint64 33554432>}" ;;
            *) echo "{'MemorySwapMax': <uint64 0>}" ;;
        esac)"
        like "NotSupported" "$output"
        like "${limit%%=*}" "$output"
        refuses create t-v1-new -p "$limit"
        like 'cgroup v2' "$output"
    done
}

# bats test_tags=anywhere
@test "keeps the old MemoryMax when more is in use than v1 can take back" {
    need_v1
    create t-full -m 64M
    # a tmpfs without swap cannot be reclaimed
    script_in t-full 'head -c 30M /dev/zero >/run/x'
    refuses wardenctl limit t-full MemoryMax=8M
    like 'bytes are in use' "$output"
    is $((64 << 20)) "$(memory_max t-full)"
    is $((64 << 20)) "$(limit_of t-full MemoryMax)"
    is $((64 << 20)) "$(systemctl show -P MemoryMax "$(unit_of t-full)")"
    script_in t-full 'rm /run/x'
    wardenctl limit t-full MemoryMax=32M
    is $((32 << 20)) "$(memory_max t-full)"
}

@test "has every controller on v2" {
    need_v2
    create t-v2 --allowed-cpus 0
    is 0 "$(cgroup_file t-v2 cpuset cpuset.cpus)"
    wardenctl limit t-v2 MemoryMax=64M MemoryHigh=48M MemorySwapMax=16M CPUWeight=300 TasksMax=40
    is "$((64 << 20)) $((48 << 20)) $((16 << 20))" \
        "$(cgroup_file t-v2 memory memory.max) $(cgroup_file t-v2 memory memory.high) $(cgroup_file t-v2 memory memory.swap.max)"
    is 300 "$(cgroup_file t-v2 cpu cpu.weight)"
    wardenctl limit t-v2 AllowedCPUs=0-1
    is 0-1 "$(cgroup_file t-v2 cpuset cpuset.cpus)"
    is '"0-1"' "$(limit_of t-v2 AllowedCPUs)"
    # What is said to be taken back is, or it is refused: systemd 252 cannot.
    if wardenctl limit t-v2 AllowedCPUs=; then is "" "$(cgroup_file t-v2 cpuset cpuset.cpus)"; else
        is '"0-1"' "$(limit_of t-v2 AllowedCPUs)"
    fi
}

# device: some block device of the host
device() { local d; for d in /dev/vda /dev/sda /dev/loop0; do [[ ! -b $d ]] || { echo "$d"; return; }; done; }
device_limit() {
    local numbers
    numbers=$(lsblk -dno MAJ:MIN "$2" 2>/dev/null) || numbers=$(printf '%d:%d' "0x$(stat -c %t "$2")" "0x$(stat -c %T "$2")")
    numbers=${numbers// /}
    if is_v2; then cgroup_file "$1" io io.max | sed -n "s/^$numbers .*rbps=\([0-9a-z]*\).*/\1/p"; else
        cgroup_file "$1" blkio blkio.throttle.read_bps_device | sed -n "s/^$numbers //p"
    fi
}

@test "limits what is read from a device, and takes it back" {
    local device
    device=$(device)
    [[ -n $device ]] || skip "there is no block device"
    create t-disk
    wardenctl limit t-disk "IOReadBandwidthMax=$device 2M"
    is 2000000 "$(device_limit t-disk "$device")"
    is "[[\"$device\",2000000]]" "$(limit_of t-disk IOReadBandwidthMax)"
    daemon_kill
    daemon_wait
    until_true limit_is t-disk IOReadBandwidthMax "[[\"$device\",2000000]]"
    wardenctl limit t-disk IOReadBandwidthMax=
    is "" "$(device_limit t-disk "$device")"
}

# bats test_tags=anywhere
@test "says what comes of a limit that is lower than what is in use" {
    create t-lower --tasks-max 40
    for _ in 1 2 3 4 5 6; do spawn t-lower sleep 1000 >/dev/null; done
    capture wardenctl limit t-lower TasksMax=20
    is "" "$output"
    capture wardenctl limit t-lower TasksMax=4
    is 0 "$status"
    like 'TasksMax: 7 are in use: there are no new ones until enough have ended' "$output"
    is 4 "$(tasks_max t-lower)"
    refuses wardenctl exec t-lower -- true
    is 7 "$(cgroup_file t-lower pids pids.current)"
}

# What systemd says of one change must not be taken for the answer to the next.
# bats test_tags=anywhere
@test "takes one change of limits right after the other" {
    create t-often -m 64M
    "$BENCH" limits t-often "$(scaled 100 20)" >/dev/null
    limit_is t-often MemoryMax $((65 << 20))
    is $((65 << 20)) "$(memory_max t-often)"
}

# bats test_tags=anywhere
@test "binds the containers of a slice together" {
    wardenctl slice limit --runtime tests-s MemoryMax=48M TasksMax=40
    create t-one --slice tests-s
    create t-two --slice warden-tests-s.slice
    is warden-tests-s.slice "$(container_get t-one Slice)"
    is warden-tests-s.slice "$(systemctl show -P Slice "$(unit_of t-two)")"
    like '^/warden.slice/warden-tests.slice/warden-tests-s.slice/' "$(container_get t-one ControlGroup)"
    like 'warden-tests-s.slice' "$(wardenctl list)"
    like 'warden-tests-s.slice' "$(COLUMNS=200 wardenctl stats -i 100ms)"
    is warden-tests-s.slice "$(wardenctl stats --json t-one | jq -r '."t-one".Slice')"
    like 'warden-tests-s.slice.*MemoryMax=48M' "$(COLUMNS=200 wardenctl slice)"
    is $((48 << 20)) "$(wardenctl slice --json | jq '.[] | select(.Name == "warden-tests-s.slice") | .Limits.MemoryMax')"
    # Neither has a limit of its own: what one takes the other lacks.
    wardenctl exec t-one -- sh -c 'for i in $(seq 60); do sleep 20 & done 2>/dev/null; true' || true
    local base=/sys/fs/cgroup
    is_v2 || base+=/pids
    (($(<"$base/warden.slice/warden-tests.slice/warden-tests-s.slice/pids.current") <= 40))
    wardenctl destroy t-one t-two
    wardenctl slice limit --runtime tests-s MemoryMax=infinity TasksMax=infinity
    rm -rf /run/systemd/system.control/warden-tests-s.slice.d
    systemctl daemon-reload
}

# bats test_tags=anywhere
@test "refuses a slice that is none" {
    local bad
    for bad in a/b a--b warden-x system.slice ''; do refuses create t-slice --slice "$bad"; done
    like Slice "$output"
}

# bats test_tags=anywhere
@test "shows limits beside what is in use" {
    create t-show -m 64M --tasks-max 50
    capture wardenctl limit t-show
    like 'MemoryMax +64M +[0-9]' "$output"
    like 'TasksMax +50 +[0-9]' "$output"
    is $((64 << 20)) "$(wardenctl limit --json t-show | jq .MemoryMax)"
    refuses wardenctl limit t-none
    like "No container 't-none'" "$output"
}
