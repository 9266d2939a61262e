/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What limits are read from: processors and slices as clients write them, limits of devices as
 * people do, and the kernel's own files. What is taken means the same when it is written out. */

#include <errno.h>

#include "model/path.h"
#include "cgroup/limit-check.h"
#include "ctl/limit-text.h"
#include "fuzz.h"
#include "model/cpu-set.h"
#include "model/limits.h"
#include "model/slice.h"

static void check_cpus(const char *text)
{
        char shown[CPU_SET_TEXT_MAX];
        CpuSet set, back;
        int r = cpu_set_parse(text, &set);

        PROMISE(r == 0 || r == -EINVAL || r == -ERANGE);
        if (r < 0)
                return;
        cpu_set_format(&set, shown);
        PROMISE(strlen(shown) < sizeof(shown));
        PROMISE(cpu_set_parse(shown, &back) == 0 && cpu_set_is_equal(&set, &back));
        PROMISE(cpu_set_first_beyond(&set, &back) < 0);
        PROMISE(cpu_set_size(&set) <= CPU_SET_BYTES);
        PROMISE(cpu_set_from_bytes(set.bits, cpu_set_size(&set), &back) == 0);
        PROMISE(cpu_set_is_equal(&set, &back));
}

/* As systemd's bus has them. */
static void check_cpu_bytes(const uint8_t *data, size_t size)
{
        char shown[CPU_SET_TEXT_MAX];
        CpuSet set, back;

        if (cpu_set_from_bytes(data, size, &set) < 0)
                return;
        cpu_set_format(&set, shown);
        PROMISE(cpu_set_parse(shown, &back) == 0 && cpu_set_is_equal(&set, &back));
}

static void check_slice(const char *text)
{
        char *unit = NULL, *again = NULL;
        Fault fault = FAULT_INIT;
        int r = slice_parse(text, &unit, &fault);

        if (r < 0) {
                PROMISE(r == -EINVAL && fault.kind == FAULT_INVALID);
                PROMISE(string_is_printable(fault.text));
                PROMISE(!slice_is_valid(text));
                return;
        }
        PROMISE(slice_is_valid(unit) && strlen(unit) < SLICE_UNIT_MAX);
        PROMISE(strncmp(unit, "warden-", 7) == 0 && !strchr(unit, '/') && !strstr(unit, "--"));
        PROMISE(slice_parse(unit, &again, NULL) == 0 && strcmp(unit, again) == 0);
        free(unit);
        free(again);
}

static void check_device(const char *text)
{
        Limits limits = { .set = 0 };
        Fault fault = FAULT_INIT;

        if (limit_text_parse_device(DEVICE_LIMIT_READ_BANDWIDTH, text, &limits, &fault) >= 0)
                for (size_t i = 0; i < limits.devices.n_items; i++)
                        PROMISE(strncmp(limits.devices.items[i].node, "/dev/", 5) == 0 &&
                                limits.devices.items[i].value > 0);
        else
                PROMISE(fault.kind != FAULT_NONE && string_is_printable(fault.text));
        limits_done(&limits);
}

/* io.max and cpu.max, and the files of v1: numbers or none. */
static void check_kernel(const char *text)
{
        uint64_t a = limit_check_find_device(text, 8, 16, "rbps");

        PROMISE(a == UINT64_MAX || strstr(text, "8:16"));
        a = limit_check_find_device(text, 8, 16, NULL);
        PROMISE(a == UINT64_MAX || strstr(text, "8:16"));
        (void)limit_check_parse_cpu_max(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *text = fuzz_string(data, size);

        check_cpus(text);
        check_cpu_bytes(data, size);
        check_slice(text);
        check_device(text);
        check_kernel(text);
        free(text);
        return 0;
}
