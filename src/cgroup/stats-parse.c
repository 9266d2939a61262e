/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "cgroup/stats-parse.h"

/* v1 has no word for "no limit": the largest number of bytes in whole pages, whatever a page is. */
#define V1_NO_LIMIT (UINT64_C(1) << 62)

/* The number at *p, which moves behind it. Returns whether there was one that fits. */
static int take_u64(const char **p, uint64_t *ret)
{
        const char *s = *p;
        uint64_t n = 0;
        int fits = 1;

        if (*s < '0' || *s > '9')
                return 0;
        for (; *s >= '0' && *s <= '9'; s++) {
                unsigned digit = (unsigned)(*s - '0');

                if (n > (UINT64_MAX - digit) / 10)
                        fits = 0;
                n = n * 10 + digit;
        }
        *p = s;
        if (fits)
                *ret = n;
        return fits;
}

/* A number that is all of a line. */
static int parse_line_u64(const char *s, uint64_t *ret)
{
        uint64_t n;

        if (!take_u64(&s, &n) || (*s != 0 && *s != '\n'))
                return 0;
        *ret = n;
        return 1;
}

static const char *next_line(const char *line)
{
        const char *end = strchr(line, '\n');

        return end ? end + 1 : line + strlen(line);
}

/* Whether @s begins with @prefix, which is skipped. */
static int take_prefix(const char **s, const char *prefix)
{
        size_t n = strlen(prefix);

        if (strncmp(*s, prefix, n) != 0)
                return 0;
        *s += n;
        return 1;
}

static uint64_t add_saturating(uint64_t a, uint64_t b)
{
        return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static void stats_add(Stats *stats, Stat stat, uint64_t value)
{
        uint64_t before = stats_has(stats, stat) ? stats->values[stat] : 0;

        stats_set(stats, stat, add_saturating(before, value));
}

static uint64_t convert(uint64_t value, const StatsKey *key)
{
        if (key->multiply > 1)
                return value > UINT64_MAX / key->multiply ? UINT64_MAX : value * key->multiply;
        return key->divide > 1 ? value / key->divide : value;
}

void stats_parse_keyed(const char *text, const StatsKey *keys, Stats *stats)
{
        for (const char *line = text; *line; line = next_line(line))
                for (const StatsKey *key = keys; key->key; key++) {
                        const char *p = line;
                        uint64_t value;

                        if (!take_prefix(&p, key->key) || *p != ' ')
                                continue;
                        if (parse_line_u64(p + 1, &value))
                                stats_set(stats, key->stat, convert(value, key));
                        break;
                }
}

static int is_limit(Stat stat)
{
        return stat == STAT_MEMORY_MAX || stat == STAT_MEMORY_HIGH ||
               stat == STAT_MEMORY_SWAP_MAX || stat == STAT_TASKS_MAX;
}

void stats_parse_number(const char *text, Stat stat, Stats *stats)
{
        uint64_t value;

        if (strcmp(text, "max") == 0 || strcmp(text, "max\n") == 0)
                stats_set(stats, stat, UINT64_MAX);
        else if (parse_line_u64(text, &value))
                stats_set(stats, stat, is_limit(stat) && value >= V1_NO_LIMIT ? UINT64_MAX : value);
}

static void set_quota(uint64_t quota_usec, uint64_t period_usec, Stats *stats)
{
        if (period_usec == 0 || quota_usec > UINT64_MAX / USEC_PER_SEC)
                return;
        stats_set(stats, STAT_CPU_QUOTA, quota_usec * USEC_PER_SEC / period_usec);
}

void stats_parse_cpu_max(const char *text, Stats *stats)
{
        uint64_t quota, period;

        if (take_prefix(&text, "max ")) {
                stats_set(stats, STAT_CPU_QUOTA, UINT64_MAX);
                return;
        }
        if (!take_u64(&text, &quota) || *text != ' ' || !parse_line_u64(text + 1, &period))
                return;
        set_quota(quota, period, stats);
}

void stats_parse_cfs(const char *quota, const char *period, Stats *stats)
{
        uint64_t quota_usec, period_usec;

        if (take_prefix(&quota, "-1"))
                stats_set(stats, STAT_CPU_QUOTA, UINT64_MAX);
        else if (parse_line_u64(quota, &quota_usec) && parse_line_u64(period, &period_usec))
                set_quota(quota_usec, period_usec, stats);
}

/* "MAJOR:MINOR ", which is skipped. */
static int take_device(const char **p, uint32_t *ret_major, uint32_t *ret_minor)
{
        uint64_t major, minor;

        if (!take_u64(p, &major) || **p != ':')
                return 0;
        (*p)++;
        if (!take_u64(p, &minor) || **p != ' ' || major > UINT32_MAX || minor > UINT32_MAX)
                return 0;
        (*p)++;
        *ret_major = (uint32_t)major;
        *ret_minor = (uint32_t)minor;
        return 1;
}

/* NULL when there is no room for one more. */
static StatsDevice *stats_get_device(Stats *stats, uint32_t major, uint32_t minor)
{
        StatsDevice *device;

        for (uint32_t i = 0; i < stats->n_devices; i++)
                if (stats->devices[i].major == major && stats->devices[i].minor == minor)
                        return &stats->devices[i];
        if (stats->n_devices >= STATS_DEVICES_MAX)
                return NULL;
        device = &stats->devices[stats->n_devices++];
        *device = (StatsDevice){ .major = major, .minor = minor };
        return device;
}

static uint64_t *device_counter(StatsDevice *device, Stat stat)
{
        if (stat == STAT_IO_READ_BYTES)
                return &device->read_bytes;
        if (stat == STAT_IO_WRITE_BYTES)
                return &device->write_bytes;
        return stat == STAT_IO_READ_OPERATIONS ? &device->read_operations
                                               : &device->write_operations;
}

static void add_io(Stats *stats, uint32_t major, uint32_t minor, Stat stat, uint64_t value)
{
        StatsDevice *device = stats_get_device(stats, major, minor);

        stats_add(stats, stat, value);
        if (device) {
                uint64_t *counter = device_counter(device, stat);

                *counter = add_saturating(*counter, value);
        }
}

/* An empty file says that nothing was read or written, which is something to know. */
static void begin_io(Stats *stats, Stat read, Stat write)
{
        stats_add(stats, read, 0);
        stats_add(stats, write, 0);
}

void stats_parse_io(const char *text, Stats *stats)
{
        static const struct {
                const char *key;
                Stat stat;
        } keys[] = {
                { "rbytes=", STAT_IO_READ_BYTES },
                { "wbytes=", STAT_IO_WRITE_BYTES },
                { "rios=", STAT_IO_READ_OPERATIONS },
                { "wios=", STAT_IO_WRITE_OPERATIONS },
        };

        begin_io(stats, STAT_IO_READ_BYTES, STAT_IO_WRITE_BYTES);
        begin_io(stats, STAT_IO_READ_OPERATIONS, STAT_IO_WRITE_OPERATIONS);
        for (const char *line = text; *line; line = next_line(line)) {
                const char *p = line;
                uint32_t major, minor;

                if (!take_device(&p, &major, &minor))
                        continue;
                while (*p && *p != '\n') {
                        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                                uint64_t value;

                                if (!take_prefix(&p, keys[i].key))
                                        continue;
                                if (take_u64(&p, &value))
                                        add_io(stats, major, minor, keys[i].stat, value);
                                break;
                        }
                        p += strcspn(p, " \n");
                        p += *p == ' ';
                }
        }
}

