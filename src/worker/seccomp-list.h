/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdint.h>

/* System calls that a container may use, by what they are for. A name that an architecture or this
 * libseccomp does not know is skipped. NULL ends the list. */
extern const char *const seccomp_allowed[];

/* The number of a call; -1: this architecture does not have it. Asks libseccomp, and knows what
 * that does not tell: the calls of 32-bit x86 that were parts of socketcall and ipc once.
 * @arch   SCMP_ARCH_* */
int seccomp_list_resolve(uint32_t arch, const char *name);
