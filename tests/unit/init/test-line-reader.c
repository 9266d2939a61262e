/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "basic/macro.h"
#include "init/line-reader.h"

static LineReader reader_of(const void *data, size_t size, size_t max)
{
        LineReader reader;
        int fd = memfd_create("lines", MFD_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, data, size), size);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        line_reader_init(&reader, fd, max);
        return reader;
}

/* Expects these lines, with NULL at the end, and no other. */
static void expect_lines(const char *text, size_t size, size_t max, size_t room,
                         const char *const *wanted)
{
        _drop_(line_reader_done) LineReader reader = reader_of(text, size, max);
        char line[64];

        for (; *wanted; wanted++) {
                assert_int_equal(line_reader_next(&reader, line, room), 1);
                assert_string_equal(line, *wanted);
        }
        assert_int_equal(line_reader_next(&reader, line, room), 0);
        assert_int_equal(line_reader_next(&reader, line, room), 0);
}

#define LINES(text, max, room, ...) \
        expect_lines(text, sizeof(text) - 1, max, room, (const char *const[]){ __VA_ARGS__, NULL })

static void test_lines(void **state)
{
        LINES("a\nbc\n\nd\n", 100, 64, "a", "bc", "", "d");
        LINES("a\nlast", 100, 64, "a", "last");
        LINES("", 100, 64, NULL);
        LINES("\n", 100, 64, "");
}

static void test_long(void **state)
{
        LINES("a\n1234567\nb\n", 100, 8, "a", "1234567", "b");
        LINES("a\n12345678\nb\n", 100, 8, "a", "b");
        LINES("a\n12345678", 100, 8, "a");
}

static void test_nul(void **state)
{
        LINES("a\nroot\0x\nb\n", 100, 64, "a", "b");
        LINES("\0\n\0\n", 100, 64, NULL);
}

/* What is cut off in the middle of a line is not what the file says. */
static void test_bound(void **state)
{
        LINES("one\ntwo\nthree\n", 7, 64, "one");
        LINES("one\ntwo\nthree\n", 8, 64, "one", "two");
        LINES("one\ntwo\nthree\n", 9, 64, "one", "two");
        LINES("one\n", 0, 64, NULL);
}

/* Lines that lie across what one read gives. */
static void test_buffers(void **state)
{
        static char text[3 * 4096];
        _drop_(line_reader_done) LineReader reader = LINE_READER_INIT;
        char line[128];
        size_t n = 0;

        for (size_t i = 0; i < sizeof(text); i++)
                text[i] = i % 101 == 100 ? '\n' : (char)('a' + i % 26);
        reader = reader_of(text, sizeof(text), 1 << 20);
        while (line_reader_next(&reader, line, sizeof(line)) > 0) {
                assert_int_equal(strlen(line), MIN2((size_t)100, sizeof(text) - n));
                assert_memory_equal(line, text + n, strlen(line));
                n += strlen(line) + 1;
        }
        assert_true(n >= sizeof(text));
}

static void test_error(void **state)
{
        _drop_(line_reader_done) LineReader reader = LINE_READER_INIT;
        char line[64];

        line_reader_init(&reader, open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), 100);
        assert_int_equal(line_reader_next(&reader, line, sizeof(line)), -EISDIR);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "gives every line, and the last without a newline", test_lines, NULL, NULL,
                  NULL },
                { "passes over a line that does not fit", test_long, NULL, NULL, NULL },
                { "passes over a line with a NUL in it", test_nul, NULL, NULL, NULL },
                { "reads no more than its bound", test_bound, NULL, NULL, NULL },
                { "joins what several reads give", test_buffers, NULL, NULL, NULL },
                { "tells an error of reading", test_error, NULL, NULL, NULL },
        };

        return cmocka_run_group_tests_name("init/line-reader", tests, NULL, NULL);
}
