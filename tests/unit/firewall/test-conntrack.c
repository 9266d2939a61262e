/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What belongs to a forward or a rule; and with the kernel, in a network namespace of its own,
 * where the "container" is 127.0.0.1 and talks to itself. */

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <netlink/msg.h>

#include "basic/fd.h"
#include "basic/macro.h"
#include "firewall/conntrack.h"
#include "firewall/transaction.h"
#include "model/egress-text.h"

static void set_address(int family, const char *text, uint8_t ret[16])
{
        memset(ret, 0, 16);
        assert_int_equal(inet_pton(family, text, ret), 1);
}

static Connection made(int family, const char *source, const char *target, const char *answerer,
                       uint8_t protocol, uint16_t port)
{
        Connection c = { .family = family, .protocol = protocol, .target_port = port };

        set_address(family, source, c.source);
        set_address(family, target, c.target);
        set_address(family, answerer, c.answerer);
        return c;
}

static NetworkAddresses addresses(void)
{
        NetworkAddresses a = { .container4 = htonl(0x0afe0002), .prefix6 = 126 };

        (void)snprintf(a.interface, sizeof(a.interface), "w-00000000001");
        set_address(AF_INET6, "fd00::2", a.container6);
        return a;
}

static int has_forward(const char *text, const Connection *c)
{
        const NetworkAddresses a = addresses();
        PortForward forward;

        assert_int_equal(port_forward_parse(text, &forward, NULL), 0);
        return connection_has_forward(c, &forward, &a);
}

static void test_forwards(void **state)
{
        const Connection v4 = made(AF_INET, "192.0.2.2", "192.0.2.1", "10.254.0.2", IPPROTO_TCP,
                                   8080);
        const Connection v6 = made(AF_INET6, "2001:db8::2", "2001:db8::1", "fd00::2", IPPROTO_TCP,
                                   8080);
        const Connection other = made(AF_INET, "192.0.2.2", "192.0.2.1", "10.254.0.6", IPPROTO_TCP,
                                      8080);
        /* Allowed by a rule, and not by the forward. */
        const Connection direct = made(AF_INET, "10.254.0.6", "10.254.0.2", "10.254.0.2",
                                       IPPROTO_TCP, 8080);

        assert_true(has_forward("8080:80", &v4));
        assert_true(has_forward("8080:80", &v6));
        assert_true(has_forward("8000-8080:8000-8080", &v4));
        assert_true(has_forward("192.0.2.1:8080:80", &v4));
        assert_true(has_forward("0.0.0.0:8080:80", &v4));
        assert_false(has_forward("0.0.0.0:8080:80", &v6));
        assert_true(has_forward("[::]:8080:80", &v6));
        assert_false(has_forward("192.0.2.9:8080:80", &v4));
        assert_false(has_forward("8081:80", &v4));
        assert_false(has_forward("8000-8079:8000-8079", &v4));
        assert_false(has_forward("8080:80/udp", &v4));
        assert_false(has_forward("8080:80", &other));
        assert_false(has_forward("8080:80", &direct));
}

static int has_rule(const char *text, const Connection *c)
{
        const NetworkAddresses a = addresses();
        _drop_(egress_rule_done) EgressRule rule = EGRESS_RULE_INIT;

        assert_int_equal(egress_rule_parse(text, &rule, NULL), 0);
        return connection_has_rule(c, &rule, &a);
}

static void test_rules(void **state)
{
        const Connection v4 = made(AF_INET, "10.254.0.2", "192.0.2.7", "192.0.2.7", IPPROTO_UDP,
                                   53);
        const Connection v6 = made(AF_INET6, "fd00::2", "2001:db8::7", "2001:db8::7", IPPROTO_TCP,
                                   443);
        const Connection inwards = made(AF_INET, "192.0.2.7", "10.254.0.2", "10.254.0.2",
                                        IPPROTO_UDP, 53);
        Connection ping = made(AF_INET, "10.254.0.2", "192.0.2.7", "192.0.2.7", IPPROTO_ICMP, 0);

        ping.icmp_type = 8;
        assert_true(has_rule("any", &v4));
        assert_true(has_rule("any", &v6));
        assert_true(has_rule("192.0.2.0/24,2001:db8::/32", &v4));
        assert_true(has_rule("192.0.2.0/24,2001:db8::/32", &v6));
        assert_true(has_rule("192.0.2.1-192.0.2.7:1,50-53/udp", &v4));
        assert_true(has_rule("[2001:db8::7]:443", &v6));
        assert_true(has_rule("any/icmp:8.0", &ping));
        assert_false(has_rule("any/icmp:9", &ping));
        assert_false(has_rule("any/icmp:8.1", &ping));
        assert_false(has_rule("any/icmp", &v4));
        assert_false(has_rule("any:53/tcp", &v4));
        assert_false(has_rule("any:54-60/udp", &v4));
        assert_false(has_rule("192.0.2.1-192.0.2.6", &v4));
        assert_false(has_rule("2001:db8::/32", &v4));
        assert_false(has_rule("any", &inwards));
}

