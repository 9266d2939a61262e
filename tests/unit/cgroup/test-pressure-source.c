/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "cgroup/pressure-source.h"

/* The kernel's part is played by the other end of a socket: urgent data is what makes a descriptor
 * say EPOLLPRI, and its end EPOLLHUP. */
typedef struct Fixture {
        sd_event *event;
        PressureSource *source;
        int kernel_fd;
        int group_fd; /* the same file as the source's */
        unsigned n_calls;
} Fixture;

static void on_pressure(void *userdata)
{
        Fixture *f = userdata;
        char c;

        f->n_calls++;
        assert_int_equal(recv(f->group_fd, &c, 1, MSG_OOB), 1);
}

static int setup(void **state)
{
        Fixture *f = calloc(1, sizeof(*f));
        int fds[2];

        if (!f || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
                return -1;
        *state = f;
        f->kernel_fd = fds[0];
        f->group_fd = fds[1];
        return sd_event_new(&f->event);
}

static int teardown(void **state)
{
        Fixture *f = *state;

        pressure_source_free(f->source);
        sd_event_unref(f->event);
        fd_close(f->kernel_fd);
        fd_close(f->group_fd);
        free(f);
        return 0;
}

static void watch(Fixture *f)
{
        char line[64] = "";

        assert_int_equal(pressure_source_new_at(f->event, fd_dup(f->group_fd), 150000, on_pressure,
                                                f, &f->source),
                         0);
        assert_true(read(f->kernel_fd, line, sizeof(line) - 1) > 0);
        assert_string_equal(line, "some 150000 1000000");
}

/* What is there already; a source that stays ready for ever would not come to an end. */
static void run_rest(Fixture *f)
{
        unsigned n = 0;

        while (sd_event_run(f->event, 0) > 0)
                assert_true(++n < 100);
}

static void fire(Fixture *f)
{
        if (send(f->kernel_fd, "!", 1, MSG_OOB) < 0 && errno == EOPNOTSUPP)
                skip(); /* before Linux 5.15 */
}

static void test_tells(void **state)
{
        Fixture *f = *state;

        watch(f);
        run_rest(f);
        assert_int_equal(f->n_calls, 0);
        for (unsigned n = 1; n <= 3; n++) {
                fire(f);
                run_rest(f);
                assert_int_equal(f->n_calls, n);
        }
}

static void test_gone(void **state)
{
        Fixture *f = *state;

        watch(f);
        fd_close(f->kernel_fd);
        f->kernel_fd = -EBADF;
        run_rest(f);
        assert_int_equal(f->n_calls, 0);
}

static void test_cannot_watch(void **state)
{
        Fixture *f = *state;
        PressureSource *source = NULL;
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(pressure_source_new_at(f->event, fd, 1000, on_pressure, f, &source),
                         -EBADF);
        assert_true(fcntl(fd, F_GETFD) < 0); /* taken */
        assert_int_equal(pressure_source_new(f->event, "/warden-no-such.slice", 1000, on_pressure,
                                             f, &source),
                         -ENOENT);
        assert_null(source);
}

static void test_possible(void **state)
{
        Fault fault = FAULT_INIT;

        assert_int_equal(pressure_check_possible_at("/dev/null", CGROUP_UNIFIED, "Key", &fault), 0);
        assert_int_equal(fault.kind, FAULT_NONE);
        assert_int_equal(pressure_check_possible_at("/no/such", CGROUP_UNIFIED, "Key", &fault),
                         -EOPNOTSUPP);
        assert_int_equal(fault.kind, FAULT_NOT_SUPPORTED);
        assert_string_equal(fault.text, "Key: the kernel does not measure pressure (PSI); boot it "
                                        "with psi=1");
        fault = FAULT_INIT;
        assert_int_equal(pressure_check_possible_at("/dev/null", CGROUP_HYBRID, "Key", &fault),
                         -EOPNOTSUPP);
        assert_int_equal(fault.kind, FAULT_NOT_SUPPORTED);
        assert_string_equal(fault.text,
                            "Key: needs cgroup v2; this host is booted with v1 (hybrid)");
        assert_int_equal(pressure_check_possible_at("/dev/null", CGROUP_LEGACY, "Key", NULL),
                         -EOPNOTSUPP);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "sets the trigger, and tells each time it fires", test_tells, setup, teardown,
                  NULL },
                { "is silent when the group is removed", test_gone, setup, teardown, NULL },
                { "says why it cannot watch", test_cannot_watch, setup, teardown, NULL },
                { "refuses v1 and a kernel that does not measure", test_possible, NULL, NULL,
                  NULL },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
