/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The small languages of a spec. What is taken means the same when it is written out in its longest
 * form; what goes wrong leaves a fault that can be shown. */

#include <errno.h>
#include <inttypes.h>

#include "basic/parse.h"
#include "fuzz.h"
#include "model/container-spec.h"
#include "model/job-spec.h"
#include "model/name.h"

static void check_result(int r, const Fault *fault)
{
        Fault copy = FAULT_INIT;

        if (r >= 0) {
                PROMISE(fault->kind == FAULT_NONE);
                return;
        }
        PROMISE(r == -EINVAL || r == -E2BIG);
        PROMISE(fault->kind == FAULT_INVALID && fault->error == r && fault->text[0]);
        PROMISE(string_is_printable(fault->text));
        (void)fault_set(&copy, FAULT_FAILED, -EIO, "%s", fault->text);
        PROMISE(strcmp(copy.text, fault->text) == 0); /* nothing left to replace */
}

static void check_bind_options(const char *text)
{
        BindMount m = { 0 }, back = { 0 };
        Fault fault = FAULT_INIT;
        char options[128];
        int r = bind_mount_parse("/s", "/d", text, &m, &fault);

        check_result(r, &fault);
        if (r < 0)
                return;
        (void)snprintf(options, sizeof(options), "%s,%s,%s%s%s%s", m.is_read_only ? "ro" : "rw",
                       m.is_recursive ? "rbind" : "bind", m.is_idmapped ? "idmap" : "noidmap",
                       m.is_nosuid ? ",nosuid" : "", m.is_nodev ? ",nodev" : "",
                       m.is_noexec ? ",noexec" : "");
        PROMISE(bind_mount_parse("/s", "/d", options, &back, NULL) == 0);
        PROMISE(m.is_read_only == back.is_read_only && m.is_recursive == back.is_recursive);
        PROMISE(m.is_idmapped == back.is_idmapped && m.is_nosuid == back.is_nosuid);
        PROMISE(m.is_nodev == back.is_nodev && m.is_noexec == back.is_noexec);
        bind_mount_done(&m);
        bind_mount_done(&back);
}

static void check_paths(const char *text)
{
        Fault fault = FAULT_INIT;
        BindMount m = { 0 };
        int r = bind_mount_parse(text, text, NULL, &m, &fault);

        check_result(r, &fault);
        PROMISE((r >= 0) == (path_is_normal(text) && strcmp(text, "/") != 0));
        if (path_is_normal(text))
                PROMISE(text[0] == '/' && !strstr(text, "//") && !strstr(text, "/../") &&
                        !strstr(text, "/./"));
        bind_mount_done(&m);
}

static void check_tmpfs(const char *text)
{
        TmpfsMount m = { 0 }, back = { 0 };
        Fault fault = FAULT_INIT;
        char *longest = NULL, size[48] = "";
        int r = tmpfs_mount_parse(text, &m, &fault);

        check_result(r, &fault);
        if (r < 0)
                return;
        PROMISE(path_is_normal(m.destination) && m.mode <= 07777 && m.size_bytes <= INT64_MAX);
        if (m.size_bytes > 0)
                (void)snprintf(size, sizeof(size), "size=%" PRIu64 ",", m.size_bytes);
        PROMISE(asprintf(&longest, "%s:%smode=%o,%s,%s", m.destination, size, (unsigned int)m.mode,
                         m.is_read_only ? "ro" : "rw", m.is_exec ? "exec" : "noexec") > 0);
        PROMISE(tmpfs_mount_parse(longest, &back, NULL) == 0);
        PROMISE(strcmp(m.destination, back.destination) == 0 && m.mode == back.mode);
        PROMISE(m.size_bytes == back.size_bytes && m.is_exec == back.is_exec);
        PROMISE(m.is_read_only == back.is_read_only);
        free(longest);
        tmpfs_mount_done(&m);
        tmpfs_mount_done(&back);
}

static void check_private_users(const char *text)
{
        ContainerSpec spec = { .private_users = PRIVATE_USERS_AUTO }, back = { 0 };
        Fault fault = FAULT_INIT;
        char shown[32];
        int r = container_spec_set_private_users(&spec, text, &fault);

        check_result(r, &fault);
        if (r < 0)
                return;
        container_spec_format_private_users(&spec, shown, sizeof(shown));
        PROMISE(container_spec_set_private_users(&back, shown, NULL) == 0);
        PROMISE(spec.private_users == back.private_users);
        PROMISE(spec.uid_base == back.uid_base && spec.uid_count == back.uid_count);
        if (spec.private_users == PRIVATE_USERS_RANGE)
                PROMISE((uint64_t)spec.uid_base + spec.uid_count <= UINT32_MAX && spec.uid_base);
}

/* A part that is all digits is a uid that exists. */
static void check_user_number(const char *s, size_t n)
{
        if (n == 0 || strspn(s, "0123456789") < n)
                return;
        PROMISE(strtoull(s, NULL, 10) < UINT32_MAX);
}

static void check_user(const char *text)
{
        Fault fault = FAULT_INIT;
        int r = job_user_validate(text, &fault);
        size_t n = strcspn(text, ":");

        check_result(r, &fault);
        if (r < 0)
                return;
        PROMISE(n > 0 && string_is_printable(text));
        check_user_number(text, n);
        if (text[n])
                check_user_number(text + n + 1, strlen(text + n + 1));
}

static void check_numbers(const char *text)
{
        uint64_t value, back;
        uint32_t small;
        int number;
        char shown[48];

        if (parse_size_bytes(text, &value) >= 0) {
                (void)snprintf(shown, sizeof(shown), "%" PRIu64, value);
                PROMISE(value == UINT64_MAX ||
                        (parse_size_bytes(shown, &back) == 0 && value == back));
        }
        if (parse_time_usec(text, &value) >= 0) {
                (void)snprintf(shown, sizeof(shown), "%" PRIu64 "us", value);
                PROMISE(value == UINT64_MAX ||
                        (parse_time_usec(shown, &back) == 0 && value == back));
        }
        if (parse_u64(text, &value) >= 0) {
                PROMISE(text[strspn(text, "0123456789")] == 0 && *text);
                PROMISE((parse_u32(text, &small) >= 0) == (value <= UINT32_MAX));
        }
        if (parse_signal(text, &number) >= 0)
                PROMISE(number >= 1 && number <= 64);
        if (parse_boolean(text, &number) >= 0)
                PROMISE(number == 0 || number == 1);
        number = rlimit_from_string(text);
        PROMISE(number == -EINVAL || strstr(text, rlimit_to_string(number)));
}

static void check_names(const char *text)
{
        static const char alphanumeric[] = "0123456789abcdefghijklmnopqrstuvwxyz"
                                           "ABCDEFGHIJKLMNOPQRSTUVWXYZ_.-";

        if (name_is_valid(text))
                PROMISE(*text && strlen(text) <= CONTAINER_NAME_MAX && !strchr("_.-", *text) &&
                        text[strspn(text, alphanumeric)] == 0);
        if (id_is_valid(text))
                PROMISE(strlen(text) == CONTAINER_ID_LENGTH && name_is_valid(text));
        if (hostname_is_valid(text))
                PROMISE(*text && strlen(text) <= 64 && !strchr(text, '_') && !strstr(text, "..") &&
                        text[strspn(text, alphanumeric)] == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *text = fuzz_string(data, size);

        check_bind_options(text);
        check_paths(text);
        check_tmpfs(text);
        check_private_users(text);
        check_user(text);
        check_numbers(text);
        check_names(text);
        free(text);
        return 0;
}
