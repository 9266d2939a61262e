/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"
#include "basic/macro.h"
#include "rootfs/dev.h"
#include "worker/child.h"
#include "worker/host.h"

/* What the child does, from its first instruction to the exec of wshd.
 *
 *      without a plan          with the plan              with the trees           after the gate
 *      ──────────────          ─────────────              ──────────────           ──────────────
 *      namespaces              become root of the         root, all others on it,  cgroup namespace
 *      lo up                   user namespace             masks, the client's      exec
 *      /proc, /sys made        host name                  mounts,
 *      host's mounts left      /dev, /run made            pivot, filter, bounds
 *
 * Nothing that an image or a client chose runs before the exec, and until then nobody of the
 * container can look at this process, which still holds some of the host's: it is not dumpable. */

/* @nodes        mounts for /dev (dev_nodes_copy()), taken over
 * @channel_fd   taken over */
_noreturn_ void room_run(const Host *host, const ChildOptions *options, DevNodes *nodes,
                         int channel_fd);
