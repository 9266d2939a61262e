/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The functions of sd-bus for single values are used here, since those with a format cost three
 * times as much, and the answer for a thousand containers has twenty thousand values. */

#include <errno.h>
#include <string.h>

#include "basic/strv.h"
#include "daemon/bus/bus-call.h"
#include "daemon/bus/bus-fault.h"
#include "daemon/bus/bus-stats.h"
#include "daemon/stats-reader.h"

/* What is ASCII by our own rules need not be decoded as UTF-8, character by character. */
static int append_ascii(sd_bus_message *m, const char *text)
{
        size_t n = strlen(text);
        char *p;
        int r;

        r = sd_bus_message_append_string_space(m, n, &p);
        if (r >= 0)
                memcpy(p, text, n + 1);
        return r;
}

static int append_number(sd_bus_message *m, const char *key, uint64_t value)
{
        int r;

        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = append_ascii(m, key);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "t");
        if (r >= 0)
                r = sd_bus_message_append_basic(m, 't', &value);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* @text   of ours, too */
static int append_text(sd_bus_message *m, const char *key, const char *text)
{
        int r;

        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = append_ascii(m, key);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "s");
        if (r >= 0)
                r = append_ascii(m, text);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_devices(sd_bus_message *m, const Stats *stats)
{
        int r;

        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append_basic(m, 's', "IODevices");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', "a(uutttt)");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "(uutttt)");
        for (uint32_t i = 0; r >= 0 && i < stats->n_devices; i++) {
                const StatsDevice *device = &stats->devices[i];

                r = sd_bus_message_append(m, "(uutttt)", device->major, device->minor,
                                          device->read_bytes, device->write_bytes,
                                          device->read_operations, device->write_operations);
        }
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_stats(sd_bus_message *m, const StatsRow *row)
{
        Stats stats;
        int r;

        (void)stats_unpack(row->packed, &stats);
        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = append_text(m, "State", container_state_to_string(row->state));
        if (r >= 0 && row->slice)
                r = append_text(m, "Slice", row->slice);
        for (int i = 0; r >= 0 && i < _STAT_MAX; i++)
                if (stats_has(&stats, (Stat)i))
                        r = append_number(m, stat_to_string((Stat)i), stats.values[i]);
        if (r >= 0 && stats.n_devices > 0)
                r = append_devices(m, &stats);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_rows(sd_bus_message *m, const StatsRow *const *rows, size_t n_rows)
{
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sa{sv}}");
        for (size_t i = 0; r >= 0 && i < n_rows; i++) {
                if (rows[i]->is_gone)
                        continue;
                r = sd_bus_message_open_container(m, 'e', "sa{sv}");
                if (r >= 0)
                        r = append_ascii(m, rows[i]->name);
                if (r >= 0)
                        r = append_stats(m, rows[i]);
                if (r >= 0)
                        r = sd_bus_message_close_container(m);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static void on_stats(void *userdata, const StatsRow *const *rows, size_t n_rows, int error,
                     const Fault *fault)
{
        _drop_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;

        if (error >= 0)
                error = bus_call_new_reply(userdata, &reply);
        if (error >= 0)
                error = append_rows(reply, rows, n_rows);
        if (error < 0)
                bus_call_reply_error(userdata, error, fault);
        else
                bus_call_reply_message(userdata, reply);
}

static void on_container_stats(void *userdata, const StatsRow *const *rows, size_t n_rows,
                               int error, const Fault *fault)
{
        _drop_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Fault gone = FAULT_INIT;

        if (error >= 0 && (n_rows == 0 || rows[0]->is_gone)) {
                fault = &gone;
                error = fault_set(&gone, FAULT_NO_SUCH_CONTAINER, -ENXIO,
                                  "The container has just ended");
        }
        if (error >= 0)
                error = bus_call_new_reply(userdata, &reply);
        if (error >= 0)
                error = append_stats(reply, rows[0]);
        if (error < 0)
                bus_call_reply_error(userdata, error, fault);
        else
                bus_call_reply_message(userdata, reply);
}

static int get_stats(sd_bus_message *m, Manager *manager, char *const *names, StatsFunc func,
                     sd_bus_error *error)
{
        Fault fault = FAULT_INIT;
        BusCall *call;
        int r;

        r = bus_call_new(m, &call, error);
        if (r < 0)
                return r;
        r = stats_reader_read(manager->stats, names, func, call, &fault);
        return r < 0 ? bus_call_refuse(call, r, &fault, error) : 1;
}

int bus_manager_method_get_stats(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        _drop_(drop_strv) char **names = NULL;
        BusServer *server = userdata;
        int r;

        r = sd_bus_message_read_strv(m, &names);
        if (r < 0)
                return r;
        return get_stats(m, server->manager, names, on_stats, error);
}

int bus_container_method_get_stats(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        Container *c = userdata;
        char *names[] = { c->spec->name, NULL };

        return get_stats(m, c->manager, names, on_container_stats, error);
}
