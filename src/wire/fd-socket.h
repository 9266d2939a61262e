/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* Datagrams with file descriptors over a SOCK_SEQPACKET socket. */

#define FD_SOCKET_MAX 253 /* descriptors in one datagram: the kernel's bound */

/* Sends one datagram, never with a signal. @size is not 0. The descriptors stay the caller's.
 * Returns 0; -EINVAL; -EPIPE and so on. */
int fd_socket_send(int fd, const void *data, size_t size, const int *fds, size_t n_fds, int flags);

/* Receives one datagram. Every descriptor is O_CLOEXEC and the caller's.
 * @flags    of recvmsg()
 * @n_fds    in: room; out: count
 * Returns   its size; 0 at the end of the connection; -EBADMSG when data or descriptors did not
 *           fit, all of them closed then; -EAGAIN and so on. */
ssize_t fd_socket_receive(int fd, void *buffer, size_t room, int *fds, size_t *n_fds, int flags);
