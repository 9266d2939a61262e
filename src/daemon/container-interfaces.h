/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/container.h"

/* Interfaces of the host that a container has while it runs; worker/interfaces.h tells how. */

/* Whether no other container has asked for one of them; it need not run. Returns 0; -EBUSY with
 * FAULT_IN_USE that names interface and owner. */
int container_interfaces_check(const Container *c, Fault *fault);

/* Before a start: whether the host has all of them. One that is missing is no reason to fail the
 * container, which is as it was. Returns 0; -ENODEV with FAULT_NOT_FOUND. */
int container_interfaces_find(const Container *c, Fault *fault);

/* The processes are gone: a worker gives them back. Who waits for the end of a stop is answered by
 * then. Returns 1 when that goes on; 0 when there is nothing to give back, or nobody to do it. */
int container_interfaces_return(Container *c);

/* Forgets that it goes on: the worker does it all the same. */
void container_interfaces_forget(Container *c);
