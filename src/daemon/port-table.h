/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/container.h"
#include "model/forward.h"

/* Which port of the host leads to which container. One lookup a port, however many there are. */

typedef struct PortTable PortTable;

/* @base, @count   the ports that port_table_pick() chooses from. Returns 0; -ENOMEM. */
int port_table_new(uint32_t base, uint32_t count, PortTable **ret);
PortTable *port_table_free(PortTable *table);
DEFINE_DROP(PortTable, port_table, port_table_free);

/* How many ports of the pool lead nowhere, by no protocol and on no address. Looks at every claim:
 * for who asks, not for each forward. */
uint32_t port_table_count_free(const PortTable *table);

/* From now on these; what was claimed stays. */
void port_table_set_pool(PortTable *table, uint32_t base, uint32_t count);

/* @owner   must outlive the claim
 * Returns  0; -EADDRINUSE (FAULT_IN_USE, which names the port and its owner); -ENOMEM. */
int port_table_claim(PortTable *table, const Container *owner, const PortForward *forward,
                     Fault *fault);
void port_table_release(PortTable *table, const Container *owner, const PortForward *forward);

/* Sets forward->host_port to one of the pool that is free with those behind it, and claims them. A
 * port that was given back lately comes last. Returns 0; -ENOSPC (FAULT_LIMIT); -ENOMEM. */
int port_table_pick(PortTable *table, const Container *owner, PortForward *forward, Fault *fault);
