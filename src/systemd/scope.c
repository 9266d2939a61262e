/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One call: a process is moved into a scope of its own.
 *
 *            StartTransientUnit                     reply: job            JobRemoved(job)
 *   asked ───────────────────────────────► queued ───────────────────────────────► done
 *     ▲  │                                    │ ▲
 *     │  │ error: unit exists                 │ │ still queued, or active
 *     │  ├──────────► taken                   │ │
 *     │  │              │ UnitRemoved         │ │
 *     │  ◄──────────────┘                     │ │
 *     │  │ error: systemd is away             │ │
 *     │  └──────────► lost ◄──────────────────┘ │      systemd reloaded, or was replaced
 *     │                 │ systemd is there      │
 *     │                 ▼                       │
 *     └─────────────── GetUnit, ActiveState, Job┘
 *      no such unit, never accepted
 *
 * "taken" is the normal end of a quick stop and start: the scope's processes are gone, and
 * systemd is about to notice. The reply and JobRemoved may come in either order: what is heard
 * of our unit before the reply is kept until the reply says which job is ours. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "basic/log.h"
#include "systemd/scope-client.h"

#define SCOPE_TIMEOUT_USEC (30 * USEC_PER_SEC)
#define TAKEN_TIMEOUT_USEC (5 * USEC_PER_SEC)
#define EARLY_MAX 4

typedef enum CallState {
        CALL_ASKED,  /* StartTransientUnit is on its way */
        CALL_TAKEN,  /* the name is in use; waits for UnitRemoved */
        CALL_QUEUED, /* waits for JobRemoved */
        CALL_LOST,   /* systemd went away; waits for it to come back */
} CallState;

typedef struct EarlyJob {
        char *job;
        char *result;
} EarlyJob;

struct ScopeCall {
        SystemdClient *client; /* NULL: finished */
        ScopeCall *next, *previous;
        ScopeRequestCopy copy;
        CallState state;
        int is_accepted;     /* systemd has answered with a job, once */
        int is_doubted;      /* scope_client_recheck() has yet to ask for it */
        int is_removal_seen; /* UnitRemoved came while StartTransientUnit was on its way */
        char *job;           /* in client->by_job */
        EarlyJob early[EARLY_MAX];
        size_t n_early;
        sd_bus_slot *slot;         /* the one method call that is on its way */
        sd_bus_slot *removed_slot; /* the match for UnitRemoved, once it was needed */
        sd_event_source *timer;
        ScopeDone done;
        void *userdata;
};

static void call_set_job(ScopeCall *call, char *take_job)
{
        if (call->job)
                (void)map_remove(call->client->by_job, call->job);
        free(call->job);
        call->job = take_job;
}

/* Out of the client, and deaf. */
static void call_unlink(ScopeCall *call)
{
        if (!call->client)
                return;
        call_set_job(call, NULL);
        if (call->previous)
                call->previous->next = call->next;
        else
                call->client->calls = call->next;
        if (call->next)
                call->next->previous = call->previous;
        call->next = call->previous = NULL;
        call->client = NULL;
        call->slot = sd_bus_slot_unref(call->slot);
        call->removed_slot = sd_bus_slot_unref(call->removed_slot);
        call->timer = sd_event_source_disable_unref(call->timer);
}

/* The owner may free the call from within its function: nothing touches it afterwards. */
static void call_finish(ScopeCall *call, int error, const Fault *fault)
{
        call_unlink(call);
        call->done(call->userdata, error, fault);
}

static void call_fail(ScopeCall *call, FaultKind kind, int error, const char *text)
{
        Fault fault = FAULT_INIT;

        (void)fault_set(&fault, kind, error, "scope: %s", text);
        call_finish(call, error, &fault);
}

static void call_fail_errno(ScopeCall *call, int error, const char *text)
{
        char line[192];

        errno = -error;
        (void)snprintf(line, sizeof(line), "%s: %m", text);
        call_fail(call, FAULT_FAILED, error, line);
}

static void call_fail_bus(ScopeCall *call, const sd_bus_error *e)
{
        int r = -sd_bus_error_get_errno(e);

        call_fail(call, FAULT_FAILED, r < 0 ? r : -EIO, e->message ? e->message : e->name);
}

