/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>

#include "ctl/options.h"
#include "model/container-spec.h"

/* The options of create and run that say what a container is. Checked with the daemon's own rules,
 * so that a mistake is reported before anything was done, and also where there is no daemon. */

typedef struct ContainerOptions {
        ContainerSpec *spec;
        /* What was not given is not sent: the defaults are its administrator's. */
        int has_network, has_private_users, has_storage, has_grace, has_oom_policy;
} ContainerOptions;

extern const OptionGroup container_option_group;

/* Returns 0; -ENOMEM. */
int container_options_init(ContainerOptions *options);
void container_options_done(ContainerOptions *options);

/* @root   as it was typed. Checks the whole. Returns 0; negative errno with a fault. */
int container_options_complete(ContainerOptions *options, const char *root, Fault *fault);

/* Appends the a{sv} of CreateContainer. Returns 0; negative errno. */
int container_options_append(const ContainerOptions *options, sd_bus_message *m);

/* Adds KEY=VALUE, or KEY with the value that it has here (nothing when it has none). */
int environment_add(char ***environment, const char *text, Fault *fault);
