/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which file tells what. Each is read with one open, one read and one close into one buffer: kept
 * open, every file would hold a page of the kernel's, twenty a container.
 *
 * The groups are those that systemd made. What the container makes below is counted in them by the
 * kernel, so that however much it makes there is not one more file to read. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "basic/fd.h"
#include "cgroup/stats-parse.h"

/* The longest are io.stat and the like, a line for each device of the host. What is longer is cut
 * off after a whole line. */
#define FILE_ROOM (64U << 10)

typedef enum FileKind {
        FILE_NUMBER,
        FILE_KEYED,
        FILE_CPU_MAX,
        FILE_IO,
        FILE_BLKIO,
        FILE_PRESSURE,
} FileKind;

typedef struct StatsFile {
        const char *name;
        FileKind kind;
        Stat stat; /* NUMBER: which, PRESSURE: the first, BLKIO: anything of operations or bytes */
        const StatsKey *keys;
} StatsFile;

static const StatsKey v2_memory_keys[] = {
        { "anon", STAT_MEMORY_ANON },
        { "file", STAT_MEMORY_FILE },
        { "kernel", STAT_MEMORY_KERNEL },
        { "shmem", STAT_MEMORY_SHMEM },
        { "inactive_file", STAT_MEMORY_INACTIVE_FILE },
        { NULL },
};

static const StatsKey v1_memory_keys[] = {
        { "total_rss", STAT_MEMORY_ANON },
        { "total_cache", STAT_MEMORY_FILE },
        { "total_shmem", STAT_MEMORY_SHMEM },
        { "total_inactive_file", STAT_MEMORY_INACTIVE_FILE },
        { "total_swap", STAT_MEMORY_SWAP_CURRENT },
        { NULL },
};

static const StatsKey oom_keys[] = { { "oom_kill", STAT_OOM_KILLS }, { NULL } };

static const StatsKey v2_cpu_keys[] = {
        { "usage_usec", STAT_CPU_USAGE, .multiply = 1000 },
        { "user_usec", STAT_CPU_USER, .multiply = 1000 },
        { "system_usec", STAT_CPU_SYSTEM, .multiply = 1000 },
        { "nr_periods", STAT_CPU_PERIODS },
        { "nr_throttled", STAT_CPU_THROTTLED_PERIODS },
        { "throttled_usec", STAT_CPU_THROTTLED },
        { NULL },
};

static const StatsKey v1_cpu_keys[] = {
        { "nr_periods", STAT_CPU_PERIODS },
        { "nr_throttled", STAT_CPU_THROTTLED_PERIODS },
        { "throttled_time", STAT_CPU_THROTTLED, .divide = 1000 },
        { NULL },
};

static const StatsFile v2_files[] = {
        { "memory.current", FILE_NUMBER, STAT_MEMORY_CURRENT },
        { "memory.peak", FILE_NUMBER, STAT_MEMORY_PEAK },
        { "memory.swap.current", FILE_NUMBER, STAT_MEMORY_SWAP_CURRENT },
        { "memory.max", FILE_NUMBER, STAT_MEMORY_MAX },
        { "memory.high", FILE_NUMBER, STAT_MEMORY_HIGH },
        { "memory.swap.max", FILE_NUMBER, STAT_MEMORY_SWAP_MAX },
        { "memory.stat", FILE_KEYED, .keys = v2_memory_keys },
        { "memory.events", FILE_KEYED, .keys = oom_keys },
        { "cpu.stat", FILE_KEYED, .keys = v2_cpu_keys },
        { "cpu.max", FILE_CPU_MAX },
        { "pids.current", FILE_NUMBER, STAT_TASKS_CURRENT },
        { "pids.max", FILE_NUMBER, STAT_TASKS_MAX },
        { "io.stat", FILE_IO },
        { "memory.pressure", FILE_PRESSURE, STAT_MEMORY_PRESSURE_SOME },
        { "cpu.pressure", FILE_PRESSURE, STAT_CPU_PRESSURE_SOME },
        { "io.pressure", FILE_PRESSURE, STAT_IO_PRESSURE_SOME },
        { NULL },
};

