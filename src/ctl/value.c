/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "basic/parse.h"
#include "ctl/limit-text.h"
#include "ctl/text.h"
#include "ctl/value.h"
#include "model/path.h"

#define VALUE_MAX 64
#define FRACTION_DIGITS 6 /* a millionth is what our units hold */

static int is_infinity(const char *text)
{
        return strcasecmp(text, "infinity") == 0 || strcasecmp(text, "max") == 0 ||
               strcasecmp(text, "unlimited") == 0 || strcmp(text, "-1") == 0;
}

int value_parse_bytes(const char *text, uint64_t *ret, Fault *fault)
{
        char upper[VALUE_MAX];
        size_t n = strlen(text);
        int r = -EINVAL;

        if (is_infinity(text)) {
                *ret = UINT64_MAX;
                return 0;
        }
        if (n > 0 && n < sizeof(upper)) {
                for (size_t i = 0; i <= n; i++)
                        upper[i] = (char)toupper((unsigned char)text[i]);
                /* KB, KiB and K are the same here, as for the container tools. */
                if (n > 2 && upper[n - 1] == 'B' && upper[n - 2] == 'I' &&
                    !isdigit((unsigned char)upper[n - 3]))
                        upper[n - 2] = 0;
                else if (n > 1 && upper[n - 1] == 'B' && !isdigit((unsigned char)upper[n - 2]))
                        upper[n - 1] = 0;
                r = parse_size_bytes(upper, ret);
        }
        if (r < 0)
                return fault_set(fault, FAULT_INVALID, r,
                                 "'%.64s' is not a size such as 512M, 2G or infinity", text);
        return 0;
}

/* "12.5" in millionths. Returns the rest of the text in *ret_end. */
static int parse_millionths(const char *text, uint64_t *ret, const char **ret_end)
{
        char whole[VALUE_MAX];
        size_t n = strspn(text, "0123456789");
        uint64_t value, fraction = 0, weight = 100000;
        int r;

        if (n == 0 || n >= sizeof(whole))
                return -EINVAL;
        memcpy(whole, text, n);
        whole[n] = 0;
        r = parse_u64(whole, &value);
        if (r < 0)
                return r;
        if (value > (UINT64_MAX - 1) / 1000000 - 1)
                return -ERANGE;
        text += n;
        if (*text == '.') {
                n = strspn(++text, "0123456789");
                if (n == 0 || n > FRACTION_DIGITS)
                        return -EINVAL;
                for (; n > 0; n--, text++, weight /= 10)
                        fraction += (uint64_t)(*text - '0') * weight;
        }
        *ret = value * 1000000 + fraction;
        *ret_end = text;
        return 0;
}

int value_parse_cpus(const char *text, uint64_t *ret, Fault *fault)
{
        const char *end = "";
        uint64_t value = 0;
        int r;

        if (is_infinity(text)) {
                *ret = UINT64_MAX;
                return 0;
        }
        r = parse_millionths(text, &value, &end);
        if (r >= 0 && strcmp(end, "%") == 0)
                value /= 100;
        else if (r >= 0 && *end)
                r = -EINVAL;
        if (r < 0)
                return fault_set(fault, FAULT_INVALID, r,
                                 "'%.64s' is not a number of processors such as 1.5 or 150%%",
                                 text);
        *ret = value;
        return 0;
}

int value_parse_time(const char *text, uint64_t *ret, Fault *fault)
{
        const char *end = "";
        uint64_t value = 0;
        int r;

        r = parse_time_usec(text, ret);
        if (r >= 0)
                return 0;
        /* Only seconds have fractions: half a minute is 30 seconds to everybody. */
        r = parse_millionths(text, &value, &end);
        if (r < 0 || (*end && strcmp(end, "s") != 0))
                return fault_set(fault, FAULT_INVALID, r < 0 ? r : -EINVAL,
                                 "'%.64s' is not a time such as 10, 1.5s, 2min or infinity", text);
        *ret = value;
        return 0;
}

static int parse_count(const char *text, uint64_t *ret, Fault *fault)
{
        int r;

        if (is_infinity(text)) {
                *ret = UINT64_MAX;
                return 0;
        }
        r = parse_u64(text, ret);
        if (r < 0)
                return fault_set(fault, FAULT_INVALID, r, "'%.64s' is not a number or infinity",
                                 text);
        return 0;
}

/* "50%" is of what the host has, as for systemd. */
static int parse_memory(const char *text, uint64_t *ret, Fault *fault)
{
        uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), pages = (uint64_t)sysconf(_SC_PHYS_PAGES);
        const char *end = "";
        uint64_t millionths = 0;
        int r;

        if (!strchr(text, '%'))
                return value_parse_bytes(text, ret, fault);
        r = parse_millionths(text, &millionths, &end);
        if (r < 0 || strcmp(end, "%") != 0 || millionths > 100 * UINT64_C(1000000))
                return fault_set(fault, FAULT_INVALID, r < 0 ? r : -EINVAL,
                                 "'%.64s' is not a share of the host's memory such as 50%%", text);
        *ret = pages * (millionths / 100) / 1000000 * page;
        return 0;
}

int value_parse_limit(Limit limit, const char *text, Limits *limits, Fault *fault)
{
        uint64_t value;
        int r = -EINVAL;

        switch (limit) {
        case LIMIT_MEMORY_MAX:
        case LIMIT_MEMORY_HIGH:
        case LIMIT_MEMORY_SWAP_MAX:
                r = parse_memory(text, &value, fault);
                break;
        case LIMIT_DISK_MAX:
                r = value_parse_bytes(text, &value, fault);
                break;
        case LIMIT_CPU_QUOTA:
                r = value_parse_time(text, &value, fault);
                break;
        case LIMIT_CPU_WEIGHT:
        case LIMIT_TASKS_MAX:
        case LIMIT_IO_WEIGHT:
        case LIMIT_DISK_INODES_MAX:
                r = parse_count(text, &value, fault);
                break;
        case _LIMIT_MAX:
        case _LIMIT_INVALID:
                break;
        }
        if (r < 0) {
                (void)fault_prefix(fault, limit_to_string(limit));
                return r;
        }
        return limits_set(limits, limit, value, fault);
}

