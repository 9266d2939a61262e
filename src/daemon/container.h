/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/map.h"
#include "daemon/job.h"
#include "model/container-spec.h"
#include "model/job-spec.h"
#include "model/name.h"
#include "model/state.h"

typedef struct Manager Manager;
typedef struct ContainerStart ContainerStart;
typedef struct ContainerDestroy ContainerDestroy;
typedef struct WshdClient WshdClient;
struct sd_event_source;

/* Who asked for something that takes a while. The function is called exactly once, from the event loop or from
 * within the verb. Where a verb returns an error itself, it is not called. error: 0 or a negative errno with
 * @fault. */
typedef void (*ReplyFunc)(void *userdata, int error, const Fault *fault);
typedef struct Reply Reply;
struct Reply {
        ReplyFunc func;
        void *userdata;
        Reply *next;
};

/* What changed in the eyes of a client, for PropertiesChanged. */
typedef enum ContainerChange {
        CONTAINER_CHANGED_STATE = 1 << 0,  /* State */
        CONTAINER_CHANGED_LEADER = 1 << 1, /* Leader, ControlGroup */
        CONTAINER_CHANGED_JOBS = 1 << 2,   /* Jobs */
        CONTAINER_CHANGED_LIMITS = 1 << 3,
        CONTAINER_CHANGED_EVENTS = 1 << 4,
} ContainerChange;

struct Container {
        Manager *manager;
        ContainerSpec *spec; /* name is always set */
        char id[CONTAINER_ID_LENGTH + 1];
        char *unit; /* warden-ID.scope */
        ContainerState state;
        uint64_t created_usec;        /* CLOCK_REALTIME */
        uint32_t uid_base, uid_count; /* the lease; count 0: none */

        uint32_t leader_pid; /* 0: no process. For printing; the pidfd is what is used */
        uint64_t leader_start_ticks;
        int leader_pidfd;
        struct sd_event_source *leader_source;

        WshdClient *wshd;
        int dir_fd; /* runtime_directory/containers/ID */
        int jobs_dir_fd;
        Map *jobs; /* by Job.key */
        uint32_t next_job;
        int is_announced; /* the observer was told of it: only then of changes and of its end */

        ContainerStart *start;               /* while creating */
        ContainerDestroy *destroy;           /* while destroying */
        struct sd_event_source *stop_source; /* while stopping: the end of patience */
        Reply *stop_replies;
};

const char *container_name(const Container *c);

/* Verbs. All check the state table first: -EPROTO with FAULT_BAD_STATE. None blocks.
 * Replies: see ReplyFunc. */

/* Begins anew after a stop, with the same root and layer. */
int container_start(Container *c, ReplyFunc func, void *userdata, Fault *fault);

/* TERM, @grace_usec later KILL, to everything in it; USEC_INFINITY: the container's own grace time.
 * @func may be NULL: nobody waits. A stopped container answers at once. */
int container_stop(Container *c, uint64_t grace_usec, ReplyFunc func, void *userdata, Fault *fault);

/* Ends and forgets it. Idempotent: every caller gets an answer when it is gone. The container is freed by the
 * manager after the last reply. */
int container_destroy(Container *c, ReplyFunc func, void *userdata, Fault *fault);

/* @signal to every process in it but PID 1. The reply comes when PID 1 has done it. */
int container_kill(Container *c, int signal, ReplyFunc func, void *userdata, Fault *fault);

/* Called once with the job, or with NULL, a negative errno and a fault (kinds FAULT_PROGRAM_NOT_FOUND,
 * FAULT_PROGRAM_NOT_EXECUTABLE, FAULT_NO_SUCH_USER, FAULT_INVALID for a missing directory … tell why). */
typedef void (*SpawnFunc)(void *userdata, Job *job, int error, const Fault *fault);

/* @spec     taken in success and failure
 * @fds      stdin, stdout, stderr; -EBADF where the job shall have /dev/null. Not taken: they may be closed when
 *           this returns. All must be -EBADF when spec->is_tty. A directory or an O_PATH descriptor is refused. */
int container_spawn(Container *c, JobSpec *take_spec, const int fds[3], SpawnFunc func,
                    void *userdata, Fault *fault);
