/* SPDX-License-Identifier: LGPL-2.1-or-later */

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
#include "basic/io.h"
#include "network/forwarding.h"

#define IP4 "ipv4/ip_forward"
#define IP6 "ipv6/conf/all/forwarding"

/* A directory that looks like /proc/sys/net of a host with two interfaces, and one for the claims.
 */
typedef struct Net {
        char path[64], claims[80];
        int fd;
} Net;

static void put(const Net *net, const char *path, const char *value)
{
        assert_int_equal(io_write_string(net->fd, path, value), 0);
}

static void expect(const Net *net, const char *path, const char *value)
{
        _drop_(drop_free) char *text = NULL;

        assert_int_equal(io_read_file(net->fd, path, 16, &text, NULL), 0);
        text[strcspn(text, "\n")] = 0;
        assert_string_equal(text, value);
}

static void make(const Net *net, const char *path, const char *value)
{
        int fd = openat(net->fd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(io_write_full(fd, value, strlen(value)), 0);
        (void)close(fd);
}

static int set_up(void **state)
{
        static const char *const directories[] = { "ipv4",          "ipv6",
                                                   "ipv6/conf",     "ipv6/conf/all",
                                                   "ipv6/conf/lo",  "ipv6/conf/default",
                                                   "ipv6/conf/up0", "ipv6/conf/up1" };
        Net *net = calloc(1, sizeof(*net));

        if (!net)
                abort();
        (void)snprintf(net->path, sizeof(net->path), "/tmp/warden-forwarding-XXXXXX");
        assert_non_null(mkdtemp(net->path));
        (void)snprintf(net->claims, sizeof(net->claims), "%s/run/network", net->path);
        net->fd = open(net->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_true(net->fd >= 0);
        for (size_t i = 0; i < ELEMENTSOF(directories); i++)
                assert_int_equal(mkdirat(net->fd, directories[i], 0700), 0);
        make(net, IP4, "0\n");
        make(net, IP6, "0\n");
        make(net, "ipv6/conf/all/accept_ra", "1\n");
        make(net, "ipv6/conf/lo/accept_ra", "1\n");
        make(net, "ipv6/conf/default/accept_ra", "1\n");
        make(net, "ipv6/conf/up0/accept_ra", "1\n");
        make(net, "ipv6/conf/up1/accept_ra", "0\n");
        *state = net;
        return 0;
}

static int tear_down(void **state)
{
        Net *net = *state;

        assert_int_equal(io_remove_tree(AT_FDCWD, net->path), 0);
        fd_close(net->fd);
        free(net);
        return 0;
}

static void claim(const Net *net, const char *id, int has_six)
{
        assert_int_equal(forwarding_claim_in(net->fd, net->claims, id, has_six, NULL), 0);
}

static void release(const Net *net, const char *id)
{
        assert_int_equal(forwarding_release(net->claims, id), 0);
        assert_int_equal(forwarding_settle_in(net->fd, net->claims), 0);
}

static void test_first_and_last(void **state)
{
        const Net *net = *state;

        claim(net, "a", 1);
        expect(net, IP4, "1");
        expect(net, IP6, "1");
        claim(net, "b", 1);
        release(net, "a");
        expect(net, IP4, "1");
        expect(net, IP6, "1");
        release(net, "b");
        expect(net, IP4, "0");
        expect(net, IP6, "0");
        /* Nothing is left of it. */
        assert_int_equal(rmdir(net->claims), 0);
}

static void test_was_on(void **state)
{
        const Net *net = *state;

        put(net, IP4, "1");
        claim(net, "a", 0);
        release(net, "a");
        expect(net, IP4, "1");
}

static void test_four_alone(void **state)
{
        const Net *net = *state;

        claim(net, "a", 0);
        expect(net, IP4, "1");
        expect(net, IP6, "0");
        expect(net, "ipv6/conf/up0/accept_ra", "1");
        claim(net, "b", 1);
        expect(net, IP6, "1");
        release(net, "a");
        release(net, "b");
        expect(net, IP6, "0");
}

static void test_advertisements(void **state)
{
        const Net *net = *state;

        claim(net, "a", 1);
        expect(net, "ipv6/conf/up0/accept_ra", "2");
        expect(net, "ipv6/conf/default/accept_ra", "2");
        expect(net, "ipv6/conf/up1/accept_ra", "0");
        expect(net, "ipv6/conf/all/accept_ra", "1");
        expect(net, "ipv6/conf/lo/accept_ra", "1");
        release(net, "a");
        expect(net, "ipv6/conf/up0/accept_ra", "1");
        expect(net, "ipv6/conf/default/accept_ra", "1");
}

static void test_changed_meanwhile(void **state)
{
        const Net *net = *state;

        claim(net, "a", 1);
        put(net, "ipv6/conf/up0/accept_ra", "0");
        put(net, IP4, "0");
        release(net, "a");
        expect(net, "ipv6/conf/up0/accept_ra", "0");
        expect(net, IP4, "0");
        expect(net, IP6, "0");
}

static void test_on_again(void **state)
{
        const Net *net = *state;

        claim(net, "a", 0);
        put(net, IP4, "0");
        claim(net, "b", 0);
        expect(net, IP4, "1");
        release(net, "a");
        release(net, "b");
        expect(net, IP4, "0");
}

static void test_twice(void **state)
{
        const Net *net = *state;

        claim(net, "a", 0);
        claim(net, "a", 0);
        release(net, "nobody");
        expect(net, IP4, "1");
        release(net, "a");
        release(net, "a");
        expect(net, IP4, "0");
}

static void test_foreign_notes(void **state)
{
        const Net *net = *state;
        int fd;

        claim(net, "a", 0);
        fd = open(net->claims, O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(unlinkat(fd, ".changed", 0), 0);
        make(&(Net){ .fd = fd }, ".changed",
             "ipv6/../ipv4/ip_forward 7 1\nkernel/hostname 7 x\nrubbish\n\nipv4/ip_forward 0 1\n");
        (void)close(fd);
        release(net, "a");
        expect(net, IP4, "0");
}

/* Where they come and go one at a time, nothing flips. */
static void test_stays_until_settled(void **state)
{
        const Net *net = *state;

        claim(net, "a", 1);
        assert_int_equal(forwarding_release(net->claims, "a"), 0);
        expect(net, IP4, "1");
        expect(net, IP6, "1");
        claim(net, "b", 1);
        assert_int_equal(forwarding_settle_in(net->fd, net->claims), 0);
        expect(net, IP4, "1");
        release(net, "b");
        expect(net, IP4, "0");
        expect(net, IP6, "0");
        expect(net, "ipv6/conf/up0/accept_ra", "1");
}

static void test_settle(void **state)
{
        const Net *net = *state;

        assert_int_equal(forwarding_settle_in(net->fd, net->claims), 0);
        assert_int_equal(access(net->claims, F_OK), -1);
        claim(net, "a", 0);
        assert_int_equal(forwarding_settle_in(net->fd, net->claims), 0);
        expect(net, IP4, "1");
}

int main(void)
{
#define CASE(name, function)                            \
        {                                               \
                name, function, set_up, tear_down, NULL \
        }
        const struct CMUnitTest tests[] = {
                CASE("turns forwarding on with the first claim and off with the last",
                     test_first_and_last),
                CASE("leaves on what was on", test_was_on),
                CASE("leaves IPv6 alone until somebody needs it", test_four_alone),
                CASE("keeps those taking router advertisements that took them",
                     test_advertisements),
                CASE("puts back nothing that somebody else has changed", test_changed_meanwhile),
                CASE("turns on again what somebody has turned off", test_on_again),
                CASE("takes a claim twice, and a release without one", test_twice),
                CASE("writes nowhere else, whatever the notes say", test_foreign_notes),
                CASE("keeps all as it is between two claims, until it is told to settle",
                     test_stays_until_settled),
                CASE("settles what nobody claims, and only that", test_settle),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
