/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What decodes is safe to be acted on, and is encoded and decoded to the same bytes. */

#include <errno.h>

#include "fuzz.h"
#include "model/name.h"
#include "wire/plan-wire.h"

static void check_plan(const Plan *plan)
{
        PROMISE(id_is_valid(plan->id) && name_is_valid(plan->name));
        PROMISE(hostname_is_valid(plan->hostname));
        PROMISE(path_is_normal(plan->root_directory) && path_is_normal(plan->layer_directory) &&
                path_is_normal(plan->runtime_directory));
        PROMISE(plan->uid_count == 0 || uid_range_is_valid(plan->uid_base, plan->uid_count));
        PROMISE(network_mode_to_string(plan->network));
        PROMISE(plan->n_bind_mounts <= BIND_MOUNTS_MAX && plan->n_tmpfs_mounts <= TMPFS_MAX);
        for (size_t i = 0; i < plan->n_bind_mounts; i++)
                PROMISE(path_is_normal(plan->bind_mounts[i].source) &&
                        path_is_normal(plan->bind_mounts[i].destination));
        for (size_t i = 0; i < plan->n_tmpfs_mounts; i++)
                PROMISE(path_is_normal(plan->tmpfs_mounts[i].destination));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _drop_(drop_plan) Plan *plan = NULL, *back = NULL;
        WireWriter w = WIRE_WRITER_INIT, again = WIRE_WRITER_INIT;
        int r = plan_decode(data, size, &plan);

        PROMISE(r == 0 || r == -EBADMSG);
        PROMISE((r == 0) == (plan != NULL));
        if (r < 0)
                return 0;
        check_plan(plan);
        PROMISE(plan_encode(plan, &w) == 0);
        PROMISE(plan_decode(w.data, w.size, &back) == 0);
        PROMISE(plan_encode(back, &again) == 0);
        PROMISE(w.size == again.size && memcmp(w.data, again.data, w.size) == 0);
        wire_writer_done(&w);
        wire_writer_done(&again);
        return 0;
}
