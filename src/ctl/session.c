/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "basic/io.h"
#include "ctl/bus.h"
#include "ctl/complaint.h"
#include "ctl/exit-code.h"
#include "ctl/json.h"
#include "ctl/session.h"
#include "ctl/terminal.h"

/* A shell that is hung up saves its history and ends. */
#define HANGUP_USEC (2 * USEC_PER_SEC)

/* A job has ended, but descendants of it hold its output open: "nothing to read" does not mean
 * "nothing will come", since the last bytes take a way through the kernel and PID 1. Output that
 * nobody holds open ends by itself. */
#define QUIET_USEC (200 * USEC_PER_MSEC)

#define PATIENCE_DEFAULT 3
#define TOTALS_TIMEOUT_USEC (5 * USEC_PER_SEC)

static const int ending_signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, 0 };
static const int terminal_signals[] = { SIGWINCH, SIGTSTP, SIGCONT };

/* Tells the job something without waiting for an answer: it may just have ended, and what comes
 * next shows that. */
static int notify(Session *session, sd_bus_message *m)
{
        int r;

        r = sd_bus_message_set_expect_reply(m, 0);
        if (r >= 0)
                r = sd_bus_message_set_auto_start(m, 0);
        return r < 0 ? r : sd_bus_send(session->loop.bus, m, NULL);
}

void session_kill(Session *session, int signal)
{
        _drop_(drop_message) sd_bus_message *m = NULL;

        if (!session->watch.path || session->watch.end != JOB_END_NONE)
                return;
        if (sd_bus_message_new_method_call(session->loop.bus, &m, WARDEN_NAME, session->watch.path,
                                           WARDEN_JOB, "Kill") >= 0 &&
            sd_bus_message_append(m, "i", (int32_t)signal) >= 0)
                (void)notify(session, m);
}

static void send_size(Session *session)
{
        _drop_(drop_message) sd_bus_message *m = NULL;
        uint32_t rows, columns;

        if (!session->watch.path || terminal_get_size(&rows, &columns) < 0)
                return;
        if (sd_bus_message_new_method_call(session->loop.bus, &m, WARDEN_NAME, session->watch.path,
                                           WARDEN_JOB, "SetTTYSize") >= 0 &&
            sd_bus_message_append(m, "qq", (uint16_t)rows, (uint16_t)columns) >= 0)
                (void)notify(session, m);
}

static void hang_up(Session *session, int signal)
{
        terminal_restore();
        session->last_signal = signal;
        if (!session->options) {
                session->is_leaving = 1;
                return;
        }
        if (session->leave_usec != USEC_INFINITY) {
                session->is_leaving = 1;
                return;
        }
        session->leave_usec = io_now_monotonic_usec() + HANGUP_USEC;
        session_kill(session, SIGHUP);
        session_kill(session, SIGCONT);
}

/* As ^Z would do it to a program without a terminal of its own. */
static void suspend(void)
{
        terminal_restore();
        (void)raise(SIGSTOP);
}

static void on_terminal_signal(Session *session, int signal)
{
        switch (signal) {
        case SIGWINCH:
                send_size(session);
                break;
        case SIGTSTP:
                suspend();
                break;
        case SIGCONT:
                if (session->streams.is_raw && session->leave_usec == USEC_INFINITY)
                        (void)terminal_make_raw(STDIN_FILENO);
                send_size(session);
                break;
        case SIGUSR1:
        case SIGUSR2:
                if (session->options)
                        session_kill(session, signal);
                break;
        default:
                hang_up(session, signal);
        }
}

static void on_signal(void *userdata, int signal)
{
        Session *session = userdata;

        if (!session->watch.path) {
                session->early_signals |= UINT64_C(1) << signal;
                return;
        }
        if (session->streams.is_tty) {
                on_terminal_signal(session, signal);
                return;
        }
        if (!session->options) {
                session->last_signal = signal;
                session->is_leaving = 1;
                return;
        }
        if (signal == SIGINT || signal == SIGTERM) {
                session->last_signal = signal;
                if (++session->n_ending_signals >= session->patience) {
                        session->is_leaving = 1;
                        return;
                }
        }
        session_kill(session, signal);
}

int session_init(Session *session, sd_bus *bus, const JobOptions *options, Fault *fault)
{
        int r;

        *session = (Session){ .options = options,
                              .streams = STREAMS_INIT,
                              .watch = JOB_WATCH_INIT,
                              .patience = PATIENCE_DEFAULT,
                              .leave_usec = USEC_INFINITY,
                              .quiet_usec = USEC_INFINITY };
        r = loop_init(&session->loop, bus, ending_signals, fault);
        if (r < 0)
                return r;
        session->loop.on_signal = on_signal;
        session->loop.userdata = session;
        return 0;
}

