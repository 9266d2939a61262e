/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "wire/job-record.h"
#include "wire/record.h"

static JobRecord *make_record(void)
{
        JobRecord *record = job_record_new();

        assert_non_null(record);
        record->id = 7;
        assert_int_equal(strv_append(&record->argv, "/bin/sh"), 0);
        assert_int_equal(strv_append(&record->argv, ""), 0);
        record->pid = 42;
        record->start_usec = UINT64_C(1700000000000000);
        return record;
}

static int pass(const JobRecord *record, JobRecord **ret)
{
        WireWriter w = WIRE_WRITER_INIT;
        int r;

        assert_int_equal(job_record_encode(record, &w), 0);
        r = job_record_decode(w.data, w.size, ret);
        wire_writer_done(&w);
        return r;
}

static void refuse(const JobRecord *record)
{
        JobRecord *back = NULL;

        assert_int_equal(pass(record, &back), -EBADMSG);
        assert_null(back);
}

static void test_running(void **state)
{
        _drop_(drop_job_record) JobRecord *record = make_record(), *back = NULL;

        assert_int_equal(pass(record, &back), 0);
        assert_int_equal(back->id, 7);
        assert_true(strv_equal(back->argv, record->argv));
        assert_null(back->user);
        assert_null(back->identifier);
        assert_int_equal(back->pid, 42);
        assert_true(back->start_usec == record->start_usec);
        assert_false(back->is_ended);
        assert_false(back->is_lost);
        assert_false(back->is_tty);
}

static void test_ended(void **state)
{
        _drop_(drop_job_record) JobRecord *record = make_record(), *back = NULL;
        WireWriter a = WIRE_WRITER_INIT, b = WIRE_WRITER_INIT;

        record->user = strdup("nobody:1");
        record->identifier = strdup("nightly backup");
        record->is_tty = 1;
        record->is_ended = 1;
        record->signal = 11;
        record->is_core = 1;
        record->end_usec = UINT64_MAX;
        assert_int_equal(job_record_encode(record, &a), 0);
        assert_int_equal(job_record_decode(a.data, a.size, &back), 0);
        assert_string_equal(back->user, "nobody:1");
        assert_string_equal(back->identifier, "nightly backup");
        assert_true(back->is_tty && back->is_ended && back->is_core);
        assert_int_equal(back->signal, 11);
        assert_true(back->end_usec == UINT64_MAX);
        assert_int_equal(job_record_encode(back, &b), 0);
        assert_int_equal(a.size, b.size);
        assert_memory_equal(a.data, b.data, a.size);
        wire_writer_done(&a);
        wire_writer_done(&b);
}

static void test_streams(void **state)
{
        _drop_(drop_job_record) JobRecord *record = make_record(), *back = NULL;

        record->has_stdin = 1;
        record->log = JOB_LOG_BOTH;
        record->stdout_bytes = UINT64_MAX;
        record->stderr_bytes = 1;
        assert_int_equal(pass(record, &back), 0);
        assert_true(back->has_stdin);
        assert_int_equal(back->log, JOB_LOG_BOTH);
        assert_true(back->stdout_bytes == UINT64_MAX);
        assert_int_equal(back->stderr_bytes, 1);
        assert_null(back->end_reason);
}

static void test_reason(void **state)
{
        _drop_(drop_job_record) JobRecord *record = make_record(), *back = NULL;
        char reason[] = "container";

        record->end_reason = reason;
        refuse(record); /* it runs */
        record->is_lost = 1;
        assert_int_equal(pass(record, &back), 0);
        assert_string_equal(back->end_reason, "container");
        assert_false(back->is_released);
        back = job_record_free(back);
        record->is_released = 1;
        assert_int_equal(pass(record, &back), 0);
        assert_true(back->is_released);
        reason[0] = 0;
        refuse(record);
        reason[0] = '\n';
        reason[1] = 0;
        refuse(record);
        record->end_reason = NULL;
}

