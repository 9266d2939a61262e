/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Unlike a kill for want of memory, pressure is a thing of the moment: what was before a client
 * could hear of it, or while the daemon was away, is over, and the kernel tells again while it
 * lasts. */

#include <errno.h>

#include "cgroup/pressure-source.h"
#include "daemon/container-pressure.h"
#include "daemon/manager.h"

static void on_pressure(void *userdata)
{
        Container *c = userdata;
        const ManagerObserver *observer = &c->manager->observer;

        if (c->manager->is_public && c->is_announced && observer->container_pressure)
                observer->container_pressure(observer->userdata, c);
}

int container_pressure_begin(Container *c, Fault *fault)
{
        int r;

        /* A life before may have ended in the middle of its start. */
        container_pressure_end(c);
        if (c->spec->pressure_usec == 0)
                return 0;
        r = c->control_group
                    ? pressure_source_new(c->manager->event, c->control_group,
                                          c->spec->pressure_usec, on_pressure, c, &c->pressure)
                    : -ENOENT;
        if (r == -EOPNOTSUPP)
                return fault_set(fault, FAULT_NOT_SUPPORTED, r,
                                 SPEC_KEY_PRESSURE ": the kernel does not measure the pressure "
                                                   "(PSI) of a control group; boot it with psi=1");
        return r < 0 ? fault_set(fault, FAULT_FAILED, r,
                                 SPEC_KEY_PRESSURE ": cannot watch the container's memory: %m")
                     : 0;
}

void container_pressure_end(Container *c)
{
        c->pressure = pressure_source_free(c->pressure);
}
