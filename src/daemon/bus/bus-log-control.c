/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.freedesktop.LogControl1, so that `systemctl service-log-level` and `service-log-target` work:
 * the interface is systemd's, and its library does not offer it. */

#include <errno.h>

#include "basic/log.h"
#include "daemon/bus/bus-server.h"

static int bus_log_get_level(sd_bus *bus, const char *path, const char *interface,
                             const char *property, sd_bus_message *reply, void *userdata,
                             sd_bus_error *error)
{
        return sd_bus_message_append(reply, "s", log_level_to_string(log_get_max_level()));
}

static int bus_log_set_level(sd_bus *bus, const char *path, const char *interface,
                             const char *property, sd_bus_message *value, void *userdata,
                             sd_bus_error *error)
{
        const char *text;
        int level, r;

        r = sd_bus_message_read(value, "s", &text);
        if (r < 0)
                return r;
        level = log_level_from_string(text);
        if (level < 0)
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                         "LogLevel: there is no level '%.64s'", text);
        log_notice("Log level is %s now", text);
        log_set_max_level(level);
        return 0;
}

static int bus_log_get_target(sd_bus *bus, const char *path, const char *interface,
                              const char *property, sd_bus_message *reply, void *userdata,
                              sd_bus_error *error)
{
        return sd_bus_message_append(reply, "s", log_target_to_string(log_get_target()));
}

static int bus_log_set_target(sd_bus *bus, const char *path, const char *interface,
                              const char *property, sd_bus_message *value, void *userdata,
                              sd_bus_error *error)
{
        const char *text;
        LogTarget target;
        int r;

        r = sd_bus_message_read(value, "s", &text);
        if (r < 0)
                return r;
        target = log_target_from_string(text);
        if ((int)target < 0)
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                         "LogTarget: there is no target '%.64s'", text);
        log_set_target(target);
        return 0;
}

static int bus_log_get_identifier(sd_bus *bus, const char *path, const char *interface,
                                  const char *property, sd_bus_message *reply, void *userdata,
                                  sd_bus_error *error)
{
        return sd_bus_message_append(reply, "s", log_get_identifier());
}

const sd_bus_vtable bus_log_control_vtable[] = {
        SD_BUS_VTABLE_START(0),

        SD_BUS_WRITABLE_PROPERTY("LogLevel", "s", bus_log_get_level, bus_log_set_level, 0, 0),
        SD_BUS_WRITABLE_PROPERTY("LogTarget", "s", bus_log_get_target, bus_log_set_target, 0, 0),
        SD_BUS_PROPERTY("SyslogIdentifier", "s", bus_log_get_identifier, 0,
                        SD_BUS_VTABLE_PROPERTY_CONST),

        SD_BUS_VTABLE_END,
};
