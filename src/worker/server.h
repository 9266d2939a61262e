/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"
#include "worker/host.h"

/* The resident program: takes requests from a socket and has a forked worker do each.
 *
 * What can be done before a request comes is done before: one worker waits in the receiving call
 * with a child at hand that has its namespaces already. A request finds both ready; the next pair
 * is made when the worker in charge has nothing left to do but wait, or when another request is
 * there.
 *
 *      server ──fork──► worker ──receives──► "taken" ──► ... ──► "idle" ──► DONE
 *         ▲                                    │                   │
 *         └──────────── the next worker ◄──────┴───────────────────┘ (and the next child)
 */

/* @directories   NULL-terminated: the daemon's, for state and runtime
 * @socket_fd     SOCK_SEQPACKET; requests of worker-message.h
 * Returns 0 when the other end is closed; negative errno with a fault. SIGCHLD must be ignored. */
int server_run(const Host *host, char *const *directories, int socket_fd, Fault *fault);
