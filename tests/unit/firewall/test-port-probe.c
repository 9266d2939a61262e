/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "basic/fd.h"
#include "basic/macro.h"
#include "firewall/port-probe.h"

/* A socket of ours at a port that the kernel chooses, on 127.0.0.1. */
static int occupy(int type, uint32_t *ret_port)
{
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof(address);
        int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
        if (type == SOCK_STREAM)
                assert_int_equal(listen(fd, 1), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
        *ret_port = ntohs(address.sin_port);
        return fd;
}

static void check(int type, NetworkProtocol protocol)
{
        PortForward forward = PORT_FORWARD_INIT;
        Fault fault = FAULT_INIT;
        char text[32];
        int fd = occupy(type, &forward.host_port);

        forward.protocol = protocol;
        forward.container_port = 80;
        assert_int_equal(port_probe(&forward, &fault), -EADDRINUSE);
        assert_int_equal(fault.kind, FAULT_IN_USE);
        (void)snprintf(text, sizeof(text), "%u/%s", forward.host_port,
                       network_protocol_to_string(protocol));
        assert_non_null(strstr(fault.text, text));

        /* In a range, too. */
        forward.host_port -= 3;
        forward.count = 4;
        assert_int_equal(port_probe(&forward, NULL), -EADDRINUSE);
        forward.host_port += 3;
        forward.count = 1;
        /* Another address of the host is free. */
        assert_int_equal(ip_range_parse("", "127.0.0.2", &forward.host_address, NULL), 0);
        assert_int_equal(port_probe(&forward, NULL), 0);
        forward.host_address.family = AF_UNSPEC;
        memset(forward.host_address.first, 0, 16);
        fd_close(fd);
        assert_int_equal(port_probe(&forward, NULL), 0);
}

static void test_tcp(void **state)
{
        check(SOCK_STREAM, NETWORK_PROTOCOL_TCP);
}

static void test_udp(void **state)
{
        check(SOCK_DGRAM, NETWORK_PROTOCOL_UDP);
}

static void test_foreign_address(void **state)
{
        PortForward forward = PORT_FORWARD_INIT;
        Fault fault = FAULT_INIT;

        forward.host_port = 4711;
        forward.container_port = 80;
        assert_int_equal(ip_range_parse("", "192.0.2.1", &forward.host_address, NULL), 0);
        assert_int_equal(port_probe(&forward, &fault), -EADDRNOTAVAIL);
        assert_int_equal(fault.kind, FAULT_INVALID);
        assert_string_equal(fault.text, "HostAddress: 192.0.2.1 is no address of this host");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "finds a port on which a process listens", test_tcp },
                { "finds a port of UDP that a process has", test_udp },
                { "refuses an address that is not the host's", test_foreign_address },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
