/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ctl/relay.h"
#include "model/job-spec.h"
#include "shell/link.h"

/* One command in a container, as if it ran here: its bytes are ours, our signals are its.
 *
 * A pipe, file or socket of ours goes to the job as it is. A terminal of ours never does, since
 * whoever has it can type into it: the job gets a pipe or a terminal of its own, which PID 1 reads
 * and fills, and we relay. */

typedef struct Session {
        Link link;
        Relay relays[3]; /* by the number of our descriptor */
        int signal_fd;
        int is_tty;
        int n_endings; /* INT and TERM that came: the third one ends us */
        int is_leaving;
} Session;

#define SESSION_INIT                     \
        ((Session){ .link = LINK_INIT,   \
                    .signal_fd = -EBADF, \
                    .relays = { RELAY_INIT, RELAY_INIT, RELAY_INIT } })

/* Starts the command. link.fd is connected. Returns 0; negative errno with a fault, of which the
 * kind tells 126 from 127; -ECONNRESET when PID 1 is gone. */
int session_start(Session *session, const JobSpec *spec, char *const *container_environment,
                  Fault *fault);

/* Until it has ended and its output is written.
 * @ret_code, @ret_signal  how it ended; signal 0: by itself
 * Returns                 0; -EINTR we were told to leave; -ECONNRESET PID 1 is gone. */
int session_wait(Session *session, uint32_t *ret_code, uint32_t *ret_signal);

/* Also puts the terminal back. */
void session_done(Session *session);
