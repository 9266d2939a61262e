/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "basic/fault.h"

/* The resident program: takes requests (wire/firewall-message.h) from a socket and answers each on
 * the socket that came with it. Those that wait together become one transaction, so that many
 * containers that are made at once do not queue behind each other; when that fails, each is tried
 * alone, so that one cannot spoil the others. */

/* @socket_fd   SOCK_SEQPACKET. Returns 0 when the other end is closed; negative errno. */
int server_run(int socket_fd, Fault *fault);
