/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How a container's processes end, asked for or not: PID 1 is told to stop and ends its jobs in
 * order; when it does not come to an end in time it is killed, and the kernel kills everything in
 * its pid namespace with it. The same path is taken when systemd stops the scope or something kills
 * PID 1: what counts is that its pidfd fires. */

#include <errno.h>
#include <signal.h>

#include <systemd/sd-event.h>

#include "basic/io.h"
#include "basic/log.h"
#include "basic/message-id.h"
#include "daemon/container-limits.h"
#include "daemon/container-freeze.h"
#include "daemon/container-interfaces.h"
#include "daemon/container-oom.h"
#include "daemon/container-pressure.h"
#include "daemon/manager.h"
#include "daemon/process.h"
#include "daemon/wshd-client.h"

#define PATIENCE_USEC (5 * USEC_PER_SEC) /* on top of the grace time */

static int on_stop_timeout(sd_event_source *s, uint64_t usec, void *userdata)
{
        Container *c = userdata;

        c->stop_source = sd_event_source_disable_unref(c->stop_source);
        (void)container_log(c, LOG_WARNING, 0, NULL, "PID 1 did not stop in time, killing it");
        (void)process_signal(c->leader_pidfd, SIGKILL);
        return 0;
}

/* Asked again, perhaps with less patience: PID 1 is told only when it is to end earlier. */
static void stop_send(Container *c, uint64_t grace_usec)
{
        WshdMessage m = { .type = WSHD_STOP, .usec = grace_usec };
        uint64_t now = io_now_monotonic_usec(), until = USEC_INFINITY;
        int r;

        if (grace_usec < USEC_INFINITY - PATIENCE_USEC - now)
                until = now + grace_usec + PATIENCE_USEC;
        if (c->stop_source && until >= c->stop_usec)
                return;
        c->stop_usec = until;
        c->stop_source = sd_event_source_disable_unref(c->stop_source);
        r = c->wshd ? wshd_client_call(c->wshd, &m, NULL, 0, NULL, NULL) : -ENOTCONN;
        if (r >= 0)
                r = sd_event_add_time(c->manager->event, &c->stop_source, CLOCK_MONOTONIC, until, 0,
                                      on_stop_timeout, c);
        if (r < 0) {
                (void)container_log(c, LOG_WARNING, r, NULL,
                                    "Cannot ask PID 1 to stop, killing it");
                (void)process_signal(c->leader_pidfd, SIGKILL);
        }
}

int container_stop(Container *c, uint64_t grace_usec, ReplyFunc func, void *userdata, Fault *fault)
{
        int r, is_frozen = c->state == CONTAINER_FROZEN || c->freeze;

        if (grace_usec == USEC_INFINITY)
                grace_usec = c->spec->grace_usec;
        r = container_move_down(c, EVENT_STOP, fault);
        if (r < 0)
                return r;
        if (c->state == CONTAINER_STOPPED) {
                if (func)
                        func(userdata, 0, NULL);
                return 0;
        }
        r = reply_add(&c->stop_replies, func, userdata);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "Out of memory");
        stop_send(c, grace_usec);
        /* It is there when PID 1 goes on. */
        if (is_frozen)
                container_freeze_end(c);
        return 0;
}

/* A daemon before this one asked it to stop, and may have died before the message was sent. */
void container_stop_resume(Container *c)
{
        stop_send(c, c->spec->grace_usec);
}

void container_stop_leader_gone(Container *c)
{
        /* Exits that PID 1 reported before its own end are still in the socket. */
        if (c->wshd)
                wshd_client_drain(c->wshd);
        container_oom_end(c);
        container_pressure_end(c);
        container_freeze_forget(c);
        container_disconnect(c);
        container_jobs_lost(c);
        container_clear_leader(c);
        container_end_limits(c);
        container_jobs_follow(c);
        c->stop_source = sd_event_source_disable_unref(c->stop_source);
        /* On cgroup v1 systemd learns of an empty scope late. */
        (void)scope_stop(c->manager->systemd, c->unit);
        container_move_on(c, EVENT_LEADER_EXIT);
        container_changed(c, CONTAINER_CHANGED_LEADER);
        (void)container_log(c, LOG_INFO, 0, MESSAGE_CONTAINER_STOPPED, "Container stopped");
        manager_container_settled(c->manager, c);
        if (!container_interfaces_return(c))
                reply_all(&c->stop_replies, 0, NULL);
}
