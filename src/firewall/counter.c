/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/macro.h"
#include "basic/map.h"
#include "firewall/counter.h"

#define TABLE "warden"

void counter_name(const char *id, unsigned number, char ret[COUNTER_NAME_MAX])
{
        (void)snprintf(ret, COUNTER_NAME_MAX, "rule-%s-%u", id, number);
}

/* -- reading answers -- */

static struct nlattr *find(struct nlattr *nested, int type)
{
        return nested ? nla_find(nla_data(nested), nla_len(nested), type) : NULL;
}

static uint64_t read_u64(struct nlattr *nested, int type)
{
        struct nlattr *a = find(nested, type);
        uint64_t value = 0;

        if (a && nla_len(a) == (int)sizeof(value))
                memcpy(&value, nla_data(a), sizeof(value));
        return be64toh(value);
}

static FirewallCount read_count(struct nlattr *counter)
{
        return (FirewallCount){ .packets = read_u64(counter, NFTA_COUNTER_PACKETS),
                                .bytes = read_u64(counter, NFTA_COUNTER_BYTES) };
}

static struct nlattr *find_in_answer(struct nlmsghdr *answer, int type)
{
        if (nlmsg_datalen(answer) < (int)sizeof(struct nfgenmsg))
                return NULL;
        return nlmsg_find_attr(answer, sizeof(struct nfgenmsg), type);
}

/* Of an element: its key, the name of an interface, and its counter. 0; -EBADMSG. */
static int read_element(struct nlattr *element, char ret_interface[NETWORK_INTERFACE_MAX],
                        FirewallCount *ret)
{
        struct nlattr *key = find(find(element, NFTA_SET_ELEM_KEY), NFTA_DATA_VALUE);

        if (!key || nla_len(key) != NETWORK_INTERFACE_MAX)
                return -EBADMSG;
        memcpy(ret_interface, nla_data(key), NETWORK_INTERFACE_MAX);
        ret_interface[NETWORK_INTERFACE_MAX - 1] = 0;
        *ret = read_count(find(find(element, NFTA_SET_ELEM_EXPR), NFTA_EXPR_DATA));
        return 0;
}

/* -- one container -- */

static int on_counter(void *userdata, struct nlmsghdr *answer)
{
        FirewallCount *count = userdata;

        *count = read_count(find_in_answer(answer, NFTA_OBJ_DATA));
        return 0;
}

static int on_element(void *userdata, struct nlmsghdr *answer)
{
        char interface[NETWORK_INTERFACE_MAX];
        FirewallCount *count = userdata;
        struct nlattr *elements = find_in_answer(answer, NFTA_SET_ELEM_LIST_ELEMENTS);
        struct nlattr *element = find(elements, NFTA_LIST_ELEM);

        return element ? read_element(element, interface, count) : -EBADMSG;
}

/* A question about one thing, which need not be there.
 * @flags   NLM_F_ACK: one; NLM_F_DUMP: all */
static struct nl_msg *new_question(int type, int flags)
{
        return netfilter_message_new(NFNL_SUBSYS_NFTABLES, type, NLM_F_REQUEST | flags,
                                     NFPROTO_INET);
}

static int ask(Netfilter *netfilter, struct nl_msg *m, int r,
               int (*func)(void *userdata, struct nlmsghdr *answer), void *userdata)
{
        if (!m || r < 0)
                return -ENOMEM;
        r = netfilter_dump(netfilter, m, func, userdata);
        return r == -ENOENT ? 0 : r;
}

static int read_rule(Netfilter *netfilter, const char *id, unsigned number, FirewallCount *ret)
{
        _drop_(drop_nl_msg) struct nl_msg *m = new_question(NFT_MSG_GETOBJ, NLM_F_ACK);
        char name[COUNTER_NAME_MAX];
        int r = 0;

        counter_name(id, number, name);
        if (m)
                r = nla_put_string(m, NFTA_OBJ_TABLE, TABLE);
        if (m && r >= 0)
                r = nla_put_string(m, NFTA_OBJ_NAME, name);
        if (m && r >= 0)
                r = nla_put_u32(m, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_COUNTER));
        return ask(netfilter, m, r, on_counter, ret);
}

static int put_element(struct nl_msg *m, const char *set, const char *interface)
{
        char key[NETWORK_INTERFACE_MAX] = "";
        struct nlattr *list, *element, *value;

        (void)snprintf(key, sizeof(key), "%s", interface);
        if (nla_put_string(m, NFTA_SET_ELEM_LIST_TABLE, TABLE) < 0 ||
            nla_put_string(m, NFTA_SET_ELEM_LIST_SET, set) < 0)
                return -ENOMEM;
        list = nla_nest_start(m, NFTA_SET_ELEM_LIST_ELEMENTS);
        element = list ? nla_nest_start(m, NFTA_LIST_ELEM) : NULL;
        value = element ? nla_nest_start(m, NFTA_SET_ELEM_KEY) : NULL;
        if (!value || nla_put(m, NFTA_DATA_VALUE, sizeof(key), key) < 0)
                return -ENOMEM;
        (void)nla_nest_end(m, value);
        (void)nla_nest_end(m, element);
        (void)nla_nest_end(m, list);
        return 0;
}

static int read_set(Netfilter *netfilter, const char *set, const char *interface,
                    FirewallCount *ret)
{
        _drop_(drop_nl_msg) struct nl_msg *m = new_question(NFT_MSG_GETSETELEM, NLM_F_ACK);
        int r = m ? put_element(m, set, interface) : 0;

        return ask(netfilter, m, r, on_element, ret);
}