static const StatsFile v1_memory_files[] = {
        { "memory.usage_in_bytes", FILE_NUMBER, STAT_MEMORY_CURRENT },
        { "memory.max_usage_in_bytes", FILE_NUMBER, STAT_MEMORY_PEAK },
        { "memory.kmem.usage_in_bytes", FILE_NUMBER, STAT_MEMORY_KERNEL },
        { "memory.limit_in_bytes", FILE_NUMBER, STAT_MEMORY_MAX },
        { "memory.stat", FILE_KEYED, .keys = v1_memory_keys },
        { "memory.oom_control", FILE_KEYED, .keys = oom_keys },
        { NULL },
};

static const StatsFile v1_cpu_files[] = {
        { "cpu.stat", FILE_KEYED, .keys = v1_cpu_keys },
        { NULL },
};

static const StatsFile v1_cpuacct_files[] = {
        { "cpuacct.usage", FILE_NUMBER, STAT_CPU_USAGE },
        { "cpuacct.usage_user", FILE_NUMBER, STAT_CPU_USER },
        { "cpuacct.usage_sys", FILE_NUMBER, STAT_CPU_SYSTEM },
        { NULL },
};

static const StatsFile v1_pids_files[] = {
        { "pids.current", FILE_NUMBER, STAT_TASKS_CURRENT },
        { "pids.max", FILE_NUMBER, STAT_TASKS_MAX },
        { NULL },
};

/* With the groups below. */
static const StatsFile v1_blkio_files[] = {
        { "blkio.throttle.io_service_bytes_recursive", FILE_BLKIO, STAT_IO_READ_BYTES },
        { "blkio.throttle.io_serviced_recursive", FILE_BLKIO, STAT_IO_READ_OPERATIONS },
        { NULL },
};

/* Returns 0 and a string; negative errno. */
static int read_text(int dir_fd, const char *name, char *text, size_t room)
{
        _drop_(drop_fd) int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        ssize_t n;

        if (fd < 0)
                return -errno;
        n = read(fd, text, room - 1);
        if (n < 0)
                return -errno;
        text[n] = 0;
        if ((size_t)n == room - 1) {
                char *end = strrchr(text, '\n');

                if (end)
                        end[1] = 0;
        }
        return 0;
}

static void parse_file(const StatsFile *file, const char *text, Stats *stats)
{
        switch (file->kind) {
        case FILE_NUMBER:
                stats_parse_number(text, file->stat, stats);
                break;
        case FILE_KEYED:
                stats_parse_keyed(text, file->keys, stats);
                break;
        case FILE_CPU_MAX:
                stats_parse_cpu_max(text, stats);
                break;
        case FILE_IO:
                stats_parse_io(text, stats);
                break;
        case FILE_BLKIO:
                stats_parse_blkio(text, file->stat == STAT_IO_READ_OPERATIONS, stats);
                break;
        case FILE_PRESSURE:
                stats_parse_pressure(text, file->stat, stats);
                break;
        }
}

/* What is not there or cannot be read is not known: memory.peak is newer than some kernels, and the
 * pressure files answer EOPNOTSUPP where the kernel was told not to look. */
static void read_files(int dir_fd, const StatsFile *files, Stats *stats)
{
        char text[FILE_ROOM];

        for (; files->name; files++)
                if (read_text(dir_fd, files->name, text, sizeof(text)) >= 0)
                        parse_file(files, text, stats);
}

static int read_controller(const char *mount, CgroupMode mode, const char *controller,
                           const char *control_group, const StatsFile *files, Stats *stats)
{
        _drop_(drop_fd) int fd = -EBADF;
        int r;

        r = cgroup_open_below(mount, mode, controller, control_group, &fd);
        if (r < 0)
                return r;
        read_files(fd, files, stats);
        return 0;
}