/* systemd's manager is not there to answer: between two executions of it, or on its way down. */
static int error_is_absence(const sd_bus_error *e)
{
        static const char *const names[] = {
                SD_BUS_ERROR_NO_REPLY,
                SD_BUS_ERROR_DISCONNECTED,
                SD_BUS_ERROR_NAME_HAS_NO_OWNER,
                SD_BUS_ERROR_SERVICE_UNKNOWN,
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (sd_bus_error_has_name(e, names[i]))
                        return 1;
        return strncmp(e->name, "org.freedesktop.DBus.Error.Spawn.", 33) == 0;
}

static void call_probe(ScopeCall *call);

static void call_lose(ScopeCall *call, const sd_bus_error *e)
{
        call->state = CALL_LOST;
        /* NoReply may be the first that we hear of systemd's end, or the last: if its name was
         * given to the next one already, nobody will tell us again. */
        if (sd_bus_error_has_name(e, SD_BUS_ERROR_NO_REPLY) && call->client->is_present)
                call_probe(call);
}

static void call_end_job(ScopeCall *call, const char *result)
{
        int is_timeout = strcmp(result, "timeout") == 0;
        char text[192];

        if (strcmp(result, "done") == 0) {
                call_finish(call, 0, NULL);
                return;
        }
        (void)snprintf(text, sizeof(text), "systemd ended the job of %s as %s",
                       call->copy.request.unit, result);
        call_fail(call, is_timeout ? FAULT_TIMED_OUT : FAULT_FAILED, is_timeout ? -ETIMEDOUT : -EIO,
                  text);
}

static int call_await_job(ScopeCall *call, const char *job)
{
        char *copy = strdup(job);
        int r;

        if (!copy)
                return -ENOMEM;
        call_set_job(call, NULL);
        r = map_put(call->client->by_job, copy, call);
        if (r < 0) {
                free(copy);
                return r;
        }
        call->job = copy;
        call->is_accepted = 1;
        call->state = CALL_QUEUED;
        return 0;
}

/* StartTransientUnit */

static int on_started(sd_bus_message *m, void *userdata, sd_bus_error *error);

static int call_ask(ScopeCall *call)
{
        _drop_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        int r;

        r = scope_request_to_message(&call->copy.request, call->client->bus, &m);
        if (r < 0)
                return r;
        call->slot = sd_bus_slot_unref(call->slot);
        call->state = CALL_ASKED;
        call->is_removal_seen = 0;
        return sd_bus_call_async(call->client->bus, &call->slot, m, on_started, call, UINT64_MAX);
}

static void call_ask_or_fail(ScopeCall *call)
{
        int r = call_ask(call);

        if (r < 0)
                call_fail_errno(call, r, "cannot ask systemd for the scope");
}

static int on_unit_removed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        ScopeCall *call = userdata;

        if (call->state == CALL_TAKEN)
                call_ask_or_fail(call);
        else
                call->is_removal_seen = 1;
        return 0;
}

/* The name may have become free before the match was there, so the installed match asks again. */
static int on_removed_match(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        const sd_bus_error *e = sd_bus_message_get_error(m);

        if (e)
                call_fail_bus(userdata, e);
        else
                call_ask_or_fail(userdata);
        return 0;
}

static int call_watch_removal(ScopeCall *call)
{
        char rule[512];
        int r;

        r = snprintf(rule, sizeof(rule),
                     "type='signal',sender='" SYSTEMD_NAME "',path='" SYSTEMD_PATH "',"
                     "interface='" SYSTEMD_MANAGER "',member='UnitRemoved',arg0='%s'",
                     call->copy.request.unit);
        if (r < 0 || (size_t)r >= sizeof(rule))
                return -EINVAL;
        r = sd_event_source_set_time_relative(call->timer, TAKEN_TIMEOUT_USEC);
        if (r < 0)
                return r;
        return sd_bus_add_match_async(call->client->bus, &call->removed_slot, rule, on_unit_removed,
                                      on_removed_match, call);
}

static void call_wait_for_name(ScopeCall *call, const sd_bus_error *e)
{
        int r = 0;

        if (call->is_removal_seen) {
                call_ask_or_fail(call);
                return;
        }
        call->state = CALL_TAKEN;
        if (!call->removed_slot)
                r = call_watch_removal(call);
        if (r < 0)
                call_fail_bus(call, e);
}

