/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "wire/fd-socket.h"
#include "wire/worker-socket.h"
#include "socket-pair.h"

static WorkerMessage make_create(uint8_t *blob, size_t size)
{
        for (size_t i = 0; i < size; i++)
                blob[i] = (uint8_t)(i * 7);
        return (WorkerMessage){ .type = WORKER_CREATE, .blob = blob, .blob_size = size };
}

static void test_short(void **state)
{
        SocketPair *f = *state;
        WorkerPacket packet = WORKER_PACKET_INIT;
        uint8_t blob[100];
        WorkerMessage m = make_create(blob, sizeof(blob));

        assert_int_equal(worker_send(f->a, &m, (int[]){ f->a }, 1, 0), 0);
        assert_int_equal(worker_receive(f->b, &packet, 0), 1);
        assert_int_equal(packet.message.type, WORKER_CREATE);
        assert_int_equal(packet.message.blob_size, sizeof(blob));
        assert_memory_equal(packet.message.blob, blob, sizeof(blob));
        assert_int_equal(packet.n_fds, 1);
        assert_true(packet.fds[0] >= 0);
        assert_true(packet.memory_fd < 0);
        worker_packet_done(&packet);
        assert_int_equal(socket_pair_count_open(), f->n_open);
}

static void test_long(void **state)
{
        SocketPair *f = *state;
        WorkerPacket packet = WORKER_PACKET_INIT;
        size_t size = WORKER_MESSAGE_MAX - 100;
        uint8_t *blob = malloc(size);
        WorkerMessage m = make_create(blob, size);

        assert_int_equal(worker_send(f->a, &m, (int[]){ f->a, f->b }, 2, 0), 0);
        assert_int_equal(worker_receive(f->b, &packet, 0), 1);
        assert_int_equal(packet.message.blob_size, size);
        assert_memory_equal(packet.message.blob, blob, size);
        assert_int_equal(packet.n_fds, 2);
        assert_true(packet.memory_fd >= 0);
        worker_packet_done(&packet);
        assert_int_equal(socket_pair_count_open(), f->n_open);
        free(blob);
}

static void test_too_long(void **state)
{
        SocketPair *f = *state;
        uint8_t *blob = malloc(WORKER_MESSAGE_MAX);
        WorkerMessage m = make_create(blob, WORKER_MESSAGE_MAX);

        assert_int_equal(worker_send(f->a, &m, NULL, 0, 0), -EMSGSIZE);
        assert_int_equal(socket_pair_count_open(), f->n_open);
        free(blob);
}

static void forward(SocketPair *f, size_t size)
{
        WorkerPacket packet = WORKER_PACKET_INIT, again = WORKER_PACKET_INIT;
        uint8_t *blob = malloc(size);
        WorkerMessage m = make_create(blob, size);

        assert_int_equal(worker_send(f->a, &m, (int[]){ f->a }, 1, 0), 0);
        assert_int_equal(worker_receive(f->b, &packet, 0), 1);
        assert_int_equal(worker_forward(f->a, &packet), 0);
        assert_int_equal(worker_receive(f->b, &again, 0), 1);
        assert_int_equal(again.n_fds, 0);
        assert_int_equal(again.message.blob_size, size);
        assert_memory_equal(again.message.blob, blob, size);
        worker_packet_done(&packet);
        worker_packet_done(&again);
        assert_int_equal(socket_pair_count_open(), f->n_open);
        free(blob);
}

static void test_forward(void **state)
{
        forward(*state, 100);
        forward(*state, 1 << 20);
}

static void test_end(void **state)
{
        SocketPair *f = *state;
        WorkerPacket packet = WORKER_PACKET_INIT;

        assert_int_equal(worker_receive(f->b, &packet, MSG_DONTWAIT), -EAGAIN);
        f->a = fd_close(f->a);
        assert_int_equal(worker_receive(f->b, &packet, 0), 0);
        assert_null(packet.data);
}

