# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash

# Completion for wardenctl. Verbs and options are read from its own help, which costs two
# milliseconds and cannot go out of date; containers and jobs from the daemon.

# The verbs and their other names, from the indented lines of the list.
_wardenctl_verbs() {
        "$1" help 2>/dev/null | sed -n 's/^  \([a-z][a-z, ]*[a-z]\)  .*/\1/p' | tr -d ','
}

# Names of options: "long" and "short", or with "=" only those that take a value.
_wardenctl_options() {
        "$1" "$2" --help 2>/dev/null | sed -n "s/^ *\(-[a-zA-Z], \)\{0,1\}\(--[a-z-]*\)${3:+ [A-Z]}.*/\2 \1/p" | tr -d ','
}

_wardenctl_containers() {
        "$1" list -q 2>/dev/null
}

_wardenctl_jobs() {
        "$1" info --json "$2" 2>/dev/null | tr ',{[' '\n' | sed -n 's/^ *"Id": *\([0-9][0-9]*\).*/\1/p'
}

_wardenctl_limits() {
        echo MemoryMax MemoryHigh MemorySwapMax CPUWeight CPUQuota CPUQuotaPerSecUSec AllowedCPUs TasksMax IOWeight \
                IOReadBandwidthMax IOWriteBandwidthMax IOReadIOPSMax IOWriteIOPSMax DiskMax DiskInodesMax \
                BandwidthMax BandwidthReceiveMax BandwidthTransmitMax
}

# Completes the value of the option before the cursor. Fails when there is none to complete.
_wardenctl_value() {
        local program=$1 verb=$2 option=$3 current=$4

        # A word that is no option takes no value, and the program is not asked.
        [[ $option == -* ]] || return 1
        [[ " $(_wardenctl_options "$program" "$verb" value | tr '\n' ' ') " == *" $option "* ]] || return 1
        case $option in
        --log)
                COMPREPLY=($(compgen -W "ring journal both none" -- "$current")) ;;
        --sort)
                COMPREPLY=($(compgen -W "name cpu memory network io tasks uptime" -- "$current")) ;;
        --network)
                COMPREPLY=($(compgen -W "private host none container: netns:" -- "$current")) ;;
        --oom-policy)
                COMPREPLY=($(compgen -W "stop kill continue" -- "$current")) ;;
        --memory-pressure)
                COMPREPLY=($(compgen -W "50ms 150ms 500ms" -- "$current")) ;;
        --storage)
                COMPREPLY=($(compgen -W "directory loop tmpfs" -- "$current")) ;;
        --private-users)
                COMPREPLY=($(compgen -W "auto no" -- "$current")) ;;
        -s | --signal)
                COMPREPLY=($(compgen -W "TERM KILL HUP INT QUIT USR1 USR2 STOP CONT" -- "$current")) ;;
        -p | --property)
                COMPREPLY=($(compgen -S = -W "$(_wardenctl_limits)" -- "$current"))
                compopt -o nospace 2>/dev/null ;;
        --ulimit | --rlimit)
                COMPREPLY=($(compgen -S = -W "as core cpu data fsize locks memlock msgqueue nice nofile
                        nproc rss rtprio rttime sigpending stack" -- "$current"))
                compopt -o nospace 2>/dev/null ;;
        -e | --env)
                COMPREPLY=($(compgen -v -- "$current")) ;;
        -v | --bind | --volume)
                compopt -o filenames -o nospace 2>/dev/null
                COMPREPLY=($(compgen -f -- "$current")) ;;
        *)
                COMPREPLY=() ;;
        esac
        return 0
}

# The first argument that is no option and not an option's value, and how many there are.
_wardenctl_arguments() {
        local with_value i

        with_value=" $(_wardenctl_options "$program" "$verb" value | tr '\n' ' ') "
        for ((i = verb_index + 1; i < COMP_CWORD; i++)); do
                case ${COMP_WORDS[i]} in
                --) ;;
                -*) [[ $with_value == *" ${COMP_WORDS[i]} "* ]] && i=$((i + 1)) ;;
                *)
                        [[ $n_arguments -eq 0 ]] && first=${COMP_WORDS[i]}
                        n_arguments=$((n_arguments + 1)) ;;
                esac
        done
}

