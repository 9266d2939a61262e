/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/bus/bus-fault.h"

static void test_every_kind(void **state)
{
        assert_int_equal(bus_fault_register(), 0);
        for (int i = FAULT_NONE + 1; i < _FAULT_MAX; i++) {
                const char *name = bus_fault_name((FaultKind)i);
                sd_bus_error e = SD_BUS_ERROR_NULL;

                assert_int_equal(strncmp(name, BUS_ERROR_PREFIX, strlen(BUS_ERROR_PREFIX)), 0);
                assert_true(sd_bus_interface_name_is_valid(name));
                /* Known to sd-bus: what is unknown is EIO, as is our most general one. */
                assert_true(sd_bus_error_set(&e, name, "x") < 0);
                if (i != FAULT_FAILED)
                        assert_int_not_equal(sd_bus_error_get_errno(&e), EIO);
                sd_bus_error_free(&e);
                for (int k = FAULT_NONE + 1; k < i; k++)
                        assert_string_not_equal(name, bus_fault_name((FaultKind)k));
        }
}

static void test_public_names(void **state)
{
        static const struct {
                FaultKind kind;
                const char *name;
        } rows[] = {
                { FAULT_FAILED, "OperationFailed" },
                { FAULT_INVALID, "InvalidSpec" },
                { FAULT_NOT_FOUND, "NotFound" },
                { FAULT_NO_SUCH_CONTAINER, "NoSuchContainer" },
                { FAULT_NO_SUCH_JOB, "NoSuchJob" },
                { FAULT_NAME_EXISTS, "NameExists" },
                { FAULT_BAD_STATE, "BadState" },
                { FAULT_LIMIT, "LimitReached" },
                { FAULT_NOT_SUPPORTED, "NotSupported" },
                { FAULT_PROGRAM_NOT_FOUND, "ProgramNotFound" },
                { FAULT_PROGRAM_NOT_EXECUTABLE, "ProgramNotExecutable" },
                { FAULT_NO_SUCH_USER, "NoSuchUser" },
                { FAULT_TIMED_OUT, "TimedOut" },
                { FAULT_IN_USE, "InUse" },
        };

        assert_int_equal(sizeof(rows) / sizeof(rows[0]), _FAULT_MAX - 1);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_string_equal(bus_fault_name(rows[i].kind) + strlen(BUS_ERROR_PREFIX),
                                    rows[i].name);
}

static void test_carries_text(void **state)
{
        sd_bus_error e = SD_BUS_ERROR_NULL;
        Fault fault = FAULT_INIT;

        (void)fault_set(&fault, FAULT_NOT_FOUND, -ENOENT, "Cannot open %s: %m", "/srv");
        assert_int_equal(bus_fault_to_error(&fault, -ENOENT, &e), -ENOENT);
        assert_string_equal(e.name, BUS_ERROR_PREFIX "NotFound");
        assert_string_equal(e.message, "Cannot open /srv: No such file or directory");
        sd_bus_error_free(&e);
}

static void test_bare_errno(void **state)
{
        sd_bus_error e = SD_BUS_ERROR_NULL;
        const Fault none = FAULT_INIT;

        assert_int_equal(bus_fault_to_error(NULL, -EPERM, &e), -EPERM);
        assert_string_equal(e.name, BUS_ERROR_PREFIX "OperationFailed");
        assert_string_equal(e.message, "Operation not permitted");
        sd_bus_error_free(&e);

        assert_int_equal(bus_fault_to_error(&none, -ENOMEM, &e), -ENOMEM);
        assert_string_equal(e.name, SD_BUS_ERROR_NO_MEMORY);
        sd_bus_error_free(&e);
}

/* A method that returns 0 after this would be taken as "not handled". */
static void test_is_negative(void **state)
{
        sd_bus_error e = SD_BUS_ERROR_NULL;

        assert_true(bus_fault_to_error(NULL, 0, &e) < 0);
        assert_true(sd_bus_error_is_set(&e));
        sd_bus_error_free(&e);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "has a name and an errno for every kind", test_every_kind, NULL, NULL, NULL },
                { "keeps the public names", test_public_names, NULL, NULL, NULL },
                { "carries the fault's text", test_carries_text, NULL, NULL, NULL },
                { "makes something of an errno alone", test_bare_errno, NULL, NULL, NULL },
                { "never returns success", test_is_negative, NULL, NULL, NULL },
        };

        return cmocka_run_group_tests_name("bus-fault", tests, NULL, NULL);
}
