/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The way to the daemon: connection, names of objects, calls, and what its errors mean to somebody
 * at a terminal. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "basic/parse.h"
#include "ctl/bus.h"
#include "ctl/json.h"
#include "model/name.h"

#define ERROR_PREFIX WARDEN_NAME ".Error."
#define JOB_PATH_SEPARATOR "/job/"

int bus_open(sd_bus **ret, Fault *fault)
{
        _drop_(drop_bus) sd_bus *bus = NULL;
        int r;

        r = sd_bus_open_system_with_description(&bus, "wardenctl");
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r,
                                 "Cannot reach the system bus: %m. Is dbus.service running?");
        *ret = take_ptr(bus);
        return 0;
}

static FaultKind kind_from_error(const sd_bus_error *error)
{
        static const struct {
                const char *name;
                FaultKind kind;
        } kinds[] = {
                { "NoSuchContainer", FAULT_NO_SUCH_CONTAINER },
                { "NoSuchJob", FAULT_NO_SUCH_JOB },
                { "NameExists", FAULT_NAME_EXISTS },
                { "BadState", FAULT_BAD_STATE },
                { "InvalidSpec", FAULT_INVALID },
                { "LimitReached", FAULT_LIMIT },
                { "NotSupported", FAULT_NOT_SUPPORTED },
                { "NotFound", FAULT_NOT_FOUND },
                { "ProgramNotFound", FAULT_PROGRAM_NOT_FOUND },
                { "ProgramNotExecutable", FAULT_PROGRAM_NOT_EXECUTABLE },
                { "NoSuchUser", FAULT_NO_SUCH_USER },
                { "TimedOut", FAULT_TIMED_OUT },
                { "InUse", FAULT_IN_USE },
        };
        size_t n = strlen(ERROR_PREFIX);

        if (!error->name || strncmp(error->name, ERROR_PREFIX, n) != 0)
                return FAULT_FAILED;
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (strcmp(error->name + n, kinds[i].name) == 0)
                        return kinds[i].kind;
        return FAULT_FAILED;
}

/* What the bus or systemd say when the daemon is not there and cannot be started. */
static int is_about_start(const char *name)
{
        static const char *const names[] = { SD_BUS_ERROR_SERVICE_UNKNOWN,
                                             SD_BUS_ERROR_NAME_HAS_NO_OWNER };
        static const char *const prefixes[] = { "org.freedesktop.DBus.Error.Spawn.",
                                                "org.freedesktop.systemd1." };

        for (size_t i = 0; name && i < ELEMENTSOF(names); i++)
                if (strcmp(names[i], name) == 0)
                        return 1;
        for (size_t i = 0; name && i < ELEMENTSOF(prefixes); i++)
                if (strncmp(prefixes[i], name, strlen(prefixes[i])) == 0)
                        return 1;
        return 0;
}

/* Errors that the bus, systemd or sd-bus make, not the daemon. Returns 1 when it was one. */
static int fault_from_standard(Fault *fault, const sd_bus_error *error, int r)
{
        if (is_about_start(error->name)) {
                const char *reason = error->message ?: error->name;
                size_t n = strlen(reason);

                if (n > 0 && reason[n - 1] == '.')
                        n--;
                fault_set(fault, FAULT_FAILED, r,
                          "Cannot reach wardend: %.*s. Is wardend.service running? "
                          "'systemctl status wardend' tells.",
                          (int)MIN2(n, (size_t)256), reason);
                return 1;
        }
        if (sd_bus_error_has_names(error, SD_BUS_ERROR_ACCESS_DENIED,
                                   SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED)) {
                /* The bus tells which of its rules it was, in a paragraph of its own language. */
                fault_set(fault, FAULT_FAILED, r, "Access denied. You must be root.");
                return 1;
        }
        if (sd_bus_error_has_names(error, SD_BUS_ERROR_NO_REPLY, SD_BUS_ERROR_TIMEOUT)) {
                fault_set(fault, FAULT_TIMED_OUT, r,
                          "wardend did not answer: it was restarted or is stuck. What was asked "
                          "for may have happened; 'wardenctl list' and 'journalctl -u wardend' "
                          "tell.");
                return 1;
        }
        return 0;
}

int bus_fault(Fault *fault, const sd_bus_error *error, const char *container)
{
        int r = -sd_bus_error_get_errno(error);
        FaultKind kind = kind_from_error(error);

        if (r >= 0)
                r = -EIO;
        if (fault_from_standard(fault, error, r))
                return r;
        /* An object that is not there is told by sd-bus, before the daemon has a say. */
        if (container && (kind == FAULT_NO_SUCH_CONTAINER ||
                          sd_bus_error_has_name(error, SD_BUS_ERROR_UNKNOWN_OBJECT)))
                return fault_set(fault, FAULT_NO_SUCH_CONTAINER, -ENOENT,
                                 "No container '%s'. 'wardenctl list' shows what there is.",
                                 container);
        return fault_set(fault, kind, r, "%s",
                         error->message ?: (error->name ?: "wardend failed without a reason"));
}

