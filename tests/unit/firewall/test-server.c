/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The program on a kernel without a packet filter, until somebody loads it. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>

#include "basic/fd.h"
#include "firewall/server.h"
#include "wire/firewall-message.h"
#include "wire/worker-socket.h"

int __wrap_nl_connect(struct nl_sock *socket, int protocol);
int __wrap_nl_send(struct nl_sock *socket, struct nl_msg *message);
int __wrap_nl_recv(struct nl_sock *socket, struct sockaddr_nl *from, unsigned char **buffer,
                   struct ucred **credentials);

int __wrap_nl_connect(struct nl_sock *socket, int protocol)
{
        return -NLE_PROTO_MISMATCH;
}

int __wrap_nl_send(struct nl_sock *socket, struct nl_msg *message)
{
        fail_msg("nothing can be sent by a socket that there is not");
        return -NLE_FAILURE;
}

int __wrap_nl_recv(struct nl_sock *socket, struct sockaddr_nl *from, unsigned char **buffer,
                   struct ucred **credentials)
{
        return -NLE_FAILURE;
}

/* Returns the socket that its answer will come by. */
static int ask(int fd, FirewallAction action)
{
        FirewallContainer c = { .id = "00000000001",
                                .addresses = { .interface = "w-00000000001" } };
        const FirewallRequest request = { .action = action, .containers = &c, .n_containers = 1 };
        WorkerMessage m = { .type = WORKER_FIREWALL };
        WireWriter w = WIRE_WRITER_INIT;
        int pair[2];

        assert_int_equal(firewall_request_encode(&request, &w), 0);
        m.blob = w.data;
        m.blob_size = w.size;
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        assert_true(worker_send(fd, &m, &pair[1], 1, 0) >= 0);
        wire_writer_done(&w);
        fd_close(pair[1]);
        return pair[0];
}

static void assert_answer(int take_fd)
{
        _drop_(worker_packet_done) WorkerPacket packet = WORKER_PACKET_INIT;

        assert_int_equal(worker_receive(take_fd, &packet, MSG_DONTWAIT), 1);
        assert_int_equal(packet.message.type, WORKER_FAILED);
        assert_int_equal(packet.message.fault.kind, FAULT_NOT_SUPPORTED);
        assert_string_equal(packet.message.fault.text,
                            "Network=private: this kernel is without 'nfnetlink' (try 'modprobe "
                            "nfnetlink'); Network=none and Network=host do without");
        fd_close(take_fd);
}

/* Together and one by one; a removal, too, for which otherwise connections are looked for. */
static void test_answers(void **state)
{
        int pair[2], answers[3];

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        answers[0] = ask(pair[0], FIREWALL_ADD);
        answers[1] = ask(pair[0], FIREWALL_REMOVE);
        answers[2] = ask(pair[0], FIREWALL_REBUILD);
        fd_close(pair[0]);
        assert_int_equal(server_run(pair[1], NULL), 0);
        for (int i = 0; i < 3; i++)
                assert_answer(answers[i]);
        fd_close(pair[1]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "tells everybody what the kernel is without", test_answers, NULL, NULL, NULL },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