static void test_between(void **state)
{
        const NetworkAddresses a = addresses();
        NetworkAddresses b = { .container4 = htonl(0x0afe0006), .prefix6 = 126 };
        NetworkAddresses four = { .container4 = htonl(0x0afe0006) };
        const Connection out = made(AF_INET, "10.254.0.2", "10.254.0.6", "10.254.0.6", IPPROTO_TCP,
                                    80);
        const Connection in = made(AF_INET, "10.254.0.6", "10.254.0.2", "10.254.0.2", IPPROTO_UDP,
                                   7);
        const Connection six = made(AF_INET6, "fd00::6", "fd00::2", "fd00::2", IPPROTO_TCP, 80);
        /* By a forward of the host, which is allowed as such. */
        const Connection led = made(AF_INET, "10.254.0.6", "192.0.2.1", "10.254.0.2", IPPROTO_TCP,
                                    8080);
        const Connection other = made(AF_INET, "10.254.0.10", "10.254.0.2", "10.254.0.2",
                                      IPPROTO_TCP, 80);

        set_address(AF_INET6, "fd00::6", b.container6);
        assert_true(connection_is_between(&out, &a, &b));
        assert_true(connection_is_between(&in, &a, &b));
        assert_true(connection_is_between(&six, &a, &b));
        assert_false(connection_is_between(&six, &a, &four));
        assert_false(connection_is_between(&led, &a, &b));
        assert_false(connection_is_between(&other, &a, &b));
}

/* -- with the kernel -- */

static int count_one(void *userdata, struct nlmsghdr *answer)
{
        Connection c;

        if (connection_parse(answer, &c) >= 0 && c.protocol == IPPROTO_UDP)
                (*(size_t *)userdata)++;
        return 0;
}

static size_t count_connections(Netfilter *netfilter)
{
        struct nl_msg *m = netfilter_message_new(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET,
                                                 NLM_F_REQUEST | NLM_F_DUMP, AF_INET);
        size_t n = 0;

        assert_non_null(m);
        assert_int_equal(netfilter_dump(netfilter, m, count_one, &n), 0);
        netfilter_message_free(m);
        return n;
}

static void lo_up(void)
{
        struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
        fd_close(fd);
}

