/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A pair of connected SOCK_SEQPACKET sockets, and how many descriptors this process had with them:
 * whoever sends descriptors must not keep one. Set-up and teardown of a case. */
typedef struct SocketPair {
        int a, b;
        int n_open;
} SocketPair;

int socket_pair_count_open(void);

int socket_pair_setup(void **state);
int socket_pair_teardown(void **state);
