/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One watch for the directory of all transient units, and one for the folder of each unit that was
 * changed: a host with a thousand containers that nobody touches has one. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "basic/log.h"
#include "basic/map.h"
#include "systemd/drop-in-watch.h"

#define SUFFIX ".scope.d"
#define FOLDER_MASK \
        (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE | IN_ONLYDIR)

typedef struct Folder {
        DropInWatch *watch;
        sd_event_source *source;
        char unit[]; /* without ".d" */
} Folder;

struct DropInWatch {
        sd_event *event;
        char *directory, *prefix;
        sd_event_source *source;
        Map *folders; /* by unit */
        DropInFunc func;
        void *userdata;
};

static void folder_free(Folder *folder)
{
        (void)map_remove(folder->watch->folders, folder->unit);
        sd_event_source_disable_unref(folder->source);
        free(folder);
}

static int on_folder(sd_event_source *s, const struct inotify_event *event, void *userdata)
{
        Folder *folder = userdata;
        DropInWatch *watch = folder->watch;

        if (event->mask & IN_IGNORED) {
                /* The folder is gone, and with it, as a rule, the unit. */
                folder_free(folder);
                return 0;
        }
        watch->func(watch->userdata, folder->unit);
        return 0;
}

static int watch_folder(DropInWatch *watch, const char *unit)
{
        _drop_(drop_free) char *path = NULL;
        Folder *folder;
        int r;

        if (map_get(watch->folders, unit))
                return 0;
        if (asprintf(&path, "%s/%s.d", watch->directory, unit) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        folder = calloc(1, sizeof(*folder) + strlen(unit) + 1);
        if (!folder)
                return -ENOMEM;
        folder->watch = watch;
        memcpy(folder->unit, unit, strlen(unit) + 1);
        r = map_put(watch->folders, folder->unit, folder);
        if (r >= 0)
                r = sd_event_add_inotify(watch->event, &folder->source, path, FOLDER_MASK,
                                         on_folder, folder);
        if (r < 0)
                folder_free(folder);
        return r;
}

/* 1 for the folder of a unit of ours, with the unit's name. */
static int is_folder_of_ours(const DropInWatch *watch, const char *name, char **ret_unit)
{
        size_t n = strlen(name);
        char *unit;

        if (n <= strlen(SUFFIX) || strcmp(name + n - strlen(SUFFIX), SUFFIX) != 0 ||
            strncmp(name, watch->prefix, strlen(watch->prefix)) != 0)
                return 0;
        unit = strndup(name, n - 2);
        if (!unit)
                return -ENOMEM;
        *ret_unit = unit;
        return 1;
}

static int on_directory(sd_event_source *s, const struct inotify_event *event, void *userdata)
{
        _drop_(drop_free) char *unit = NULL;
        DropInWatch *watch = userdata;
        int r;

        if (event->mask & IN_Q_OVERFLOW) {
                Folder *folder;

                MAP_FOREACH(folder, watch->folders)
                        watch->func(watch->userdata, folder->unit);
                return 0;
        }
        if (event->len == 0)
                return 0;
        r = is_folder_of_ours(watch, event->name, &unit);
        if (r > 0)
                r = watch_folder(watch, unit);
        if (r < 0 && r != -ENOENT)
                log_debug("Cannot watch the properties of %s: %s", event->name, strerror(-r));
        /* What was written before the watch was there would be missed. */
        if (unit)
                watch->func(watch->userdata, unit);
        return 0;
}

int drop_in_watch_begin(DropInWatch *watch)
{
        if (watch->source)
                return 0;
        return sd_event_add_inotify(watch->event, &watch->source, watch->directory,
                                    IN_CREATE | IN_MOVED_TO | IN_ONLYDIR, on_directory, watch);
}

int drop_in_watch_new(struct sd_event *event, const char *directory, const char *prefix,
                      DropInFunc func, void *userdata, DropInWatch **ret)
{
        _drop_(drop_drop_in_watch) DropInWatch *watch = calloc(1, sizeof(*watch));
        int r;

        if (!watch)
                return -ENOMEM;
        watch->event = sd_event_ref(event);
        watch->func = func;
        watch->userdata = userdata;
        watch->directory = strdup(directory);
        watch->prefix = strdup(prefix);
        watch->folders = map_new();
        if (!watch->directory || !watch->prefix || !watch->folders)
                return -ENOMEM;
        r = drop_in_watch_begin(watch);
        if (r < 0 && r != -ENOENT)
                return r;
        *ret = take_ptr(watch);
        return 0;
}

int drop_in_watch_look(DropInWatch *watch, const char *unit)
{
        int r;

        if (!watch->source)
                return 0;
        r = watch_folder(watch, unit);
        if (r == -ENOENT)
                return 0;
        return r < 0 ? r : 1;
}

DropInWatch *drop_in_watch_free(DropInWatch *watch)
{
        Folder *folder;

        if (!watch)
                return NULL;
        if (watch->folders)
                MAP_FOREACH(folder, watch->folders)
                        folder_free(folder);
        map_free(watch->folders);
        sd_event_source_disable_unref(watch->source);
        sd_event_unref(watch->event);
        free(watch->directory);
        free(watch->prefix);
        free(watch);
        return NULL;
}
