/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With a kernel of our own, in place of libnl's sending and receiving, that is in its own way when
 * it is told to. */

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "basic/macro.h"
#include "firewall/conntrack.h"

/* What is received for one request, one after the other: of a list, its parts. */
typedef enum Step {
        STEP_OVER,        /* end of the list, or the acknowledgement */
        STEP_END,         /* of the list, as the kernel writes it */
        STEP_BROKEN,      /* the same, but it could not go on: EMSGSIZE */
        STEP_ITEM,        /* of the list */
        STEP_CHANGED,     /* the same, and it has changed since it was begun */
        STEP_STRANGE,     /* the end of another request's */
        STEP_BUSY,        /* EBUSY */
        STEP_AGAIN,       /* EAGAIN */
        STEP_REFUSED,     /* EPERM */
        STEP_INTERRUPTED, /* by a signal, before anything came */
        STEP_OVERRUN,     /* ENOBUFS: answers are lost */
} Step;

typedef struct Kernel {
        const Step *steps; /* of all requests; what follows STEP_OVER is the next request's */
        size_t n_steps, step;
        unsigned n_requests, n_opened;
        uint32_t number; /* of the last request */
} Kernel;

static Kernel kernel;

static void begin(const Step *steps, size_t n)
{
        kernel = (Kernel){ .steps = steps, .n_steps = n };
}

int __wrap_nl_connect(struct nl_sock *socket, int protocol);
int __wrap_nl_send(struct nl_sock *socket, struct nl_msg *message);
int __wrap_nl_recv(struct nl_sock *socket, struct sockaddr_nl *from, unsigned char **buffer,
                   struct ucred **credentials);

int __wrap_nl_connect(struct nl_sock *socket, int protocol)
{
        kernel.n_opened++;
        return 0;
}

int __wrap_nl_send(struct nl_sock *socket, struct nl_msg *message)
{
        uint32_t number = nlmsg_hdr(message)->nlmsg_seq;

        /* An answer to the one before must not be taken for one to this. */
        assert_int_not_equal(number, kernel.number);
        kernel.number = number;
        kernel.n_requests++;
        return (int)nlmsg_hdr(message)->nlmsg_len;
}

static int answer(int type, int flags, uint32_t number, int error, unsigned char **ret)
{
        struct nlmsgerr body = { .error = error };
        struct nl_msg *m = nlmsg_alloc_simple(type, flags);
        int size;

        assert_non_null(m);
        nlmsg_hdr(m)->nlmsg_seq = number;
        assert_int_equal(nlmsg_append(m, &body, sizeof(body), NLMSG_ALIGNTO), 0);
        size = (int)nlmsg_hdr(m)->nlmsg_len;
        *ret = malloc((size_t)size);
        assert_non_null(*ret);
        memcpy(*ret, nlmsg_hdr(m), (size_t)size);
        nlmsg_free(m);
        return size;
}

int __wrap_nl_recv(struct nl_sock *socket, struct sockaddr_nl *from, unsigned char **buffer,
                   struct ucred **credentials)
{
        const int item = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW;

        /* Where nothing more is to come a real kernel would let us wait for ever. */
        assert_true(kernel.step < kernel.n_steps);
        switch (kernel.steps[kernel.step++]) {
        case STEP_OVER:
                return answer(NLMSG_ERROR, 0, kernel.number, 0, buffer);
        case STEP_END:
                return answer(NLMSG_DONE, NLM_F_MULTI, kernel.number, 0, buffer);
        case STEP_BROKEN:
                return answer(NLMSG_DONE, NLM_F_MULTI, kernel.number, -EMSGSIZE, buffer);
        case STEP_ITEM:
                return answer(item, NLM_F_MULTI, kernel.number, 0, buffer);
        case STEP_CHANGED:
                return answer(item, NLM_F_MULTI | NLM_F_DUMP_INTR, kernel.number, 0, buffer);
        case STEP_STRANGE:
                return answer(NLMSG_ERROR, 0, kernel.number - 1, -EPERM, buffer);
        case STEP_BUSY:
                return answer(NLMSG_ERROR, 0, kernel.number, -EBUSY, buffer);
        case STEP_AGAIN:
                return answer(NLMSG_ERROR, 0, kernel.number, -EAGAIN, buffer);
        case STEP_REFUSED:
                return answer(NLMSG_ERROR, 0, kernel.number, -EPERM, buffer);
        case STEP_INTERRUPTED:
                return -NLE_INTR;
        case STEP_OVERRUN:
                return -NLE_NOMEM;
        }
        return -NLE_FAILURE;
}

static int setup(void **state)
{
        Netfilter *netfilter;

        begin(NULL, 0);
        assert_int_equal(netfilter_open(&netfilter, NULL), 0);
        *state = netfilter;
        return 0;
}

static int teardown(void **state)
{
        netfilter_close(*state);
        return 0;
}

static int count(void *userdata, struct nlmsghdr *h)
{
        ++*(unsigned *)userdata;
        return 0;
}

/* @ret_n   how many items came */
static int dump(Netfilter *netfilter, unsigned *ret_n)
{
        struct nl_msg *m = netfilter_message_new(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET,
                                                 NLM_F_REQUEST | NLM_F_DUMP, AF_INET);
        int r;

        assert_non_null(m);
        *ret_n = 0;
        r = netfilter_dump(netfilter, m, count, ret_n);
        netfilter_message_free(m);
        return r;
}

