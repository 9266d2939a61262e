/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/manager.h"

/* Interfaces of containers that nobody knows any more. A network namespace dies some time after the
 * last process in it; a daemon that begins meanwhile would not know that the slot is still used,
 * and two interfaces with the same address would take each other's packets. */

/* After manager_restore(): their slots are leased when they have vanished. Does not block. Returns
 * 0; negative errno. */
int orphan_links_await(Manager *manager);
