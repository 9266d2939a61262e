/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What decodes is encoded and decoded to the same bytes. */

#include <errno.h>

#include "fuzz.h"
#include "model/name.h"
#include "wire/container-record.h"

static void check_record(const ContainerRecord *record)
{
        PROMISE(id_is_valid(record->id));
        PROMISE(container_state_to_string(record->state));
        PROMISE(container_spec_validate(record->spec, NULL) == 0);
        PROMISE(record->uid_count == 0 || uid_range_is_valid(record->uid_base, record->uid_count));
        PROMISE(!record->unit || !strchr(record->unit, '/'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _drop_(drop_container_record) ContainerRecord *record = NULL, *back = NULL;
        WireWriter w = WIRE_WRITER_INIT, again = WIRE_WRITER_INIT;
        int r = container_record_decode(data, size, &record);

        PROMISE(r == 0 || r == -EBADMSG || r == -EPROTONOSUPPORT);
        PROMISE((r == 0) == (record != NULL));
        if (r < 0)
                return 0;
        check_record(record);
        PROMISE(container_record_encode(record, &w) == 0);
        PROMISE(container_record_decode(w.data, w.size, &back) == 0);
        PROMISE(container_record_encode(back, &again) == 0);
        PROMISE(w.size == again.size && memcmp(w.data, again.data, w.size) == 0);
        wire_writer_done(&w);
        wire_writer_done(&again);
        return 0;
}
