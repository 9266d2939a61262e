/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/manager.h"

/* Scopes of containers that nobody knows any more. Destroy answers before it has systemd stop the
 * empty scope, so a daemon that dies in between leaves one, where systemd does not notice by itself
 * that it is empty (cgroup v1 alone, without a release agent). */

/* After manager_restore(): stops those that hold no process. One that does is left alone, with a
 * warning: its state was lost, its work need not be. Does not block. */
int orphan_scopes_stop(Manager *manager);
