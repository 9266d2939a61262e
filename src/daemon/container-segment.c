/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A change is made in the kernel first, then connections are cut, then it is saved: a daemon that
 * dies in between makes the tables anew from what was saved, and the caller, who got no answer,
 * asks again. */

#include <errno.h>
#include <string.h>

#include "daemon/container-segment.h"
#include "daemon/firewall.h"
#include "daemon/manager.h"
#include "daemon/network-change.h"
#include "daemon/segment-pool.h"
#include "daemon/store.h"

struct SegmentChange {
        Container *container;
        FirewallCall *call;
        char *name;      /* the other one: what it is to be, and once it is, what it was */
        uint32_t number; /* of that, leased */
        int is_made;     /* the kernel has it, and so has the container */
        int is_cutting;
        Fault cut_fault; /* they could not be cut */
        ReplyFunc func;
        void *userdata;
};

static SegmentChange *change_free(SegmentChange *change)
{
        Container *c = change->container;

        c->segment_change = NULL;
        firewall_call_free(change->call);
        if (change->number > 0)
                segment_pool_release(c->manager->segments, change->name);
        free(change->name);
        free(change);
        return NULL;
}

/* Answers and frees. */
static void change_finish(SegmentChange *change, int error, const Fault *fault)
{
        ReplyFunc func = change->func;
        void *userdata = change->userdata;
        Fault copy = fault ? *fault : FAULT_INIT;

        change_free(change);
        func(userdata, error, &copy);
}

uint32_t container_segment_wanted(const Container *c)
{
        const SegmentChange *change = c->segment_change;

        return change && !change->is_made ? change->number : c->segment;
}

void container_segment_cancel(Container *c)
{
        Fault fault = FAULT_INIT;
        int r;

        if (!c->segment_change)
                return;
        r = fault_set(&fault, FAULT_BAD_STATE, -ECANCELED, "The container was destroyed meanwhile");
        change_finish(c->segment_change, r, &fault);
}

/* From one to the other, or back. */
static void swap(SegmentChange *change)
{
        Container *c = change->container;
        uint32_t number = c->segment;
        char *name = c->spec->segment;

        c->spec->segment = change->name;
        c->segment = change->number;
        change->name = name;
        change->number = number;
}

static void finish_saved(SegmentChange *change)
{
        Container *c = change->container;
        Fault fault = FAULT_INIT;
        int r = store_save_container(c);

        if (r >= 0) {
                container_changed(c, CONTAINER_CHANGED_SEGMENT);
                change_finish(change, change->cut_fault.error, &change->cut_fault);
                return;
        }
        r = fault_set(&fault, FAULT_FAILED, r, "Cannot save the state: %m");
        swap(change);
        firewall_rebuild(c->manager->firewall);
        change_finish(change, r, &fault);
}

static void on_changed(void *userdata, int error, const Fault *fault)
{
        SegmentChange *change = userdata;
        Container *c = change->container;

        change->call = firewall_call_free(change->call);
        if (change->is_made) {
                if (error < 0)
                        change->cut_fault = *fault;
                finish_saved(change);
                return;
        }
        if (error < 0) {
                Firewall *firewall = c->manager->firewall;

                change_finish(change, error, fault);
                /* Of an earlier try whose answer was lost: what the kernel has is not known. */
                if (error == -EEXIST)
                        firewall_rebuild(firewall);
                return;
        }
        swap(change);
        change->is_made = 1;
        if (!change->is_cutting || change->number == 0 ||
            firewall_cut_segment(c->manager->firewall, c, change->number, on_changed, change,
                                 &change->call, &change->cut_fault) < 0)
                finish_saved(change);
}

static int is_same(const char *a, const char *b)
{
        return a && b ? strcmp(a, b) == 0 : a == b;
}

static int change_begin(SegmentChange *change, const char *name, Fault *fault)
{
        Container *c = change->container;
        int r;

        if (name) {
                change->name = strdup(name);
                if (!change->name)
                        return fault_set(fault, FAULT_FAILED, -ENOMEM, "Out of memory");
                r = segment_pool_acquire(c->manager->segments, name, &change->number, fault);
                if (r < 0)
                        return r;
        }
        return firewall_move(c->manager->firewall, c, change->number, on_changed, change,
                             &change->call, fault);
}

int container_set_segment(Container *c, const char *name, int is_cutting, ReplyFunc func,
                          void *userdata, Fault *fault)
{
        SegmentChange *change;
        int r;

        r = network_change_check(c, fault);
        if (r < 0)
                return r;
        if (c->segment_change)
                return fault_set(fault, FAULT_BAD_STATE, -EBUSY,
                                 "Segment: another change of it is under way; try again");
        if (is_same(c->spec->segment, name)) {
                func(userdata, 0, NULL);
                return 0;
        }
        change = calloc(1, sizeof(*change));
        if (!change)
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "Out of memory");
        *change = (SegmentChange){
                .container = c,
                .is_cutting = is_cutting,
                .cut_fault = FAULT_INIT,
                .func = func,
                .userdata = userdata,
        };
        r = change_begin(change, name, fault);
        if (r < 0) {
                change_free(change);
                return r;
        }
        c->segment_change = change;
        return 0;
}
