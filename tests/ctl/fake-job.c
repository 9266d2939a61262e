/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs of fake-wardend: real processes of the host. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "ctl/bus.h"
#include "fake-job.h"

FakeJob *fake_jobs[FAKE_JOBS_MAX];
static uint32_t next_job = 1;
static int is_away; /* off the bus: what happens now is not told */

int fake_job_find(sd_bus *b, const char *path, const char *interface, void *userdata,
                  void **ret_found, sd_bus_error *error)
{
        for (size_t i = 0; i < FAKE_JOBS_MAX; i++)
                if (fake_jobs[i] && strcmp(fake_jobs[i]->path, path) == 0) {
                        *ret_found = fake_jobs[i];
                        return 1;
                }
        return 0;
}

static void forget(const FakeJob *job)
{
        for (size_t i = 0; i < FAKE_JOBS_MAX; i++)
                if (fake_jobs[i] == job)
                        fake_jobs[i] = NULL;
}

static void emit_exited(FakeJob *job)
{
        int is_lost = strcmp(job->container->name, "lost") == 0;

        if (!is_away)
                (void)sd_bus_emit_signal(fake_bus, job->path, WARDEN_JOB, "Exited", "ii",
                                         is_lost ? -1 : job->code, is_lost ? 0 : job->signal);
}

static int on_child(sd_event_source *source, const siginfo_t *info, void *userdata)
{
        FakeJob *job = userdata;

        job->is_running = 0;
        job->end_usec = io_now_realtime_usec();
        job->code = info->si_code == CLD_EXITED ? info->si_status : -1;
        job->signal = info->si_code == CLD_EXITED ? 0 : info->si_status;
        sd_event_source_unref(source);
        emit_exited(job);
        return 0;
}

static int on_return(sd_event_source *source, uint64_t usec, void *userdata)
{
        is_away = 0;
        sd_event_source_unref(source);
        return sd_bus_request_name(fake_bus, WARDEN_NAME, 0);
}

/* Off the bus for long enough that a short job has ended in between. */
static void go_away(FakeJob *job, int is_forgetful)
{
        sd_event_source *source = NULL;

        (void)sd_bus_flush(fake_bus);
        is_away = 1;
        (void)sd_bus_release_name(fake_bus, WARDEN_NAME);
        (void)sd_event_add_time_relative(fake_event, &source, CLOCK_MONOTONIC, 500 * USEC_PER_MSEC,
                                         0, on_return, NULL);
        if (is_forgetful)
                forget(job);
}

static _noreturn_ void child_exec(char **argv, char **environment, const char *directory,
                                  const int fds[3], const char *tty, int error_fd)
{
        sigset_t none;
        int error;

        (void)sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        (void)signal(SIGPIPE, SIG_DFL); /* ignoring it is inherited */
        (void)setsid();
        if (tty) {
                int fd = open(tty, O_RDWR);

                (void)ioctl(fd, TIOCSCTTY, 0);
                for (int i = 0; i < 3; i++)
                        (void)dup2(fd, i);
                (void)close(fd);
        } else {
                /* Upwards first: the descriptors may be numbered like their targets. */
                int copies[3];

                for (int i = 0; i < 3; i++)
                        copies[i] = fcntl(fds[i] >= 0 ? fds[i] : open("/dev/null", O_RDWR), F_DUPFD,
                                          10);
                for (int i = 0; i < 3; i++)
                        (void)dup2(copies[i], i);
        }
        error_fd = fcntl(error_fd, F_DUPFD_CLOEXEC, 100);
        for (int fd = 3; fd < 100; fd++)
                (void)close(fd);
        for (; environment && *environment; environment++)
                (void)putenv(*environment);
        if (directory && chdir(directory) < 0) {
                error = -errno;
        } else {
                (void)execvp(argv[0], argv);
                error = errno;
        }
        (void)!write(error_fd, &error, sizeof(error));
        _exit(255);
}

