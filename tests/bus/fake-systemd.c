/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* As much of systemd's manager as our scopes need, with switches for what the real one does only on
 * a bad day. The test sets a mode over the bus (org.warden.Test1 at /org/warden/Test1); it counts
 * for every StartTransientUnit that comes afterwards:
 *
 *     ok              reply, then JobRemoved(done)
 *     early           JobRemoved(done), then the reply
 *     fail            an error as the reply
 *     job-failed      JobRemoved(failed)
 *     mute            no reply at all
 *     hang            a reply, and JobRemoved only with Release()
 *     reload          the job ends while systemd reloads: no JobRemoved, the unit is active
 *     reload-lost     the same, but the process is dead and the unit gone
 *     reload-queued   the same, but the job is still there; Release() ends it
 *     vanish          ends without a reply
 *     vanish-queued   ends after the reply
 *
 * and for every SetUnitProperties:
 *
 *     set-fail        an error as the reply, and nothing is set
 *     set-mute        no reply at all, until Release()
 *     set-vanish      ends without a reply
 *
 * and for every FreezeUnit and ThawUnit:
 *
 *     freeze-fail     an error as the reply to FreezeUnit
 *     freeze-mute     no reply to FreezeUnit, until Release()
 *
 * The next instance is told on its command line which units are there. AddUnit() adds one, too;
 * in the state "taken" it goes with Release(), which says UnitRemoved. GetCalls() gives one line
 * for each call, properties as NAME=VALUE. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "basic/macro.h"
#include "basic/map.h"
#include "basic/strv.h"
#include "model/limits.h"

#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"

typedef struct Unit {
        char *name;
        char *state;
        char *job; /* path; NULL: none */
        uint32_t pid;
        sd_bus_message *waiting;
        Limits limits;
} Unit;

typedef struct Fake {
        sd_event *event;
        sd_bus *bus;
        char *mode;
        char **calls;
        Map *units;
        uint32_t n_jobs;
} Fake;

static void fake_note(Fake *fake, const char *text)
{
        if (strv_append(&fake->calls, text) < 0)
                abort();
}

static Unit *unit_new(Fake *fake, const char *name, const char *state)
{
        Unit *unit = map_get(fake->units, name);

        if (!unit) {
                unit = calloc(1, sizeof(*unit));
                if (!unit || !(unit->name = strdup(name)) ||
                    map_put(fake->units, unit->name, unit) < 0)
                        abort();
        }
        free(unit->state);
        unit->state = strdup(state);
        return unit;
}

static void unit_drop(Fake *fake, const char *name)
{
        Unit *unit = map_remove(fake->units, name);

        if (!unit)
                return;
        (void)sd_bus_emit_signal(fake->bus, SYSTEMD_PATH, SYSTEMD_MANAGER, "UnitRemoved", "so",
                                 unit->name, SYSTEMD_PATH "/unit/x");
        free(unit->name);
        free(unit->state);
        free(unit->job);
        sd_bus_message_unref(unit->waiting);
        limits_done(&unit->limits);
        free(unit);
}

static const char *unit_set_job(Fake *fake, Unit *unit)
{
        free(unit->job);
        if (asprintf(&unit->job, SYSTEMD_PATH "/job/%u", ++fake->n_jobs) < 0)
                abort();
        return unit->job;
}

static void unit_end_job(Fake *fake, Unit *unit, const char *result)
{
        if (!unit->job)
                return;
        (void)sd_bus_emit_signal(fake->bus, SYSTEMD_PATH, SYSTEMD_MANAGER, "JobRemoved", "uoss",
                                 fake->n_jobs, unit->job, unit->name, result);
        free(unit->job);
        unit->job = NULL;
        free(unit->state);
        unit->state = strdup(strcmp(result, "done") == 0 ? "active" : "failed");
}