void session_done(Session *session)
{
        streams_done(&session->streams);
        job_watch_done(&session->watch);
        loop_done(&session->loop);
        free(session->container);
        session->container = NULL;
}

static int append_attach(sd_bus_message *m, const SessionAttach *how)
{
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}", "Framed", "b", 1);
        /* A terminal's job may have ended by now, and has no input any more: then its last output
         * is what is wanted. A pipe that somebody else writes is worth an error. */
        if (r >= 0 && !(how->is_tty && how->has_input))
                r = sd_bus_message_append(m, "{sv}", "Stdin", "b", how->has_input);
        /* A terminal has no end of file; who closes it has only gone away. */
        if (r >= 0 && how->has_input && (how->is_tty || isatty(STDIN_FILENO)))
                r = sd_bus_message_append(m, "{sv}", "KeepStdin", "b", 1);
        if (r >= 0 && how->is_from_now)
                r = sd_bus_message_append(m, "{sv}", "FromNow", "b", 1);
        if (r >= 0 && how->is_until_now)
                r = sd_bus_message_append(m, "{sv}", "UntilNow", "b", 1);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int attach(Session *session, const SessionAttach *how, Fault *fault)
{
        _drop_(drop_message) sd_bus_message *m = NULL, *reply = NULL;
        int fds[3], r;

        for (size_t i = 0; how->is_tty && how->has_input && i < ELEMENTSOF(terminal_signals); i++) {
                r = loop_add_signal(&session->loop, terminal_signals[i]);
                if (r < 0)
                        return fault_set(fault, FAULT_FAILED, r, "Cannot take signals: %m");
        }
        r = bus_new_call(session->loop.bus, session->watch.path, WARDEN_JOB, "Attach", &m, fault);
        if (r < 0)
                return r;
        r = append_attach(m, how);
        if (r < 0)
                return bus_fault_local(fault, r, "Cannot ask for the job's streams");
        r = loop_call(&session->loop, m, BUS_TIMEOUT_USEC, session->container, &reply, fault);
        if (r < 0)
                return r;
        r = sd_bus_message_read(reply, "hhh", &fds[0], &fds[1], &fds[2]);
        if (r < 0)
                return bus_fault_local(fault, r, "Cannot read the job's streams");
        r = streams_attach(&session->streams, fds, how->has_input, fault);
        if (r < 0)
                return r;
        session->loop.relays = session->streams.relays;
        session->loop.n_relays = ELEMENTSOF(session->streams.relays);
        /* The window may have changed since it was asked for the first time. */
        if (how->is_tty && how->has_input)
                send_size(session);
        return 0;
}

int session_attach(Session *session, const char *container, const char *path,
                   const SessionAttach *how, Fault *fault)
{
        int r;

        session->container = strdup(container);
        if (!session->container)
                return -ENOMEM;
        session->streams.is_tty = how->is_tty && how->has_input;
        r = job_watch_begin(&session->watch, session->loop.bus, container, fault);
        if (r >= 0)
                r = job_watch_set_path(&session->watch, path, 0, fault);
        return r < 0 ? r : attach(session, how, fault);
}

/* The convention of 126 and 127 is about what is wrong with the command; a directory that is not
 * there is told by the daemon as "not found", or as a mistake in that field. */
static void sort_spawn_fault(Fault *fault)
{
        if (fault->kind == FAULT_NOT_FOUND ||
            (fault->kind == FAULT_INVALID && strstr(fault->text, "WorkingDirectory")))
                fault->kind = FAULT_PROGRAM_NOT_EXECUTABLE;
}

static int call_spawn(Session *session, Fault *fault)
{
        _drop_(drop_message) sd_bus_message *m = NULL, *reply = NULL;
        _drop_(drop_free) char *path = NULL;
        const char *job_path;
        int r;

        r = bus_container_path(session->container, &path, fault);
        if (r < 0)
                return r;
        r = bus_new_call(session->loop.bus, path, WARDEN_CONTAINER, "SpawnJob", &m, fault);
        if (r < 0)
                return r;
        r = job_options_append(session->options, session->streams.job_fds, m);
        if (r < 0)
                return bus_fault_local(fault, r, "Cannot ask for the job");
        r = loop_call(&session->loop, m, BUS_TIMEOUT_USEC, session->container, &reply, fault);
        if (r < 0) {
                sort_spawn_fault(fault);
                return r;
        }
        r = sd_bus_message_read(reply, "o", &job_path);
        if (r < 0)
                return bus_fault_local(fault, r, "Cannot read the job's name");
        return job_watch_set_path(&session->watch, job_path, 1, fault);
}

