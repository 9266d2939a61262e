/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "basic/parse.h"
#include "ctl/bus.h"
#include "ctl/job-find.h"
#include "ctl/json.h"

static int fault_no_job(Fault *fault, const char *container, uint32_t job)
{
        *fault = FAULT_INIT;
        return fault_set(fault, FAULT_NO_SUCH_JOB, -ENOENT,
                         "No job %" PRIu32 " in '%s'. 'wardenctl jobs %s' shows what there is.",
                         job, container, container);
}

/* Which it is that is not there, the job or its container, sd-bus does not tell. */
static int fault_missing(sd_bus *bus, const char *container, uint32_t id, Fault *fault)
{
        _drop_(drop_json) struct json_object *properties = NULL;
        int r;

        *fault = FAULT_INIT;
        r = bus_get_container(bus, container, &properties, fault);
        return r < 0 ? r : fault_no_job(fault, container, id);
}

static int get_job(sd_bus *bus, const char *container, uint32_t id, char **ret_path,
                   struct json_object **ret_job, Fault *fault)
{
        _drop_(drop_json) struct json_object *job = NULL;
        _drop_(drop_free) char *path = NULL;
        int r;

        r = bus_job_path(container, id, &path, fault);
        if (r < 0)
                return r;
        r = bus_get_properties(bus, path, WARDEN_JOB, container, &job, fault);
        if (r < 0 && fault->kind != FAULT_NO_SUCH_CONTAINER && fault->kind != FAULT_NO_SUCH_JOB)
                return r;
        if (r < 0 || json_get_u64(job, "Id", 0) != id)
                return fault_missing(bus, container, id, fault);
        *ret_path = take_ptr(path);
        *ret_job = take_ptr(job);
        return 0;
}

int job_find_path(sd_bus *bus, const char *container, uint32_t id, char **ret_path, Fault *fault)
{
        _drop_(drop_json) struct json_object *job = NULL;

        return get_job(bus, container, id, ret_path, &job, fault);
}

static int get_ids(sd_bus *bus, const char *container, uint32_t **ret, size_t *ret_n, Fault *fault)
{
        _drop_(drop_json) struct json_object *properties = NULL;
        struct json_object *jobs;
        uint32_t *ids;
        size_t n = 0;
        int r;

        r = bus_get_container(bus, container, &properties, fault);
        if (r < 0)
                return r;
        jobs = json_get_typed(properties, "Jobs", json_type_array);
        ids = calloc((jobs ? json_object_array_length(jobs) : 0) + 1, sizeof(*ids));
        if (!ids)
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "Out of memory");
        for (size_t i = 0; jobs && i < json_object_array_length(jobs); i++)
                if (bus_path_job(json_object_get_string(json_object_array_get_idx(jobs, i)),
                                 &ids[n]) >= 0)
                        n++;
        *ret = ids;
        *ret_n = n;
        return 0;
}

static int compare_newest_first(const void *a, const void *b)
{
        const uint32_t *one = a, *other = b;

        return *one < *other ? 1 : *one > *other ? -1 : 0;
}

static int find_newest(sd_bus *bus, const char *container, int is_running, char **ret_path,
                       struct json_object **ret_job, Fault *fault)
{
        _drop_(drop_free) uint32_t *ids = NULL;
        size_t n = 0;
        int r;

        r = get_ids(bus, container, &ids, &n, fault);
        if (r < 0)
                return r;
        qsort(ids, n, sizeof(*ids), compare_newest_first);
        for (size_t i = 0; i < n; i++) {
                Fault gone = FAULT_INIT; /* it may have been released since */

                if (get_job(bus, container, ids[i], ret_path, ret_job, &gone) < 0)
                        continue;
                if (!is_running || strcmp(json_get_string(*ret_job, "State", ""), "running") == 0)
                        return 0;
                free(take_ptr(*ret_path));
                (void)json_object_put(take_ptr(*ret_job));
        }
        return fault_set(fault, FAULT_NO_SUCH_JOB, -ENOENT, "No job %s in '%s'%s%s",
                         is_running ? "runs" : "is", container,
                         n > 0 ? ". Of those that have ended, "
                                 "say which one: 'wardenctl jobs "
                               : "",
                         n > 0 ? "NAME' lists them." : "");
}

int job_find(sd_bus *bus, const char *container, const char *text, int is_running, char **ret_path,
             struct json_object **ret_job, Fault *fault)
{
        uint32_t id;
        int r;

        if (!text)
                return find_newest(bus, container, is_running, ret_path, ret_job, fault);
        r = text[0] == '/' ? bus_path_job(text, &id) : parse_u32(text, &id);
        if (r < 0 || id == 0)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "'%.64s' is not the number of a job", text);
        return get_job(bus, container, id, ret_path, ret_job, fault);
}
