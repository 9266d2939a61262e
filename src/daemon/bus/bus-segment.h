/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

/* SetSegment, of the Container's vtable. */
int bus_segment_method_set(sd_bus_message *m, void *userdata, sd_bus_error *error);