static int begin(Session *session, const char *container, Fault *fault)
{
        JobSpec *spec = session->options->spec;
        int r;

        if (session->container)
                return 0;
        session->container = strdup(container);
        if (!session->container)
                return -ENOMEM;
        if (spec->is_tty && !session->options->is_detached)
                (void)terminal_get_size(&spec->rows, &spec->columns);
        r = streams_init(&session->streams, session->options, fault);
        if (r < 0)
                return r;
        return job_watch_begin(&session->watch, session->loop.bus, container, fault);
}

static int turn(Session *session, Fault *fault);
static void release(Session *session);

/* A job that we have started and nobody can look at: ended, by force if need be, and released. All
 * that can go wrong here has gone wrong before, and that is what the user is told. */
static void abandon(Session *session)
{
        static const int signals[] = { SIGHUP, SIGKILL };
        Fault ignored = FAULT_INIT;

        for (size_t i = 0; i < ELEMENTSOF(signals) && session->watch.end == JOB_END_NONE; i++) {
                session_kill(session, signals[i]);
                session->is_leaving = 0;
                session->leave_usec = io_now_monotonic_usec() + HANGUP_USEC;
                while (session->watch.end == JOB_END_NONE && !session->is_leaving)
                        if (turn(session, &ignored) < 0)
                                return;
        }
        release(session);
}

int session_spawn(Session *session, const char *container, Fault *fault)
{
        int r;

        r = begin(session, container, fault);
        if (r < 0)
                return r;
        r = call_spawn(session, fault);
        if (r < 0)
                return r;
        streams_close_job_fds(&session->streams);
        if (session->options->is_detached)
                return 0;
        if (session->streams.is_tty)
                r = attach(session, &(const SessionAttach){ .has_input = 1, .is_tty = 1 }, fault);
        if (r < 0) {
                abandon(session);
                return r;
        }
        session->loop.relays = session->streams.relays;
        session->loop.n_relays = ELEMENTSOF(session->streams.relays);
        /* What came while the job was being started is for the job too. */
        for (int i = 1; i < 64; i++)
                if (session->early_signals >> i & 1)
                        on_signal(session, i);
        session->early_signals = 0;
        return 0;
}

/* Nothing is lost when this fails: the daemon remembers a job that nobody asks for. The reply is
 * waited for because the daemon looks at who asks, and could not once we have left the bus. */
static void release(Session *session)
{
        _drop_(drop_message) sd_bus_message *m = NULL;
        Fault ignored = FAULT_INIT;

        if (session->watch.end != JOB_END_KNOWN || !session->options)
                return;
        if (bus_new_call(session->loop.bus, session->watch.path, WARDEN_JOB, "Release", &m,
                         &ignored) >= 0 &&
            sd_bus_message_set_auto_start(m, 0) >= 0)
                (void)loop_call(&session->loop, m, BUS_TIMEOUT_USEC, NULL, NULL, &ignored);
}

static int turn(Session *session, Fault *fault)
{
        uint64_t now;
        int r;

        session->loop.wake_usec = MIN2(
                MIN2(job_watch_wake_usec(&session->watch), session->leave_usec),
                session->quiet_usec);
        r = loop_turn(&session->loop, fault);
        if (r < 0)
                return r;
        now = io_now_monotonic_usec();
        job_watch_on_wake(&session->watch, now);
        if (now >= session->leave_usec)
                session->is_leaving = 1;
        if (session->streams.is_detach_typed)
                session->is_leaving = session->is_detached = 1;
        if (session->leave_usec != USEC_INFINITY)
                return 0;
        if (session->streams.is_escape_typed)
                hang_up(session, SIGHUP);
        /* Whoever read what the terminal shows has left; the job would fill it up and wait. */
        if (session->streams.is_tty && session->watch.end == JOB_END_NONE &&
            session->streams.relays[STDOUT_FILENO].is_refused)
                hang_up(session, SIGPIPE);
        return 0;
}

/* How much output there is, as PID 1 has counted it, and whether more can come; nothing, and yes,
 * where nobody can be asked. */
