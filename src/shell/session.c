/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "ctl/terminal.h"
#include "shell/session.h"
#include "wire/job-spec-wire.h"
#include "wire/memory.h"

/* What remains of a datagram for the spec beside the other fields. */
#define INLINE_SPEC_MAX (WSHD_MESSAGE_MAX - 256)

/* A stream that we relay has a ring in PID 1; it waits for us when that is full, so nothing is lost
 * between the start and our attaching, nor later. */
#define RING_BYTES (256U << 10)

/* After the end a process that the command left behind may hold the output open for ever: what is
 * there is written, and when nothing came for this long we are through. */
#define QUIET_USEC (100 * USEC_PER_MSEC)

#define ENDINGS_MAX 3

static const uint32_t stdio_flags[] = { WSHD_STDIN_FD, WSHD_STDOUT_FD, WSHD_STDERR_FD };

/* A directory would be a way out of the container (openat("..")), an O_PATH descriptor is a handle
 * to the host's file system. */
static int may_pass(int fd)
{
        int flags = fcntl(fd, F_GETFL);
        struct stat st;

        return flags >= 0 && !(flags & O_PATH) && fstat(fd, &st) >= 0 && !S_ISDIR(st.st_mode) &&
               !S_ISLNK(st.st_mode) && !S_ISBLK(st.st_mode) && !isatty(fd);
}

static int is_open(int fd)
{
        return fcntl(fd, F_GETFD) >= 0;
}

static int take_signals(Session *session)
{
        static const int taken[] = { SIGHUP,  SIGINT,  SIGQUIT,  SIGTERM,
                                     SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT };
        sigset_t set;

        (void)sigemptyset(&set);
        for (size_t i = 0; i < ELEMENTSOF(taken); i++)
                (void)sigaddset(&set, taken[i]);
        (void)signal(SIGPIPE, SIG_IGN);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return -errno;
        session->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        return session->signal_fd < 0 ? -errno : 0;
}

static int fault_from_reply(const JobSpec *spec, const WshdMessage *m, Fault *fault)
{
        int error = m->error > 0 && m->error < 4096 ? -(int)m->error : -EPROTO;

        switch (m->stage) {
        case WSHD_STAGE_EXEC:
                if (error == -ENOENT)
                        return fault_set(fault, FAULT_PROGRAM_NOT_FOUND, error,
                                         "%s: no such program in the container", spec->argv[0]);
                return fault_set(fault, FAULT_PROGRAM_NOT_EXECUTABLE, error,
                                 "%s: cannot be executed: %m", spec->argv[0]);
        case WSHD_STAGE_DIRECTORY:
                return fault_set(fault, FAULT_PROGRAM_NOT_EXECUTABLE, error,
                                 "%s: cannot be entered: %m",
                                 spec->working_directory ?: "The home directory");
        case WSHD_STAGE_USER:
                return fault_set(fault, FAULT_NO_SUCH_USER, error, "No user '%s' in the container",
                                 spec->user ?: "root");
        default:
                return fault_set(fault, FAULT_FAILED, error, "Cannot start it (%s): %m",
                                 wshd_stage_to_string(m->stage));
        }
}

/* Fills in the flags and the descriptors of the request. @ret_relayed is by stream flags. */
static void choose_stdio(const JobSpec *spec, WshdMessage *m, int *fds, size_t *n_fds,
                         uint32_t *ret_relayed)
{
        uint32_t relayed = 0;

        for (int i = 0; i < 3; i++) {
                if (spec->is_tty) {
                        relayed |= i < 2 ? stdio_flags[i] : 0;
                } else if (may_pass(i)) {
                        m->flags |= stdio_flags[i];
                        fds[(*n_fds)++] = i;
                } else if (is_open(i) && isatty(i)) {
                        relayed |= stdio_flags[i];
                }
        }
        if (relayed & WSHD_STDIN_FD && !spec->is_tty)
                m->flags |= WSHD_OPEN_STDIN;
        if (relayed & (WSHD_STDOUT_FD | WSHD_STDERR_FD)) {
                m->flags |= WSHD_BACKPRESSURE;
                m->ring_bytes = RING_BYTES;
        }
        *ret_relayed = relayed;
}

