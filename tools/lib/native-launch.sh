#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# native-launch.sh NAME MODE: the launcher of one sandbox, alive as long as it. Started by `tools/sandbox up`
# and nobody else; see native.sh for what it finds in its state folder.
#
#   launcher ── unshare (pdeathsig) ── systemd (pdeathsig), PID 1 of its namespaces
#
# SIGKILL to the launcher ends everything below; what it cannot then remove itself (groups, folders) the next
# `up` or `down` does. When systemd powers off by itself, it is removed here.

set -u -o pipefail
LIB=$(cd "$(dirname "$0")" && pwd)
. "$LIB/say.sh"
. "$LIB/process.sh"
. "$LIB/cgroup.sh"
. "$LIB/cache.sh"
. "$LIB/state.sh"

name=$1 mode=$2
state_use "$name"

cgroup_plan "$mode" "$name" >"$STATE/cgroups" || exit
cgroup_make "$STATE/cgroups" || exit
process_record "$STATE/launcher" $$ || exit

setpriv --pdeathsig KILL \
    unshare --mount --uts --ipc --net --pid --fork --propagation private --kill-child=KILL \
    bash "$LIB/native-inner.sh" join "$STATE" "$mode" &
wait $!
printf 'The sandbox has ended (%s).\n' $?

# `down` holds the lock and removes the same things when this process is gone; whoever is first, does it.
cgroup_remove "$STATE/cgroups" && state_remove
