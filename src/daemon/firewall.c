/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls go out in order. While a rebuild is under way they wait, as it may be of a state before
 * them; afterwards they are sent all the same, since every one can be repeated. A call that finds
 * no tables begins a rebuild and is sent again after it, once.
 *
 * What nobody waits for, the elements of a container that is gone and had no forwards, is held back
 * for a moment and sent in one go: a transaction takes a millisecond of a processor however small
 * it is, and containers that come and go one after another would each pay for the one before. Until
 * then there are elements of an interface that does not exist; whoever gets its address before, is
 * told of after. */

#include <errno.h>
#include <string.h>

#include <systemd/sd-event.h>

#include "basic/io.h"
#include "basic/log.h"
#include "basic/message-id.h"
#include "daemon/container-segment.h"
#include "daemon/firewall-monitor.h"
#include "daemon/firewall.h"
#include "daemon/manager.h"
#include "daemon/worker-pool.h"

#define CALLS_MAX 4096 /* at once at the program, which makes batches of them */

#define LATER_USEC (USEC_PER_SEC / 2)

/* When somebody keeps changing our tables we put them right again, but not all day long. */
#define REPAIR_USEC (1 * USEC_PER_SEC)

struct FirewallCall {
        Firewall *firewall;
        FirewallCall *next;
        WireWriter request;
        WorkerOperation *worker; /* it is at the program */
        ReplyFunc func;
        void *userdata;
        FirewallAction action;
        uint32_t address; /* of the container, network byte order */
        int is_later;     /* held back */
        int is_retried;
        int is_orphan;              /* nobody waits: freed when it is through */
        int is_done;                /* only memory, which its owner frees */
        FirewallCounters *counters; /* of a FIREWALL_COUNT that was answered; else NULL */
};

struct Firewall {
        Manager *manager;
        WorkerPool *program; /* NULL: nobody needed it so far */
        FirewallMonitor *monitor;
        FirewallCall *calls; /* in order of arrival */
        WorkerOperation *rebuild;
        sd_event_source *send_source;   /* armed while calls are to be sent */
        sd_event_source *later_source;  /* armed while calls are held back */
        sd_event_source *repair_source; /* armed while a repair is due later */
        uint64_t repair_usec;           /* CLOCK_MONOTONIC: the last one */
        int is_built, is_rebuild_due;
};

int firewall_new(Manager *manager, Firewall **ret)
{
        Firewall *firewall = calloc(1, sizeof(*firewall));

        if (!firewall)
                return -ENOMEM;
        firewall->manager = manager;
        *ret = firewall;
        return 0;
}

static void call_unlink(FirewallCall *call)
{
        for (FirewallCall **p = &call->firewall->calls; *p; p = &(*p)->next)
                if (*p == call) {
                        *p = call->next;
                        break;
                }
}

static void call_forget(FirewallCall *call)
{
        free(call->counters);
        free(call);
}

static void call_release(FirewallCall *call)
{
        call_unlink(call);
        worker_operation_free(call->worker);
        wire_writer_done(&call->request);
        call_forget(call);
}

Firewall *firewall_free(Firewall *firewall)
{
        if (!firewall)
                return NULL;
        while (firewall->calls)
                call_release(firewall->calls);
        worker_operation_free(firewall->rebuild);
        sd_event_source_disable_unref(firewall->repair_source);
        sd_event_source_disable_unref(firewall->later_source);
        sd_event_source_disable_unref(firewall->send_source);
        firewall_monitor_free(firewall->monitor);
        worker_pool_free(firewall->program);
        free(firewall);
        return NULL;
}

FirewallCall *firewall_call_free(FirewallCall *call)
{
        if (!call)
                return NULL;
        if (call->is_done)
                call_forget(call);
        else
                call->is_orphan = 1;
        return NULL;
}

/* Out of the list first: who is told may do anything, and frees the call, which is his. */
static void call_finish(FirewallCall *call, int error, const Fault *fault)
{
        if (call->is_orphan) {
                if (error < 0)
                        (void)log_warning(error, "%s", fault->text);
                call_release(call);
                return;
        }
        call_unlink(call);
        call->worker = worker_operation_free(call->worker);
        wire_writer_done(&call->request);
        call->is_done = 1;
        call->func(call->userdata, error, fault);
}

/* What makes no sense is nothing. */
static void on_answered(void *userdata, const uint8_t *blob, size_t size)
{
        FirewallCall *call = userdata;

        if (call->action != FIREWALL_COUNT)
                return;
        call->counters = calloc(1, sizeof(*call->counters));
        if (call->counters)
                (void)firewall_counters_decode(blob, size, call->counters);
}

