/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "basic/log.h"
#include "basic/strv.h"
#include "daemon/resident.h"

#define SEND_BUFFER (2 << 20)
#define RESTART_USEC (1 * USEC_PER_SEC)
#define EXIT_MSEC 1000

struct Resident {
        sd_event *event;
        char *what;
        char **argv;
        ResidentHandler handler;
        void *userdata;
        int fd;
        pid_t pid;
        sd_event_source *exit_source;
        sd_event_source *socket_source;
        sd_event_source *restart_source;
        uint64_t started_usec;
};

int resident_new(sd_event *event, const char *what, const char *const *argv,
                 const ResidentHandler *handler, void *userdata, Resident **ret)
{
        _drop_(drop_resident) Resident *resident = calloc(1, sizeof(*resident));
        int r;

        if (!resident)
                return -ENOMEM;
        resident->fd = -EBADF;
        resident->event = sd_event_ref(event);
        resident->handler = *handler;
        resident->userdata = userdata;
        resident->what = strdup(what);
        if (!resident->what)
                return -ENOMEM;
        for (; *argv; argv++) {
                r = strv_append(&resident->argv, *argv);
                if (r < 0)
                        return r;
        }
        *ret = take_ptr(resident);
        return 0;
}

/* It exits when its socket closes. This is the daemon's end, so it may wait, a little: what is
 * left in its control group when it has gone systemd kills, and on cgroup v1 it does not always
 * hear that the group is empty then and calls the service failed after 90 seconds. */
static void wait_exit(pid_t pid)
{
        _drop_(drop_fd) int fd = pid > 0 ? pidfd_open(pid, 0) : -EBADF;
        struct pollfd p = { .fd = fd, .events = POLLIN };

        if (fd >= 0 && poll(&p, 1, EXIT_MSEC) > 0)
                (void)waitpid(pid, NULL, WNOHANG);
}

Resident *resident_free(Resident *resident)
{
        if (!resident)
                return NULL;
        sd_event_source_disable_unref(resident->exit_source);
        sd_event_source_disable_unref(resident->socket_source);
        sd_event_source_disable_unref(resident->restart_source);
        fd_close(resident->fd);
        wait_exit(resident->pid);
        strv_free(resident->argv);
        free(resident->what);
        sd_event_unref(resident->event);
        free(resident);
        return NULL;
}

int resident_fd(const Resident *resident)
{
        return resident->fd;
}

int resident_is_restarting(const Resident *resident)
{
        return !!resident->restart_source;
}

static int on_restart(sd_event_source *s, uint64_t usec, void *userdata)
{
        Resident *resident = userdata;
        Fault fault = FAULT_INIT;

        resident->restart_source = sd_event_source_unref(resident->restart_source);
        if (resident_start(resident, &fault) < 0)
                log_error(fault.error, "Failed to start the %s program: %s", resident->what,
                          fault.text);
        resident->handler.started(resident->userdata);
        return 0;
}

static int on_exit_status(sd_event_source *s, const siginfo_t *si, void *userdata)
{
        Resident *resident = userdata;
        uint64_t now = io_now_monotonic_usec();
        uint64_t when = MAX2(now, resident->started_usec + RESTART_USEC);

        log_at(LOG_ERR, 0, NULL, "The %s program ended (%s %d); starting it again", resident->what,
               si->si_code == CLD_EXITED ? "status" : "signal", si->si_status);
        resident->exit_source = sd_event_source_unref(resident->exit_source);
        resident->socket_source = sd_event_source_disable_unref(resident->socket_source);
        resident->fd = fd_close(resident->fd);
        resident->pid = 0;
        (void)sd_event_add_time(resident->event, &resident->restart_source, CLOCK_MONOTONIC, when,
                                0, on_restart, resident);
        resident->handler.ended(resident->userdata);
        return 0;
}

/* Its end is told by the process: the socket, which stays readable then, is only no longer looked
 * at. */
static int on_socket(sd_event_source *s, int fd, uint32_t revents, void *userdata)
{
        char buffer[RESIDENT_RECEIVE_MAX];
        Resident *resident = userdata;
        ssize_t n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);

        if (n > 0)
                resident->handler.received(resident->userdata, buffer, (size_t)n);
        else if (n == 0 || (errno != EAGAIN && errno != EINTR))
                (void)sd_event_source_set_enabled(s, SD_EVENT_OFF);
        return 0;
}

/* posix_spawn: the daemon is not copied. Signals are reset, since the daemon blocks those that it
 * watches. */
static int spawn(Resident *resident, int child_fd)
{
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attr;
        sigset_t none, all;
        int r;

        (void)sigemptyset(&none);
        (void)sigfillset(&all);
        posix_spawn_file_actions_init(&actions);
        posix_spawnattr_init(&attr);
        /* dup2 onto itself would keep O_CLOEXEC; posix_spawn clears it in that case. */
        posix_spawn_file_actions_adddup2(&actions, child_fd, RESIDENT_FD);
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        posix_spawnattr_setsigmask(&attr, &none);
        posix_spawnattr_setsigdefault(&attr, &all);
        r = -posix_spawn(&resident->pid, resident->argv[0], &actions, &attr, resident->argv,
                         environ);
        posix_spawnattr_destroy(&attr);
        posix_spawn_file_actions_destroy(&actions);
        return r;
}

int resident_start(Resident *resident, Fault *fault)
{
        int pair[2], size = SEND_BUFFER, r;

        if (resident->fd >= 0)
                return 0;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return fault_set(fault, FAULT_FAILED, -errno, "%s: socketpair: %m", resident->what);
        (void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
        (void)fd_set_nonblock(pair[0], 1);

        r = spawn(resident, pair[1]);
        fd_close(pair[1]);
        if (r < 0) {
                fd_close(pair[0]);
                return fault_set(fault, FAULT_FAILED, r, "%s: cannot execute %s: %m",
                                 resident->what, resident->argv[0]);
        }
        resident->fd = pair[0];
        resident->started_usec = io_now_monotonic_usec();
        r = sd_event_add_child(resident->event, &resident->exit_source, resident->pid, WEXITED,
                               on_exit_status, resident);
        if (r >= 0 && resident->handler.received)
                r = sd_event_add_io(resident->event, &resident->socket_source, resident->fd,
                                    EPOLLIN, on_socket, resident);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "%s: cannot watch the program: %m",
                                 resident->what);
        return 0;
}