static void test_rubbish(void **state)
{
        SocketPair *f = *state;
        WorkerPacket packet = WORKER_PACKET_INIT;

        assert_int_equal(fd_socket_send(f->a, "rubbish", 7, (int[]){ f->a, f->a }, 2, 0), 0);
        assert_int_equal(worker_receive(f->b, &packet, 0), -EBADMSG);
        assert_int_equal(fd_socket_send(f->a, "", 1, NULL, 0, 0), 0); /* no memfd came */
        assert_int_equal(worker_receive(f->b, &packet, 0), -EBADMSG);
        assert_int_equal(fd_socket_send(f->a, "", 1, (int[]){ f->a }, 1, 0), 0); /* a socket */
        assert_int_equal(worker_receive(f->b, &packet, 0), -EBADMSG);
        assert_null(packet.data);
        assert_int_equal(socket_pair_count_open(), f->n_open);
}

static void test_too_many_fds(void **state)
{
        SocketPair *f = *state;
        WorkerPacket packet = WORKER_PACKET_INIT;
        WorkerMessage m = { .type = WORKER_GATE };
        WireWriter w = WIRE_WRITER_INIT;
        int sent[WORKER_FDS_MAX + 2] = { f->a, f->a, f->a, f->a };

        assert_int_equal(worker_send(f->a, &m, sent, WORKER_FDS_MAX + 1, 0), -EINVAL);
        assert_int_equal(worker_message_encode(&m, &w), 0);
        for (size_t n = WORKER_FDS_MAX + 1; n <= WORKER_FDS_MAX + 2; n++) {
                assert_int_equal(fd_socket_send(f->a, w.data, w.size, sent, n, 0), 0);
                assert_int_equal(worker_receive(f->b, &packet, 0), -EBADMSG);
        }
        assert_int_equal(socket_pair_count_open(), f->n_open);
        wire_writer_done(&w);
}

/* A message in a memfd that is sealed with @seals. */
static int receive_memory(SocketPair *f, int seals, off_t size)
{
        _drop_(drop_fd) int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        WorkerPacket packet = WORKER_PACKET_INIT;
        WorkerMessage m = { .type = WORKER_GATE };
        WireWriter w = WIRE_WRITER_INIT;
        int r;

        assert_int_equal(worker_message_encode(&m, &w), 0);
        assert_int_equal(io_write_full(fd, w.data, w.size), 0);
        if (size >= 0)
                assert_int_equal(ftruncate(fd, size), 0);
        assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
        assert_int_equal(fd_socket_send(f->a, "", 1, &fd, 1, 0), 0);
        r = worker_receive(f->b, &packet, 0);
        worker_packet_done(&packet);
        wire_writer_done(&w);
        return r;
}

static void test_seals(void **state)
{
        const int all = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
        SocketPair *f = *state;

        assert_int_equal(receive_memory(f, all, -1), 1);
        assert_int_equal(receive_memory(f, 0, -1), -EBADMSG);
        assert_int_equal(receive_memory(f, all & ~F_SEAL_WRITE, -1), -EBADMSG);
        assert_int_equal(receive_memory(f, all & ~F_SEAL_SHRINK, -1), -EBADMSG);
        assert_int_equal(receive_memory(f, all & ~F_SEAL_GROW, -1), -EBADMSG);
        assert_int_equal(receive_memory(f, all, 0), -EBADMSG);
        assert_int_equal(receive_memory(f, all, WORKER_MESSAGE_MAX + 1), -EBADMSG);
        assert_int_equal(socket_pair_count_open(), f->n_open);
}

#define CASE(name, func)                                            \
        {                                                           \
                name, func, socket_pair_setup, socket_pair_teardown \
        }

int main(void)
{
        const struct CMUnitTest tests[] = {
                CASE("sends a short message in its datagram", test_short),
                CASE("sends the longest message beside its descriptors", test_long),
                CASE("refuses to send a longer one", test_too_long),
                CASE("sends what it received on, without the descriptors", test_forward),
                CASE("tells the end from nothing yet", test_end),
                CASE("closes the descriptors of rubbish", test_rubbish),
                CASE("takes no more descriptors than were agreed", test_too_many_fds),
                CASE("takes only memory that nobody can change any more", test_seals),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
