/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* start, stop, freeze, thaw, kill and destroy: one call for each name, all at once, so that
 * stopping ten containers takes as long as the slowest. Every name is tried; what failed is
 * listed. */

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "basic/parse.h"
#include "ctl/bus.h"
#include "ctl/complaint.h"
#include "ctl/exit-code.h"
#include "ctl/job-find.h"
#include "ctl/value.h"
#include "ctl/verb.h"

typedef struct LifeOptions {
        uint64_t kill_usec;
        int has_kill_usec;
        int is_background;
        int signal;
        uint32_t job; /* 0: the whole container */
        int is_forced;
} LifeOptions;

enum {
        OPTION_NO_BLOCK = 256,
};

static const Option stop_options[] = {
        { 't', "time", "TIME", "how long before what still runs is killed" },
        { OPTION_NO_BLOCK, "no-block", NULL, "do not wait until it has stopped" },
};

static const Option kill_options[] = {
        { 's', "signal", "SIGNAL", "TERM (default), KILL, SIGHUP, 9, …" },
        { 'j', "job", "JOB", "only this job's main process" },
};

static const Option destroy_options[] = {
        { 'f', "force", NULL, "a container that is not there is no error" },
};

static int life_set(void *target, int key, const char *value, Fault *fault)
{
        LifeOptions *options = target;
        int r;

        switch (key) {
        case 't':
                options->has_kill_usec = 1;
                return value_parse_time(value, &options->kill_usec, fault);
        case OPTION_NO_BLOCK:
                options->is_background = 1;
                return 0;
        case 'f':
                options->is_forced = 1;
                return 0;
        case 's':
                r = parse_signal(value, &options->signal);
                if (r < 0)
                        return fault_set(fault, FAULT_INVALID, r,
                                         "'%.64s' is not a signal such as TERM, SIGHUP or 9",
                                         value);
                return 0;
        case 'j':
                r = parse_u32(value, &options->job);
                if (r < 0 || options->job == 0)
                        return fault_set(fault, FAULT_INVALID, -EINVAL,
                                         "'%.64s' is not the number of a job", value);
                return 0;
        }
        return -EINVAL;
}

#define LIFE_GROUP(options_table)                                       \
        {                                                               \
                .title = "Options", .options = (options_table),         \
                .n_options = ELEMENTSOF(options_table), .set = life_set \
        }

static const OptionGroup stop_option_group = LIFE_GROUP(stop_options);
static const OptionGroup kill_option_group = LIFE_GROUP(kill_options);
static const OptionGroup destroy_option_group = LIFE_GROUP(destroy_options);

/* Makes the call of one verb for one name. */
typedef int (*LifeCall)(sd_bus *bus, const char *name, const LifeOptions *options,
                        sd_bus_message **ret, Fault *fault);

typedef struct Pending {
        const char *name;
        sd_bus_slot *slot;
        sd_bus_message *reply;
        Fault fault;
        int error;
        size_t *n_pending;
} Pending;

static int on_reply(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        Pending *pending = userdata;

        (*pending->n_pending)--;
        if (sd_bus_message_is_method_error(m, NULL))
                pending->error = bus_fault(&pending->fault, sd_bus_message_get_error(m),
                                           pending->name);
        return 0;
}

static void send_one(sd_bus *bus, Pending *pending, const LifeOptions *options, LifeCall call)
{
        _drop_(drop_message) sd_bus_message *m = NULL;
        int r;

        r = call(bus, pending->name, options, &m, &pending->fault);
        if (r >= 0) {
                /* As long as it takes: the container's own patience is not known here, and a daemon
                 * that dies is noticed by the bus. */
                r = sd_bus_call_async(bus, &pending->slot, m, on_reply, pending, UINT64_MAX);
                if (r < 0)
                        bus_fault_local(&pending->fault, r, "Cannot send the request");
        }
        if (r < 0)
                pending->error = r;
        else
                (*pending->n_pending)++;
}

static int wait_for_all(sd_bus *bus, const size_t *n_pending, Fault *fault)
{
        while (*n_pending > 0) {
                int r = sd_bus_process(bus, NULL);

                if (r == 0)
                        r = sd_bus_wait(bus, UINT64_MAX);
                if (r < 0 && r != -EINTR)
                        return bus_fault_local(fault, r, "Cannot wait for the answers");
        }
        return 0;
}

static int complain_all(const Pending *pendings, size_t n, const LifeOptions *options)
{
        int exit_code = EXIT_SUCCESS;

        for (size_t i = 0; i < n; i++) {
                if (pendings[i].error >= 0 ||
                    (options->is_forced && pendings[i].fault.kind == FAULT_NO_SUCH_CONTAINER))
                        continue;
                exit_code = EXIT_CODE_OURS;
                if (n > 1 && pendings[i].fault.kind != FAULT_NO_SUCH_CONTAINER)
                        complain("%s: %s", pendings[i].name, pendings[i].fault.text);
                else
                        (void)complain_fault(pendings[i].error, &pendings[i].fault);
        }
        return exit_code;
}

