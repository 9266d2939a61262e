# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the tools tell a person, always on stderr: stdout belongs to the command that is run.
# A stage that takes over a second leaves one line with its time; a quick one leaves none.

SAY_PROGRAM=${0##*/}
SAY_STAGE=
SAY_STAGE_START_USEC=0

if [[ -t 2 && -z ${NO_COLOR-} && ${TERM-dumb} != dumb ]]; then
    SAY_TTY=yes SAY_BOLD=$'\e[1m' SAY_RED=$'\e[31m' SAY_YELLOW=$'\e[33m' SAY_DIM=$'\e[2m' SAY_OFF=$'\e[0m'
else
    SAY_TTY="" SAY_BOLD="" SAY_RED="" SAY_YELLOW="" SAY_DIM="" SAY_OFF=""
fi

say() { say_clear; printf '%s\n' "$*" >&2; }
say_warning() { say_clear; printf '%s: %swarning:%s %s\n' "$SAY_PROGRAM" "$SAY_YELLOW" "$SAY_OFF" "$*" >&2; }

# say_error TEXT [WHAT TO DO NEXT]
say_error() {
    say_clear
    printf '%s: %serror:%s %s\n' "$SAY_PROGRAM" "$SAY_RED$SAY_BOLD" "$SAY_OFF" "$1" >&2
    [[ -z ${2-} ]] || printf '%s  → %s\n' "${SAY_PROGRAM//?/ }" "$2" >&2
}

# The tools' own failures end with 125, so that they cannot be taken for the exit code of a command
# that was run inside; wardenctl does the same.
die() { say_error "$@"; exit 125; }

say_clear() { [[ -z $SAY_TTY || -z $SAY_STAGE ]] || printf '\r\e[K' >&2; }

now_usec() { printf '%s' "${EPOCHREALTIME/[.,]/}"; }

# say_seconds USEC: tenths are all that a person wants to know
say_seconds() { printf '%d.%d s' $(($1 / 1000000)) $(($1 / 100000 % 10)); }

stage_begin() {
    SAY_STAGE=$1
    SAY_STAGE_START_USEC=$(now_usec)
    [[ -z $SAY_TTY ]] || printf '%s%s …%s' "$SAY_DIM" "$SAY_STAGE" "$SAY_OFF" >&2
}

stage_end() {
    local took_usec=$(($(now_usec) - SAY_STAGE_START_USEC))
    say_clear
    ((took_usec < 1000000)) || printf '%-56s %8s\n' "$SAY_STAGE" "$(say_seconds $took_usec)" >&2
    SAY_STAGE=
}

# After a failure the time is of no interest.
stage_end_quietly() { say_clear; SAY_STAGE=; }

# stage_run TEXT LOG COMMAND…: the command's output goes to LOG, whose end is shown when it fails
stage_run() {
    local text=$1 log=$2 code=0
    shift 2
    stage_begin "$text"
    "$@" >"$log" 2>&1 </dev/null || code=$?
    stage_end
    ((code == 0)) || { say "${SAY_BOLD}$text: failed with exit code $code. The last lines of $log:${SAY_OFF}"; tail -n 20 "$log" >&2; }
    return "$code"
}
