/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A job is asked for at PID 1 like any client would attach, and what comes back is sent on. The one
 * state that counts is in the file; what is in here is only who has been handed over in this life
 * of warden-journal, and is begun anew with its next. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "basic/log.h"
#include "daemon/journal-pool.h"
#include "daemon/manager.h"
#include "daemon/resident.h"
#include "wire/fd-socket.h"
#include "wire/journal-message.h"

#define DIRECTORY "journal"
#define RETRY_USEC (1 * USEC_PER_SEC)

typedef enum FollowState {
        FOLLOW_WAITING, /* to be asked for */
        FOLLOW_ASKED,   /* PID 1 has not answered */
        FOLLOW_HANDED_OVER,
        FOLLOW_DONE, /* everything is in the journal, or nothing will come */
} FollowState;

typedef struct JournalFollow {
        char key[JOURNAL_KEY_SIZE];
        Job *job;
        FollowState state;
        uint64_t serial; /* of the question: an answer to an older one is dropped */
} JournalFollow;

struct JournalPool {
        Manager *manager;
        Resident *program;
        Map *follows;               /* JournalFollow, by key */
        struct Question *questions; /* that PID 1 has not answered */
        uint64_t serial;
        sd_event_source *retry_source;
};

/* Has all that is needed when the answer comes, when the job may be gone with its container. */
typedef struct Question Question;
struct Question {
        JournalPool *pool;
        Question *next;
        char key[JOURNAL_KEY_SIZE];
        uint64_t serial;
        char *name, *id, *unit, *identifier;
        uint32_t job;
        int is_tty;
        int place_fd;
};

static void pool_run(JournalPool *pool);

static Question *question_free(Question *question)
{
        if (!question)
                return NULL;
        for (Question **p = &question->pool->questions; *p; p = &(*p)->next)
                if (*p == question) {
                        *p = question->next;
                        break;
                }
        fd_close(question->place_fd);
        free(question->name);
        free(question->id);
        free(question->unit);
        free(question->identifier);
        free(question);
        return NULL;
}
DEFINE_DROP(Question, question, question_free);

static int on_retry(sd_event_source *s, uint64_t usec, void *userdata)
{
        JournalPool *pool = userdata;

        pool->retry_source = sd_event_source_unref(pool->retry_source);
        pool_run(pool);
        return 0;
}

static void retry_later(JournalPool *pool)
{
        if (!pool->retry_source)
                (void)sd_event_add_time_relative(pool->manager->event, &pool->retry_source,
                                                 CLOCK_MONOTONIC, RETRY_USEC, 0, on_retry, pool);
}

/* Nothing more will come of it. @follow may be freed when this returns. */
static void follow_finish(JournalFollow *follow)
{
        follow->state = FOLLOW_DONE;
        if (follow->job->is_released)
                job_forget(follow->job);
}

/* It is our own program, but it has handled what a container wrote. */
static void on_program_done(void *userdata, const void *data, size_t size)
{
        JournalPool *pool = userdata;
        char key[JOURNAL_KEY_SIZE] = "";
        JournalFollow *follow;

        if (size >= sizeof(key))
                return;
        memcpy(key, data, size);
        follow = map_get(pool->follows, key);
        if (follow && follow->state == FOLLOW_HANDED_OVER)
                follow_finish(follow);
}

static void on_program_ended(void *userdata)
{
        JournalPool *pool = userdata;
        JournalFollow *follow;

        MAP_FOREACH(follow, pool->follows)
                if (follow->state != FOLLOW_DONE)
                        follow->state = FOLLOW_WAITING;
}

static void on_program_started(void *userdata)
{
        pool_run(userdata);
}

int journal_pool_new(Manager *manager, const char *program, JournalPool **ret)
{
        static const ResidentHandler handler = { .ended = on_program_ended,
                                                 .started = on_program_started,
                                                 .received = on_program_done };
        _drop_(drop_journal_pool) JournalPool *pool = calloc(1, sizeof(*pool));
        const char *argv[] = { program, NULL };
        int r;

        if (!pool)
                return -ENOMEM;
        pool->manager = manager;
        pool->follows = map_new();
        if (!pool->follows)
                return -ENOMEM;
        r = resident_new(manager->event, "journal", argv, &handler, pool, &pool->program);
        if (r < 0)
                return r;
        *ret = take_ptr(pool);
        return 0;
}

