/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include <cmocka.h>

#include "basic/macro.h"
#include "journal/line.h"

static void show(char *out, size_t room, const Line *line)
{
        size_t n = strlen(out);

        (void)snprintf(out + n, room - n, "[%d%s %d %.*s]", line->priority,
                       line->is_partial ? "+" : "", (int)line->position, (int)line->size,
                       (const char *)line->text);
}

/* Splits @text, @step bytes at a time, with what is left at the end. */
static void split(LineSplitter *splitter, const char *text, size_t step, char *out, size_t room)
{
        size_t length = strlen(text);
        Line line;
        int r;

        out[0] = 0;
        for (size_t i = 0; i < length; i += step) {
                const uint8_t *p = (const uint8_t *)text + i;
                size_t size = MIN2(step, length - i);

                while ((r = line_next(splitter, &p, &size, &line)) > 0 || size > 0) {
                        assert_true(r >= 0);
                        if (r > 0)
                                show(out, room, &line);
                }
        }
        if (line_flush(splitter, 0, &line) > 0)
                show(out, room, &line);
}

static void check(const char *text, int is_tty, const char *expected)
{
        for (size_t step = 1; step <= strlen(text); step++) {
                LineSplitter splitter;
                char out[512];

                line_splitter_init(&splitter, &(JournalPlace){ 0 }, LOG_INFO, is_tty);
                split(&splitter, text, step, out, sizeof(out));
                assert_string_equal(out, expected);
                assert_int_equal(splitter.place.position, strlen(text));
                line_splitter_done(&splitter);
        }
}

static void test_lines(void **state)
{
        check("one\ntwo\n", 0, "[6 0 one][6 4 two]");
        check("\n\nx\n", 0, "[6 0 ][6 1 ][6 2 x]");
}

static void test_last(void **state)
{
        check("one\ntwo", 0, "[6 0 one][6 4 two]");
}

static void test_priorities(void **state)
{
        check("<3>bad\n<14>user\n<191>x\n", 0, "[3 0 bad][6 7 user][7 16 x]");
        check("<4>\n", 0, "[4 0 ]");
}

static void test_no_priorities(void **state)
{
        check("<192>x\n<>x\n<x>y\n<3 x\n<1234>x\n<\n a<3>b\n", 0,
              "[6 0 <192>x][6 7 <>x][6 11 <x>y][6 16 <3 x][6 21 <1234>x][6 29 <][6 31  a<3>b]");
}

static void test_emergency(void **state)
{
        check("<0>wall\n<8>wall\n", 0, "[1 0 wall][1 8 wall]");
}

static void test_tty(void **state)
{
        check("one\r\ntwo\r\r\n\r\n", 1, "[6 0 one][6 5 two\r][6 11 ]");
        check("one\r\n", 0, "[6 0 one\r]");
}

static char *make_long(size_t size, const char *prefix)
{
        char *text = malloc(size + 2);

        assert_non_null(text);
        memset(text, 'x', size);
        memcpy(text, prefix, strlen(prefix));
        text[size] = '\n';
        text[size + 1] = 0;
        return text;
}

static void test_long(void **state)
{
        static const size_t steps[] = { 1, 4096, LINE_BYTES_MAX, LINE_BYTES_MAX + 1, SIZE_MAX };
        size_t size = LINE_BYTES_MAX * 2 + 100;
        char *text = make_long(size, "<4>");

        /* In the middle it looks like a prefix, and is none. */
        memcpy(text + LINE_BYTES_MAX, "<2>", 3);
        for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
                size_t sizes[4], n = 0, step = MIN2(steps[i], size + 1);
                LineSplitter splitter;
                int partial[4];

                line_splitter_init(&splitter, &(JournalPlace){ 0 }, LOG_INFO, 0);
                for (size_t at = 0; at < size + 1; at += step) {
                        const uint8_t *p = (const uint8_t *)text + at;
                        size_t left = MIN2(step, size + 1 - at);
                        Line line;
                        int r;

                        while ((r = line_next(&splitter, &p, &left, &line)) > 0 || left > 0)
                                if (r > 0) {
                                        assert_true(n < ELEMENTSOF(sizes));
                                        assert_int_equal(line.priority, LOG_WARNING);
                                        sizes[n] = line.size;
                                        partial[n++] = line.is_partial;
                                }
                }
                assert_int_equal(n, 3);
                assert_int_equal(sizes[0], LINE_BYTES_MAX - 3);
                assert_int_equal(sizes[1], LINE_BYTES_MAX);
                assert_int_equal(sizes[2], 100);
                assert_true(partial[0] && partial[1] && !partial[2]);
                line_splitter_done(&splitter);
        }
        free(text);
}

