# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# A process is known by its pid and its start time; a pid alone may be another process by now.
# A record is a file "PID STARTTIME".

# process_start PID: prints the start time, field 22 of stat; the name (field 2) may hold blanks and parentheses
process_start() {
    local stat fields
    read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
    read -r -a fields <<<"${stat##*) }"
    [[ ${fields[0]} != [ZX] ]] || return 1
    printf '%s' "${fields[19]}"
}

# process_record FILE PID
process_record() {
    local start
    start=$(process_start "$2") || return 1
    printf '%s %s\n' "$2" "$start" >"$1.new" && mv "$1.new" "$1"
}

# process_recorded FILE: sets PROCESS_PID if the recorded process still lives
process_recorded() {
    local pid start
    PROCESS_PID=
    read -r pid start 2>/dev/null <"$1" || return 1
    [[ $(process_start "$pid") == "$start" ]] || return 1
    PROCESS_PID=$pid
}

# process_end FILE SIGNAL: signals the recorded process, if it is still that one
process_end() { ! process_recorded "$1" || kill -s "$2" "$PROCESS_PID" 2>/dev/null || true; }

# process_wait FILE SECONDS: until the recorded process is gone
process_wait() {
    local deadline=$((SECONDS + $2 + 1))
    while process_recorded "$1"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.02
    done
}
