/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* System calls that a container may use, by what they are for. A name that this architecture or
 * this libseccomp does not know is skipped. NULL ends the list. */
extern const char *const seccomp_allowed[];
