#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Bad input at the bus: the name of the error, a text that names the field, and nothing left behind.

# bats file_tags=anywhere

load lib

setup_file() {
    file_begin
    create s-taken
}

# Every case ends with the containers that it began with, and the file with nothing left: this is part of what it tests.
setup() { manager ListContainers >"$BATS_TEST_TMPDIR/list"; }
teardown() {
    containers_destroy 't-'
    diff "$BATS_TEST_TMPDIR/list" <(manager ListContainers)
}

# denied ERROR TEXT COMMAND…
denied() {
    local error=$1 text=$2
    shift 2
    refuses "$@"
    like "$BUS\.Error\.$error: .*$text" "$output"
}

# bad ERROR TEXT KEYS: CreateContainer with a right root and these keys (GVariant text) is refused
bad() { denied "$1" "$2" gcall "$ROOT" Manager.CreateContainer "{'RootDirectory': <'$IMAGE'>, $3}"; }
# bad_root ERROR TEXT ROOT
bad_root() { denied "$1" "$2" gcall "$ROOT" Manager.CreateContainer "{'Name': <'t-bad'>, 'RootDirectory': <'$3'>}"; }
# bad_job ERROR TEXT ARGV KEYS
bad_job() { denied "$1" "$2" gcall "$ROOT/container/s_2dtaken" Container.SpawnJob "$3" "$4"; }

repeated() { printf "%$1s" '' | tr ' ' "$2"; }

@test "refuses keys that it does not know, and suggests the one that was meant" {
    bad InvalidSpec Nmae "'Nmae': <'t-bad'>"
    like 'did you mean Name' "$output"
    bad InvalidSpec Colour "'Colour': <'blue'>"
    bad InvalidSpec 'Name.*twice' "'Name': <'t-bad'>, 'Name': <'t-bad2'>"
}

@test "says of keys to come that this version does not support them" {
    bad NotSupported Command "'Command': <['/bin/true']>"
}

@test "refuses values of the wrong type, and says which was expected" {
    bad InvalidSpec 'MemoryMax.*type t' "'MemoryMax': <'1G'>"
    bad InvalidSpec 'Name.*type s' "'Name': <uint32 7>"
    bad InvalidSpec 'ReadOnly.*type b' "'ReadOnly': <'yes'>"
    bad InvalidSpec 'Labels.*type a[{]ss[}]' "'Labels': <['a=b']>"
    bad InvalidSpec 'BindMounts' "'BindMounts': <[('/etc', '/mnt')]>"
    bad InvalidSpec 'Environment' "'Environment': <{'a': 'b'}>"
}

@test "refuses roots that are missing, relative, no directory or not there" {
    denied InvalidSpec RootDirectory gcall "$ROOT" Manager.CreateContainer "{'Name': <'t-bad'>}"
    bad_root InvalidSpec RootDirectory ''
    bad_root InvalidSpec RootDirectory var/lib/warden-images/debian
    bad_root InvalidSpec RootDirectory /var/lib/warden-images/../warden-images/debian
    bad_root '(NotFound|InvalidSpec)' '/no/such/root' /no/such/root
    bad_root '(InvalidSpec|NotFound|OperationFailed)' '/etc/hostname|/etc/os-release|/etc/passwd' /etc/passwd
    bad_root '(InvalidSpec|NotFound|OperationFailed)' '/dev/null' /dev/null
}

@test "refuses bad names" {
    for name in ../x . .. .hidden -dash a/b 'a b' "a$(printf '\t')" 'é' "$(repeated 64 n)"; do
        bad InvalidSpec Name "'Name': <'$name'>"
    done
    bad InvalidSpec Name "'Name': <''>"
}

@test "takes a name of 63 characters and every character that a name may have" {
    gcall "$ROOT" Manager.CreateContainer "{'Name': <'t-$(repeated 61 n)'>, 'RootDirectory': <'$IMAGE'>}"
    gcall "$ROOT" Manager.CreateContainer "{'Name': <'t-Az_0.9'>, 'RootDirectory': <'$IMAGE'>}"
}

@test "refuses a name that is taken" {
    bad NameExists s-taken "'Name': <'s-taken'>"
}

@test "refuses limits that are nothing or beyond all bounds" {
    bad InvalidSpec MemoryMax "'MemoryMax': <uint64 0>"
    bad InvalidSpec MemoryHigh "'MemoryHigh': <uint64 1>"
    bad InvalidSpec MemoryMax "'MemoryMax': <uint64 18446744073709551614>"
    bad InvalidSpec CPUWeight "'CPUWeight': <uint64 0>"
    bad InvalidSpec CPUWeight "'CPUWeight': <uint64 10001>"
    bad InvalidSpec IOWeight "'IOWeight': <uint64 20000>"
    bad InvalidSpec TasksMax "'TasksMax': <uint64 0>"
    bad InvalidSpec TasksMax "'TasksMax': <uint64 1>"
    bad InvalidSpec CPUQuotaPerSecUSec "'CPUQuotaPerSecUSec': <uint64 1>"
}

@test "refuses bad mounts" {
    bad InvalidSpec BindMounts "'BindMounts': <[('relative', '/mnt', '')]>"
    bad InvalidSpec BindMounts "'BindMounts': <[('/etc', 'mnt', '')]>"
    bad InvalidSpec BindMounts "'BindMounts': <[('/etc', '/', '')]>"
    bad InvalidSpec BindMounts "'BindMounts': <[('/etc', '/mnt/../../x', '')]>"
    bad InvalidSpec 'BindMounts.*sticky' "'BindMounts': <[('/etc', '/mnt', 'ro,sticky')]>"
    bad InvalidSpec '/mnt.*twice' "'BindMounts': <[('/etc', '/mnt', ''), ('/usr', '/mnt', '')]>"
    bad InvalidSpec 'TemporaryFileSystem.*size' "'TemporaryFileSystem': <['/mnt:size=large']>"
    bad InvalidSpec TemporaryFileSystem "'TemporaryFileSystem': <['mnt']>"
    bad NotFound '/no/such/source' "'BindMounts': <[('/no/such/source', '/mnt', '')]>"
}

