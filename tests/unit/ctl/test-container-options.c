/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/container-options.h"
#include "message.h"

typedef struct Fixture {
        ContainerOptions options;
        Fault fault;
        int result;
} Fixture;

#define ARG(s) ((char[]){ s })
#define PARSE(f, ...) parse((f), (char *[]){ ARG("create"), __VA_ARGS__ NULL })

static void parse(Fixture *f, char **argv)
{
        const OptionUse uses[] = { { &container_option_group, &f->options } };
        int argc = 0, first;

        for (; argv[argc]; argc++)
                ;
        f->fault = FAULT_INIT;
        assert_int_equal(container_options_init(&f->options), 0);
        f->result = options_parse(uses, 1, 0, argc, argv, &first, &f->fault);
        if (f->result >= 0)
                f->result = container_options_complete(&f->options, "/root/../", &f->fault);
}

static void expect_message(Fixture *f, const char *expected)
{
        sd_bus_message *m = message_new();

        if (f->result < 0)
                fail_msg("%s", f->fault.text);
        assert_int_equal(container_options_append(&f->options, m), 0);
        message_seal(m);
        message_expect(m, expected);
        sd_bus_message_unref(m);
        container_options_done(&f->options);
}

static void expect_refused(Fixture *f, const char *text)
{
        assert_true(f->result < 0);
        assert_int_equal(f->fault.kind, FAULT_INVALID);
        if (!strstr(f->fault.text, text))
                fail_msg("'%s' does not say '%s'", f->fault.text, text);
        container_options_done(&f->options);
}

static void test_nothing_given(void **state)
{
        Fixture f;

        PARSE(&f, );
        expect_message(&f, "{\"RootDirectory\":\"/\"}");
}

static void test_segment(void **state)
{
        Fixture f;

        PARSE(&f, ARG("--segment=blue"), );
        expect_message(&f, "{\"RootDirectory\":\"/\",\"Segment\":\"blue\"}");
        PARSE(&f, ARG("--segment=a b"), );
        expect_refused(&f, "Segment: 'a b' is not");
        PARSE(&f, ARG("--segment=x"), ARG("--network=host"), );
        expect_refused(&f, "Segment: is only for Network=private");
}

static void test_interface_name(void **state)
{
        Fixture f;

        PARSE(&f, ARG("--interface-name"), ARG("net0"), );
        expect_message(&f, "{\"RootDirectory\":\"/\",\"InterfaceName\":\"net0\"}");
        PARSE(&f, ARG("--bandwidth-receive=1M"), ARG("--bandwidth-transmit=5K:2K"), );
        expect_message(&f, "{\"RootDirectory\":\"/\",\"BandwidthReceiveMax\":[1000000,0],"
                           "\"BandwidthTransmitMax\":[5000,2000]}");
        PARSE(&f, ARG("--interface=eth7"), ARG("--interface"), ARG("eth8"), );
        expect_message(&f, "{\"RootDirectory\":\"/\",\"Interfaces\":[\"eth7\",\"eth8\"]}");
        PARSE(&f, ARG("--interface=eth7"), ARG("--interface=eth7"), );
        expect_refused(&f, "Interfaces: 'eth7' is given twice");
        PARSE(&f, ARG("--interface=lo"), );
        expect_refused(&f, "Interfaces: 'lo' is not an interface");
        PARSE(&f, ARG("--interface=w-x"), );
        expect_refused(&f, "is, by its name, the host's side of a container");
        PARSE(&f, ARG("--interface=eth0"), );
        expect_refused(&f, "Interfaces: 'eth0' is what the container's own is called");
        PARSE(&f, ARG("--interface=eth7"), ARG("--network=host"), );
        expect_refused(&f, "Interfaces: is only for Network=private and Network=none");
        PARSE(&f, ARG("--bandwidth=1M"), ARG("--bandwidth-transmit=5K"), );
        expect_refused(&f, "BandwidthTransmitMax: is given twice");
        PARSE(&f, ARG("--interface-name=a/b"), );
        expect_refused(&f, "InterfaceName: 'a/b' is not");
        PARSE(&f, ARG("--interface-name=x"), ARG("--network=none"), );
        expect_refused(&f, "InterfaceName: is only for Network=private");
}

static void test_given_defaults(void **state)
{
        Fixture f;

        /* Said is said, even if it is what the daemon would do anyhow. */
        PARSE(&f, ARG("--network=private"), ARG("--private-users=auto"),
              ARG("--stop-timeout=10"), );
        expect_message(&f, "{\"RootDirectory\":\"/\",\"Network\":\"private\","
                           "\"PrivateUsers\":\"auto\",\"GraceUSec\":10000000}");
}

static void test_lists(void **state)
{
        Fixture f;

        PARSE(&f, ARG("-eA=1"), ARG("-eB="), ARG("-eA=2"), ARG("--label=x=1=2"), ARG("--label=y"),
              ARG("-v/a:/b"), ARG("-v/c:/d:ro,nosuid"), ARG("--tmpfs=/t"), ARG("--tmpfs=/u:ro"), );
        expect_message(&f, "{\"RootDirectory\":\"/\",\"Environment\":[\"A=2\",\"B=\"],"
                           "\"Labels\":{\"x\":\"1=2\",\"y\":\"\"},"
                           "\"BindMounts\":[[\"/a\",\"/b\",\"\"],[\"/c\",\"/d\",\"ro,nosuid\"]],"
                           "\"TemporaryFileSystem\":[\"/t\",\"/u:ro\"]}");
}

