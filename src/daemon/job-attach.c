/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Attaching: PID 1 makes the pipes and relays what is in its rings; we pass the client's ends of
 * them on and see no byte. Who is attached to what, PID 1 alone knows, and it goes on knowing while
 * we are restarted. */

#include <errno.h>
#include <fcntl.h>

#include "basic/fd.h"
#include "daemon/container-freeze.h"
#include "daemon/manager.h"
#include "daemon/wshd-client.h"

#define STREAMS 3

static const uint32_t stream_flags[STREAMS] = { WSHD_STDIN_FD, WSHD_STDOUT_FD, WSHD_STDERR_FD };

typedef struct AttachCall {
        Container *container;
        uint32_t job;
        int is_until_now;
        JobAttachFunc func;
        void *userdata;
} AttachCall;

/* What was granted, as PID 1 sorted it, and /dev/null for the rest. A descriptor too many or too
 * few is a PID 1 that does not mean what it says. */
static int attach_take_fds(const WshdMessage *m, int *fds, int ret[STREAMS], Fault *fault)
{
        int n = 0;

        for (int i = 0; i < STREAMS; i++) {
                if (!(m->flags & stream_flags[i]))
                        ret[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
                else if (n < WSHD_FDS_MAX && fds[n] >= 0)
                        ret[i] = take_fd(&fds[n++]);
                else
                        return fault_set(fault, FAULT_FAILED, -EPROTO,
                                         "Cannot attach: PID 1 sent too few descriptors");
                if (ret[i] < 0)
                        return fault_set(fault, FAULT_FAILED, -errno,
                                         "Cannot attach: no descriptor for /dev/null: %m");
        }
        if (n < WSHD_FDS_MAX && fds[n] >= 0)
                return fault_set(fault, FAULT_FAILED, -EPROTO,
                                 "Cannot attach: PID 1 sent too many descriptors");
        return 0;
}

static int attach_fail(const AttachCall *call, const WshdMessage *m, Fault *fault)
{
        int error = m->error > 0 && m->error < 4096 ? -(int)m->error : -EPROTO;

        if (error == -EBUSY)
                return fault_set(fault, FAULT_BAD_STATE, error,
                                 "Stdin: another client is attached to that of job %u", call->job);
        if (error == -ESRCH || error == -ENOENT)
                return fault_set(fault, FAULT_NO_SUCH_JOB, error,
                                 "PID 1 of the container has no job %u", call->job);
        if (error == -ENOSPC || error == -EMFILE || error == -ENFILE || error == -EAGAIN)
                return fault_set(fault, FAULT_LIMIT, error,
                                 "Too many clients are attached to job %u: %m", call->job);
        if (error == -EINVAL && call->is_until_now)
                return fault_set(fault, FAULT_NOT_SUPPORTED, -EOPNOTSUPP,
                                 "UntilNow: PID 1 of the container is of an older version; "
                                 "without it the output does not end before the job's");
        return fault_set(fault, error == -EINVAL ? FAULT_INVALID : FAULT_FAILED, error,
                         "Cannot attach: %m");
}

static void on_attach_reply(void *userdata, const WshdMessage *m, int *fds, int error)
{
        _drop_(drop_free) AttachCall *call = userdata;
        int granted[STREAMS] = { -EBADF, -EBADF, -EBADF };
        Fault fault = FAULT_INIT;
        int r;

        if (!m) {
                r = fault_set(&fault, FAULT_FAILED, error,
                              "Cannot attach: PID 1 of the container is out of reach: %m");
        } else if (m->type != WSHD_OK) {
                r = attach_fail(call, m, &fault);
        } else {
                r = attach_take_fds(m, fds, granted, &fault);
                container_take_job_output(call->container, m);
        }
        if (r < 0)
                for (int i = 0; i < STREAMS; i++)
                        granted[i] = fd_close(granted[i]);
        call->func(call->userdata, granted, r, &fault);
        for (int i = 0; i < STREAMS; i++)
                fd_close(granted[i]);
}

static int attach_check(const Job *job, const JobAttach *options, Fault *fault)
{
        const Container *c = job->container;

        if (options->wants_stdin > 0 && job->state != JOB_RUNNING)
                return fault_set(fault, FAULT_BAD_STATE, -ESRCH,
                                 "Stdin: job %u has ended, only its output is left", job->id);
        if (options->wants_stdin > 0 && !job->has_stdin)
                return fault_set(fault, FAULT_BAD_STATE, -ENXIO,
                                 "Stdin: job %u has none to attach to; it was made without "
                                 "OpenStdin and TTY",
                                 job->id);
        if (options->is_from_now && (options->stdout_position > 0 || options->stderr_position > 0))
                return fault_set(fault, FAULT_INVALID, -EINVAL,
                                 "FromNow: contradicts StdoutPosition and StderrPosition");
        if (options->is_from_now && options->is_until_now)
                return fault_set(fault, FAULT_INVALID, -EINVAL, "FromNow: contradicts UntilNow");
        if (!c->wshd && c->leader_pidfd < 0)
                return fault_set(fault, FAULT_BAD_STATE, -ESRCH,
                                 "Container '%s' has ended, and the output of its jobs with it",
                                 container_name(c));
        if (!c->wshd)
                return fault_set(fault, FAULT_FAILED, -ENOTCONN,
                                 "Cannot attach: PID 1 of the container is out of reach");
        return 0;
}

static uint32_t attach_flags(const Job *job, const JobAttach *options)
{
        uint32_t flags = (options->wants_stdout ? WSHD_STDOUT_FD : 0) |
                         (options->wants_stderr ? WSHD_STDERR_FD : 0) |
                         (options->is_framed ? WSHD_FRAMED : 0) |
                         (options->is_stdin_kept ? WSHD_KEEP_STDIN : 0) |
                         (options->is_from_now ? WSHD_FROM_NOW : 0) |
                         (options->is_until_now ? WSHD_UNTIL_NOW : 0);

        if (options->wants_stdin > 0)
                flags |= WSHD_STDIN_FD;
        else if (options->wants_stdin < 0 && job->has_stdin && job->state == JOB_RUNNING)
                flags |= WSHD_STDIN_FD | WSHD_STDIN_IF_FREE;
        return flags;
}

int job_attach(Job *job, const JobAttach *options, JobAttachFunc func, void *userdata, Fault *fault)
{
        WshdMessage m = {
                .type = WSHD_ATTACH,
                .job = job->id,
                .flags = attach_flags(job, options),
                .stdout_position = options->stdout_position,
                .stderr_position = options->stderr_position,
        };
        AttachCall *call;
        int r;

        r = attach_check(job, options, fault);
        if (r >= 0)
                r = container_check_awake(job->container, "attach", fault);
        if (r < 0)
                return r;
        if (!(m.flags & (WSHD_STDIN_FD | WSHD_STDOUT_FD | WSHD_STDERR_FD)))
                return fault_set(fault, FAULT_INVALID, -EINVAL, "Attach: no stream is wanted");
        call = malloc(sizeof(*call));
        if (!call)
                return fault_set(fault, FAULT_FAILED, -ENOMEM, "Out of memory");
        *call = (AttachCall){ .container = job->container,
                              .job = job->id,
                              .is_until_now = options->is_until_now,
                              .func = func,
                              .userdata = userdata };
        r = wshd_client_call(job->container->wshd, &m, NULL, 0, on_attach_reply, call);
        if (r < 0) {
                free(call);
                return fault_set(fault, r == -ENOBUFS ? FAULT_LIMIT : FAULT_FAILED, r,
                                 "Cannot attach: %m");
        }
        return 0;
}