JournalPool *journal_pool_free(JournalPool *pool)
{
        JournalFollow *follow;

        if (!pool)
                return NULL;
        while (pool->questions)
                question_free(pool->questions);
        MAP_FOREACH(follow, pool->follows)
                free(follow);
        map_free(pool->follows);
        sd_event_source_disable_unref(pool->retry_source);
        resident_free(pool->program);
        free(pool);
        return NULL;
}

/* The file with the job's place, made when it is missing. One that is damaged is begun anew: lines
 * that come twice are better than none. */
static int place_open(const Job *job, JournalState *ret, int *ret_fd)
{
        _drop_(drop_fd) int dir_fd = -EBADF, fd = -EBADF;
        uint8_t data[sizeof(JournalState) + 1];
        ssize_t n;
        int r;

        dir_fd = io_mkdir_open(job->container->dir_fd, DIRECTORY, 0700);
        if (dir_fd < 0)
                return dir_fd;
        fd = openat(dir_fd, job->key, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        n = pread(fd, data, sizeof(data), 0);
        if (n < 0)
                return -errno;
        r = journal_state_check(data, (size_t)n, ret);
        if (r < 0) {
                if (ftruncate(fd, 0) < 0)
                        return -errno;
                r = journal_state_check(data, 0, ret);
        }
        if (r < 0)
                return r;
        *ret_fd = take_fd(&fd);
        return 0;
}

void journal_pool_remove_place(const Job *job)
{
        _drop_(drop_free) char *path = NULL;

        if (asprintf(&path, DIRECTORY "/%s", job->key) < 0)
                path = NULL;
        else
                (void)unlinkat(job->container->dir_fd, path, 0);
}

/* People look for the program's name, not for its place. */
static const char *job_identifier(const Job *job)
{
        const char *slash = job->identifier[0] == '/' ? strrchr(job->identifier, '/') : NULL;

        return slash && slash[1] ? slash + 1 : job->identifier;
}

static int question_new(JournalPool *pool, const JournalFollow *follow, int take_place_fd,
                        Question **ret)
{
        const Container *c = follow->job->container;
        _drop_(drop_fd) int place_fd = take_place_fd;
        Question *question = calloc(1, sizeof(*question));

        if (!question)
                return -ENOMEM;
        *question = (Question){
                .pool = pool,
                .next = pool->questions,
                .serial = ++pool->serial,
                .name = strdup(c->spec->name),
                .id = strdup(c->id),
                .unit = strdup(c->unit),
                .identifier = strdup(job_identifier(follow->job)),
                .job = follow->job->id,
                .is_tty = follow->job->is_tty,
                .place_fd = take_fd(&place_fd),
        };
        memcpy(question->key, follow->key, sizeof(question->key));
        pool->questions = question;
        if (!question->name || !question->id || !question->unit || !question->identifier) {
                question_free(question);
                return -ENOMEM;
        }
        *ret = question;
        return 0;
}

static int hand_over(const Question *question, const int *fds)
{
        int fd = resident_fd(question->pool->program);
        JournalMessage m = {
                .name = question->name,
                .id = question->id,
                .unit = question->unit,
                .identifier = question->identifier,
                .job = question->job,
                .is_tty = question->is_tty,
        };
        const int passed[JOURNAL_MESSAGE_FDS] = { fds[1], fds[2], question->place_fd };
        uint8_t buffer[JOURNAL_MESSAGE_MAX];
        int r;

        if (fd < 0)
                return -ENOTCONN;
        r = journal_message_encode(&m, buffer, sizeof(buffer));
        if (r < 0)
                return r;
        return fd_socket_send(fd, buffer, (size_t)r, passed, JOURNAL_MESSAGE_FDS, MSG_DONTWAIT);
}

static void log_failure(const Job *job, int error, const char *text)
{
        const Container *c = job->container;
        LogContext context = {
                .container = container_name(c), .id = c->id, .unit = c->unit, .job = job->id
        };

        (void)log_at(LOG_WARNING, error, &context,
                     "Cannot hand the output of a job to the journal yet: %s", text);
}

static void on_attached(void *userdata, int *fds, int error, const Fault *fault)
{
        _drop_(drop_question) Question *question = userdata;
        JournalPool *pool = question->pool;
        JournalFollow *follow = map_get(pool->follows, question->key);
        int r;

        if (follow && (follow->state != FOLLOW_ASKED || follow->serial != question->serial))
                return;
        r = error < 0 ? error : hand_over(question, fds);
        if (!follow)
                return;
        follow->state = r < 0 ? FOLLOW_WAITING : FOLLOW_HANDED_OVER;
        if (error < 0 && fault->kind == FAULT_NO_SUCH_JOB) {
                follow_finish(follow);
                return;
        }
        /* Without PID 1 there is nothing left, or it is found again and asked again. */
        if (r >= 0 || !follow->job->container->wshd)
                return;
        log_failure(follow->job, r, error < 0 ? fault->text : strerror(-r));
        retry_later(pool);
}

/* Returns 0, also when there is nothing to do; negative errno with a fault. */
static int follow_ask(JournalPool *pool, JournalFollow *follow, Fault *fault)
{
        JobAttach options = { .is_framed = 1 };
        _drop_(drop_question) Question *question = NULL;
        JournalState state;
        int fd = -EBADF, r;

        r = place_open(follow->job, &state, &fd);
        if (r >= 0)
                r = question_new(pool, follow, fd, &question);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "Cannot open the file for its place: %m");
        options.wants_stdout = !state.places[0].is_ended;
        options.wants_stderr = !state.places[1].is_ended;
        options.stdout_position = state.places[0].position;
        options.stderr_position = state.places[1].position;
        if (!options.wants_stdout && !options.wants_stderr) {
                follow_finish(follow);
                return 0;
        }
        r = resident_start(pool->program, fault);
        if (r < 0)
                return r;
        follow->state = FOLLOW_ASKED;
        follow->serial = question->serial;
        r = job_attach(follow->job, &options, on_attached, question, fault);
        if (r < 0) {
                follow->state = FOLLOW_WAITING;
                return r;
        }
        question = NULL; /* on_attached() has it */
        return 0;
}