static int fault_unknown_property(const char *name, Fault *fault)
{
        const char *names[_LIMIT_MAX + _DEVICE_LIMIT_KIND_MAX + _BANDWIDTH_DIRECTION_MAX + 4];
        size_t n = 0;
        const char *nearest;

        for (int i = 0; i < _LIMIT_MAX; i++)
                names[n++] = limit_to_string((Limit)i);
        for (int i = 0; i < _DEVICE_LIMIT_KIND_MAX; i++)
                names[n++] = device_limit_kind_to_string((DeviceLimitKind)i);
        for (int i = 0; i < _BANDWIDTH_DIRECTION_MAX; i++)
                names[n++] = bandwidth_direction_to_string((BandwidthDirection)i);
        names[n++] = BANDWIDTH_NAME_BOTH;
        names[n++] = LIMIT_NAME_CPUS;
        names[n++] = "CPUQuota";
        names[n] = NULL;
        nearest = text_nearest(name, names);
        return fault_set(fault, FAULT_INVALID, -EINVAL, "There is no limit '%.64s'%s%s%s", name,
                         nearest ? ". Did you mean " : "", nearest ?: "", nearest ? "?" : "");
}

int value_parse_property(const char *text, Limits *limits, Fault *fault)
{
        char name[VALUE_MAX];
        size_t n = strcspn(text, "=");
        DeviceLimitKind kind;
        uint64_t usec;
        Limit limit;
        int r;

        if (n == 0 || n >= sizeof(name) || text[n] != '=')
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "'%.64s' is not NAME=VALUE, such as MemoryMax=512M", text);
        memcpy(name, text, n);
        name[n] = 0;
        text += n + 1;
        if (strcmp(name, "CPUQuota") == 0) {
                /* In unit files a percentage, and nothing else: a bare number would be read as
                 * processors here and refused there. */
                if (!strchr(text, '%') && !is_infinity(text))
                        return fault_set(fault, FAULT_INVALID, -EINVAL,
                                         "CPUQuota: '%.64s' is not a percentage such as 150%%",
                                         text);
                r = value_parse_cpus(text, &usec, fault);
                return r < 0 ? r : limits_set(limits, LIMIT_CPU_QUOTA, usec, fault);
        }
        if (strcmp(name, LIMIT_NAME_CPUS) == 0)
                return limits_set_cpus(limits, text, fault);
        if (strcmp(name, BANDWIDTH_NAME_BOTH) == 0 ||
            (int)bandwidth_direction_from_string(name) >= 0)
                return limit_text_parse_bandwidth(name, text, limits, fault);
        kind = device_limit_kind_from_string(name);
        if ((int)kind >= 0)
                return limit_text_parse_device(kind, text, limits, fault);
        limit = limit_from_string(name);
        if ((int)limit < 0)
                return fault_unknown_property(name, fault);
        return value_parse_limit(limit, text, limits, fault);
}

static int parse_rlimit_value(const char *text, size_t n, uint64_t *ret)
{
        char value[VALUE_MAX];
        Fault ignored = FAULT_INIT;

        if (n == 0 || n >= sizeof(value))
                return -EINVAL;
        memcpy(value, text, n);
        value[n] = 0;
        return value_parse_bytes(value, ret, &ignored);
}

int value_parse_rlimit(const char *text, JobSpec *spec, Fault *fault)
{
        char name[VALUE_MAX];
        size_t n = strcspn(text, "="), n_soft;
        JobRlimit rlimit;
        int resource = -EINVAL, r;

        if (text[n] == '=' && n < sizeof(name)) {
                memcpy(name, text, n);
                name[n] = 0;
                resource = rlimit_from_string(name);
                for (size_t i = 0; resource < 0 && i < n; i++)
                        name[i] = (char)toupper((unsigned char)name[i]);
                if (resource < 0)
                        resource = rlimit_from_string(name);
        }
        if (resource < 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "'%.64s' is not NAME=SOFT[:HARD] with a name of getrlimit(2), "
                                 "such as nofile=1024:4096",
                                 text);
        text += n + 1;
        n_soft = strcspn(text, ":");
        r = parse_rlimit_value(text, n_soft, &rlimit.soft);
        rlimit.hard = rlimit.soft;
        if (r >= 0 && text[n_soft] == ':')
                r = parse_rlimit_value(text + n_soft + 1, strlen(text + n_soft + 1), &rlimit.hard);
        if (r < 0)
                return fault_set(fault, FAULT_INVALID, r,
                                 "%s: '%.64s' is not SOFT[:HARD], such as 1024:4096 or infinity",
                                 rlimit_to_string(resource), text);
        if (rlimit.soft > rlimit.hard)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "%s: the soft limit in '%.64s' is above the hard one",
                                 rlimit_to_string(resource), text);
        spec->rlimits[resource] = rlimit;
        spec->rlimits_set |= UINT32_C(1) << resource;
        return 0;
}

int value_parse_host_path(const char *text, const char *what, char **ret, Fault *fault)
{
        char *path;

        /* What is normal goes as it is: the daemon may see another tree than we do, and has the
         * last word. */
        path = path_is_normal(text) ? strdup(text) : realpath(text, NULL);
        if (!path)
                return fault_set(fault, FAULT_NOT_FOUND, -errno, "%s '%.256s': %m", what, text);
        *ret = path;
        return 0;
}
