/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What tells about wardenctl itself: help and version. */

#include <stdio.h>

#include <json-c/json.h>
#include <systemd/sd-bus.h>

#include "config.h"
#include "ctl/bus.h"
#include "ctl/complaint.h"
#include "ctl/json.h"
#include "ctl/verb.h"

int verb_help(Command *command)
{
        char *help[] = { NULL, (char[]){ "--help" }, NULL };
        Command other = { .argc = 2, .argv = help };
        char **arguments;
        int r;

        r = verb_parse(command, NULL, 0, &arguments);
        if (r != VERB_GO)
                return r;
        if (!arguments[0]) {
                verb_print_list(stdout);
                return EXIT_SUCCESS;
        }
        other.verb = verb_find(arguments[0]);
        if (!other.verb)
                return verb_complain_unknown(arguments[0]);
        help[0] = arguments[0];
        return other.verb->run(&other);
}

/* Prints our own version even when there is no daemon to ask: that is when one wants to know. */
int verb_version(Command *command)
{
        const OptionUse uses[] = { { &json_option_group, &command->output } };
        _drop_(drop_json) struct json_object *daemon = NULL;
        _drop_(drop_bus) sd_bus *bus = NULL;
        Fault fault = FAULT_INIT;
        char **arguments;
        int r;

        r = verb_parse(command, uses, ELEMENTSOF(uses), &arguments);
        if (r != VERB_GO)
                return r;
        r = bus_open(&bus, &fault);
        if (r >= 0)
                r = bus_get_properties(bus, WARDEN_PATH, WARDEN_MANAGER, NULL, &daemon, &fault);
        if (command->output.is_json) {
                _drop_(drop_json) struct json_object *all = json_object_new_object();

                json_object_object_add(all, "Client", json_object_new_string(WARDEN_VERSION));
                if (daemon)
                        json_object_object_add(all, "Daemon", json_object_get(daemon));
                json_print(all);
        } else {
                printf("wardenctl %s\n", WARDEN_VERSION);
                if (daemon)
                        printf("wardend %s (cgroup mode: %s)\n",
                               json_get_string(daemon, "Version", "?"),
                               json_get_string(daemon, "CgroupMode", "?"));
        }
        return r < 0 ? complain_fault(r, &fault) : EXIT_SUCCESS;
}
