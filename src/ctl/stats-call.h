/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

#include <systemd/sd-bus.h>

#include "basic/fault.h"

struct json_object;
typedef struct Loop Loop;

/* Manager.GetStats: {NAME: {KEY: VALUE}}, new. */

/* @names   ended by NULL; none: all
 * Returns  0; negative errno with a fault */
int stats_call_new(sd_bus *bus, char *const *names, sd_bus_message **ret, Fault *fault);
int stats_call(sd_bus *bus, char *const *names, struct json_object **ret, Fault *fault);

/* The same while a loop turns. */
int stats_call_in_loop(Loop *loop, char *const *names, struct json_object **ret, Fault *fault);

/* The memory of the host that we run on, in bytes. */
uint64_t stats_get_host_memory(void);
