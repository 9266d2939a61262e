/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/container.h"

/* Freezing: every process of the container stands still, PID 1 too, until it is thawed. What needs
 * PID 1 is refused meanwhile. */

/* @func is called when all stand still, or go on, and that is saved. What holds already is
 * answered at once. Returns 0; -EPROTO with FAULT_BAD_STATE; other errnos with a fault. */
int container_freeze(Container *c, ReplyFunc func, void *userdata, Fault *fault);
int container_thaw(Container *c, ReplyFunc func, void *userdata, Fault *fault);

/* For the other container-*.c, job-attach.c and restore.c. */

/* -EPROTO with a fault when it is frozen or about to be; 0. @what completes "Cannot ". */
int container_check_awake(const Container *c, const char *what, Fault *fault);

/* It is to end: lets it go on, if need be, with nobody waiting. Frozen processes do not die. */
void container_freeze_end(Container *c);

/* It has ended: removes what freezing has left. */
void container_freeze_forget(Container *c);

/* After a restart: the kernel's word against that of the record. */
void container_freeze_restore(Container *c);