static int read_cpus(sd_bus_message *m, char *text, size_t size)
{
        char cpus[CPU_SET_TEXT_MAX];
        const void *data;
        CpuSet set;
        size_t n;
        int r;

        r = sd_bus_message_read_array(m, 'y', &data, &n);
        if (r >= 0)
                r = cpu_set_from_bytes(data, n, &set);
        if (r < 0)
                return r;
        cpu_set_format(&set, cpus);
        (void)snprintf(text, size, "%.200s", cpus);
        return 0;
}

/* "NODE:VALUE," for each. */
static int read_devices(sd_bus_message *m, char *text, size_t size)
{
        const char *node;
        uint64_t value;
        size_t n = 0;
        int r;

        text[0] = 0;
        r = sd_bus_message_enter_container(m, 'a', "(st)");
        while (r >= 0 && (r = sd_bus_message_read(m, "(st)", &node, &value)) > 0)
                n += (size_t)snprintf(text + n, size - n, "%s:%llu,", node,
                                      (unsigned long long)value);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* The value of a variant as text, for those types that our requests have. */
static int read_value(sd_bus_message *m, char *text, size_t size)
{
        const char *contents, *s;
        uint64_t t;
        uint32_t u;
        int32_t i;
        int r;

        r = sd_bus_message_peek_type(m, NULL, &contents);
        if (r < 0)
                return r;
        r = sd_bus_message_enter_container(m, 'v', contents);
        if (r < 0)
                return r;
        if (strcmp(contents, "s") == 0) {
                r = sd_bus_message_read(m, "s", &s);
                (void)snprintf(text, size, "%s", s);
        } else if (strcmp(contents, "t") == 0) {
                r = sd_bus_message_read(m, "t", &t);
                (void)snprintf(text, size, "%llu", (unsigned long long)t);
        } else if (strcmp(contents, "b") == 0 || strcmp(contents, "i") == 0) {
                r = sd_bus_message_read(m, contents, &i);
                (void)snprintf(text, size, "%d", i);
        } else if (strcmp(contents, "au") == 0) {
                r = sd_bus_message_read(m, "au", 1, &u);
                (void)snprintf(text, size, "%u", u);
        } else if (strcmp(contents, "ay") == 0) {
                r = read_cpus(m, text, size);
        } else if (strcmp(contents, "a(st)") == 0) {
                r = read_devices(m, text, size);
        } else {
                r = -EINVAL;
        }
        if (r < 0)
                return r;
        return sd_bus_message_exit_container(m);
}

/* As systemd: a list is added to, and an empty one takes it back. */
static void apply_devices(Limits *limits, DeviceLimitKind kind, char *text)
{
        if (!*text)
                device_limits_clear(&limits->devices, kind);
        for (char *item = strtok(text, ","); item; item = strtok(NULL, ",")) {
                char *colon = strrchr(item, ':');

                *colon = 0;
                if (device_limits_push(&limits->devices, kind, item,
                                       strtoull(colon + 1, NULL, 10)) < 0)
                        abort();
        }
}

static void apply_property(Limits *limits, const char *key, char *text)
{
        DeviceLimitKind kind = device_limit_kind_from_string(key);
        Limit limit = limit_from_string(key);

        if ((int)limit >= 0)
                limits->values[limit] = strtoull(text, NULL, 10);
        if ((int)limit >= 0)
                limits->set |= UINT32_C(1) << limit;
        if (strcmp(key, LIMIT_NAME_CPUS) == 0)
                (void)limits_set_cpus(limits, text, NULL);
        if ((int)kind >= 0)
                apply_devices(limits, kind, text);
}

/* An a(sv), noted as "METHOD NAME MODE KEY=VALUE…". */
static int read_properties(Fake *fake, sd_bus_message *m, const char *method, const char *name,
                           const char *mode, Limits *limits, uint32_t *ret_pid)
{
        char line[2048], value[256];
        size_t n;
        int r;

        n = (size_t)snprintf(line, sizeof(line), "%s %s %s", method, name, mode);
        r = sd_bus_message_enter_container(m, 'a', "(sv)");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'r', "sv")) > 0) {
                const char *key;

                r = sd_bus_message_read(m, "s", &key);
                if (r >= 0)
                        r = read_value(m, value, sizeof(value));
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
                if (strcmp(key, "PIDs") == 0)
                        *ret_pid = (uint32_t)strtoul(value, NULL, 10);
                n += (size_t)snprintf(line + n, sizeof(line) - n, " %s=%s", key, value);
                apply_property(limits, key, value);
        }
        fake_note(fake, line);
        return r;
}

