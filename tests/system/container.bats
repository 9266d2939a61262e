#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2016,SC2009 # scripts for a shell in the container; pgrep does not know control groups
#
# A container from create to destroy: its scope and limits, what it is told, what it sees of networks.

load lib

# tree: what the image is made of, with everything that a change of it would touch
tree() { (cd "$IMAGE" && find . -xdev -mindepth 1 -printf '%p %y %m %U %G %s %T@ %C@ %n %l\n' | sort); }

setup_file() {
    file_begin
    tree >"$BATS_FILE_TMPDIR/image"
    create s-main --env GREETING='hello world' --env $'LINES=a\nb' --label app=web --label 'team=two words' \
        --hostname box.example
}

# bats test_tags=anywhere
@test "leaves the image as it was, whatever containers do" {
    create t-writer
    script_in t-writer 'rm -rf /usr/share/doc /etc/hostname; echo new >/etc/new; chown 1:1 /etc/passwd; chmod 600 /etc/group; mkdir /srv/x; touch /usr/bin/env'
    create t-shifted --private-users 500000:65536
    script_in t-shifted 'rm -f /etc/os-release; touch /etc/fstab'
    wardenctl destroy t-writer t-shifted
    tree | diff "$BATS_FILE_TMPDIR/image" -
}

# bats test_tags=anywhere
@test "shows files of the image as owned by the container's users" {
    is "0 0" "$(inside s-main stat -c '%u %g' /etc/passwd)"
    is "0:42" "$(inside s-main stat -c '%u:%g' /etc/shadow)"
    is "" "$(inside s-main find / -xdev '(' -nouser -o -nogroup ')')"
}

# bats test_tags=anywhere
@test "lists a container with its state and the pid of its first process" {
    like "\"s-main\" \"active\" $(leader s-main) " "$(manager ListContainers)"
    is wshd "$(cat "/proc/$(leader s-main)/comm")"
    like "^NSpid:.*[[:space:]]1$" "$(grep NSpid: "/proc/$(leader s-main)/status")"
}

@test "puts it into a delegated scope of warden.slice, where systemctl shows it" {
    local unit
    unit=$(unit_of s-main)
    is "warden-$(container_get s-main Id).scope" "$unit"
    is active "$(systemctl is-active "$unit")"
    is yes "$(systemctl show -P Delegate "$unit")"
    is warden.slice "$(systemctl show -P Slice "$unit")"
    is "$(container_get s-main ControlGroup)" "$(systemctl show -P ControlGroup "$unit")"
    like s-main "$(systemctl show -P Description "$unit")"
    capture systemctl --no-pager status "$unit"
    is 0 "$status"
    like 'wshd' "$output"
    like "$unit" "$(systemd-cgls --no-pager -u warden.slice)"
}

@test "gives limits to systemd as properties, and the kernel has them" {
    create t-limits -m 256M -p TasksMax=50 --cpus 0.5 --cpu-weight 300
    local unit
    unit=$(unit_of t-limits)
    is "$((256 << 20))" "$(systemctl show -P MemoryMax "$unit")"
    is 50 "$(systemctl show -P TasksMax "$unit")"
    is 500ms "$(systemctl show -P CPUQuotaPerSecUSec "$unit")"
    is 300 "$(systemctl show -P CPUWeight "$unit")"
    is "$((256 << 20))" "$(container_get t-limits Limits | jq .MemoryMax.data)"
    is 50 "$(cgroup_file t-limits pids pids.max)"
    if [[ $(cgroup_mode) == unified ]]; then
        is "$((256 << 20))" "$(cgroup_file t-limits memory memory.max)"
        is "50000 100000" "$(cgroup_file t-limits cpu cpu.max)"
        is 300 "$(cgroup_file t-limits cpu cpu.weight)"
    else
        is "$((256 << 20))" "$(cgroup_file t-limits memory memory.limit_in_bytes)"
        is 50000 "$(cgroup_file t-limits cpu cpu.cfs_quota_us)"
        is $((300 * 1024 / 100)) "$(cgroup_file t-limits cpu cpu.shares)"
    fi
}

@test "holds a container to its limit of tasks, and jobs fail clearly" {
    create t-few --tasks-max 8
    capture script_in t-few 'i=0; while [ $i -lt 20 ]; do sleep 5 & i=$((i+1)); done'
    ((status != 0))
    like '[Cc]annot fork|Resource temporarily unavailable' "$output"
    inside t-few /bin/true
}

@test "ends the job that wants more memory than there may be, and not the container" {
    create t-lean -m 64M --oom-policy continue -p MemorySwapMax=0 2>/dev/null ||
        create t-lean -m 64M --oom-policy continue
    capture inside t-lean python3 -c 'x = bytearray(200 << 20); print(len(x))'
    is 137 "$status"
    state_is t-lean active
    is fine "$(inside t-lean echo fine)"
}

