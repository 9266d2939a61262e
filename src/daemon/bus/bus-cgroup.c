/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>

#include "basic/io.h"
#include "basic/macro.h"
#include "daemon/bus/bus-cgroup.h"

/* A path is at most PATH_MAX, and v1 has a dozen hierarchies. */
#define CGROUP_TEXT_MAX (64U << 10)

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

/* The path of a line "N:controllers:path" with these controllers; NULL when there is none. */
static const char *find_hierarchy(const char *text, const char *controllers, size_t *ret_length)
{
        size_t size = strlen(controllers);

        while (*text) {
                size_t line = strcspn(text, "\n"), number = strcspn(text, ":\n");

                if (text[number] == ':' && strncmp(text + number + 1, controllers, size) == 0 &&
                    text[number + 1 + size] == ':') {
                        *ret_length = line - number - 2 - size;
                        return text + number + 2 + size;
                }
                text += line + (text[line] == '\n');
        }
        return NULL;
}

int bus_cgroup_parse(const char *text, const char *unit, char **ret)
{
        _drop_(drop_free) char *path = NULL;
        size_t length, size = strlen(unit);
        const char *found;
        char *p;

        found = find_hierarchy(text, "name=systemd", &length);
        if (!found)
                found = find_hierarchy(text, "", &length);
        if (!found)
                return -ENODATA;
        path = strndup(found, length);
        if (!path)
                return -ENOMEM;

        for (p = path; (p = strstr(p, unit)); p += size)
                if (p > path && p[-1] == '/' && (p[size] == '/' || p[size] == 0)) {
                        p[size] = 0;
                        *ret = take_ptr(path);
                        return 0;
                }
        return -ENODATA;
}

int bus_cgroup_read(uint32_t pid, const char *unit, char **ret)
{
        _drop_(drop_free) char *text = NULL;
        char path[64];
        int r;

        (void)snprintf(path, sizeof(path), "/proc/%u/cgroup", pid);
        r = io_read_file(AT_FDCWD, path, CGROUP_TEXT_MAX, &text, NULL);
        if (r < 0)
                return r;
        return bus_cgroup_parse(text, unit, ret);
}
