/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.warden.Warden1.Job: the userdata is the Job. */

#include <errno.h>
#include <stddef.h>

#include "daemon/bus/bus-call.h"
#include "daemon/bus/bus-fault.h"
#include "daemon/bus/bus-spec.h"

static int bus_job_get_state(sd_bus *bus, const char *path, const char *interface,
                             const char *property, sd_bus_message *reply, void *userdata,
                             sd_bus_error *error)
{
        const Job *job = userdata;

        return sd_bus_message_append(reply, "s", job_state_to_string(job->state));
}

/* sd-bus takes int for "b" where no getter is given; this one also makes it 0 or 1. */
static int bus_property_get_bool(sd_bus *bus, const char *path, const char *interface,
                                 const char *property, sd_bus_message *reply, void *userdata,
                                 sd_bus_error *error)
{
        return sd_bus_message_append(reply, "b", *(const int *)userdata != 0);
}

static int bus_job_get_argv(sd_bus *bus, const char *path, const char *interface,
                            const char *property, sd_bus_message *reply, void *userdata,
                            sd_bus_error *error)
{
        const Job *job = userdata;

        return sd_bus_message_append_strv(reply, job->argv);
}

static int bus_job_get_user(sd_bus *bus, const char *path, const char *interface,
                            const char *property, sd_bus_message *reply, void *userdata,
                            sd_bus_error *error)
{
        const Job *job = userdata;

        return sd_bus_message_append(reply, "s", job->user ? job->user : "root");
}

static int bus_job_get_end_reason(sd_bus *bus, const char *path, const char *interface,
                                  const char *property, sd_bus_message *reply, void *userdata,
                                  sd_bus_error *error)
{
        const Job *job = userdata;

        return sd_bus_message_append(reply, "s", job_end_reason_to_string(job->end_reason));
}

static int bus_job_get_log(sd_bus *bus, const char *path, const char *interface,
                           const char *property, sd_bus_message *reply, void *userdata,
                           sd_bus_error *error)
{
        const Job *job = userdata;

        return sd_bus_message_append(reply, "s", job_log_to_string(job->log));
}

static void on_attached(void *userdata, int *fds, int error, const Fault *fault)
{
        if (error < 0)
                bus_call_reply_error(userdata, error, fault);
        else
                bus_call_reply_fds(userdata, fds);
}

static int bus_job_method_attach(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        Fault fault = FAULT_INIT;
        JobAttach options;
        BusCall *call;
        int r;

        r = bus_spec_read_attach(m, &options, &fault);
        if (r < 0)
                return bus_fault_to_error(&fault, r, error);
        r = bus_call_new(m, &call, error);
        if (r < 0)
                return r;
        r = job_attach(userdata, &options, on_attached, call, &fault);
        return r < 0 ? bus_call_refuse(call, r, &fault, error) : 1;
}

static int bus_job_method_kill(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        Fault fault = FAULT_INIT;
        int32_t signal;
        int r;

        r = bus_spec_read_signal(m, &signal, &fault);
        if (r >= 0)
                r = job_kill(userdata, signal, &fault);
        if (r < 0)
                return bus_fault_to_error(&fault, r, error);
        return sd_bus_reply_method_return(m, NULL);
}

static int bus_job_method_set_tty_size(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        Fault fault = FAULT_INIT;
        uint16_t rows, columns;
        BusCall *call;
        int r;

        r = sd_bus_message_read(m, "qq", &rows, &columns);
        if (r < 0)
                return r;
        if (rows == 0 || columns == 0) {
                r = fault_set(&fault, FAULT_INVALID, -EINVAL,
                              "SetTTYSize: rows and columns are from 1 to 65535");
                return bus_fault_to_error(&fault, r, error);
        }
        r = bus_call_new(m, &call, error);
        if (r < 0)
                return r;
        r = job_resize(userdata, rows, columns, bus_call_reply_done, call, &fault);
        return r < 0 ? bus_call_refuse(call, r, &fault, error) : 1;
}

static int bus_job_method_release(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        Fault fault = FAULT_INIT;
        int r;

        r = job_release(userdata, &fault);
        if (r < 0)
                return bus_fault_to_error(&fault, r, error);
        return sd_bus_reply_method_return(m, NULL);
}

const sd_bus_vtable bus_job_vtable[] = {
        SD_BUS_VTABLE_START(0),

        SD_BUS_PROPERTY("Id", "u", NULL, offsetof(Job, id), SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("State", "s", bus_job_get_state, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("PID", "u", NULL, offsetof(Job, pid), SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("Argv", "as", bus_job_get_argv, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("User", "s", bus_job_get_user, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("ExitCode", "i", NULL, offsetof(Job, exit_code),
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("ExitSignal", "i", NULL, offsetof(Job, exit_signal),
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("StartTimestamp", "t", NULL, offsetof(Job, start_usec),
                        SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("ExitTimestamp", "t", NULL, offsetof(Job, exit_usec),
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),

        SD_BUS_PROPERTY("EndReason", "s", bus_job_get_end_reason, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("CoreDumped", "b", bus_property_get_bool, offsetof(Job, is_core_dumped),
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_PROPERTY("TTY", "b", bus_property_get_bool, offsetof(Job, is_tty),
                        SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("HasStdin", "b", bus_property_get_bool, offsetof(Job, has_stdin),
                        SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Log", "s", bus_job_get_log, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("StdoutBytes", "t", NULL, offsetof(Job, stdout_bytes), 0),
        SD_BUS_PROPERTY("StderrBytes", "t", NULL, offsetof(Job, stderr_bytes), 0),
        SD_BUS_PROPERTY("OutputOpen", "b", bus_property_get_bool, offsetof(Job, is_output_open),
                        SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),

        SD_BUS_METHOD_WITH_ARGS("Attach", SD_BUS_ARGS("a{sv}", options),
                                SD_BUS_RESULT("h", stdin, "h", stdout, "h", stderr),
                                bus_job_method_attach, 0),
        SD_BUS_METHOD_WITH_ARGS("Kill", SD_BUS_ARGS("i", signal), SD_BUS_NO_RESULT,
                                bus_job_method_kill, 0),
        SD_BUS_METHOD_WITH_ARGS("SetTTYSize", SD_BUS_ARGS("q", rows, "q", columns),
                                SD_BUS_NO_RESULT, bus_job_method_set_tty_size, 0),
        SD_BUS_METHOD_WITH_ARGS("Release", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, bus_job_method_release,
                                0),

        SD_BUS_SIGNAL_WITH_ARGS("Exited", SD_BUS_ARGS("i", code, "i", signal), 0),

        SD_BUS_VTABLE_END,
};
