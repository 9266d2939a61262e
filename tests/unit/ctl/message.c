/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl/json.h"
#include "message.h"

static sd_bus *bus;
static int peer_fd;

int message_begin(void **state)
{
        int fds[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0 ||
            sd_bus_new(&bus) < 0 || sd_bus_set_fd(bus, fds[0], fds[0]) < 0 ||
            sd_bus_negotiate_fds(bus, 1) < 0 || sd_bus_start(bus) < 0)
                return -1;
        peer_fd = fds[1];
        return 0;
}

int message_end(void **state)
{
        sd_bus_close_unref(bus);
        return close(peer_fd);
}

sd_bus_message *message_new(void)
{
        sd_bus_message *m;

        assert_int_equal(sd_bus_message_new_signal(bus, &m, "/a", "a.b", "C"), 0);
        return m;
}

void message_seal(sd_bus_message *m)
{
        assert_true(sd_bus_message_seal(m, 1, 0) >= 0);
        assert_true(sd_bus_message_rewind(m, 1) >= 0);
}

void message_expect(sd_bus_message *m, const char *expected)
{
        int flags = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;
        struct json_object *value;

        assert_int_equal(json_from_message(m, &value), 0);
        assert_string_equal(json_object_to_json_string_ext(value, flags), expected);
        (void)json_object_put(value);
}
