/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"

/* Absolute, no "..", no "." component, no doubled or trailing slash (but "/"), no control
 * characters, shorter than PATH_MAX. */
int path_is_normal(const char *path);

/* The same, with the reason. @field names what the client set ("BindMounts"), @what its part
 * ("source"), NULL for none. Returns 0; -EINVAL with a fault. */
int path_check(const char *path, const char *field, const char *what, Fault *fault);

/* No byte below 0x20 and no DEL. */
int string_is_printable(const char *s);
