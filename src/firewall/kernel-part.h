/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"

/* What of the kernel our tables are made of. Each part may be a module that is not there, and the
 * kernel's answer to a whole transaction does not say which. */

/* What may be asked for; the first that lacks a part is the one that is named. */
typedef enum KernelUse {
        KERNEL_USE_TABLES = 1 << 0, /* every private network */
        KERNEL_USE_RULES = 1 << 1,  /* AllowEgress */
        KERNEL_USE_LOG = 1 << 2,    /* of one of its rules */
} KernelUse;

/* Does the kernel take these commands of nft(8)? They leave nothing behind. Returns 0; negative
 * errno. */
typedef int (*KernelProbe)(void *userdata, const char *text);

/* For after a failure: tries each part alone.
 * @uses     of KernelUse
 * Returns   0 when there are all; -EOPNOTSUPP with FAULT_NOT_SUPPORTED, which names what was asked
 *           for, the modules that are missing and how to load them. */
int kernel_parts_check(KernelProbe probe, void *userdata, unsigned uses, Fault *fault);
