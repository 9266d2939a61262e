#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2016,SC2094 # scripts for a shell in the container
#
# What goes into a job and comes out of it: pipes, files and terminals.

# bats file_tags=anywhere

load lib

setup_file() {
    file_begin
    create s-io
}

# on_terminal ROWS COLUMNS INPUT COMMAND…: runs it on a terminal of this size and prints what it shows. The size is
# changed by a line "RESIZE ROWS COLUMNS" of INPUT; others are typed, each after the program has shown something.
on_terminal() {
    timeout "$(scaled 30 240)" python3 - "$@" <<'PYTHON'
import fcntl, os, pty, select, struct, sys, termios, time
rows, columns, text, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:]
master, slave = pty.openpty()
def resize(rows, columns): fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
resize(rows, columns)
pid = os.fork()
if pid == 0:
    os.login_tty(slave) if hasattr(os, "login_tty") else None
    if not hasattr(os, "login_tty"):
        os.setsid(); fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        for fd in range(3): os.dup2(slave, fd)
    os.execvp(command[0], command)
os.close(slave)
lines, out = text.split("\n") if text else [], b""
while True:
    ready = select.select([master], [], [], 1.0)[0]
    if ready:
        try:
            data = os.read(master, 65536)
        except OSError:
            break
        if not data:
            break
        out += data
        continue
    if lines and out:
        line = lines.pop(0)
        if line.startswith("RESIZE "):
            resize(*map(int, line.split()[1:]))
        else:
            os.write(master, line.encode().decode("unicode_escape").encode("latin1"))
sys.stdout.buffer.write(out)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PYTHON
}

@test "keeps output and errors apart" {
    is out "$(script_in s-io 'echo out; echo err >&2' 2>"$BATS_TEST_TMPDIR/err")"
    is err "$(cat "$BATS_TEST_TMPDIR/err")"
}

@test "passes every byte through pipes, both ways" {
    python3 -c 'import sys; sys.stdout.buffer.write(bytes(range(256)) * 1000)' >"$BATS_TEST_TMPDIR/bytes"
    inside s-io cat <"$BATS_TEST_TMPDIR/bytes" | cmp - "$BATS_TEST_TMPDIR/bytes"
}

@test "passes many megabytes, in and out, as they are" {
    local size
    size=$(scaled 50 5)
    head -c "${size}M" /dev/urandom >"$BATS_TEST_TMPDIR/big"
    inside s-io cat <"$BATS_TEST_TMPDIR/big" | cmp - "$BATS_TEST_TMPDIR/big"
    is "$(sha256sum <"$BATS_TEST_TMPDIR/big")" "$(inside s-io sha256sum <"$BATS_TEST_TMPDIR/big")"
}

@test "copies a tree in by tar, and out again" {
    mkdir -p "$BATS_TEST_TMPDIR/tree/empty" "$BATS_TEST_TMPDIR/tree/deep/er"
    head -c "$(scaled 50 5)M" /dev/urandom >"$BATS_TEST_TMPDIR/tree/deep/er/big"
    ln -s deep/er "$BATS_TEST_TMPDIR/tree/link"
    printf 'odd' >"$BATS_TEST_TMPDIR/tree/a b"$'\n'"c"
    tar -C "$BATS_TEST_TMPDIR" -c tree | inside s-io tar -C /srv -x
    inside s-io tar -C /srv -c tree | tar -C "$BATS_TEST_TMPDIR/tree/.." -d
    is "$(cd "$BATS_TEST_TMPDIR/tree" && find . | wc -l)" "$(inside s-io sh -c 'cd /srv/tree && find . | wc -l')"
}

@test "goes on with one stream when the other has been closed" {
    local big=$BATS_TEST_TMPDIR/big
    head -c "$(scaled 20 2)M" /dev/urandom >"$big"
    # Output ends at once, input goes on to its end.
    ends_with 3 wardenctl exec s-io -- sh -c 'exec >&- 2>&-; cat >/tmp/half; exit 3' <"$big"
    is "$(sha256sum <"$big")" "$(inside s-io sha256sum /tmp/half | sed 's,/tmp/half,-,')"
    # Input is not read, output and the exit code come all the same.
    capture timeout "$(scaled 30 240)" bash -o pipefail -c 'cat "$1" | wardenctl exec s-io -- sh -c "exec <&-; echo done; exit 4"' sh "$big"
    is 'done 4' "$output $status"
    # Input ends first; what comes out of it then arrives.
    is "$(sha256sum <"$big")" "$(inside s-io sh -c 'cat >/tmp/half; exec <&-; sleep 0.2; cat /tmp/half' <"$big" | sha256sum)"
    inside s-io rm /tmp/half
}

