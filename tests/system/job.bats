#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2016 # scripts for a shell in the container
#
# Jobs: how they are started, as whom and with what, and how their end is told.

# bats file_tags=anywhere

load lib

setup_file() {
    file_begin
    create s-jobs --env FROM=container
    script_in s-jobs '
        echo "alice:x:1500:1600:Alice:/home/alice:/bin/sh" >>/etc/passwd
        echo "staff2:x:1600:" >>/etc/group
        echo "extra:x:1700:bob,alice" >>/etc/group
        echo "more:x:1800:alice" >>/etc/group
        mkdir -p /home/alice && chown 1500:1600 /home/alice
        echo "no program" >/usr/local/bin/text; chmod 755 /usr/local/bin/text
        echo "#!/no/such/interpreter" >/usr/local/bin/orphan; chmod 755 /usr/local/bin/orphan'
}

teardown() {
    case_end
    job_end_all s-jobs
}

@test "ends with the exit code of the job" {
    for code in 0 1 2 42 124 125 126 127 200 255; do ends_with "$code" script_in s-jobs "exit $code"; done
}

@test "ends with 128 and the number of the signal that ended the job" {
    for signal in 1 2 3 6 9 11 15; do ends_with $((128 + signal)) script_in s-jobs "kill -$signal \$\$"; done
}

@test "ends with 127 for a program that is not there and 126 for one that cannot run" {
    ends_with 127 inside s-jobs /no/such/program
    like /no/such/program "$output"
    ends_with 127 inside s-jobs no-such-program
    ends_with 126 inside s-jobs /etc/passwd
    ends_with 126 inside s-jobs /etc
    ends_with 126 inside s-jobs /usr/local/bin/text
    ends_with 127 inside s-jobs /usr/local/bin/orphan
}

@test "looks for the program in the container's PATH" {
    is /usr/bin/env "$(inside s-jobs which env)"
    script_in s-jobs 'mkdir -p /opt/bin; printf "#!/bin/sh\necho mine\n" >/opt/bin/tool; chmod 755 /opt/bin/tool'
    is mine "$(wardenctl exec --env PATH=/opt/bin:/usr/bin:/bin s-jobs -- tool)"
    ends_with 127 inside s-jobs tool
}

@test "runs as a user of the container's /etc/passwd, with all its groups" {
    is 'uid=1500(alice) gid=1600(staff2) groups=1600(staff2),1700(extra),1800(more)' "$(wardenctl exec -u alice s-jobs -- id)"
    is '/home/alice /home/alice alice alice /bin/sh' "$(wardenctl exec -u alice s-jobs -- sh -c 'echo $PWD $HOME $USER $LOGNAME $SHELL')"
    is '1500 33' "$(wardenctl exec -u alice:www-data s-jobs -- sh -c 'echo $(id -u) $(id -g)')"
    is '4321 8765 8765' "$(wardenctl exec -u 4321:8765 s-jobs -- sh -c 'echo $(id -u) $(id -g) $(id -G)')"
    is '0 0' "$(inside s-jobs sh -c 'echo $(id -u) $(id -G)')"
}

@test "refuses users that are not there or cannot be" {
    ends_with 125 wardenctl exec -u nosuchuser s-jobs -- true
    like nosuchuser "$output"
    ends_with 125 wardenctl exec -u alice:nosuchgroup s-jobs -- true
    like nosuchgroup "$output"
    for user in 4294967295 0:4294967295 4294967296 -1 70000; do
        refuses wardenctl exec -u "$user" s-jobs -- true
    done
    refuses gcall "$ROOT/container/s_2djobs" Container.SpawnJob "['/bin/true']" "{'User': <'nosuchuser'>}"
    like "$BUS.Error.NoSuchUser" "$output"
}

@test "starts where it is told, else at home, and says when that is not there" {
    is /usr/share "$(wardenctl exec -w /usr/share s-jobs -- pwd)"
    is /root "$(inside s-jobs pwd)"
    ends_with 126 wardenctl exec -w /no/such/place s-jobs -- true
    like 'WorkingDirectory.*No such file' "$output"
    ends_with 126 wardenctl exec -w /etc/passwd s-jobs -- true
    refuses wardenctl exec -u alice -w /root s-jobs -- true
}

