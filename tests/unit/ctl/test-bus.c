/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "basic/macro.h"
#include "ctl/bus.h"
#include "ctl/exit-code.h"

static void expect_fault(const char *name, const char *message, const char *container,
                         FaultKind kind, const char *text)
{
        _drop_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        Fault fault = FAULT_INIT;

        (void)sd_bus_error_set(&error, name, message);
        if (bus_fault(&fault, &error, container) >= 0)
                fail_msg("%s is no error", name);
        assert_true(fault.error < 0);
        if (fault.kind != kind || !strstr(fault.text, text))
                fail_msg("%s: %s: '%s' (not '%s'?)", name, fault_kind_to_string(fault.kind),
                         fault.text, text);
}

#define OURS(name) WARDEN_NAME ".Error." name

static void test_kinds(void **state)
{
        static const struct {
                const char *name;
                FaultKind kind;
        } cases[] = {
                { OURS("NoSuchContainer"), FAULT_NO_SUCH_CONTAINER },
                { OURS("NoSuchJob"), FAULT_NO_SUCH_JOB },
                { OURS("NameExists"), FAULT_NAME_EXISTS },
                { OURS("BadState"), FAULT_BAD_STATE },
                { OURS("InvalidSpec"), FAULT_INVALID },
                { OURS("LimitReached"), FAULT_LIMIT },
                { OURS("NotSupported"), FAULT_NOT_SUPPORTED },
                { OURS("NotFound"), FAULT_NOT_FOUND },
                { OURS("OperationFailed"), FAULT_FAILED },
                { OURS("ProgramNotFound"), FAULT_PROGRAM_NOT_FOUND },
                { OURS("ProgramNotExecutable"), FAULT_PROGRAM_NOT_EXECUTABLE },
                { OURS("NoSuchUser"), FAULT_NO_SUCH_USER },
                { OURS("TimedOut"), FAULT_TIMED_OUT },
                { OURS("InUse"), FAULT_IN_USE },
                { OURS("OfALaterVersion"), FAULT_FAILED },
                { "com.example.Error.NoSuchContainer", FAULT_FAILED },
        };

        /* Every kind but "none" has a name on the bus. */
        assert_int_equal(ELEMENTSOF(cases), _FAULT_MAX - 1 + 2);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                expect_fault(cases[i].name, "the daemon's words", NULL, cases[i].kind,
                             "the daemon's words");
}

static void test_container(void **state)
{
        static const char *const advice = "No container 'web'. 'wardenctl list' shows";

        expect_fault(OURS("NoSuchContainer"), "x", "web", FAULT_NO_SUCH_CONTAINER, advice);
        expect_fault(SD_BUS_ERROR_UNKNOWN_OBJECT, "x", "web", FAULT_NO_SUCH_CONTAINER, advice);
        expect_fault(OURS("BadState"), "web is stopped", "web", FAULT_BAD_STATE, "web is stopped");
        /* Without a container the object is another one. */
        expect_fault(SD_BUS_ERROR_UNKNOWN_OBJECT, "Unknown", NULL, FAULT_FAILED, "Unknown");
}

static void test_unreachable(void **state)
{
        static const char *const names[] = {
                SD_BUS_ERROR_SERVICE_UNKNOWN,
                SD_BUS_ERROR_NAME_HAS_NO_OWNER,
                "org.freedesktop.DBus.Error.Spawn.ChildExited",
                "org.freedesktop.systemd1.NoSuchUnit",
                "org.freedesktop.systemd1.UnitMasked",
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                expect_fault(names[i], i == 0 ? "why" : "why.", "web", FAULT_FAILED,
                             "Cannot reach wardend: why. Is wardend.service running?");
}

static void test_others(void **state)
{
        expect_fault(SD_BUS_ERROR_ACCESS_DENIED, "Rejected send message, 2 matched rules", "web",
                     FAULT_FAILED, "Access denied. You must be root.");
        expect_fault(SD_BUS_ERROR_NO_REPLY, "x", "web", FAULT_TIMED_OUT, "did not answer");
        expect_fault("com.example.Error.Unexpected", NULL, "web", FAULT_FAILED,
                     "com.example.Error.Unexpected");
}

static void test_container_path(void **state)
{
        Fault fault = FAULT_INIT;
        char *path;

        assert_int_equal(bus_container_path("web", &path, &fault), 0);
        assert_string_equal(path, "/org/warden/Warden1/container/web");
        free(path);
        assert_int_equal(bus_container_path("1a-b.c", &path, &fault), 0);
        assert_string_equal(path, "/org/warden/Warden1/container/_31a_2db_2ec");
        free(path);
        assert_int_equal(bus_job_path("a.b", 7, &path, &fault), 0);
        assert_string_equal(path, "/org/warden/Warden1/container/a_2eb/job/7");
        free(path);
        assert_int_equal(bus_container_path("a/b", &path, &fault), -EINVAL);
        assert_int_equal(fault.kind, FAULT_NO_SUCH_CONTAINER);
        assert_int_equal(bus_container_path("", &path, &fault), -EINVAL);
        assert_int_equal(bus_job_path("-x", 7, &path, &fault), -EINVAL);
}

static void test_path_parts(void **state)
{
        uint32_t job;
        char *name;

        assert_int_equal(bus_path_container("/org/warden/Warden1/container/_31a_2db", &name), 0);
        assert_string_equal(name, "1a-b");
        free(name);
        assert_int_equal(bus_path_container("/org/warden/Warden1/container/a/job/3", &name), 0);
        assert_string_equal(name, "a");
        free(name);
        assert_true(bus_path_container("/org/warden/Warden1", &name) < 0);
        assert_true(bus_path_container("/com/example", &name) < 0);
        assert_int_equal(bus_path_job("/org/warden/Warden1/container/a/job/3", &job), 0);
        assert_int_equal(job, 3);
        assert_true(bus_path_job("/org/warden/Warden1/container/a", &job) < 0);
        assert_true(bus_path_job("/org/warden/Warden1/container/a/job/3x", &job) < 0);
        assert_true(bus_path_job("/org/warden/Warden1/container/a/job/", &job) < 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "knows every error of the daemon", test_kinds },
                { "says where containers are listed when one is not there", test_container },
                { "says what to look at when the daemon is not there", test_unreachable },
                { "says what other errors mean", test_others },
                { "names the objects of containers and jobs", test_container_path },
                { "takes the names of objects apart", test_path_parts },
        };

        return cmocka_run_group_tests_name("ctl/bus", tests, NULL, NULL);
}
