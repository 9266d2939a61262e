/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

#include "basic/fault.h"

/* The one place that knows both kinds of faults and names of D-Bus errors. */

#define BUS_ERROR_PREFIX "org.warden.Warden1.Error."

/* The error's name for @kind; never NULL: what has no name of its own is OperationFailed. */
const char *bus_fault_name(FaultKind kind);

/* Fills @ret from a fault, or from @error (negative errno) alone where the fault is empty or NULL.
 * Returns a negative errno, so that it can be a method's return statement. */
int bus_fault_to_error(const Fault *fault, int error, sd_bus_error *ret);

/* Tells sd-bus which errno our names stand for, once per process. Returns 0; -ENOMEM. */
int bus_fault_register(void);
