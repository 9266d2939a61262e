/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/container.h"

/* How fast a container may receive and send. */

/* Whether the container has an interface that could be limited. Returns 0; -EINVAL with
 * FAULT_INVALID or -EOPNOTSUPP with FAULT_NOT_SUPPORTED that names the limit. */
int container_check_bandwidth(const Container *c, const BandwidthLimits *limits, Fault *fault);

/* A worker gives the interface these limits. @func is called once, unless the call is freed before,
 * which may also be done from within it. Returns 0; negative errno with a fault. */
typedef struct BandwidthCall BandwidthCall;

int bandwidth_call_begin(Container *c, const BandwidthLimits *limits, ReplyFunc func,
                         void *userdata, BandwidthCall **ret, Fault *fault);
BandwidthCall *bandwidth_call_free(BandwidthCall *call);
DEFINE_DROP(BandwidthCall, bandwidth_call, bandwidth_call_free);
