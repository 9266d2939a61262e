/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* attach: to a job that was there before, and that goes on when we leave. */

#include <string.h>

#include "ctl/bus.h"
#include "ctl/complaint.h"
#include "ctl/exit-code.h"
#include "ctl/job-find.h"
#include "ctl/json.h"
#include "ctl/session.h"
#include "ctl/spawn.h"
#include "ctl/verb.h"

typedef struct AttachOptions {
        DetachKeys detach_keys;
        int is_output_only;
        int is_from_now;
} AttachOptions;

enum {
        OPTION_NO_STDIN = 256,
        OPTION_FROM_NOW,
};

static const Option attach_options[] = {
        { OPTION_NO_STDIN, "no-stdin", NULL, "only look" },
        { OPTION_FROM_NOW, "from-now", NULL, "leave out what it has written before" },
};

static int attach_set(void *target, int key, const char *value, Fault *fault)
{
        AttachOptions *options = target;

        if (key == OPTION_NO_STDIN)
                options->is_output_only = 1;
        else
                options->is_from_now = 1;
        return 0;
}

static const OptionGroup attach_option_group = {
        .title = "Options",
        .options = attach_options,
        .n_options = ELEMENTSOF(attach_options),
        .set = attach_set,
};

static SessionAttach attach_how(const AttachOptions *options, struct json_object *job)
{
        struct json_object *tty = json_get_typed(job, "TTY", json_type_boolean);
        struct json_object *input = json_get_typed(job, "HasStdin", json_type_boolean);

        return (SessionAttach){
                .has_input = !options->is_output_only && input && json_object_get_boolean(input) &&
                             strcmp(json_get_string(job, "State", ""), "running") == 0,
                .is_tty = tty && json_object_get_boolean(tty),
                .is_from_now = options->is_from_now,
        };
}

static int attach(const AttachOptions *options, char **arguments, int *ret_exit_code, Fault *fault)
{
        _drop_(drop_json) struct json_object *job = NULL;
        _drop_(drop_bus) sd_bus *bus = NULL;
        _drop_(drop_free) char *path = NULL;
        SessionAttach how;
        Session session;
        int r;

        r = bus_open(&bus, fault);
        if (r >= 0)
                r = job_find(bus, arguments[0], arguments[1], 1, &path, &job, fault);
        if (r < 0)
                return r;
        how = attach_how(options, job);
        r = session_init(&session, bus, NULL, fault);
        if (r < 0)
                return r;
        session.streams.detach_keys = options->detach_keys;
        r = session_attach(&session, arguments[0], path, &how, fault);
        if (r >= 0)
                r = session_wait(&session, ret_exit_code, fault);
        streams_done(&session.streams);
        if (r >= 0 && session.is_detached)
                spawn_complain_left(&session);
        session_done(&session);
        return r;
}

int verb_attach(Command *command)
{
        AttachOptions options = { .is_output_only = 0 };
        const OptionUse uses[] = {
                { &attach_option_group, &options },
                { &detach_option_group, &options.detach_keys },
        };
        Fault fault = FAULT_INIT;
        char **arguments;
        int exit_code, r;

        (void)detach_keys_parse(DETACH_KEYS_DEFAULT, &options.detach_keys, NULL);
        r = verb_parse(command, uses, ELEMENTSOF(uses), &arguments);
        if (r != VERB_GO)
                return r;
        r = attach(&options, arguments, &exit_code, &fault);
        return r < 0 ? complain_fault(r, &fault) : exit_code;
}