static void say(uint16_t port)
{
        const struct sockaddr_in to = { .sin_family = AF_INET,
                                        .sin_port = htons(port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        assert_int_equal(sendto(fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof(to)), 1);
        fd_close(fd);
}

static int setup(void **state)
{
        _drop_(drop_transaction) Transaction *t = NULL;
        Netfilter *netfilter;

        if (unshare(CLONE_NEWNET | (geteuid() != 0 ? CLONE_NEWUSER : 0)) < 0) {
                print_message("# cannot make a network namespace: %s\n", strerror(errno));
                skip();
        }
        assert_int_equal(transaction_new(&t), 0);
        if (transaction_run(t,
                            "table inet t { chain c { type filter hook output priority 0; "
                            "ct state new accept; }; }\n",
                            NULL) < 0) {
                print_message("# this kernel has no nftables, or tracks no connections\n");
                skip();
        }
        lo_up();
        assert_int_equal(netfilter_open(&netfilter, NULL), 0);
        *state = netfilter;
        return 0;
}

static int teardown(void **state)
{
        netfilter_close(*state);
        return 0;
}

/* Each with a receiver, as the refusal of an empty port ends what was tracked. */
static void test_cuts(void **state)
{
        struct sockaddr_in own = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        FirewallContainer c = { .addresses.container4 = htonl(INADDR_LOOPBACK) };
        FirewallContainer stranger = { .addresses.container4 = htonl(0x0afe0006) };
        _drop_(egress_rule_done) EgressRule rule = EGRESS_RULE_INIT;
        int receivers[3];
        size_t n = 0;

        for (int i = 0; i < 3; i++) {
                own.sin_port = htons((uint16_t)(7001 + i));
                receivers[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
                assert_int_equal(bind(receivers[i], (const struct sockaddr *)&own, sizeof(own)), 0);
                say((uint16_t)(7001 + i));
        }
        assert_int_equal(count_connections(*state), 3);
        assert_int_equal(egress_rule_parse("host:7001-7002/udp", &rule, NULL), 0);
        c.rules = &rule;
        c.n_rules = 1;
        assert_int_equal(conntrack_cut(*state, &c, 1, &n, NULL), 0);
        assert_int_equal(n, 2);
        assert_int_equal(count_connections(*state), 1);
        /* This address is the host's, so a rule of what lies behind it is not about it. */
        egress_rule_done(&rule);
        assert_int_equal(egress_rule_parse("any/udp", &rule, NULL), 0);
        assert_int_equal(conntrack_cut(*state, &c, 1, &n, NULL), 0);
        assert_int_equal(n, 0);
        assert_int_equal(count_connections(*state), 1);
        /* Nor is it with another container, until it is. */
        c.n_rules = 0;
        assert_int_equal(conntrack_cut(*state, (FirewallContainer[]){ c, stranger }, 2, &n, NULL),
                         0);
        assert_int_equal(n, 0);
        assert_int_equal(
                conntrack_cut(*state, (FirewallContainer[]){ c, stranger, c }, 3, &n, NULL), 0);
        assert_int_equal(n, 1);
        assert_int_equal(count_connections(*state), 0);
        for (int i = 0; i < 3; i++)
                fd_close(receivers[i]);
}

static void test_forgets(void **state)
{
        struct sockaddr_in own = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        FirewallContainer other = { .addresses.container4 = htonl(0x0afe0002) };
        FirewallContainer c = { .addresses.container4 = htonl(INADDR_LOOPBACK) };
        const FirewallContainer *gone[] = { &other, &c };
        int receiver = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        own.sin_port = htons(7001);
        assert_int_equal(bind(receiver, (const struct sockaddr *)&own, sizeof(own)), 0);
        say(7001);
        say(7001);
        assert_int_equal(count_connections(*state), 2);
        assert_int_equal(conntrack_forget(*state, gone, 1), 0);
        assert_int_equal(count_connections(*state), 2);
        assert_int_equal(conntrack_forget(*state, gone, 2), 0);
        assert_int_equal(count_connections(*state), 0);
        assert_int_equal(conntrack_forget(*state, gone, 2), 0);
        assert_int_equal(conntrack_forget(*state, gone, 0), 0);
        fd_close(receiver);
}

static void test_containers(void **state)
{
        const NetworkAddresses a = addresses();
        const Connection begun = made(AF_INET, "10.254.0.2", "192.0.2.7", "192.0.2.7", IPPROTO_TCP,
                                      80);
        const Connection direct = made(AF_INET, "192.0.2.7", "10.254.0.2", "10.254.0.2",
                                       IPPROTO_TCP, 80);
        const Connection forwarded = made(AF_INET6, "2001:db8::2", "2001:db8::1", "fd00::2",
                                          IPPROTO_TCP, 80);
        const Connection other = made(AF_INET, "192.0.2.7", "192.0.2.1", "10.254.0.6", IPPROTO_TCP,
                                      80);

        assert_true(connection_has_container(&begun, &a));
        assert_true(connection_has_container(&direct, &a));
        assert_true(connection_has_container(&forwarded, &a));
        assert_false(connection_has_container(&other, &a));
}

static void test_refuses_what_is_no_connection(void **state)
{
        struct nl_msg *m = netfilter_message_new(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW, 0,
                                                 AF_INET);
        Connection c = { .protocol = 99 };

        assert_non_null(m);
        assert_int_equal(connection_parse(nlmsg_hdr(m), &c), -EBADMSG);
        assert_int_equal(c.protocol, 99);
        netfilter_message_free(m);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "knows what comes by a forward", test_forwards, NULL, NULL, NULL },
                { "knows what a rule allows", test_rules, NULL, NULL, NULL },
                { "knows what is between two containers", test_between, NULL, NULL, NULL },
                { "cuts what a rule allows, and nothing else", test_cuts, setup, teardown, NULL },
                { "knows what a container has begun or gets", test_containers, NULL, NULL, NULL },
                { "forgets what containers that are gone had", test_forgets, setup, teardown,
                  NULL },
                { "refuses what is no connection", test_refuses_what_is_no_connection, NULL, NULL,
                  NULL },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
