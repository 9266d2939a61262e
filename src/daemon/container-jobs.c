/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs and PID 1: spawning one, and what PID 1 tells of them. The job's file is written before PID
 * 1 is asked, so that a daemon that dies in between finds the job again with all that is known of
 * it; PID 1's answer to the next hello says whether it ever began. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "basic/log.h"
#include "daemon/container-freeze.h"
#include "daemon/container-oom.h"
#include "daemon/journal-pool.h"
#include "daemon/manager.h"
#include "daemon/process.h"
#include "daemon/store.h"
#include "daemon/wshd-client.h"
#include "daemon/wshd-request.h"
#include "wire/job-spec-wire.h"
#include "wire/memory.h"

#define RING_SHARE 16 /* of the memory limit, for one ring */
#define RINGS_SHARE 2 /* and for all of them */
#define RING_MIN UINT64_C(4096)
#define JOURNAL_RING_BYTES (256U << 10)

/* What remains of a datagram for the spec beside the other fields. */
#define INLINE_SPEC_MAX (WSHD_MESSAGE_MAX - 256)

typedef struct Spawn {
        Job *job; /* not linked yet */
        SpawnFunc func;
        void *userdata;
} Spawn;

static Spawn *spawn_free(Spawn *spawn)
{
        if (spawn)
                job_free(spawn->job);
        free(spawn);
        return NULL;
}
DEFINE_DROP(Spawn, spawn, spawn_free);

/* What all rings of the container may be together; 0: anything. A ring is the container's memory,
 * and nothing that the kernel kills for want of memory frees one. */
static uint64_t get_rings_max(const Container *c)
{
        if (!limits_has(&c->spec->limits, LIMIT_MEMORY_MAX))
                return 0;
        return MAX2(c->spec->limits.values[LIMIT_MEMORY_MAX] / RINGS_SHARE, UINT64_C(1));
}

/* The convention of shells and of every container tool, and the texts that tell what to mend. */
static int fault_from_failure(const Job *job, const WshdMessage *m, Fault *fault)
{
        int error = m->error > 0 && m->error < 4096 ? -(int)m->error : -EPROTO;

        if (m->stage == WSHD_STAGE_EXEC && error == -ENOENT)
                return fault_set(fault, FAULT_PROGRAM_NOT_FOUND, error,
                                 "%s: no such program in the container", job->argv[0]);
        if (m->stage == WSHD_STAGE_EXEC)
                return fault_set(fault, FAULT_PROGRAM_NOT_EXECUTABLE, error,
                                 "%s: cannot be executed: %m", job->argv[0]);
        if (m->stage == WSHD_STAGE_USER)
                return fault_set(fault, FAULT_NO_SUCH_USER, error, "User: no '%s' in the container",
                                 job->user ? job->user : "root");
        if (m->stage == WSHD_STAGE_DIRECTORY)
                return fault_set(fault, FAULT_NOT_FOUND, error,
                                 "WorkingDirectory: cannot be entered: %m");
        if (m->stage == WSHD_STAGE_RLIMIT)
                return fault_set(fault, FAULT_INVALID, error, "Rlimits: cannot be set: %m");
        if (m->stage == WSHD_STAGE_RING && error == -EDQUOT)
                return fault_set(fault, FAULT_LIMIT, error,
                                 "RingBytes: the rings of all jobs of container '%s' may be "
                                 "%" PRIu64 " bytes together, half of its MemoryMax, and there is "
                                 "no room for those of this one; release ended jobs, ask for less, "
                                 "or raise MemoryMax",
                                 container_name(job->container), get_rings_max(job->container));
        if (error == -EMFILE || error == -ENFILE || error == -ENOSPC || error == -EAGAIN)
                return fault_set(fault, FAULT_LIMIT, error,
                                 "The container can start no more jobs (%s): %m",
                                 wshd_stage_to_string(m->stage));
        return fault_set(fault, FAULT_FAILED, error, "Cannot start the job (%s): %m",
                         wshd_stage_to_string(m->stage));
}

