/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "fake-job.h"

/* What fake-wardend says of the network of its containers. */

int fake_network_method_forward(sd_bus_message *m, void *userdata, sd_bus_error *error);

/* UnforwardPort, AllowEgress, DenyEgress, SetSegment. */
int fake_network_method_change(sd_bus_message *m, void *userdata, sd_bus_error *error);

/* GetEgressCounters */
int fake_network_method_count(sd_bus_message *m, void *userdata, sd_bus_error *error);

/* ForwardedPorts, EgressRules, ContainerAddress, Segment: "red", but of "alone" none. */
int fake_network_get(sd_bus *bus, const char *path, const char *interface, const char *property,
                     sd_bus_message *reply, void *userdata, sd_bus_error *error);
