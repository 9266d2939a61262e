/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Addresses, ports and forwards as clients write them: what is taken is written back as something
 * that means the same. */

#include <errno.h>

#include "basic/macro.h"
#include "fuzz.h"
#include "model/egress-text.h"

static void check_range(const char *text)
{
        char back[IP_RANGE_MAX];
        IpRange range, again;

        if (ip_range_parse("x", text, &range, NULL) < 0)
                return;
        PROMISE(ip_range_is_valid(&range));
        ip_range_format(&range, back);
        PROMISE(ip_range_parse("x", back, &again, NULL) == 0);
        PROMISE(ip_range_equal(&range, &again));
}

static void check_forward(const char *text)
{
        char back[PORT_FORWARD_TEXT_MAX];
        PortForward forward, again;

        if (port_forward_parse(text, &forward, NULL) < 0)
                return;
        PROMISE(port_forward_validate(&forward, "", NULL) == 0);
        port_forward_format(&forward, back);
        PROMISE(port_forward_parse(back, &again, NULL) == 0);
        PROMISE(forward.host_port == again.host_port && forward.count == again.count);
        PROMISE(forward.container_port == again.container_port);
        PROMISE(ip_range_equal(&forward.host_address, &again.host_address));
}

static void check_ports(const char *text)
{
        EgressRule rule = EGRESS_RULE_INIT;

        if (egress_rule_add_ports(&rule, text, NULL) >= 0)
                PROMISE(rule.ports[0].first >= 1 && rule.ports[0].first <= rule.ports[0].last);
        egress_rule_done(&rule);
}

static void check_rule(const char *text)
{
        EgressRule rule = EGRESS_RULE_INIT, again = EGRESS_RULE_INIT;
        char *back;

        if (egress_rule_parse(text, &rule, NULL) < 0)
                return;
        PROMISE(egress_rule_validate(&rule, NULL) == 0);
        back = egress_rule_format(&rule);
        PROMISE(back && egress_rule_parse(back, &again, NULL) == 0);
        PROMISE(egress_rule_equal(&rule, &again));
        free(back);
        egress_rule_done(&rule);
        egress_rule_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *text = malloc(size + 1);

        PROMISE(text);
        if (size > 0)
                memcpy(text, data, size);
        text[size] = 0;
        check_range(text);
        check_forward(text);
        check_ports(text);
        check_rule(text);
        free(text);
        return 0;
}
