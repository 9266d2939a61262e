/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "firewall/batch.h"
#include "wire/firewall-message.h"

/* Requests about containers, but not FIREWALL_REBUILD, as changes of the tables that text.h has
 * made. What text.h writes of a container is the same, and a test holds the two together. Adding
 * what is there and removing what is not are no errors. */

void firewall_change_write(Batch *batch, const FirewallRequest *request);
