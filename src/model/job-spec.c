/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>

#include "basic/parse.h"
#include "model/job-spec.h"
#include "model/path.h"

#define USER_NAME_MAX 255
#define TTY_SIZE_MAX 65535 /* struct winsize has 16 bits */

/* By the kernel's numbers, which differ between architectures. */
static const char *const rlimit_table[JOB_RLIMITS] = {
        [RLIMIT_AS] = "AS",
        [RLIMIT_CORE] = "CORE",
        [RLIMIT_CPU] = "CPU",
        [RLIMIT_DATA] = "DATA",
        [RLIMIT_FSIZE] = "FSIZE",
        [RLIMIT_LOCKS] = "LOCKS",
        [RLIMIT_MEMLOCK] = "MEMLOCK",
        [RLIMIT_MSGQUEUE] = "MSGQUEUE",
        [RLIMIT_NICE] = "NICE",
        [RLIMIT_NOFILE] = "NOFILE",
        [RLIMIT_NPROC] = "NPROC",
        [RLIMIT_RSS] = "RSS",
        [RLIMIT_RTPRIO] = "RTPRIO",
        [RLIMIT_RTTIME] = "RTTIME",
        [RLIMIT_SIGPENDING] = "SIGPENDING",
        [RLIMIT_STACK] = "STACK",
};

static const char *const log_table[_JOB_LOG_MAX] = {
        [JOB_LOG_RING] = "ring",
        [JOB_LOG_JOURNAL] = "journal",
        [JOB_LOG_BOTH] = "both",
        [JOB_LOG_NONE] = "none",
};

const char *job_log_to_string(JobLog log)
{
        return (int)log >= 0 && log < _JOB_LOG_MAX ? log_table[log] : NULL;
}

JobLog job_log_from_string(const char *s)
{
        for (int i = 0; i < _JOB_LOG_MAX; i++)
                if (strcmp(log_table[i], s) == 0)
                        return (JobLog)i;
        return _JOB_LOG_INVALID;
}

JobSpec *job_spec_new(void)
{
        JobSpec *spec = calloc(1, sizeof(*spec));

        if (!spec)
                return NULL;
        spec->umask = -1;
        spec->nice = INT32_MAX;
        return spec;
}

JobSpec *job_spec_free(JobSpec *spec)
{
        if (!spec)
                return NULL;
        strv_free(spec->argv);
        strv_free(spec->environment);
        free(spec->user);
        free(spec->working_directory);
        free(spec->identifier);
        free(spec);
        return NULL;
}

int rlimit_from_string(const char *s)
{
        if (strncmp(s, "Limit", 5) == 0)
                s += 5;
        else if (strncmp(s, "RLIMIT_", 7) == 0)
                s += 7;
        for (int i = 0; i < JOB_RLIMITS; i++)
                if (strcmp(rlimit_table[i], s) == 0)
                        return i;
        return -EINVAL;
}

const char *rlimit_to_string(int resource)
{
        return resource >= 0 && resource < JOB_RLIMITS ? rlimit_table[resource] : NULL;
}

/* One half of USER:GROUP, as a copy. What is all digits is a number, whatever /etc/passwd says, so
 * that a name cannot be mistaken. */
static int user_part_validate(const char *s, const char *what, Fault *fault)
{
        uint32_t number;

        if (!*s)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "User: the %s is empty", what);
        if (strlen(s) > USER_NAME_MAX)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "User: the %s is longer than %d characters", what, USER_NAME_MAX);
        if (!string_is_printable(s))
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "User: the %s contains control characters", what);
        if (s[0] == '-' || s[0] == '+')
                return fault_set(fault, FAULT_INVALID, -EINVAL, "User: %s '%s' starts with a sign",
                                 what, s);
        if (s[strspn(s, "0123456789")] != 0)
                return 0;
        if (parse_u32(s, &number) < 0 || number == UINT32_MAX)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "User: %s '%.64s' is not a number below 4294967295", what, s);
        return 0;
}

int job_user_validate(const char *user, Fault *fault)
{
        _drop_(drop_free) char *name = strdup(user);
        char *group;
        int r;

        if (!name)
                return -ENOMEM;
        group = strchr(name, ':');
        if (group) {
                *group++ = 0;
                if (strchr(group, ':'))
                        return fault_set(fault, FAULT_INVALID, -EINVAL,
                                         "User: '%.100s' has more than one ':'", user);
        }
        r = user_part_validate(name, "user", fault);
        if (r < 0 || !group)
                return r;
        return user_part_validate(group, "group", fault);
}

