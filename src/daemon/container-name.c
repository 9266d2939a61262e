/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <stdio.h>

#include "basic/interface.h"
#include "basic/log.h"
#include "daemon/container-name.h"
#include "daemon/manager.h"
#include "systemd/machine.h"

/* Returns 1; 0 when the container has none. */
static int name_of(const Container *c, char ret[MACHINE_NAME_MAX + 1])
{
        if (!c->manager->conf.has_machines || !c->has_network)
                return 0;
        return snprintf(ret, MACHINE_NAME_MAX + 1, "%s" CONTAINER_NAME_DOMAIN, container_name(c)) <=
                       MACHINE_NAME_MAX &&
               hostname_is_valid(ret);
}

void container_name_publish(Container *c)
{
        char name[MACHINE_NAME_MAX + 1];
        int index, r;

        if (!name_of(c, name))
                return;
        index = interface_index(c->network.interface);
        if (index < 0)
                return;
        r = machine_register(c->manager->systemd, name, c->leader_pid, (unsigned)index);
        if (r < 0)
                (void)container_log(c, LOG_WARNING, r, NULL,
                                    "Cannot tell systemd-machined its name");
        else
                c->has_name = 1;
}

void container_name_withdraw(Container *c)
{
        char name[MACHINE_NAME_MAX + 1];

        if (!c->has_name || !name_of(c, name))
                return;
        c->has_name = 0;
        (void)machine_unregister(c->manager->systemd, name);
}
