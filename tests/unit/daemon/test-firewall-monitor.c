/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/firewall-monitor.h"

typedef struct Datagram {
        _Alignas(8) uint8_t data[512];
        size_t size;
} Datagram;

static void add(Datagram *d, int type, uint16_t attribute, const char *text)
{
        struct nlmsghdr *h = (void *)(d->data + d->size);
        struct nlattr *a = (void *)((uint8_t *)h + NLMSG_HDRLEN + sizeof(struct nfgenmsg));

        h->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
        a->nla_type = attribute;
        a->nla_len = (uint16_t)(NLA_HDRLEN + strlen(text) + 1);
        memcpy(a + 1, text, strlen(text) + 1);
        h->nlmsg_len = (uint32_t)(NLMSG_HDRLEN + sizeof(struct nfgenmsg) + NLA_ALIGN(a->nla_len));
        d->size += NLMSG_ALIGN(h->nlmsg_len);
}

static int parse(const Datagram *d, int *touched)
{
        return firewall_monitor_parse(d->data, d->size, touched);
}

static void test_sees_others(void **state)
{
        Datagram d = { .size = 0 };
        int touched = 0;

        add(&d, NFT_MSG_DELTABLE, NFTA_TABLE_NAME, "filter");
        add(&d, NFT_MSG_DELTABLE, NFTA_TABLE_NAME, "warden");
        assert_int_equal(parse(&d, &touched), 0);
        assert_true(touched);
        d.size = 0;
        add(&d, NFT_MSG_NEWGEN, NFTA_GEN_PROC_NAME, "nft");
        assert_int_equal(parse(&d, &touched), 1);
        assert_false(touched);
}

static void test_is_not_told_of_ourselves(void **state)
{
        Datagram d = { .size = 0 };
        int touched = 0;

        add(&d, NFT_MSG_NEWSETELEM, NFTA_SET_ELEM_LIST_TABLE, "warden");
        add(&d, NFT_MSG_NEWGEN, NFTA_GEN_PROC_NAME, "warden-firewall");
        assert_int_equal(parse(&d, &touched), 0);
        assert_false(touched);
}

static void test_leaves_others_alone(void **state)
{
        Datagram d = { .size = 0 };
        int touched = 0;

        add(&d, NFT_MSG_NEWRULE, NFTA_RULE_TABLE, "docker");
        add(&d, NFT_MSG_NEWRULE, NFTA_RULE_TABLE, "warden2");
        add(&d, NFT_MSG_NEWGEN, NFTA_GEN_PROC_NAME, "firewalld");
        assert_int_equal(parse(&d, &touched), 0);
}

static void test_keeps_to_the_bounds(void **state)
{
        Datagram d = { .size = 0 };

        add(&d, NFT_MSG_DELTABLE, NFTA_TABLE_NAME, "warden");
        add(&d, NFT_MSG_NEWGEN, NFTA_GEN_PROC_NAME, "nft");
        for (size_t n = 0; n < d.size; n++) {
                Datagram cut = d;
                int touched = 0;

                cut.size = n;
                memset(cut.data + n, 0xff, sizeof(cut.data) - n);
                assert_int_equal(parse(&cut, &touched), 0);
        }
        /* An attribute that is longer than its message. */
        ((struct nlattr *)(void *)(d.data + NLMSG_HDRLEN + sizeof(struct nfgenmsg)))->nla_len = 400;
        {
                int touched = 0;

                assert_int_equal(parse(&d, &touched), 0);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "says when somebody else has changed our table", test_sees_others },
                { "does not count our own changes", test_is_not_told_of_ourselves },
                { "does not care about other tables", test_leaves_others_alone },
                { "reads nothing behind a message's end", test_keeps_to_the_bounds },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
