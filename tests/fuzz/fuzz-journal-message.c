/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Any bytes are a message that can be sent again, or none, and a state file or none. */

#include <errno.h>

#include "fuzz.h"
#include "wire/journal-message.h"

static void check_message(const uint8_t *data, size_t size)
{
        uint8_t buffer[JOURNAL_MESSAGE_MAX];
        char key[JOURNAL_KEY_SIZE];
        JournalMessage m, back;
        int r = journal_message_decode(data, size, &m);

        PROMISE(r == 0 || r == -EBADMSG);
        if (r < 0)
                return;
        PROMISE(m.job > 0 && strlen(m.id) == CONTAINER_ID_LENGTH);
        journal_key_format(m.id, m.job, key);
        PROMISE(strlen(key) < sizeof(key));
        r = journal_message_encode(&m, buffer, sizeof(buffer));
        PROMISE(r > 0 && (size_t)r <= sizeof(buffer));
        PROMISE(journal_message_decode(buffer, (size_t)r, &back) == 0);
        PROMISE(back.job == m.job && back.is_tty == m.is_tty);
        PROMISE(strcmp(back.name, m.name) == 0 && strcmp(back.id, m.id) == 0);
        PROMISE(strcmp(back.unit, m.unit) == 0 && strcmp(back.identifier, m.identifier) == 0);
}

static void check_state(const uint8_t *data, size_t size)
{
        JournalState state;

        if (journal_state_check(data, size, &state) < 0)
                return;
        PROMISE(state.version == JOURNAL_STATE_VERSION);
        PROMISE(size == 0 || memcmp(&state, data, sizeof(state)) == 0);
        for (int i = 0; i < 2; i++)
                PROMISE(state.places[i].priority <= 7 && state.places[i].is_ended <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        check_message(data, size);
        check_state(data, size);
        return 0;
}
