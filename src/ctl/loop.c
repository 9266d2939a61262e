/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "ctl/bus.h"
#include "ctl/loop.h"

/* Before the relays: the bus and the signals. */
#define POLL_BUS 0
#define POLL_SIGNAL 1
#define POLL_RELAYS 2
#define POLL_MAX (POLL_RELAYS + LOOP_RELAYS_MAX * RELAY_POLLFDS)

static int apply_signals(Loop *loop)
{
        int fd;

        if (sigprocmask(SIG_BLOCK, &loop->signals, NULL) < 0)
                return -errno;
        /* To the kernel, no descriptor is -1 and nothing else. */
        fd = signalfd(loop->signal_fd < 0 ? -1 : loop->signal_fd, &loop->signals,
                      SFD_CLOEXEC | SFD_NONBLOCK);
        if (fd < 0)
                return -errno;
        loop->signal_fd = fd;
        return 0;
}

int loop_init(Loop *loop, sd_bus *bus, const int *signals, Fault *fault)
{
        int r;

        *loop = (Loop){ .bus = bus, .signal_fd = -EBADF, .wake_usec = USEC_INFINITY };
        (void)sigemptyset(&loop->signals);
        for (; *signals; signals++)
                (void)sigaddset(&loop->signals, *signals);
        (void)sigprocmask(SIG_SETMASK, NULL, &loop->saved_mask);
        r = apply_signals(loop);
        if (r < 0) {
                loop_done(loop);
                return fault_set(fault, FAULT_FAILED, r, "Cannot take signals: %m");
        }
        /* Who reads a job's output may leave; the job is told, and we still want its end. */
        (void)signal(SIGPIPE, SIG_IGN);
        return 0;
}

int loop_add_signal(Loop *loop, int signal)
{
        (void)sigaddset(&loop->signals, signal);
        return apply_signals(loop);
}

void loop_done(Loop *loop)
{
        loop->signal_fd = fd_close(loop->signal_fd);
        (void)sigprocmask(SIG_SETMASK, &loop->saved_mask, NULL);
}

static void read_signals(Loop *loop)
{
        struct signalfd_siginfo info;

        while (read(loop->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
                int signal = (int)info.ssi_signo;

                if (!loop->first_signal && (signal == SIGINT || signal == SIGTERM ||
                                            signal == SIGHUP || signal == SIGQUIT))
                        loop->first_signal = signal;
                if (loop->on_signal)
                        loop->on_signal(loop->userdata, signal);
        }
}

static int prepare(Loop *loop, struct pollfd *pollfds, uint64_t *ret_until_usec)
{
        int events = sd_bus_get_events(loop->bus), fd = sd_bus_get_fd(loop->bus), r;
        uint64_t bus_usec;

        if (events < 0)
                return events;
        if (fd < 0)
                return fd;
        r = sd_bus_get_timeout(loop->bus, &bus_usec);
        if (r < 0)
                return r;
        pollfds[POLL_BUS] = (struct pollfd){ .fd = fd, .events = (short)events };
        pollfds[POLL_SIGNAL] = (struct pollfd){ .fd = loop->signal_fd, .events = POLLIN };
        *ret_until_usec = MIN2(bus_usec, loop->wake_usec);
        for (size_t i = 0; i < loop->n_relays; i++) {
                relay_prepare(&loop->relays[i], pollfds + POLL_RELAYS + i * RELAY_POLLFDS);
        }
        return 0;
}

static int poll_until(struct pollfd *pollfds, size_t n, uint64_t until_usec)
{
        uint64_t now = io_now_monotonic_usec(), usec = until_usec > now ? until_usec - now : 0;
        struct timespec timeout = { .tv_sec = (time_t)(usec / USEC_PER_SEC),
                                    .tv_nsec = (long)(usec % USEC_PER_SEC * 1000) };

        if (ppoll(pollfds, n, until_usec == USEC_INFINITY ? NULL : &timeout, NULL) < 0)
                return errno == EINTR ? 0 : -errno;
        return 1;
}

static int turn(Loop *loop)
{
        struct pollfd pollfds[POLL_MAX];
        uint64_t until_usec;
        int r;

        /* sd-bus reads ahead: what it holds already would never make its descriptor readable. */
        r = sd_bus_process(loop->bus, NULL);
        if (r != 0)
                return r;
        r = prepare(loop, pollfds, &until_usec);
        if (r < 0)
                return r;
        r = poll_until(pollfds, POLL_RELAYS + loop->n_relays * RELAY_POLLFDS, until_usec);
        if (r <= 0)
                return r;
        for (size_t i = 0; i < loop->n_relays; i++)
                relay_dispatch(&loop->relays[i], pollfds + POLL_RELAYS + i * RELAY_POLLFDS);
        if (pollfds[POLL_SIGNAL].revents)
                read_signals(loop);
        return 0;
}

int loop_turn(Loop *loop, Fault *fault)
{
        int r = turn(loop);

        return r < 0 ? bus_fault_local(fault, r, "Cannot go on") : 0;
}

typedef struct PendingCall {
        sd_bus_message *reply;
} PendingCall;

static int on_reply(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        PendingCall *call = userdata;

        call->reply = sd_bus_message_ref(m);
        return 0;
}

int loop_call(Loop *loop, sd_bus_message *m, uint64_t timeout_usec, const char *container,
              sd_bus_message **ret, Fault *fault)
{
        _drop_(drop_slot) sd_bus_slot *slot = NULL;
        PendingCall call = { NULL };
        int r;

        r = sd_bus_call_async(loop->bus, &slot, m, on_reply, &call, timeout_usec);
        if (r < 0)
                return bus_fault_local(fault, r, "Cannot send the request");
        while (!call.reply) {
                r = loop_turn(loop, fault);
                if (r < 0)
                        return r;
        }
        if (sd_bus_message_is_method_error(call.reply, NULL)) {
                r = bus_fault(fault, sd_bus_message_get_error(call.reply), container);
                sd_bus_message_unref(call.reply);
                return r;
        }
        if (ret)
                *ret = call.reply;
        else
                sd_bus_message_unref(call.reply);
        return 0;
}
