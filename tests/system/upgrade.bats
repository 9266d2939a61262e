#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# An upgrade of the package: wardend is stopped, its files are replaced, it is started again. Whoever is attached does
# not notice, and the PID 1 of old containers, of a program that is no file any more, is spoken to as before.

load lib

setup_file() { file_begin_without_journal; }
teardown_file() { file_end_without_journal; }

PROGRAMS=(/usr/sbin/wardend /usr/bin/wardenctl /usr/bin/wsh /usr/lib/warden/warden-worker /usr/lib/warden/warden-journal
    /usr/lib/warden/wshd)

# files_replace: each by another file of the same name, as a package manager does it
files_replace() {
    local file
    for file in "${PROGRAMS[@]}"; do
        cp -p "$file" "$file.new"
        mv "$file.new" "$file"
    done
}

# seq_in NAME KEYS COUNT: a job that counts as fast as it can; prints its number
seq_in() {
    local reply
    reply=$(gcall "$(path_of "$1")" Container.SpawnJob "['/bin/sh', '-c', 'read -r go; seq 1 $3; exit 21']" "{'OpenStdin': <true>$2}")
    [[ $reply =~ /job/([0-9]+) ]] && echo "${BASH_REMATCH[1]}"
}

# bats test_tags=anywhere
@test "goes unnoticed by those who read what is written flat out" {
    local ring journal count init before
    count=$(scaled 3000000 100000)
    create t-old
    init=$(leader t-old)
    ring=$(seq_in t-old ", 'Backpressure': <true>" "$count")
    journal=$(seq_in t-old ", 'Log': <'journal'>, 'Backpressure': <true>" 3000)
    in_background "$BATS_TEST_TMPDIR/wait" wardenctl wait t-old "$ring"
    in_background "$BATS_TEST_TMPDIR/out" wardenctl logs -f t-old "$ring"
    in_background "$BATS_TEST_TMPDIR/terminal" "$HERE/terminal" expect='# ' type='echo $((6*7))\n' expect=42 \
        "run=until [ -e $BATS_TEST_TMPDIR/done ]; do sleep 0.1; done" type='exit 22\n' -- wardenctl exec -t t-old -- sh
    sleep 0.5
    for job in "$ring" "$journal"; do in_background /dev/null wardenctl attach --from-now t-old "$job" <<<go; done
    sleep 0.3
    before=$(stat -c %i "${PROGRAMS[0]}")
    systemctl stop wardend.service
    files_replace
    is 21 "$(wsh t-old -- sh -c 'exit 21' >/dev/null || echo $?)"
    systemctl daemon-reload
    systemctl start wardend.service
    [[ $(stat -c %i "${PROGRAMS[0]}") != "$before" ]]
    touch "$BATS_TEST_TMPDIR/done"

    is "$init" "$(leader t-old)"
    until_true cmp <(seq 1 "$count") "$BATS_TEST_TMPDIR/out"
    until_true grep -qx 21 "$BATS_TEST_TMPDIR/wait"
    until_true grep -q 'terminal restored' "$BATS_TEST_TMPDIR/terminal"
    lines() { journalctl --sync; (($(journalctl -q CONTAINER_NAME=t-old "CONTAINER_JOB=$journal" -o cat | wc -l) >= 3000)); }
    until_true lines
    cmp <(seq 1 3000) <(wardenctl logs t-old "$journal" 2>/dev/null)
}

@test "leaves old containers as good as new ones" {
    create t-old
    local job
    job=$(spawn t-old /bin/sleep 1000)
    systemctl stop wardend.service
    files_replace
    systemctl start wardend.service
    create t-new
    for name in t-old t-new; do
        is works "$(inside "$name" echo works)"
        ends_with 23 script_in "$name" 'exit 23'
    done
    job_call t-old "$job" Kill i 15
    until_true job_is t-old "$job" killed
    wardenctl stop t-old
    wardenctl start t-old
    is again "$(inside t-old echo again)"
}
