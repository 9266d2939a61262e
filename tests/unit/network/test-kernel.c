/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Links and shapers on kernels without one module or another: the answers are those that a real one
 * was seen to give. The interface is lo, of which nothing is changed. */

#include <errno.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "basic/macro.h"
#include "network/link.h"
#include "network/shaper.h"

typedef struct Kernel {
        int type;         /* of the message that is refused */
        const char *kind; /* and a word that is in it */
        int error;
        int answer; /* to the last message */
        uint32_t number;
} Kernel;

static Kernel kernel;

int __wrap_nl_send(struct nl_sock *socket, struct nl_msg *message);
int __wrap_nl_recv(struct nl_sock *socket, struct sockaddr_nl *from, unsigned char **buffer,
                   struct ucred **credentials);
unsigned __wrap_if_nametoindex(const char *name);

unsigned __wrap_if_nametoindex(const char *name)
{
        return 1;
}

int __wrap_nl_send(struct nl_sock *socket, struct nl_msg *message)
{
        const struct nlmsghdr *h = nlmsg_hdr(message);

        kernel.number = h->nlmsg_seq;
        kernel.answer = h->nlmsg_type == kernel.type &&
                                        memmem(h, h->nlmsg_len, kernel.kind, strlen(kernel.kind))
                                ? kernel.error
                                : 0;
        return (int)h->nlmsg_len;
}

int __wrap_nl_recv(struct nl_sock *socket, struct sockaddr_nl *from, unsigned char **buffer,
                   struct ucred **credentials)
{
        struct nlmsgerr body = { .error = kernel.answer };
        struct nl_msg *m = nlmsg_alloc_simple(NLMSG_ERROR, 0);
        int size;

        assert_non_null(m);
        nlmsg_hdr(m)->nlmsg_seq = kernel.number;
        assert_int_equal(nlmsg_append(m, &body, sizeof(body), NLMSG_ALIGNTO), 0);
        size = (int)nlmsg_hdr(m)->nlmsg_len;
        *buffer = malloc((size_t)size);
        assert_non_null(*buffer);
        memcpy(*buffer, nlmsg_hdr(m), (size_t)size);
        nlmsg_free(m);
        return size;
}

static int setup(void **state)
{
        Netlink *netlink;

        assert_int_equal(netlink_open(&netlink, NULL), 0);
        *state = netlink;
        return 0;
}

static int teardown(void **state)
{
        netlink_close(*state);
        return 0;
}

static void test_shaper(void **state)
{
        static const struct {
                BandwidthDirection direction;
                Kernel kernel;
                const char *expected;
        } cases[] = {
                { BANDWIDTH_RECEIVE,
                  { RTM_NEWQDISC, "tbf", -ENOENT },
                  "BandwidthReceiveMax: this kernel is without 'sch_tbf' (try 'modprobe -a "
                  "sch_tbf'): cannot make the token bucket: " },
                { BANDWIDTH_TRANSMIT,
                  { RTM_NEWLINK, "ifb", -EOPNOTSUPP },
                  "BandwidthTransmitMax: this kernel is without 'ifb' (try 'modprobe ifb')" },
                { BANDWIDTH_TRANSMIT,
                  { RTM_NEWQDISC, "tbf", -ENOENT },
                  "BandwidthTransmitMax: this kernel is without 'sch_tbf' (try" },
                { BANDWIDTH_TRANSMIT,
                  { RTM_NEWQDISC, "ingress", -ENOENT },
                  "BandwidthTransmitMax: this kernel is without 'sch_ingress' (try 'modprobe -a "
                  "sch_ingress')" },
                { BANDWIDTH_TRANSMIT,
                  { RTM_NEWTFILTER, "u32", -ENOENT },
                  "BandwidthTransmitMax: this kernel is without 'cls_u32 act_mirred' (try "
                  "'modprobe -a cls_u32 act_mirred')" },
        };
        const Bandwidth bandwidth = { .rate = 1000000 };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Fault fault = FAULT_INIT;

                kernel = cases[i].kernel;
                assert_int_equal(shaper_apply(*state, "lo", cases[i].direction, &bandwidth, &fault),
                                 -EOPNOTSUPP);
                assert_int_equal(fault.kind, FAULT_NOT_SUPPORTED);
                if (strncmp(fault.text, cases[i].expected, strlen(cases[i].expected)) != 0)
                        fail_msg("got '%s'", fault.text);
        }
        /* It was the kernel, and not the test. */
        kernel = (Kernel){ 0 };
        for (int i = 0; i < _BANDWIDTH_DIRECTION_MAX; i++)
                assert_int_equal(
                        shaper_apply(*state, "lo", (BandwidthDirection)i, &bandwidth, NULL), 0);
}

static void test_pair(void **state)
{
        NetworkAddresses addresses = { .pool = "default" };
        Fault fault = FAULT_INIT;

        network_addresses_name(&addresses, "00000000001");
        kernel = (Kernel){ RTM_NEWLINK, "veth", -EOPNOTSUPP };
        assert_int_equal(link_make_pair(*state, &addresses, "eth0", 0, 1500, &fault), -EOPNOTSUPP);
        assert_int_equal(fault.kind, FAULT_NOT_SUPPORTED);
        assert_string_equal(fault.text,
                            "Network=private: this kernel is without 'veth' (try 'modprobe veth'); "
                            "Network=none and Network=host do without");
        kernel = (Kernel){ 0 };
        assert_int_equal(link_make_pair(*state, &addresses, "eth0", 0, 1500, NULL), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "names what a limit of the bandwidth misses", test_shaper, setup, teardown,
                  NULL },
                { "names what a private network misses", test_pair, setup, teardown, NULL },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
