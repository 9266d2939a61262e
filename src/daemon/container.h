/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/map.h"
#include "daemon/job.h"
#include "model/container-spec.h"
#include "model/job-spec.h"
#include "model/name.h"
#include "model/network.h"
#include "model/state.h"

typedef struct Manager Manager;
typedef struct ContainerStart ContainerStart;
typedef struct ContainerDestroy ContainerDestroy;
typedef struct ContainerFreeze ContainerFreeze;
typedef struct WshdClient WshdClient;
typedef struct NetworkChange NetworkChange;
typedef struct SegmentChange SegmentChange;
struct WorkerOperation;
struct WshdMessage;
struct sd_event_source;

/* Who asked for something that takes a while. The function is called exactly once, from the event
 * loop or from within the verb. Where a verb returns an error itself, it is not called. error: 0 or
 * a negative errno with
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
        CONTAINER_CHANGED_FORWARDS = 1 << 8, /* ForwardedPorts */
        CONTAINER_CHANGED_EGRESS = 1 << 9,   /* EgressRules */
        CONTAINER_CHANGED_SEGMENT = 1 << 10, /* Isolated, Segment */
} ContainerChange;

struct Container {
        Manager *manager;
        ContainerSpec *spec; /* name is always set */
        char id[CONTAINER_ID_LENGTH + 1];
        char *unit; /* warden-ID.scope */
        ContainerState state;
        uint64_t created_usec;        /* CLOCK_REALTIME */
        uint32_t uid_base, uid_count; /* the lease; count 0: none */
        uint32_t project_id;          /* the lease of the layer's quota; 0: none */
        NetworkAddresses network;     /* the lease of a slot */
        int has_network;
        int has_name;     /* systemd-machined was told of it */
        uint32_t segment; /* the lease of its number; 0: it is in none */
        int is_guarded;   /* the packet filter was told of it, and not to forget it */
        int has_ports;    /* the spec's forwards are claimed */
        struct WorkerOperation *interfaces_return; /* those of the host are being given back */
        NetworkChange *network_changes;            /* that are under way */
        SegmentChange *segment_change;             /* the same */
        struct sd_event_source *interface_source;  /* it has vanished, and we wonder why */

        uint32_t leader_pid; /* 0: no process. For printing; the pidfd is what is used */
        uint64_t leader_start_ticks;
        uint64_t started_usec; /* CLOCK_BOOTTIME: the process may have waited for work since long
                                * before; 0: not known */
        int leader_pidfd;
        struct sd_event_source *leader_source;
        struct ContainerLimits *limits; /* container-limits.c; NULL: nothing but the spec's */
        char *control_group; /* of the scope, "/…"; NULL: there is none, or it is not there yet */

        WshdClient *wshd;
        int dir_fd; /* runtime_directory/containers/ID */
        int jobs_dir_fd;
        Map *jobs;          /* by Job.key */
        Map *released_jobs; /* the same: those whose output the journal does not have yet */
        RetentionList ended_jobs;
        uint64_t jobs_dropped;  /* ended ones that were forgotten without being asked to */
        char **events;          /* what happened to it, each once */
        struct OomSource *oom;  /* while it is in its scope */
        uint64_t oom_kills;     /* the kernel's counter when we last looked */
        uint64_t oom_total;     /* kills for want of memory, in all its lives */
        uint64_t oom_untold;    /* of them, not signalled yet */
        uint64_t oom_unclaimed; /* of the last ones, of no job that we know of */
        uint64_t oom_usec;      /* CLOCK_MONOTONIC: when the counter was last seen to grow */
        int oom_by_oomd;        /* its last life was ended by systemd-oomd */
        struct PressureSource *pressure;           /* the same, if its spec has a threshold */
        struct sd_event_source *oom_policy_source; /* OOMPolicy is about to be applied */
        uint32_t next_job;
        uint32_t reserved_jobs; /* ids below it are saved as used: the state is written once a batch
                                 */
        int is_leader_gone;     /* the pidfd has fired */
        struct sd_event_source *reconnect_source; /* PID 1 lives, but its connection broke */
        int is_unsettled;                         /* restored; PID 1 was not heard of yet */
        int is_announced; /* the observer was told of it: only then of changes and of its end */

