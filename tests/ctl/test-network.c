/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* port and egress: what they ask of the daemon, and how they show its answers. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "basic/macro.h"
#include "harness.h"

#define PATH "/org/warden/Warden1/container/web"

static void assert_log(const char *expected)
{
        char *log = harness_take_log();

        assert_string_equal(log, expected);
        free(log);
}

static int setup(void **state)
{
        int r = harness_begin(state);

        if (r == 0) {
                assert_run(0, NULL, NULL, "create", "--name", "web", "/srv");
                free(harness_take_log());
        }
        return r;
}

static void test_port_list(void **state)
{
        assert_run(0, "ADDRESS           HOST  CONTAINER  PROTOCOL\n", NULL, "port", "web");
        assert_run(0, "\n*                 8080         80  tcp\n", NULL, "port", "web");
        assert_run(0, "2001:db8::1  5000-5009  6000-6009  udp\n\n2 forwards.\n", NULL, "port",
                   "web");
        assert_run(0, "\"HostPort\":8080,\"ContainerPort\":80", NULL, "port", "--json", "web");
        assert_run(125, NULL, "No container 'nobody'", "port", "nobody");
}

static void test_port_change(void **state)
{
        free(harness_take_log());
        assert_run(0, "8081:80/tcp\n", NULL, "port", "web", "add", "8081:80");
        assert_log("ForwardPort " PATH " [{\"HostPort\":8081,\"ContainerPort\":80,"
                   "\"Protocol\":\"tcp\"}]\n");
        assert_run(0, "127.0.0.1:61001:53/udp\n", NULL, "port", "web", "add", "127.0.0.1::53/udp");
        assert_log("ForwardPort " PATH " [{\"ContainerPort\":53,\"Protocol\":\"udp\","
                   "\"HostAddress\":\"127.0.0.1\"}]\n");
        assert_run(0, "", NULL, "port", "web", "rm", "8081", "9000-9009:9000-9009/udp");
        assert_log("UnforwardPort " PATH " [{\"HostPort\":8081,\"Count\":1,\"Protocol\":\"tcp\"}]\n"
                   "UnforwardPort " PATH " [{\"HostPort\":9000,\"ContainerPort\":9000,\"Count\":10,"
                   "\"Protocol\":\"udp\"}]\n");
}

static void test_port_cut(void **state)
{
        free(harness_take_log());
        assert_run(0, "", NULL, "port", "web", "rm", "--cut", "8081");
        assert_log("UnforwardPort " PATH " [{\"HostPort\":8081,\"Count\":1,\"Protocol\":\"tcp\","
                   "\"CutConnections\":true}]\n");
        assert_run(125, "", "--cut goes with 'rm'", "port", "web", "add", "--cut", "8081:80");
        assert_run(125, "", "--cut goes with 'rm'", "port", "--cut", "web");
        assert_log("");
}

/* One that is refused does not keep the others from being made. */
static void test_port_errors(void **state)
{
        free(harness_take_log());
        assert_run(125, "8082:80/tcp\n", "leads to container 'other'", "port", "web", "add",
                   "62001:80", "8082:80");
        free(harness_take_log());
        assert_run(125, "", "Protocol: is 'tcp', 'udp' or 'sctp'", "port", "web", "add", "80/icmp");
        assert_run(125, "", "'0:80' does not say", "port", "web", "rm", "0:80");
        assert_run(125, "", "'add' or 'rm'", "port", "web", "delete", "8080");
        assert_run(125, "", "'add' or 'rm'", "port", "web", "add");
        assert_run(125, "", "Too few arguments", "port");
        assert_log("");
}

