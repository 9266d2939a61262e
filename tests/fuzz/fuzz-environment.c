/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Merging, held against the slow way of doing it: one variable after the other. The input is lines;
 * an empty one stands between the container's environment and the job's. */

#include <errno.h>

#include "basic/strv.h"
#include "fuzz.h"
#include "model/environment.h"

#define ENTRIES_MAX 512

static void split(char *text, char ***under, char ***over)
{
        char ***to = under, *line;
        size_t n = 0;

        while ((line = strsep(&text, "\n")) && n++ < ENTRIES_MAX) {
                if (*line)
                        PROMISE(strv_append(to, line) == 0);
                else
                        to = over;
        }
}

static void merge_slowly(char ***merged, char *const *v)
{
        for (; v && *v; v++)
                PROMISE(strv_env_set(merged, *v) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _drop_(drop_strv) char **under = NULL, **over = NULL, **slow = NULL;
        _drop_(drop_free) const char **merged = NULL;
        char *text = fuzz_string(data, size);
        size_t total = 0;
        int r;

        split(text, &under, &over);
        free(text);
        r = environment_validate(under, 1 << 20, &total, NULL);
        if (r >= 0)
                r = environment_validate(over, 1 << 20, &total, NULL);
        PROMISE(r == 0 || r == -EINVAL || r == -E2BIG);
        PROMISE(environment_merge(under, over, &merged) == 0);
        if (r < 0)
                return 0;

        PROMISE(total >= 9 * (strv_length(under) + strv_length(over)));
        merge_slowly(&slow, under);
        merge_slowly(&slow, over);
        for (size_t i = 0; i < strv_length(slow); i++)
                PROMISE(merged[i] && strcmp(merged[i], slow[i]) == 0);
        PROMISE(!merged[strv_length(slow)]);
        return 0;
}
