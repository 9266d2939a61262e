/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* With a kernel of our own, in place of libnl's sending and receiving. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "basic/macro.h"
#include "network/netlink.h"

#define INTERRUPTED 1 /* what is received is no answer: a signal */
#define OVERRUN 2     /* no memory for it */
#define STRANGE 3     /* another's */

typedef struct Kernel {
        const int *answers; /* an errno of the kernel's, or one of the above */
        size_t n_answers, answer;
        unsigned n_requests;
        uint32_t number; /* of the last request */
        int is_repeated; /* the last answer for ever */
} Kernel;

static Kernel kernel;

int __wrap_nl_send(struct nl_sock *socket, struct nl_msg *message);
int __wrap_nl_recv(struct nl_sock *socket, struct sockaddr_nl *from, unsigned char **buffer,
                   struct ucred **credentials);

int __wrap_nl_send(struct nl_sock *socket, struct nl_msg *message)
{
        const struct nlmsghdr *h = nlmsg_hdr(message);

        assert_true(h->nlmsg_flags & NLM_F_ACK);
        assert_int_not_equal(h->nlmsg_seq, kernel.number);
        kernel.number = h->nlmsg_seq;
        kernel.n_requests++;
        return (int)h->nlmsg_len;
}

static int error_answer(uint32_t number, int error, unsigned char **ret)
{
        struct nlmsgerr body = { .error = error };
        struct nl_msg *m = nlmsg_alloc_simple(NLMSG_ERROR, NLM_F_CAPPED | NLM_F_ACK_TLVS);
        int size;

        assert_non_null(m);
        nlmsg_hdr(m)->nlmsg_seq = number;
        assert_int_equal(nlmsg_append(m, &body, sizeof(body), NLMSG_ALIGNTO), 0);
        assert_int_equal(nla_put_string(m, NLMSGERR_ATTR_MSG, "the fake's own words"), 0);
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
        size_t i = kernel.answer;

        assert_true(i < kernel.n_answers);
        if (!kernel.is_repeated)
                kernel.answer++;
        if (kernel.answers[i] == INTERRUPTED)
                return -NLE_INTR;
        if (kernel.answers[i] == OVERRUN)
                return -NLE_NOMEM;
        if (kernel.answers[i] == STRANGE)
                return error_answer(kernel.number - 1, -EPERM, buffer);
        return error_answer(kernel.number, kernel.answers[i], buffer);
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

static int call(Netlink *netlink, const int *answers, size_t n, Fault *fault)
{
        struct nl_msg *m = nlmsg_alloc_simple(RTM_NEWLINK, 0);

        assert_non_null(m);
        kernel = (Kernel){ .answers = answers, .n_answers = n };
        return netlink_call(netlink, m, "do it", fault);
}

static void test_repeats(void **state)
{
        static const int answers[] = { -EINTR, -EAGAIN, -ENOBUFS, -ERESTART, 0 };

        assert_int_equal(call(*state, answers, ELEMENTSOF(answers), NULL), 0);
        assert_int_equal(kernel.n_requests, 5);
}

static void test_waits(void **state)
{
        static const int answers[] = { INTERRUPTED, STRANGE, INTERRUPTED, 0 };

        assert_int_equal(call(*state, answers, ELEMENTSOF(answers), NULL), 0);
        assert_int_equal(kernel.n_requests, 1);
}

/* What the routing family calls busy stays so. */
static void test_repeats_no_other(void **state)
{
        static const int answers[] = { -EBUSY };
        Fault fault = FAULT_INIT;

        assert_int_equal(call(*state, answers, ELEMENTSOF(answers), &fault), -EBUSY);
        assert_int_equal(kernel.n_requests, 1);
        assert_string_equal(fault.text,
                            "cannot do it: Device or resource busy (the fake's own words)");
}

/* Whether it was done is not known, and an interface must not be made twice. */
static void test_overrun(void **state)
{
        static const int answers[] = { OVERRUN };
        Fault fault = FAULT_INIT;

        assert_int_equal(call(*state, answers, ELEMENTSOF(answers), &fault), -ENOMEM);
        assert_int_equal(kernel.n_requests, 1);
        assert_string_equal(fault.text, "cannot do it: Cannot allocate memory");
}

static void test_gives_up(void **state)
{
        static const int answers[] = { -EAGAIN };
        struct nl_msg *m = nlmsg_alloc_simple(RTM_NEWLINK, 0);
        Fault fault = FAULT_INIT;

        assert_non_null(m);
        kernel = (Kernel){ .answers = answers, .n_answers = 1, .is_repeated = 1 };
        assert_int_equal(netlink_call(*state, m, "do it", &fault), -EAGAIN);
        assert_int_equal(kernel.n_requests, 8);
        assert_non_null(strstr(fault.text, "cannot do it: Resource temporarily unavailable"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "repeats what the kernel says to repeat", test_repeats, setup, teardown, NULL },
                { "waits for its own answer", test_waits, setup, teardown, NULL },
                { "repeats nothing else, and has the kernel's words", test_repeats_no_other, setup,
                  teardown, NULL },
                { "does nothing twice after a lost answer", test_overrun, setup, teardown, NULL },
                { "gives up in the end", test_gives_up, setup, teardown, NULL },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
