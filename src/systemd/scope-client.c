/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The signals of systemd's manager. One match serves all calls: a match is a round trip to the bus
 * and a rule that the bus evaluates for every message, so one for each call would cost more than
 * the scope. The matches are sent before anything else on this connection, and the bus keeps the
 * order, so no JobRemoved can be missed without waiting for an answer here.
 *
 * Any peer may send us a signal that looks like systemd's, and a match on a well-known name
 * cannot tell (sd-bus lets every unique name pass): the sender is compared with the owner of the
 * name, as the bus and systemd's own answers gave it. A forged JobRemoved would open a gate too
 * early. */

#include <errno.h>
#include <string.h>

#include <systemd/sd-bus.h>

#include "basic/log.h"
#include "systemd/scope-client.h"

static int client_set_owner(SystemdClient *client, const char *owner)
{
        char *copy = strdup(owner);

        if (!copy)
                return -ENOMEM;
        free(client->owner);
        client->owner = copy;
        return 0;
}

static int client_is_from_systemd(const SystemdClient *client, sd_bus_message *m)
{
        const char *sender = sd_bus_message_get_sender(m);

        return sender && client->owner && strcmp(sender, client->owner) == 0;
}

static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        SystemdClient *client = userdata;
        const char *job, *unit, *result;
        int r;

        if (!client_is_from_systemd(client, m))
                return 0;
        r = sd_bus_message_read(m, "uoss", NULL, &job, &unit, &result);
        if (r < 0) {
                log_debug("Ignoring a JobRemoved signal that does not parse");
                return 0;
        }
        scope_client_job_removed(client, job, unit, result);
        return 0;
}

static int on_subscribed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        const sd_bus_error *e = sd_bus_message_get_error(m);
        const char *sender = sd_bus_message_get_sender(m);
        SystemdClient *client = userdata;

        if (sender && *sender == ':')
                (void)client_set_owner(client, sender);
        /* Not subscribed means not told of ended jobs. When systemd is away, it comes back with a
         * NameOwnerChanged, and we subscribe again then. */
        if (e && !sd_bus_error_has_name(e, "org.freedesktop.systemd1.AlreadySubscribed"))
                log_debug("Cannot subscribe to systemd: %s", e->message);
        return 0;
}

static int client_subscribe(SystemdClient *client)
{
        client->subscribe_slot = sd_bus_slot_unref(client->subscribe_slot);
        return sd_bus_call_method_async(client->bus, &client->subscribe_slot, SYSTEMD_NAME,
                                        SYSTEMD_PATH, SYSTEMD_MANAGER, "Subscribe", on_subscribed,
                                        client, NULL);
}

static int on_reloading(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        SystemdClient *client = userdata;
        int is_active;

        if (client_is_from_systemd(client, m) && sd_bus_message_read(m, "b", &is_active) >= 0 &&
            !is_active)
                scope_client_recheck(client);
        return 0;
}

static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        SystemdClient *client = userdata;
        const char *sender = sd_bus_message_get_sender(m), *new_owner;
        int r;

        if (!sender || strcmp(sender, "org.freedesktop.DBus") != 0)
                return 0;
        r = sd_bus_message_read(m, "sss", NULL, NULL, &new_owner);
        if (r < 0)
                return 0;

        client->is_present = *new_owner != 0;
        (void)client_set_owner(client, new_owner);
        if (!client->is_present)
                return 0;
        r = client_subscribe(client);
        if (r < 0)
                log_warning(r, "Cannot subscribe to systemd again: %m");
        scope_client_recheck(client);
        return 0;
}

static int client_match(SystemdClient *client, sd_bus_slot **slot, const char *member,
                        sd_bus_message_handler_t handler)
{
        return sd_bus_match_signal_async(client->bus, slot, SYSTEMD_NAME, SYSTEMD_PATH,
                                         SYSTEMD_MANAGER, member, handler, NULL, client);
}

int systemd_client_new(struct sd_bus *bus, SystemdClient **ret)
{
        _drop_(drop_systemd_client) SystemdClient *client = NULL;
        int r;

        client = calloc(1, sizeof(*client));
        if (!client)
                return -ENOMEM;
        client->bus = sd_bus_ref(bus);
        client->is_present = 1;
        client->by_job = map_new();
        if (!client->by_job)
                return -ENOMEM;

        r = sd_bus_add_match_async(bus, &client->owner_slot,
                                   "type='signal',sender='org.freedesktop.DBus',"
                                   "path='/org/freedesktop/DBus',"
                                   "interface='org.freedesktop.DBus',member='NameOwnerChanged',"
                                   "arg0='" SYSTEMD_NAME "'",
                                   on_owner_changed, NULL, client);
        if (r < 0)
                return r;
        r = client_match(client, &client->job_removed_slot, "JobRemoved", on_job_removed);
        if (r < 0)
                return r;
        r = client_match(client, &client->reloading_slot, "Reloading", on_reloading);
        if (r < 0)
                return r;
        r = client_subscribe(client);
        if (r < 0)
                return r;

        *ret = take_ptr(client);
        return 0;
}

SystemdClient *systemd_client_free(SystemdClient *client)
{
        if (!client)
                return NULL;
        scope_client_drop_calls(client);
        sd_bus_slot_unref(client->job_removed_slot);
        sd_bus_slot_unref(client->reloading_slot);
        sd_bus_slot_unref(client->owner_slot);
        sd_bus_slot_unref(client->subscribe_slot);
        map_free(client->by_job);
        sd_bus_unref(client->bus);
        free(client->owner);
        free(client);
        return NULL;
}