static int is_mode(const Fake *fake, const char *mode)
{
        return strcmp(fake->mode, mode) == 0;
}

/* The job is known, its end is what the mode says. */
static void start_ends(Fake *fake, Unit *unit)
{
        if (is_mode(fake, "ok"))
                unit_end_job(fake, unit, "done");
        else if (is_mode(fake, "job-failed"))
                unit_end_job(fake, unit, "failed");
        else if (strncmp(fake->mode, "reload", 6) == 0) {
                (void)sd_bus_emit_signal(fake->bus, SYSTEMD_PATH, SYSTEMD_MANAGER, "Reloading", "b",
                                         1);
                if (!is_mode(fake, "reload-queued")) {
                        free(unit->job);
                        unit->job = NULL;
                        unit_new(fake, unit->name, "active");
                }
                if (is_mode(fake, "reload-lost"))
                        unit_drop(fake, unit->name);
                (void)sd_bus_emit_signal(fake->bus, SYSTEMD_PATH, SYSTEMD_MANAGER, "Reloading", "b",
                                         0);
        } else if (is_mode(fake, "vanish-queued")) {
                (void)sd_bus_flush(fake->bus);
                (void)sd_event_exit(fake->event, 0);
        }
}

static int method_start(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        Fake *fake = userdata;
        const char *name, *mode;
        Limits limits = { .set = 0 };
        uint32_t pid = 0;
        Unit *unit;
        int r;

        r = sd_bus_message_read(m, "ss", &name, &mode);
        if (r >= 0)
                r = read_properties(fake, m, "StartTransientUnit", name, mode, &limits, &pid);
        if (r < 0)
                return r;
        if (map_get(fake->units, name))
                return sd_bus_error_setf(error, "org.freedesktop.systemd1.UnitExists",
                                         "Unit %s was already loaded or has a fragment file.",
                                         name);
        if (is_mode(fake, "fail"))
                return sd_bus_error_set(error, "org.freedesktop.DBus.Error.PropertyReadOnly",
                                        "Cannot set property Fake, or unknown property.");
        if (is_mode(fake, "vanish")) {
                (void)sd_event_exit(fake->event, 0);
                return 1; /* 0 would be answered with UnknownMethod */
        }
        unit = unit_new(fake, name, "inactive");
        unit->pid = pid;
        limits_done(&unit->limits);
        unit->limits = limits;
        if (is_mode(fake, "mute")) {
                unit->waiting = sd_bus_message_ref(m);
                return 1;
        }
        if (is_mode(fake, "early")) {
                char *job = strdup(unit_set_job(fake, unit));

                unit_end_job(fake, unit, "done");
                r = sd_bus_reply_method_return(m, "o", job);
                free(job);
                return r;
        }
        r = sd_bus_reply_method_return(m, "o", unit_set_job(fake, unit));
        start_ends(fake, unit);
        return r;
}

static int method_set_properties(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        Fake *fake = userdata;
        Limits ignored = { .set = 0 };
        const char *name;
        uint32_t pid;
        Unit *unit;
        int r, is_runtime;

        r = sd_bus_message_read(m, "sb", &name, &is_runtime);
        if (r < 0)
                return r;
        unit = map_get(fake->units, name);
        r = read_properties(fake, m, "SetUnitProperties", name,
                            is_runtime ? "runtime" : "persistent",
                            unit && !is_mode(fake, "set-fail") ? &unit->limits : &ignored, &pid);
        limits_done(&ignored);
        if (r < 0)
                return r;
        if (!unit)
                return sd_bus_error_setf(error, "org.freedesktop.systemd1.NoSuchUnit",
                                         "Unit %s not loaded.", name);
        if (is_mode(fake, "set-fail"))
                return sd_bus_error_set(error, "org.freedesktop.DBus.Error.PropertyReadOnly",
                                        "Cannot set property Fake, or unknown property.");
        if (is_mode(fake, "set-vanish")) {
                (void)sd_event_exit(fake->event, 0);
                return 1;
        }
        if (is_mode(fake, "set-mute")) {
                unit->waiting = sd_bus_message_ref(m);
                return 1;
        }
        return sd_bus_reply_method_return(m, NULL);
}

