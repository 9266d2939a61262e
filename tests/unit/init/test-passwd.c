/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/macro.h"
#include "init/passwd.h"

typedef struct Files {
        char directory[64], passwd[96], group[96];
} Files;

static int setup(void **state)
{
        Files *files = calloc(1, sizeof(*files));

        if (!files)
                return -1;
        strcpy(files->directory, "/tmp/wshd-passwd-XXXXXX");
        if (!mkdtemp(files->directory))
                return -1;
        (void)snprintf(files->passwd, sizeof(files->passwd), "%s/passwd", files->directory);
        (void)snprintf(files->group, sizeof(files->group), "%s/group", files->directory);
        *state = files;
        return 0;
}

static int teardown(void **state)
{
        Files *files = *state;

        (void)unlink(files->passwd);
        (void)unlink(files->group);
        (void)rmdir(files->directory);
        free(files);
        return 0;
}

static void put(const char *path, const void *text, size_t size)
{
        _drop_(drop_fd) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, size), size);
}

static void fill(const Files *files)
{
        static const char passwd[] = "# a comment\n"
                                     "root:x:0:0:root:/root:/bin/bash\n"
                                     "broken:x:zero:0::/:/bin/sh\n"
                                     "short:x:1:2\n"
                                     "www:x:33:33:www:/var/www:/usr/sbin/nologin\n"
                                     "www:x:0:0:second:/:/bin/sh\n"
                                     "+nis::::::\n"
                                     "homeless:x:50:50:::\n"
                                     "relative:x:51:51::var:sh\n"
                                     "last:x:60:61::/last:/bin/last";
        static const char group[] = "root:x:0:\n"
                                    "adm:x:4:syslog,www\n"
                                    "www:x:33:www\n"
                                    "bad:x:no:www\n"
                                    "wwwx:x:70:wwwx,xwww,ww\n"
                                    "video:x:44:www";

        put(files->passwd, passwd, sizeof(passwd) - 1);
        put(files->group, group, sizeof(group) - 1);
}

static int lookup(void **state, const char *user, Passwd *ret)
{
        const Files *files = *state;

        return passwd_lookup(files->passwd, files->group, user, ret);
}

static void test_name(void **state)
{
        Passwd p;

        fill(*state);
        assert_int_equal(lookup(state, "www", &p), 0);
        assert_int_equal(p.uid, 33);
        assert_int_equal(p.gid, 33);
        assert_string_equal(p.name, "www");
        assert_string_equal(p.home, "/var/www");
        assert_string_equal(p.shell, "/usr/sbin/nologin");
        assert_int_equal(lookup(state, "last", &p), 0);
        assert_int_equal(p.gid, 61);
        assert_string_equal(p.shell, "/bin/last");
}

static void test_groups(void **state)
{
        Passwd p;

        fill(*state);
        assert_int_equal(lookup(state, "www", &p), 0);
        assert_int_equal(p.n_groups, 3);
        assert_int_equal(p.groups[0], 33);
        assert_int_equal(p.groups[1], 4);
        assert_int_equal(p.groups[2], 44);
        assert_int_equal(lookup(state, "33", &p), 0);
        assert_int_equal(p.n_groups, 3);
        assert_int_equal(lookup(state, "root", &p), 0);
        assert_int_equal(p.n_groups, 1);
        assert_int_equal(p.groups[0], 0);
}

static void test_given_group(void **state)
{
        Passwd p;

        fill(*state);
        assert_int_equal(lookup(state, "www:video", &p), 0);
        assert_int_equal(p.gid, 44);
        assert_int_equal(p.n_groups, 1);
        assert_int_equal(p.groups[0], 44);
        assert_int_equal(lookup(state, "www:4242", &p), 0);
        assert_int_equal(p.gid, 4242);
        assert_int_equal(lookup(state, "www:none", &p), -ENOENT);
        assert_int_equal(lookup(state, "www:bad", &p), -ENOENT);
        assert_int_equal(lookup(state, "99:video", &p), 0);
        assert_int_equal(p.uid, 99);
        assert_int_equal(p.gid, 44);
}