/* Returns the pid, or a negative errno in the manner of child_exec(). */
static pid_t start_process(FakeJob *job, char **argv, char **environment, const char *directory,
                           const int fds[3], int *ret_error)
{
        int error_fds[2], error = 0;
        pid_t pid;

        if (pipe2(error_fds, O_CLOEXEC) < 0)
                return -errno;
        pid = fork();
        if (pid == 0) {
                const char *tty = job->master_fd >= 0 ? ptsname(job->master_fd) : NULL;

                child_exec(argv, environment, directory, fds, tty, error_fds[1]);
        }
        (void)close(error_fds[1]);
        if (io_read_full(error_fds[0], &error, sizeof(error)) == sizeof(error))
                (void)waitpid(pid, NULL, 0);
        (void)close(error_fds[0]);
        *ret_error = error;
        return pid;
}

typedef struct SpawnArguments {
        char **argv, **environment;
        const char *user, *directory;
        int fds[3];
        int is_tty, is_stdin_open;
        uint16_t rows, columns;
} SpawnArguments;

static int read_spawn_entry(sd_bus_message *m, const char *key, SpawnArguments *a)
{
        static const char *const streams[] = { "Stdin", "Stdout", "Stderr" };

        if (strcmp(key, "User") == 0)
                return sd_bus_message_read(m, "v", "s", &a->user);
        if (strcmp(key, "WorkingDirectory") == 0)
                return sd_bus_message_read(m, "v", "s", &a->directory);
        if (strcmp(key, "TTY") == 0)
                return sd_bus_message_read(m, "v", "b", &a->is_tty);
        if (strcmp(key, "OpenStdin") == 0)
                return sd_bus_message_read(m, "v", "b", &a->is_stdin_open);
        if (strcmp(key, "TTYSize") == 0)
                return sd_bus_message_read(m, "v", "(qq)", &a->rows, &a->columns);
        for (size_t i = 0; i < 3; i++)
                if (strcmp(key, streams[i]) == 0)
                        return sd_bus_message_read(m, "v", "h", &a->fds[i]);
        if (strcmp(key, "Environment") == 0) {
                int r = sd_bus_message_enter_container(m, 'v', "as");

                if (r >= 0)
                        r = sd_bus_message_read_strv(m, &a->environment);
                return r < 0 ? r : sd_bus_message_exit_container(m);
        }
        return sd_bus_message_skip(m, "v");
}

static int read_spawn(sd_bus_message *m, SpawnArguments *a)
{
        int r;

        *a = (SpawnArguments){ .fds = { -EBADF, -EBADF, -EBADF } };
        r = sd_bus_message_read_strv(m, &a->argv);
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                const char *key;

                r = sd_bus_message_read(m, "s", &key);
                if (r >= 0)
                        r = read_spawn_entry(m, key, a);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r;
}

static int reply_spawn_error(sd_bus_message *m, const SpawnArguments *a, int error)
{
        if (error < 0)
                return sd_bus_reply_method_errorf(m, FAKE_ERROR("InvalidSpec"),
                                                  "WorkingDirectory: %s: %s", a->directory,
                                                  strerror(-error));
        return sd_bus_reply_method_errorf(m,
                                          error == ENOENT ? FAKE_ERROR("ProgramNotFound")
                                                          : FAKE_ERROR("ProgramNotExecutable"),
                                          "exec: %s: %s", a->argv[0], strerror(error));
}

static int open_master(const SpawnArguments *a)
{
        struct winsize size = { .ws_row = a->rows, .ws_col = a->columns };
        int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

        if (fd < 0 || grantpt(fd) < 0 || unlockpt(fd) < 0)
                return -errno;
        (void)ioctl(fd, TIOCSWINSZ, &size);
        return fd;
}

