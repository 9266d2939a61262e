#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# demo-show.sh ROOT: the show itself, on a machine where wardend is installed. Every command is printed before it runs,
# and what it must have done is checked: a demonstration that only looks right would be worse than none.

set -eu -o pipefail
root=$1
name=web

if [[ -t 1 && -z ${NO_COLOR-} ]]; then bold=$'\e[1m' dim=$'\e[2m' off=$'\e[0m'; else bold="" dim="" off=""; fi
title() { printf '\n%s== %s%s\n' "$bold" "$*" "$off"; }
show() { printf '%s$ %s%s\n' "$dim" "$*" "$off"; }
run() { show "$*"; "$@"; }
must() { "$@" || { printf 'demo: this should have held: %s\n' "$*" >&2; exit 1; }; }
now_usec() { printf '%s' "${EPOCHREALTIME/[.,]/}"; }
pid_of_daemon() { systemctl show -P MainPID wardend.service; }
fetch='exec 3<>/dev/tcp/127.0.0.1/80; printf "GET / HTTP/1.0\r\n\r\n" >&3; cat <&3'

finish() { wardenctl destroy "$name" >/dev/null 2>&1 || true; }
trap finish EXIT

title "A container from a real Debian root"
# The first call on the bus starts the daemon.
start=$(now_usec)
run wardenctl create --name "$name" --memory 256M --tasks-max 512 "$root"
create_usec=$(($(now_usec) - start))
run wardenctl list

title "It is a scope of systemd's, with its limits as properties"
unit=$(busctl get-property org.warden.Warden1 "/org/warden/Warden1/container/$name" org.warden.Warden1.Container Unit | cut -d'"' -f2)
run systemctl status --no-pager --lines=0 "$unit"
run systemctl show -p Slice -p Delegate -p MemoryMax -p TasksMax "$unit"

title "A real program in it: nginx, and a client beside it"
run wardenctl exec -d "$name" -- nginx -g 'daemon off;'
for _ in {1..50}; do # until it listens: a condition, not a guess
    wardenctl exec "$name" -- bash -c "$fetch" >/dev/null 2>&1 && break
    sleep 0.1
done
show "wardenctl exec $name -- bash -c '<GET / from 127.0.0.1:80>' | head -n 4"
page=$(wardenctl exec "$name" -- bash -c "$fetch")
head -n 4 <<<"$page"
must grep -q 'Welcome to nginx' <<<"$page"

title "Pipes go through, binary-safe, as with ssh"
show "tar c /usr/lib/systemd | wardenctl exec -i $name -- tar t | wc -l"
inside=$(tar c -C / usr/lib/systemd 2>/dev/null | wardenctl exec -i "$name" -- tar t | wc -l)
echo "$inside"
must test "$inside" = "$(tar c -C / usr/lib/systemd 2>/dev/null | tar t | wc -l)"

title "Exit codes are the job's own"
for code in 0 7; do
    show "wardenctl exec $name -- sh -c 'exit $code'; echo \$?"
    got=0
    wardenctl exec "$name" -- sh -c "exit $code" || got=$?
    echo "$got"
    must test "$got" = "$code"
done

title "Containers and jobs are objects on the bus"
run busctl tree --no-pager org.warden.Warden1
run busctl introspect --no-pager org.warden.Warden1 "/org/warden/Warden1/container/$name"

title "The daemon is killed; the job lives on"
before=$(pid_of_daemon)
run kill -9 "$before"
# A call that reaches the dying one has no answer; who asks after it is gone waits for the new one.
while [[ -e /proc/$before ]]; do sleep 0.01; done
must wardenctl list # waits for the new one by bus activation
after=$(pid_of_daemon)
echo "wardend was $before and is $after"
must test "$before" != "$after"
page=$(wardenctl exec "$name" -- bash -c "$fetch")
must grep -q 'Welcome to nginx' <<<"$page"
echo "nginx still serves: $(head -n 1 <<<"$page")"
run wardenctl info "$name"

if [[ -t 0 && -t 1 ]]; then
    title "A shell in it (exit or ctrl-d goes on)"
    run wardenctl shell "$name" || true
fi

title "The end: nothing is left"
start=$(now_usec)
run wardenctl destroy "$name"
destroy_usec=$(($(now_usec) - start))
run wardenctl list
must test "$(find /run/warden/containers -mindepth 1 -maxdepth 1 ! -name '.*' | wc -l)" = 0

title "One line does it all"
start=$(now_usec)
# shellcheck disable=SC2016 # expanded in the container
run wardenctl run "$root" -- sh -c 'echo "hello from $(hostname), PID 1 is $(cat /proc/1/comm), I am $(id -un)"'
run_usec=$(($(now_usec) - start))
printf '\nAs commands, process start included: create %d ms, destroy %d ms, run %d ms (tools/bench measures properly).\n' \
    $((create_usec / 1000)) $((destroy_usec / 1000)) $((run_usec / 1000))
