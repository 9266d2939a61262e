/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/json.h"
#include "ctl/openmetrics.h"

static char *print(const char *json)
{
        _drop_(drop_json) json_object *stats = json ? json_tokener_parse(json) : NULL;
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        openmetrics_print(f, stats);
        assert_int_equal(fclose(f), 0);
        return text;
}

static void assert_prints(const char *json, const char *expected)
{
        _drop_(drop_free) char *text = print(json);

        if (!strstr(text, expected))
                fail_msg("no '%s' in:\n%s", expected, text);
}

static void assert_silent(const char *json, const char *unexpected)
{
        _drop_(drop_free) char *text = print(json);

        if (strstr(text, unexpected))
                fail_msg("'%s' in:\n%s", unexpected, text);
}

static void test_down(void **state)
{
        _drop_(drop_free) char *text = print(NULL);

        assert_string_equal(text, "# TYPE warden_up gauge\n# HELP warden_up 1 when wardend "
                                  "answers.\nwarden_up 0\n# EOF\n");
}

static void test_empty(void **state)
{
        assert_prints("{}", "warden_up 1\n");
        assert_prints("{}", "warden_containers 0\n# EOF\n");
}

static void test_values(void **state)
{
        static const char json[] =
                "{\"a\": {\"State\": \"active\", \"CPUUsageNSec\": 18446744073709551614,"
                "  \"MemoryCurrent\": 4096, \"MemoryMax\": 18446744073709551615,"
                "  \"CPUThrottledUSec\": 1500, \"TasksCurrent\": 3,"
                "  \"IODevices\": [[8, 16, 1, 2, 3, 4], [8, 17, 5, 6, 7, 8]]},"
                " \"b\": {\"State\": \"stopped\", \"MemoryCurrent\": 0}}";

        assert_prints(json, "warden_containers 2\n");
        assert_prints(json, "warden_container_state{container=\"b\",state=\"stopped\"} 1\n");
        assert_prints(json, "# TYPE warden_container_memory_current_bytes gauge\n"
                            "# UNIT warden_container_memory_current_bytes bytes\n"
                            "# HELP warden_container_memory_current_bytes Memory in use, with page "
                            "cache.\n"
                            "warden_container_memory_current_bytes{container=\"a\"} 4096\n"
                            "warden_container_memory_current_bytes{container=\"b\"} 0\n");
        assert_prints(json, "# TYPE warden_container_cpu_usage_seconds counter\n");
        assert_prints(json, "warden_container_cpu_usage_seconds_total{container=\"a\"} "
                            "18446744073.709551614\n");
        assert_prints(json, "cpu_throttled_seconds_total{container=\"a\"} 0.001500\n");
        assert_prints(json, "warden_container_tasks{container=\"a\"} 3\n");
        assert_prints(json, "warden_container_io_device_write_operations_total{container=\"a\","
                            "device=\"8:17\"} 8\n");
        assert_silent(json, "memory_max");
        assert_silent(json, "memory_peak");
}

static void test_escapes(void **state)
{
        assert_prints("{\"a\\\"b\\\\c\\nd\": {\"TasksCurrent\": 1}}",
                      "warden_container_tasks{container=\"a\\\"b\\\\c\\nd\"} 1\n");
}

static void test_rubbish(void **state)
{
        static const char json[] = "{\"a\": 7, \"b\": {\"TasksCurrent\": \"x\", \"State\": 1,"
                                   " \"IODevices\": [1, [], [1, 2]]}}";

        assert_prints(json, "state{container=\"b\",state=\"unknown\"} 1\n");
        assert_silent(json, "tasks{");
        assert_silent(json, "device=");
        assert_prints("[]", "warden_up 0\n");
}

/* What the format demands of every line, and of the order: a family is in one piece. */
static void test_form(void **state)
{
        _drop_(drop_free) char *text = print(
                "{\"a\": {\"CPUUsageNSec\": 5, \"IOReadBytes\": 1, \"OOMKills\": 0,"
                " \"UptimeUSec\": 1}, \"b\": {\"CPUUsageNSec\": 6, \"IOReadBytes\": 2}}");
        char families[64][128], name[128] = "";
        size_t n_families = 0;

        for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
                *end = 0;
                if (strncmp(line, "# TYPE ", 7) == 0) {
                        assert_int_equal(sscanf(line + 7, "%127s", name), 1);
                        for (size_t i = 0; i < n_families; i++)
                                assert_string_not_equal(families[i], name);
                        (void)snprintf(families[n_families++], 128, "%s", name);
                } else if (line[0] == '#') {
                        assert_true(strcmp(line, "# EOF") == 0 || strstr(line, name));
                } else {
                        assert_int_equal(strncmp(line, name, strlen(name)), 0);
                        assert_true(isdigit((unsigned char)line[strlen(line) - 1]));
                }
        }
        assert_true(n_families > 5);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "says that the daemon does not answer", test_down },
                { "says that there are no containers", test_empty },
                { "prints values in base units, exactly", test_values },
                { "escapes labels", test_escapes },
                { "leaves out what is no number", test_rubbish },
                { "keeps each family in one piece, with its head", test_form },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
