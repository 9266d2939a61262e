/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"

/* The slice that binds several containers together: "web" and "warden-web.slice" are the same. A
 * dash goes one level deeper, as for systemd: warden-web-eu.slice is in warden-web.slice, and that
 * in warden.slice. */

#define SLICE_NAME_MAX 128
#define SLICE_UNIT_MAX (SLICE_NAME_MAX + (int)sizeof("warden-.slice")) /* with the NUL */

/* @text   NAME or warden-NAME.slice
 * @ret    the unit's name; new memory
 * Returns 0; -EINVAL with a fault; -ENOMEM. */
int slice_parse(const char *text, char **ret, Fault *fault);

/* 1 for what slice_parse() returns. */
int slice_is_valid(const char *unit);
