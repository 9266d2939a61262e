/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What decodes is encoded and decoded to the same bytes. */

#include <errno.h>

#include "fuzz.h"
#include "model/job-spec.h"
#include "wire/job-record.h"

static void check_record(const JobRecord *record)
{
        PROMISE(record->id > 0);
        PROMISE(job_argv_validate(record->argv, NULL, NULL) == 0);
        PROMISE(!record->user || job_user_validate(record->user, NULL) == 0);
        PROMISE(record->code == 0 || record->signal == 0);
        PROMISE(!record->is_lost || !record->is_ended);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _drop_(drop_job_record) JobRecord *record = NULL, *back = NULL;
        WireWriter w = WIRE_WRITER_INIT, again = WIRE_WRITER_INIT;
        int r = job_record_decode(data, size, &record);

        PROMISE(r == 0 || r == -EBADMSG || r == -EPROTONOSUPPORT);
        PROMISE((r == 0) == (record != NULL));
        if (r < 0)
                return 0;
        check_record(record);
        PROMISE(job_record_encode(record, &w) == 0);
        PROMISE(job_record_decode(w.data, w.size, &back) == 0);
        PROMISE(job_record_encode(back, &again) == 0);
        PROMISE(w.size == again.size && memcmp(w.data, again.data, w.size) == 0);
        wire_writer_done(&w);
        wire_writer_done(&again);
        return 0;
}
