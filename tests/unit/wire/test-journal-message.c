/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/journal-message.h"

static const JournalMessage full = { .name = "web",
                                     .id = "0123456789a",
                                     .unit = "warden-0123456789a.scope",
                                     .identifier = "httpd",
                                     .job = 7,
                                     .is_tty = 1 };

static int pass(const JournalMessage *m, JournalMessage *ret)
{
        static uint8_t buffer[JOURNAL_MESSAGE_MAX];
        int size = journal_message_encode(m, buffer, sizeof(buffer));

        assert_true(size > 0);
        return journal_message_decode(buffer, (size_t)size, ret);
}

static void test_round_trip(void **state)
{
        JournalMessage m;

        assert_int_equal(pass(&full, &m), 0);
        assert_string_equal(m.name, full.name);
        assert_string_equal(m.id, full.id);
        assert_string_equal(m.unit, full.unit);
        assert_string_equal(m.identifier, full.identifier);
        assert_int_equal(m.job, 7);
        assert_int_equal(m.is_tty, 1);
}

static void test_key(void **state)
{
        char key[JOURNAL_KEY_SIZE];

        journal_key_format("0123456789a", 7, key);
        assert_string_equal(key, "0123456789a/7");
        journal_key_format("0123456789a", UINT32_MAX, key);
        assert_string_equal(key, "0123456789a/4294967295");
}

static void test_unfit(void **state)
{
        JournalMessage m = full, ret;

        m.name = "web\nMESSAGE=x";
        assert_int_equal(pass(&m, &ret), -EBADMSG);
        m = full;
        m.id = "../../../..";
        assert_int_equal(pass(&m, &ret), -EBADMSG);
        m = full;
        m.unit = NULL;
        assert_int_equal(pass(&m, &ret), -EBADMSG);
        m = full;
        m.identifier = "a\nb";
        assert_int_equal(pass(&m, &ret), -EBADMSG);
        m.identifier = "";
        assert_int_equal(pass(&m, &ret), -EBADMSG);
        m = full;
        m.job = 0;
        assert_int_equal(pass(&m, &ret), -EBADMSG);
}

static void test_cut(void **state)
{
        uint8_t buffer[JOURNAL_MESSAGE_MAX];
        int size = journal_message_encode(&full, buffer, sizeof(buffer));
        JournalMessage m;

        /* The last field, which may be absent, is 14 bytes. */
        for (int i = 0; i < size; i++)
                if (i != size - 14)
                        assert_int_equal(journal_message_decode(buffer, (size_t)i, &m), -EBADMSG);
        memcpy(buffer + size, buffer, 10);
        assert_int_equal(journal_message_decode(buffer, (size_t)size + 10, &m), -EBADMSG);
        assert_int_equal(journal_message_encode(&full, buffer, 20), -EMSGSIZE);
}

static void test_state(void **state)
{
        JournalState s = { .version = JOURNAL_STATE_VERSION }, ret;

        s.places[1] = (JournalPlace){ .position = 5, .is_continued = 1, .priority = 7 };
        assert_int_equal(journal_state_check(&s, sizeof(s), &ret), 0);
        assert_int_equal(ret.places[1].position, 5);
        assert_int_equal(journal_state_check("", 0, &ret), 0);
        assert_int_equal(ret.version, JOURNAL_STATE_VERSION);
        assert_int_equal(ret.places[1].position, 0);
        assert_int_equal(journal_state_check(&s, sizeof(s) - 1, &ret), -EBADMSG);
        s.places[0].priority = 8;
        assert_int_equal(journal_state_check(&s, sizeof(s), &ret), -EBADMSG);
        s.places[0].priority = 0;
        s.places[0].is_ended = 2;
        assert_int_equal(journal_state_check(&s, sizeof(s), &ret), -EBADMSG);
        s = (JournalState){ .version = JOURNAL_STATE_VERSION + 1 };
        assert_int_equal(journal_state_check(&s, sizeof(s), &ret), -EBADMSG);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "comes out as it went in", test_round_trip },
                { "names a job by its container and number, the longest too", test_key },
                { "lets nothing through that is unfit for a field", test_unfit },
                { "notices a message that is cut or says a thing twice", test_cut },
                { "believes no file that is torn or of another version", test_state },
        };

        return cmocka_run_group_tests_name("wire/journal-message", tests, NULL, NULL);
}
