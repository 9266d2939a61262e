/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The group is frozen first and filled then: a process that comes into a frozen group is frozen,
 * and forks no more, so that even a container that does nothing but fork is caught up with. What a
 * process forks before it is moved is not in the group, and found in the next round.
 *
 * The kernel tells nobody when the last one stands still. Processes freeze on their way back from
 * the kernel, which is at once but for those in an uninterruptible sleep, so a worker looks for the
 * little while that it takes. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "cgroup/freezer.h"

#define MOUNT "/sys/fs/cgroup"
#define PROCS_MAX_BYTES (1U << 20)
#define STATE_MAX_BYTES 64U
#define DEPTH_MAX 16
#define LOOK_NSEC 1000000

static int is_over(uint64_t deadline_usec)
{
        return io_now_monotonic_usec() >= deadline_usec;
}

/* The slices above have no group there, either. */
static int make_groups(const char *mount, CgroupMode mode, const char *control_group, int *ret_fd)
{
        _drop_(drop_fd) int fd = -EBADF;
        char name[NAME_MAX + 1];
        int r;

        r = cgroup_open_below(mount, mode, "freezer", "/", &fd);
        if (r < 0)
                return r;
        for (const char *p = control_group; *p;) {
                size_t n;
                int next;

                p += strspn(p, "/");
                n = strcspn(p, "/");
                if (n == 0)
                        break;
                if (n > NAME_MAX)
                        return -ENAMETOOLONG;
                memcpy(name, p, n);
                name[n] = 0;
                next = io_mkdir_open(fd, name, 0755);
                if (next < 0)
                        return next;
                fd_close(fd);
                fd = next;
                p += n;
        }
        *ret_fd = take_fd(&fd);
        return 0;
}

/* One round over a group. Returns how many processes were moved. */
static int move_group(int group_fd, int freezer_fd, const char *inside, uint64_t deadline_usec)
{
        _drop_(drop_free) char *text = NULL;
        char *rest, *pid, line[16];
        int n = 0, r;

        r = io_read_file(group_fd, "cgroup.procs", PROCS_MAX_BYTES, &text, NULL);
        if (r < 0)
                return r == -ENOENT || r == -ENODEV ? 0 : r;
        rest = text;
        while ((pid = strsep(&rest, "\n"))) {
                if (!*pid)
                        continue;
                /* Both lists have one pid a line; ours begins with a newline, too. */
                if (snprintf(line, sizeof(line), "\n%s\n", pid) >= (int)sizeof(line))
                        return -EBADMSG;
                if (strstr(inside, line))
                        continue;
                if (is_over(deadline_usec))
                        return -ETIMEDOUT;
                r = io_write_string(freezer_fd, "cgroup.procs", pid);
                if (r < 0 && r != -ESRCH)
                        return r;
                n++;
        }
        return n;
}

