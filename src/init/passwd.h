/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The user database of a container: two text files that its root may have written for our harm. It
 * is only ever read by the process that becomes the job, never by PID 1, and by nothing of libc:
 * no NSS, no allocation, and bounds on all of it. */

#define PASSWD_FILE_MAX (1U << 20)  /* bytes that are looked at */
#define PASSWD_LINE_MAX (32U << 10) /* longer lines are passed over */
#define PASSWD_NAME_MAX 256
#define PASSWD_PATH_MAX 4096
#define PASSWD_GROUPS_MAX 256 /* supplementary groups of one user */

typedef struct PasswdEntry {
        const char *name, *home, *shell; /* into the line */
        uid_t uid;
        gid_t gid;
} PasswdEntry;

typedef struct GroupEntry {
        const char *name;
        char *members; /* comma-separated */
        gid_t gid;
} GroupEntry;

/* What a job becomes. */
typedef struct Passwd {
        uid_t uid;
        gid_t gid;
        gid_t groups[PASSWD_GROUPS_MAX]; /* supplementary; the primary one is the first of them */
        size_t n_groups;
        char name[PASSWD_NAME_MAX]; /* empty: the uid has no entry */
        char home[PASSWD_PATH_MAX]; /* absolute; "/" when the entry has none that is */
        char shell[PASSWD_PATH_MAX];
} Passwd;

/* Parse one line without its newline, writing NULs into it. Return 0; -EBADMSG, which ends nothing:
 * such a line is passed over. */
int passwd_parse_line(char *line, PasswdEntry *ret);
int group_parse_line(char *line, GroupEntry *ret);

/* Whether @name is in the list, which is written to. */
int group_has_member(char *members, const char *name);

/* A decimal uid or gid. Returns 0; -EBADMSG; (uid_t)-1 is none. */
int passwd_parse_id(const char *s, uint32_t *ret);

/* Looks up NAME or UID, either with :GROUP or :GID; NULL is uid 0. A number needs no entry and no
 * file; without an entry its group is 0, as container tools have it. With a group given there are
 * no supplementary ones.
 * Returns 0; -ENOENT no such user or group; -EINVAL not a user, or a file that is not a regular
 * one; -E2BIG more groups than PASSWD_GROUPS_MAX; errors of open and read. May block as long as the
 * container's file system does. */
int passwd_lookup(const char *passwd_path, const char *group_path, const char *user, Passwd *ret);
