/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>

#include "wire/job-spec-wire.h"
#include "wire/wshd-message.h"

static void rlimits_encode(const JobSpec *spec, WireWriter *w)
{
        for (int i = 0; i < JOB_RLIMITS; i++) {
                size_t mark;

                if (!(spec->rlimits_set >> i & 1))
                        continue;
                mark = wire_begin(w, JOB_TAG_RLIMIT);
                wire_put_u64(w, JOB_TAG_RLIMIT_RESOURCE, (uint64_t)i);
                wire_put_u64(w, JOB_TAG_RLIMIT_SOFT, spec->rlimits[i].soft);
                wire_put_u64(w, JOB_TAG_RLIMIT_HARD, spec->rlimits[i].hard);
                wire_end(w, mark);
        }
}

int job_spec_encode(const JobSpec *spec, char *const *container_environment, WireWriter *w)
{
        _drop_(drop_free) const char **environment = NULL;
        size_t start = w->size;
        int r;

        r = environment_merge(container_environment, spec->environment, &environment);
        if (r < 0)
                return r;
        wire_put_strv(w, JOB_TAG_ARGV, spec->argv);
        for (const char **p = environment; *p; p++)
                wire_put_string(w, JOB_TAG_ENVIRONMENT, *p);
        wire_put_string(w, JOB_TAG_USER, spec->user);
        wire_put_string(w, JOB_TAG_DIRECTORY, spec->working_directory);
        rlimits_encode(spec, w);
        if (spec->umask >= 0)
                wire_put_u64(w, JOB_TAG_UMASK, (uint64_t)spec->umask);
        if (spec->nice != INT32_MAX)
                wire_put_u64(w, JOB_TAG_NICE, (uint64_t)(spec->nice + 20));
        if (w->error < 0)
                return w->error;
        return w->size - start > WSHD_JOB_SPEC_MAX ? -E2BIG : 0;
}
