/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-bus.h>

#include "basic/log.h"
#include "systemd/scope-client.h"
#include "systemd/scope-find.h"

/* One unit that was asked for its group. */
typedef struct FoundScope FoundScope;
struct FoundScope {
        ScopeSearch *search;
        FoundScope *next;
        sd_bus_slot *slot;
        char *unit;
};

struct ScopeSearch {
        sd_bus *bus;
        sd_bus_slot *slot;
        FoundScope *found;
        ScopeFoundFunc func;
        void *userdata;
};

static void found_scope_free(FoundScope *found)
{
        sd_bus_slot_unref(found->slot);
        free(found->unit);
        free(found);
}

ScopeSearch *scope_search_free(ScopeSearch *search)
{
        if (!search)
                return NULL;
        while (search->found) {
                FoundScope *found = search->found;

                search->found = found->next;
                found_scope_free(found);
        }
        sd_bus_slot_unref(search->slot);
        sd_bus_unref(search->bus);
        free(search);
        return NULL;
}

static int on_group(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        FoundScope *found = userdata;
        const char *group;

        /* A unit that is gone meanwhile is what was hoped for. */
        if (!sd_bus_message_get_error(m) && sd_bus_message_read(m, "v", "s", &group) >= 0 && *group)
                found->search->func(found->search->userdata, found->unit, group);
        return 0;
}

static int search_add(ScopeSearch *search, const char *unit, const char *path)
{
        FoundScope *found = calloc(1, sizeof(*found));
        int r;

        if (!found)
                return -ENOMEM;
        found->search = search;
        found->unit = strdup(unit);
        r = found->unit ? sd_bus_call_method_async(search->bus, &found->slot, SYSTEMD_NAME, path,
                                                   "org.freedesktop.DBus.Properties", "Get",
                                                   on_group, found, "ss",
                                                   "org.freedesktop.systemd1.Scope", "ControlGroup")
                        : -ENOMEM;
        if (r < 0) {
                found_scope_free(found);
                return r;
        }
        found->next = search->found;
        search->found = found;
        return 0;
}

static int on_units(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        const sd_bus_error *e = sd_bus_message_get_error(m);
        ScopeSearch *search = userdata;
        const char *unit, *path;
        int r;

        if (e) {
                log_warning(0, "systemd does not list its scopes: %s", e->message);
                return 0;
        }
        r = sd_bus_message_enter_container(m, 'a', "(ssssssouso)");
        while (r >= 0) {
                r = sd_bus_message_read(m, "(ssssssouso)", &unit, NULL, NULL, NULL, NULL, NULL,
                                        &path, NULL, NULL, NULL);
                if (r <= 0)
                        break;
                r = search_add(search, unit, path);
        }
        if (r < 0)
                log_warning(r, "Cannot read systemd's list of scopes: %m");
        return 0;
}

int scope_search_new(SystemdClient *client, const char *pattern, ScopeFoundFunc func,
                     void *userdata, ScopeSearch **ret)
{
        _drop_(drop_scope_search) ScopeSearch *search = calloc(1, sizeof(*search));
        int r;

        if (!search)
                return -ENOMEM;
        search->bus = sd_bus_ref(client->bus);
        search->func = func;
        search->userdata = userdata;
        r = sd_bus_call_method_async(client->bus, &search->slot, SYSTEMD_NAME, SYSTEMD_PATH,
                                     SYSTEMD_MANAGER, "ListUnitsByPatterns", on_units, search,
                                     "asas", 0, 1, pattern);
        if (r < 0)
                return r;
        *ret = take_ptr(search);
        return 0;
}
