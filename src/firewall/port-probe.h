/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/forward.h"

/* Is any port of the host that @forward wants in use by a process? A forward would take it away
 * from it without a word. Tried by binding it for a moment.
 * Returns 0; -EADDRINUSE (FAULT_IN_USE), -EADDRNOTAVAIL (FAULT_INVALID: the host has no such
 * address), with a fault that names the port. */
int port_probe(const PortForward *forward, Fault *fault);
