/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/macro.h"

/* Tells when somebody gave a transient unit other properties. systemd has no signal for that (its
 * properties of control groups are not among those that announce a change), but it writes each as a
 * file into UNIT.d of its directory of transient units before it answers. */

struct sd_event;

typedef struct DropInWatch DropInWatch;

#define DROP_IN_DIRECTORY "/run/systemd/transient"

/* Called from the event loop; a change may be told more than once. */
typedef void (*DropInFunc)(void *userdata, const char *unit);

/* @directory   DROP_IN_DIRECTORY; may be missing: see drop_in_watch_begin()
 * @prefix      of the units that are looked at, "warden-"; all are scopes
 * Returns      0; -ENOMEM and the errno of inotify. Does not block. */
int drop_in_watch_new(struct sd_event *event, const char *directory, const char *prefix,
                      DropInFunc func, void *userdata, DropInWatch **ret);
DropInWatch *drop_in_watch_free(DropInWatch *watch);
DEFINE_DROP(DropInWatch, drop_in_watch, drop_in_watch_free);

/* systemd makes the directory with the first transient unit, which may be one of ours: call it when
 * there is one. Does nothing when the directory is watched already. Returns 0; negative errno. */
int drop_in_watch_begin(DropInWatch *watch);

/* Watches a unit that was there before, if it has properties of that kind. Returns 1 when it has;
 * 0 when not; negative errno. */
int drop_in_watch_look(DropInWatch *watch, const char *unit);
