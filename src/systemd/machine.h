/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "systemd/scope.h"

/* The asynchronous client of systemd-machined, which tells nss-mymachines, and with it every
 * program of the host, the addresses of a machine by its name. Nobody waits for it, and a host
 * without it is fine: what it answers is only told to the log. */

#define MACHINE_NAME_MAX 64

/* RegisterMachineWithNetwork: the process must be in its scope already, which becomes the unit of
 * the machine.
 * @name        as host names are, MACHINE_NAME_MAX characters at most
 * @leader_pid  its PID 1, in a network namespace of its own
 * @interface   the host's side of its network
 * Returns 0; negative errno when it could not be asked. */
int machine_register(SystemdClient *client, const char *name, uint32_t leader_pid,
                     unsigned interface);

/* UnregisterMachine: one that is not there is fine. */
int machine_unregister(SystemdClient *client, const char *name);
