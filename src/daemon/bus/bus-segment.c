/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The words of CreateContainer, but that a segment can also be taken back: by an empty name, or by
 * Isolated. */

#include <errno.h>
#include <stddef.h>

#include "daemon/bus/bus-call.h"
#include "daemon/bus/bus-dict.h"
#include "daemon/bus/bus-fault.h"
#include "daemon/bus/bus-segment.h"
#include "daemon/container-segment.h"
#include "model/network-spec.h"

typedef struct SegmentWish {
        char *segment;    /* NULL: not said */
        int is_isolating; /* 1 or 0; -1: not said */
        int is_cutting;
} SegmentWish;

static const DictKey segment_keys[] = {
        { "Segment", "s", bus_dict_set_string, offsetof(SegmentWish, segment) },
        { "Isolated", "b", bus_dict_set_boolean, offsetof(SegmentWish, is_isolating) },
        { "CutConnections", "b", bus_dict_set_boolean, offsetof(SegmentWish, is_cutting) },
};

/* @ret   the name, of @wish or for ever; NULL: none */
static int wish_settle(const SegmentWish *wish, const char **ret, Fault *fault)
{
        const char *segment = wish->segment;

        if (!segment && wish->is_isolating < 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "Segment: is required, or Isolated");
        if (segment && *segment && wish->is_isolating > 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "Isolated: contradicts Segment '%.64s'", segment);
        if (segment && !*segment && wish->is_isolating == 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "Isolated: is false, but Segment is empty");
        if (!segment)
                segment = wish->is_isolating > 0 ? "" : SEGMENT_DEFAULT;
        *ret = *segment ? segment : NULL;
        return *segment ? segment_name_check(segment, fault) : 0;
}

static int set_segment(sd_bus_message *m, Container *c, const SegmentWish *wish,
                       sd_bus_error *error)
{
        const char *name = NULL;
        Fault fault = FAULT_INIT;
        BusCall *call;
        int r;

        r = wish_settle(wish, &name, &fault);
        if (r < 0)
                return bus_fault_to_error(&fault, r, error);
        r = bus_call_new(m, &call, error);
        if (r < 0)
                return r;
        r = container_set_segment(c, name, wish->is_cutting, bus_call_reply_done, call, &fault);
        return r < 0 ? bus_call_refuse(call, r, &fault, error) : 1;
}

int bus_segment_method_set(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        SegmentWish wish = { .is_isolating = -1 };
        Fault fault = FAULT_INIT;
        int r;

        r = bus_dict_read(m, segment_keys, ELEMENTSOF(segment_keys), &wish, &fault);
        r = r < 0 ? bus_fault_to_error(&fault, r, error) : set_segment(m, userdata, &wish, error);
        free(wish.segment);
        return r;
}
