/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdio.h>
#include <stdio.h>
#include <string.h>

#include "basic/strv.h"
#include "daemon/bus/bus-path.h"

int bus_path_container(const Container *c, char **ret)
{
        int r = sd_bus_path_encode(BUS_PATH_CONTAINERS, container_name(c), ret);

        return r < 0 ? r : 0;
}

int bus_path_job(const Job *job, char **ret)
{
        _drop_(drop_free) char *container = NULL;
        int r;

        r = bus_path_container(job->container, &container);
        if (r < 0)
                return r;
        /* A number is a valid element of a path as it is. */
        return asprintf(ret, "%s/job/%s", container, job->key) < 0 ? -ENOMEM : 0;
}

int bus_path_find_container(sd_bus *bus, const char *path, const char *interface, void *userdata,
                            void **ret, sd_bus_error *error)
{
        _drop_(drop_free) char *name = NULL;
        BusServer *server = userdata;
        Container *c;
        int r;

        r = sd_bus_path_decode_many(path, BUS_PATH_CONTAINERS "/%", &name);
        if (r <= 0)
                return r;
        if (!server->manager) {
                *ret = server;
                return 1;
        }
        c = manager_get(server->manager, name);
        if (!c)
                return 0;
        *ret = c;
        return 1;
}

int bus_path_find_job(sd_bus *bus, const char *path, const char *interface, void *userdata,
                      void **ret, sd_bus_error *error)
{
        _drop_(drop_free) char *name = NULL, *key = NULL;
        BusServer *server = userdata;
        Container *c;
        Job *job;
        int r;

        r = sd_bus_path_decode_many(path, BUS_PATH_CONTAINERS "/%/job/%", &name, &key);
        if (r <= 0)
                return r;
        /* One path for one job: the escaped form of the number would be another. */
        if (strcmp(strrchr(path, '/') + 1, key) != 0)
                return 0;
        if (!server->manager) {
                *ret = server;
                return 1;
        }
        c = manager_get(server->manager, name);
        job = c ? map_get(c->jobs, key) : NULL;
        /* An escaped spelling of the number decodes too, and is not the object's path. */
        if (!job || strcmp(strrchr(path, '/') + 1, job->key) != 0)
                return 0;
        *ret = job;
        return 1;
}

typedef struct PathList {
        char **paths;
        size_t n;
} PathList;

static void path_list_done(PathList *list)
{
        for (size_t i = 0; i < list->n; i++)
                free(list->paths[i]);
        free(list->paths);
}

/* The caller has made room for the container and its jobs. */
static int path_list_add(PathList *list, const Container *c)
{
        Job *job;
        int r;

        r = bus_path_container(c, &list->paths[list->n]);
        if (r < 0)
                return r;
        list->n++;
        MAP_FOREACH(job, c->jobs) {
                r = bus_path_job(job, &list->paths[list->n]);
                if (r < 0)
                        return r;
                list->n++;
        }
        return 0;
}

int bus_path_enumerate(sd_bus *bus, const char *prefix, void *userdata, char ***ret,
                       sd_bus_error *error)
{
        _drop_(path_list_done) PathList list = { 0 };
        BusServer *server = userdata;
        size_t room = 1;
        Container *c;
        int r;

        if (!server->manager)
                return 0;
        MAP_FOREACH(c, server->manager->by_name)
                room += 1 + map_size(c->jobs);
        list.paths = calloc(room, sizeof(*list.paths));
        if (!list.paths)
                return -ENOMEM;
        MAP_FOREACH(c, server->manager->by_name) {
                r = c->is_announced ? path_list_add(&list, c) : 0;
                if (r < 0)
                        return r;
        }

        *ret = take_ptr(list.paths);
        list.n = 0;
        return 1;
}
