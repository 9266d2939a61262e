/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where things are is taken from systemd's conventions, and not from the mount table: systemd
 * mounts each v1 hierarchy at /sys/fs/cgroup/CONTROLLERS, and where several share one it leaves a
 * link of each one's name ("cpu" to "cpu,cpuacct"); in a hierarchy it keeps, a unit's group has the
 * same path as in its own. A host without systemd is none of ours, and a name is looked up by the
 * kernel faster than we could read a table of them. */

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "basic/parse.h"
#include "cgroup/cgroup.h"

#define MOUNT "/sys/fs/cgroup"
#define PROC_MAX_BYTES (64U << 10)
#define NUMBER_MAX_BYTES 64U
#define PATH_ROOM 4096

static const char *const mode_table[_CGROUP_MODE_MAX] = {
        [CGROUP_UNIFIED] = "unified",
        [CGROUP_HYBRID] = "hybrid",
        [CGROUP_LEGACY] = "legacy",
};

const char *cgroup_mode_to_string(CgroupMode mode)
{
        return (int)mode >= 0 && mode < _CGROUP_MODE_MAX ? mode_table[mode] : NULL;
}

CgroupMode cgroup_mode_from_string(const char *s)
{
        for (int i = 0; i < _CGROUP_MODE_MAX; i++)
                if (strcmp(mode_table[i], s) == 0)
                        return (CgroupMode)i;
        return _CGROUP_MODE_INVALID;
}

static int is_cgroup2(const char *path)
{
        struct statfs s;

        return statfs(path, &s) == 0 && s.f_type == CGROUP2_SUPER_MAGIC;
}

CgroupMode cgroup_mode(void)
{
        if (is_cgroup2(MOUNT))
                return CGROUP_UNIFIED;
        return is_cgroup2(MOUNT "/unified") ? CGROUP_HYBRID : CGROUP_LEGACY;
}

/* A line is "NUMBER:CONTROLLERS:PATH", and a container names parts of the path: only the first two
 * colons count. The kernel accepts no newline in a group's name. */
int cgroup_parse(CgroupMode mode, const char *text, char **ret)
{
        const char *found = NULL;
        char *copy;

        for (const char *line = text; line; line = strchr(line, '\n')) {
                line += *line == '\n';
                line += strspn(line, "0123456789");
                /* On v2 the name is not ours: of a host that keeps v1 hierarchies beside, of which
                 * we see but the processes' places. */
                if (mode != CGROUP_UNIFIED && strncmp(line, ":name=systemd:/", 15) == 0) {
                        found = line + 14;
                        break;
                }
                /* The unified one: the only one of v2, and in hybrid mode beside the named one. */
                if (strncmp(line, "::/", 3) == 0)
                        found = line + 2;
        }
        if (!found)
                return -ENODATA;
        copy = strndup(found, strcspn(found, "\n"));
        if (!copy)
                return -ENOMEM;
        *ret = copy;
        return 0;
}

int cgroup_cut(char *path, const char *unit)
{
        size_t size = strlen(unit);

        /* The first from the root is systemd's; what follows below is the container's to name. */
        for (char *p = path; (p = strstr(p, unit)); p += size)
                if (p > path && p[-1] == '/' && (p[size] == '/' || p[size] == 0)) {
                        p[size] = 0;
                        return 0;
                }
        return -ENODATA;
}

int cgroup_find(CgroupMode mode, uint32_t pid, const char *unit, char **ret)
{
        _drop_(drop_free) char *text = NULL, *group = NULL;
        char path[40];
        int r;

        (void)snprintf(path, sizeof(path), "/proc/%u/cgroup", pid);
        r = io_read_file(AT_FDCWD, path, PROC_MAX_BYTES, &text, NULL);
        if (r >= 0)
                r = cgroup_parse(mode, text, &group);
        if (r >= 0 && unit)
                r = cgroup_cut(group, unit);
        if (r < 0)
                return r;
        *ret = take_ptr(group);
        return 0;
}

/* The directory below the mount that is the root of the controller's hierarchy. */
static const char *hierarchy_name(CgroupMode mode, const char *controller)
{
        switch (mode) {
        case CGROUP_UNIFIED:
                return ".";
        case CGROUP_HYBRID:
                if (!*controller)
                        return "unified";
                break;
        case CGROUP_LEGACY:
                if (!*controller)
                        return "systemd";
                break;
        case _CGROUP_MODE_MAX:
        case _CGROUP_MODE_INVALID:
                break;
        }
        return strcmp(controller, "io") == 0 ? "blkio" : controller;
}

/* On v2 every group has a directory, and a controller only its files in it. Those of cpu.stat and
 * cgroup.freeze are always there. */
static int has_controller(int group_fd, const char *controller)
{
        static const char *const files[][2] = {
                { "memory", "memory.current" },
                { "pids", "pids.current" },
                { "io", "io.stat" },
                { "cpuset", "cpuset.cpus" },
        };

        for (size_t i = 0; i < ELEMENTSOF(files); i++)
                if (strcmp(files[i][0], controller) == 0)
                        return faccessat(group_fd, files[i][1], F_OK, 0) == 0;
        return 1;
}

/* The path is systemd's word or the kernel's; this keeps a mistake of ours inside the hierarchy. */
static int group_is_valid(const char *group)
{
        size_t n = strlen(group);

        return group[0] == '/' && !strstr(group, "/../") &&
               !(n >= 3 && strcmp(group + n - 3, "/..") == 0);
}

int cgroup_open_below(const char *mount, CgroupMode mode, const char *controller,
                      const char *control_group, int *ret_fd)
{
        const char *name = hierarchy_name(mode, controller);
        _drop_(drop_fd) int fd = -EBADF;
        char path[PATH_ROOM];
        int n;

        if (!group_is_valid(control_group) || strchr(controller, '/') || *controller == '.')
                return -EINVAL;
        n = snprintf(path, sizeof(path), "%s/%s%s", mount, name, control_group);
        if (n < 0 || (size_t)n >= sizeof(path))
                return -ENAMETOOLONG;
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0) {
                if (errno != ENOENT)
                        return -errno;
                (void)snprintf(path, sizeof(path), "%s/%s", mount, name);
                return access(path, F_OK) < 0 ? -EOPNOTSUPP : -ENOENT;
        }
        if (mode == CGROUP_UNIFIED && !has_controller(fd, controller))
                return -EOPNOTSUPP;
        *ret_fd = take_fd(&fd);
        return 0;
}

int cgroup_open(CgroupMode mode, const char *controller, const char *control_group, int *ret_fd)
{
        return cgroup_open_below(MOUNT, mode, controller, control_group, ret_fd);
}

int cgroup_read_u64(int group_fd, const char *file, uint64_t *ret)
{
        _drop_(drop_free) char *text = NULL;
        int r;

        r = io_read_file(group_fd, file, NUMBER_MAX_BYTES, &text, NULL);
        if (r < 0)
                return r == -EFBIG ? -EBADMSG : r;
        text[strcspn(text, "\n")] = 0;
        if (strcmp(text, "max") == 0) {
                *ret = UINT64_MAX;
                return 0;
        }
        return parse_u64(text, ret) < 0 ? -EBADMSG : 0;
}