const FirewallCounters *firewall_call_counters(const FirewallCall *call)
{
        static const FirewallCounters nothing = { 0 };

        return call->counters ?: &nothing;
}

static void on_called(void *userdata, int error, const Fault *fault)
{
        FirewallCall *call = userdata;

        call->worker = worker_operation_free(call->worker);
        if (error >= 0) {
                /* A rebuild that is under way may not know of it. */
                if (call->firewall->rebuild)
                        call->firewall->is_rebuild_due = 1;
                call_finish(call, 0, NULL);
                return;
        }
        /* With the tables went what was to be removed. */
        if (error == -ENOENT && call->action == FIREWALL_REMOVE) {
                call_finish(call, 0, NULL);
                return;
        }
        /* The tables are gone, or the program is. */
        if ((error == -ENOENT || error == -ECONNRESET || error == -EPIPE) && !call->is_retried) {
                call->is_retried = 1;
                firewall_rebuild(call->firewall);
                return;
        }
        call_finish(call, error, fault);
}

/* A failure is told at once: not to be called from within firewall_call(). */
static void call_send(FirewallCall *call)
{
        static const WorkerHandler handler = { .answered = on_answered, .finished = on_called };
        WireWriter copy = WIRE_WRITER_INIT;
        Fault fault = FAULT_INIT;
        int r = 0;

        /* Kept, as it may have to be sent again. */
        copy.data = malloc(call->request.size);
        if (copy.data) {
                memcpy(copy.data, call->request.data, call->request.size);
                copy.size = copy.room = call->request.size;
                r = worker_begin(call->firewall->program, WORKER_FIREWALL, &copy, &handler, call,
                                 &call->worker, &fault);
                wire_writer_done(&copy);
        } else {
                r = fault_set(&fault, FAULT_FAILED, -ENOMEM, "Out of memory");
        }
        if (r < 0)
                call_finish(call, r, &fault);
}

static void send_calls(Firewall *firewall)
{
        FirewallCall *call, *next;

        for (call = firewall->calls; call; call = next) {
                next = call->next;
                if (!call->worker && !call->is_later)
                        call_send(call);
        }
}

/* -- rebuild -- */

static void container_describe(const Container *c, FirewallContainer *ret)
{
        *ret = (FirewallContainer){
                .addresses = c->network,
                .segment = c->segment,
                .forwards = c->spec->forwards,
                .n_forwards = c->spec->n_forwards,
                .rules = c->spec->egress,
                .n_rules = c->spec->n_egress,
        };
        memcpy(ret->id, c->id, sizeof(ret->id));
}

static int encode_rebuild(const Manager *manager, WireWriter *w)
{
        _drop_(drop_free) FirewallContainer *containers = NULL;
        FirewallRequest request = {
                .action = FIREWALL_REBUILD,
                .allow = manager->conf.allow_networks,
                .n_allow = manager->conf.n_allow_networks,
                .deny = manager->conf.deny_networks,
                .n_deny = manager->conf.n_deny_networks,
        };
        Container *c;

        containers = calloc(map_size(manager->by_id) + 1, sizeof(*containers));
        if (!containers)
                return -ENOMEM;
        MAP_FOREACH(c, manager->by_id)
                if (c->is_guarded)
                        container_describe(c, &containers[request.n_containers++]);
        request.containers = containers;
        return firewall_request_encode(&request, w);
}

static void on_rebuilt(void *userdata, int error, const Fault *fault)
{
        Firewall *firewall = userdata;
        FirewallCall *call;

        firewall->rebuild = worker_operation_free(firewall->rebuild);
        firewall->is_built = error >= 0;
        if (error < 0)
                (void)log_error(error, "Cannot set the packet filter up: %s", fault->text);
        if (firewall->is_rebuild_due) {
                firewall->is_rebuild_due = 0;
                firewall_rebuild(firewall);
                return;
        }
        /* Those that are told of a failure may take others with them: begin anew each time. */
        while (error < 0 && firewall->calls) {
                call = firewall->calls;
                call_finish(call, call->action == FIREWALL_REMOVE ? 0 : error, fault);
        }
        send_calls(firewall);
}

static void on_foreign_change(void *userdata);

