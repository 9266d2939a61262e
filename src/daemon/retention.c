/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Ends come in order, except after a restart of the daemon, when the files of jobs are read in the
 * order of their names: insertion walks from the end of the list, which is one step in the normal
 * case.
 *
 * A group becomes too large inside of whatever noticed the end, where nothing may be dropped. It is
 * put on a list of such groups, and the timer set to a time that is over. */

#include <errno.h>
#include <stdlib.h>

#include <systemd/sd-event.h>

#include "basic/io.h"
#include "basic/macro.h"
#include "daemon/retention.h"

#define ACCURACY_USEC (250 * USEC_PER_MSEC)
#define DROP_MAX 256 /* before others of the loop get a turn */

struct Retention {
        sd_event_source *timer;
        RetentionLimits limits;
        RetentionDropFunc func;
        void *userdata;
        RetentionList all;
        RetentionList *over; /* groups that are too large */
};

static void list_insert(RetentionList *list, RetentionEntry *entry, RetentionOrder order)
{
        RetentionEntry *before = list->last;

        while (before && before->ended_usec > entry->ended_usec)
                before = before->previous[order];
        entry->previous[order] = before;
        entry->next[order] = before ? before->next[order] : list->first;
        if (entry->next[order])
                entry->next[order]->previous[order] = entry;
        else
                list->last = entry;
        if (before)
                before->next[order] = entry;
        else
                list->first = entry;
        list->n++;
}

static void list_remove(RetentionList *list, RetentionEntry *entry, RetentionOrder order)
{
        if (entry->previous[order])
                entry->previous[order]->next[order] = entry->next[order];
        else
                list->first = entry->next[order];
        if (entry->next[order])
                entry->next[order]->previous[order] = entry->previous[order];
        else
                list->last = entry->previous[order];
        entry->next[order] = entry->previous[order] = NULL;
        list->n--;
}

/* Puts the group on the list of those that are too large, or takes it off, as it now is. */
static void group_check(Retention *retention, RetentionList *group)
{
        int is_over = group->n > retention->limits.group_max;

        if (is_over && !group->is_over) {
                group->next_over = retention->over;
                retention->over = group;
        } else if (!is_over && group->is_over) {
                RetentionList **p = &retention->over;

                while (*p != group)
                        p = &(*p)->next_over;
                *p = group->next_over;
                group->next_over = NULL;
        }
        group->is_over = is_over;
}

/* When something is to be dropped; USEC_INFINITY: not by the clock alone. */
static uint64_t retention_due_usec(const Retention *retention)
{
        const RetentionEntry *first = retention->all.first;

        if (retention->over)
                return 0;
        if (!first || retention->limits.age_usec >= USEC_INFINITY - first->ended_usec)
                return USEC_INFINITY;
        return first->ended_usec + retention->limits.age_usec;
}

static void retention_arm(Retention *retention)
{
        uint64_t due_usec = retention_due_usec(retention);

        if (due_usec != USEC_INFINITY)
                (void)sd_event_source_set_time(retention->timer, due_usec);
        (void)sd_event_source_set_enabled(
                retention->timer, due_usec != USEC_INFINITY ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

void retention_remove(Retention *retention, RetentionEntry *entry)
{
        RetentionList *group = entry->group;

        if (!group)
                return;
        list_remove(&retention->all, entry, RETENTION_ALL);
        list_remove(group, entry, RETENTION_GROUP);
        entry->group = NULL;
        group_check(retention, group);
        /* The timer may now be early, which costs one wake-up, and cannot be late. */
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata)
{
        Retention *retention = userdata;
        uint64_t now_usec = io_now_monotonic_usec();

        for (unsigned i = 0; i < DROP_MAX && retention_due_usec(retention) <= now_usec; i++) {
                RetentionEntry *entry = retention->over ? retention->over->first
                                                        : retention->all.first;

                retention_remove(retention, entry);
                retention->func(retention->userdata, entry);
        }
        retention_arm(retention);
        return 0;
}

void retention_add(Retention *retention, RetentionList *group, RetentionEntry *entry,
                   uint64_t ended_usec)
{
        entry->group = group;
        entry->ended_usec = ended_usec;
        list_insert(&retention->all, entry, RETENTION_ALL);
        list_insert(group, entry, RETENTION_GROUP);
        group_check(retention, group);
        /* Only a new first, or a group that is full, can be due before what the timer is set to. */
        if (retention->over || retention->all.first == entry)
                retention_arm(retention);
}

void retention_set_limits(Retention *retention, RetentionLimits limits)
{
        retention->limits = limits;
        for (RetentionEntry *p = retention->all.first; p; p = p->next[RETENTION_ALL])
                group_check(retention, p->group);
        retention_arm(retention);
}

int retention_new(sd_event *event, RetentionLimits limits, RetentionDropFunc func, void *userdata,
                  Retention **ret)
{
        Retention *retention = calloc(1, sizeof(*retention));
        int r;

        if (!retention)
                return -ENOMEM;
        retention->limits = limits;
        retention->func = func;
        retention->userdata = userdata;
        r = sd_event_add_time(event, &retention->timer, CLOCK_MONOTONIC, USEC_INFINITY,
                              ACCURACY_USEC, on_timer, retention);
        if (r >= 0)
                r = sd_event_source_set_enabled(retention->timer, SD_EVENT_OFF);
        if (r < 0) {
                retention_free(retention);
                return r;
        }
        *ret = retention;
        return 0;
}

Retention *retention_free(Retention *retention)
{
        if (!retention)
                return NULL;
        while (retention->all.first)
                retention_remove(retention, retention->all.first);
        sd_event_source_disable_unref(retention->timer);
        free(retention);
        return NULL;
}
