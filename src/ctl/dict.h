/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

#include "basic/fault.h"

/* What D-Bus cannot carry must be refused here: a message with a string that is not UTF-8 makes the
 * bus cut the connection, and nobody would be told why. */
int dict_check_string(const char *what, const char *s, Fault *fault);
int dict_check_strv(const char *what, char *const *strings, Fault *fault);

/* Appends an entry {sv} whose value is an array of strings; nothing for NULL. */
int dict_append_strv(sd_bus_message *m, const char *key, char *const *strings);

/* Opens an entry {sv} whose value is an array of `element`, such as "(sss)", and closes it. */
int dict_open_array(sd_bus_message *m, const char *key, const char *element);
int dict_close_array(sd_bus_message *m);
