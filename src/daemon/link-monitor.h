/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"

/* Tells when an interface of the host has vanished, by the kernel's own messages. */

struct sd_event;

typedef struct LinkMonitor LinkMonitor;

/* @interface   NULL: messages were lost, any may have vanished */
typedef void (*LinkGoneFunc)(void *userdata, const char *interface);

/* Returns 0; negative errno with a fault. Never blocks. */
int link_monitor_new(struct sd_event *event, LinkGoneFunc func, void *userdata, LinkMonitor **ret,
                     Fault *fault);
LinkMonitor *link_monitor_free(LinkMonitor *monitor);
DEFINE_DROP(LinkMonitor, link_monitor, link_monitor_free);

/* For the test: what a datagram of @size bytes says. Calls @func for each. */
void link_monitor_parse(const void *data, size_t size, LinkGoneFunc func, void *userdata);
