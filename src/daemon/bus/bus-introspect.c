/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Asks the objects what they are, over a connection to ourselves: what is printed is what a client
 * of the daemon would be told, made by the same code, and needs neither a bus nor a manager. */

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-id128.h>

#include "basic/fd.h"
#include "daemon/bus/bus-server.h"

static const char *const path_list[] = {
        BUS_PATH,
        BUS_PATH "/container/NAME",
        BUS_PATH "/container/NAME/job/1",
        "/org/freedesktop/LogControl1",
};

/* Both ends in one process, so neither may wait for the other. */
static int open_pair(sd_bus **ret_server, sd_bus **ret_client)
{
        _drop_(sd_bus_close_unrefp) sd_bus *server = NULL, *client = NULL;
        int fds[2], r;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
                return -errno;
        r = sd_bus_new(&server);
        if (r >= 0)
                r = sd_bus_new(&client);
        if (r < 0) {
                fd_close(fds[0]);
                fd_close(fds[1]);
                return r;
        }
        r = sd_bus_set_fd(server, fds[0], fds[0]);
        if (r < 0) {
                fd_close(fds[0]);
                fd_close(fds[1]);
                return r;
        }
        r = sd_bus_set_fd(client, fds[1], fds[1]);
        if (r < 0) {
                fd_close(fds[1]);
                return r;
        }
        r = sd_bus_set_server(
                server, 1,
                SD_ID128_MAKE(c0, 1d, fe, ed, 00, 00, 40, 00, 80, 00, 00, 00, 00, 00, 00, 01));
        if (r >= 0)
                r = sd_bus_start(server);
        if (r >= 0)
                r = sd_bus_start(client);
        if (r < 0)
                return r;

        *ret_server = take_ptr(server);
        *ret_client = take_ptr(client);
        return 0;
}

typedef struct Answer {
        FILE *f;
        int result;
        int is_there;
} Answer;

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        const sd_bus_error *e = sd_bus_message_get_error(m);
        Answer *answer = userdata;
        const char *xml;
        int r;

        answer->is_there = 1;
        if (e) {
                answer->result = sd_bus_error_has_name(e, SD_BUS_ERROR_UNKNOWN_OBJECT)
                                         ? -ENOENT
                                         : -sd_bus_error_get_errno(e);
                return 0;
        }
        r = sd_bus_message_read(m, "s", &xml);
        if (r >= 0)
                r = fputs(xml, answer->f) < 0 ? -EIO : 0;
        answer->result = r;
        return 0;
}

static int introspect_path(const char *path, FILE *f)
{
        _drop_(sd_bus_close_unrefp) sd_bus *server_bus = NULL, *client_bus = NULL;
        _drop_(drop_bus_server) BusServer *server = NULL;
        Answer answer = { .f = f };
        int r;

        r = open_pair(&server_bus, &client_bus);
        if (r < 0)
                return r;
        r = bus_server_new(server_bus, NULL, NULL, &server);
        if (r < 0)
                return r;
        r = sd_bus_call_method_async(client_bus, NULL, NULL, path,
                                     "org.freedesktop.DBus.Introspectable", "Introspect", on_answer,
                                     &answer, NULL);
        if (r < 0)
                return r;
        while (!answer.is_there) {
                r = sd_bus_process(client_bus, NULL);
                if (r >= 0)
                        r = sd_bus_process(server_bus, NULL);
                if (r < 0)
                        return r;
        }
        return answer.result;
}

int bus_introspect(const char *path, FILE *f)
{
        if (strcmp(path, "list") == 0) {
                for (size_t i = 0; i < ELEMENTSOF(path_list); i++)
                        (void)fprintf(f, "%s\n", path_list[i]);
                return 0;
        }
        if (!sd_bus_object_path_is_valid(path))
                return -ENOENT;
        return introspect_path(path, f);
}
