/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/container.h"

/* Pressure on a container's memory, told as it comes: nothing is counted or saved. Only where the
 * spec has a threshold. For container-*.c and restore.c. */

/* The container is in its scope. Returns 0; negative errno with a fault that names the key. */
int container_pressure_begin(Container *c, Fault *fault);

/* All its processes have ended. */
void container_pressure_end(Container *c);
