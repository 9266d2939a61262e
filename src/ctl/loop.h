/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <signal.h>

#include <systemd/sd-bus.h>

#include "basic/fault.h"
#include "ctl/relay.h"

/* What a verb does while it waits: the bus, signals, and the bytes of a job, in one poll(). Regular
 * files and /dev/null are among what is polled, which epoll refuses; that is why it is not
 * sd-event. Verbs stay straight-line code: they start something and turn the loop until it is
 * done. */

typedef struct Loop {
        sd_bus *bus;   /* not owned */
        int signal_fd; /* the signals are blocked until loop_done() */
        Relay *relays; /* not owned */
        size_t n_relays;
        uint64_t wake_usec; /* monotonic: turn then at the latest; USEC_INFINITY */
        void (*on_signal)(void *userdata, int signal); /* NULL: only counted */
        void *userdata;
        int first_signal; /* of INT, TERM, HUP, QUIT that came; 0: none */
        sigset_t signals, saved_mask;
} Loop;

#define LOOP_RELAYS_MAX 4

/* @signals   which ones to take; ended by 0. Returns 0; negative errno with a fault. */
int loop_init(Loop *loop, sd_bus *bus, const int *signals, Fault *fault);

/* Takes one more. */
int loop_add_signal(Loop *loop, int signal);

void loop_done(Loop *loop);

/* Waits for something to happen, and does it. Returns 0; negative errno with a fault when the bus
 * is gone. */
int loop_turn(Loop *loop, Fault *fault);

/* A call whose reply is waited for while all the rest goes on. Arguments as bus_call(). */
int loop_call(Loop *loop, sd_bus_message *m, uint64_t timeout_usec, const char *container,
              sd_bus_message **ret, Fault *fault);
