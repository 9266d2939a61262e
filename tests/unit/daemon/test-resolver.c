/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "daemon/resolver.h"

#define HOST_SIDE "10.254.0.1"

typedef struct Files {
        char path[64], host[80], resolved[80];
        ContainerSpec *spec;
} Files;

static int set_up(void **state)
{
        Files *files = calloc(1, sizeof(*files));

        assert_non_null(files);
        (void)snprintf(files->path, sizeof(files->path), "/tmp/warden-resolver-XXXXXX");
        assert_non_null(mkdtemp(files->path));
        (void)snprintf(files->host, sizeof(files->host), "%s/host", files->path);
        (void)snprintf(files->resolved, sizeof(files->resolved), "%s/resolved", files->path);
        files->spec = container_spec_new();
        assert_non_null(files->spec);
        *state = files;
        return 0;
}

static int tear_down(void **state)
{
        Files *files = *state;

        container_spec_free(files->spec);
        assert_int_equal(io_remove_tree(AT_FDCWD, files->path), 0);
        free(files);
        return 0;
}

static void put(const char *path, const char *text)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(io_write_full(fd, text, strlen(text)), 0);
        (void)close(fd);
}

static void expect(const Files *files, const char *host_address, const char *wanted)
{
        _drop_(drop_free) char *text = NULL;

        assert_int_equal(resolver_format_from(files->spec, host_address, files->host,
                                              files->resolved, &text),
                         0);
        assert_string_equal(text, wanted);
}

static void test_host(void **state)
{
        const Files *files = *state;

        put(files->host, "search example.org\nnameserver 192.0.2.53\nnameserver 2001:db8::53\n");
        expect(files, HOST_SIDE,
               "nameserver 192.0.2.53\nnameserver 2001:db8::53\nsearch example.org\n");
}

static void test_spec(void **state)
{
        const Files *files = *state;

        put(files->host, "search example.org\nnameserver 192.0.2.53\n");
        assert_int_equal(strv_append(&files->spec->dns, "198.51.100.53"), 0);
        expect(files, HOST_SIDE, "nameserver 198.51.100.53\nsearch example.org\n");
        assert_int_equal(strv_append(&files->spec->dns_search, "example.net"), 0);
        expect(files, HOST_SIDE, "nameserver 198.51.100.53\nsearch example.net\n");
}

static void test_stub(void **state)
{
        const Files *files = *state;

        put(files->host, "nameserver 127.0.0.53\nsearch example.org\n");
        put(files->resolved, "nameserver 192.0.2.53\nsearch example.net\n");
        expect(files, HOST_SIDE, "nameserver 192.0.2.53\nsearch example.org\n");
}

static void test_loopback(void **state)
{
        const Files *files = *state;

        put(files->host, "nameserver 127.0.0.1\n");
        expect(files, HOST_SIDE, "nameserver " HOST_SIDE "\n");
        /* What resolved says is no help if it is its own stub. */
        put(files->resolved, "nameserver 127.0.0.53\n");
        expect(files, HOST_SIDE, "nameserver " HOST_SIDE "\n");
}

static void test_shared_loopback(void **state)
{
        const Files *files = *state;

        put(files->host, "nameserver 127.0.0.1\n");
        expect(files, NULL, "nameserver 127.0.0.1\n");
}

/* One that can be reached is enough; the loopback's is left out. */
static void test_both(void **state)
{
        const Files *files = *state;

        put(files->host, "nameserver 127.0.0.1\nnameserver 192.0.2.53\n");
        expect(files, HOST_SIDE, "nameserver 192.0.2.53\n");
}

static void test_no_file(void **state)
{
        const Files *files = *state;

        expect(files, HOST_SIDE, "");
        /* Nor is a directory, or one that is endless, a reason not to start a container. */
        assert_int_equal(unlink(files->host), -1);
        expect(&(Files){ .spec = files->spec, .host = "/proc", .resolved = "/dev/zero" }, HOST_SIDE,
               "");
}

int main(void)
{
#define CASE(name, function)                            \
        {                                               \
                name, function, set_up, tear_down, NULL \
        }
        const struct CMUnitTest tests[] = {
                CASE("takes the host's servers and domains", test_host),
                CASE("takes the spec's instead", test_spec),
                CASE("replaces the stub by whom it asks", test_stub),
                CASE("replaces a loopback by the host's side", test_loopback),
                CASE("keeps a loopback that is shared", test_shared_loopback),
                CASE("leaves a loopback out beside another server", test_both),
                CASE("says nothing without a file", test_no_file),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