/* The pidfd comes from inside; the pid that it has out here is what we show. */
static int job_take_pidfd(Job *job, int take_pidfd)
{
        _drop_(drop_fd) int fd = take_pidfd;
        uint32_t pid;
        int r;

        r = fd < 0 ? -EBADF : process_get_pid(fd, &pid);
        if (r < 0)
                return r;
        fd_close(job->pidfd);
        job->pidfd = take_fd(&fd);
        job->pid = pid;
        return 0;
}

static void on_spawn_reply(void *userdata, const WshdMessage *m, int *fds, int error)
{
        _drop_(drop_spawn) Spawn *spawn = userdata;
        Job *job = spawn->job;
        Fault fault = FAULT_INIT;
        int r;

        if (!m)
                r = fault_set(&fault, FAULT_FAILED, error,
                              "PID 1 of the container is out of reach: %m");
        else if (m->type == WSHD_FAILED)
                r = fault_from_failure(job, m, &fault);
        else if (m->type != WSHD_SPAWNED || m->job != job->id)
                r = fault_set(&fault, FAULT_FAILED, -EPROTO,
                              "PID 1 of the container answered something else");
        else
                r = job_take_pidfd(job, take_fd(&fds[0]));
        if (r >= 0) {
                job->start_usec = m->start_usec;
                job->is_listed = 1;
                (void)job_take_output(job, m);
                r = job_link(job);
        }
        if (r < 0) {
                (void)fault_set(&fault, FAULT_FAILED, r, "Cannot follow the job: %m");
                /* When PID 1 is out of reach it may have begun: the file stays until it has listed
                 * its jobs. */
                if (m)
                        (void)store_forget_job(job);
                spawn->func(spawn->userdata, NULL, r, &fault);
                return;
        }
        spawn->job = NULL;
        journal_pool_follow(job->container->manager->journal, job);
        spawn->func(spawn->userdata, job, 0, NULL);
}

/* A directory would be a door out of the container (openat("..")); an O_PATH descriptor is a handle
 * to the host's file system and no stream. */
static int check_fds(const JobSpec *spec, const int fds[3], Fault *fault)
{
        static const char *const names[] = { "Stdin", "Stdout", "Stderr" };

        for (int i = 0; i < 3; i++) {
                struct stat st;
                int flags;

                if (fds[i] < 0)
                        continue;
                if (spec->is_tty)
                        return fault_set(fault, FAULT_INVALID, -EINVAL,
                                         "%s: cannot be given with TTY", names[i]);
                if (i == 0 && spec->is_stdin_open)
                        return fault_set(fault, FAULT_INVALID, -EINVAL,
                                         "Stdin: contradicts OpenStdin");
                flags = fcntl(fds[i], F_GETFL);
                if (flags < 0 || fstat(fds[i], &st) < 0)
                        return fault_set(fault, FAULT_INVALID, -errno, "%s: %m", names[i]);
                if ((flags & O_PATH) || S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode))
                        return fault_set(fault, FAULT_INVALID, -EINVAL,
                                         "%s: is not a stream, file or device", names[i]);
                if (S_ISBLK(st.st_mode))
                        return fault_set(fault, FAULT_INVALID, -EINVAL, "%s: is a block device",
                                         names[i]);
        }
        return 0;
}

/* An id is never used twice, not even after a restart: what is saved is the end of a batch. */
static int take_job_id(Container *c, uint32_t *ret, Fault *fault)
{
        if (map_size(c->jobs) >= c->manager->conf.jobs_max)
                return fault_set(
                        fault, FAULT_LIMIT, -ENOSPC,
                        "Container '%s' has %u jobs, the most it may have; release ended ones",
                        c->spec->name, c->manager->conf.jobs_max);
        if (c->next_job >= WSHD_OWN_JOBS)
                return fault_set(fault, FAULT_LIMIT, -ENOSPC,
                                 "Container '%s' has used up its job ids", c->spec->name);
        if (c->next_job >= c->reserved_jobs) {
                int r;

                c->reserved_jobs = c->next_job + CONTAINER_RESERVE_JOBS;
                r = store_save_container(c);
                if (r < 0) {
                        c->reserved_jobs = c->next_job;
                        return fault_set(fault, FAULT_FAILED, r, "Cannot save the state: %m");
                }
        }
        *ret = c->next_job++;
        return 0;
}