static void test_egress_list(void **state)
{
        assert_run(0, "TO                   PORTS      PROTOCOL  LOG  PACKETS\n", NULL, "egress",
                   "web");
        assert_run(0, "\n10.0.0.0/8,fd00::/8  8000-8010  tcp       -      12345\n", NULL, "egress",
                   "web");
        assert_run(0, "\nhost                 *          icmp:8    -          0\n", NULL, "egress",
                   "web");
        assert_run(0, "\n192.0.2.1            *          *         yes        2\n\n3 rules.\n",
                   NULL, "egress", "web");
        assert_run(0, "3 rules.\n7 packets refused, 1 forged.\n", NULL, "egress", "web");
        assert_run(0, "[10.0.0.0/8,fd00::/8]:8000-8010/tcp\nhost/icmp:8\n192.0.2.1/log\n", NULL,
                   "egress", "-q", "web");
        assert_run(0, "\"Networks\":[\"10.0.0.0/8\",\"fd00::/8\"]", NULL, "egress", "--json",
                   "web");
        assert_run(0, "\"RefusedPackets\":7", NULL, "egress", "--json", "web");
        assert_run(125, NULL, "No container 'nobody'", "egress", "nobody");
}

/* A daemon that may not, or cannot, say more. */
static void test_egress_list_without_counts(void **state)
{
        assert_run(0, NULL, NULL, "create", "--name", "still", "/srv");
        assert_run(0, "\n192.0.2.1            *          *         yes        -\n\n3 rules.\n",
                   NULL, "egress", "still");
        assert_run(0, "{\"Rules\":[{\"Networks\":[\"10.0.0.0/8\"", NULL, "egress", "--json",
                   "still");
        assert_run(0, NULL, NULL, "destroy", "still");
}

static void test_egress_change(void **state)
{
        free(harness_take_log());
        assert_run(0, "", NULL, "egress", "web", "allow", "10.0.0.0/8,fd00::/8/tcp", "any:53/udp");
        assert_log("AllowEgress " PATH " [{\"Networks\":[\"10.0.0.0/8\",\"fd00::/8\"],"
                   "\"Protocol\":\"tcp\"}]\n"
                   "AllowEgress " PATH " [{\"Protocol\":\"udp\",\"Ports\":[\"53-53\"]}]\n");
        assert_run(0, "", NULL, "egress", "web", "deny", "host/icmp:8.0/log");
        assert_log("DenyEgress " PATH " [{\"Protocol\":\"icmp\",\"IcmpType\":8,\"IcmpCode\":0,"
                   "\"Host\":true,\"Log\":true}]\n");
}

static void test_egress_cut(void **state)
{
        free(harness_take_log());
        assert_run(0, "", NULL, "egress", "--cut", "web", "deny", "any:443");
        assert_log("DenyEgress " PATH " [{\"Protocol\":\"tcp\",\"Ports\":[\"443-443\"],"
                   "\"CutConnections\":true}]\n");
        assert_run(125, "", "--cut goes with 'deny'", "egress", "web", "allow", "--cut", "any");
        assert_log("");
}

static void test_egress_errors(void **state)
{
        free(harness_take_log());
        assert_run(125, "", "Networks: 'example.org'", "egress", "web", "allow", "example.org");
        assert_run(125, "", "Ports: '90-80'", "egress", "web", "allow", "any:90-80");
        assert_run(125, "", "'allow' or 'deny'", "egress", "web", "add", "any");
        assert_run(125, "", "'allow' or 'deny'", "egress", "web", "deny");
        assert_log("");
}

static void test_create(void **state)
{
        char *log;

        free(harness_take_log());
        assert_run(0, NULL, NULL, "create", "--name=made", "-p8080:80", "--allow=any:443",
                   "--allow", "host:53/udp", "/srv");
        log = harness_take_log();
        assert_non_null(strstr(log, "\"ForwardPorts\":[{\"HostPort\":8080,\"ContainerPort\":80,"));
        assert_non_null(strstr(log, "\"AllowEgress\":[{\"Protocol\":\"tcp\",\"Ports\":[\"443-443\"]"
                                    "},{\"Protocol\":\"udp\",\"Ports\":[\"53-53\"],"
                                    "\"Host\":true}]"));
        free(log);
        assert_run(125, NULL, "Ports: 'x'", "create", "--allow=any:x", "/srv");
}

