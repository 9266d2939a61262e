/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model/name.h"
#include "model/plan.h"

Plan *plan_free(Plan *plan)
{
        if (!plan)
                return NULL;
        free(plan->id);
        free(plan->name);
        free(plan->hostname);
        free(plan->root_directory);
        free(plan->network_target);
        free(plan->interface_name);
        strv_free(plan->interfaces);
        free(plan->resolv_conf);
        free(plan->hosts);
        free(plan->layer_directory);
        free(plan->runtime_directory);
        bind_mounts_free(plan->bind_mounts, plan->n_bind_mounts);
        tmpfs_mounts_free(plan->tmpfs_mounts, plan->n_tmpfs_mounts);
        free(plan);
        return NULL;
}

/* Directories carry the id, so that a name can be used again while the remains of its last bearer
 * are still being deleted. */
static char *container_directory(const char *parent, const char *id)
{
        char *path;

        return asprintf(&path, "%s/containers/%s", parent, id) < 0 ? NULL : path;
}

static int plan_fill_names(Plan *plan, const ContainerSpec *spec, const char *id)
{
        const char *name = spec->name ? spec->name : id;
        const char *hostname = spec->hostname;

        if (!hostname)
                hostname = hostname_is_valid(name) ? name : id;
        plan->id = strdup(id);
        plan->name = strdup(name);
        plan->hostname = strdup(hostname);
        plan->root_directory = strdup(spec->root_directory);
        if (spec->interface_name) {
                plan->interface_name = strdup(spec->interface_name);
                if (!plan->interface_name)
                        return -ENOMEM;
        }
        return plan->id && plan->name && plan->hostname && plan->root_directory ? 0 : -ENOMEM;
}

int plan_new(const ContainerSpec *spec, const char *id, uint32_t uid_base, uint32_t uid_count,
             const char *state_directory, const char *runtime_directory, Plan **ret)
{
        _drop_(drop_plan) Plan *plan = calloc(1, sizeof(*plan));
        int r;

        if (!plan)
                return -ENOMEM;
        r = plan_fill_names(plan, spec, id);
        if (r < 0)
                return r;
        plan->layer_directory = container_directory(state_directory, id);
        plan->runtime_directory = container_directory(runtime_directory, id);
        if (!plan->layer_directory || !plan->runtime_directory)
                return -ENOMEM;
        r = bind_mounts_copy(spec->bind_mounts, spec->n_bind_mounts, &plan->bind_mounts,
                             &plan->n_bind_mounts);
        if (r < 0)
                return r;
        r = tmpfs_mounts_copy(spec->tmpfs_mounts, spec->n_tmpfs_mounts, &plan->tmpfs_mounts,
                              &plan->n_tmpfs_mounts);
        if (r < 0)
                return r;
        if (spec->interfaces && *spec->interfaces) {
                r = strv_copy(spec->interfaces, &plan->interfaces);
                if (r < 0)
                        return r;
        }
        plan->uid_base = uid_base;
        plan->uid_count = uid_count;
        plan->network = spec->network;
        plan->storage = spec->storage;
        plan->disk = disk_limits_from(&spec->limits);
        plan->bandwidth = spec->limits.bandwidth;
        plan->is_read_only = spec->is_read_only;
        plan->timeout_usec = PLAN_TIMEOUT_USEC;

        *ret = take_ptr(plan);
        return 0;
}
