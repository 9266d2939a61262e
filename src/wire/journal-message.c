/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/job-spec.h"
#include "model/path.h"
#include "wire/codec.h"
#include "wire/journal-message.h"

enum {
        TAG_NAME = 1,
        TAG_ID,
        TAG_UNIT,
        TAG_IDENTIFIER,
        TAG_JOB,
        TAG_TTY,
        _TAG_ONCE_MAX,
};

#define UNIT_NAME_MAX 255

void journal_key_format(const char *id, uint32_t job, char ret[JOURNAL_KEY_SIZE])
{
        (void)snprintf(ret, JOURNAL_KEY_SIZE, "%.*s/%" PRIu32, CONTAINER_ID_LENGTH, id, job);
}

int journal_message_encode(const JournalMessage *m, uint8_t *buffer, size_t room)
{
        WireWriter w = WIRE_WRITER_FIXED(buffer, room);

        wire_put_string(&w, TAG_NAME, m->name);
        wire_put_string(&w, TAG_ID, m->id);
        wire_put_string(&w, TAG_UNIT, m->unit);
        wire_put_string(&w, TAG_IDENTIFIER, m->identifier);
        wire_put_u64(&w, TAG_JOB, m->job);
        wire_put_u64(&w, TAG_TTY, m->is_tty ? 1 : 0);
        return w.error < 0 ? w.error : (int)w.size;
}

static int decode_field(JournalMessage *m, const WireField *f)
{
        switch (f->tag) {
        case TAG_NAME:
                return wire_get_string(f, &m->name);
        case TAG_ID:
                return wire_get_string(f, &m->id);
        case TAG_UNIT:
                return wire_get_string(f, &m->unit);
        case TAG_IDENTIFIER:
                return wire_get_string(f, &m->identifier);
        case TAG_JOB:
                return wire_get_u32(f, &m->job);
        case TAG_TTY:
                return wire_get_flag(f, &m->is_tty);
        }
        return 0;
}

static int text_is_valid(const char *s, size_t max)
{
        return s && s[0] && strlen(s) <= max && string_is_printable(s);
}

int journal_message_decode(const uint8_t *buffer, size_t size, JournalMessage *ret)
{
        WireReader reader = WIRE_READER(buffer, size);
        JournalMessage m = { 0 };
        uint64_t seen = 0;
        WireField f;
        int r;

        while ((r = wire_next(&reader, &f)) > 0) {
                r = f.tag < _TAG_ONCE_MAX ? wire_once(&seen, f.tag) : 0;
                if (r >= 0)
                        r = decode_field(&m, &f);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        if (!m.name || !name_is_valid(m.name) || !m.id || !id_is_valid(m.id) || m.job == 0 ||
            !text_is_valid(m.unit, UNIT_NAME_MAX) ||
            !text_is_valid(m.identifier, JOB_IDENTIFIER_MAX))
                return -EBADMSG;
        *ret = m;
        return 0;
}

int journal_state_check(const void *data, size_t size, JournalState *ret)
{
        JournalState state;

        if (size == 0) {
                *ret = (JournalState){ .version = JOURNAL_STATE_VERSION };
                return 0;
        }
        if (size != sizeof(state))
                return -EBADMSG;
        memcpy(&state, data, sizeof(state));
        if (state.version != JOURNAL_STATE_VERSION)
                return -EBADMSG;
        for (int i = 0; i < 2; i++)
                if (state.places[i].priority > 7 || state.places[i].is_ended > 1 ||
                    state.places[i].is_continued > 1)
                        return -EBADMSG;
        *ret = state;
        return 0;
}