@test "passes variables as they are, the job's over the container's" {
    is container "$(inside s-jobs printenv FROM)"
    is job "$(wardenctl exec -e FROM=job s-jobs -- printenv FROM)"
    is $'two\nlines=and an equals sign\t' "$(wardenctl exec -e ODD=$'two\nlines=and an equals sign\t' s-jobs -- python3 -c 'import os, sys; sys.stdout.write(os.environ["ODD"])')"
    is '' "$(wardenctl exec -e EMPTY= s-jobs -- printenv EMPTY)"
    is 1 "$(wardenctl exec -e TWICE=a -e TWICE=b s-jobs -- env | grep -c '^TWICE=b$')"
    EXPORTED=mine is mine "$(EXPORTED=mine wardenctl exec -e EXPORTED s-jobs -- printenv EXPORTED)"
}

@test "passes arguments as they are, up to a size, and refuses more clearly" {
    is '[][a b][$HOME][*][ü]['$'\n'']' "$(inside s-jobs python3 -c 'import sys; sys.stdout.write("".join(f"[{a}]" for a in sys.argv[1:]))' '' 'a b' '$HOME' '*' 'ü' $'\n')"
    is 100000 "$(inside s-jobs sh -c 'printf %s "$1" | wc -c' sh "$(head -c 100000 /dev/zero | tr '\0' x)")"
    # One string of 1 MiB would be refused by execve() of anything but the bus.
    head -c 1048576 /dev/zero | tr '\0' y >"$BATS_TEST_TMPDIR/long"
    capture timeout 60 python3 - "$BATS_TEST_TMPDIR/long" <<'PYTHON'
import json, socket, struct, sys
# A client of its own: no command line takes as much. The body of a method call, by hand.
def string(s): return struct.pack("<I", len(s)) + s + b"\0"
def pad(b, n): return b + b"\0" * (-len(b) % n)
def field(code, sig, value): return bytes([code, 1]) + sig + b"\0" + value
class Bus:
    def __init__(self):
        self.s = socket.socket(socket.AF_UNIX); self.s.connect("/run/dbus/system_bus_socket"); self.n = 0
        self.s.sendall(b"\0AUTH EXTERNAL 30\r\n"); self.s.recv(1000); self.s.sendall(b"BEGIN\r\n"); self.rest = b""
    def call(self, destination, path, interface, member, signature=b"", body=b""):
        self.n += 1
        fields = b""
        for code, sig, value in ((1, b"o", path), (2, b"s", interface), (3, b"s", member), (6, b"s", destination)):
            fields = pad(fields, 8) + field(code, sig, string(value))
        if signature:
            fields = pad(fields, 8) + bytes([8, 1]) + b"g\0" + bytes([len(signature)]) + signature + b"\0"
        head = b"l\1\0\1" + struct.pack("<III", len(body), self.n, len(fields)) + fields
        self.s.sendall(pad(head, 8) + body)
        while True:
            data = self.read(16)
            size, serial, n = struct.unpack("<III", data[4:])
            rest = self.read(n + (-n % 8) + size)
            # field 5: which call this answers
            if data[1] in (2, 3) and b"\5\1u\0" + struct.pack("<I", self.n) in rest[:n]:
                return data[1], rest[:n], rest[n + (-n % 8):]
    def read(self, n):
        while len(self.rest) < n:
            got = self.s.recv(1 << 20)
            if not got: sys.exit("the bus hung up")
            self.rest += got
        data, self.rest = self.rest[:n], self.rest[n:]
        return data
bus = Bus()
bus.call(b"org.freedesktop.DBus", b"/org/freedesktop/DBus", b"org.freedesktop.DBus", b"Hello")
argv = pad(string(b"/bin/echo"), 4) + string(open(sys.argv[1], "rb").read())
body = struct.pack("<I", len(argv)) + argv
body = pad(body, 4) + struct.pack("<I", 0)
body = pad(body, 8)
kind, fields, answer = bus.call(b"org.warden.Warden1", b"/org/warden/Warden1/container/s_2djobs",
                                b"org.warden.Warden1.Container", b"SpawnJob", b"asa{sv}", body)
print("error" if kind == 3 else "reply", fields, answer)
sys.exit(0 if kind == 3 else 1)
PYTHON
    is 0 "$status" "$output"
    like 'Argv|Argument list too long' "$output"
    is fine "$(inside s-jobs echo fine)"
}