static int move_tree(int group_fd, int freezer_fd, const char *inside, uint64_t deadline_usec,
                     int depth)
{
        struct dirent *entry;
        int n, fd;
        DIR *dir;

        n = move_group(group_fd, freezer_fd, inside, deadline_usec);
        if (n < 0 || depth >= DEPTH_MAX)
                return n;
        fd = openat(group_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        dir = fd >= 0 ? fdopendir(fd) : NULL;
        if (!dir) {
                fd_close(fd);
                return n;
        }
        while ((entry = readdir(dir))) {
                _drop_(drop_fd) int below_fd = -EBADF;
                int r;

                if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
                        continue;
                below_fd = openat(group_fd, entry->d_name,
                                  O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
                if (below_fd < 0)
                        continue;
                r = move_tree(below_fd, freezer_fd, inside, deadline_usec, depth + 1);
                if (r < 0) {
                        (void)closedir(dir);
                        return r;
                }
                n += r;
        }
        (void)closedir(dir);
        return n;
}

/* Until a round finds nobody outside. */
static int move_all(const char *mount, CgroupMode mode, const char *control_group, int freezer_fd,
                    uint64_t deadline_usec)
{
        _drop_(drop_fd) int group_fd = -EBADF;
        int n;

        n = cgroup_open_below(mount, mode, "", control_group, &group_fd);
        if (n < 0)
                return n;
        do {
                _drop_(drop_free) char *procs = NULL, *inside = NULL;

                n = io_read_file(freezer_fd, "cgroup.procs", PROCS_MAX_BYTES, &procs, NULL);
                if (n < 0)
                        return n;
                if (asprintf(&inside, "\n%s", procs) < 0) {
                        inside = NULL;
                        return -ENOMEM;
                }
                n = move_tree(group_fd, freezer_fd, inside, deadline_usec, 0);
        } while (n > 0);
        return n;
}

/* "THAWED", "FREEZING" or "FROZEN"; reading it makes the kernel look. */
static int read_state(int freezer_fd, char **ret)
{
        int r = io_read_file(freezer_fd, "freezer.state", STATE_MAX_BYTES, ret, NULL);

        if (r >= 0)
                (*ret)[strcspn(*ret, "\n")] = 0;
        return r;
}

static int wait_until_frozen(int freezer_fd, uint64_t deadline_usec)
{
        for (;;) {
                _drop_(drop_free) char *state = NULL;
                int r;

                r = read_state(freezer_fd, &state);
                if (r < 0)
                        return r;
                if (strcmp(state, "FROZEN") == 0)
                        return 0;
                if (is_over(deadline_usec))
                        return -ETIMEDOUT;
                /* Once more: who was running when it was asked, and then waited in vfork() for a
                 * child that stands still already, is frozen only when it is asked again. */
                r = io_write_string(freezer_fd, "freezer.state", "FROZEN");
                if (r < 0)
                        return r;
                (void)nanosleep(&(struct timespec){ .tv_nsec = LOOK_NSEC }, NULL);
        }
}

void freezer_remove_below(const char *mount, CgroupMode mode, const char *control_group)
{
        int n_top = (int)strlen(mount) + (int)strlen("/freezer/");
        char path[PATH_MAX];
        int n;

        n = snprintf(path, sizeof(path), "%s/freezer%s", mount, control_group);
        if (mode == CGROUP_UNIFIED || n < 0 || (size_t)n >= sizeof(path))
                return;
        /* And the slices above, as long as nobody else is in them. */
        while (n > n_top && rmdir(path) >= 0) {
                *strrchr(path, '/') = 0;
                n = (int)strlen(path);
        }
}

int freezer_freeze_below(const char *mount, CgroupMode mode, const char *control_group,
                         uint64_t deadline_usec)
{
        _drop_(drop_fd) int fd = -EBADF;
        int r;

        r = make_groups(mount, mode, control_group, &fd);
        if (r >= 0)
                r = io_write_string(fd, "freezer.state", "FROZEN");
        if (r >= 0)
                r = move_all(mount, mode, control_group, fd, deadline_usec);
        if (r >= 0)
                r = wait_until_frozen(fd, deadline_usec);
        if (r < 0 && fd >= 0) {
                (void)io_write_string(fd, "freezer.state", "THAWED");
                freezer_remove_below(mount, mode, control_group); /* if the unit has ended */
        }
        return r;
}

int freezer_thaw_below(const char *mount, CgroupMode mode, const char *control_group)
{
        _drop_(drop_fd) int fd = -EBADF;
        int r;

        r = cgroup_open_below(mount, mode, "freezer", control_group, &fd);
        if (r >= 0)
                r = io_write_string(fd, "freezer.state", "THAWED");
        return r == -ENOENT || r == -ENODEV || r == -EOPNOTSUPP ? 0 : r;
}

int freezer_is_frozen_below(const char *mount, CgroupMode mode, const char *control_group)
{
        _drop_(drop_free) char *state = NULL;
        _drop_(drop_fd) int fd = -EBADF;
        uint64_t value;
        int r;

        r = cgroup_open_below(mount, mode, mode == CGROUP_UNIFIED ? "" : "freezer", control_group,
                              &fd);
        if (r < 0)
                return mode != CGROUP_UNIFIED && (r == -ENOENT || r == -EOPNOTSUPP) ? 0 : r;
        if (mode == CGROUP_UNIFIED) {
                r = cgroup_read_u64(fd, "cgroup.freeze", &value);
                return r < 0 ? r : value != 0;
        }
        r = read_state(fd, &state);
        return r < 0 ? r : strcmp(state, "THAWED") != 0;
}

int freezer_freeze(CgroupMode mode, const char *control_group, uint64_t deadline_usec)
{
        return freezer_freeze_below(MOUNT, mode, control_group, deadline_usec);
}

int freezer_thaw(CgroupMode mode, const char *control_group)
{
        return freezer_thaw_below(MOUNT, mode, control_group);
}

void freezer_remove(CgroupMode mode, const char *control_group)
{
        freezer_remove_below(MOUNT, mode, control_group);
}

int freezer_is_frozen(CgroupMode mode, const char *control_group)
{
        return freezer_is_frozen_below(MOUNT, mode, control_group);
}