static void test_just_fits(void **state)
{
        char *text = make_long(LINE_BYTES_MAX, "");
        const uint8_t *p = (const uint8_t *)text;
        size_t left = LINE_BYTES_MAX + 1;
        LineSplitter splitter;
        Line line;

        line_splitter_init(&splitter, &(JournalPlace){ 0 }, LOG_INFO, 0);
        assert_int_equal(line_next(&splitter, &p, &left, &line), 1);
        assert_int_equal(line.size, LINE_BYTES_MAX);
        assert_false(line.is_partial);
        assert_int_equal(left, 0);
        line_splitter_done(&splitter);
        free(text);
}

/* Also when its newline comes alone. */
static void test_just_fits_in_pieces(void **state)
{
        char *text = make_long(LINE_BYTES_MAX, "");
        const uint8_t *p = (const uint8_t *)text;
        size_t left = LINE_BYTES_MAX, newline = 1;
        LineSplitter splitter;
        Line line;

        line_splitter_init(&splitter, &(JournalPlace){ 0 }, LOG_INFO, 0);
        assert_int_equal(line_next(&splitter, &p, &left, &line), 0);
        assert_int_equal(left, 0);
        assert_int_equal(line_next(&splitter, &p, &newline, &line), 1);
        assert_int_equal(line.size, LINE_BYTES_MAX);
        assert_false(line.is_partial);
        assert_int_equal(line.place.position, LINE_BYTES_MAX + 1);
        line_splitter_done(&splitter);
        free(text);
}

static void test_go_on(void **state)
{
        JournalPlace place = { .position = 100, .is_continued = 1, .priority = LOG_CRIT };
        LineSplitter splitter;
        char out[128];

        line_splitter_init(&splitter, &place, LOG_INFO, 0);
        split(&splitter, "<6>of a line\nnext\n", 5, out, sizeof(out));
        assert_string_equal(out, "[2 100 <6>of a line][6 113 next]");
        line_splitter_done(&splitter);
}

static void test_gap(void **state)
{
        const uint8_t *p = (const uint8_t *)"begun";
        LineSplitter splitter;
        size_t left = 5;
        char out[128] = "";
        Line line;

        line_splitter_init(&splitter, &(JournalPlace){ 0 }, LOG_INFO, 0);
        assert_int_equal(line_next(&splitter, &p, &left, &line), 0);
        assert_int_equal(line_next_position(&splitter), 5);
        assert_int_equal(splitter.place.position, 0);
        assert_int_equal(line_flush(&splitter, 1, &line), 1);
        show(out, sizeof(out), &line);
        assert_string_equal(out, "[6+ 0 begun]");
        assert_int_equal(line_next_position(&splitter), 5);
        assert_int_equal(line_flush(&splitter, 1, &line), 0);
        line_skip(&splitter, 1000);
        assert_int_equal(line_next_position(&splitter), 1000);
        split(&splitter, "<3>x\n", 9, out, sizeof(out));
        assert_string_equal(out, "[3 1000 x]");
        line_splitter_done(&splitter);
}

static void test_idle(void **state)
{
        const uint8_t *p = (const uint8_t *)"a\nb";
        LineSplitter splitter;
        size_t left = 3;
        Line line;

        line_splitter_init(&splitter, &(JournalPlace){ 0 }, LOG_INFO, 0);
        assert_int_equal(line_next(&splitter, &p, &left, &line), 1);
        assert_null(splitter.buffer);
        assert_int_equal(line_next(&splitter, &p, &left, &line), 0);
        assert_non_null(splitter.buffer);
        p = (const uint8_t *)"\n";
        left = 1;
        assert_int_equal(line_next(&splitter, &p, &left, &line), 1);
        assert_int_equal(line_next(&splitter, &p, &left, &line), 0);
        assert_null(splitter.buffer);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "splits at newlines, however the bytes come", test_lines },
                { "gives what stands behind the last newline at the end", test_last },
                { "takes a prefix as the priority of its line", test_priorities },
                { "leaves what only looks like a prefix", test_no_priorities },
                { "keeps emergencies from a container", test_emergency },
                { "takes the carriage return from a terminal's lines only", test_tty },
                { "marks the pieces of a long line, which have one priority", test_long },
                { "does not cut a line that just fits", test_just_fits },
                { "keeps a line whole whose newline comes alone", test_just_fits_in_pieces },
                { "goes on in the middle of a line", test_go_on },
                { "gives what was begun before a gap, and goes on behind it", test_gap },
                { "holds no memory between lines", test_idle },
        };

        return cmocka_run_group_tests_name("journal/line", tests, NULL, NULL);
}
