/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "basic/log.h"
#include "cgroup/cgroup.h"
#include "daemon/orphan-scopes.h"
#include "systemd/scope-find.h"

#define PREFIX "warden-"
#define SUFFIX ".scope"

/* The unit's id, when its name is one that we give. */
static int parse_unit(const char *unit, char ret[CONTAINER_ID_LENGTH + 1])
{
        size_t n = strlen(PREFIX) + CONTAINER_ID_LENGTH;

        if (strlen(unit) != n + strlen(SUFFIX) || strncmp(unit, PREFIX, strlen(PREFIX)) != 0 ||
            strcmp(unit + n, SUFFIX) != 0)
                return 0;
        memcpy(ret, unit + strlen(PREFIX), CONTAINER_ID_LENGTH);
        ret[CONTAINER_ID_LENGTH] = 0;
        return id_is_valid(ret);
}

/* PID 1 is in the scope's own group, so one without a process there has none below either. */
static int is_empty(const Manager *manager, const char *control_group)
{
        _drop_(drop_fd) int group_fd = -EBADF, fd = -EBADF;
        char byte;
        int r;

        r = cgroup_open(manager->cgroup_mode, "", control_group, &group_fd);
        if (r < 0)
                return r == -ENOENT;
        fd = openat(group_fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
        return fd >= 0 && io_read_full(fd, &byte, 1) == 0;
}

static void on_found(void *userdata, const char *unit, const char *control_group)
{
        char id[CONTAINER_ID_LENGTH + 1];
        Manager *manager = userdata;

        if (!parse_unit(unit, id) || map_get(manager->by_id, id))
                return;
        if (!is_empty(manager, control_group)) {
                log_warning(0, "%s runs, but there is no state of its container; leaving it alone",
                            unit);
                return;
        }
        log_info("Stopping %s: it is empty, and its container is gone", unit);
        (void)scope_stop(manager->systemd, unit);
}

int orphan_scopes_stop(Manager *manager)
{
        return scope_search_new(manager->systemd, PREFIX "*" SUFFIX, on_found, manager,
                                &manager->orphan_search);
}