static void test_forwards(void **state)
{
        Fixture f;

        PARSE(&f, ARG("-p8080:80"), ARG("--publish=127.0.0.1:53-54:53-54/udp"), ARG("-p443"),
              ARG("-pTasksMax=9"), );
        expect_message(&f, "{\"RootDirectory\":\"/\",\"ForwardPorts\":["
                           "{\"HostPort\":8080,\"ContainerPort\":80,\"Protocol\":\"tcp\"},"
                           "{\"HostPort\":53,\"ContainerPort\":53,\"Count\":2,\"Protocol\":\"udp\","
                           "\"HostAddress\":\"127.0.0.1\"},"
                           "{\"ContainerPort\":443,\"Protocol\":\"tcp\"}],\"TasksMax\":9}");
        PARSE(&f, ARG("-p80:http"), );
        expect_refused(&f, "'80:http' is not [ADDRESS:]");
        PARSE(&f, ARG("-p8080:80"), ARG("--network=none"), );
        expect_refused(&f, "ForwardPorts: only with Network 'private'");
}

static void test_limits(void **state)
{
        Fixture f;

        PARSE(&f, ARG("-m1g"), ARG("--cpus=.5"), );
        expect_refused(&f, "'.5' is not a number of processors");
        PARSE(&f, ARG("-m1g"), ARG("-m2g"), ARG("--cpus=0.5"), ARG("--pids-limit=max"),
              ARG("-pMemorySwapMax=0"), );
        expect_message(&f, "{\"RootDirectory\":\"/\",\"MemoryMax\":2147483648,"
                           "\"MemorySwapMax\":0,\"CPUQuotaPerSecUSec\":500000,"
                           "\"TasksMax\":18446744073709551615}");
}

static void test_storage(void **state)
{
        Fixture f;

        PARSE(&f, ARG("--storage=disk"), );
        expect_refused(&f, "'disk' is not directory, loop or tmpfs");
        PARSE(&f, ARG("--disk=lots"), );
        expect_refused(&f, "DiskMax");
        PARSE(&f, ARG("--storage=loop"), ARG("--disk=1G"), ARG("--disk-inodes=1000"), );
        expect_message(&f, "{\"RootDirectory\":\"/\",\"Storage\":\"loop\","
                           "\"DiskMax\":1073741824,\"DiskInodesMax\":1000}");
        PARSE(&f, ARG("--storage=directory"), ARG("-pDiskMax=infinity"), );
        expect_message(&f, "{\"RootDirectory\":\"/\",\"Storage\":\"directory\","
                           "\"DiskMax\":18446744073709551615}");
}

static void test_environment(void **state)
{
        Fault fault = FAULT_INIT;
        char **environment = NULL;

        (void)setenv("TEST_HERE", "a=b", 1);
        (void)unsetenv("TEST_NOT_HERE");
        assert_int_equal(environment_add(&environment, "TEST_HERE", &fault), 0);
        assert_int_equal(environment_add(&environment, "TEST_NOT_HERE", &fault), 0);
        assert_int_equal(environment_add(&environment, "EMPTY=", &fault), 0);
        assert_int_equal(strv_length(environment), 2);
        assert_string_equal(environment[0], "TEST_HERE=a=b");
        assert_string_equal(environment[1], "EMPTY=");
        assert_int_equal(environment_add(&environment, "=x", &fault), -EINVAL);
        assert_int_equal(environment_add(&environment, "", &fault), -EINVAL);
        assert_int_equal(strv_length(environment), 2);
        strv_free(environment);
}

static void test_characters(void **state)
{
        Fixture f;

        PARSE(&f, ARG("-eA=\xff"), );
        expect_refused(&f, "is not UTF-8");
        PARSE(&f, ARG("--label=a=\xc3"), );
        expect_refused(&f, "is not UTF-8");
        PARSE(&f, ARG("-v/\xff:/x"), );
        expect_refused(&f, "is not UTF-8");
        PARSE(&f, ARG("-v/x:/\xff"), );
        expect_refused(&f, "is not UTF-8");
        PARSE(&f, ARG("--tmpfs=/\xff"), );
        expect_refused(&f, "is not UTF-8");
        PARSE(&f, ARG("-eA=ä"), );
        expect_message(&f, "{\"RootDirectory\":\"/\",\"Environment\":[\"A=ä\"]}");
}

static void test_whole(void **state)
{
        Fixture f;

        PARSE(&f, ARG("-v/a:/x"), ARG("--tmpfs=/x"), );
        expect_refused(&f, "'/x' is given twice");
        PARSE(&f, ARG("--label=a=1"), ARG("--label=a=2"), );
        expect_refused(&f, "'a' is given twice");
        PARSE(&f, ARG("--name=a b"), );
        expect_refused(&f, "Name: 'a b'");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "sends the root alone when nothing else is said", test_nothing_given },
                { "sends what was said, even if it is the default", test_given_defaults },
                { "names the interface and limits it", test_interface_name },
                { "names the segment", test_segment },
                { "sends lists in their order", test_lists },
                { "leads ports to the container, also by docker's -p", test_forwards },
                { "sends the last of a limit that is given twice", test_limits },
                { "sends the storage and its bounds", test_storage },
                { "copies variables that have no value", test_environment },
                { "refuses what is not UTF-8", test_characters },
                { "checks the container as a whole", test_whole },
        };

        return cmocka_run_group_tests_name("ctl/container-options", tests, message_begin,
                                           message_end);
}
