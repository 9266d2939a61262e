/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "basic/macro.h"
#include "model/forward.h"

static void test_parses(void **state)
{
        static const struct {
                const char *text, *meaning;
        } cases[] = {
                { "80", "0:80/tcp" },
                { "8080:80", "8080:80/tcp" },
                { "8080:80/udp", "8080:80/udp" },
                { ":80", "0:80/tcp" },
                { "0:80", "0:80/tcp" },
                { "127.0.0.1:8080:80", "127.0.0.1:8080:80/tcp" },
                { "127.0.0.1::53/udp", "127.0.0.1:0:53/udp" },
                { "[::1]:8080:80/sctp", "[::1]:8080:80/sctp" },
                { "*:8080:80", "8080:80/tcp" },
                { "9000-9009:7000-7009", "9000-9009:7000-7009/tcp" },
                { "65535:65535", "65535:65535/tcp" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char text[PORT_FORWARD_TEXT_MAX];
                PortForward forward;
                Fault fault = FAULT_INIT;

                if (port_forward_parse(cases[i].text, &forward, &fault) < 0)
                        fail_msg("'%s': %s", cases[i].text, fault.text);
                port_forward_format(&forward, text);
                assert_string_equal(text, cases[i].meaning);
        }
}

static void test_refuses(void **state)
{
        static const char *const texts[] = {
                "",
                "0",
                "65536",
                "8080:0",
                "65536:80",
                "80/icmp",
                "80/",
                "http:80",
                "9000-9009:80",
                "80-79:80-79",
                "::1:80:80",
                "[::1:80:80",
                "1.2.3.0/24:8080:80",
                "example.org:8080:80",
                "1-2000",
                "65530-65540:1-11",
                "8080:80:90:1",
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                Fault fault = FAULT_INIT;
                PortForward forward = { .host_port = 4711 };

                if (port_forward_parse(texts[i], &forward, &fault) != -EINVAL)
                        fail_msg("'%s' was taken", texts[i]);
                assert_int_equal(forward.host_port, 4711);
                assert_int_equal(fault.kind, FAULT_INVALID);
        }
}

static PortForward parsed(const char *text)
{
        PortForward forward;

        assert_int_equal(port_forward_parse(text, &forward, NULL), 0);
        return forward;
}

static int overlaps(const char *a, const char *b)
{
        PortForward one = parsed(a), two = parsed(b);

        assert_int_equal(port_forward_overlaps(&one, &two), port_forward_overlaps(&two, &one));
        return port_forward_overlaps(&one, &two);
}

static void test_overlaps(void **state)
{
        assert_true(overlaps("8080:80", "8080:81"));
        assert_true(overlaps("8000-8010:1000-1010", "8010:80"));
        assert_true(overlaps("8080:80", "127.0.0.1:8080:80"));
        assert_true(overlaps("127.0.0.1:8080:80", "127.0.0.1:8080:81"));
        assert_true(overlaps("0.0.0.0:8080:80", "127.0.0.1:8080:80"));
        assert_true(overlaps("0.0.0.0:8080:80", "8080:80"));
        assert_false(overlaps("0.0.0.0:8080:80", "[::]:8080:80"));
        assert_false(overlaps("8000-8010:1000-1010", "8011:80"));
        assert_false(overlaps("8080:80", "8080:80/udp"));
        assert_false(overlaps("127.0.0.1:8080:80", "127.0.0.2:8080:80"));
        assert_false(overlaps("127.0.0.1:8080:80", "[::1]:8080:80"));
}

static void test_validates(void **state)
{
        PortForward forward = parsed("8080:80");
        Fault fault = FAULT_INIT;

        assert_int_equal(port_forward_validate(&forward, "", NULL), 0);
        forward.container_port = 65536;
        assert_int_equal(port_forward_validate(&forward, "ForwardPorts: ", &fault), -EINVAL);
        assert_string_equal(fault.text,
                            "ForwardPorts: ContainerPort: 65536 is not from 1 to 65535");
        forward = parsed("65535:80");
        forward.count = 2;
        fault = FAULT_INIT;
        assert_int_equal(port_forward_validate(&forward, "", &fault), -EINVAL);
        assert_string_equal(fault.text, "HostPort: 2 ports from 65535 are not all from 1 to 65535");
        forward.count = 0;
        assert_int_equal(port_forward_validate(&forward, "", NULL), -EINVAL);
        forward.count = UINT32_MAX;
        assert_int_equal(port_forward_validate(&forward, "", NULL), -EINVAL);
}

static void test_list(void **state)
{
        PortForward *list = NULL, forward = parsed("8080:80");
        Fault fault = FAULT_INIT;
        size_t n = 0;

        for (uint32_t i = 0; i < FORWARDS_MAX; i++) {
                forward.host_port = i + 1;
                assert_int_equal(port_forwards_append(&list, &n, &forward, NULL), 0);
        }
        assert_int_equal(port_forwards_append(&list, &n, &forward, &fault), -E2BIG);
        assert_int_equal(fault.kind, FAULT_LIMIT);
        port_forwards_remove(list, &n, 0);
        assert_int_equal(n, FORWARDS_MAX - 1);
        assert_int_equal(list[0].host_port, 2);
        port_forwards_remove(list, &n, n - 1);
        assert_int_equal(list[n - 1].host_port, FORWARDS_MAX - 1);
        free(list);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "reads what docker's --publish takes", test_parses },
                { "refuses ports out of range, reversed ranges and host names", test_refuses },
                { "knows when two want one port", test_overlaps },
                { "names the field that is wrong", test_validates },
                { "bounds the list of a container", test_list },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
