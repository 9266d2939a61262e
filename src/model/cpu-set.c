/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model/cpu-set.h"

static int has_cpu(const CpuSet *set, unsigned cpu)
{
        return set->bits[cpu / 8] >> cpu % 8 & 1;
}

/* Strict: digits, and no more of them than a number that is in bounds may have. */
static int parse_number(const char **text, unsigned *ret)
{
        unsigned value = 0;
        const char *p = *text;

        if (*p < '0' || *p > '9')
                return -EINVAL;
        for (; *p >= '0' && *p <= '9'; p++) {
                value = value * 10 + (unsigned)(*p - '0');
                if (value >= CPU_SET_CPUS)
                        return -ERANGE;
        }
        *text = p;
        *ret = value;
        return 0;
}

static const char separators[] = ", \t\n";

int cpu_set_parse(const char *text, CpuSet *ret)
{
        CpuSet set = { { 0 } };

        for (text += strspn(text, separators); *text; text += strspn(text, separators)) {
                unsigned first, last;
                int r;

                r = parse_number(&text, &first);
                if (r < 0)
                        return r;
                last = first;
                if (*text == '-') {
                        text++;
                        r = parse_number(&text, &last);
                        if (r < 0)
                                return r;
                }
                if (last < first || (*text && !strchr(separators, *text)))
                        return -EINVAL;
                for (unsigned cpu = first; cpu <= last; cpu++)
                        set.bits[cpu / 8] |= (uint8_t)(1U << cpu % 8);
        }
        *ret = set;
        return 0;
}

void cpu_set_format(const CpuSet *set, char ret[CPU_SET_TEXT_MAX])
{
        size_t n = 0;

        ret[0] = 0;
        for (unsigned cpu = 0; cpu < CPU_SET_CPUS; cpu++) {
                unsigned last = cpu;

                if (!has_cpu(set, cpu))
                        continue;
                while (last + 1 < CPU_SET_CPUS && has_cpu(set, last + 1))
                        last++;
                n += (size_t)snprintf(ret + n, CPU_SET_TEXT_MAX - n, "%s%u", n ? "," : "", cpu);
                if (last > cpu)
                        n += (size_t)snprintf(ret + n, CPU_SET_TEXT_MAX - n, "-%u", last);
                cpu = last;
        }
}

int cpu_set_from_bytes(const void *data, size_t size, CpuSet *ret)
{
        const uint8_t *bytes = data;
        CpuSet set = { { 0 } };

        for (size_t i = CPU_SET_BYTES; i < size; i++)
                if (bytes[i])
                        return -ERANGE;
        if (size > 0)
                memcpy(set.bits, bytes, MIN2(size, (size_t)CPU_SET_BYTES));
        *ret = set;
        return 0;
}

size_t cpu_set_size(const CpuSet *set)
{
        size_t n = CPU_SET_BYTES;

        while (n > 0 && set->bits[n - 1] == 0)
                n--;
        return n;
}

int cpu_set_is_equal(const CpuSet *a, const CpuSet *b)
{
        return memcmp(a->bits, b->bits, CPU_SET_BYTES) == 0;
}

int cpu_set_first_beyond(const CpuSet *set, const CpuSet *of)
{
        for (unsigned cpu = 0; cpu < CPU_SET_CPUS; cpu++)
                if (has_cpu(set, cpu) && !has_cpu(of, cpu))
                        return (int)cpu;
        return -1;
}
