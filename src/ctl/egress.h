/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

#include "model/egress-text.h"

struct json_object;

/* Appends the a{sv} of AllowEgress, and of DenyEgress, which alone may cut connections. Returns 0;
 * negative errno. */
int egress_append(sd_bus_message *m, const EgressRule *rule, int is_cutting);

/* One entry of EgressRules, back as the model has it. Returns 0; -EINVAL; -ENOMEM. */
int egress_from_json(struct json_object *object, EgressRule *ret);
