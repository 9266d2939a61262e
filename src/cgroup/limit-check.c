/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the files hold is what systemd made of a property: memory in whole pages, rounded down by
 * the kernel; a weight on v1 as shares, of which 1024 are the default that is 100 here; a quota for
 * a period that systemd chooses by the quota. A weight of I/O has a scale of its own for the one
 * scheduler that v1 and some kernels have, so of it only the file is asked for. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "basic/parse.h"
#include "cgroup/limit-check.h"

#define MOUNT "/sys/fs/cgroup"
#define CPU_DIRECTORY "/sys/devices/system/cpu"
#define FILE_MAX_BYTES (64U << 10)

typedef struct LimitFiles {
        const char *controller;
        const char *v1, *v2; /* NULL: there is none */
} LimitFiles;

static const LimitFiles files_table[_LIMIT_MAX] = {
        [LIMIT_MEMORY_MAX] = { "memory", "memory.limit_in_bytes", "memory.max" },
        [LIMIT_MEMORY_HIGH] = { "memory", NULL, "memory.high" },
        [LIMIT_MEMORY_SWAP_MAX] = { "memory", NULL, "memory.swap.max" },
        [LIMIT_CPU_WEIGHT] = { "cpu", "cpu.shares", "cpu.weight" },
        [LIMIT_CPU_QUOTA] = { "cpu", "cpu.cfs_quota_us", "cpu.max" },
        [LIMIT_TASKS_MAX] = { "pids", "pids.max", "pids.max" },
        [LIMIT_IO_WEIGHT] = { "io", "blkio.bfq.weight", "io.weight" },
};

static const LimitFiles device_files_table[_DEVICE_LIMIT_KIND_MAX] = {
        [DEVICE_LIMIT_READ_BANDWIDTH] = { "rbps", "blkio.throttle.read_bps_device", "io.max" },
        [DEVICE_LIMIT_WRITE_BANDWIDTH] = { "wbps", "blkio.throttle.write_bps_device", "io.max" },
        [DEVICE_LIMIT_READ_IOPS] = { "riops", "blkio.throttle.read_iops_device", "io.max" },
        [DEVICE_LIMIT_WRITE_IOPS] = { "wiops", "blkio.throttle.write_iops_device", "io.max" },
};

static int is_limit(const Limits *limits, Limit limit)
{
        return limit_is_of_scope(limit) && limits_has(limits, limit) &&
               limits->values[limit] != UINT64_MAX;
}

static int has_cpus(const Limits *limits)
{
        return limits->has_cpus && cpu_set_size(&limits->cpus) > 0;
}

/* Possible */

/* The words of the root's cgroup.controllers on v2; on v1 each has a directory. */
static int has_controller(const char *mount, CgroupMode mode, const char *controller)
{
        _drop_(drop_free) char *path = NULL, *text = NULL;
        size_t n = strlen(controller);

        if (mode != CGROUP_UNIFIED) {
                if (asprintf(&path, "%s/%s", mount,
                             strcmp(controller, "io") == 0 ? "blkio" : controller) < 0) {
                        path = NULL;
                        return 0;
                }
                return access(path, F_OK) == 0;
        }
        if (asprintf(&path, "%s/cgroup.controllers", mount) < 0) {
                path = NULL;
                return 0;
        }
        if (io_read_file(AT_FDCWD, path, FILE_MAX_BYTES, &text, NULL) < 0)
                return 0;
        for (char *p = text; (p = strstr(p, controller)); p += n)
                if ((p == text || p[-1] == ' ') && strchr(" \n", p[n]))
                        return 1;
        return 0;
}

static int check_controller(const char *mount, CgroupMode mode, const char *name,
                            const LimitFiles *files, const char *controller, Fault *fault)
{
        if (mode != CGROUP_UNIFIED && !files->v1)
                return fault_set(fault, FAULT_NOT_SUPPORTED, -EOPNOTSUPP,
                                 "%s: needs cgroup v2; this host is booted with v1 (%s), where "
                                 "systemd would not apply it",
                                 name, cgroup_mode_to_string(mode));
        if (!has_controller(mount, mode, controller))
                return fault_set(fault, FAULT_NOT_SUPPORTED, -EOPNOTSUPP,
                                 "%s: this host has no cgroup controller '%s'", name, controller);
        return 0;
}

