/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

#include "basic/fault.h"

/* A program of ours that runs as long as the daemon does, with a SOCK_SEQPACKET socket as fd 3. It
 * ends when the socket closes. When it dies it is started again; one that keeps dying is left alone
 * for a while, so that a broken installation does not spin. */

struct sd_event;

typedef struct Resident Resident;

#define RESIDENT_FD 3
#define RESIDENT_RECEIVE_MAX 256

typedef struct ResidentHandler {
        void (*ended)(void *userdata);   /* it died: what it had been told is forgotten */
        void (*started)(void *userdata); /* again, after that */
        /* A datagram came, of RESIDENT_RECEIVE_MAX bytes at most. NULL: none is expected. */
        void (*received)(void *userdata, const void *data, size_t size);
} ResidentHandler;

/* @what     for messages: "worker"
 * @argv     copied; ended by NULL
 * Returns   0; -ENOMEM. Nothing runs yet. */
int resident_new(struct sd_event *event, const char *what, const char *const *argv,
                 const ResidentHandler *handler, void *userdata, Resident **ret);
Resident *resident_free(Resident *resident);
DEFINE_DROP(Resident, resident, resident_free);

/* Fine when it runs. Returns 0; negative errno with a fault. */
int resident_start(Resident *resident, Fault *fault);

/* The daemon's end of the socket, not to be closed; -EBADF while the program does not run. */
int resident_fd(const Resident *resident);

/* It died and will be started again. */
int resident_is_restarting(const Resident *resident);