static void test_number(void **state)
{
        Passwd p;

        fill(*state);
        assert_int_equal(lookup(state, "0", &p), 0);
        assert_string_equal(p.name, "root");
        assert_string_equal(p.home, "/root");
        assert_int_equal(lookup(state, NULL, &p), 0);
        assert_string_equal(p.name, "root");
        assert_int_equal(lookup(state, "4294967294", &p), 0);
        assert_true(p.uid == 4294967294U);
        assert_int_equal(p.gid, 0);
        assert_string_equal(p.name, "");
        assert_string_equal(p.home, "/");
        assert_string_equal(p.shell, "/bin/sh");
}

/* -1 means "leave it" to the kernel: it must never come out of here. */
static void test_not_a_number(void **state)
{
        uint32_t id;
        Passwd p;

        fill(*state);
        assert_int_equal(lookup(state, "4294967295", &p), -ENOENT);
        assert_int_equal(lookup(state, "-1", &p), -ENOENT);
        assert_int_equal(lookup(state, "www:4294967295", &p), -ENOENT);
        assert_int_equal(passwd_parse_id("4294967295", &id), -EBADMSG);
        assert_int_equal(passwd_parse_id("18446744073709551616", &id), -EBADMSG);
        assert_int_equal(passwd_parse_id("99999999999999999999999999", &id), -EBADMSG);
        assert_int_equal(passwd_parse_id("", &id), -EBADMSG);
        assert_int_equal(passwd_parse_id("0x1", &id), -EBADMSG);
        assert_int_equal(passwd_parse_id("+1", &id), -EBADMSG);
        assert_int_equal(passwd_parse_id("1 ", &id), -EBADMSG);
        assert_int_equal(passwd_parse_id("0", &id), 0);
        assert_int_equal(id, 0);
        assert_int_equal(passwd_parse_id("00012", &id), 0);
        assert_int_equal(id, 12);
}

static void test_malformed(void **state)
{
        char name[400];
        Passwd p;

        fill(*state);
        assert_int_equal(lookup(state, "broken", &p), -ENOENT);
        assert_int_equal(lookup(state, "short", &p), -ENOENT);
        assert_int_equal(lookup(state, "+nis", &p), -ENOENT);
        assert_int_equal(lookup(state, "# a comment", &p), -ENOENT);
        assert_int_equal(lookup(state, "", &p), -EINVAL);
        assert_int_equal(lookup(state, ":0", &p), -EINVAL);
        assert_int_equal(lookup(state, "www:", &p), -EINVAL);
        memset(name, 'n', sizeof(name) - 1);
        name[sizeof(name) - 1] = 0;
        assert_int_equal(lookup(state, name, &p), -EINVAL);
}

static void test_strange_home(void **state)
{
        char text[6000] = "long:x:1:1::/";
        Passwd p;

        fill(*state);
        assert_int_equal(lookup(state, "homeless", &p), 0);
        assert_string_equal(p.home, "/");
        assert_string_equal(p.shell, "/bin/sh");
        assert_int_equal(lookup(state, "relative", &p), 0);
        assert_string_equal(p.home, "/");
        memset(text + strlen(text), 'h', 5000);
        strcat(text, ":/bin/sh\n");
        put(((const Files *)*state)->passwd, text, strlen(text));
        assert_int_equal(lookup(state, "long", &p), 0);
        assert_string_equal(p.home, "/");
}

static void test_missing(void **state)
{
        Passwd p;

        assert_int_equal(lookup(state, "root", &p), -ENOENT);
        assert_int_equal(lookup(state, NULL, &p), 0);
        assert_int_equal(p.uid, 0);
        assert_int_equal(p.gid, 0);
        assert_string_equal(p.home, "/");
        assert_int_equal(lookup(state, "5:6", &p), 0);
        assert_int_equal(p.gid, 6);
        assert_int_equal(lookup(state, "5:staff", &p), -ENOENT);
}