static int on_started(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        const sd_bus_error *e = sd_bus_message_get_error(m);
        ScopeCall *call = userdata;
        const char *job;
        int r;

        if (e) {
                if (error_is_absence(e))
                        call_lose(call, e);
                else if (sd_bus_error_has_name(e, SYSTEMD_NAME ".UnitExists"))
                        call_wait_for_name(call, e);
                else
                        call_fail_bus(call, e);
                return 0;
        }

        r = sd_bus_message_read(m, "o", &job);
        if (r >= 0)
                r = call_await_job(call, job);
        if (r < 0) {
                call_fail_errno(call, r, "cannot use systemd's answer");
                return 0;
        }
        for (size_t i = 0; i < call->n_early; i++)
                if (strcmp(call->early[i].job, job) == 0) {
                        call_end_job(call, call->early[i].result);
                        return 0;
                }
        return 0;
}

/* GetUnit, then ActiveState, then Job: asked one after the other, because most answers end it. */

static int call_ask_property(ScopeCall *call, const char *name, sd_bus_message_handler_t handler)
{
        _drop_(drop_free) char *path = NULL;
        int r;

        r = sd_bus_path_encode(SYSTEMD_PATH "/unit", call->copy.request.unit, &path);
        if (r < 0)
                return r;
        call->slot = sd_bus_slot_unref(call->slot);
        return sd_bus_call_method_async(call->client->bus, &call->slot, SYSTEMD_NAME, path,
                                        "org.freedesktop.DBus.Properties", "Get", handler, call,
                                        "ss", SYSTEMD_NAME ".Unit", name);
}

/* Returns 1 when the answer was an error, and that was dealt with. */
static int probe_failed(ScopeCall *call, sd_bus_message *m)
{
        const sd_bus_error *e = sd_bus_message_get_error(m);

        if (!e)
                return 0;
        if (error_is_absence(e))
                call_lose(call, e);
        else if (sd_bus_error_has_name(e, SYSTEMD_NAME ".NoSuchUnit") && !call->is_accepted)
                call_ask_or_fail(call);
        else
                call_fail_bus(call, e);
        return 1;
}

static int on_probed_job(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        ScopeCall *call = userdata;
        const char *job;
        uint32_t id;
        int r;

        if (probe_failed(call, m))
                return 0;
        r = sd_bus_message_read(m, "v", "(uo)", &id, &job);
        if (r >= 0 && id == 0) {
                call_fail(call, FAULT_FAILED, -ESRCH, "systemd has ended the scope already");
                return 0;
        }
        if (r >= 0)
                r = call_await_job(call, job);
        if (r < 0)
                call_fail_errno(call, r, "cannot use systemd's answer");
        return 0;
}

static int on_probed_state(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        ScopeCall *call = userdata;
        const char *state;
        int r;

        if (probe_failed(call, m))
                return 0;
        r = sd_bus_message_read(m, "v", "s", &state);
        if (r >= 0 && strcmp(state, "active") == 0) {
                call_finish(call, 0, NULL);
                return 0;
        }
        if (r >= 0)
                r = call_ask_property(call, "Job", on_probed_job);
        if (r < 0)
                call_fail_errno(call, r, "cannot ask systemd for the scope's job");
        return 0;
}

static int on_probed_unit(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        ScopeCall *call = userdata;
        int r;

        if (probe_failed(call, m))
                return 0;
        r = call_ask_property(call, "ActiveState", on_probed_state);
        if (r < 0)
                call_fail_errno(call, r, "cannot ask systemd for the scope's state");
        return 0;
}

/* GetUnit comes first because asking for a property of a unit that is not there would load one. */
static void call_probe(ScopeCall *call)
{
        int r;

        call->slot = sd_bus_slot_unref(call->slot);
        r = sd_bus_call_method_async(call->client->bus, &call->slot, SYSTEMD_NAME, SYSTEMD_PATH,
                                     SYSTEMD_MANAGER, "GetUnit", on_probed_unit, call, "s",
                                     call->copy.request.unit);
        if (r < 0)
                call_fail_errno(call, r, "cannot ask systemd for the scope");
}

/* What the client hears */

