/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A job's spec as the job's own process reads it. What decodes has as many strings as it says, all
 * of them in the input, and makes an environment. */

#include <errno.h>

#include "basic/macro.h"
#include "fuzz.h"
#include "init/program.h"
#include "init/spec.h"
#include "wire/wshd-message.h"

static void check_string(const Spec *spec, const char *s)
{
        const char *start = (const char *)spec->data, *end = start + spec->size;

        PROMISE(s >= start && s < end);
        PROMISE(memchr(s, 0, (size_t)(end - s)));
}

/* Of exactly the size that is asked for, so that one pointer too many is seen. */
static void check_strings(const Spec *spec, uint16_t tag, size_t n)
{
        char **strings = calloc(n + 1, sizeof(*strings));

        PROMISE(strings);
        spec_get_strings(spec, tag, strings);
        for (size_t i = 0; i < n; i++)
                check_string(spec, strings[i]);
        PROMISE(!strings[n]);
        free(strings);
}

static void check_environment(const Spec *spec)
{
        size_t room = spec->n_environment + PROGRAM_DEFAULTS + 1, n;
        Passwd passwd = { .name = "name", .home = "/home", .shell = "/bin/sh" };
        char **environment = calloc(room, sizeof(*environment));
        char *text = malloc(PROGRAM_TEXT_MAX);

        PROMISE(environment && text);
        n = program_environment(spec, &passwd, 1, environment, text);
        PROMISE(n < room && !environment[n]);
        for (size_t i = 0; i < n; i++)
                PROMISE(strchr(environment[i], '='));
        free(text);
        free(environment);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        Spec spec;
        int r = spec_decode(data, size, &spec);

        PROMISE(r == 0 || r == -EBADMSG || (r == -E2BIG && size > WSHD_JOB_SPEC_MAX));
        if (r < 0)
                return 0;
        PROMISE(spec.n_argv > 0);
        PROMISE(spec.umask >= -1 && spec.umask <= 0777);
        PROMISE((spec.nice >= -20 && spec.nice <= 19) || spec.nice == SPEC_NO_NICE);
        if (spec.user)
                check_string(&spec, spec.user);
        if (spec.directory) {
                check_string(&spec, spec.directory);
                PROMISE(spec.directory[0] == '/');
        }
        for (int i = 0; i < SPEC_RLIMITS; i++)
                PROMISE(spec.rlimits[i].soft <= spec.rlimits[i].hard);
        check_strings(&spec, JOB_TAG_ARGV, spec.n_argv);
        check_strings(&spec, JOB_TAG_ENVIRONMENT, spec.n_environment);
        check_environment(&spec);
        return 0;
}