static int spawn(Session *session, const JobSpec *spec, char *const *container_environment,
                 uint32_t *ret_relayed, Fault *fault)
{
        _drop_(wire_writer_done) WireWriter w = WIRE_WRITER_INIT;
        _drop_(drop_fd) int memory_fd = -EBADF;
        WshdMessage m = { .type = WSHD_SPAWN };
        int fds[WSHD_FDS_MAX];
        size_t n_fds = 0;
        int r;

        r = job_spec_encode(spec, container_environment, &w);
        if (r < 0)
                return fault_set(fault, FAULT_INVALID, r, "Cannot ask for the command: %m");
        m.flags = (spec->is_tty ? WSHD_TTY : 0) | (spec->is_privileged ? WSHD_PRIVILEGED : 0);
        if (spec->is_tty && terminal_get_size(&m.rows, &m.columns) < 0)
                m.rows = m.columns = 0;
        choose_stdio(spec, &m, fds, &n_fds, ret_relayed);
        if (w.size > INLINE_SPEC_MAX) {
                memory_fd = memory_new_sealed("warden-job", w.data, w.size);
                if (memory_fd < 0)
                        return fault_set(fault, FAULT_FAILED, memory_fd,
                                         "Cannot hand the command over: %m");
                m.flags |= WSHD_SPEC_FD;
                fds[n_fds++] = memory_fd;
        } else {
                m.spec = w.data;
                m.spec_size = w.size;
        }
        r = link_call(&session->link, &m, fds, n_fds, NULL);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "PID 1 of the container is gone: %m");
        if (m.type == WSHD_FAILED)
                return fault_from_reply(spec, &m, fault);
        if (m.type != WSHD_SPAWNED || m.job == 0)
                return fault_set(fault, FAULT_FAILED, -EPROTO, "PID 1 answered something else");
        session->link.job = m.job;
        return 0;
}

/* One direction between a descriptor of ours and what PID 1 gave. */
static int relay_stream(Session *session, int fd, int take_theirs)
{
        int is_input = fd == STDIN_FILENO, is_blocking = 1, ours;
        Relay *relay = &session->relays[fd];

        ours = isatty(fd) ? terminal_reopen(fd, is_input ? O_RDONLY : O_WRONLY, &is_blocking)
                          : fd_dup(fd);
        if (ours < 0) {
                fd_close(take_theirs);
                return ours;
        }
        if (is_input)
                return relay_start(relay, ours, take_theirs, is_blocking);
        relay->is_to_blocking = is_blocking;
        return relay_start(relay, take_theirs, ours, 0);
}

static int attach(Session *session, uint32_t relayed, Fault *fault)
{
        WshdMessage m = { .type = WSHD_ATTACH, .job = session->link.job, .flags = relayed };
        int fds[WSHD_FDS_MAX], n = 0, r;

        r = link_call(&session->link, &m, NULL, 0, fds);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "PID 1 of the container is gone: %m");
        if (m.type != WSHD_OK) {
                r = m.error > 0 && m.error < 4096 ? -(int)m.error : -EPROTO;
                return fault_set(fault, FAULT_FAILED, r, "Cannot attach to the command: %m");
        }
        for (int i = 0; i < 3; i++)
                if (m.flags & stdio_flags[i] && fds[n] >= 0) {
                        int error = relay_stream(session, i, fds[n++]);

                        r = r < 0 ? r : error;
                }
        for (; n < WSHD_FDS_MAX; n++)
                fd_close(fds[n]);
        return r < 0 ? fault_set(fault, FAULT_FAILED, r, "Cannot relay the terminal: %m") : 0;
}

static void session_kill(Session *session, int signal)
{
        WshdMessage m = { .type = WSHD_KILL, .job = session->link.job, .signal = (uint32_t)signal };

        (void)link_send(&session->link, &m, NULL, 0);
}

int session_start(Session *session, const JobSpec *spec, char *const *container_environment,
                  Fault *fault)
{
        uint32_t relayed;
        int r;

        session->is_tty = spec->is_tty;
        r = take_signals(session);
        if (r < 0)
                return fault_set(fault, FAULT_FAILED, r, "Cannot take signals: %m");
        r = spawn(session, spec, container_environment, &relayed, fault);
        if (r < 0 || !relayed)
                return r;
        r = attach(session, relayed, fault);
        if (r >= 0 && session->is_tty && isatty(STDIN_FILENO)) {
                r = terminal_make_raw(STDIN_FILENO);
                if (r < 0)
                        (void)fault_set(fault, FAULT_FAILED, r, "Cannot set the terminal: %m");
        }
        if (r < 0)
                session_kill(session, SIGKILL); /* nobody will ever look at it */
        return r;
}

