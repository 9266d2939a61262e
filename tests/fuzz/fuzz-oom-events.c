/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The counter of memory.events, held against sscanf() on the one line that it is in. */

#include <errno.h>
#include <inttypes.h>

#include "cgroup/oom-events.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *text = fuzz_string(data, size), *line = text;
        uint64_t kills = 42, expected;
        int r = oom_events_parse(text, &kills);

        PROMISE(r == 0 || r == -ENODATA);
        PROMISE(r == 0 || kills == 42);
        while (line && strncmp(line, "oom_kill ", 9) != 0) {
                line = strchr(line, '\n');
                line += line ? 1 : 0;
        }
        PROMISE(r < 0 || (line && sscanf(line, "oom_kill %" SCNu64, &expected) == 1));
        PROMISE(r < 0 || kills == expected);
        free(text);
        return 0;
}
