/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/macro.h"
#include "init/line-reader.h"
#include "init/passwd.h"

int passwd_parse_id(const char *s, uint32_t *ret)
{
        uint64_t value = 0;

        if (*s == 0)
                return -EBADMSG;
        for (; *s; s++) {
                if (*s < '0' || *s > '9')
                        return -EBADMSG;
                value = value * 10 + (uint64_t)(*s - '0');
                if (value >= UINT32_MAX)
                        return -EBADMSG;
        }
        *ret = (uint32_t)value;
        return 0;
}

/* Cuts at the colons. Returns how many fields there are, at most @max: what follows the last one
 * stays in it. */
static size_t line_split(char *line, char **fields, size_t max)
{
        size_t n = 0;

        while (n < max) {
                fields[n++] = line;
                line = n < max ? strchr(line, ':') : NULL;
                if (!line)
                        break;
                *line++ = 0;
        }
        return n;
}

int passwd_parse_line(char *line, PasswdEntry *ret)
{
        PasswdEntry entry;
        char *fields[7];

        if (line_split(line, fields, ELEMENTSOF(fields)) < ELEMENTSOF(fields))
                return -EBADMSG;
        if (*fields[0] == 0 || strchr(fields[6], ':'))
                return -EBADMSG;
        if (passwd_parse_id(fields[2], &entry.uid) < 0 ||
            passwd_parse_id(fields[3], &entry.gid) < 0)
                return -EBADMSG;
        entry.name = fields[0];
        entry.home = fields[5];
        entry.shell = fields[6];
        *ret = entry;
        return 0;
}

int group_parse_line(char *line, GroupEntry *ret)
{
        GroupEntry entry;
        char *fields[4];

        if (line_split(line, fields, ELEMENTSOF(fields)) < ELEMENTSOF(fields))
                return -EBADMSG;
        if (*fields[0] == 0 || strchr(fields[3], ':'))
                return -EBADMSG;
        if (passwd_parse_id(fields[2], &entry.gid) < 0)
                return -EBADMSG;
        entry.name = fields[0];
        entry.members = fields[3];
        *ret = entry;
        return 0;
}

int group_has_member(char *members, const char *name)
{
        while (members) {
                char *comma = strchr(members, ',');

                if (comma)
                        *comma++ = 0;
                if (strcmp(members, name) == 0)
                        return 1;
                members = comma;
        }
        return 0;
}

/* Returns 1 and a reader; 0 when there is no such file. A FIFO must not make us wait and a device
 * must not be read at all; what a symbolic link leads to is the container's own business. */
static int database_open(const char *path, LineReader *ret)
{
        struct stat st;
        int fd;

        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
                fd_close(fd);
                return -EINVAL;
        }
        line_reader_init(ret, fd, PASSWD_FILE_MAX);
        return 1;
}

static void copy_path(char *to, const char *path, const char *otherwise)
{
        if (path[0] != '/' || strlen(path) >= PASSWD_PATH_MAX)
                path = otherwise;
        strcpy(to, path);
}

static void passwd_take(Passwd *passwd, const PasswdEntry *entry)
{
        passwd->uid = entry->uid;
        passwd->gid = entry->gid;
        strcpy(passwd->name, entry->name);
        copy_path(passwd->home, entry->home, "/");
        copy_path(passwd->shell, entry->shell, "/bin/sh");
}

/* Finds by name, or by uid where @name is NULL. Returns 1 found; 0 not. */
static int passwd_find(const char *path, const char *name, uid_t uid, Passwd *passwd)
{
        _drop_(line_reader_done) LineReader reader = LINE_READER_INIT;
        char line[PASSWD_LINE_MAX];
        PasswdEntry entry;
        int r;

        r = database_open(path, &reader);
        if (r <= 0)
                return r;
        while ((r = line_reader_next(&reader, line, sizeof(line))) > 0) {
                if (passwd_parse_line(line, &entry) < 0 || strlen(entry.name) >= PASSWD_NAME_MAX)
                        continue;
                if (name ? strcmp(entry.name, name) != 0 : entry.uid != uid)
                        continue;
                passwd_take(passwd, &entry);
                return 1;
        }
        return r;
}

/* Returns 1 found; 0 not. */
static int group_find(const char *path, const char *name, gid_t *ret)
{
        _drop_(line_reader_done) LineReader reader = LINE_READER_INIT;
        char line[PASSWD_LINE_MAX];
        GroupEntry entry;
        int r;

        r = database_open(path, &reader);
        if (r <= 0)
                return r;
        while ((r = line_reader_next(&reader, line, sizeof(line))) > 0) {
                if (group_parse_line(line, &entry) < 0 || strcmp(entry.name, name) != 0)
                        continue;
                *ret = entry.gid;
                return 1;
        }
        return r;
}

static int passwd_add_groups(const char *path, Passwd *passwd)
{
        _drop_(line_reader_done) LineReader reader = LINE_READER_INIT;
        char line[PASSWD_LINE_MAX];
        GroupEntry entry;
        int r;

        r = database_open(path, &reader);
        if (r <= 0)
                return r;
        while ((r = line_reader_next(&reader, line, sizeof(line))) > 0) {
                if (group_parse_line(line, &entry) < 0 || entry.gid == passwd->gid ||
                    !group_has_member(entry.members, passwd->name))
                        continue;
                if (passwd->n_groups >= PASSWD_GROUPS_MAX)
                        return -E2BIG;
                passwd->groups[passwd->n_groups++] = entry.gid;
        }
        return r;
}

static int passwd_lookup_user(const char *path, const char *user, Passwd *passwd)
{
        uint32_t uid;
        int r;

        if (passwd_parse_id(user, &uid) < 0) {
                r = passwd_find(path, user, 0, passwd);
                return r == 0 ? -ENOENT : r;
        }
        /* A number needs no database: a container that has broken its own must not keep out those
         * who come to mend it. */
        passwd->uid = uid;
        (void)passwd_find(path, NULL, uid, passwd);
        return 0;
}

static int passwd_lookup_group(const char *path, const char *group, Passwd *passwd)
{
        int r;

        if (passwd_parse_id(group, &passwd->gid) >= 0)
                return 0;
        r = group_find(path, group, &passwd->gid);
        return r == 0 ? -ENOENT : r;
}

int passwd_lookup(const char *passwd_path, const char *group_path, const char *user, Passwd *ret)
{
        char name[PASSWD_NAME_MAX];
        const char *group = NULL;
        size_t n;
        int r;

        user = user ?: "0";
        group = strchr(user, ':');
        n = group ? (size_t)(group - user) : strlen(user);
        if (n == 0 || n >= sizeof(name) || (group && group[1] == 0))
                return -EINVAL;
        memcpy(name, user, n);
        name[n] = 0;

        *ret = (Passwd){ .home = "/", .shell = "/bin/sh" };
        r = passwd_lookup_user(passwd_path, name, ret);
        if (r < 0)
                return r;
        if (group) {
                r = passwd_lookup_group(group_path, group + 1, ret);
                if (r < 0)
                        return r;
        }
        ret->groups[0] = ret->gid;
        ret->n_groups = 1;
        if (group || ret->name[0] == 0)
                return 0;
        r = passwd_add_groups(group_path, ret);
        return r < 0 ? r : 0;
}