static void send_size(Session *session)
{
        WshdMessage m = { .type = WSHD_RESIZE, .job = session->link.job };

        if (terminal_get_size(&m.rows, &m.columns) >= 0)
                (void)link_send(&session->link, &m, NULL, 0);
}

static void on_signal(Session *session, int signal)
{
        switch (signal) {
        case SIGWINCH:
        case SIGCONT:
                if (!session->is_tty)
                        return;
                if (signal == SIGCONT && isatty(STDIN_FILENO))
                        (void)terminal_make_raw(STDIN_FILENO);
                send_size(session);
                return;
        case SIGINT:
        case SIGTERM:
                if (++session->n_endings >= ENDINGS_MAX)
                        session->is_leaving = 1;
                break;
        default:
                break;
        }
        /* With a terminal of its own the job is hung up, as when a terminal window is closed: a
         * shell ignores the others. */
        session_kill(session,
                     session->is_tty && signal != SIGUSR1 && signal != SIGUSR2 ? SIGHUP : signal);
}

static void dispatch_signals(Session *session)
{
        struct signalfd_siginfo info;

        while (read(session->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
                on_signal(session, (int)info.ssi_signo);
}

/* Returns 0; negative errno when PID 1 is gone. */
static int turn(Session *session, int timeout_msec)
{
        struct pollfd pollfds[2 + 3 * RELAY_POLLFDS];
        int r = 0;

        pollfds[0] = (struct pollfd){ .fd = session->link.fd, .events = POLLIN };
        pollfds[1] = (struct pollfd){ .fd = session->signal_fd, .events = POLLIN };
        for (int i = 0; i < 3; i++)
                relay_prepare(&session->relays[i], &pollfds[2 + i * RELAY_POLLFDS]);
        if (poll(pollfds, ELEMENTSOF(pollfds), timeout_msec) < 0)
                return errno == EINTR ? 0 : -errno;
        for (int i = 0; i < 3; i++)
                relay_dispatch(&session->relays[i], &pollfds[2 + i * RELAY_POLLFDS]);
        if (pollfds[1].revents)
                dispatch_signals(session);
        if (pollfds[0].revents && session->link.fd >= 0)
                r = link_dispatch(&session->link);
        return r;
}

/* What the command wrote before its end, as PID 1 has counted it, and then what comes at once. */
static void drain(Session *session)
{
        const WshdMessage *end = &session->link.end;
        Relay *out = &session->relays[STDOUT_FILENO], *err = &session->relays[STDERR_FILENO];
        uint64_t moved = 0, quiet_usec = 0;

        relay_done(&session->relays[STDIN_FILENO]);
        link_close(&session->link);
        while (!session->is_leaving && !(relay_is_done(out) && relay_is_done(err))) {
                uint64_t now = io_now_monotonic_usec();
                uint64_t sum = out->moved_bytes + err->moved_bytes;
                int is_flushed = relay_is_flushed(out) && relay_is_flushed(err);
                int is_owed = (!relay_is_done(out) && out->moved_bytes < end->stdout_bytes) ||
                              (!relay_is_done(err) && err->moved_bytes < end->stderr_bytes);

                if (quiet_usec == 0 || sum != moved || !is_flushed || is_owed)
                        quiet_usec = now + QUIET_USEC;
                else if (now >= quiet_usec)
                        break;
                moved = sum;
                if (turn(session, (int)(QUIET_USEC / USEC_PER_MSEC)) < 0)
                        break;
        }
}

int session_wait(Session *session, uint32_t *ret_code, uint32_t *ret_signal)
{
        while (!session->link.is_ended) {
                int r = turn(session, -1);

                if (session->link.is_ended)
                        break; /* the last words of a PID 1 that is gone */
                if (r < 0)
                        return -ECONNRESET;
                if (session->is_leaving)
                        return -EINTR;
        }
        drain(session);
        *ret_code = session->link.end.code;
        *ret_signal = session->link.end.signal;
        return 0;
}

void session_done(Session *session)
{
        for (int i = 0; i < 3; i++)
                relay_done(&session->relays[i]);
        terminal_restore();
        link_close(&session->link);
        session->signal_fd = fd_close(session->signal_fd);
}
