#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# vm-launch.sh NAME MODE ACCELERATION: the launcher of one virtual machine, alive as long as it. Started by
# `tools/sandbox vm up`. SIGKILL to it ends qemu; the next `up` or `down` removes the folders.

set -u -o pipefail
LIB=$(cd "$(dirname "$0")" && pwd)
. "$LIB/say.sh"
. "$LIB/process.sh"
. "$LIB/cgroup.sh"
. "$LIB/cache.sh"
. "$LIB/state.sh"
. "$LIB/vm-qemu.sh"

name=$1 mode=$2 acceleration=$3
state_use "$name"
process_record "$STATE/launcher" $$ || exit

qemu_arguments "$STATE" "$(<"$STATE/root")" "$(<"$STATE/run")" "$mode" "$acceleration"
# Its own temporary folder, because snapshot=on keeps what is written there.
TMPDIR=$(<"$STATE/run") setpriv --pdeathsig KILL qemu-system-x86_64 -name "warden-$name" -accel "$acceleration" "${QEMU_ARGUMENTS[@]}" &
process_record "$STATE/init" $!
wait $!
printf 'The virtual machine has ended (%s).\n' $?
state_remove
