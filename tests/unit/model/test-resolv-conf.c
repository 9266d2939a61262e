/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/container-spec.h"
#include "model/resolv-conf.h"

static void assert_becomes(const char *text, const char *expected)
{
        ResolvConf conf;
        char *result;

        assert_int_equal(resolv_conf_parse(text, &conf), 0);
        assert_int_equal(resolv_conf_format(&conf, &result), 0);
        assert_string_equal(result, expected);
        free(result);
        resolv_conf_done(&conf);
}

static void test_common(void **state)
{
        assert_becomes("# of NetworkManager\n"
                       "search example.org corp.example.org\n"
                       "nameserver 192.0.2.53\n"
                       "nameserver\t2001:db8::53\n"
                       "options edns0 trust-ad ndots:2\n",
                       "nameserver 192.0.2.53\nnameserver 2001:db8::53\n"
                       "search example.org corp.example.org\noptions edns0 trust-ad ndots:2\n");
        assert_becomes("nameserver 192.0.2.53", "nameserver 192.0.2.53\n");
        assert_becomes("", "");
}

static void test_last_search(void **state)
{
        assert_becomes("domain one.example\nsearch two.example three.example.\n",
                       "search two.example three.example.\n");
        assert_becomes("search two.example\ndomain one.example\n", "search one.example\n");
}

static void test_rubbish(void **state)
{
        assert_becomes("nameserver\nnameserver \nnameserver here\nnameserver fe80::1%eth0\n"
                       "nameserverx 192.0.2.1\n nameserver 192.0.2.2\n"
                       "search -bad ..  a..b good.example\n"
                       "options NDOTS:1 $(reboot) rotate\r\n\n\n"
                       "sortlist 192.0.2.0/24\n",
                       "search good.example\noptions rotate\n");
}

static void test_loopback(void **state)
{
        ResolvConf conf;

        assert_int_equal(resolv_conf_parse("nameserver 127.0.0.53\nnameserver ::1\n"
                                           "nameserver 0.0.0.0\nnameserver 192.0.2.1\n",
                                           &conf),
                         0);
        assert_int_equal(strv_length(conf.servers), 1);
        assert_string_equal(conf.servers[0], "192.0.2.1");
        assert_int_equal(strv_length(conf.loopback), 3);
        resolv_conf_done(&conf);
}

static void test_bounds(void **state)
{
        char text[4096] = "", word[600];
        ResolvConf conf;

        for (int i = 0; i < 50; i++)
                (void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
                               "nameserver 192.0.2.%d\n", i);
        assert_int_equal(resolv_conf_parse(text, &conf), 0);
        assert_int_equal(strv_length(conf.servers), DNS_MAX);
        resolv_conf_done(&conf);
        memset(word, 'a', sizeof(word));
        word[sizeof(word) - 1] = 0;
        (void)snprintf(text, sizeof(text), "search %s b.example\n", word);
        assert_becomes(text, "search b.example\n");
}

static void test_hosts(void **state)
{
        char *text;

        assert_int_equal(hosts_format("web", "10.254.0.2", "fd00::2", &text), 0);
        assert_string_equal(text, "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"
                                  "10.254.0.2 web\nfd00::2 web\n");
        free(text);
        assert_int_equal(hosts_format("web", NULL, NULL, &text), 0);
        assert_non_null(strstr(text, "\n127.0.1.1 web\n"));
        free(text);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "keeps servers, domains and options", test_common },
                { "takes the last of several lists of domains", test_last_search },
                { "leaves out what no resolver understands", test_rubbish },
                { "keeps servers of the loopback apart", test_loopback },
                { "takes no more than a resolver does", test_bounds },
                { "writes hosts with and without an address", test_hosts },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