void stats_parse_blkio(const char *text, int is_operations, Stats *stats)
{
        Stat read = is_operations ? STAT_IO_READ_OPERATIONS : STAT_IO_READ_BYTES;
        Stat write = is_operations ? STAT_IO_WRITE_OPERATIONS : STAT_IO_WRITE_BYTES;

        begin_io(stats, read, write);
        for (const char *line = text; *line; line = next_line(line)) {
                const char *p = line;
                uint32_t major, minor;
                uint64_t value;
                Stat stat;

                if (!take_device(&p, &major, &minor))
                        continue;
                if (take_prefix(&p, "Read "))
                        stat = read;
                else if (take_prefix(&p, "Write "))
                        stat = write;
                else
                        continue;
                if (parse_line_u64(p, &value) && value > 0)
                        add_io(stats, major, minor, stat, value);
        }
}

/* "12.34" percent: 1234. The kernel prints two digits. */
static int take_permyriad(const char **p, uint64_t *ret)
{
        const char *s = *p;
        uint64_t percent;

        if (!take_u64(&s, &percent) || percent > 100 || s[0] != '.' || s[1] < '0' || s[1] > '9' ||
            s[2] < '0' || s[2] > '9')
                return 0;
        *ret = percent * 100 + (uint64_t)(s[1] - '0') * 10 + (uint64_t)(s[2] - '0');
        *p = s + 3;
        return 1;
}

static void parse_pressure_line(const char *p, Stat total, Stat average, Stats *stats)
{
        uint64_t value;

        while (*p && *p != '\n') {
                if (take_prefix(&p, "avg10=")) {
                        if (take_permyriad(&p, &value))
                                stats_set(stats, average, value);
                } else if (take_prefix(&p, "total=")) {
                        if (take_u64(&p, &value))
                                stats_set(stats, total, value);
                }
                p += strcspn(p, " \n");
                p += *p == ' ';
        }
}

void stats_parse_pressure(const char *text, Stat some, Stats *stats)
{
        for (const char *line = text; *line; line = next_line(line)) {
                const char *p = line;

                if (take_prefix(&p, "some "))
                        parse_pressure_line(p, some, (Stat)(some + 1), stats);
                else if (take_prefix(&p, "full "))
                        parse_pressure_line(p, (Stat)(some + 2), (Stat)(some + 3), stats);
        }
}