static int note_unit_call(Fake *fake, const char *method, const char *name)
{
        char line[512];

        (void)snprintf(line, sizeof(line), "%s %s", method, name);
        fake_note(fake, line);
        return 0;
}

static int method_freeze(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        int is_freeze = strcmp(sd_bus_message_get_member(m), "FreezeUnit") == 0;
        Fake *fake = userdata;
        const char *name;
        Unit *unit;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        (void)note_unit_call(fake, sd_bus_message_get_member(m), name);
        unit = map_get(fake->units, name);
        if (!unit)
                return sd_bus_error_setf(error, "org.freedesktop.systemd1.NoSuchUnit",
                                         "Unit %s not loaded.", name);
        if (is_freeze && is_mode(fake, "freeze-fail"))
                return sd_bus_error_setf(error, "org.freedesktop.systemd1.UnitBusy",
                                         "Unit %s is busy.", name);
        if (is_freeze && is_mode(fake, "freeze-mute")) {
                unit->waiting = sd_bus_message_ref(m);
                return 1;
        }
        return sd_bus_reply_method_return(m, NULL);
}

static int method_stop(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        Fake *fake = userdata;
        const char *name;
        int r;

        r = sd_bus_message_read(m, "ss", &name, NULL);
        if (r < 0)
                return r;
        note_unit_call(fake, "StopUnit", name);
        if (!map_get(fake->units, name))
                return sd_bus_error_setf(error, "org.freedesktop.systemd1.NoSuchUnit",
                                         "Unit %s not loaded.", name);
        unit_drop(fake, name);
        return sd_bus_reply_method_return(m, "o", SYSTEMD_PATH "/job/0");
}

static int method_kill(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        Fake *fake = userdata;
        const char *name;
        int32_t signal;
        Unit *unit;
        int r;

        r = sd_bus_message_read(m, "ssi", &name, NULL, &signal);
        if (r < 0)
                return r;
        note_unit_call(fake, "KillUnit", name);
        unit = map_get(fake->units, name);
        if (!unit)
                return sd_bus_error_setf(error, "org.freedesktop.systemd1.NoSuchUnit",
                                         "Unit %s not loaded.", name);
        if (unit->pid > 0)
                (void)kill((pid_t)unit->pid, signal);
        return sd_bus_reply_method_return(m, NULL);
}

static int method_get_unit(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        _drop_(drop_free) char *path = NULL;
        Fake *fake = userdata;
        const char *name;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        note_unit_call(fake, "GetUnit", name);
        if (!map_get(fake->units, name))
                return sd_bus_error_setf(error, "org.freedesktop.systemd1.NoSuchUnit",
                                         "Unit %s not loaded.", name);
        r = sd_bus_path_encode(SYSTEMD_PATH "/unit", name, &path);
        return r < 0 ? r : sd_bus_reply_method_return(m, "o", path);
}

static int method_subscribe(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        fake_note(userdata, "Subscribe");
        return sd_bus_reply_method_return(m, NULL);
}

static int find_unit(sd_bus *bus, const char *path, const char *interface, void *userdata,
                     void **ret, sd_bus_error *error)
{
        _drop_(drop_free) char *name = NULL;
        Fake *fake = userdata;

        if (sd_bus_path_decode(path, SYSTEMD_PATH "/unit", &name) <= 0)
                return 0;
        *ret = map_get(fake->units, name);
        return *ret != NULL;
}