static int call(Netfilter *netfilter)
{
        struct nl_msg *m = netfilter_message_new(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE,
                                                 NLM_F_REQUEST, AF_INET);
        int r;

        assert_non_null(m);
        r = netfilter_call(netfilter, m);
        netfilter_message_free(m);
        return r;
}

static void test_dump(void **state)
{
        static const Step steps[] = { STEP_STRANGE, STEP_ITEM, STEP_INTERRUPTED, STEP_ITEM,
                                      STEP_OVER };
        unsigned n;

        begin(steps, ELEMENTSOF(steps));
        assert_int_equal(dump(*state, &n), 0);
        assert_int_equal(n, 2);
        assert_int_equal(kernel.n_requests, 1);
}

/* It is read to its end all the same: the next request's answers come after it. */
static void test_dump_changed(void **state)
{
        static const Step steps[] = { STEP_ITEM, STEP_CHANGED, STEP_ITEM, STEP_OVER };
        unsigned n;

        begin(steps, ELEMENTSOF(steps));
        assert_int_equal(dump(*state, &n), -EINTR);
        assert_int_equal(kernel.step, ELEMENTSOF(steps));
}

static void test_dump_broken(void **state)
{
        static const Step steps[] = { STEP_ITEM, STEP_BROKEN, STEP_ITEM, STEP_END };
        unsigned n;

        begin(steps, ELEMENTSOF(steps));
        assert_int_equal(dump(*state, &n), -EMSGSIZE);
        assert_int_equal(dump(*state, &n), 0);
        assert_int_equal(n, 1);
        assert_int_equal(kernel.step, ELEMENTSOF(steps));
}

static void test_dump_overrun(void **state)
{
        static const Step steps[] = { STEP_ITEM, STEP_OVERRUN, STEP_ITEM, STEP_OVER };
        unsigned n;

        begin(steps, ELEMENTSOF(steps));
        assert_int_equal(dump(*state, &n), -ENOBUFS);
        /* Not read on, where nothing may come; and the next is not told that a list goes on. */
        assert_int_equal(kernel.step, 2);
        assert_int_equal(kernel.n_opened, 1);
        assert_int_equal(dump(*state, &n), 0);
        assert_int_equal(n, 1);
}

static void test_call(void **state)
{
        static const Step steps[] = { STEP_BUSY, STEP_AGAIN, STEP_OVERRUN, STEP_INTERRUPTED,
                                      STEP_OVER };

        begin(steps, ELEMENTSOF(steps));
        assert_int_equal(call(*state), 0);
        assert_int_equal(kernel.n_requests, 4);
        assert_int_equal(kernel.n_opened, 1);
}

static void test_call_refused(void **state)
{
        static const Step steps[] = { STEP_REFUSED };

        begin(steps, ELEMENTSOF(steps));
        assert_int_equal(call(*state), -EPERM);
        assert_int_equal(kernel.n_requests, 1);
}

static void test_call_gives_up(void **state)
{
        Step steps[NETFILTER_ATTEMPTS_MAX];

        for (size_t i = 0; i < ELEMENTSOF(steps); i++)
                steps[i] = STEP_BUSY;
        begin(steps, ELEMENTSOF(steps));
        assert_int_equal(call(*state), -EBUSY);
        assert_int_equal(kernel.n_requests, NETFILTER_ATTEMPTS_MAX);
}

/* What uses lists: a table that changes under it is listed anew, as is one that was lost. */
static void test_cut(void **state)
{
        static const Step steps[] = { STEP_CHANGED, STEP_OVER, STEP_OVERRUN,
                                      STEP_BUSY,    STEP_ITEM, STEP_OVER };
        const FirewallContainer c = { .n_rules = 0 };
        size_t n = 1;

        begin(steps, ELEMENTSOF(steps));
        assert_int_equal(conntrack_cut(*state, &c, 1, &n, NULL), 0);
        assert_int_equal(n, 0);
        assert_int_equal(kernel.n_requests, 4);
        assert_int_equal(kernel.step, ELEMENTSOF(steps));
}

static void test_cut_gives_up(void **state)
{
        Step steps[2 * NETFILTER_ATTEMPTS_MAX];
        const FirewallContainer c = { .n_rules = 0 };
        Fault fault = FAULT_INIT;
        size_t n;

        for (size_t i = 0; i < ELEMENTSOF(steps); i++)
                steps[i] = i % 2 ? STEP_OVER : STEP_CHANGED;
        begin(steps, ELEMENTSOF(steps));
        assert_int_equal(conntrack_cut(*state, &c, 1, &n, &fault), -EINTR);
        assert_int_equal(kernel.n_requests, NETFILTER_ATTEMPTS_MAX);
        assert_non_null(strstr(fault.text, "cannot cut connections"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "lists, whoever else is answered", test_dump, setup, teardown, NULL },
                { "tells of a list that has changed, at its end", test_dump_changed, setup,
                  teardown, NULL },
                { "tells of a list that the kernel has not finished", test_dump_broken, setup,
                  teardown, NULL },
                { "begins anew after answers were lost", test_dump_overrun, setup, teardown, NULL },
                { "repeats a call when the kernel says so", test_call, setup, teardown, NULL },
                { "repeats no other", test_call_refused, setup, teardown, NULL },
                { "gives up a call in the end", test_call_gives_up, setup, teardown, NULL },
                { "cuts by a list that is whole", test_cut, setup, teardown, NULL },
                { "gives up a list in the end", test_cut_gives_up, setup, teardown, NULL },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