/* A file of a version before this one says less. */
static void test_older(void **state)
{
        _drop_(drop_job_record) JobRecord *back = NULL;
        WireWriter w = WIRE_WRITER_INIT;

        record_begin(&w, RECORD_JOB, JOB_RECORD_VERSION);
        wire_put_u64(&w, 1, 7);
        wire_put_string(&w, 32, "true");
        assert_int_equal(job_record_decode(w.data, w.size, &back), 0);
        assert_int_equal(back->log, JOB_LOG_RING);
        assert_false(back->has_stdin);
        assert_int_equal(back->stdout_bytes, 0);
        assert_false(back->is_released);
        wire_writer_done(&w);
}

static void test_unknown_log(void **state)
{
        WireWriter w = WIRE_WRITER_INIT;
        JobRecord *back = NULL;

        record_begin(&w, RECORD_JOB, JOB_RECORD_VERSION);
        wire_put_u64(&w, 1, 7);
        wire_put_string(&w, 14, "somewhere");
        wire_put_string(&w, 32, "true");
        assert_int_equal(job_record_decode(w.data, w.size, &back), -EBADMSG);
        wire_writer_done(&w);
}

static void test_contradictions(void **state)
{
        _drop_(drop_job_record) JobRecord *record = make_record();

        record->is_released = 1;
        refuse(record); /* only what has ended can be released */
        record->is_released = 0;
        record->code = 1;
        refuse(record); /* a code of a job that runs */
        record->is_ended = 1;
        record->is_lost = 1;
        refuse(record);
        record->is_lost = 0;
        record->signal = 9;
        refuse(record); /* exited and killed */
        record->signal = 0;
        record->is_core = 1;
        refuse(record); /* exited with a core */
        record->is_core = 0;
        record->code = 256;
        refuse(record);
        record->code = 0;
        record->signal = 65;
        refuse(record);
}

static void test_values(void **state)
{
        _drop_(drop_job_record) JobRecord *record = make_record();

        record->id = 0;
        refuse(record);
        record->id = 1;
        record->pid = 1U << 31;
        refuse(record);
        record->pid = 0;
        record->user = strdup("4294967295");
        refuse(record);
        free(record->user);
        record->user = NULL;
        record->identifier = strdup("a\nb");
        refuse(record);
        free(record->identifier);
        record->identifier = NULL;
        record->argv[0][0] = 0;
        refuse(record);
        record->argv = strv_free(record->argv);
        refuse(record);
}

static void test_truncation(void **state)
{
        _drop_(drop_job_record) JobRecord *record = make_record();
        WireWriter w = WIRE_WRITER_INIT;

        assert_int_equal(job_record_encode(record, &w), 0);
        for (size_t size = 0; size < w.size; size++) {
                _drop_(drop_job_record) JobRecord *back = NULL;
                int r = job_record_decode(w.data, size, &back);

                /* It may end behind the first argument: lists may be shorter. */
                assert_int_equal(r, size == w.size - 7 ? 0 : -EBADMSG);
        }
        wire_writer_done(&w);
}

static void test_versions(void **state)
{
        _drop_(drop_job_record) JobRecord *record = make_record(), *back = NULL;
        WireWriter w = WIRE_WRITER_INIT;

        assert_int_equal(job_record_encode(record, &w), 0);
        wire_put_string(&w, 999, "of a newer daemon");
        assert_int_equal(job_record_decode(w.data, w.size, &back), 0);
        wire_put_u64(&w, 1, 8); /* a second id */
        assert_int_equal(job_record_decode(w.data, w.size, &(JobRecord *){ NULL }), -EBADMSG);
        w.data[6]++;
        assert_int_equal(job_record_decode(w.data, w.size, &(JobRecord *){ NULL }),
                         -EPROTONOSUPPORT);
        wire_writer_done(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "carries a running job", test_running },
                { "carries an ended job, and again to the byte", test_ended },
                { "keeps what is known of the streams", test_streams },
                { "has a reason for an end, and for nothing else", test_reason },
                { "reads the file of a version that kept less", test_older },
                { "refuses a place for the output that it does not know", test_unknown_log },
                { "refuses an end that contradicts itself", test_contradictions },
                { "checks each value as if a client had sent it", test_values },
                { "refuses every cut but behind an argument", test_truncation },
                { "knows its version, a second id, and unknown tags", test_versions },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
