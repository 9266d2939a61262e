/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"

/* The host forwards packets as long as some container needs it. There is no narrower switch: what
 * comes back arrives by whatever interface the host's routes say. The first claim turns it on and
 * notes in @directory what was there before; once the last is released that can be put back, unless
 * somebody else has changed it meanwhile. What was on already stays on.
 *
 * A router takes no routes from router advertisements, and with IPv6 this switch makes one of every
 * interface of the host: those that took them keep doing so (accept_ra=2).
 *
 * Claims are files, so that they outlive every process; a lock orders those who come at once. */

/* @directory   made when it is not there; @id: the claim. @has_six: IPv6, too
 * Returns 0, also when the claim is there already; negative errno with a fault. */
int forwarding_claim(const char *directory, const char *id, int has_six, Fault *fault);

/* The switches stay as they are; a claim that is not there is none: 0. Returns 0; negative errno.
 */
int forwarding_release(const char *directory, const char *id);

/* Puts back what was changed, when nobody claims. It may take as long as the kernel takes networks
 * apart: the switch for IPv6 spins while somebody has the lock of all interfaces. No directory is
 * fine. Returns 0; negative errno. */
int forwarding_settle(const char *directory);

/* For the test: another place than /proc/sys/net. */
int forwarding_claim_in(int sysctl_fd, const char *directory, const char *id, int has_six,
                        Fault *fault);
int forwarding_settle_in(int sysctl_fd, const char *directory);