int bus_fault_local(Fault *fault, int r, const char *what)
{
        if (r == -ENOTCONN || r == -ECONNRESET || r == -EPIPE)
                return fault_set(fault, FAULT_FAILED, r,
                                 "%s: the connection to the system bus is lost", what);
        return fault_set(fault, FAULT_FAILED, r, "%s: %m", what);
}

int bus_container_path(const char *container, char **ret, Fault *fault)
{
        int r;

        if (!name_is_valid(container))
                return fault_set(fault, FAULT_NO_SUCH_CONTAINER, -EINVAL,
                                 "'%.100s' cannot be the name of a container: letters, digits and "
                                 "_ . - are allowed, %d at most, no sign first",
                                 container, CONTAINER_NAME_MAX);
        r = sd_bus_path_encode(WARDEN_CONTAINERS, container, ret);
        if (r < 0)
                return bus_fault_local(fault, r, "Cannot name the container's object");
        return 0;
}

int bus_job_path(const char *container, uint32_t job, char **ret, Fault *fault)
{
        _drop_(drop_free) char *path = NULL;
        char *job_path;
        int r;

        r = bus_container_path(container, &path, fault);
        if (r < 0)
                return r;
        if (asprintf(&job_path, "%s" JOB_PATH_SEPARATOR "%" PRIu32, path, job) < 0)
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "Out of memory");
        *ret = job_path;
        return 0;
}

int bus_path_container(const char *path, char **ret)
{
        _drop_(drop_free) char *prefix = strdup(path);
        char *end;
        int r;

        if (!prefix)
                return -ENOMEM;
        end = strstr(prefix, JOB_PATH_SEPARATOR);
        if (end)
                *end = 0;
        r = sd_bus_path_decode(prefix, WARDEN_CONTAINERS, ret);
        return r < 0 ? r : r == 0 ? -EINVAL : 0;
}

int bus_path_job(const char *path, uint32_t *ret)
{
        const char *job = strstr(path, JOB_PATH_SEPARATOR);

        return job ? parse_u32(job + strlen(JOB_PATH_SEPARATOR), ret) : -EINVAL;
}

int bus_new_call(sd_bus *bus, const char *path, const char *interface, const char *member,
                 sd_bus_message **ret, Fault *fault)
{
        int r = sd_bus_message_new_method_call(bus, ret, WARDEN_NAME, path, interface, member);

        return r < 0 ? bus_fault_local(fault, r, "Cannot make a D-Bus message") : 0;
}

int bus_call(sd_bus *bus, sd_bus_message *m, uint64_t timeout_usec, const char *container,
             sd_bus_message **ret, Fault *fault)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = sd_bus_call(bus, m, timeout_usec, &error, ret);

        if (r < 0)
                r = bus_fault(fault, &error, container);
        sd_bus_error_free(&error);
        return r < 0 ? r : 0;
}

int bus_get_properties(sd_bus *bus, const char *path, const char *interface, const char *container,
                       struct json_object **ret, Fault *fault)
{
        _drop_(drop_message) sd_bus_message *m = NULL, *reply = NULL;
        int r;

        r = bus_new_call(bus, path, "org.freedesktop.DBus.Properties", "GetAll", &m, fault);
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "s", interface);
        if (r < 0)
                return bus_fault_local(fault, r, "Cannot ask for properties");
        r = bus_call(bus, m, BUS_TIMEOUT_USEC, container, &reply, fault);
        if (r < 0)
                return r;
        r = json_from_message(reply, ret);
        return r < 0 ? bus_fault_local(fault, r, "Cannot read the properties") : 0;
}

int bus_get_container(sd_bus *bus, const char *container, struct json_object **ret, Fault *fault)
{
        _drop_(drop_free) char *path = NULL;
        int r;

        r = bus_container_path(container, &path, fault);
        if (r < 0)
                return r;
        return bus_get_properties(bus, path, WARDEN_CONTAINER, container, ret, fault);
}

static int compare_names(const void *a, const void *b)
{
        struct json_object *const *one = a, *const *other = b;

        return strcmp(json_get_string(*one, "Name", ""), json_get_string(*other, "Name", ""));
}

int bus_get_containers(sd_bus *bus, struct json_object **ret, Fault *fault)
{
        _drop_(drop_json) struct json_object *objects = NULL, *containers = NULL;
        _drop_(drop_message) sd_bus_message *m = NULL, *reply = NULL;
        int r;

        r = bus_new_call(bus, WARDEN_PATH, "org.freedesktop.DBus.ObjectManager",
                         "GetManagedObjects", &m, fault);
        if (r < 0)
                return r;
        r = bus_call(bus, m, BUS_TIMEOUT_USEC, NULL, &reply, fault);
        if (r < 0)
                return r;
        r = json_from_message(reply, &objects);
        if (r < 0)
                return bus_fault_local(fault, r, "Cannot read the containers");
        containers = json_object_new_array();
        json_object_object_foreach(objects, path, interfaces)
        {
                struct json_object *container = json_get_typed(interfaces, WARDEN_CONTAINER,
                                                               json_type_object);

                if (!container)
                        continue;
                json_object_object_add(container, "Path", json_object_new_string(path));
                json_object_array_add(containers, json_object_get(container));
        }
        json_object_array_sort(containers, compare_names);
        *ret = take_ptr(containers);
        return 0;
}
