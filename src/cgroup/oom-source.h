/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cgroup/cgroup.h"

struct sd_event;

/* Tells when the kernel has killed a process of a group for want of memory: by inotify on
 * memory.events of cgroup v2, by the eventfd of memory.oom_control of v1.
 *
 * v2 counts for all groups below, too. v1 counts for this one alone, and a kill for want of memory
 * of the whole machine, though counted, wakes nobody there: who hears of a process that died by
 * SIGKILL asks oom_source_read(). */

typedef struct OomSource OomSource;

/* @kills   the kernel's counter, which may be the same as before */
typedef void (*OomFunc)(void *userdata, uint64_t kills);

/* Begins to watch. @func is called from the event loop only.
 * @control_group   of a unit, as cgroup_find() gives it
 * @ret             owned by the caller
 * Returns 0; -EOPNOTSUPP, -ENOENT as cgroup_open(); the errno of watching, -ENOMEM. */
int oom_source_new(struct sd_event *event, CgroupMode mode, const char *control_group, OomFunc func,
                   void *userdata, OomSource **ret);
OomSource *oom_source_free(OomSource *source);
DEFINE_DROP(OomSource, oom_source, oom_source_free);

/* The counter now.
 * Returns 0; -ENODATA this kernel has none; -ENOENT, -ENODEV the group is gone. */
int oom_source_read(OomSource *source, uint64_t *ret_kills);

/* How often systemd-oomd has chosen the group, and all in it: its own note there. It can be read as
 * long as the source lives, also when the group is gone. 0 where there is no such note. */
uint64_t oom_source_read_oomd(const OomSource *source);

/* For tests: oom_source_new() of an open group. @take_group_fd is taken in success and failure. */
int oom_source_new_at(struct sd_event *event, CgroupMode mode, int take_group_fd, OomFunc func,
                      void *userdata, OomSource **ret);

/* For tests: the value of such a note. 0 when it is no number. */
uint64_t oom_source_parse_oomd(const char *value, size_t size);
