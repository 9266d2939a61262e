/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/statfs.h>

#include "daemon/bus/bus-cgroup.h"

static int is_cgroup2(const char *path)
{
        struct statfs s;

        return statfs(path, &s) == 0 && s.f_type == CGROUP2_SUPER_MAGIC;
}

const char *bus_cgroup_mode(void)
{
        if (is_cgroup2("/sys/fs/cgroup"))
                return "unified";
        return is_cgroup2("/sys/fs/cgroup/unified") ? "hybrid" : "legacy";
}

int bus_cgroup_cut(char *path, const char *unit)
{
        size_t size = strlen(unit);

        /* The first from the root is systemd's; what follows below is the container's to name. */
        for (char *p = path; (p = strstr(p, unit)); p += size)
                if (p > path && p[-1] == '/' && (p[size] == '/' || p[size] == 0)) {
                        p[size] = 0;
                        return 0;
                }
        return -ENODATA;
}