static void call_keep_early(ScopeCall *call, const char *job, const char *result)
{
        EarlyJob early = { strdup(job), strdup(result) };

        /* A unit that is being started has few other jobs: a stop of its last life at most. */
        if (!early.job || !early.result || call->n_early == EARLY_MAX) {
                free(early.job);
                free(early.result);
                return;
        }
        call->early[call->n_early++] = early;
}

void scope_client_job_removed(SystemdClient *client, const char *job, const char *unit,
                              const char *result)
{
        ScopeCall *call = map_get(client->by_job, job);

        if (call) {
                call_end_job(call, result);
                return;
        }
        for (call = client->calls; call; call = call->next)
                if (call->state == CALL_ASKED && strcmp(call->copy.request.unit, unit) == 0)
                        call_keep_early(call, job, result);
}

void scope_client_recheck(SystemdClient *client)
{
        ScopeCall *call;

        for (call = client->calls; call; call = call->next)
                call->is_doubted = call->state == CALL_QUEUED || call->state == CALL_LOST;

        /* From the head each time: a call that fails may take others with it. */
        do {
                for (call = client->calls; call && !call->is_doubted; call = call->next)
                        ;
                if (call) {
                        call->is_doubted = 0;
                        call_probe(call);
                }
        } while (call);
}

void scope_client_drop_calls(SystemdClient *client)
{
        while (client->calls)
                call_unlink(client->calls);
}

/* Lifecycle */

static int on_timeout(sd_event_source *s, uint64_t usec, void *userdata)
{
        static const char *const texts[] = {
                [CALL_ASKED] = "systemd does not answer",
                [CALL_TAKEN] = "another unit has the scope's name",
                [CALL_QUEUED] = "systemd does not finish the scope's job",
                [CALL_LOST] = "systemd is not on the bus",
        };
        ScopeCall *call = userdata;

        call_fail(call, FAULT_TIMED_OUT, -ETIMEDOUT, texts[call->state]);
        return 0;
}

static void call_link(ScopeCall *call, SystemdClient *client)
{
        call->client = client;
        call->next = client->calls;
        if (call->next)
                call->next->previous = call;
        client->calls = call;
}

int scope_start(SystemdClient *client, const ScopeRequest *request, ScopeDone done, void *userdata,
                ScopeCall **ret, Fault *fault)
{
        _drop_(drop_scope_call) ScopeCall *call = NULL;
        int r;

        call = calloc(1, sizeof(*call));
        if (!call)
                return -ENOMEM;
        r = scope_request_copy(request, &call->copy);
        if (r < 0)
                return r;
        call->done = done;
        call->userdata = userdata;
        call_link(call, client);

        r = sd_event_add_time_relative(sd_bus_get_event(client->bus), &call->timer, CLOCK_MONOTONIC,
                                       SCOPE_TIMEOUT_USEC, 0, on_timeout, call);
        if (r >= 0)
                r = call_ask(call);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r,
                                 "scope: cannot ask systemd for the scope: %m");

        *ret = take_ptr(call);
        return 0;
}

ScopeCall *scope_call_free(ScopeCall *call)
{
        if (!call)
                return NULL;
        call_unlink(call);
        for (size_t i = 0; i < call->n_early; i++) {
                free(call->early[i].job);
                free(call->early[i].result);
        }
        scope_request_copy_done(&call->copy);
        free(call);
        return NULL;
}

/* A unit that is gone is what the caller wanted. Others are left to systemd: the caller asks for
 * something that it cannot do itself, and watches the processes. */
static int on_unit_answer(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        const sd_bus_error *e = sd_bus_message_get_error(m);

        if (e && !sd_bus_error_has_name(e, SYSTEMD_NAME ".NoSuchUnit"))
                log_debug("systemd on a scope: %s", e->message);
        return 0;
}

int scope_stop(SystemdClient *client, const char *unit)
{
        return sd_bus_call_method_async(client->bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH,
                                        SYSTEMD_MANAGER, "StopUnit", on_unit_answer, NULL, "ss",
                                        unit, "replace");
}

int scope_kill(SystemdClient *client, const char *unit)
{
        return sd_bus_call_method_async(client->bus, NULL, SYSTEMD_NAME, SYSTEMD_PATH,
                                        SYSTEMD_MANAGER, "KillUnit", on_unit_answer, NULL, "ssi",
                                        unit, "all", 9);
}
