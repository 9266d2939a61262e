/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* egress: what a container may reach although the host's policy says no, more of it, and less. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "ctl/bus.h"
#include "ctl/complaint.h"
#include "ctl/cut-option.h"
#include "ctl/egress.h"
#include "ctl/exit-code.h"
#include "ctl/json.h"
#include "ctl/table.h"
#include "ctl/terminal.h"
#include "ctl/verb.h"

static const TableColumn egress_columns[] = {
        { .title = "TO", .is_shrinkable = 1 },
        { .title = "PORTS", .is_shrinkable = 1 },
        { .title = "PROTOCOL" },
        { .title = "LOG" },
        { .title = "PACKETS", .is_right = 1 },
};

static int add_text(Table *table, char *take_text, const char *instead)
{
        int r = take_text ? table_add(table, TABLE_COLOR_NONE, *take_text ? take_text : instead)
                          : -ENOMEM;

        free(take_text);
        return r;
}

/* @object   the same rule, with its counts if they are known */
static int add_row(Table *table, const EgressRule *rule, struct json_object *object)
{
        char packets[24] = "-";
        int r;

        if (json_object_object_get_ex(object, "Packets", NULL))
                (void)snprintf(packets, sizeof(packets), "%" PRIu64,
                               json_get_u64(object, "Packets", 0));

        r = add_text(table, egress_rule_format_to(rule), "any");
        if (r >= 0)
                r = add_text(table, egress_rule_format_ports(rule), "*");
        if (r >= 0)
                r = add_text(table, egress_rule_format_protocol(rule), "*");
        if (r >= 0)
                r = table_add(table, TABLE_COLOR_NONE, rule->is_logged ? "yes" : "-");
        return r < 0 ? r : table_add(table, TABLE_COLOR_NONE, packets);
}

/* Each as one word, which 'deny' takes. */
static int print_word(const EgressRule *rule)
{
        _drop_(drop_free) char *text = egress_rule_format(rule);

        if (!text)
                return -ENOMEM;
        printf("%s\n", text);
        return 0;
}

static int show_rules(struct json_object *rules, const Output *output)
{
        _drop_(drop_table) Table *table = table_new(egress_columns, ELEMENTSOF(egress_columns));

        if (!table)
                return -ENOMEM;
        for (size_t i = 0; rules && i < json_object_array_length(rules); i++) {
                _drop_(egress_rule_done) EgressRule rule = EGRESS_RULE_INIT;
                struct json_object *object = json_object_array_get_idx(rules, i);
                int r = egress_from_json(object, &rule);

                /* A daemon that is newer may have rules of other kinds. */
                if (r == -EINVAL)
                        continue;
                if (r >= 0)
                        r = output->is_quiet ? print_word(&rule) : add_row(table, &rule, object);
                if (r < 0)
                        return r;
        }
        if (output->is_quiet)
                return 0;
        return table_print(table, stdout, terminal_get_columns(), !output->is_without_legend,
                           terminal_has_colors(), "rule");
}

/* Rules with their counts, and the other counts beside them. */
static int get_counters(sd_bus *bus, const char *name, struct json_object **ret, Fault *fault)
{
        _drop_(drop_message) sd_bus_message *m = NULL, *reply = NULL;
        _drop_(drop_json) struct json_object *rules = NULL, *others = NULL;
        _drop_(drop_free) char *path = NULL;
        int r;

        r = bus_container_path(name, &path, fault);
        if (r >= 0)
                r = bus_new_call(bus, path, WARDEN_CONTAINER, "GetEgressCounters", &m, fault);
        if (r >= 0)
                r = bus_call(bus, m, BUS_TIMEOUT_USEC, name, &reply, fault);
        if (r < 0)
                return r;
        r = json_from_message(reply, &rules);
        if (r >= 0)
                r = json_from_message(reply, &others);
        if (r < 0 || json_object_object_add(others, "Rules", rules) < 0)
                return bus_fault_local(fault, -EBADMSG, "Cannot read the answer");
        rules = NULL;
        *ret = others;
        others = NULL;
        return 0;
}

/* The rules alone, which also those may know who may not ask for more, and of a container that has
 * no network to count. */