static FakeJob *add_job(FakeContainer *c, const SpawnArguments *a)
{
        FakeJob *job = calloc(1, sizeof(*job));
        size_t i;

        for (i = 0; fake_jobs[i]; i++)
                ;
        fake_jobs[i] = job;
        job->container = c;
        job->id = next_job++;
        job->argv = a->argv;
        job->master_fd = job->input_fd = job->ring_fds[0] = job->ring_fds[1] = -EBADF;
        job->start_usec = io_now_realtime_usec();
        if (asprintf(&job->path, "%s/job/%" PRIu32, c->path, job->id) < 0)
                abort();
        return job;
}

/* A file in memory stands for a ring; what the client has given stays as it is. */
static int open_streams(FakeJob *job, SpawnArguments *a)
{
        for (int i = 0; i < 2; i++)
                if (a->fds[i + 1] < 0) {
                        job->ring_fds[i] = memfd_create("ring", MFD_CLOEXEC);
                        if (job->ring_fds[i] < 0)
                                return -errno;
                        a->fds[i + 1] = job->ring_fds[i];
                }
        if (a->is_stdin_open) {
                int fds[2];

                if (pipe2(fds, O_CLOEXEC) < 0)
                        return -errno;
                a->fds[0] = fds[0];
                job->input_fd = fds[1];
        }
        return 0;
}

int fake_job_spawn(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        FakeContainer *c = userdata;
        SpawnArguments a;
        FakeJob *job;
        int failure = 0, r;

        fake_log_call(m);
        if (read_spawn(m, &a) < 0)
                return sd_bus_reply_method_errorf(m, FAKE_ERROR("InvalidSpec"), "cannot be read");
        if (strcmp(c->state, "active") != 0)
                return sd_bus_reply_method_errorf(m, FAKE_ERROR("BadState"), "%s is %s", c->name,
                                                  c->state);
        if (a.user && strcmp(a.user, "nobody-here") == 0)
                return sd_bus_reply_method_errorf(m, FAKE_ERROR("NoSuchUser"), "user: %s", a.user);
        job = add_job(c, &a);
        if (a.is_tty)
                job->master_fd = open_master(&a);
        else if (open_streams(job, &a) < 0)
                return -ENOMEM;
        job->pid = start_process(job, a.argv, a.environment, a.directory, a.fds, &failure);
        if (failure != 0) {
                forget(job);
                return reply_spawn_error(m, &a, failure);
        }
        job->is_running = 1;
        if (strcmp(c->name, "early") == 0) {
                siginfo_t info;

                (void)waitid(P_PID, (id_t)job->pid, &info, WEXITED);
                job->is_running = 0;
                job->code = info.si_status;
                emit_exited(job);
        } else {
                sd_event_source *source = NULL;

                r = sd_event_add_child(fake_event, &source, job->pid, WEXITED, on_child, job);
                if (r < 0)
                        return r;
        }
        r = sd_bus_reply_method_return(m, "o", job->path);
        if (strcmp(c->name, "crash") == 0 || strcmp(c->name, "forget") == 0)
                go_away(job, c->name[0] == 'f');
        return r;
}

static int job_method_kill(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        FakeJob *job = userdata;
        int32_t signal;

        fake_log_call(m);
        if (sd_bus_message_read(m, "i", &signal) < 0 || !job->is_running)
                return sd_bus_reply_method_errorf(m, FAKE_ERROR("BadState"), "has ended");
        (void)kill(job->pid, signal);
        return sd_bus_reply_method_return(m, "");
}

static int job_method_size(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        struct winsize size = { 0 };
        FakeJob *job = userdata;

        fake_log_call(m);
        if (sd_bus_message_read(m, "qq", &size.ws_row, &size.ws_col) >= 0)
                (void)ioctl(job->master_fd, TIOCSWINSZ, &size);
        return sd_bus_reply_method_return(m, "");
}

static int job_method_release(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        FakeJob *job = userdata;

        fake_log_call(m);
        if (job->is_running)
                return sd_bus_reply_method_errorf(m, FAKE_ERROR("BadState"), "is running");
        forget(job);
        (void)fd_close(job->master_fd);
        (void)fd_close(job->input_fd);
        (void)fd_close(job->ring_fds[0]);
        (void)fd_close(job->ring_fds[1]);
        return sd_bus_reply_method_return(m, "");
}

