/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "basic/parse.h"
#include "cgroup/oom-events.h"

/* Not "oom", which counts how often memory was short: the kernel may find some after all. Nor
 * "oom_group_kill", whose victims are in this one as well. */
int oom_events_parse(const char *text, uint64_t *ret_kills)
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
                return parse_u64(number, ret_kills) < 0 ? -ENODATA : 0;
        }
        return -ENODATA;
}