static int get_state(sd_bus *bus, const char *path, const char *interface, const char *property,
                     sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        Unit *unit = userdata;

        return sd_bus_message_append(reply, "s", unit->state);
}

static int get_job(sd_bus *bus, const char *path, const char *interface, const char *property,
                   sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        Unit *unit = userdata;

        return sd_bus_message_append(reply, "(uo)", unit->job ? 1u : 0u,
                                     unit->job ? unit->job : "/");
}

static int get_number(sd_bus *bus, const char *path, const char *interface, const char *property,
                      sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        const Limits *limits = &((Unit *)userdata)->limits;
        Limit limit = limit_from_string(property);

        return sd_bus_message_append(
                reply, "t", limits_has(limits, limit) ? limits->values[limit] : UINT64_MAX);
}

static int get_cpus(sd_bus *bus, const char *path, const char *interface, const char *property,
                    sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        const CpuSet *cpus = &((Unit *)userdata)->limits.cpus;

        return sd_bus_message_append_array(reply, 'y', cpus->bits, cpu_set_size(cpus));
}

static int get_devices(sd_bus *bus, const char *path, const char *interface, const char *property,
                       sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        const DeviceLimits *devices = &((Unit *)userdata)->limits.devices;
        DeviceLimitKind kind = device_limit_kind_from_string(property);
        int r;

        r = sd_bus_message_open_container(reply, 'a', "(st)");
        for (size_t i = 0; i < devices->n_items && r >= 0; i++)
                if (devices->items[i].kind == kind)
                        r = sd_bus_message_append(reply, "(st)", devices->items[i].node,
                                                  devices->items[i].value);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int method_set_mode(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        Fake *fake = userdata;
        const char *mode;
        int r;

        r = sd_bus_message_read(m, "s", &mode);
        if (r < 0)
                return r;
        free(fake->mode);
        fake->mode = strdup(mode);
        return sd_bus_reply_method_return(m, NULL);
}

/* Ends what a mode left hanging: jobs are done, names become free. */
static int method_release(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        Fake *fake = userdata;
        const char *taken = NULL;
        Unit *unit;

        MAP_FOREACH(unit, fake->units) {
                if (unit->job)
                        unit_end_job(fake, unit, "done");
                else if (strcmp(unit->state, "taken") == 0)
                        taken = unit->name;
                else if (unit->waiting)
                        (void)sd_bus_reply_method_return(unit->waiting, NULL);
                unit->waiting = sd_bus_message_unref(unit->waiting);
        }
        if (taken)
                unit_drop(fake, taken);
        return sd_bus_reply_method_return(m, NULL);
}

/* A unit that is there already: in the state "taken" it goes with Release(). */
static int method_add_unit(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        const char *name, *state;
        int r;

        r = sd_bus_message_read(m, "ss", &name, &state);
        if (r < 0)
                return r;
        (void)unit_new(userdata, name, state);
        return sd_bus_reply_method_return(m, NULL);
}

static int method_get_calls(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        _drop_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Fake *fake = userdata;
        int r;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_append_strv(reply, fake->calls);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

/* None: what wardend does with scopes that it does not know is tested where there are some. */
static int method_list_units(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        return sd_bus_reply_method_return(m, "a(ssssssouso)", 0);
}

#define OPEN SD_BUS_VTABLE_UNPRIVILEGED

static const sd_bus_vtable manager_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Subscribe", NULL, NULL, method_subscribe, OPEN),
        SD_BUS_METHOD("StartTransientUnit", "ssa(sv)a(sa(sv))", "o", method_start, OPEN),
        SD_BUS_METHOD("SetUnitProperties", "sba(sv)", NULL, method_set_properties, OPEN),
        SD_BUS_METHOD("FreezeUnit", "s", NULL, method_freeze, OPEN),
        SD_BUS_METHOD("ThawUnit", "s", NULL, method_freeze, OPEN),
        SD_BUS_METHOD("StopUnit", "ss", "o", method_stop, OPEN),
        SD_BUS_METHOD("KillUnit", "ssi", NULL, method_kill, OPEN),
        SD_BUS_METHOD("GetUnit", "s", "o", method_get_unit, OPEN),
        SD_BUS_METHOD("ListUnitsByPatterns", "asas", "a(ssssssouso)", method_list_units, OPEN),
        SD_BUS_SIGNAL("JobRemoved", "uoss", 0),
        SD_BUS_SIGNAL("UnitRemoved", "so", 0),
        SD_BUS_SIGNAL("Reloading", "b", 0),
        SD_BUS_VTABLE_END,
};

static const sd_bus_vtable unit_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("ActiveState", "s", get_state, 0, 0),
        SD_BUS_PROPERTY("Job", "(uo)", get_job, 0, 0),
        SD_BUS_VTABLE_END,
};