_wardenctl() {
        local program=$1 current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
        local verb='' verb_index=0 n_arguments=0 first='' i

        COMPREPLY=()
        for ((i = 1; i < COMP_CWORD; i++)); do
                if [[ ${COMP_WORDS[i]} != -* ]]; then
                        verb=${COMP_WORDS[i]} verb_index=$i
                        break
                fi
        done
        if [[ -z $verb ]]; then
                COMPREPLY=($(compgen -W "$(_wardenctl_verbs "$program")
                        --json --quiet --no-legend --help --version" -- "$current"))
                return
        fi
        _wardenctl_value "$program" "$verb" "$previous" "$current" && return
        _wardenctl_arguments
        if [[ $current == -* && ! ($verb =~ ^(run|exec|shell)$ && $n_arguments -gt 0) ]]; then
                COMPREPLY=($(compgen -W "$(_wardenctl_options "$program" "$verb")" -- "$current"))
                return
        fi
        case $verb in
        create | run)
                [[ $n_arguments -eq 0 ]] || return
                compopt -o filenames 2>/dev/null
                COMPREPLY=($(compgen -d -- "$current")) ;;
        exec | shell)
                [[ $n_arguments -eq 0 ]] &&
                        COMPREPLY=($(compgen -W "$(_wardenctl_containers "$program")" -- "$current")) ;;
        port)
                if [[ $n_arguments -eq 0 ]]; then
                        COMPREPLY=($(compgen -W "$(_wardenctl_containers "$program")" -- "$current"))
                elif [[ $n_arguments -eq 1 ]]; then
                        COMPREPLY=($(compgen -W "add rm" -- "$current"))
                fi ;;
        egress)
                if [[ $n_arguments -eq 0 ]]; then
                        COMPREPLY=($(compgen -W "$(_wardenctl_containers "$program")" -- "$current"))
                elif [[ $n_arguments -eq 1 ]]; then
                        COMPREPLY=($(compgen -W "allow deny" -- "$current"))
                fi ;;
        segment)
                if [[ $n_arguments -eq 0 ]]; then
                        COMPREPLY=($(compgen -W "$(_wardenctl_containers "$program")" -- "$current"))
                elif [[ $n_arguments -eq 1 ]]; then
                        COMPREPLY=($(compgen -W "join leave" -- "$current"))
                elif [[ $previous == join ]]; then
                        COMPREPLY=($(compgen -W "$("$program" segment -q 2>/dev/null)" -- "$current"))
                fi ;;
        limit | update)
                if [[ $n_arguments -eq 0 ]]; then
                        COMPREPLY=($(compgen -W "$(_wardenctl_containers "$program")" -- "$current"))
                else
                        COMPREPLY=($(compgen -S = -W "$(_wardenctl_limits)" -- "$current"))
                        compopt -o nospace 2>/dev/null
                fi ;;
        slice)
                case $n_arguments in
                0) COMPREPLY=($(compgen -W "list limit" -- "$current")) ;;
                1) COMPREPLY=($(compgen -W "$("$program" slice list -q 2>/dev/null)" -- "$current")) ;;
                *)
                        COMPREPLY=($(compgen -S = -W "$(_wardenctl_limits)" -- "$current"))
                        compopt -o nospace 2>/dev/null ;;
                esac ;;
        start | stop | freeze | pause | thaw | unpause | kill | destroy | rm | info | status | jobs | stats | top)
                COMPREPLY=($(compgen -W "$(_wardenctl_containers "$program")" -- "$current")) ;;
        wait | attach | logs)
                if [[ $n_arguments -eq 0 ]]; then
                        COMPREPLY=($(compgen -W "$(_wardenctl_containers "$program")" -- "$current"))
                else
                        COMPREPLY=($(compgen -W "$(_wardenctl_jobs "$program" "$first")" -- "$current"))
                fi ;;
        help)
                COMPREPLY=($(compgen -W "$(_wardenctl_verbs "$program")" -- "$current")) ;;
        esac
}

complete -F _wardenctl wardenctl
