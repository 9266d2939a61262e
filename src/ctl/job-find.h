/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

#include "basic/fault.h"

struct json_object;

/* Which job is meant, and all about it. */

/* @text       the number of a job, or the path of its object; NULL: the newest one that runs, or,
 *             unless @is_running, the newest of all
 * @ret_path   of its object, new memory
 * @ret_job    its properties; the caller's
 * Returns     0; negative errno with a fault */
int job_find(sd_bus *bus, const char *container, const char *text, int is_running, char **ret_path,
             struct json_object **ret_job, Fault *fault);

/* The path of the object of a job that is there, new memory. Returns 0; negative errno with a fault
 * that says whether it is the job or its container that is not. */
int job_find_path(sd_bus *bus, const char *container, uint32_t id, char **ret_path, Fault *fault);