static void read_v1_cpu(const char *mount, CgroupMode mode, const char *control_group, Stats *stats)
{
        _drop_(drop_fd) int fd = -EBADF;
        char quota[64], period[64];

        if (cgroup_open_below(mount, mode, "cpu", control_group, &fd) < 0)
                return;
        read_files(fd, v1_cpu_files, stats);
        if (read_text(fd, "cpu.cfs_quota_us", quota, sizeof(quota)) >= 0 &&
            read_text(fd, "cpu.cfs_period_us", period, sizeof(period)) >= 0)
                stats_parse_cfs(quota, period, stats);
}

/* A controller that systemd does not use for the group has its processes further up, and counts
 * that are others'. They are in no group of this path, and so not read. */
static int read_v1(const char *mount, CgroupMode mode, const char *control_group, Stats *stats)
{
        static const StatsFile no_files[] = { { NULL } };
        static const StatsFile cpu_stat[] = { { "cpu.stat", FILE_KEYED, .keys = v2_cpu_keys },
                                              { NULL } };
        static const struct {
                const char *controller;
                const StatsFile *files;
        } controllers[] = {
                { "memory", v1_memory_files },
                { "cpuacct", v1_cpuacct_files },
                { "pids", v1_pids_files },
                { "blkio", v1_blkio_files },
        };
        /* cgroup v2 counts CPU time in every group, with or without a controller: where hybrid mode
         * has no other count, because cpu and cpuacct are not mounted together. */
        int has_v2 = mode == CGROUP_HYBRID;
        int r;

        r = read_controller(mount, mode, "", control_group, has_v2 ? cpu_stat : no_files, stats);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(controllers); i++)
                (void)read_controller(mount, mode, controllers[i].controller, control_group,
                                      controllers[i].files, stats);
        read_v1_cpu(mount, mode, control_group, stats);
        return 0;
}

int stats_read_group_below(const char *mount, CgroupMode mode, const char *control_group,
                           Stats *stats)
{
        if (mode == CGROUP_UNIFIED)
                return read_controller(mount, mode, "", control_group, v2_files, stats);
        return read_v1(mount, mode, control_group, stats);
}

int stats_read_group(CgroupMode mode, const char *control_group, Stats *stats)
{
        return stats_read_group_below("/sys/fs/cgroup", mode, control_group, stats);
}

int stats_read_interface_below(const char *directory, const char *name, Stats *stats)
{
        static const StatsFile files[] = {
                { "tx_bytes", FILE_NUMBER, STAT_NETWORK_RECEIVE_BYTES },
                { "rx_bytes", FILE_NUMBER, STAT_NETWORK_TRANSMIT_BYTES },
                { "tx_packets", FILE_NUMBER, STAT_NETWORK_RECEIVE_PACKETS },
                { "rx_packets", FILE_NUMBER, STAT_NETWORK_TRANSMIT_PACKETS },
                { "tx_dropped", FILE_NUMBER, STAT_NETWORK_RECEIVE_DROPPED },
                { "rx_dropped", FILE_NUMBER, STAT_NETWORK_TRANSMIT_DROPPED },
                { NULL },
        };
        _drop_(drop_fd) int fd = -EBADF;
        char path[256];
        int n;

        if (!*name || strchr(name, '/') || name[0] == '.')
                return -EINVAL;
        n = snprintf(path, sizeof(path), "%s/%s/statistics", directory, name);
        if (n < 0 || (size_t)n >= sizeof(path))
                return -EINVAL;
        /* The interface's name is a link of sysfs. */
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        read_files(fd, files, stats);
        return 0;
}

int stats_read_interface(const char *name, Stats *stats)
{
        return stats_read_interface_below("/sys/class/net", name, stats);
}