static int check_cpus(const char *cpu, const Limits *limits, Fault *fault)
{
        _drop_(drop_free) char *path = NULL, *text = NULL;
        CpuSet online;
        int r, missing;

        if (asprintf(&path, "%s/online", cpu) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        r = io_read_file(AT_FDCWD, path, FILE_MAX_BYTES, &text, NULL);
        if (r >= 0)
                r = cpu_set_parse(text, &online);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, LIMIT_NAME_CPUS ": cannot read %s: %m",
                                 path);
        missing = cpu_set_first_beyond(&limits->cpus, &online);
        if (missing < 0)
                return 0;
        text[strcspn(text, "\n")] = 0;
        return fault_set(fault, FAULT_INVALID, -EINVAL,
                         LIMIT_NAME_CPUS ": there is no processor %d; this host has %.128s",
                         missing, text);
}

static int check_devices(const char *mount, CgroupMode mode, const DeviceLimits *devices,
                         Fault *fault)
{
        for (size_t i = 0; i < devices->n_items; i++) {
                const DeviceLimit *item = &devices->items[i];
                const char *name = device_limit_kind_to_string(item->kind);
                struct stat st;
                int r;

                if (item->value == UINT64_MAX)
                        continue;
                r = check_controller(mount, mode, name, &device_files_table[item->kind], "io",
                                     fault);
                if (r < 0)
                        return r;
                if (stat(item->node, &st) < 0)
                        return fault_set(fault, FAULT_INVALID, -EINVAL, "%s: %.128s: %s", name,
                                         item->node, strerror(errno));
                if (!S_ISBLK(st.st_mode))
                        return fault_set(fault, FAULT_INVALID, -EINVAL,
                                         "%s: %.128s is not a block device", name, item->node);
        }
        return 0;
}

int limit_check_possible_below(const char *mount, const char *cpu, CgroupMode mode,
                               const Limits *limits, Fault *fault)
{
        static const LimitFiles cpuset = { "cpuset", NULL, "cpuset.cpus" };
        int r;

        for (int i = 0; i < _LIMIT_MAX; i++) {
                if (!is_limit(limits, (Limit)i))
                        continue;
                r = check_controller(mount, mode, limit_to_string((Limit)i), &files_table[i],
                                     files_table[i].controller, fault);
                if (r < 0)
                        return r;
        }
        if (has_cpus(limits)) {
                r = check_controller(mount, mode, LIMIT_NAME_CPUS, &cpuset, "cpuset", fault);
                if (r >= 0)
                        r = check_cpus(cpu, limits, fault);
                if (r < 0)
                        return r;
        }
        return check_devices(mount, mode, &limits->devices, fault);
}

int limit_check_possible(CgroupMode mode, const Limits *limits, Fault *fault)
{
        return limit_check_possible_below(MOUNT, CPU_DIRECTORY, mode, limits, fault);
}

/* Applied: parsing */

static uint64_t parse_value(const char *text)
{
        char number[24];
        size_t n = strcspn(text, " \n");
        uint64_t value;

        if (n >= sizeof(number))
                return UINT64_MAX;
        memcpy(number, text, n);
        number[n] = 0;
        return parse_u64(number, &value) < 0 ? UINT64_MAX : value;
}

uint64_t limit_check_find_device(const char *text, unsigned major_number, unsigned minor_number,
                                 const char *key)
{
        char head[32];
        size_t n = (size_t)snprintf(head, sizeof(head), "%u:%u ", major_number, minor_number);

        for (const char *line = text; line; line = strchr(line, '\n')) {
                line += *line == '\n';
                if (strncmp(line, head, n) != 0)
                        continue;
                line += n;
                if (!key)
                        return parse_value(line);
                n = strlen(key);
                for (; *line && *line != '\n'; line += strcspn(line, " \n"), line += *line == ' ')
                        if (strncmp(line, key, n) == 0 && line[n] == '=')
                                return parse_value(line + n + 1);
                return UINT64_MAX;
        }
        return UINT64_MAX;
}

static uint64_t quota_per_sec(uint64_t quota, uint64_t period)
{
        if (quota == UINT64_MAX || period == 0 || quota > UINT64_MAX / USEC_PER_SEC)
                return UINT64_MAX;
        return quota * USEC_PER_SEC / period;
}

uint64_t limit_check_parse_cpu_max(const char *text)
{
        const char *period = strchr(text, ' ');
        uint64_t usec = period ? parse_value(period + 1) : UINT64_MAX;

        return usec == UINT64_MAX ? UINT64_MAX : quota_per_sec(parse_value(text), usec);
}

/* Applied: reading */

typedef struct Check {
        const char *mount;
        CgroupMode mode;
        const char *group;
} Check;

