/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/container.h"

/* The limits of a container: what was asked for is in its spec, and saved; what is in force is
 * systemd's to say for as long as there is a scope. */

/* What is in force. The container's: valid until it changes. */
const Limits *container_limits(const Container *c);

/* Changes what is given, and nothing else. Saved, then set, then read back from the kernel; when
 * one of these fails the old limits are put back and @func is told why. A stopped container takes
 * them to its next start. Several at once are done one after the other. */
int container_set_limits(Container *c, const Limits *changes, ReplyFunc func, void *userdata,
                         Fault *fault);

/* Asks systemd what is in force, if that may differ from what was asked for. */
void container_refresh_limits(Container *c);

/* For a container that runs already: a daemon before this one may have died between saving its
 * bandwidth and setting it. */
void container_restore_bandwidth(Container *c);

/* The scope was made: compares what the kernel has with what was asked for. */
int container_check_limits(const Container *c, Fault *fault);

/* There is no process any more: what waits is answered, and what was asked for counts again. */
void container_end_limits(Container *c);

/* Does not answer whoever waits, as that has been done. */
struct ContainerLimits *container_limits_free(struct ContainerLimits *limits);
