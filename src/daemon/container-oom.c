/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What happens when the kernel kills in a container for want of memory. It is the kernel's counter
 * that says so, for each kill once, whoever makes us look at it:
 *
 *     the source            memory.events or the eventfd, at once
 *     a job killed by       PID 1's report may come earlier than the source's event, and is the
 *     SIGKILL               only news on v1 when the whole machine is short of memory
 *     the container's end   what came in its last moment, and systemd-oomd's note on the group
 *     a start of wardend    what was counted since the counter was saved
 *
 * Which process it was the counter does not say, and the kernel's log, which does, is not ours to
 * read. So the next job that dies by a SIGKILL that nobody asked for is taken for the victim, one
 * for each kill; a victim that was another process of a job leaves that job alone. */

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <systemd/sd-event.h>

#include "basic/io.h"
#include "basic/log.h"
#include "basic/message-id.h"
#include "cgroup/oom-source.h"
#include "daemon/container-oom.h"
#include "daemon/manager.h"
#include "daemon/store.h"
#include "daemon/wshd-request.h"

#define EVENT_TEXT "out of memory" /* Warden's word */
#define CLAIM_USEC USEC_PER_SEC    /* from the kernel's kill to PID 1's report of the job */
#define POLICY_USEC (100 * USEC_PER_MSEC)
#define SIGNALS_MAX 32 /* for one look; the property has the exact number */

static void oom_log(const Container *c, uint32_t job, const char *message_id, const char *text)
{
        LogContext context = {
                .container = container_name(c),
                .id = c->id,
                .unit = c->unit,
                .job = job,
                .message_id = message_id,
        };

        (void)log_at(LOG_WARNING, 0, &context, "%s", text);
}

static void oom_tell(Container *c)
{
        const ManagerObserver *observer = &c->manager->observer;
        uint64_t n = MIN2(c->oom_untold, (uint64_t)SIGNALS_MAX);

        c->oom_untold = 0;
        container_changed(c, CONTAINER_CHANGED_EVENTS);
        for (uint64_t i = 0; i < n && c->is_announced && observer->container_oom; i++)
                observer->container_oom(observer->userdata, c);
}

/* All jobs at once, as a client's SIGKILL to the container, but it was for want of memory. PID 1
 * goes on: the container's owner decides what is next. */
static void oom_kill_jobs(Container *c)
{
        WshdMessage m = { .type = WSHD_KILL_ALL, .signal = SIGKILL };
        WshdRequest request = { .what = "Cannot kill what is left" };
        Fault fault = FAULT_INIT;
        Job *job;
        int r;

        r = wshd_request(c, &m, request, &fault);
        if (r < 0) {
                (void)container_log(c, LOG_WARNING, r, NULL, fault.text);
                return;
        }
        MAP_FOREACH(job, c->jobs)
                job->is_oom_victim = 1;
}

/* Not at once, but when the victim has been reported, or when it was no job: to stop or to kill
 * makes PID 1 work, and as long as the memory of the victim is not back it would be the next one
 * wherever it cannot be protected. */
static int on_policy(sd_event_source *s, uint64_t usec, void *userdata)
{
        Container *c = userdata;
        Fault fault = FAULT_INIT;

        c->oom_policy_source = sd_event_source_disable_unref(c->oom_policy_source);
        if (c->state != CONTAINER_ACTIVE && c->state != CONTAINER_FROZEN)
                return 0;
        if (c->spec->oom_policy == OOM_KILL)
                oom_kill_jobs(c);
        if (c->spec->oom_policy == OOM_STOP &&
            container_stop(c, USEC_INFINITY, NULL, NULL, &fault) < 0)
                (void)container_log(c, LOG_ERR, fault.error, NULL, fault.text);
        return 0;
}

static void oom_apply_policy(Container *c)
{
        if (c->spec->oom_policy == OOM_CONTINUE || c->oom_policy_source)
                return;
        (void)sd_event_add_time_relative(c->manager->event, &c->oom_policy_source, CLOCK_MONOTONIC,
                                         POLICY_USEC, 1, on_policy, c);
}

static void oom_add(Container *c, uint64_t kills, const char *text)
{
        int r;

        c->oom_total += kills;
        c->oom_untold += kills;
        r = container_add_event(c, EVENT_TEXT);
        if (r >= 0)
                r = store_save_container(c);
        if (r < 0)
                (void)container_log(c, LOG_WARNING, r, NULL, "Failed to save the state");
        oom_log(c, 0, MESSAGE_CONTAINER_OOM, text);
        if (c->manager->is_public)
                oom_tell(c);
}

static void on_oom(void *userdata, uint64_t kills)
{
        Container *c = userdata;
        uint64_t n = kills - c->oom_kills;
        char text[96];

        if (kills <= c->oom_kills)
                return;
        c->oom_kills = kills;
        c->oom_unclaimed += n;
        c->oom_usec = io_now_monotonic_usec();
        (void)snprintf(text, sizeof(text),
                       "Out of memory: the kernel has killed %" PRIu64
                       " process%s of the container",
                       n, n == 1 ? "" : "es");
        oom_add(c, n, text);
        oom_apply_policy(c);
}

static void oom_look(Container *c)
{
        uint64_t kills;

        if (c->oom && oom_source_read(c->oom, &kills) >= 0)
                on_oom(c, kills);
}

void container_oom_begin(Container *c)
{
        int r;

        /* A life before may have ended in the middle of its start. */
        c->oom = oom_source_free(c->oom);
        if (!c->control_group)
                return;
        r = oom_source_new(c->manager->event, c->manager->cgroup_mode, c->control_group, on_oom, c,
                           &c->oom);
        if (r < 0) {
                (void)container_log(c, LOG_WARNING, r, NULL,
                                    "Cannot watch for kills for want of memory");
                return;
        }
        oom_look(c);
}

void container_oom_end(Container *c)
{
        if (c->oom) {
                oom_look(c);
                c->oom_by_oomd = oom_source_read_oomd(c->oom) > 0;
        }
        c->oom = oom_source_free(c->oom);
        c->oom_policy_source = sd_event_source_disable_unref(c->oom_policy_source);
        c->oom_unclaimed = 0;
        if (c->oom_by_oomd)
                oom_add(c, 1, "Out of memory: systemd-oomd has killed the container");
}

void container_oom_tell(Container *c)
{
        if (c->oom_untold > 0)
                oom_tell(c);
}

int container_oom_claim(Container *c, const Job *job)
{
        char text[160];

        if (job->is_oom_victim || c->oom_by_oomd)
                return 1;
        oom_look(c);
        if (c->oom_unclaimed == 0 || io_now_monotonic_usec() - c->oom_usec > CLAIM_USEC)
                return 0;
        c->oom_unclaimed--;
        if (c->oom_policy_source)
                (void)sd_event_source_set_time(c->oom_policy_source, 0);
        (void)snprintf(text, sizeof(text), "Out of memory: job %u (%.64s, process %u) was killed",
                       job->id, job->identifier, job->pid);
        oom_log(c, job->id, MESSAGE_JOB_OOM, text);
        return 1;
}
