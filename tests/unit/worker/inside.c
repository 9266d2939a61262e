/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "inside.h"

Inside inside_prepare(void **state)
{
        return (Inside){
                .h = *state, .plan = harness_plan(*state), .made = MADE_INIT, .fd = -EBADF
        };
}

void inside_enter(Inside *in)
{
        int r = harness_create(in->h, in->plan, &in->made);

        if (r != WORKER_DONE)
                print_message("# %d: %s\n", r, in->made.last.fault.text);
        assert_int_equal(r, WORKER_DONE);
        in->fd = harness_connect(&in->made);
        assert_true(in->fd >= 0);
}

const char *ask(Inside *in, const char *command)
{
        int r = harness_ask(in->fd, command, in->reply, sizeof(in->reply));

        if (r < 0)
                (void)snprintf(in->reply, sizeof(in->reply), "(%s)", strerror(-r));
        return in->reply;
}

const char *errno_text(int error)
{
        static char text[16];

        (void)snprintf(text, sizeof(text), "-%d", error);
        return text;
}

void inside_leave(Inside *in)
{
        fd_close(in->fd);
        harness_end(&in->made);
        assert_int_equal(harness_remove(in->h, &in->made), WORKER_DONE);
        plan_free(in->plan);
}

void inside_expect_nothing(Inside *in)
{
        char path[256];

        if (in->made.pid_fd >= 0)
                assert_true(harness_has_ended(in->made.pid_fd));
        (void)snprintf(path, sizeof(path), "%s/wshd.sock", in->made.runtime);
        assert_int_not_equal(access(path, F_OK), 0);
        assert_int_not_equal(access(in->made.layer, F_OK), 0);
}

void inside_expect_failure(Inside *in, FaultKind kind, const char *what)
{
        int r = harness_create(in->h, in->plan, &in->made);

        assert_int_equal(r, WORKER_FAILED);
        if (!strstr(in->made.last.fault.text, what))
                assert_string_equal(in->made.last.fault.text, what);
        assert_int_equal(in->made.last.fault.kind, kind);
        inside_expect_nothing(in);
        harness_end(&in->made);
        plan_free(in->plan);
}