# bats test_tags=anywhere
@test "writes nothing when it is read-only, and has room in /tmp of its own" {
    create t-fixed --read-only --tmpfs /tmp:size=8M,mode=1777
    refuses script_in t-fixed 'echo x >/etc/x'
    like 'Read-only file system' "$output"
    refuses script_in t-fixed 'rm /etc/passwd'
    is x "$(script_in t-fixed 'echo x >/tmp/x; cat /tmp/x')"
    is true "$(container_get t-fixed ReadOnly)"
    is false "$(container_get s-main ReadOnly)"
    # Nothing was asked for that could be written, so there is no layer for it.
    is "" "$(find /var/lib/warden/containers -name "$(container_get t-fixed Id)" -path '*/upper')"
}

# bats test_tags=anywhere
@test "gives its environment to jobs, and to nobody else" {
    is 'hello world' "$(inside s-main printenv GREETING)"
    is $'a\nb' "$(inside s-main printenv LINES)"
    is container=warden "$(inside s-main env | grep '^container=')"
    is "" "$(container_call s-main 2>/dev/null Get | grep hello || true)"
    is 0 "$(busctl introspect "$BUS" "$(path_of s-main)" | grep -c 'hello world' || true)"
}

# bats test_tags=anywhere
@test "passes nothing of the daemon's environment on" {
    is "" "$(inside s-main env | grep -E 'NOTIFY_SOCKET|INVOCATION_ID|JOURNAL_STREAM|LISTEN_|WATCHDOG|WSHD' || true)"
    is "" "$(tr '\0' '\n' <"/proc/$(leader s-main)/environ" | grep -E 'NOTIFY_SOCKET|INVOCATION_ID|JOURNAL_STREAM|LISTEN_|WATCHDOG' || true)"
}

# bats test_tags=anywhere
@test "has a host name of its own: the given one, else its name" {
    is box.example "$(inside s-main hostname)"
    is box.example "$(container_get s-main Hostname)"
    create t-named
    is t-named "$(inside t-named hostname)"
    unlike 'box.example|t-named' "$(hostname)"
}

# bats test_tags=anywhere
@test "keeps labels for whoever made them" {
    is '{"app":"web","team":"two words"}' "$(container_get s-main Labels | jq -cS .)"
}

# bats test_tags=anywhere
@test "has a network of its own with nothing but lo, which is up" {
    create t-none --network none
    is lo "$(inside t-none ls /sys/class/net)"
    like 'LOOPBACK,UP' "$(inside t-none ip -o link show lo)"
    inside t-none ping -c 1 -W 2 127.0.0.1
    refuses inside t-none ping -c 1 -W 2 192.0.2.1
    is none "$(container_get t-none Network)"
}

# bats test_tags=anywhere
@test "sees the host's network when asked to, and cannot change it" {
    create t-hostnet --network host
    is "$(readlink /proc/self/ns/net)" "$(inside t-hostnet readlink /proc/self/ns/net)"
    refuses inside t-hostnet ip link set lo down
    refuses script_in t-hostnet 'echo 1 >/proc/sys/net/ipv4/ip_forward'
}

# bats test_tags=anywhere
@test "serves a web page from nginx to its own network" {
    create t-web
    script_in t-web 'echo "<p>hello from nginx</p>" >/var/www/html/index.html'
    wardenctl exec -d t-web -- nginx -g 'daemon off;'
    page() { [[ $(printf 'GET / HTTP/1.0\r\n\r\n' | inside t-web nc -N 127.0.0.1 80) == *'200 OK'*'hello from nginx'* ]]; }
    until_true page
}

# bats test_tags=anywhere
@test "keeps what was written over a stop and a start, and begins with new processes" {
    create t-again
    script_in t-again 'echo kept >/etc/kept; rm /etc/fstab; echo lost >/run/lost'
    local old
    old=$(leader t-again)
    wardenctl stop t-again
    state_is t-again stopped
    is 0 "$(leader t-again)"
    [[ ! -e /proc/$old ]]
    is inactive "$(systemctl is-active "$(unit_of t-again)")"
    wardenctl start t-again
    state_is t-again active
    is kept "$(inside t-again cat /etc/kept)"
    refuses inside t-again test -e /etc/fstab
    refuses inside t-again test -e /run/lost
    is active "$(systemctl is-active "$(unit_of t-again)")"
}

# bats test_tags=anywhere
@test "gives a name free with its container, and an id only once" {
    create t-name
    local id
    id=$(container_get t-name Id)
    script_in t-name 'echo old >/etc/old'
    wardenctl destroy t-name
    gone t-name
    create t-name
    refuses inside t-name test -e /etc/old
    [[ $(container_get t-name Id) != "$id" ]]
}

# bats test_tags=anywhere
@test "calls a container without a name by its id" {
    local name
    name=$(wardenctl create --label t=1 "$IMAGE")
    is "$name" "$(container_get "$name" Id)"
    wardenctl destroy "$name"
}

@test "destroys it with everything that runs in it" {
    create t-busy
    script_in t-busy 'for i in 1 2 3; do setsid sleep 1000 & done' </dev/null >/dev/null 2>&1
    local unit
    unit=$(unit_of t-busy)
    wardenctl destroy t-busy
    gone t-busy
    is "" "$(ps -eo cgroup= | grep -F "$unit" || true)"
    is inactive "$(systemctl is-active "$unit")"
}
