/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdio.h>

#include "wire/firewall-message.h"

/* Requests as commands of the language of nft(8), for one transaction of libnftables. All that is
 * ours is in two tables, `inet warden` and `arp warden`. The number of rules does not depend on
 * the number of containers: one is a few elements of sets that are looked up by hash, and a chain
 * of its own only when it has rules of its own. doc/network.md shows the whole. */

/* Writes both tables anew, empty but for the host's policy, in place of those that are there. */
void firewall_text_write_base(FILE *f, const FirewallRequest *policy);

/* Writes what @request says, for FIREWALL_REBUILD with the base in front. Adding what is there and
 * removing what is not are no errors to the kernel. */
void firewall_text_write(FILE *f, const FirewallRequest *request);