/* How large its rings shall be; 0: it has none. */
static int get_ring_bytes(const Container *c, const JobSpec *spec, uint64_t *ret, Fault *fault)
{
        const Conf *conf = &c->manager->conf;
        uint64_t bytes = spec->ring_bytes, room = UINT64_MAX;

        /* A ring is the container's memory and is not freed by killing a job: one that fills the
         * limit would leave the kernel nobody to kill but PID 1. */
        if (limits_has(&c->spec->limits, LIMIT_MEMORY_MAX))
                room = c->spec->limits.values[LIMIT_MEMORY_MAX] / RING_SHARE;
        if (bytes > room)
                return fault_set(fault, FAULT_INVALID, -ERANGE,
                                 "RingBytes: %" PRIu64 " is more than %" PRIu64
                                 ", a sixteenth of the container's MemoryMax",
                                 bytes, room);
        if (bytes > conf->ring_bytes_max)
                return fault_set(fault, FAULT_INVALID, -ERANGE,
                                 "RingBytes: %" PRIu64 " is more than RingBytesMax=, %" PRIu64,
                                 bytes, conf->ring_bytes_max);
        if (bytes == 0)
                bytes = MIN2(MIN2(conf->ring_bytes, conf->ring_bytes_max), MAX2(room, RING_MIN));
        /* Whoever reads it is always there: it bridges a restart, and nobody looks back into it. */
        if (spec->ring_bytes == 0 && spec->log == JOB_LOG_JOURNAL)
                bytes = MIN2(bytes, (uint64_t)JOURNAL_RING_BYTES);
        *ret = job_spec_has_rings(spec) ? bytes : 0;
        return 0;
}

static uint32_t spawn_flags(const JobSpec *spec)
{
        return (spec->is_tty ? WSHD_TTY : 0) | (spec->is_privileged ? WSHD_PRIVILEGED : 0) |
               (spec->has_backpressure ? WSHD_BACKPRESSURE : 0) |
               (spec->is_stdin_open && !spec->is_tty ? WSHD_OPEN_STDIN : 0) |
               (spec->ring_bytes == 0 ? WSHD_RING_SHRINK : 0);
}

static int send_spawn(Container *c, const JobSpec *spec, uint64_t ring_bytes, const int fds[3],
                      Spawn *spawn)
{
        static const uint32_t stdio_flags[] = { WSHD_STDIN_FD, WSHD_STDOUT_FD, WSHD_STDERR_FD };
        _drop_(drop_fd) int memfd = -EBADF;
        WireWriter w = WIRE_WRITER_INIT;
        WshdMessage m = {
                .type = WSHD_SPAWN,
                .flags = spawn_flags(spec),
                .job = spawn->job->id,
                .rows = spec->rows,
                .columns = spec->columns,
                .ring_bytes = ring_bytes,
                .rings_max = get_rings_max(c),
        };
        int passed[WSHD_FDS_MAX], r;
        size_t n = 0;

        for (int i = 0; i < 3; i++)
                if (fds[i] >= 0) {
                        m.flags |= stdio_flags[i];
                        passed[n++] = fds[i];
                }
        r = job_spec_encode(spec, c->spec->environment, &w);
        if (r >= 0 && w.size > INLINE_SPEC_MAX) {
                r = memfd = memory_new_sealed("warden-job", w.data, w.size);
                m.flags |= WSHD_SPEC_FD;
                passed[n++] = memfd;
        } else {
                m.spec = w.data;
                m.spec_size = w.size;
        }
        if (r >= 0)
                r = wshd_client_call(c->wshd, &m, passed, n, on_spawn_reply, spawn);
        wire_writer_done(&w);
        return r;
}

