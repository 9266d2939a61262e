/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <sys/sysinfo.h>

#include <json-c/json.h>

#include "ctl/bus.h"
#include "ctl/json.h"
#include "ctl/loop.h"
#include "ctl/stats-call.h"

int stats_call_new(sd_bus *bus, char *const *names, sd_bus_message **ret, Fault *fault)
{
        _drop_(drop_message) sd_bus_message *m = NULL;
        int r;

        r = bus_new_call(bus, WARDEN_PATH, WARDEN_MANAGER, "GetStats", &m, fault);
        if (r < 0)
                return r;
        r = sd_bus_message_append_strv(m, (char **)(uintptr_t)names);
        if (r < 0)
                return bus_fault_local(fault, r, "Cannot ask for statistics");
        *ret = take_ptr(m);
        return 0;
}

static int read_reply(sd_bus_message *reply, struct json_object **ret, Fault *fault)
{
        int r = json_from_message(reply, ret);

        return r < 0 ? bus_fault_local(fault, r, "Cannot read the statistics") : 0;
}

int stats_call(sd_bus *bus, char *const *names, struct json_object **ret, Fault *fault)
{
        _drop_(drop_message) sd_bus_message *m = NULL, *reply = NULL;
        int r;

        r = stats_call_new(bus, names, &m, fault);
        if (r >= 0)
                r = bus_call(bus, m, BUS_TIMEOUT_USEC, NULL, &reply, fault);
        return r < 0 ? r : read_reply(reply, ret, fault);
}

int stats_call_in_loop(Loop *loop, char *const *names, struct json_object **ret, Fault *fault)
{
        _drop_(drop_message) sd_bus_message *m = NULL, *reply = NULL;
        int r;

        r = stats_call_new(loop->bus, names, &m, fault);
        if (r >= 0)
                r = loop_call(loop, m, BUS_TIMEOUT_USEC, NULL, &reply, fault);
        return r < 0 ? r : read_reply(reply, ret, fault);
}

uint64_t stats_get_host_memory(void)
{
        struct sysinfo info;

        return sysinfo(&info) < 0 ? 0 : (uint64_t)info.totalram * info.mem_unit;
}
