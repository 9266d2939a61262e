/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cgroup/stats.h"

/* The texts of the kernel's files for stats.h. Each parser adds what it understands and passes over
 * what it does not: kernels add lines and keys. Texts are NUL-terminated. Numbers that do not fit
 * into 64 bits are left out. */

/* One line "KEY VALUE" of a file that has many. */
typedef struct StatsKey {
        const char *key;
        Stat stat;
        uint64_t multiply, divide; /* from the file's unit to ours; 0 is 1 */
} StatsKey;

/* @keys   ended by one without a key */
void stats_parse_keyed(const char *text, const StatsKey *keys, Stats *stats);

/* A file with one number, or "max", or on v1 a number near 2^63: both are no limit, UINT64_MAX. */
void stats_parse_number(const char *text, Stat stat, Stats *stats);

/* cpu.max of v2: "QUOTA PERIOD", and cpu.cfs_quota_us and cpu.cfs_period_us of v1. */
void stats_parse_cpu_max(const char *text, Stats *stats);
void stats_parse_cfs(const char *quota, const char *period, Stats *stats);

/* io.stat of v2: "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6". */
void stats_parse_io(const char *text, Stats *stats);

/* blkio.throttle.io_service_bytes and …io_serviced of v1: "8:0 Read 1".
 * @is_operations   it is the second of these */
void stats_parse_blkio(const char *text, int is_operations, Stats *stats);

/* memory.pressure and its like: "some avg10=0.12 avg60=0.00 avg300=0.00 total=345".
 * @some   the first of the resource's four */
void stats_parse_pressure(const char *text, Stat some, Stats *stats);
