/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

#include "model/forward.h"

struct json_object;

/* Appends the a{sv} of ForwardPort. Returns 0; negative errno. */
int forward_append(sd_bus_message *m, const PortForward *forward);

/* The same of UnforwardPort, without what is 0. */
int forward_append_removal(sd_bus_message *m, const PortForward *forward, int is_cutting);

/* One entry of ForwardedPorts, back as the model has it. Returns 0; -EINVAL. */
int forward_from_json(struct json_object *object, PortForward *ret);