static int get_rules(sd_bus *bus, const char *name, struct json_object **ret, Fault *fault)
{
        _drop_(drop_json) struct json_object *container = NULL, *egress = json_object_new_object();
        struct json_object *rules;
        int r;

        r = bus_get_container(bus, name, &container, fault);
        if (r < 0)
                return r;
        rules = json_object_get(json_get_typed(container, "EgressRules", json_type_array));
        if (!egress || json_object_object_add(egress, "Rules", rules) < 0)
                return -ENOMEM;
        *ret = egress;
        egress = NULL;
        return 0;
}

static int egress_list(sd_bus *bus, const char *name, const Output *output, Fault *fault)
{
        _drop_(drop_json) struct json_object *egress = NULL;
        struct json_object *refused;
        Fault ignored = FAULT_INIT;
        int r;

        r = get_counters(bus, name, &egress, &ignored);
        if (r < 0)
                r = get_rules(bus, name, &egress, fault);
        if (r < 0)
                return r;
        if (output->is_json) {
                json_print(egress);
                return 0;
        }
        r = show_rules(json_get_typed(egress, "Rules", json_type_array), output);
        if (r < 0 || output->is_quiet || output->is_without_legend ||
            !json_object_object_get_ex(egress, "RefusedPackets", &refused))
                return r;
        printf("%" PRIu64 " packet%s refused, %" PRIu64 " forged.\n",
               json_object_get_uint64(refused), json_object_get_uint64(refused) == 1 ? "" : "s",
               json_get_u64(egress, "ForgedPackets", 0));
        return 0;
}

static int egress_change(sd_bus *bus, const char *name, const char *text, const char *method,
                         int is_cutting, Fault *fault)
{
        _drop_(drop_message) sd_bus_message *m = NULL, *reply = NULL;
        _drop_(egress_rule_done) EgressRule rule = EGRESS_RULE_INIT;
        _drop_(drop_free) char *path = NULL;
        int r;

        r = egress_rule_parse(text, &rule, fault);
        if (r >= 0)
                r = bus_container_path(name, &path, fault);
        if (r >= 0)
                r = bus_new_call(bus, path, WARDEN_CONTAINER, method, &m, fault);
        if (r < 0)
                return r;
        r = egress_append(m, &rule, is_cutting);
        if (r < 0)
                return bus_fault_local(fault, r, "Cannot ask for a rule");
        r = bus_call(bus, m, BUS_TIMEOUT_USEC, name, &reply, fault);
        return r < 0 ? r : 0;
}

static int egress_change_all(sd_bus *bus, char **arguments, const char *method, int is_cutting)
{
        int exit_code = EXIT_SUCCESS;

        for (char **p = arguments + 2; *p; p++) {
                Fault fault = FAULT_INIT;
                int r = egress_change(bus, arguments[0], *p, method, is_cutting, &fault);

                if (r < 0)
                        exit_code = complain_fault(r, &fault);
        }
        return exit_code;
}

int verb_egress(Command *command)
{
        CutOption cut = { 0 };
        const OptionUse uses[] = { { &output_option_group, &command->output },
                                   { &cut_option_group, &cut } };
        _drop_(drop_bus) sd_bus *bus = NULL;
        const char *method = NULL;
        Fault fault = FAULT_INIT;
        char **arguments;
        int r;

        r = verb_parse(command, uses, ELEMENTSOF(uses), &arguments);
        if (r != VERB_GO)
                return r;
        if (arguments[1]) {
                if (strcmp(arguments[1], "allow") == 0)
                        method = "AllowEgress";
                else if (strcmp(arguments[1], "deny") == 0)
                        method = "DenyEgress";
                if (!method || !arguments[2]) {
                        complain("After the name come 'allow' or 'deny' and rules, as in "
                                 "'wardenctl egress web allow 10.0.0.0/8:443'");
                        return EXIT_CODE_OURS;
                }
        }
        if (cut.is_cutting && (!method || strcmp(method, "DenyEgress") != 0)) {
                complain("--cut goes with 'deny'");
                return EXIT_CODE_OURS;
        }
        r = bus_open(&bus, &fault);
        if (r < 0)
                return complain_fault(r, &fault);
        if (method)
                return egress_change_all(bus, arguments, method, cut.is_cutting);
        r = egress_list(bus, arguments[0], &command->output, &fault);
        return r < 0 ? complain_fault(r, &fault) : EXIT_SUCCESS;
}