static const sd_bus_vtable scope_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("MemoryMax", "t", get_number, 0, 0),
        SD_BUS_PROPERTY("MemoryHigh", "t", get_number, 0, 0),
        SD_BUS_PROPERTY("CPUWeight", "t", get_number, 0, 0),
        SD_BUS_PROPERTY("CPUQuotaPerSecUSec", "t", get_number, 0, 0),
        SD_BUS_PROPERTY("TasksMax", "t", get_number, 0, 0),
        SD_BUS_PROPERTY("AllowedCPUs", "ay", get_cpus, 0, 0),
        SD_BUS_PROPERTY("IOReadBandwidthMax", "a(st)", get_devices, 0, 0),
        SD_BUS_VTABLE_END,
};

static const sd_bus_vtable test_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("SetMode", "s", NULL, method_set_mode, OPEN),
        SD_BUS_METHOD("Release", NULL, NULL, method_release, OPEN),
        SD_BUS_METHOD("AddUnit", "ss", NULL, method_add_unit, OPEN),
        SD_BUS_METHOD("GetCalls", NULL, "as", method_get_calls, OPEN),
        SD_BUS_VTABLE_END,
};

static int fake_run(Fake *fake)
{
        int r;

        r = sd_event_default(&fake->event);
        if (r >= 0)
                r = sd_bus_open_system(&fake->bus);
        if (r >= 0)
                r = sd_bus_attach_event(fake->bus, fake->event, 0);
        if (r >= 0)
                r = sd_bus_set_exit_on_disconnect(fake->bus, 1);
        if (r >= 0)
                r = sd_bus_add_object_vtable(fake->bus, NULL, SYSTEMD_PATH, SYSTEMD_MANAGER,
                                             manager_vtable, fake);
        if (r >= 0)
                r = sd_bus_add_fallback_vtable(fake->bus, NULL, SYSTEMD_PATH "/unit",
                                               "org.freedesktop.systemd1.Unit", unit_vtable,
                                               find_unit, fake);
        if (r >= 0)
                r = sd_bus_add_fallback_vtable(fake->bus, NULL, SYSTEMD_PATH "/unit",
                                               "org.freedesktop.systemd1.Scope", scope_vtable,
                                               find_unit, fake);
        if (r >= 0)
                r = sd_bus_add_object_vtable(fake->bus, NULL, "/org/warden/Test1",
                                             "org.warden.Test1", test_vtable, fake);
        if (r >= 0)
                r = sd_bus_request_name(fake->bus, "org.freedesktop.systemd1", 0);
        if (r >= 0)
                r = sd_event_loop(fake->event);
        return r;
}

/* usage: fake-systemd [MODE [UNIT STATE]...] */
int main(int argc, char *argv[])
{
        Fake fake = { .units = map_new() };
        int r;

        fake.mode = strdup(argc > 1 ? argv[1] : "ok");
        for (int i = 2; i + 1 < argc; i += 2)
                (void)unit_new(&fake, argv[i], argv[i + 1]);
        r = fake_run(&fake);
        if (r < 0)
                (void)fprintf(stderr, "fake-systemd: %s\n", strerror(-r));
        _exit(r < 0 ? 1 : 0); /* without the bus's manners: it vanishes */
}
