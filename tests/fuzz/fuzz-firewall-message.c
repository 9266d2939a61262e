/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What decodes is encoded and decoded to the same, and its names are words of letters. */

#include <errno.h>

#include "fuzz.h"
#include "wire/firewall-message.h"

static void check_container(const FirewallContainer *c, const FirewallContainer *back)
{
        PROMISE(id_is_valid(c->id));
        PROMISE(!strpbrk(c->addresses.interface, " \t\n\";{}"));
        PROMISE(strcmp(c->addresses.interface, back->addresses.interface) == 0);
        PROMISE(c->n_forwards == back->n_forwards && c->n_rules == back->n_rules);
        for (size_t i = 0; i < c->n_forwards; i++) {
                PROMISE(port_forward_validate(&c->forwards[i], "", NULL) == 0);
                PROMISE(port_forward_equal(&c->forwards[i], &back->forwards[i]));
        }
        for (size_t i = 0; i < c->n_rules; i++) {
                PROMISE(egress_rule_validate(&c->rules[i], NULL) == 0);
                PROMISE(egress_rule_equal(&c->rules[i], &back->rules[i]));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        FirewallRequest request, back;
        WireWriter w = WIRE_WRITER_INIT;
        int r = firewall_request_decode(data, size, &request);

        PROMISE(r == 0 || r == -EBADMSG);
        if (r < 0)
                return 0;
        PROMISE(firewall_request_encode(&request, &w) == 0);
        PROMISE(firewall_request_decode(w.data, w.size, &back) == 0);
        PROMISE(request.action == back.action && request.n_containers == back.n_containers);
        PROMISE(request.n_allow == back.n_allow && request.n_deny == back.n_deny);
        for (size_t i = 0; i < request.n_deny; i++)
                PROMISE(ip_range_equal(&request.deny[i], &back.deny[i]));
        for (size_t i = 0; i < request.n_containers; i++)
                check_container(&request.containers[i], &back.containers[i]);
        wire_writer_done(&w);
        firewall_request_done(&request);
        firewall_request_done(&back);
        return 0;
}