/* Where there is room: a file has it, and a terminal of 80 columns has not. */
static void test_list_has_addresses(void **state)
{
        Run *run;

        assert_run(0, "NAME  STATE   ADDRESS     LEADER", NULL, "list");
        assert_run(0, "active  10.254.0.2  ", NULL, "list");
        (void)setenv("COLUMNS", "80", 1);
        run = run_start_on_terminal("list", NULL);
        assert_int_equal(run_wait(run), 0);
        assert_null(strstr(run->output, "ADDRESS"));
        run_free(run);
        (void)setenv("COLUMNS", "120", 1);
        run = run_start_on_terminal("list", NULL);
        assert_int_equal(run_wait(run), 0);
        assert_non_null(strstr(run->output, "10.254.0.2"));
        run_free(run);
        (void)unsetenv("COLUMNS");
}

static void test_segment_list(void **state)
{
        assert_run(0, NULL, NULL, "create", "--name", "alone", "/srv");
        assert_run(0, NULL, NULL, "create", "--name", "box", "/srv");
        assert_run(0,
                   "SEGMENT  NAME  ADDRESS\n"
                   "red      box   10.254.0.2\n"
                   "red      web   10.254.0.2\n"
                   "\n2 containers.\n",
                   NULL, "segment");
        assert_run(0, "red      box   10.254.0.2\n", NULL, "segment", "web");
        assert_run(0, "red\n", NULL, "segment", "-q");
        assert_run(0, "box\nweb\n", NULL, "segment", "-q", "web");
        assert_run(0, "[]\n", NULL, "segment", "--json", "alone");
        assert_run(0, "[{\"Segment\":\"red\",\"Name\":\"box\"}", NULL, "segment", "--json");
        assert_run(125, NULL, "No container 'nobody'", "segment", "nobody");
        assert_run(0, NULL, NULL, "destroy", "alone", "box");
}

static void test_segment_change(void **state)
{
        free(harness_take_log());
        assert_run(0, "", NULL, "segment", "web", "join", "blue");
        assert_log("SetSegment " PATH " [{\"Segment\":\"blue\"}]\n");
        assert_run(0, "", NULL, "segment", "--cut", "web", "leave");
        assert_log("SetSegment " PATH " [{\"Segment\":\"\",\"CutConnections\":true}]\n");
        assert_run(125, "", "'join' and a segment, or 'leave'", "segment", "web", "join");
        assert_run(125, "", "'join' and a segment, or 'leave'", "segment", "web", "leave", "red");
        assert_run(125, "", "'join' and a segment, or 'leave'", "segment", "web", "join", "");
        assert_run(125, "", "--cut goes with 'join' and 'leave'", "segment", "--cut", "web");
        assert_run(125, "", "--cut goes with 'join' and 'leave'", "segment", "--cut");
        assert_run(125, "", "No container 'nobody'", "segment", "nobody", "leave");
        assert_log("");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "port lists what leads to a container", test_port_list },
                { "port adds forwards and takes them back", test_port_change },
                { "port cuts connections when it is told to", test_port_cut },
                { "port says what is wrong with a forward", test_port_errors },
                { "egress lists what a container may reach", test_egress_list },
                { "egress lists rules without counts", test_egress_list_without_counts },
                { "egress allows and takes back", test_egress_change },
                { "egress cuts connections when it is told to", test_egress_cut },
                { "egress says what is wrong with a rule", test_egress_errors },
                { "segment lists who may talk to whom", test_segment_list },
                { "segment moves a container", test_segment_change },
                { "create takes forwards and rules", test_create },
                { "list shows addresses where there is room", test_list_has_addresses },
        };

        return cmocka_run_group_tests(tests, setup, harness_end);
}