@test "sets limits, file mode mask and niceness of a job" {
    is '100 200' "$(wardenctl exec --ulimit nofile=100:200 s-jobs -- bash -c 'echo $(ulimit -Sn) $(ulimit -Hn)')"
    is 0 "$(wardenctl exec --ulimit core=0 s-jobs -- bash -c 'ulimit -c')"
    local job
    job=$(gcall "$ROOT/container/s_2djobs" Container.SpawnJob "['/bin/sh', '-c', 'umask >/tmp/mask; nice >>/tmp/mask']" "{'UMask': <uint32 0027>, 'Nice': <7>}")
    like 'job/[0-9]+' "$job"
    until_true job_is s-jobs "$(grep -oE '[0-9]+' <<<"${job##*/}")" exited
    is $'0027\n7' "$(inside s-jobs cat /tmp/mask)"
    is 0022 "$(script_in s-jobs umask)"
}

# limits_of JOB: what /proc/self/limits had of it, "NAME SOFT HARD" each
limits_of() {
    wardenctl logs s-jobs "$1" | sed -E '1d; s/^Max ([a-z ]*[a-z]) +([0-9]+|unlimited) +([0-9]+|unlimited).*/\1: \2 \3/'
}

@test "sets all sixteen limits" {
    local job limits='' expected='' name soft hard shown
    while read -r name soft hard shown; do
        limits+="${limits:+, }'$name': (uint64 $soft, uint64 $hard)"
        expected+="$shown: $soft $hard"$'\n'
    done <<'END'
CPU 1001 2001 cpu time
FSIZE 1000002 2000002 file size
DATA 1000000003 2000000003 data size
STACK 8000004 9000004 stack size
CORE 5 6 core file size
RSS 1000006 2000006 resident set
NPROC 107 207 processes
NOFILE 108 208 open files
MEMLOCK 10009 20009 locked memory
AS 1000000010 2000000010 address space
LOCKS 11 21 file locks
SIGPENDING 112 212 pending signals
MSGQUEUE 10013 20013 msgqueue size
NICE 0 0 nice priority
RTPRIO 0 0 realtime priority
RTTIME 100016 200016 realtime timeout
END
    job=$(gcall "$(path_of s-jobs)" Container.SpawnJob "['/bin/cat', '/proc/self/limits']" "{'Rlimits': <{$limits}>}")
    job=$(grep -oE '[0-9]+' <<<"${job##*/}")
    until_true job_is s-jobs "$job" exited
    is "${expected%$'\n'}" "$(limits_of "$job")"
}

@test "refuses limits that contradict themselves or are above what the host allows" {
    refuses wardenctl exec --ulimit nofile=200:100 s-jobs -- true
    like 'NOFILE' "$output"
    refuses wardenctl exec --ulimit nosuch=1 s-jobs -- true
    like 'nosuch' "$output"
    # The daemon's own is lower.
    refuses gcall "$(path_of s-jobs)" Container.SpawnJob "['/bin/true']" "{'Rlimits': <{'RTPRIO': (uint64 99, uint64 99)}>}"
    like "$BUS.Error.InvalidSpec.*Rlimits" "$output"
}

@test "lets set-id programs take effect only in a privileged job" {
    script_in s-jobs 'cp /usr/bin/id /usr/local/bin/root-id && chmod 4755 /usr/local/bin/root-id'
    is 1500 "$(wardenctl exec -u alice s-jobs -- root-id -u)"
    is 0 "$(wardenctl exec -u alice --privileged s-jobs -- root-id -u)"
    # It has no capability that the container has not.
    is "$(inside s-jobs grep CapBnd /proc/self/status)" "$(wardenctl exec --privileged s-jobs -- grep CapBnd /proc/self/status)"
    is $'NoNewPrivs:\t1' "$(inside s-jobs grep NoNewPrivs /proc/self/status)"
    is $'NoNewPrivs:\t0' "$(wardenctl exec --privileged s-jobs -- grep NoNewPrivs /proc/self/status)"
}

@test "starts jobs with no signal blocked or ignored, in a session of their own" {
    is $'SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000' "$(inside s-jobs grep -E 'SigBlk|SigIgn' /proc/self/status)"
    script_in s-jobs 'test "$(ps -o sid= -p $$ | tr -d " ")" = $$'
}

@test "shows a job on the bus while it runs and after it has ended" {
    local job
    job=$(spawn s-jobs /bin/sh -c 'while [ ! -e /tmp/go ]; do sleep 0.1; done; exit 3')
    is running "$(job_get s-jobs "$job" State)"
    is sh "$(cat "/proc/$(job_get s-jobs "$job" PID)/comm")"
    is '["/bin/sh","-c","while [ ! -e /tmp/go ]; do sleep 0.1; done; exit 3"]' "$(job_get s-jobs "$job" Argv | jq -c .)"
    is root "$(job_get s-jobs "$job" User)"
    is -1 "$(job_get s-jobs "$job" ExitCode)"
    is 0 "$(job_get s-jobs "$job" ExitTimestamp)"
    inside s-jobs touch /tmp/go
    until_true job_is s-jobs "$job" exited
    is "3 0 0" "$(job_get s-jobs "$job" ExitCode) $(job_get s-jobs "$job" ExitSignal) $(job_get s-jobs "$job" PID)"
    (($(job_get s-jobs "$job" ExitTimestamp) > $(job_get s-jobs "$job" StartTimestamp)))
}

@test "ends a job by a signal and tells which" {
    local job
    job=$(spawn s-jobs /bin/sleep 1000)
    in_background "$BATS_TEST_TMPDIR/signals" gdbus monitor --system --dest "$BUS"
    until_true grep -q 'is owned by' "$BATS_TEST_TMPDIR/signals"
    job_call s-jobs "$job" Kill i 15
    until_true job_is s-jobs "$job" killed
    is "-1 15" "$(job_get s-jobs "$job" ExitCode) $(job_get s-jobs "$job" ExitSignal)"
    until_true grep -qF "/job/$job: $BUS.Job.Exited (-1, 15)" "$BATS_TEST_TMPDIR/signals"
    refuses job_call s-jobs "$job" Kill i 15
}

@test "waits for a job and ends as it ended" {
    local job
    job=$(wardenctl exec -d s-jobs -- sh -c 'sleep 0.3; exit 9')
    like '^[0-9]+$' "$job"
    ends_with 9 wardenctl wait s-jobs "$job"
    job=$(wardenctl exec -d s-jobs -- sh -c 'kill -9 $$')
    ends_with 137 wardenctl wait s-jobs "$job"
}

@test "keeps an ended job until it is released, and lets no running one be released" {
    local job
    job=$(spawn s-jobs /bin/sleep 1000)
    refuses gcall "$ROOT/container/s_2djobs/job/$job" Job.Release
    like "$BUS.Error.BadState" "$output"
    job_call s-jobs "$job" Kill i 9
    until_true job_is s-jobs "$job" killed
    job_call s-jobs "$job" Release
    refuses job_get s-jobs "$job" State
    refuses test -e "/run/warden/containers/$(container_get s-jobs Id)/jobs/$job"
    # Its number is never another's.
    (($(spawn s-jobs /bin/true) > job))
}

@test "sends a signal to every process of the container but PID 1" {
    create t-kill
    local a b
    a=$(spawn t-kill /bin/sleep 1000)
    b=$(spawn t-kill /bin/sh -c 'trap "exit 5" TERM; while :; do sleep 0.1; done')
    sleep 0.3
    container_call t-kill Kill i 15
    until_true job_is t-kill "$a" killed
    until_true job_is t-kill "$b" exited
    is 5 "$(job_get t-kill "$b" ExitCode)"
    state_is t-kill active
}

@test "reaps orphans, also those of double forks, and of a job that has ended" {
    script_in s-jobs '(setsid sh -c "(sleep 0.2; exit 1) & exit 0" &) ; exit 0'
    script_in s-jobs 'sh -c "sh -c \"sleep 0.1\" & sh -c \"exit 3\" & exit 0"'
    no_children() { [[ -z $(ps --ppid "$(leader s-jobs)" -o pid=) ]]; }
    until_true no_children
}

@test "outlives a storm of zombies" {
    local count
    count=$(scaled 2000 200)
    inside s-jobs python3 -c '
import os, sys
for i in range(int(sys.argv[1])):
    if os.fork() == 0:
        if os.fork() == 0:
            os._exit(7)
        os._exit(0)
    if i % 100 == 99:
        while True:
            try:
                os.wait()
            except ChildProcessError:
                break
' "$count"
    zombies_gone() { [[ -z $(ps --ppid "$(leader s-jobs)" -o stat=) ]]; }
    until_true zombies_gone
    is fine "$(inside s-jobs echo fine)"
}

@test "runs many jobs, one after the other, and keeps nothing of them" {
    local n daemon init id before
    n=$(scaled 1000 50)
    daemon=$(daemon_pid)
    init=$(leader s-jobs)
    id=$(container_get s-jobs Id)
    counts() {
        echo "daemon $(find "/proc/$daemon/fd" | wc -l) init $(find "/proc/$init/fd" | wc -l) files $(find "/run/warden/containers/$id" | wc -l) jobs $(container_get s-jobs Jobs | jq '. | length')"
    }
    "$BENCH" jobs s-jobs 5 /bin/true
    before=$(counts)
    "$BENCH" jobs s-jobs "$n" /bin/true
    as_before() { [[ $(counts) == "$before" ]]; }
    until_true as_before
}
