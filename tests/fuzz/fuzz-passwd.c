/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The user to look up is the input up to its first NUL; what follows is both files of the database.
 * Whatever a container has there, what comes out is in bounds. */

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/macro.h"
#include "fuzz.h"
#include "init/passwd.h"

static void check_result(const Passwd *p)
{
        PROMISE(p->uid != (uid_t)-1 && p->gid != (gid_t)-1);
        PROMISE(p->n_groups >= 1 && p->n_groups <= PASSWD_GROUPS_MAX);
        PROMISE(p->groups[0] == p->gid);
        for (size_t i = 0; i < p->n_groups; i++)
                PROMISE(p->groups[i] != (gid_t)-1);
        PROMISE(memchr(p->name, 0, sizeof(p->name)));
        PROMISE(memchr(p->home, 0, sizeof(p->home)) && p->home[0] == '/');
        PROMISE(memchr(p->shell, 0, sizeof(p->shell)) && p->shell[0] == '/');
        PROMISE(!strchr(p->name, ':') && !strchr(p->home, ':') && !strchr(p->shell, '\n'));
}

static void check_lookup(const char *path, const char *user)
{
        Passwd p;

        if (passwd_lookup(path, path, user, &p) >= 0)
                check_result(&p);
}

static void check_lines(const uint8_t *data, size_t size)
{
        char *line = fuzz_string(data, size);
        PasswdEntry user;
        GroupEntry group;

        if (passwd_parse_line(line, &user) >= 0)
                PROMISE(user.name[0] && user.uid != (uid_t)-1 && user.gid != (gid_t)-1);
        free(line);
        line = fuzz_string(data, size);
        if (group_parse_line(line, &group) >= 0) {
                PROMISE(group.name[0] && group.gid != (gid_t)-1);
                (void)group_has_member(group.members, "root");
        }
        free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *user = fuzz_string(data, size), path[64];
        size_t n = MIN2(strlen(user) + 1, size);
        _drop_(drop_fd) int fd = memfd_create("passwd", MFD_CLOEXEC);

        PROMISE(fd >= 0);
        PROMISE(write(fd, data + n, size - n) == (ssize_t)(size - n));
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        check_lookup(path, user);
        check_lookup(path, NULL);
        check_lookup(path, "root:adm");
        check_lines(data + n, size - n);
        free(user);
        return 0;
}