static int read_text(const Check *check, const char *controller, const char *file, char **ret)
{
        _drop_(drop_fd) int fd = -EBADF;
        int r;

        r = cgroup_open_below(check->mount, check->mode, controller, check->group, &fd);
        return r < 0 ? r : io_read_file(fd, file, FILE_MAX_BYTES, ret, NULL);
}

static int read_number(const Check *check, const char *controller, const char *file, uint64_t *ret)
{
        _drop_(drop_free) char *text = NULL;
        int r = read_text(check, controller, file, &text);

        if (r >= 0)
                *ret = parse_value(text);
        return r;
}

/* The limit as the kernel has it, in our unit; UINT64_MAX: none. */
static int read_limit(const Check *check, Limit limit, uint64_t *ret)
{
        const LimitFiles *files = &files_table[limit];
        int is_v2 = check->mode == CGROUP_UNIFIED;
        _drop_(drop_free) char *text = NULL;
        uint64_t period = 0;
        int r;

        r = read_text(check, files->controller, is_v2 ? files->v2 : files->v1, &text);
        if (r < 0)
                return r;
        *ret = parse_value(text);
        if (limit == LIMIT_CPU_QUOTA && is_v2) {
                *ret = limit_check_parse_cpu_max(text);
        } else if (limit == LIMIT_CPU_QUOTA) {
                r = read_number(check, "cpu", "cpu.cfs_period_us", &period);
                *ret = quota_per_sec(*ret, period);
        } else if (limit == LIMIT_MEMORY_MAX && *ret >= UINT64_C(1) << 62) {
                *ret = UINT64_MAX; /* v1 has no word for it */
        }
        return r;
}

static int is_as_wanted(const Check *check, Limit limit, uint64_t wanted, uint64_t value)
{
        uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

        switch (limit) {
        case LIMIT_MEMORY_MAX:
        case LIMIT_MEMORY_HIGH:
        case LIMIT_MEMORY_SWAP_MAX:
                return wanted == UINT64_MAX ? value == UINT64_MAX : value == wanted / page * page;
        case LIMIT_CPU_WEIGHT:
                return value == (check->mode == CGROUP_UNIFIED
                                         ? wanted
                                         : MAX2(wanted * 1024 / 100, UINT64_C(2)));
        case LIMIT_CPU_QUOTA:
                /* Of whole microseconds in a period of at most a second; a thousandth is far less
                 * than the kernel's own slices. */
                return wanted == UINT64_MAX
                               ? value == UINT64_MAX
                               : value <= wanted + wanted / 1000 && value + wanted / 1000 >= wanted;
        case LIMIT_TASKS_MAX:
                return value == wanted;
        case LIMIT_IO_WEIGHT:
        case LIMIT_DISK_MAX:
        case LIMIT_DISK_INODES_MAX:
        case _LIMIT_MAX:
        case _LIMIT_INVALID:
                break;
        }
        return 1;
}

static int fail_value(const Check *check, Limit limit, uint64_t wanted, uint64_t value,
                      Fault *fault)
{
        const char *name = limit_to_string(limit);
        uint64_t usage;
        int is_v2 = check->mode == CGROUP_UNIFIED;

        if (limit == LIMIT_MEMORY_MAX &&
            read_number(check, "memory", is_v2 ? "memory.current" : "memory.usage_in_bytes",
                        &usage) >= 0 &&
            usage > wanted)
                return fault_set(fault, FAULT_FAILED, -EBUSY,
                                 "%s: %" PRIu64 " bytes are in use and cannot be reclaimed down to "
                                 "%" PRIu64 "; the limit stays as it was",
                                 name, usage, wanted);
        return fault_set(fault, FAULT_FAILED, -EIO,
                         "%s: systemd took %" PRIu64 ", but the kernel has %" PRIu64, name, wanted,
                         value);
}

static int fail_read(const Check *check, const char *name, int error, Fault *fault)
{
        if (error == -ENOENT || error == -EOPNOTSUPP)
                return fault_set(fault, FAULT_NOT_SUPPORTED, -EOPNOTSUPP,
                                 "%s: the kernel of this host has no such limit for the group %s",
                                 name, check->group);
        return fault_set(fault, FAULT_FAILED, error, "%s: cannot be read back: %m", name);
}

/* Either file will do where a kernel may have one of two schedulers. */
static int check_io_weight(const Check *check)
{
        static const char *const names[][2] = { { "blkio.bfq.weight", "blkio.weight" },
                                                { "io.weight", "io.bfq.weight" } };
        int is_v2 = check->mode == CGROUP_UNIFIED, r = -ENOENT;

        for (int i = 0; i < 2 && r == -ENOENT; i++) {
                _drop_(drop_free) char *text = NULL;

                r = read_text(check, "io", names[is_v2][i], &text);
        }
        return r;
}

