/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* port: which ports of the host lead into a container, more of them, and fewer. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "ctl/bus.h"
#include "ctl/complaint.h"
#include "ctl/cut-option.h"
#include "ctl/exit-code.h"
#include "ctl/forward.h"
#include "ctl/json.h"
#include "ctl/table.h"
#include "ctl/terminal.h"
#include "ctl/verb.h"

static const TableColumn port_columns[] = {
        { .title = "ADDRESS", .is_shrinkable = 1 },
        { .title = "HOST", .is_right = 1 },
        { .title = "CONTAINER", .is_right = 1 },
        { .title = "PROTOCOL" },
};

static void format_ports(uint32_t port, uint32_t count, char ret[24])
{
        if (count > 1)
                (void)snprintf(ret, 24, "%u-%u", port, port + count - 1);
        else
                (void)snprintf(ret, 24, "%u", port);
}

static int add_row(Table *table, struct json_object *object)
{
        char address[IP_RANGE_MAX], host[24], container[24];
        PortForward forward;
        int r;

        r = forward_from_json(object, &forward);
        if (r < 0)
                return 0;
        ip_range_format(&forward.host_address, address);
        format_ports(forward.host_port, forward.count, host);
        format_ports(forward.container_port, forward.count, container);
        r = table_add(table, TABLE_COLOR_NONE, *address ? address : "*");
        if (r >= 0)
                r = table_add(table, TABLE_COLOR_NONE, host);
        if (r >= 0)
                r = table_add(table, TABLE_COLOR_NONE, container);
        if (r >= 0)
                r = table_add(table, TABLE_COLOR_NONE,
                              network_protocol_to_string(forward.protocol));
        return r;
}

static int port_list(sd_bus *bus, const char *name, const Output *output, Fault *fault)
{
        _drop_(drop_table) Table *table = table_new(port_columns, ELEMENTSOF(port_columns));
        _drop_(drop_json) struct json_object *container = NULL;
        struct json_object *forwards;
        int r;

        r = bus_get_container(bus, name, &container, fault);
        if (r < 0)
                return r;
        forwards = json_get_typed(container, "ForwardedPorts", json_type_array);
        if (output->is_json) {
                json_print(forwards);
                return 0;
        }
        for (size_t i = 0; table && forwards && i < json_object_array_length(forwards) && r >= 0;
             i++)
                r = add_row(table, json_object_array_get_idx(forwards, i));
        if (!table || r < 0)
                return -ENOMEM;
        return table_print(table, stdout, terminal_get_columns(), !output->is_without_legend,
                           terminal_has_colors(), "forward");
}

/* Alone, a port is the host's when a forward is named. */
static int parse_forward(const char *text, int is_name, PortForward *ret, Fault *fault)
{
        int r = port_forward_parse(text, ret, fault);

        if (r < 0 || !is_name)
                return r;
        if (!strchr(text, ':')) {
                ret->host_port = ret->container_port;
                ret->container_port = 0;
        }
        if (ret->host_port == 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "'%.64s' does not say which port of the host, as 8080 and 8080:80 "
                                 "do",
                                 text);
        return 0;
}

static int port_change(sd_bus *bus, const char *name, const char *text, int is_removal,
                       int is_cutting, Fault *fault)
{
        _drop_(drop_message) sd_bus_message *m = NULL, *reply = NULL;
        _drop_(drop_free) char *path = NULL;
        char line[PORT_FORWARD_TEXT_MAX];
        PortForward forward;
        uint16_t host_port, container_port;
        int r;

        r = parse_forward(text, is_removal, &forward, fault);
        if (r >= 0)
                r = bus_container_path(name, &path, fault);
        if (r >= 0)
                r = bus_new_call(bus, path, WARDEN_CONTAINER,
                                 is_removal ? "UnforwardPort" : "ForwardPort", &m, fault);
        if (r < 0)
                return r;
        r = is_removal ? forward_append_removal(m, &forward, is_cutting)
                       : forward_append(m, &forward);
        if (r < 0)
                return bus_fault_local(fault, r, "Cannot ask for a forward");
        r = bus_call(bus, m, BUS_TIMEOUT_USEC, name, &reply, fault);
        if (r < 0 || is_removal)
                return r;
        if (sd_bus_message_read(reply, "qq", &host_port, &container_port) >= 0)
                forward.host_port = host_port;
        port_forward_format(&forward, line);
        printf("%s\n", line);
        return 0;
}

static int port_change_all(sd_bus *bus, char **arguments, int is_removal, int is_cutting)
{
        int exit_code = EXIT_SUCCESS;

        for (char **p = arguments + 2; *p; p++) {
                Fault fault = FAULT_INIT;
                int r = port_change(bus, arguments[0], *p, is_removal, is_cutting, &fault);

                if (r < 0)
                        exit_code = complain_fault(r, &fault);
        }
        return exit_code;
}

int verb_port(Command *command)
{
        CutOption cut = { 0 };
        const OptionUse uses[] = { { &output_option_group, &command->output },
                                   { &cut_option_group, &cut } };
        _drop_(drop_bus) sd_bus *bus = NULL;
        Fault fault = FAULT_INIT;
        char **arguments;
        int r, is_removal = 0;

        r = verb_parse(command, uses, ELEMENTSOF(uses), &arguments);
        if (r != VERB_GO)
                return r;
        if (arguments[1]) {
                is_removal = strcmp(arguments[1], "rm") == 0;
                if ((!is_removal && strcmp(arguments[1], "add") != 0) || !arguments[2]) {
                        complain("After the name come 'add' or 'rm' and forwards, as in "
                                 "'wardenctl port web add 8080:80'");
                        return EXIT_CODE_OURS;
                }
        }
        if (cut.is_cutting && !is_removal) {
                complain("--cut goes with 'rm'");
                return EXIT_CODE_OURS;
        }
        r = bus_open(&bus, &fault);
        if (r < 0)
                return complain_fault(r, &fault);
        if (arguments[1])
                return port_change_all(bus, arguments, is_removal, cut.is_cutting);
        r = port_list(bus, arguments[0], &command->output, &fault);
        return r < 0 ? complain_fault(r, &fault) : EXIT_SUCCESS;
}
