/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "basic/macro.h"
#include "basic/parse.h"

/* Reads digits and stops at the first other character. */
static int parse_digits(const char *s, const char **ret_end, uint64_t *ret)
{
        uint64_t value = 0;

        if (!isdigit((unsigned char)*s))
                return -EINVAL;
        for (; isdigit((unsigned char)*s); s++) {
                uint64_t digit = (uint64_t)(*s - '0');

                if (value > (UINT64_MAX - digit) / 10)
                        return -ERANGE;
                value = value * 10 + digit;
        }
        *ret_end = s;
        *ret = value;
        return 0;
}

int parse_u64(const char *s, uint64_t *ret)
{
        const char *end;
        uint64_t value;
        int r;

        r = parse_digits(s, &end, &value);
        if (r < 0)
                return r;
        if (*end)
                return -EINVAL;
        *ret = value;
        return 0;
}

int parse_u32(const char *s, uint32_t *ret)
{
        uint64_t value;
        int r;

        r = parse_u64(s, &value);
        if (r < 0)
                return r;
        if (value > UINT32_MAX)
                return -ERANGE;
        *ret = (uint32_t)value;
        return 0;
}

int parse_boolean(const char *s, int *ret)
{
        static const char *const yes[] = { "1", "yes", "true", "on", "y", "t" };
        static const char *const no[] = { "0", "no", "false", "off", "n", "f" };

        for (size_t i = 0; i < ELEMENTSOF(yes); i++) {
                if (strcasecmp(s, yes[i]) == 0) {
                        *ret = 1;
                        return 0;
                }
                if (strcasecmp(s, no[i]) == 0) {
                        *ret = 0;
                        return 0;
                }
        }
        return -EINVAL;
}

typedef struct Unit {
        const char *suffix;
        uint64_t factor;
} Unit;

static int parse_with_unit(const char *s, const Unit *units, size_t n_units, uint64_t *ret)
{
        const char *end;
        uint64_t value;
        int r;

        if (strcmp(s, "infinity") == 0) {
                *ret = UINT64_MAX;
                return 0;
        }
        r = parse_digits(s, &end, &value);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n_units; i++)
                if (strcmp(end, units[i].suffix) == 0) {
                        if (value > (UINT64_MAX - 1) / units[i].factor)
                                return -ERANGE;
                        *ret = value * units[i].factor;
                        return 0;
                }
        return -EINVAL;
}

int parse_size_bytes(const char *s, uint64_t *ret)
{
        static const Unit units[] = {
                { "", 1 },
                { "B", 1 },
                { "K", UINT64_C(1) << 10 },
                { "M", UINT64_C(1) << 20 },
                { "G", UINT64_C(1) << 30 },
                { "T", UINT64_C(1) << 40 },
        };

        return parse_with_unit(s, units, ELEMENTSOF(units), ret);
}

int parse_time_usec(const char *s, uint64_t *ret)
{
        static const Unit units[] = {
                { "", USEC_PER_SEC },         { "us", 1 },
                { "ms", USEC_PER_MSEC },      { "s", USEC_PER_SEC },
                { "sec", USEC_PER_SEC },      { "m", 60 * USEC_PER_SEC },
                { "min", 60 * USEC_PER_SEC }, { "h", 3600 * USEC_PER_SEC },
        };

        return parse_with_unit(s, units, ELEMENTSOF(units), ret);
}

int parse_signal(const char *s, int *ret)
{
        /* The numbers are Linux's on the architectures that Debian builds for, mips apart. */
        static const char *const names[] = {
                "",       "HUP",  "INT",    "QUIT", "ILL",   "TRAP", "ABRT", "BUS",
                "FPE",    "KILL", "USR1",   "SEGV", "USR2",  "PIPE", "ALRM", "TERM",
                "STKFLT", "CHLD", "CONT",   "STOP", "TSTP",  "TTIN", "TTOU", "URG",
                "XCPU",   "XFSZ", "VTALRM", "PROF", "WINCH", "IO",   "PWR",  "SYS",
        };
        uint32_t number;

        if (parse_u32(s, &number) >= 0) {
                if (number < 1 || number > 64)
                        return -ERANGE;
                *ret = (int)number;
                return 0;
        }
        if (strncasecmp(s, "SIG", 3) == 0)
                s += 3;
        for (size_t i = 1; i < ELEMENTSOF(names); i++)
                if (strcasecmp(s, names[i]) == 0) {
                        *ret = (int)i;
                        return 0;
                }
        return -EINVAL;
}