@test "ends when the reader of its output has gone" {
    capture timeout "$(scaled 20 120)" bash -c 'wardenctl exec s-io -- yes | head -n 3'
    is $'y\ny\ny' "$output"
    no_yes() { ! inside s-io pgrep -x yes; }
    until_true no_yes
}

@test "sees the end of its input" {
    is 3 "$(printf '1\n2\n3\n' | inside s-io wc -l)"
    is 0 "$(inside s-io wc -c </dev/null)"
}

@test "has nothing to read and nowhere to write when started on the bus without descriptors" {
    local job
    job=$(spawn s-io /bin/sh -c 'readlink /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 >/tmp/fds; cat; echo lost')
    job_ended() { job_is s-io "$1" exited; }
    until_true job_ended "$job"
    is 0 "$(job_get s-io "$job" ExitCode)"
    like '^/dev/null' "$(inside s-io cat /tmp/fds)"
    job_call s-io "$job" Release
}

@test "outputs straight into a file of the host, with no hand in between" {
    wardenctl exec s-io -- sh -c 'for i in 1 2 3; do echo $i; done' >"$BATS_TEST_TMPDIR/file"
    is $'1\n2\n3' "$(cat "$BATS_TEST_TMPDIR/file")"
}

@test "passes signals on to the job" {
    local pid
    wardenctl exec s-io -- sh -c 'trap "echo got it; exit 7" TERM; echo up; while :; do sleep 0.1; done' >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
    pid=$!
    until_true grep -q up "$BATS_TEST_TMPDIR/out"
    kill -TERM "$pid"
    status=0
    wait "$pid" || status=$?
    is 7 "$status"
    like 'got it' "$(cat "$BATS_TEST_TMPDIR/out")"
}

@test "gives a job a terminal of the container's own when asked to" {
    capture on_terminal 24 80 '' wardenctl exec -t s-io -- sh -c 'tty; test -t 0 && test -t 1 && test -t 2 && echo three; exit 4'
    is 4 "$status"
    like '/dev/pts/[0-9]+' "$output"
    like three "$output"
    like 'not a tty' "$(inside s-io tty </dev/null || true)"
}

@test "sizes a terminal as ours is, also when that changes" {
    capture on_terminal 37 121 '' wardenctl exec -t s-io -- stty size
    like '37 121' "$output"
    capture on_terminal 24 80 $'RESIZE 50 132\n' wardenctl exec -t s-io -- sh -c 'trap "stty size; exit 0" WINCH; echo ready; while :; do sleep 0.1; done'
    like '50 132' "$output"
}

@test "interrupts a job by the key, and ends it by the terminal's end" {
    capture on_terminal 24 80 '\x03' wardenctl exec -t s-io -- sh -c 'echo ready; sleep 1000'
    is 130 "$status"
    capture on_terminal 24 80 '\x04' wardenctl exec -t s-io -- sh -c 'echo ready; cat; echo at the end'
    is 0 "$status"
    like 'at the end' "$output"
}

@test "opens a login shell that answers" {
    capture on_terminal 24 80 $'echo $((6*7))-$(hostname)\\n\nexit 3\\n' wardenctl shell s-io
    like 42-s-io "$output"
    is 3 "$status"
}

@test "hands out a terminal and rings by Attach, also after the end" {
    local job
    job=$(gcall "$ROOT/container/s_2dio" Container.SpawnJob "['/bin/sleep', '1000']" "{'TTY': <true>, 'TTYSize': <(uint16 30, uint16 100)>}")
    job=$(grep -oE '[0-9]+' <<<"${job##*/}")
    gcall "$ROOT/container/s_2dio/job/$job" Job.Attach '@a{sv} {}'
    gcall "$ROOT/container/s_2dio/job/$job" Job.SetTTYSize 40 90
    is '40 90' "$(script_in s-io 'stty size </dev/pts/0')"
    job_call s-io "$job" Kill i 9
    until_true job_is s-io "$job" killed
    # Its last words may still be read.
    gcall "$ROOT/container/s_2dio/job/$job" Job.Attach '@a{sv} {}'
    job_call s-io "$job" Release
    job=$(spawn s-io /bin/sleep 1000)
    gcall "$ROOT/container/s_2dio/job/$job" Job.Attach '@a{sv} {}'
    job_call s-io "$job" Kill i 9
    until_true job_is s-io "$job" killed
    job_call s-io "$job" Release
}
