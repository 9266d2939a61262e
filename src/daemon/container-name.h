/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/container.h"

/* The name by which programs of the host find a container with an address, if wardend.conf says
 * RegisterMachines=yes: NAME.warden, by systemd-machined and nss-mymachines. The end of it is ours,
 * so that whoever may choose the name of a container cannot take that of another host. */

#define CONTAINER_NAME_DOMAIN ".warden"

/* When it is active, or was taken up again. Nothing happens for one that has no address, or a name
 * that is too long for a host. */
void container_name_publish(Container *c);

/* When its processes have ended. */
void container_name_withdraw(Container *c);