int container_spawn(Container *c, JobSpec *take_spec, const int fds[3], SpawnFunc func,
                    void *userdata, Fault *fault)
{
        _drop_(drop_job_spec) JobSpec *spec = take_spec;
        _drop_(drop_spawn) Spawn *spawn = NULL;
        uint64_t ring_bytes = 0;
        uint32_t id = 0;
        int r;

        r = job_spec_validate(spec, fault);
        if (r < 0)
                return r;
        r = container_check_awake(c, "spawn a job", fault);
        if (r >= 0)
                r = container_state_next(c->state, EVENT_SPAWN, fault);
        if (r < 0)
                return r;
        r = check_fds(spec, fds, fault);
        if (r < 0)
                return r;
        r = get_ring_bytes(c, spec, &ring_bytes, fault);
        if (r < 0)
                return r;
        if (!c->wshd)
                return fault_set(fault, FAULT_FAILED, -ENOTCONN,
                                 "PID 1 of container '%s' is out of reach", c->spec->name);
        r = take_job_id(c, &id, fault);
        if (r < 0)
                return r;
        spawn = calloc(1, sizeof(*spawn));
        if (!spawn)
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "Out of memory");
        r = job_new(c, id, spec->argv, spec->user, spec->identifier, &spawn->job);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "Out of memory");
        spawn->job->is_tty = spec->is_tty;
        spawn->job->has_stdin = spec->is_tty || spec->is_stdin_open;
        spawn->job->log = job_spec_has_rings(spec) ? spec->log : JOB_LOG_NONE;
        spawn->func = func;
        spawn->userdata = userdata;
        r = store_save_job(spawn->job);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "Cannot save the job: %m");
        r = send_spawn(c, spec, ring_bytes, fds, spawn);
        if (r < 0) {
                (void)store_forget_job(spawn->job);
                return fault_set(fault, r == -ENOBUFS ? FAULT_LIMIT : FAULT_FAILED, r,
                                 "Cannot hand the job to PID 1: %m");
        }
        spawn = NULL; /* on_spawn_reply() has it */
        return 0;
}

int container_kill(Container *c, int signal, ReplyFunc func, void *userdata, Fault *fault)
{
        WshdMessage m = { .type = WSHD_KILL_ALL, .signal = (uint32_t)signal };
        WshdRequest request = { .func = func,
                                .userdata = userdata,
                                .what = "Cannot signal the container" };
        Fault late = FAULT_INIT;
        int r = 0, is_thawed = c->state == CONTAINER_FROZEN && !c->freeze && signal == SIGKILL;

        if (signal < 1 || signal > SIGRTMAX)
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "signal: %d is not between 1 and %d", signal, SIGRTMAX);
        /* A frozen PID 1 would do it when it is thawed, and for SIGKILL it is: who sends that one
         * does not want them to go on. */
        if (!is_thawed) {
                r = container_check_awake(c, "signal the jobs", fault);
                if (r >= 0)
                        r = container_state_next(c->state, EVENT_SPAWN, fault);
        }
        if (r >= 0)
                r = wshd_request(c, &m, request, fault);
        if (r >= 0 && signal == SIGKILL) {
                Job *job;

                MAP_FOREACH(job, c->jobs)
                        job->is_kill_asked = 1;
        }
        if (r >= 0 && is_thawed && container_thaw(c, NULL, NULL, &late) < 0)
                (void)container_log(c, LOG_WARNING, late.error, NULL, late.text);
        return r;
}

static Job *job_by_id(const Map *jobs, uint32_t id)
{
        char key[12];

        (void)snprintf(key, sizeof(key), "%u", id);
        return map_get(jobs, key);
}

static JobEndReason job_find_reason(const Job *job, const WshdMessage *m)
{
        Container *c = job->container;

        if (m->signal == SIGKILL && !job->is_kill_asked && container_oom_claim(c, job))
                return JOB_END_OOM;
        if (c->state == CONTAINER_STOPPING || c->state == CONTAINER_DESTROYING)
                return JOB_END_CONTAINER;
        return m->signal > 0 ? JOB_END_SIGNAL : JOB_END_EXITED;
}

