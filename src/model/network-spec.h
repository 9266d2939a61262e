/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/container-spec.h"

/* The part of container_spec_validate() that is about the network: that what was given fits the
 * mode. Pools and taken addresses are the daemon's to know. Returns 0; -EINVAL with a fault. */
int container_spec_validate_network(const ContainerSpec *spec, Fault *fault);

/* Whether a segment can be called that. Returns 0; -EINVAL with a fault. */
int segment_name_check(const char *name, Fault *fault);
