/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "basic/io.h"
#include "daemon/manager.h"
#include "daemon/store.h"

#define RECORD_MAX_BYTES (16U << 20)

int store_open_container(Container *c)
{
        int fd;

        fd = io_mkdir_open(c->manager->containers_dir_fd, c->id, 0700);
        if (fd < 0)
                return fd;
        c->dir_fd = fd;
        fd = io_mkdir_open(c->dir_fd, "jobs", 0700);
        if (fd < 0)
                return fd;
        c->jobs_dir_fd = fd;
        return 0;
}

int store_save_container(const Container *c)
{
        WireWriter w = WIRE_WRITER_INIT;
        ContainerRecord record = {
                .id = (char *)c->id,
                .spec = c->spec,
                .state = c->state,
                .created_usec = c->created_usec,
                .uid_base = c->uid_base,
                .uid_count = c->uid_count,
                .project_id = c->project_id,
                .leader_pid = c->leader_pid,
                .leader_start_ticks = c->leader_start_ticks,
                .started_usec = c->started_usec,
                .unit = c->unit,
                .network = c->network,
                .has_network = c->has_network,
                .next_job = c->reserved_jobs,
                .jobs_dropped = c->jobs_dropped,
                .oom_kills = c->oom_kills,
                .oom_total = c->oom_total,
                .events = c->events,
        };
        int r;

        r = container_record_encode(&record, &w);
        if (r >= 0)
                r = io_write_file_atomic(c->dir_fd, "state", w.data, w.size);
        wire_writer_done(&w);
        return r;
}

int store_save_job(const Job *job)
{
        WireWriter w = WIRE_WRITER_INIT;
        JobRecord record = {
                .id = job->id,
                .argv = job->argv,
                .user = job->user,
                .identifier = job->identifier,
                .is_tty = job->is_tty,
                .start_usec = job->start_usec,
                .is_ended = job->state == JOB_EXITED || job->state == JOB_KILLED,
                .code = job->state == JOB_EXITED ? (uint32_t)job->exit_code : 0,
                .signal = job->state == JOB_KILLED ? (uint32_t)job->exit_signal : 0,
                .is_core = job->is_core_dumped,
                .end_usec = job->exit_usec,
                .is_lost = job->state == JOB_LOST,
                .has_stdin = job->has_stdin,
                .log = job->log,
                .stdout_bytes = job->stdout_bytes,
                .stderr_bytes = job->stderr_bytes,
                .is_output_open = job->is_output_open,
                .end_reason = job->state == JOB_RUNNING
                                      ? NULL
                                      : (char *)job_end_reason_to_string(job->end_reason),
                .is_released = job->is_released,
        };
        int r;

        r = job_record_encode(&record, &w);
        if (r >= 0)
                r = io_write_file_atomic(job->container->jobs_dir_fd, job->key, w.data, w.size);
        wire_writer_done(&w);
        return r;
}

int store_forget_job(const Job *job)
{
        if (unlinkat(job->container->jobs_dir_fd, job->key, 0) < 0 && errno != ENOENT)
                return -errno;
        return 0;
}

int store_load_container(int containers_dir_fd, const char *id, ContainerRecord **ret)
{
        _drop_(drop_free) char *path = NULL, *data = NULL;
        _drop_(drop_container_record) ContainerRecord *record = NULL;
        size_t size;
        int r;

        if (!id_is_valid(id))
                return -EINVAL;
        if (asprintf(&path, "%s/state", id) < 0)
                return -ENOMEM;
        r = io_read_file(containers_dir_fd, path, RECORD_MAX_BYTES, &data, &size);
        if (r < 0)
                return r;
        r = container_record_decode(data, size, &record);
        if (r < 0)
                return r;
        if (strcmp(record->id, id) != 0)
                return -EBADMSG;
        *ret = take_ptr(record);
        return 0;
}

int store_load_job(const Container *c, const char *name, JobRecord **ret)
{
        _drop_(drop_free) char *data = NULL;
        _drop_(drop_job_record) JobRecord *record = NULL;
        char key[12];
        size_t size;
        int r;

        r = io_read_file(c->jobs_dir_fd, name, RECORD_MAX_BYTES, &data, &size);
        if (r < 0)
                return r;
        r = job_record_decode(data, size, &record);
        if (r < 0)
                return r;
        (void)snprintf(key, sizeof(key), "%u", record->id);
        if (strcmp(key, name) != 0)
                return -EBADMSG;
        *ret = take_ptr(record);
        return 0;
}
