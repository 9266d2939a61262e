/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>

#include <systemd/sd-bus.h>

#include "basic/log.h"
#include "systemd/machine.h"
#include "systemd/scope-client.h"

#define MACHINE_NAME "org.freedesktop.machine1"
#define MACHINE_PATH "/org/freedesktop/machine1"
#define MACHINE_MANAGER "org.freedesktop.machine1.Manager"

static int on_registered(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        const sd_bus_error *e = sd_bus_message_get_error(m);

        /* A daemon that was started anew asks again. */
        if (e && sd_bus_error_has_name(e, MACHINE_NAME ".MachineExists"))
                log_debug("systemd-machined on a name: %s", e->message);
        else if (e)
                (void)log_warning(-sd_bus_error_get_errno(e),
                                  "Cannot tell systemd-machined the name of a container: %s",
                                  e->message);
        return 0;
}

static int on_unregistered(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        const sd_bus_error *e = sd_bus_message_get_error(m);

        if (e)
                log_debug("systemd-machined on a name: %s", e->message);
        return 0;
}

static int append_request(sd_bus_message *m, const char *name, uint32_t leader_pid,
                          unsigned interface)
{
        const int32_t index = (int32_t)interface;
        int r;

        r = sd_bus_message_append(m, "s", name);
        if (r >= 0)
                r = sd_bus_message_append_array(m, 'y', NULL, 0);
        if (r >= 0)
                r = sd_bus_message_append(m, "ssus", "warden", "container", leader_pid, "");
        return r < 0 ? r : sd_bus_message_append_array(m, 'i', &index, sizeof(index));
}

int machine_register(SystemdClient *client, const char *name, uint32_t leader_pid,
                     unsigned interface)
{
        sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(client->bus, &m, MACHINE_NAME, MACHINE_PATH,
                                           MACHINE_MANAGER, "RegisterMachineWithNetwork");
        if (r >= 0)
                r = append_request(m, name, leader_pid, interface);
        if (r >= 0)
                r = sd_bus_call_async(client->bus, NULL, m, on_registered, NULL, 0);
        sd_bus_message_unref(m);
        return r < 0 ? r : 0;
}

int machine_unregister(SystemdClient *client, const char *name)
{
        sd_bus_message *m = NULL;
        int r;

        r = sd_bus_message_new_method_call(client->bus, &m, MACHINE_NAME, MACHINE_PATH,
                                           MACHINE_MANAGER, "UnregisterMachine");
        /* Where it does not run, it knows no machine either. */
        if (r >= 0)
                r = sd_bus_message_set_auto_start(m, 0);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", name);
        if (r >= 0)
                r = sd_bus_call_async(client->bus, NULL, m, on_unregistered, NULL, 0);
        sd_bus_message_unref(m);
        return r < 0 ? r : 0;
}