static void test_kind(void **state)
{
        const Files *files = *state;
        Passwd p;

        assert_int_equal(mkfifo(files->passwd, 0644), 0);
        assert_int_equal(lookup(state, "root", &p), -EINVAL);
        assert_int_equal(lookup(state, "7:8", &p), 0);
        assert_int_equal(p.uid, 7);
        assert_int_equal(p.gid, 8);
        (void)unlink(files->passwd);
        assert_int_equal(symlink("/dev/zero", files->passwd), 0);
        assert_int_equal(lookup(state, "root", &p), -EINVAL);
        (void)unlink(files->passwd);
        fill(files);
        assert_int_equal(rename(files->passwd, files->group), 0);
        assert_int_equal(symlink("group", files->passwd), 0);
        assert_int_equal(lookup(state, "root", &p), 0);
}

static void test_many_groups(void **state)
{
        const Files *files = *state;
        char text[PASSWD_GROUPS_MAX * 32];
        size_t n = 0;
        Passwd p;

        fill(files);
        for (int i = 1; i < PASSWD_GROUPS_MAX; i++)
                n += (size_t)sprintf(text + n, "g%d:x:%d:last\n", i, 1000 + i);
        put(files->group, text, n);
        assert_int_equal(lookup(state, "last", &p), 0);
        assert_int_equal(p.n_groups, PASSWD_GROUPS_MAX);
        assert_int_equal(p.groups[PASSWD_GROUPS_MAX - 1], 1000 + PASSWD_GROUPS_MAX - 1);
        n += (size_t)sprintf(text + n, "one-more:x:1:last\n");
        put(files->group, text, n);
        assert_int_equal(lookup(state, "last", &p), -E2BIG);
}

static void test_huge(void **state)
{
        const Files *files = *state;
        size_t size = PASSWD_FILE_MAX + 4096;
        char *text = malloc(size);
        Passwd p;

        assert_non_null(text);
        memset(text, 'x', size);
        memcpy(text, "a:x:1:1::/:\n", 12);
        memcpy(text + PASSWD_FILE_MAX, "\nb:x:1:1::/:\n", 14);
        put(files->passwd, text, size);
        free(text);
        assert_int_equal(lookup(state, "a", &p), 0);
        assert_int_equal(lookup(state, "b", &p), -ENOENT);
}

static void test_members(void **state)
{
        char one[] = "root", list[] = "a,root,b", none[] = "", empty[] = "a,,b",
             like[] = "toor,roo";

        assert_true(group_has_member(one, "root"));
        assert_true(group_has_member(list, "root"));
        assert_false(group_has_member(none, "root"));
        assert_false(group_has_member(empty, "root"));
        assert_false(group_has_member(like, "root"));
}

int main(void)
{
#define CASE(sentence, function)                          \
        {                                                 \
                sentence, function, setup, teardown, NULL \
        }
        const struct CMUnitTest tests[] = {
                CASE("finds a user by name, the first of two", test_name),
                CASE("collects the groups that list the user", test_groups),
                CASE("takes the given group and no other", test_given_group),
                CASE("finds a user by number, or does without", test_number),
                CASE("takes no number that the kernel would read as none", test_not_a_number),
                CASE("passes over malformed lines and refuses malformed users", test_malformed),
                CASE("puts the root in the place of a strange home", test_strange_home),
                CASE("needs no files for numbers", test_missing),
                CASE("reads regular files only", test_kind),
                CASE("refuses more groups than it holds", test_many_groups),
                CASE("reads no more than its bound", test_huge),
                CASE("compares whole members", test_members),
        };

        return cmocka_run_group_tests_name("init/passwd", tests, NULL, NULL);
}