int job_argv_validate(char *const *argv, size_t *total_bytes, Fault *fault)
{
        size_t total = total_bytes ? *total_bytes : 0;

        if (!argv || !argv[0])
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "Argv: is empty; at least a program is needed");
        if (!argv[0][0])
                return fault_set(fault, FAULT_INVALID, -EINVAL, "Argv: the program is empty");
        for (size_t i = 0; argv[i]; i++) {
                size_t n = strlen(argv[i]);

                if (n > STRING_MAX)
                        return fault_set(fault, FAULT_INVALID, -E2BIG,
                                         "Argv: argument %zu is longer than %d bytes", i,
                                         STRING_MAX);
                total += STRING_COST(n);
                if (total > JOB_SPEC_MAX_BYTES)
                        return fault_set(fault, FAULT_INVALID, -E2BIG,
                                         "Argv: together larger than %u bytes", JOB_SPEC_MAX_BYTES);
        }
        if (total_bytes)
                *total_bytes = total;
        return 0;
}

/* What chdir() takes: it happens in the container, so it may be any spelling of a path. */
static int directory_validate(const char *path, Fault *fault)
{
        if (path[0] != '/')
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "WorkingDirectory: '%.200s' is not an absolute path", path);
        if (strlen(path) >= PATH_MAX)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "WorkingDirectory: is longer than a path may be");
        return 0;
}

static int identifier_validate(const char *identifier, Fault *fault)
{
        size_t n = strlen(identifier);

        if (n == 0 || n > JOB_IDENTIFIER_MAX || !string_is_printable(identifier))
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "Identifier: is not of 1 to %d bytes without control characters",
                                 JOB_IDENTIFIER_MAX);
        return 0;
}

static int rlimits_validate(const JobSpec *spec, Fault *fault)
{
        if (spec->rlimits_set >> JOB_RLIMITS)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "Rlimits: unknown resource");
        for (int i = 0; i < JOB_RLIMITS; i++)
                if ((spec->rlimits_set >> i & 1) && spec->rlimits[i].soft > spec->rlimits[i].hard)
                        return fault_set(fault, FAULT_INVALID, -EINVAL,
                                         "Rlimits: %s has a soft limit %" PRIu64
                                         " above its hard limit %" PRIu64,
                                         rlimit_table[i], spec->rlimits[i].soft,
                                         spec->rlimits[i].hard);
        return 0;
}

static int numbers_validate(const JobSpec *spec, Fault *fault)
{
        if (spec->rows > TTY_SIZE_MAX || spec->columns > TTY_SIZE_MAX)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "TTY: %" PRIu32 " by %" PRIu32 " is larger than %d by %d",
                                 spec->rows, spec->columns, TTY_SIZE_MAX, TTY_SIZE_MAX);
        if (spec->umask < -1 || spec->umask > 0777)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "UMask: 0%o is not from 0 to 0777",
                                 (unsigned int)spec->umask);
        if ((spec->nice < -20 || spec->nice > 19) && spec->nice != INT32_MAX)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "Nice: %d is not from -20 to 19",
                                 spec->nice);
        return 0;
}

int job_spec_has_rings(const JobSpec *spec)
{
        return !spec->is_output_discarded && spec->log != JOB_LOG_NONE;
}

/* What cannot all be meant at once is a mistake of the one who asks, better told than guessed. */
static int output_validate(const JobSpec *spec, Fault *fault)
{
        if (!job_log_to_string(spec->log))
                return fault_set(fault, FAULT_INVALID, -EINVAL, "Log: not a known value");
        if (spec->is_output_discarded &&
            (spec->log == JOB_LOG_JOURNAL || spec->log == JOB_LOG_BOTH))
                return fault_set(fault, FAULT_INVALID, -EINVAL, "Log: contradicts DiscardOutput");
        if (spec->is_tty && !job_spec_has_rings(spec))
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "TTY: what is shown on it is kept in a ring, so that its output "
                                 "cannot be discarded");
        if (job_spec_has_rings(spec))
                return spec->ring_bytes > 0 && spec->ring_bytes < JOB_RING_MIN_BYTES
                               ? fault_set(fault, FAULT_INVALID, -EINVAL,
                                           "RingBytes: %" PRIu64 " is less than %u",
                                           spec->ring_bytes, JOB_RING_MIN_BYTES)
                               : 0;
        if (spec->ring_bytes > 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "RingBytes: there is no ring when the output is discarded");
        if (spec->has_backpressure)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "Backpressure: nobody reads what is discarded");
        return 0;
}

int job_spec_validate(const JobSpec *spec, Fault *fault)
{
        size_t total = 0;
        int r;

        r = job_argv_validate(spec->argv, &total, fault);
        if (r < 0)
                return r;
        r = environment_validate(spec->environment, JOB_SPEC_MAX_BYTES, &total, fault);
        if (r < 0)
                return r;
        r = spec->user ? job_user_validate(spec->user, fault) : 0;
        if (r < 0)
                return r;
        r = spec->working_directory ? directory_validate(spec->working_directory, fault) : 0;
        if (r < 0)
                return r;
        r = spec->identifier ? identifier_validate(spec->identifier, fault) : 0;
        if (r < 0)
                return r;
        r = rlimits_validate(spec, fault);
        if (r < 0)
                return r;
        r = output_validate(spec, fault);
        if (r < 0)
                return r;
        return numbers_validate(spec, fault);
}
