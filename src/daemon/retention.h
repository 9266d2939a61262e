/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* How long what has ended is kept: each entry until it is too old, and in each group only so many,
 * the oldest going first. One timer serves all entries, and there is none while nothing is kept. */

struct sd_event;

typedef struct Retention Retention;
typedef struct RetentionEntry RetentionEntry;

/* Two lists in order of the end: of all entries, and of those of one group. */
typedef enum RetentionOrder {
        RETENTION_ALL,
        RETENTION_GROUP,
        _RETENTION_ORDER_MAX,
} RetentionOrder;

typedef struct RetentionList RetentionList;
struct RetentionList {
        RetentionEntry *first, *last;
        size_t n;
        RetentionList *next_over; /* of a group that has too many */
        int is_over;
};

/* Embedded in what has ended; all zero: it is not kept by anybody. */
struct RetentionEntry {
        RetentionEntry *next[_RETENTION_ORDER_MAX], *previous[_RETENTION_ORDER_MAX];
        RetentionList *group;
        uint64_t ended_usec; /* CLOCK_MONOTONIC */
};

typedef struct RetentionLimits {
        uint64_t age_usec; /* USEC_INFINITY: any */
        size_t group_max;  /* entries in one group */
} RetentionLimits;

/* Called for an entry whose time has come, from the event loop and from nowhere else: nothing that
 * is being walked through loses an element. The entry is out of its lists and the function's. */
typedef void (*RetentionDropFunc)(void *userdata, RetentionEntry *entry);

/* Returns 0; -ENOMEM; sd-event's errors. */
int retention_new(struct sd_event *event, RetentionLimits limits, RetentionDropFunc func,
                  void *userdata, Retention **ret);

/* Entries that are left are forgotten without a call. */
Retention *retention_free(Retention *retention);

/* Other limits from now on, for what is kept already, too. */
void retention_set_limits(Retention *retention, RetentionLimits limits);

/* @group        in which it is counted; must outlive it
 * @ended_usec   CLOCK_MONOTONIC; may lie before that of others, and before the start of the host
 *               (then 0) */
void retention_add(Retention *retention, RetentionList *group, RetentionEntry *entry,
                   uint64_t ended_usec);

/* It went by itself. Fine for an entry that is in no list. */
void retention_remove(Retention *retention, RetentionEntry *entry);
