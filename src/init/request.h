/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "init/server.h"

/* Does what one datagram asks, and replies; nothing in it can do more harm than a reply that says
 * no. @fds remain the caller's, who closes them. Does not block. */
void request_handle(Server *server, Client *client, const uint8_t *data, size_t size,
                    const int *fds, size_t n_fds);

/* The same for a datagram that could not be received whole. Of @data, whatever came is there; the
 * rest must be zero. */
void request_refuse(Client *client, const uint8_t *data, int error);
