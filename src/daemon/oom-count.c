/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "basic/io.h"
#include "basic/macro.h"
#include "basic/parse.h"
#include "daemon/oom-count.h"

#define FILE_MAX_BYTES (64U << 10)
#define V1_MOUNT "/sys/fs/cgroup/memory"
#define V2_MOUNT "/sys/fs/cgroup"

/* "memory" or "cpu,memory", not "memory_tests". */
static int has_memory(const char *controllers, size_t n)
{
        while (n > 0) {
                const char *comma = memchr(controllers, ',', n);
                size_t length = comma ? (size_t)(comma - controllers) : n;

                if (length == strlen("memory") && memcmp(controllers, "memory", length) == 0)
                        return 1;
                if (!comma)
                        break;
                n -= length + 1;
                controllers = comma + 1;
        }
        return 0;
}

/* Cuts what is below the unit off. Returns whether the unit is in it. */
static int cut_at_unit(char *group, const char *unit)
{
        size_t n = strlen(unit);

        for (char *p = strchr(group, '/'); p; p = strchr(p + 1, '/'))
                if (strncmp(p + 1, unit, n) == 0 && (p[1 + n] == 0 || p[1 + n] == '/')) {
                        p[1 + n] = 0;
                        return 1;
                }
        return 0;
}

/* Lines are ID:CONTROLLERS:PATH. The controller is in one hierarchy only: where v1 has it, v2 has
 * not, whichever comes first. */
int oom_count_find(char *proc_cgroup, const char *unit, char *path, size_t room)
{
        const char *mount = NULL, *file = NULL;
        char *group = NULL, *line;
        int n;

        while ((line = strsep(&proc_cgroup, "\n"))) {
                char *controllers = strchr(line, ':'), *colon;

                colon = controllers ? strchr(++controllers, ':') : NULL;
                if (!colon)
                        continue;
                if (has_memory(controllers, (size_t)(colon - controllers))) {
                        mount = V1_MOUNT;
                        file = "memory.oom_control";
                        group = colon + 1;
                        break;
                }
                if (colon == controllers && !group) {
                        mount = V2_MOUNT;
                        file = "memory.events";
                        group = colon + 1;
                }
        }
        if (!group || !cut_at_unit(group, unit))
                return -ENODATA;
        n = snprintf(path, room, "%s%s/%s", mount, group, file);
        return n < 0 || (size_t)n >= room ? -ENAMETOOLONG : 0;
}

int oom_count_parse(const char *text, uint64_t *ret)
{
        static const char key[] = "oom_kill ";

        for (const char *line = text; line; line = strchr(line, '\n')) {
                char number[24];
                size_t n;

                line += *line == '\n' ? 1 : 0;
                if (strncmp(line, key, strlen(key)) != 0)
                        continue;
                line += strlen(key);
                n = strcspn(line, "\n");
                if (n >= sizeof(number))
                        return -ENODATA;
                memcpy(number, line, n);
                number[n] = 0;
                return parse_u64(number, ret) < 0 ? -ENODATA : 0;
        }
        return -ENODATA;
}

int oom_count_read(uint32_t pid, const char *unit, uint64_t *ret)
{
        _drop_(drop_free) char *groups = NULL, *text = NULL;
        char path[512];
        int r;

        (void)snprintf(path, sizeof(path), "/proc/%u/cgroup", pid);
        r = io_read_file(AT_FDCWD, path, FILE_MAX_BYTES, &groups, NULL);
        if (r < 0)
                return r;
        r = oom_count_find(groups, unit, path, sizeof(path));
        if (r < 0)
                return r;
        r = io_read_file(AT_FDCWD, path, FILE_MAX_BYTES, &text, NULL);
        return r < 0 ? r : oom_count_parse(text, ret);
}