static void job_take_end(Job *job, const WshdMessage *m)
{
        JobEnd end = { .state = JOB_EXITED, .code = (int)(m->code & 0xff), .usec = m->end_usec };

        if (job->state != JOB_RUNNING)
                return;
        (void)job_take_output(job, m);
        job->is_core_dumped = !!(m->flags & WSHD_CORE);
        end.reason = job_find_reason(job, m);
        if (m->signal > 0 && m->signal <= (uint32_t)SIGRTMAX) {
                end.state = JOB_KILLED;
                end.signal = (int)m->signal;
        }
        job_end(job, end);
}

static void job_take_loss(Job *job, JobEndReason reason)
{
        job->is_output_open = 0;
        job_end(job, (JobEnd){
                             .state = JOB_LOST,
                             .reason = reason,
                             .usec = io_now_realtime_usec(),
                     });
}

void container_take_job_exit(Container *c, const WshdMessage *m)
{
        Job *job = job_by_id(c->jobs, m->job);

        if (job)
                job_take_end(job, m);
}

/* Descendants may hold the output of an ended job, and the rings stay with PID 1. */
static void job_note_output(Job *job, const WshdMessage *m)
{
        Container *c = job->container;
        const ManagerObserver *observer = &c->manager->observer;
        int r;

        if (!job_take_output(job, m) || job->state == JOB_RUNNING)
                return;
        r = store_save_job(job);
        if (r < 0)
                (void)container_log(c, LOG_ERR, r, NULL, "Failed to save a job");
        if (c->is_announced && observer->job_changed)
                observer->job_changed(observer->userdata, job, JOB_CHANGED_OUTPUT);
}

void container_take_job_output(Container *c, const WshdMessage *m)
{
        Job *job = job_by_id(c->jobs, m->job);

        if (job)
                job_note_output(job, m);
}

/* A job that nobody here knows: its record is gone, so it was released, or its client never heard
 * of it. It is ended if need be and forgotten; what wsh started on its own is not ours to touch. */
static void disown_row(Container *c, const WshdMessage *row)
{
        WshdMessage m = { .type = WSHD_RELEASE, .job = row->job };

        if (row->job >= WSHD_OWN_JOBS || !c->wshd)
                return;
        if (!(row->flags & WSHD_JOB_ENDED)) {
                m.type = WSHD_KILL;
                m.signal = SIGKILL;
        }
        (void)wshd_client_call(c->wshd, &m, NULL, 0, NULL, NULL);
}

void container_take_job_row(Container *c, const WshdMessage *m, int take_pidfd)
{
        _drop_(drop_fd) int fd = take_pidfd;
        Job *job = job_by_id(c->jobs, m->job);
        int r;

        if (!job) {
                if (!job_by_id(c->released_jobs, m->job))
                        disown_row(c, m);
                return;
        }
        job->is_listed = 1;
        job->start_usec = m->start_usec;
        job_note_output(job, m);
        if (m->flags & WSHD_JOB_ENDED) {
                job_take_end(job, m);
                return;
        }
        r = job_take_pidfd(job, take_fd(&fd));
        if (r < 0)
                (void)container_log(c, LOG_WARNING, r, NULL, "PID 1 sent no pidfd for a job");
}

/* PID 1 keeps every job until it is released. One that it does not list, and that nobody here has
 * seen running, was saved but never reached it: no client was told that it exists. */
void container_rows_done(Container *c)
{
        Job *job;

        MAP_FOREACH(job, c->jobs) {
                if (job->state != JOB_RUNNING || job->is_listed)
                        continue;
                if (job->pidfd < 0) {
                        (void)store_forget_job(job);
                        job_free(job);
                } else {
                        job_take_loss(job, JOB_END_LOST);
                }
        }
        container_jobs_follow(c);
}

void container_jobs_follow(Container *c)
{
        Job *job;

        MAP_FOREACH(job, c->jobs)
                journal_pool_follow(c->manager->journal, job);
        MAP_FOREACH(job, c->released_jobs)
                journal_pool_follow(c->manager->journal, job);
}

void container_jobs_lost(Container *c)
{
        Job *job;

        MAP_FOREACH(job, c->jobs)
                if (job->state == JOB_RUNNING)
                        job_take_loss(job, c->oom_by_oomd ? JOB_END_OOM : JOB_END_CONTAINER);
                else
                        job_note_output(job, &(const WshdMessage){ 0 });
}