@test "refuses more mounts, labels and variables than there is room for" {
    local binds labels
    binds=$(for i in $(seq 257); do printf "('/etc', '/mnt/%d', ''), " "$i"; done)
    bad InvalidSpec 'BindMounts.*256' "'BindMounts': <[${binds%, }]>"
    labels=$(for i in $(seq 257); do printf "'label%d': '', " "$i"; done)
    bad InvalidSpec 'Labels.*256' "'Labels': <{${labels%, }}>"
    bad InvalidSpec Labels "'Labels': <{'a=b': 'c'}>"
    bad InvalidSpec Labels "'Labels': <{'': 'c'}>"
    bad InvalidSpec Environment "'Environment': <['NO_VALUE']>"
    bad InvalidSpec Environment "'Environment': <['=nothing']>"
}

@test "refuses bad host names, users and networks" {
    bad InvalidSpec Hostname "'Hostname': <'under_score.-'>"
    bad InvalidSpec Hostname "'Hostname': <'$(repeated 65 h)'>"
    bad InvalidSpec Hostname "'Hostname': <''>"
    for users in '' yes 0:65536 1: :1 1:0 4294967295:1 4294901760:65536 -1:65536 1:2:3 '100000:65536 '; do
        bad InvalidSpec PrivateUsers "'PrivateUsers': <'$users'>"
    done
    bad InvalidSpec Network "'Network': <'bridge'>"
}

@test "refuses jobs that are none" {
    bad_job InvalidSpec Argv "@as []" "@a{sv} {}"
    bad_job InvalidSpec Argv "['']" "@a{sv} {}"
    bad_job InvalidSpec Argvv "['/bin/true']" "{'Argvv': <1>}"
    bad_job InvalidSpec WorkingDirectory "['/bin/true']" "{'WorkingDirectory': <'relative'>}"
    bad_job InvalidSpec 'Rlimits.*SPEED' "['/bin/true']" "{'Rlimits': <{'SPEED': (uint64 1, uint64 1)}>}"
    bad_job InvalidSpec Rlimits "['/bin/true']" "{'Rlimits': <{'NOFILE': (uint64 2, uint64 1)}>}"
    bad_job InvalidSpec UMask "['/bin/true']" "{'UMask': <uint32 4096>}"
    bad_job InvalidSpec Nice "['/bin/true']" "{'Nice': <20>}"
    bad_job InvalidSpec TTYSize "['/bin/true']" "{'TTYSize': <(uint16 24, uint16 80)>}"
    bad_job InvalidSpec TTYSize "['/bin/true']" "{'TTY': <true>, 'TTYSize': <(uint16 0, uint16 80)>}"
    bad_job InvalidSpec User "['/bin/true']" "{'User': <''>}"
    bad_job InvalidSpec Environment "['/bin/true']" "{'Environment': <['A']>}"
    bad_job InvalidSpec Log "['/bin/true']" "{'Log': <'file'>}"
}

@test "refuses calls about containers and jobs that are not there" {
    denied NoSuchContainer t-nobody gcall "$ROOT" Manager.GetContainer t-nobody
    denied NoSuchContainer t-nobody gcall "$ROOT" Manager.DestroyContainer t-nobody
    denied NoSuchContainer t-nobody gcall "$ROOT" Manager.StopContainer t-nobody '@a{sv} {}'
    denied NoSuchContainer '' gcall "$ROOT" Manager.GetContainerByPID 1
    denied NoSuchContainer '' gcall "$ROOT" Manager.GetContainerByPID 4294967295
    refuses gcall "$ROOT/container/t_2dnobody" Container.Stop '@a{sv} {}'
    refuses gcall "$ROOT/container/s_2dtaken/job/99" Job.Release
    refuses gcall "$ROOT/container/s_2dtaken/job/x" Job.Release
}

@test "refuses signals that are none, and options that it does not know" {
    denied InvalidSpec Signal gcall "$ROOT/container/s_2dtaken" Container.Kill 0
    denied InvalidSpec Signal gcall "$ROOT/container/s_2dtaken" Container.Kill 65
    denied InvalidSpec Signal gcall "$ROOT/container/s_2dtaken" Container.Kill -9
    denied InvalidSpec Gently gcall "$ROOT/container/s_2dtaken" Container.Stop "{'Gently': <true>}"
}

@test "says what a container's state does not allow" {
    denied BadState 'active' gcall "$ROOT/container/s_2dtaken" Container.Start
    create t-still
    wardenctl stop t-still
    denied BadState 'stopped' gcall "$ROOT/container/t_2dstill" Container.SpawnJob "['/bin/true']" '@a{sv} {}'
    wardenctl destroy t-still
}

@test "finds a container by any of its processes" {
    local job pid
    job=$(spawn s-taken /bin/sleep 1000)
    pid=$(job_get s-taken "$job" PID)
    like "s_2dtaken" "$(gcall "$ROOT" Manager.GetContainerByPID "$pid")"
    like "s_2dtaken" "$(gcall "$ROOT" Manager.GetContainerByPID "$(leader s-taken)")"
    job_call s-taken "$job" Kill i 9
    until_true job_is s-taken "$job" killed
    job_call s-taken "$job" Release
}
