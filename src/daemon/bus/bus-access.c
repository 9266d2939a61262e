/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#include "daemon/bus/bus-access.h"

/* Callers that were let in. The bus gives a unique name once and never again, to a connection whose
 * user does not change; so an entry is true for ever, and forgetting one costs a question. */
#define CALLERS_MAX 1024

/* What everybody may ask whom the policy lets in: it reads, and it changes nothing. */
typedef struct OpenCall {
        const char *interface;
        const char *member; /* NULL: all */
} OpenCall;

static const OpenCall open_calls[] = {
        { "org.freedesktop.DBus.Peer", NULL },
        { "org.freedesktop.DBus.Introspectable", NULL },
        { "org.freedesktop.DBus.ObjectManager", NULL },
        { "org.freedesktop.DBus.Properties", "Get" },
        { "org.freedesktop.DBus.Properties", "GetAll" },
        { BUS_INTERFACE_MANAGER, "GetStats" },
};

static int is_open(sd_bus_message *m)
{
        for (size_t i = 0; i < ELEMENTSOF(open_calls); i++)
                if (sd_bus_message_is_method_call(m, open_calls[i].interface,
                                                  open_calls[i].member) > 0)
                        return 1;
        return 0;
}

static void forget_callers(BusServer *server)
{
        char *name;

        MAP_FOREACH(name, server->callers) {
                (void)map_remove(server->callers, name);
                free(name);
        }
}

/* Without memory for it the caller is asked for again, that is all. */
static void remember_caller(BusServer *server, const char *sender)
{
        char *name = strdup(sender);

        if (map_size(server->callers) >= CALLERS_MAX)
                forget_callers(server);
        if (name && map_put(server->callers, name, name) < 0)
                free(name);
}

/* A filter: 0 lets the message go on to the objects. */
static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        const char *sender = sd_bus_message_get_sender(m);
        BusServer *server = userdata;
        uint8_t type;
        int r;

        r = sd_bus_message_get_type(m, &type);
        if (r < 0)
                return r;
        if (type != SD_BUS_MESSAGE_METHOD_CALL || is_open(m))
                return 0;
        if (sender && map_get(server->callers, sender))
                return 0;
        r = sd_bus_query_sender_privilege(m, CAP_SYS_ADMIN);
        if (r < 0)
                return r;
        if (r == 0)
                return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED,
                                        "Only root may ask for that");
        if (sender)
                remember_caller(server, sender);
        return 0;
}

int bus_access_init(BusServer *server, sd_bus_slot **ret_slot)
{
        server->callers = map_new();
        if (!server->callers)
                return -ENOMEM;
        return sd_bus_add_filter(server->bus, ret_slot, on_message, server);
}

void bus_access_done(BusServer *server)
{
        if (!server->callers)
                return;
        forget_callers(server);
        server->callers = map_free(server->callers);
}