static void follow_run(JournalPool *pool, JournalFollow *follow)
{
        const Job *job = follow->job;
        Fault fault = FAULT_INIT;

        /* Without PID 1 there is nothing left to read. */
        if (!job->container->wshd && job->container->leader_pidfd < 0 && job->is_released) {
                follow_finish(follow);
                return;
        }
        /* While it is out of reach nothing can be asked; its return comes by here again. */
        if (resident_is_restarting(pool->program) || !job->container->wshd)
                return;
        if (follow_ask(pool, follow, &fault) >= 0)
                return;
        log_failure(job, fault.error, fault.text);
        retry_later(pool);
}

static void pool_run(JournalPool *pool)
{
        JournalFollow *follow;

        MAP_FOREACH(follow, pool->follows)
                if (follow->state == FOLLOW_WAITING)
                        follow_run(pool, follow);
}

static int is_for_journal(const Job *job)
{
        return job->log == JOB_LOG_JOURNAL || job->log == JOB_LOG_BOTH;
}

void journal_pool_follow(JournalPool *pool, Job *job)
{
        char key[JOURNAL_KEY_SIZE];
        JournalFollow *follow;

        if (!is_for_journal(job))
                return;
        journal_key_format(job->container->id, job->id, key);
        follow = map_get(pool->follows, key);
        if (!follow) {
                follow = calloc(1, sizeof(*follow));
                if (!follow) {
                        log_failure(job, -ENOMEM, "Out of memory");
                        return;
                }
                memcpy(follow->key, key, sizeof(key));
                follow->job = job;
                if (map_put(pool->follows, follow->key, follow) < 0) {
                        free(follow);
                        log_failure(job, -ENOMEM, "Out of memory");
                        return;
                }
        }
        if (follow->state == FOLLOW_WAITING || follow->state == FOLLOW_ASKED)
                follow_run(pool, follow);
}

int journal_pool_is_done(const JournalPool *pool, const Job *job)
{
        char key[JOURNAL_KEY_SIZE];
        const JournalFollow *follow;

        if (!is_for_journal(job))
                return 1;
        journal_key_format(job->container->id, job->id, key);
        follow = map_get(pool->follows, key);
        if (!follow || follow->state == FOLLOW_DONE)
                return 1;
        return follow->state != FOLLOW_HANDED_OVER && !job->container->wshd &&
               job->container->leader_pidfd < 0;
}

/* A connection that is gone answers nothing more. */
static void drop_questions(JournalPool *pool, const char *key)
{
        Question *next;

        for (Question *question = pool->questions; question; question = next) {
                next = question->next;
                if (strcmp(question->key, key) == 0)
                        question_free(question);
        }
}

void journal_pool_forget(JournalPool *pool, Job *job)
{
        char key[JOURNAL_KEY_SIZE];
        JournalFollow *follow;

        journal_key_format(job->container->id, job->id, key);
        follow = map_get(pool->follows, key);
        if (!follow || follow->job != job)
                return;
        if (!job->container->wshd)
                drop_questions(pool, key);
        (void)map_remove(pool->follows, key);
        free(follow);
}