static int start_program(Firewall *firewall, Fault *fault)
{
        const char *argv[] = { firewall->manager->conf.firewall_program, NULL };
        int r;

        if (firewall->program)
                return 0;
        r = worker_pool_new_program(firewall->manager->event, "firewall", argv, CALLS_MAX,
                                    &firewall->program, fault);
        if (r < 0)
                return r;
        r = firewall_monitor_new(firewall->manager->event, on_foreign_change, firewall,
                                 &firewall->monitor);
        if (r < 0)
                (void)log_warning(r, "Cannot watch the packet filter: nobody will notice when "
                                     "its tables are flushed: %m");
        return 0;
}

void firewall_start(Firewall *firewall)
{
        Fault fault = FAULT_INIT;
        int r = start_program(firewall, &fault);

        if (r < 0)
                (void)log_warning(r, "Private networks will not work: %s", fault.text);
}

static int begin_rebuild(Firewall *firewall, Fault *fault)
{
        static const WorkerHandler handler = { .finished = on_rebuilt };
        WireWriter w = WIRE_WRITER_INIT;
        int r;

        r = start_program(firewall, fault);
        if (r < 0)
                return r;
        r = encode_rebuild(firewall->manager, &w);
        if (r >= 0)
                r = worker_begin(firewall->program, WORKER_FIREWALL, &w, &handler, firewall,
                                 &firewall->rebuild, fault);
        wire_writer_done(&w);
        return r < 0 ? fault_set(fault, FAULT_FAILED, r, "Out of memory") : 0;
}

static int is_needed(const Manager *manager)
{
        Container *c;

        MAP_FOREACH(c, manager->by_id)
                if (c->is_guarded)
                        return 1;
        return 0;
}

void firewall_rebuild(Firewall *firewall)
{
        Fault fault = FAULT_INIT;
        int r;

        if (!firewall->calls && !is_needed(firewall->manager)) {
                /* Whoever is next finds out. */
                firewall->is_built = 0;
                return;
        }
        if (firewall->rebuild) {
                firewall->is_rebuild_due = 1;
                return;
        }
        r = begin_rebuild(firewall, &fault);
        if (r < 0)
                on_rebuilt(firewall, r, &fault);
}

/* -- repairs -- */

static int on_repair(sd_event_source *s, uint64_t usec, void *userdata)
{
        Firewall *firewall = userdata;

        firewall->repair_source = sd_event_source_disable_unref(firewall->repair_source);
        firewall->repair_usec = io_now_monotonic_usec();
        firewall_rebuild(firewall);
        return 0;
}

static void on_foreign_change(void *userdata)
{
        Firewall *firewall = userdata;
        uint64_t now = io_now_monotonic_usec(), next = firewall->repair_usec + REPAIR_USEC;

        if (firewall->repair_source)
                return;
        (void)log_at(LOG_NOTICE, 0,
                     (&(const LogContext){ .message_id = MESSAGE_FIREWALL_REPAIRED }),
                     "Somebody else has changed the tables of the packet filter that are ours; "
                     "making them anew");
        if (firewall->repair_usec == 0 || now >= next)
                (void)on_repair(NULL, now, firewall);
        else
                (void)sd_event_add_time(firewall->manager->event, &firewall->repair_source,
                                        CLOCK_MONOTONIC, next, 0, on_repair, firewall);
}

/* -- calls -- */

static void hurry(Firewall *firewall)
{
        firewall->later_source = sd_event_source_disable_unref(firewall->later_source);
        for (FirewallCall *call = firewall->calls; call; call = call->next)
                call->is_later = 0;
}

static int is_held_back(const Firewall *firewall, uint32_t address)
{
        for (const FirewallCall *call = firewall->calls; call; call = call->next)
                if (call->is_later && call->address == address)
                        return 1;
        return 0;
}

static int on_send(sd_event_source *s, void *userdata)
{
        Firewall *firewall = userdata;

        firewall->send_source = sd_event_source_disable_unref(firewall->send_source);
        if (firewall->rebuild)
                return 0;
        if (firewall->is_built)
                send_calls(firewall);
        else
                firewall_rebuild(firewall);
        return 0;
}

static int on_later(sd_event_source *s, uint64_t usec, void *userdata)
{
        Firewall *firewall = userdata;

        hurry(firewall);
        return on_send(NULL, firewall);
}