        ContainerStart *start;               /* while creating */
        ContainerDestroy *destroy;           /* while destroying */
        ContainerFreeze *freeze;             /* while it is being frozen or thawed */
        struct sd_event_source *stop_source; /* while stopping: the end of patience */
        uint64_t stop_usec;                  /* CLOCK_MONOTONIC: when that is */
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

/* Ends and forgets it. Idempotent: every caller gets an answer when it is gone. The container is
 * freed by the manager after the last reply. */
int container_destroy(Container *c, ReplyFunc func, void *userdata, Fault *fault);

/* @signal to every process in it but PID 1. The reply comes when PID 1 has done it. */
int container_kill(Container *c, int signal, ReplyFunc func, void *userdata, Fault *fault);

/* Called once with the job, or with NULL, a negative errno and a fault (kinds
 * FAULT_PROGRAM_NOT_FOUND, FAULT_PROGRAM_NOT_EXECUTABLE, FAULT_NO_SUCH_USER, FAULT_INVALID for a
 * missing directory … tell why). */
typedef void (*SpawnFunc)(void *userdata, Job *job, int error, const Fault *fault);

/* @spec     taken in success and failure
 * @fds      stdin, stdout, stderr; -EBADF where the job shall have /dev/null. Not taken: they may
 * be closed when this returns. All must be -EBADF when spec->is_tty. A directory or an O_PATH
 * descriptor is refused. */
int container_spawn(Container *c, JobSpec *take_spec, const int fds[3], SpawnFunc func,
                    void *userdata, Fault *fault);

/* For the files container-*.c, job.c and restore.c. */

#define CONTAINER_RESERVE_JOBS 64 /* ids that are saved as used at once */

/* @take_spec   taken in success and failure. Registers in the manager by id and name. */
int container_new(Manager *manager, const char *id, ContainerSpec *take_spec, Container **ret,
                  Fault *fault);

/* Unlinks it from the manager, gives its leases back, frees its jobs. Kills nothing. */
Container *container_free(Container *c);

/* Asks the state table, saves, then tells the observer. When saving fails the old state stays.
 * Returns 0; -EPROTO; the errno of saving. */
int container_move(Container *c, ContainerEvent event, Fault *fault);

/* The same for a step down. Where there is no room to save it, it goes on: the end of containers is
 * what makes room. Should the daemon die before the end, the next one finds the old state, and the
 * processes as they are by then. */
int container_move_down(Container *c, ContainerEvent event, Fault *fault);

/* The same for what has happened already: a failure to save is logged, the state moves on. */
void container_move_on(Container *c, ContainerEvent event);

void container_changed(Container *c, unsigned mask);

/* Adds to the events if it is not among them; does not save. Returns 0; -ENOMEM. */
int container_add_event(Container *c, const char *text);

/* Takes the pidfd and watches it. Returns 0; negative errno. */
int container_set_leader(Container *c, uint32_t pid, int take_pidfd);
void container_clear_leader(Container *c);

/* Reads where the leader is, which is in its scope by now, into c->control_group. 0; -ENODATA it is
 * not there; the errno of reading. */
int container_find_group(Container *c);

/* Connects to PID 1; container_on_wshd_ready() follows. */
int container_connect(Container *c);
void container_disconnect(Container *c);

/* The parts of a life: each is told by container.c what concerns it. */
void container_start_leader_gone(Container *c);
void container_start_wshd_ready(Container *c);
void container_start_wshd_lost(Container *c, int error);
void container_stop_leader_gone(Container *c);
void container_stop_resume(Container *c);
void container_destroy_leader_gone(Container *c);
ContainerStart *container_start_free(ContainerStart *start);
ContainerDestroy *container_destroy_free(ContainerDestroy *destroy);

/* First start of a new container; @func is answered when it is active, or when all is undone. */
int container_begin(Container *c, ReplyFunc func, void *userdata, Fault *fault);

int reply_add(Reply **list, ReplyFunc func, void *userdata);
/* Empties the list before the first call. */
void reply_all(Reply **list, int error, const Fault *fault);

int container_log(const Container *c, int level, int error, const char *message_id,
                  const char *text);

/* What PID 1 says of jobs. */
void container_jobs_lost(Container *c);
/* What PID 1 has of them for the journal can be asked for now, or never more. */
void container_jobs_follow(Container *c);
void container_rows_done(Container *c);
void container_take_job_row(Container *c, const struct WshdMessage *m, int take_pidfd);
void container_take_job_exit(Container *c, const struct WshdMessage *m);
void container_take_job_output(Container *c, const struct WshdMessage *m);