static int check_number(const Check *check, Limit limit, uint64_t wanted, Fault *fault)
{
        uint64_t value = 0;
        int r;

        r = limit == LIMIT_IO_WEIGHT ? check_io_weight(check) : read_limit(check, limit, &value);
        if (r < 0)
                return fail_read(check, limit_to_string(limit), r, fault);
        return is_as_wanted(check, limit, wanted, value)
                       ? 0
                       : fail_value(check, limit, wanted, value, fault);
}

static int check_group_cpus(const Check *check, const CpuSet *wanted, Fault *fault)
{
        _drop_(drop_free) char *text = NULL;
        CpuSet cpus;
        int r;

        r = read_text(check, "cpuset", "cpuset.cpus", &text);
        if ((r == -ENOENT || r == -EOPNOTSUPP) && cpu_set_size(wanted) == 0)
                return 0;
        if (r < 0)
                return fail_read(check, LIMIT_NAME_CPUS, r, fault);
        /* systemd 252 writes no empty list, so that the last one stays. */
        if (cpu_set_size(wanted) == 0 && text[strspn(text, " \n")])
                return fault_set(fault, FAULT_NOT_SUPPORTED, -EOPNOTSUPP,
                                 LIMIT_NAME_CPUS ": systemd does not take them back from a running "
                                                 "container; name all processors instead");
        if (cpu_set_parse(text, &cpus) < 0 || !cpu_set_is_equal(&cpus, wanted))
                return fault_set(fault, FAULT_FAILED, -EIO,
                                 LIMIT_NAME_CPUS ": systemd took them, but the kernel has '%.64s'",
                                 text);
        return 0;
}

/* systemd limits the whole disk where a partition is named. */
static dev_t whole_disk(dev_t device)
{
        _drop_(drop_free) char *text = NULL;
        unsigned disk_major, disk_minor;
        char path[64];

        (void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/partition", major(device),
                       minor(device));
        if (access(path, F_OK) < 0)
                return device;
        (void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/../dev", major(device),
                       minor(device));
        if (io_read_file(AT_FDCWD, path, 64, &text, NULL) < 0 ||
            sscanf(text, "%u:%u", &disk_major, &disk_minor) != 2)
                return device;
        return makedev(disk_major, disk_minor);
}

static int check_device(const Check *check, const DeviceLimit *item, Fault *fault)
{
        const LimitFiles *files = &device_files_table[item->kind];
        const char *name = device_limit_kind_to_string(item->kind);
        int is_v2 = check->mode == CGROUP_UNIFIED, r;
        _drop_(drop_free) char *text = NULL;
        struct stat st;
        uint64_t value;
        dev_t device;

        if (stat(item->node, &st) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "%s: %.128s: %m", name, item->node);
        r = read_text(check, "io", is_v2 ? files->v2 : files->v1, &text);
        if (r < 0)
                return fail_read(check, name, r, fault);
        device = whole_disk(st.st_rdev);
        value = limit_check_find_device(text, major(device), minor(device),
                                        is_v2 ? files->controller : NULL);
        if (value != item->value)
                return fault_set(fault, FAULT_FAILED, -EIO,
                                 "%s: systemd took %" PRIu64 " for %.128s, but the kernel has "
                                 "%" PRIu64,
                                 name, item->value, item->node, value);
        return 0;
}

int limit_check_applied_below(const char *mount, CgroupMode mode, const char *control_group,
                              const Limits *limits, Fault *fault)
{
        const Check check = { mount, mode, control_group };
        int r = 0;

        for (int i = 0; i < _LIMIT_MAX && r >= 0; i++)
                if (is_limit(limits, (Limit)i))
                        r = check_number(&check, (Limit)i, limits->values[i], fault);
        if (r >= 0 && limits->has_cpus)
                r = check_group_cpus(&check, &limits->cpus, fault);
        for (size_t i = 0; i < limits->devices.n_items && r >= 0; i++)
                if (limits->devices.items[i].value != UINT64_MAX)
                        r = check_device(&check, &limits->devices.items[i], fault);
        return r;
}

int limit_check_applied(CgroupMode mode, const char *control_group, const Limits *limits,
                        Fault *fault)
{
        return limit_check_applied_below(MOUNT, mode, control_group, limits, fault);
}
