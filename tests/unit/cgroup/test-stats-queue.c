/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include <cmocka.h>

#include "basic/macro.h"
#include "cgroup/stats-queue.h"

/* As the kernel puts it together: kind, then the numbers in an attribute of attributes. */
typedef struct Answer {
        struct nlmsghdr header;
        struct tcmsg body;
        struct rtattr kind_header;
        char kind[8];
        struct rtattr stats_header, queue_header;
        struct gnet_stats_queue queue;
} Answer;

static Answer make_answer(void)
{
        return (Answer){
                .header = { .nlmsg_len = sizeof(Answer), .nlmsg_type = RTM_NEWQDISC },
                .kind_header = { RTA_LENGTH(sizeof("tbf")), TCA_KIND },
                .kind = "tbf",
                .stats_header = { RTA_LENGTH(RTA_LENGTH(sizeof(struct gnet_stats_queue))),
                                  TCA_STATS2 },
                .queue_header = { RTA_LENGTH(sizeof(struct gnet_stats_queue)), TCA_STATS_QUEUE },
                .queue = { .drops = 7, .overlimits = 9 },
        };
}

/* The name of four bytes takes four. */
static size_t pack(const Answer *answer, uint8_t *ret)
{
        size_t head = offsetof(Answer, kind) + 4, tail = offsetof(Answer, stats_header);
        Answer copy = *answer;

        if (copy.header.nlmsg_len == sizeof(Answer))
                copy.header.nlmsg_len -= 4;
        memcpy(ret, &copy, head);
        memcpy(ret + head, (uint8_t *)&copy + tail, sizeof(copy) - tail);
        return sizeof(copy) - 4;
}

static int parse(const Answer *answer, QueueStats *ret)
{
        uint64_t buffer[64];
        size_t size = pack(answer, (uint8_t *)buffer);

        return queue_stats_parse(buffer, size, ret);
}

static void test_reads(void **state)
{
        Answer answer = make_answer();
        QueueStats queue;

        assert_int_equal(parse(&answer, &queue), 0);
        assert_int_equal(queue.dropped, 7);
        assert_int_equal(queue.delayed, 9);
        answer.stats_header.rta_type |= NLA_F_NESTED;
        assert_int_equal(parse(&answer, &queue), 0);
}

static void test_others(void **state)
{
        Answer answer = make_answer();
        QueueStats queue;

        memcpy(answer.kind, "fq", 3);
        assert_int_equal(parse(&answer, &queue), -ENODATA);
        answer = make_answer();
        answer.header.nlmsg_type = NLMSG_ERROR;
        assert_int_equal(parse(&answer, &queue), -ENODATA);
        answer = make_answer();
        answer.stats_header.rta_type = TCA_STATS;
        assert_int_equal(parse(&answer, &queue), -EBADMSG);
        answer = make_answer();
        answer.queue_header.rta_len--;
        assert_int_equal(parse(&answer, &queue), -EBADMSG);
        answer = make_answer();
        answer.header.nlmsg_len = sizeof(struct nlmsghdr);
        assert_int_equal(parse(&answer, &queue), -EBADMSG);
}

static void test_cuts(void **state)
{
        Answer answer = make_answer();
        uint64_t buffer[64];
        size_t size = pack(&answer, (uint8_t *)buffer);
        QueueStats queue;

        for (size_t n = 0; n < size; n++)
                assert_int_equal(queue_stats_parse(buffer, n, &queue), -EBADMSG);
        for (size_t n = sizeof(struct nlmsghdr); n < size; n++) {
                int r;

                ((struct nlmsghdr *)(void *)buffer)->nlmsg_len = (uint32_t)n;
                r = queue_stats_parse(buffer, n, &queue);
                assert_true(r == -EBADMSG || r == -ENODATA);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "reads what a token bucket dropped and delayed", test_reads },
                { "takes no other queue for one", test_others },
                { "refuses an answer that is cut", test_cuts },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