int counters_read(Netfilter *netfilter, const FirewallContainer *c, FirewallCounters *ret)
{
        const char *interface = c->addresses.interface;
        FirewallCounters counters = { 0 };
        int r;

        r = read_set(netfilter, COUNTER_SET_REFUSED, interface, &counters.refused);
        if (r >= 0)
                r = read_set(netfilter, COUNTER_SET_FORGED, interface, &counters.forged);
        for (size_t i = 0; i < c->n_rules && r >= 0; i++) {
                unsigned number = c->rules[i].number;

                r = read_rule(netfilter, c->id, number, &counters.rules[number - 1]);
        }
        if (r >= 0)
                *ret = counters;
        return r;
}

/* -- all of them -- */

typedef struct Item {
        char name[COUNTER_NAME_MAX];
        FirewallCount count;
} Item;

struct CounterList {
        Map *items;
};

/* A listing under way. */
typedef struct Listing {
        CounterList *list;
        const char *set; /* NULL: named counters */
} Listing;

static void element_name(const char *set, const char *interface, char ret[COUNTER_NAME_MAX])
{
        (void)snprintf(ret, COUNTER_NAME_MAX, "%s %s", set, interface);
}

CounterList *counter_list_free(CounterList *list)
{
        Item *item;

        if (!list)
                return NULL;
        if (list->items)
                MAP_FOREACH(item, list->items)
                        free(item);
        map_free(list->items);
        free(list);
        return NULL;
}

/* The newer one counts: a listing may have been begun anew. */
static int list_add(CounterList *list, const char *name, FirewallCount count)
{
        Item *item = map_get(list->items, name);
        int r;

        if (item) {
                item->count = count;
                return 0;
        }
        item = calloc(1, sizeof(*item));
        if (!item)
                return -ENOMEM;
        (void)snprintf(item->name, sizeof(item->name), "%s", name);
        item->count = count;
        r = map_put(list->items, item->name, item);
        if (r < 0)
                free(item);
        return r;
}

static int on_listed_counter(void *userdata, struct nlmsghdr *answer)
{
        const Listing *listing = userdata;
        struct nlattr *name = find_in_answer(answer, NFTA_OBJ_NAME);
        char text[COUNTER_NAME_MAX];

        if (!name || nla_strlcpy(text, name, sizeof(text)) >= sizeof(text))
                return 0; /* none of ours */
        return list_add(listing->list, text, read_count(find_in_answer(answer, NFTA_OBJ_DATA)));
}

static int on_listed_elements(void *userdata, struct nlmsghdr *answer)
{
        const Listing *listing = userdata;
        struct nlattr *list = find_in_answer(answer, NFTA_SET_ELEM_LIST_ELEMENTS), *element;
        char interface[NETWORK_INTERFACE_MAX], name[COUNTER_NAME_MAX];
        int left, r = 0;

        if (!list)
                return 0;
        nla_for_each_nested(element, list, left)
        {
                FirewallCount count;

                if (r < 0 || read_element(element, interface, &count) < 0)
                        continue;
                element_name(listing->set, interface, name);
                r = list_add(listing->list, name, count);
        }
        return r;
}

static int list_once(Netfilter *netfilter, Listing *listing)
{
        int type = listing->set ? NFT_MSG_GETSETELEM : NFT_MSG_GETOBJ;
        _drop_(drop_nl_msg) struct nl_msg *m = new_question(type, NLM_F_DUMP);
        int r = 0;

        if (m && listing->set) {
                r = nla_put_string(m, NFTA_SET_ELEM_LIST_TABLE, TABLE);
                if (r >= 0)
                        r = nla_put_string(m, NFTA_SET_ELEM_LIST_SET, listing->set);
        } else if (m) {
                r = nla_put_string(m, NFTA_OBJ_TABLE, TABLE);
                if (r >= 0)
                        r = nla_put_u32(m, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_COUNTER));
        }
        return ask(netfilter, m, r, listing->set ? on_listed_elements : on_listed_counter, listing);
}

int counter_list_read(Netfilter *netfilter, CounterList **ret)
{
        static const char *const places[] = { NULL, COUNTER_SET_REFUSED, COUNTER_SET_FORGED };
        _drop_(drop_counter_list) CounterList *list = calloc(1, sizeof(*list));

        if (!list)
                return -ENOMEM;
        list->items = map_new();
        if (!list->items)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                Listing listing = { .list = list, .set = places[i] };
                int r = -EINTR;

                for (int k = 0; k < NETFILTER_ATTEMPTS_MAX && netfilter_is_transient(r); k++)
                        r = list_once(netfilter, &listing);
                if (r < 0)
                        return r;
        }
        *ret = take_ptr(list);
        return 0;
}

static const FirewallCount *find_count(const CounterList *list, const char *name)
{
        static const FirewallCount nothing = { 0 };
        const Item *item = list ? map_get(list->items, name) : NULL;

        return item ? &item->count : &nothing;
}

const FirewallCount *counter_list_find_rule(const CounterList *list, const char *id,
                                            unsigned number)
{
        char name[COUNTER_NAME_MAX];

        counter_name(id, number, name);
        return find_count(list, name);
}

const FirewallCount *counter_list_find_element(const CounterList *list, const char *set,
                                               const char *interface)
{
        char name[COUNTER_NAME_MAX];

        element_name(set, interface, name);
        return find_count(list, name);
}