static int call_for_each(char **names, const LifeOptions *options, LifeCall call)
{
        _drop_(drop_bus) sd_bus *bus = NULL;
        _drop_(drop_free) Pending *pendings = NULL;
        size_t n = 0, n_pending = 0;
        Fault fault = FAULT_INIT;
        int r;

        r = bus_open(&bus, &fault);
        if (r < 0)
                return complain_fault(r, &fault);
        for (; names[n]; n++)
                ;
        pendings = calloc(n, sizeof(*pendings));
        if (!pendings)
                return complain_fault(-ENOMEM, &fault);
        for (size_t i = 0; i < n; i++) {
                pendings[i].name = names[i];
                pendings[i].n_pending = &n_pending;
                send_one(bus, &pendings[i], options, call);
        }
        r = wait_for_all(bus, &n_pending, &fault);
        for (size_t i = 0; i < n; i++)
                sd_bus_slot_unref(pendings[i].slot);
        if (r < 0)
                return complain_fault(r, &fault);
        return complain_all(pendings, n, options);
}

static int new_container_call(sd_bus *bus, const char *name, const char *member,
                              sd_bus_message **ret, Fault *fault)
{
        _drop_(drop_free) char *path = NULL;
        int r;

        r = bus_container_path(name, &path, fault);
        return r < 0 ? r : bus_new_call(bus, path, WARDEN_CONTAINER, member, ret, fault);
}

static int start_call(sd_bus *bus, const char *name, const LifeOptions *options,
                      sd_bus_message **ret, Fault *fault)
{
        return new_container_call(bus, name, "Start", ret, fault);
}

static int freeze_call(sd_bus *bus, const char *name, const LifeOptions *options,
                       sd_bus_message **ret, Fault *fault)
{
        return new_container_call(bus, name, "Freeze", ret, fault);
}

static int thaw_call(sd_bus *bus, const char *name, const LifeOptions *options,
                     sd_bus_message **ret, Fault *fault)
{
        return new_container_call(bus, name, "Thaw", ret, fault);
}

static int destroy_call(sd_bus *bus, const char *name, const LifeOptions *options,
                        sd_bus_message **ret, Fault *fault)
{
        return new_container_call(bus, name, "Destroy", ret, fault);
}

static int stop_call(sd_bus *bus, const char *name, const LifeOptions *options,
                     sd_bus_message **ret, Fault *fault)
{
        _drop_(drop_message) sd_bus_message *m = NULL;
        int r;

        r = new_container_call(bus, name, "Stop", &m, fault);
        if (r < 0)
                return r;
        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0 && options->has_kill_usec)
                r = sd_bus_message_append(m, "{sv}", "KillUSec", "t", options->kill_usec);
        if (r >= 0 && options->is_background)
                r = sd_bus_message_append(m, "{sv}", "Background", "b", 1);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r < 0)
                return bus_fault_local(fault, r, "Cannot ask for the stop");
        *ret = take_ptr(m);
        return 0;
}

static int kill_call(sd_bus *bus, const char *name, const LifeOptions *options,
                     sd_bus_message **ret, Fault *fault)
{
        _drop_(drop_message) sd_bus_message *m = NULL;
        _drop_(drop_free) char *path = NULL;
        int r;

        r = options->job ? job_find_path(bus, name, options->job, &path, fault)
                         : bus_container_path(name, &path, fault);
        if (r < 0)
                return r;
        r = bus_new_call(bus, path, options->job ? WARDEN_JOB : WARDEN_CONTAINER, "Kill", &m,
                         fault);
        if (r < 0)
                return r;
        r = sd_bus_message_append(m, "i", (int32_t)options->signal);
        if (r < 0)
                return bus_fault_local(fault, r, "Cannot ask for the signal");
        *ret = take_ptr(m);
        return 0;
}

static int life(Command *command, const OptionGroup *group, LifeCall call)
{
        LifeOptions options = { .signal = SIGTERM };
        const OptionUse uses[] = { { group, &options } };
        char **names;
        int r;

        r = verb_parse(command, uses, group ? 1 : 0, &names);
        if (r != VERB_GO)
                return r;
        if (options.job && names[1]) {
                complain("A job belongs to one container: --job goes with one name");
                return EXIT_CODE_OURS;
        }
        return call_for_each(names, &options, call);
}

int verb_start(Command *command)
{
        return life(command, NULL, start_call);
}

int verb_stop(Command *command)
{
        return life(command, &stop_option_group, stop_call);
}

int verb_freeze(Command *command)
{
        return life(command, NULL, freeze_call);
}

int verb_thaw(Command *command)
{
        return life(command, NULL, thaw_call);
}

int verb_kill(Command *command)
{
        return life(command, &kill_option_group, kill_call);
}

int verb_destroy(Command *command)
{
        return life(command, &destroy_option_group, destroy_call);
}
