/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/process.h"

/* A seccomp profile may be older than the call. Only we wait for our children, so that the pid of
 * one that is alive in our books is nobody else's either. */
static int signal_job(const Job *job, int signal)
{
        if (syscall(SYS_pidfd_send_signal, job->pidfd, signal, NULL, 0) >= 0)
                return 0;
        if (errno != ENOSYS || job->pid <= 1)
                return -errno;
        return kill(job->pid, signal) < 0 ? -errno : 0;
}

static int namespace_signal_all(const JobTable *jobs, int signal)
{
        return kill(-1, signal) < 0 && errno != ESRCH ? -errno : 0;
}

static int namespace_is_alone(const JobTable *jobs)
{
        return kill(-1, 0) < 0 && errno == ESRCH;
}

static int jobs_signal_all(const JobTable *jobs, int signal)
{
        int r = 0;

        for (uint32_t i = 0; i < jobs->n_slots; i++) {
                const Job *job = &jobs->slots[i];
                int k;

                if (!job_is_alive(job))
                        continue;
                k = signal_job(job, signal);
                if (k < 0 && k != -ESRCH)
                        r = k;
        }
        return r;
}

static int jobs_is_alone(const JobTable *jobs)
{
        return !job_table_is_alive(jobs);
}

const ProcessOps process_ops_namespace = {
        .start = spawn_start,
        .signal_job = signal_job,
        .signal_all = namespace_signal_all,
        .is_alone = namespace_is_alone,
};

const ProcessOps process_ops_jobs = {
        .start = spawn_start,
        .signal_job = signal_job,
        .signal_all = jobs_signal_all,
        .is_alone = jobs_is_alone,
};
