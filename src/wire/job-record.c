/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>

#include "model/job-spec.h"
#include "wire/job-record.h"
#include "wire/record.h"

enum {
        TAG_ID = 1,
        TAG_USER,
        TAG_IDENTIFIER,
        TAG_TTY,
        TAG_PID,
        TAG_START_USEC,
        TAG_ENDED,
        TAG_CODE,
        TAG_SIGNAL,
        TAG_CORE,
        TAG_END_USEC,
        TAG_LOST,
        TAG_HAS_STDIN,
        TAG_LOG, /* string, as clients write it */
        TAG_STDOUT_BYTES,
        TAG_STDERR_BYTES,
        TAG_END_REASON,
        TAG_RELEASED,
        TAG_OUTPUT_OPEN,
        _TAG_ONCE_MAX,
        TAG_ARGV = 32, /* repeated */
};

#define EXIT_CODE_MAX 255
#define SIGNAL_MAX 64
#define END_REASON_MAX 32

JobRecord *job_record_new(void)
{
        return calloc(1, sizeof(JobRecord));
}

JobRecord *job_record_free(JobRecord *record)
{
        if (!record)
                return NULL;
        strv_free(record->argv);
        free(record->user);
        free(record->identifier);
        free(record->end_reason);
        free(record);
        return NULL;
}

int job_record_encode(const JobRecord *record, WireWriter *w)
{
        record_begin(w, RECORD_JOB, JOB_RECORD_VERSION);
        wire_put_u64(w, TAG_ID, record->id);
        wire_put_string(w, TAG_USER, record->user);
        wire_put_string(w, TAG_IDENTIFIER, record->identifier);
        wire_put_u64(w, TAG_TTY, record->is_tty ? 1 : 0);
        wire_put_u64(w, TAG_PID, record->pid);
        wire_put_u64(w, TAG_START_USEC, record->start_usec);
        wire_put_u64(w, TAG_ENDED, record->is_ended ? 1 : 0);
        wire_put_u64(w, TAG_CODE, record->code);
        wire_put_u64(w, TAG_SIGNAL, record->signal);
        wire_put_u64(w, TAG_CORE, record->is_core ? 1 : 0);
        wire_put_u64(w, TAG_END_USEC, record->end_usec);
        wire_put_u64(w, TAG_LOST, record->is_lost ? 1 : 0);
        wire_put_u64(w, TAG_HAS_STDIN, record->has_stdin ? 1 : 0);
        wire_put_string(w, TAG_LOG, job_log_to_string(record->log));
        wire_put_u64(w, TAG_STDOUT_BYTES, record->stdout_bytes);
        wire_put_u64(w, TAG_STDERR_BYTES, record->stderr_bytes);
        wire_put_string(w, TAG_END_REASON, record->end_reason);
        wire_put_u64(w, TAG_RELEASED, record->is_released ? 1 : 0);
        wire_put_u64(w, TAG_OUTPUT_OPEN, record->is_output_open ? 1 : 0);
        wire_put_strv(w, TAG_ARGV, record->argv);
        return w->error;
}

static int decode_log(const WireField *f, JobLog *ret)
{
        const char *text;
        JobLog log;
        int r;

        r = wire_get_string(f, &text);
        if (r < 0)
                return r;
        log = job_log_from_string(text);
        if ((int)log < 0)
                return -EBADMSG;
        *ret = log;
        return 0;
}

static int job_record_decode_field(JobRecord *record, const WireField *f)
{
        switch (f->tag) {
        case TAG_ID:
                return wire_get_u32(f, &record->id);
        case TAG_USER:
                return wire_dup_string(f, &record->user);
        case TAG_IDENTIFIER:
                return wire_dup_string(f, &record->identifier);
        case TAG_TTY:
                return wire_get_flag(f, &record->is_tty);
        case TAG_PID:
                return wire_get_u32(f, &record->pid);
        case TAG_START_USEC:
                return wire_get_u64(f, &record->start_usec);
        case TAG_ENDED:
                return wire_get_flag(f, &record->is_ended);
        case TAG_CODE:
                return wire_get_u32(f, &record->code);
        case TAG_SIGNAL:
                return wire_get_u32(f, &record->signal);
        case TAG_CORE:
                return wire_get_flag(f, &record->is_core);
        case TAG_END_USEC:
                return wire_get_u64(f, &record->end_usec);
        case TAG_LOST:
                return wire_get_flag(f, &record->is_lost);
        case TAG_HAS_STDIN:
                return wire_get_flag(f, &record->has_stdin);
        case TAG_LOG:
                return decode_log(f, &record->log);
        case TAG_STDOUT_BYTES:
                return wire_get_u64(f, &record->stdout_bytes);
        case TAG_STDERR_BYTES:
                return wire_get_u64(f, &record->stderr_bytes);
        case TAG_END_REASON:
                return wire_dup_string(f, &record->end_reason);
        case TAG_RELEASED:
                return wire_get_flag(f, &record->is_released);
        case TAG_OUTPUT_OPEN:
                return wire_get_flag(f, &record->is_output_open);
        }
        return 0;
}

static int job_record_check(const JobRecord *record)
{
        size_t total = 0;

        if (record->id == 0 || record->pid > INT32_MAX)
                return -EBADMSG;
        if (job_argv_validate(record->argv, &total, NULL) < 0)
                return -EBADMSG;
        if (record->identifier && !record_text_is_valid(record->identifier, JOB_IDENTIFIER_MAX))
                return -EBADMSG;
        if (record->code > EXIT_CODE_MAX || record->signal > SIGNAL_MAX)
                return -EBADMSG;
        if (record->code > 0 && record->signal > 0)
                return -EBADMSG;
        if (record->is_core && record->signal == 0)
                return -EBADMSG;
        if (!record->is_ended && (record->code > 0 || record->signal > 0))
                return -EBADMSG;
        if (record->is_ended && record->is_lost)
                return -EBADMSG;
        if (record->is_released && !record->is_ended && !record->is_lost)
                return -EBADMSG;
        if (record->end_reason && (!record_text_is_valid(record->end_reason, END_REASON_MAX) ||
                                   (!record->is_ended && !record->is_lost)))
                return -EBADMSG;
        if (record->user) {
                int r = job_user_validate(record->user, NULL);

                return r < 0 && r != -ENOMEM ? -EBADMSG : r;
        }
        return 0;
}

int job_record_decode(const void *data, size_t size, JobRecord **ret)
{
        _drop_(drop_job_record) JobRecord *record = job_record_new();
        WireReader reader;
        uint64_t seen = 0;
        WireField f;
        int r;

        if (!record)
                return -ENOMEM;
        r = record_open(data, size, RECORD_JOB, JOB_RECORD_VERSION, &reader);
        if (r < 0)
                return r;
        r = wire_dup_strv(reader, TAG_ARGV, &record->argv);
        if (r < 0)
                return r;
        while ((r = wire_next(&reader, &f)) > 0) {
                r = f.tag < _TAG_ONCE_MAX ? wire_once(&seen, f.tag) : 0;
                if (r < 0)
                        return r;
                r = job_record_decode_field(record, &f);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        r = job_record_check(record);
        if (r < 0)
                return r;

        *ret = take_ptr(record);
        return 0;
}