static int schedule(FirewallCall *call)
{
        Firewall *firewall = call->firewall;
        sd_event *event = firewall->manager->event;

        if (call->is_later)
                return firewall->later_source
                               ? 0
                               : sd_event_add_time_relative(event, &firewall->later_source,
                                                            CLOCK_MONOTONIC, LATER_USEC, 0,
                                                            on_later, firewall);
        if (is_held_back(firewall, call->address))
                hurry(firewall);
        return firewall->send_source
                       ? 0
                       : sd_event_add_defer(event, &firewall->send_source, on_send, firewall);
}

/* @containers   the first is whose call it is */
static int call_begin(Firewall *firewall, FirewallAction action, FirewallContainer *containers,
                      size_t n_containers, ReplyFunc func, void *userdata, FirewallCall **ret,
                      Fault *fault)
{
        FirewallCall *call = calloc(1, sizeof(*call)), **tail = &firewall->calls;
        const FirewallRequest request = { .action = action,
                                          .containers = containers,
                                          .n_containers = n_containers };
        int r;

        if (!call)
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "Out of memory");
        call->firewall = firewall;
        call->address = containers->addresses.container4;
        call->is_later = action == FIREWALL_REMOVE && containers->n_forwards == 0;
        r = firewall_request_encode(&request, &call->request);
        if (r >= 0)
                r = start_program(firewall, fault);
        if (r >= 0)
                r = schedule(call);
        if (r < 0) {
                wire_writer_done(&call->request);
                free(call);
                return fault_set(fault, FAULT_FAILED, r, "Out of memory");
        }
        call->action = action;
        call->func = func;
        call->userdata = userdata;
        while (*tail)
                tail = &(*tail)->next;
        *tail = call;
        *ret = call;
        return 0;
}

int firewall_call(Firewall *firewall, FirewallAction action, Container *c,
                  const PortForward *forwards, size_t n_forwards, ReplyFunc func, void *userdata,
                  FirewallCall **ret, Fault *fault)
{
        FirewallContainer container;

        container_describe(c, &container);
        if (action != FIREWALL_REMOVE) {
                container.forwards = (PortForward *)forwards;
                container.n_forwards = n_forwards;
        }
        if (action == FIREWALL_FORWARD || action == FIREWALL_UNFORWARD)
                container.n_rules = 0;
        /* Before this comes what is under way. */
        container.segment = container_segment_wanted(c);
        return call_begin(firewall, action, &container, 1, func, userdata, ret, fault);
}

int firewall_change_rules(Firewall *firewall, Container *c, uint64_t retired, ReplyFunc func,
                          void *userdata, FirewallCall **ret, Fault *fault)
{
        FirewallContainer container;

        container_describe(c, &container);
        container.n_forwards = 0;
        container.retired_rules = retired;
        return call_begin(firewall, FIREWALL_RULES, &container, 1, func, userdata, ret, fault);
}

int firewall_cut(Firewall *firewall, Container *c, const PortForward *forward,
                 const EgressRule *rule, ReplyFunc func, void *userdata, FirewallCall **ret,
                 Fault *fault)
{
        FirewallContainer container;

        container_describe(c, &container);
        container.forwards = (PortForward *)forward;
        container.n_forwards = forward ? 1 : 0;
        container.rules = (EgressRule *)rule;
        container.n_rules = rule ? 1 : 0;
        return call_begin(firewall, FIREWALL_CUT, &container, 1, func, userdata, ret, fault);
}

int firewall_move(Firewall *firewall, Container *c, uint32_t number, ReplyFunc func, void *userdata,
                  FirewallCall **ret, Fault *fault)
{
        FirewallContainer container;

        container_describe(c, &container);
        container.segment_before = container.segment;
        container.segment = number;
        container.n_forwards = container.n_rules = 0;
        return call_begin(firewall, FIREWALL_SEGMENT, &container, 1, func, userdata, ret, fault);
}

int firewall_cut_segment(Firewall *firewall, Container *c, uint32_t number, ReplyFunc func,
                         void *userdata, FirewallCall **ret, Fault *fault)
{
        const Manager *manager = firewall->manager;
        _drop_(drop_free) FirewallContainer *containers = NULL;
        Container *other;
        size_t n = 1;

        containers = calloc(map_size(manager->by_id) + 1, sizeof(*containers));
        if (!containers)
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "Out of memory");
        container_describe(c, &containers[0]);
        MAP_FOREACH(other, manager->by_id)
                if (other != c && other->segment == number)
                        container_describe(other, &containers[n++]);
        for (size_t i = 0; i < n; i++)
                containers[i].n_forwards = containers[i].n_rules = 0;
        return call_begin(firewall, FIREWALL_CUT, containers, n, func, userdata, ret, fault);
}
