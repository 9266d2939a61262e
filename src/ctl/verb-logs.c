/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* logs: what a job has written, from its rings. */

#include <stdio.h>

#include "ctl/bus.h"
#include "ctl/complaint.h"
#include "ctl/exit-code.h"
#include "ctl/job-find.h"
#include "ctl/json.h"
#include "ctl/session.h"
#include "ctl/verb.h"

static const Option logs_options[] = {
        { 'f', "follow", NULL, "go on until the job ends" },
};

static int logs_set(void *target, int key, const char *value, Fault *fault)
{
        int *is_following = target;

        *is_following = 1;
        return 0;
}

static const OptionGroup logs_option_group = {
        .title = "Options",
        .options = logs_options,
        .n_options = ELEMENTSOF(logs_options),
        .set = logs_set,
};

static int show(char **arguments, int is_following, Fault *fault)
{
        const SessionAttach how = { .has_input = 0 };
        _drop_(drop_json) struct json_object *job = NULL;
        _drop_(drop_bus) sd_bus *bus = NULL;
        _drop_(drop_free) char *path = NULL;
        int exit_code, r;
        Session session;

        r = bus_open(&bus, fault);
        if (r >= 0)
                r = job_find(bus, arguments[0], arguments[1], 0, &path, &job, fault);
        if (r < 0)
                return r;
        r = session_init(&session, bus, NULL, fault);
        if (r < 0)
                return r;
        r = session_attach(&session, arguments[0], path, &how, fault);
        if (r >= 0)
                r = is_following ? session_wait(&session, &exit_code, fault)
                                 : session_show(&session, fault);
        session_done(&session);
        return r;
}

int verb_logs(Command *command)
{
        int is_following = 0;
        const OptionUse uses[] = { { &logs_option_group, &is_following } };
        Fault fault = FAULT_INIT;
        char **arguments;
        int r;

        r = verb_parse(command, uses, ELEMENTSOF(uses), &arguments);
        if (r != VERB_GO)
                return r;
        r = show(arguments, is_following, &fault);
        return r < 0 ? complain_fault(r, &fault) : EXIT_SUCCESS;
}