static uint64_t ring_bytes(int fd)
{
        struct stat st;

        return fd >= 0 && fstat(fd, &st) >= 0 ? (uint64_t)st.st_size : 0;
}

static int job_get(sd_bus *b, const char *path, const char *interface, const char *property,
                   sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        FakeJob *job = userdata;

        if (strcmp(property, "Id") == 0)
                return sd_bus_message_append(reply, "u", job->id);
        if (strcmp(property, "PID") == 0)
                return sd_bus_message_append(reply, "u", (uint32_t)job->pid);
        if (strcmp(property, "Argv") == 0)
                return sd_bus_message_append_strv(reply, job->argv);
        if (strcmp(property, "TTY") == 0)
                return sd_bus_message_append(reply, "b", job->master_fd >= 0);
        if (strcmp(property, "HasStdin") == 0)
                return sd_bus_message_append(reply, "b", job->master_fd >= 0 || job->input_fd >= 0);
        if (strcmp(property, "StdoutBytes") == 0)
                return sd_bus_message_append(reply, "t", ring_bytes(job->ring_fds[0]));
        if (strcmp(property, "StderrBytes") == 0)
                return sd_bus_message_append(reply, "t", ring_bytes(job->ring_fds[1]));
        if (strcmp(property, "StartTimestamp") == 0)
                return sd_bus_message_append(reply, "t", job->start_usec);
        if (strcmp(property, "ExitTimestamp") == 0)
                return sd_bus_message_append(reply, "t", job->end_usec);
        if (strcmp(property, "User") == 0)
                return sd_bus_message_append(reply, "s", "root");
        if (strcmp(property, "EndReason") == 0)
                return sd_bus_message_append(reply, "s",
                                             job->is_running                            ? ""
                                             : strcmp(job->container->name, "oom") == 0 ? "oom"
                                             : job->signal > 0                          ? "signal"
                                                                                        : "exited");
        if (strcmp(property, "ExitCode") == 0)
                return sd_bus_message_append(reply, "i", job->code);
        if (strcmp(property, "ExitSignal") == 0)
                return sd_bus_message_append(reply, "i", job->signal);
        return sd_bus_message_append(reply, "s",
                                     job->is_running   ? "running"
                                     : job->signal > 0 ? "killed"
                                                       : "exited");
}

const sd_bus_vtable fake_job_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Attach", "a{sv}", "hhh", fake_job_attach, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Kill", "i", "", job_method_kill, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("SetTTYSize", "qq", "", job_method_size, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Release", "", "", job_method_release, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_PROPERTY("Id", "u", job_get, 0, 0),
        SD_BUS_PROPERTY("State", "s", job_get, 0, 0),
        SD_BUS_PROPERTY("PID", "u", job_get, 0, 0),
        SD_BUS_PROPERTY("Argv", "as", job_get, 0, 0),
        SD_BUS_PROPERTY("TTY", "b", job_get, 0, 0),
        SD_BUS_PROPERTY("HasStdin", "b", job_get, 0, 0),
        SD_BUS_PROPERTY("StdoutBytes", "t", job_get, 0, 0),
        SD_BUS_PROPERTY("StderrBytes", "t", job_get, 0, 0),
        SD_BUS_PROPERTY("StartTimestamp", "t", job_get, 0, 0),
        SD_BUS_PROPERTY("ExitTimestamp", "t", job_get, 0, 0),
        SD_BUS_PROPERTY("User", "s", job_get, 0, 0),
        SD_BUS_PROPERTY("EndReason", "s", job_get, 0, 0),
        SD_BUS_PROPERTY("ExitCode", "i", job_get, 0, 0),
        SD_BUS_PROPERTY("ExitSignal", "i", job_get, 0, 0),
        SD_BUS_SIGNAL("Exited", "ii", 0),
        SD_BUS_VTABLE_END,
};
