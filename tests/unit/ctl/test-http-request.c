/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/http-request.h"

static HttpStatus parse(const char *text)
{
        int is_head = -1;

        return http_request_parse(text, strlen(text), "/metrics", &is_head);
}

static void test_good(void **state)
{
        int is_head = -1;
        const char *head = "HEAD /metrics HTTP/1.0\r\n\r\n";

        assert_int_equal(parse("GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n"), HTTP_OK);
        assert_int_equal(parse("GET /metrics?name=a&b HTTP/1.1\r\n\r\n"), HTTP_OK);
        assert_int_equal(parse("GET /metrics HTTP/1.1\n\n"), HTTP_OK);
        assert_int_equal(parse("GET /metrics HTTP/1.1\r\n\r\nmore, which is not read"), HTTP_OK);
        assert_int_equal(http_request_parse(head, strlen(head), "/metrics", &is_head), HTTP_OK);
        assert_int_equal(is_head, 1);
}

/* One byte at a time, as slow clients send it. */
static void test_incomplete(void **state)
{
        static const char text[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
        int is_head = -1;

        for (size_t n = 0; n < sizeof(text) - 1; n++)
                assert_int_equal(http_request_parse(text, n, "/metrics", &is_head),
                                 HTTP_INCOMPLETE);
        assert_int_equal(is_head, -1);
        assert_int_equal(parse(text), HTTP_OK);
}

static void test_refusals(void **state)
{
        static const struct {
                const char *text;
                HttpStatus status;
        } cases[] = {
                { "GET / HTTP/1.1\r\n\r\n", HTTP_NOT_FOUND },
                { "GET /metrics/ HTTP/1.1\r\n\r\n", HTTP_NOT_FOUND },
                { "GET /metric HTTP/1.1\r\n\r\n", HTTP_NOT_FOUND },
                { "GET ?x HTTP/1.1\r\n\r\n", HTTP_NOT_FOUND },
                { "POST /metrics HTTP/1.1\r\n\r\n", HTTP_METHOD_NOT_ALLOWED },
                { "get /metrics HTTP/1.1\r\n\r\n", HTTP_METHOD_NOT_ALLOWED },
                { "GET /metrics HTTP/2.0\r\n\r\n", HTTP_VERSION_NOT_SUPPORTED },
                { "GET /metrics HTTP/1.1 \r\n\r\n", HTTP_VERSION_NOT_SUPPORTED },
                { "GET /metrics\r\n\r\n", HTTP_BAD_REQUEST },
                { "GET  /metrics HTTP/1.1\r\n\r\n", HTTP_BAD_REQUEST },
                { " GET /metrics HTTP/1.1\r\n\r\n", HTTP_BAD_REQUEST },
                { "\r\n\r\n", HTTP_BAD_REQUEST },
                { "\n\n", HTTP_BAD_REQUEST },
                { "GET /metrics HTTP/1.1\r\nno field\r\n\r\n", HTTP_BAD_REQUEST },
                { "GET /metrics HTTP/1.1\r\n: x\r\n\r\n", HTTP_BAD_REQUEST },
                { "GET /metrics HTTP/1.1\r\nA: b\r\n folded: x\r\n\r\n", HTTP_BAD_REQUEST },
        };
        int is_head;

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
                if (parse(cases[i].text) != cases[i].status)
                        fail_msg("%s: %d", cases[i].text, parse(cases[i].text));
        assert_int_equal(http_request_parse("GET\0/", 5, "/metrics", &is_head), HTTP_BAD_REQUEST);
}

static void test_long(void **state)
{
        char *text = malloc(2 * HTTP_REQUEST_MAX);
        int is_head;

        memset(text, 'x', 2 * HTTP_REQUEST_MAX);
        assert_int_equal(http_request_parse(text, HTTP_REQUEST_MAX - 1, "/metrics", &is_head),
                         HTTP_INCOMPLETE);
        assert_int_equal(http_request_parse(text, HTTP_REQUEST_MAX, "/metrics", &is_head),
                         HTTP_TOO_LARGE);
        memcpy(text + HTTP_REQUEST_MAX, "\r\n\r\n", 4);
        assert_int_equal(http_request_parse(text, 2 * HTTP_REQUEST_MAX, "/metrics", &is_head),
                         HTTP_TOO_LARGE);
        free(text);
}

static void test_names(void **state)
{
        assert_string_equal(http_status_to_string(HTTP_OK), "OK");
        assert_string_equal(http_status_to_string(HTTP_NOT_FOUND), "Not Found");
        assert_string_equal(http_status_to_string(HTTP_INCOMPLETE), "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "answers those who ask for the page", test_good },
                { "waits for the end of the head", test_incomplete },
                { "refuses what is no such request", test_refusals },
                { "refuses a head that is too long", test_long },
                { "names what it answers", test_names },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