static void get_totals(Session *session, uint64_t ret[2], int *ret_is_open)
{
        _drop_(drop_message) sd_bus_message *m = NULL, *reply = NULL;
        _drop_(drop_json) struct json_object *job = NULL;
        struct json_object *open;
        Fault ignored = FAULT_INIT;

        ret[0] = ret[1] = 0;
        *ret_is_open = 1;
        if (bus_new_call(session->loop.bus, session->watch.path, "org.freedesktop.DBus.Properties",
                         "GetAll", &m, &ignored) < 0 ||
            sd_bus_message_append(m, "s", WARDEN_JOB) < 0 ||
            sd_bus_message_set_auto_start(m, 0) < 0 ||
            loop_call(&session->loop, m, TOTALS_TIMEOUT_USEC, NULL, &reply, &ignored) < 0 ||
            json_from_message(reply, &job) < 0)
                return;
        ret[0] = json_get_u64(job, "StdoutBytes", 0);
        ret[1] = json_get_u64(job, "StderrBytes", 0);
        open = json_get_typed(job, "OutputOpen", json_type_boolean);
        *ret_is_open = !open || json_object_get_boolean(open);
}

/* Whether nothing has moved for QUIET_USEC, and nothing is due. */
static int is_quiet(Session *session, const uint64_t totals[2])
{
        uint64_t now = io_now_monotonic_usec();
        uint64_t moved_bytes = streams_moved_bytes(&session->streams);

        if (session->quiet_usec != USEC_INFINITY && moved_bytes == session->moved_bytes &&
            streams_is_flushed(&session->streams) &&
            !streams_is_behind(&session->streams, totals[0], totals[1]))
                return now >= session->quiet_usec;
        session->moved_bytes = moved_bytes;
        session->quiet_usec = now + QUIET_USEC;
        return 0;
}

/* All of the output that there is by now, but not for ever. */
static int drain(Session *session, Fault *fault)
{
        uint64_t totals[2] = { 0, 0 };
        int is_open = 1;

        if (session->streams.relays[STDOUT_FILENO].filter && !streams_is_drained(&session->streams))
                get_totals(session, totals, &is_open);
        session->n_ending_signals = 0;
        session->quiet_usec = USEC_INFINITY;
        while (!streams_is_drained(&session->streams) && !session->is_leaving) {
                int r;

                if (is_open && is_quiet(session, totals))
                        break;
                r = turn(session, fault);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int get_exit_code(Session *session, int *ret_exit_code, Fault *fault)
{
        const JobWatch *watch = &session->watch;

        switch (watch->end) {
        case JOB_END_KNOWN:
                *ret_exit_code = exit_code_from_job(watch->code, watch->signal);
                return 0;
        case JOB_END_LOST:
                return fault_set(fault, FAULT_FAILED, -ENODATA,
                                 "How the job in '%s' ended is not known: the container ended "
                                 "with it, or wardend did not come back in time",
                                 session->container);
        case JOB_END_MISSING:
                return fault_set(fault, FAULT_NO_SUCH_JOB, -ENOENT,
                                 "The job in '%s' was removed before its end was seen",
                                 session->container);
        case JOB_END_NONE:
                break;
        }
        *ret_exit_code = EXIT_CODE_SIGNAL + (session->last_signal ?: SIGHUP);
        return 0;
}

/* Never silently: what is shown has a hole, or begins in the middle. */
static void complain_missed(const Session *session)
{
        uint64_t missed_bytes = streams_missed_bytes(&session->streams);

        if (missed_bytes > 0)
                complain("%" PRIu64 " bytes of the output of '%s' were not kept long enough to be "
                         "shown",
                         missed_bytes, session->container);
}

int session_show(Session *session, Fault *fault)
{
        int r = 0;

        while (r >= 0 && !streams_is_drained(&session->streams) && !session->is_leaving)
                r = turn(session, fault);
        streams_done(&session->streams);
        session->loop.n_relays = 0;
        complain_missed(session);
        return r;
}

int session_wait(Session *session, int *ret_exit_code, Fault *fault)
{
        int r = 0;

        while (session->watch.end == JOB_END_NONE && !session->is_leaving) {
                r = turn(session, fault);
                if (r < 0)
                        break;
        }
        if (r >= 0 && session->watch.end != JOB_END_NONE && !session->is_leaving) {
                streams_finish(&session->streams);
                r = drain(session, fault);
        }
        /* First of all the terminal: what follows may say something. */
        streams_done(&session->streams);
        session->loop.n_relays = 0;
        if (r < 0)
                return r;
        complain_missed(session);
        if (session->is_detached) {
                *ret_exit_code = EXIT_SUCCESS;
                return 0;
        }
        release(session);
        if (session->leave_usec != USEC_INFINITY && session->last_signal) {
                *ret_exit_code = EXIT_CODE_SIGNAL + session->last_signal;
                return 0;
        }
        return get_exit_code(session, ret_exit_code, fault);
}
