/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "basic/macro.h"
#include "wire/fd-socket.h"
#include "wire/memory.h"
#include "wire/worker-socket.h"

/* A writer that changes the message between our checks and its use could make us do anything, so
 * that nobody may be able to. */
#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)

void worker_packet_done(WorkerPacket *packet)
{
        for (size_t i = 0; i < WORKER_FDS_MAX; i++)
                fd_close(packet->fds[i]);
        if (packet->memory_fd >= 0)
                (void)munmap(packet->data, packet->size);
        else
                free(packet->data);
        fd_close(packet->memory_fd);
        *packet = WORKER_PACKET_INIT;
}

int worker_send(int fd, const WorkerMessage *message, const int *fds, size_t n_fds, int flags)
{
        _drop_(wire_writer_done) WireWriter w = WIRE_WRITER_INIT;
        _drop_(drop_fd) int memory_fd = -EBADF;
        int all[WORKER_FDS_MAX + 1];
        int r;

        if (n_fds > WORKER_FDS_MAX)
                return -EINVAL;
        r = worker_message_encode(message, &w);
        if (r < 0)
                return r;
        if (w.size <= WORKER_DATAGRAM_MAX)
                return fd_socket_send(fd, w.data, w.size, fds, n_fds, flags);
        if (w.size > WORKER_MESSAGE_MAX)
                return -EMSGSIZE;

        r = memory_fd = memory_new_sealed("warden-message", w.data, w.size);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n_fds; i++)
                all[i] = fds[i];
        all[n_fds] = memory_fd;
        return fd_socket_send(fd, "", 1, all, n_fds + 1, flags);
}

int worker_forward(int fd, const WorkerPacket *packet)
{
        if (packet->memory_fd >= 0)
                return fd_socket_send(fd, "", 1, &packet->memory_fd, 1, 0);
        return fd_socket_send(fd, packet->data, packet->size, NULL, 0, 0);
}

static int packet_map(WorkerPacket *packet, int *take_memory_fd)
{
        struct stat st;
        int seals = fcntl(*take_memory_fd, F_GET_SEALS);
        void *p;

        if (seals < 0 || (seals & SEALS) != SEALS || fstat(*take_memory_fd, &st) < 0)
                return -EBADMSG;
        if (st.st_size <= 0 || st.st_size > (off_t)WORKER_MESSAGE_MAX)
                return -EBADMSG;
        p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, *take_memory_fd, 0);
        if (p == MAP_FAILED)
                return -errno;
        free(packet->data);
        packet->data = p;
        packet->size = (size_t)st.st_size;
        packet->memory_fd = take_fd(take_memory_fd);
        return 0;
}

static int packet_take(WorkerPacket *packet, int *fds, size_t n_fds)
{
        int r;

        if (packet->size == 1 && packet->data[0] == 0) {
                if (n_fds == 0)
                        return -EBADMSG;
                r = packet_map(packet, &fds[n_fds - 1]);
                if (r < 0)
                        return r;
                n_fds--;
        }
        if (n_fds > WORKER_FDS_MAX)
                return -EBADMSG;
        r = worker_message_decode(packet->data, packet->size, &packet->message);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n_fds; i++)
                packet->fds[i] = take_fd(&fds[i]);
        packet->n_fds = n_fds;
        return 1;
}

int worker_receive(int fd, WorkerPacket *ret, int flags)
{
        _drop_(worker_packet_done) WorkerPacket packet = WORKER_PACKET_INIT;
        int fds[WORKER_FDS_MAX + 1] = { -EBADF, -EBADF, -EBADF };
        size_t n_fds = ELEMENTSOF(fds);
        ssize_t n;
        int r;

        packet.data = malloc(WORKER_DATAGRAM_MAX);
        if (!packet.data)
                return -ENOMEM;
        n = fd_socket_receive(fd, packet.data, WORKER_DATAGRAM_MAX, fds, &n_fds, flags);
        if (n <= 0)
                return (int)n;
        packet.size = (size_t)n;
        r = packet_take(&packet, fds, n_fds);
        for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                fd_close(fds[i]);
        if (r < 0)
                return r;
        *ret = packet;
        packet = WORKER_PACKET_INIT;
        return r;
}
