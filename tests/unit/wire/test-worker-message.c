/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "basic/strv.h"
#include "wire/worker-message.h"

#define STRV(...) ((char **)(const char *[]){ __VA_ARGS__, NULL })

/* Encodes and decodes. The blob of *ret points into *w. */
static int pass(const WorkerMessage *m, WireWriter *w, WorkerMessage *ret)
{
        *w = WIRE_WRITER_INIT;
        assert_int_equal(worker_message_encode(m, w), 0);
        return worker_message_decode(w->data, w->size, ret);
}

static void test_create(void **state)
{
        WorkerMessage m = { .type = WORKER_CREATE,
                            .blob = (const uint8_t *)"a\0plan",
                            .blob_size = 6 };
        WorkerMessage back;
        WireWriter w;

        assert_int_equal(pass(&m, &w, &back), 0);
        assert_int_equal(back.type, WORKER_CREATE);
        assert_int_equal(back.blob_size, 6);
        assert_memory_equal(back.blob, "a\0plan", 6);
        assert_int_equal(back.fault.kind, FAULT_NONE);
        wire_writer_done(&w);
}

static void test_cloned(void **state)
{
        WorkerMessage m = { .type = WORKER_CLONED, .pid = 4194304 }, back;
        WireWriter w;

        assert_int_equal(pass(&m, &w, &back), 0);
        assert_int_equal(back.pid, 4194304);
        assert_null(back.blob);
        wire_writer_done(&w);
        m.pid = 0;
        assert_int_equal(pass(&m, &w, &back), -EBADMSG);
        wire_writer_done(&w);
        m.pid = 1U << 31;
        assert_int_equal(pass(&m, &w, &back), -EBADMSG);
        wire_writer_done(&w);
}

static void test_failed(void **state)
{
        WorkerMessage m = { .type = WORKER_FAILED }, back;
        WireWriter w;

        for (int kind = FAULT_NONE + 1; kind < _FAULT_MAX; kind++) {
                m.fault = FAULT_INIT;
                (void)fault_set(&m.fault, (FaultKind)kind, -ENOENT, "overlay: no %s", "/srv");
                assert_int_equal(pass(&m, &w, &back), 0);
                assert_int_equal(back.fault.kind, kind);
                assert_int_equal(back.fault.error, -ENOENT);
                assert_string_equal(back.fault.text, "overlay: no /srv");
                wire_writer_done(&w);
        }
}

static void test_fault_only_with_failed(void **state)
{
        WorkerMessage m = { .type = WORKER_FAILED }, back = { .pid = 4711 };
        WireWriter w;

        assert_int_equal(pass(&m, &w, &back), -EBADMSG);
        wire_writer_done(&w);
        m.type = WORKER_DONE;
        assert_int_equal(pass(&m, &w, &back), 0);
        wire_writer_done(&w);
        back.pid = 4711;
        (void)fault_set(&m.fault, FAULT_FAILED, -EIO, "x");
        assert_int_equal(pass(&m, &w, &back), -EBADMSG);
        assert_int_equal(back.pid, 4711);
        wire_writer_done(&w);
}

static void test_types(void **state)
{
        static const uint32_t bad[] = { 0, _WORKER_TYPE_MAX, UINT32_MAX };
        WorkerMessage back;
        WireWriter w;

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                WorkerMessage m = { .type = bad[i] };

                assert_int_equal(pass(&m, &w, &back), -EBADMSG);
                wire_writer_done(&w);
        }
        assert_int_equal(worker_message_decode(NULL, 0, &back), -EBADMSG);
}

/* Tags of the format: type 1, kind 3, error 4, text 5. */
static int decode_failure(const char *kind, uint64_t error, const char *text, WorkerMessage *ret)
{
        WireWriter w = WIRE_WRITER_INIT;
        int r;

        wire_put_u64(&w, 1, WORKER_FAILED);
        wire_put_string(&w, 3, kind);
        wire_put_u64(&w, 4, error);
        wire_put_string(&w, 5, text);
        r = worker_message_decode(w.data, w.size, ret);
        wire_writer_done(&w);
        return r;
}

static void test_bad_faults(void **state)
{
        WorkerMessage m;

        assert_int_equal(decode_failure("failed", EIO, "text", &m), 0);
        assert_int_equal(decode_failure("nonsense", EIO, "text", &m), -EBADMSG);
        assert_int_equal(decode_failure("none", EIO, "text", &m), -EBADMSG);
        assert_int_equal(decode_failure(NULL, EIO, "text", &m), -EBADMSG);
        assert_int_equal(decode_failure("failed", 0, "text", &m), -EBADMSG);
        assert_int_equal(decode_failure("failed", 4096, "text", &m), -EBADMSG);
        assert_int_equal(decode_failure("failed", UINT64_MAX, "text", &m), -EBADMSG);
        assert_int_equal(decode_failure("failed", EIO, NULL, &m), -EBADMSG);
}

static void test_fault_text(void **state)
{
        char big[4 * FAULT_TEXT_MAX];
        WorkerMessage m;

        memset(big, '%', sizeof(big));
        big[sizeof(big) - 1] = 0;
        assert_int_equal(decode_failure("failed", EIO, big, &m), 0);
        assert_int_equal(strlen(m.fault.text), FAULT_TEXT_MAX - 1);
        assert_int_equal(decode_failure("failed", EIO, "\x1b[2J%s", &m), 0);
        assert_string_equal(m.fault.text, "?[2J%s");
}

static void test_truncation(void **state)
{
        WorkerMessage m = { .type = WORKER_FAILED, .pid = 1 }, back;
        WireWriter w = WIRE_WRITER_INIT;

        (void)fault_set(&m.fault, FAULT_TIMED_OUT, -ETIMEDOUT, "gate");
        assert_int_equal(worker_message_encode(&m, &w), 0);
        for (size_t size = 0; size < w.size; size++)
                assert_int_equal(worker_message_decode(w.data, size, &back), -EBADMSG);
        assert_int_equal(worker_message_decode(w.data, w.size, &back), 0);
        wire_put_u64(&w, 2, 1); /* a second pid */
        assert_int_equal(worker_message_decode(w.data, w.size, &back), -EBADMSG);
        wire_writer_done(&w);
}

static int pass_directories(char **directories, RemoveRequest *ret)
{
        RemoveRequest request = { .directories = directories,
                                  .has_bandwidth = 1,
                                  .interfaces = STRV("eth7", "eth8") };
        WireWriter w = WIRE_WRITER_INIT;
        int r;

        assert_int_equal(remove_request_encode(&request, &w), 0);
        r = remove_request_decode(w.data, w.size, ret);
        wire_writer_done(&w);
        return r;
}

static void test_remove(void **state)
{
        RemoveRequest back = { NULL };

        assert_int_equal(pass_directories(STRV("/var/lib/warden/containers/0123456789a",
                                               "/run/warden/containers/vvvvvvvvvvv"),
                                          &back),
                         0);
        assert_int_equal(strv_length(back.directories), 2);
        assert_true(back.has_bandwidth);
        assert_int_equal(strv_length(back.interfaces), 2);
        assert_string_equal(back.interfaces[1], "eth8");
        assert_false(back.has_network);
        assert_string_equal(back.directories[1], "/run/warden/containers/vvvvvvvvvvv");
        remove_request_done(&back);
        assert_null(back.directories);
}

static void test_remove_refusals(void **state)
{
        static const char *const bad[] = {
                "/",
                "/home",
                "/0123456789a",
                "0123456789a",
                "/var/0123456789a/..",
                "/var/../0123456789a",
                "/var/0123456789a/",
                ("/var/"
                 "/0123456789a"),
                "/var/0123456789A",
                "/var/lib/warden/containers",
                "/var/0123456789ab",
                "",
        };

        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                RemoveRequest back = { NULL };

                if (pass_directories(STRV("/a/0123456789a", bad[i]), &back) != -EBADMSG)
                        fail_msg("'%s' would be removed", bad[i]);
                assert_null(back.directories);
        }
        assert_int_equal(pass_directories(STRV(NULL), &(RemoveRequest){ NULL }), -EBADMSG);
}

static void test_remove_count(void **state)
{
        _drop_(drop_strv) char **many = NULL;
        RemoveRequest back = { NULL };

        for (int i = 0; i < 16; i++)
                assert_int_equal(strv_append(&many, "/a/0123456789a"), 0);
        assert_int_equal(pass_directories(many, &back), 0);
        remove_request_done(&back);
        assert_int_equal(strv_append(&many, "/a/0123456789a"), 0);
        assert_int_equal(pass_directories(many, &back), -EBADMSG);
}

static QuotaRequest make_quota(char *directory)
{
        return (QuotaRequest){
                .directory = directory,
                .project_id = 7,
                .disk = { 1 << 20, UINT64_MAX },
        };
}

static int pass_quota(const QuotaRequest *request, QuotaRequest *ret)
{
        WireWriter w = WIRE_WRITER_INIT;
        int r;

        assert_int_equal(quota_request_encode(request, &w), 0);
        r = quota_request_decode(w.data, w.size, ret);
        wire_writer_done(&w);
        return r;
}

static void test_quota(void **state)
{
        char directory[] = "/var/lib/warden/containers/0123456789a";
        QuotaRequest request = make_quota(directory), back = { NULL };

        assert_int_equal(pass_quota(&request, &back), 0);
        assert_string_equal(back.directory, directory);
        assert_int_equal(back.project_id, 7);
        assert_int_equal(back.disk.bytes, 1 << 20);
        assert_true(back.disk.inodes == UINT64_MAX);
        quota_request_done(&back);
}

static void test_quota_refusals(void **state)
{
        char directory[] = "/var/lib/warden/containers/0123456789a";
        char other[] = "/var/lib/warden/containers", up[] = "/var/../0123456789a";
        QuotaRequest request = make_quota(NULL), back = { NULL };
        WireWriter w = WIRE_WRITER_INIT;

        assert_int_equal(pass_quota(&request, &back), -EBADMSG);
        request = make_quota(other);
        assert_int_equal(pass_quota(&request, &back), -EBADMSG);
        request = make_quota(up);
        assert_int_equal(pass_quota(&request, &back), -EBADMSG);
        request = make_quota(directory);
        request.project_id = 0; /* of all files of the host */
        assert_int_equal(pass_quota(&request, &back), -EBADMSG);
        request = make_quota(directory);
        request.disk.bytes = 0;
        assert_int_equal(pass_quota(&request, &back), -EBADMSG);
        request = make_quota(directory);
        request.disk.inodes = 1;
        assert_int_equal(pass_quota(&request, &back), -EBADMSG);

        request = make_quota(directory);
        assert_int_equal(quota_request_encode(&request, &w), 0);
        for (size_t size = 0; size < w.size; size++)
                assert_int_equal(quota_request_decode(w.data, size, &back), -EBADMSG);
        wire_put_u64(&w, 2, 8); /* a second project */
        assert_int_equal(quota_request_decode(w.data, w.size, &back), -EBADMSG);
        assert_null(back.directory);
        wire_writer_done(&w);
}

static int pass_bandwidth(const BandwidthRequest *request, BandwidthRequest *ret)
{
        WireWriter w = WIRE_WRITER_INIT;
        int r;

        assert_int_equal(bandwidth_request_encode(request, &w), 0);
        r = bandwidth_request_decode(w.data, w.size, ret);
        for (size_t size = 0; size < w.size; size++) {
                BandwidthRequest cut;

                /* One direction less is a request, too. */
                (void)bandwidth_request_decode(w.data, size, &cut);
        }
        wire_writer_done(&w);
        return r;
}

static void test_bandwidth(void **state)
{
        static const char *const bad[] = {
                "", "eth0", "w-", "w-0123456789", "w-../../../..", "x-0123456789a", "w-0123456789a0"
        };
        BandwidthRequest request = { .interface = "w-0123456789a" }, back = { .interface = "" };

        assert_int_equal(pass_bandwidth(&request, &back), -EBADMSG); /* of nothing */
        assert_int_equal(bandwidth_limits_set(&request.limits, "BandwidthMax",
                                              &(Bandwidth){ UINT64_MAX, 0 }, NULL),
                         0);
        assert_int_equal(pass_bandwidth(&request, &back), 0);
        assert_string_equal(back.interface, "w-0123456789a");
        assert_true(bandwidth_limits_are_equal(&request.limits, &back.limits));
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                (void)snprintf(request.interface, sizeof(request.interface), "%s", bad[i]);
                assert_int_equal(pass_bandwidth(&request, &back), -EBADMSG);
        }
        (void)snprintf(request.interface, sizeof(request.interface), "w-0123456789a");
        request.limits.of[BANDWIDTH_RECEIVE].rate = 1;
        assert_int_equal(pass_bandwidth(&request, &back), -EBADMSG);
}

static int pass_freeze(const char *group, FreezeRequest *ret)
{
        WireWriter w = WIRE_WRITER_INIT;
        int r;

        r = freeze_request_encode(&(FreezeRequest){ .control_group = (char *)group }, &w);
        assert_int_equal(r, 0);
        r = freeze_request_decode(w.data, w.size, ret);
        wire_writer_done(&w);
        return r;
}

static void test_freeze(void **state)
{
        static const char *const bad[] = { NULL,
                                           "",
                                           "/",
                                           "warden.slice",
                                           "/a/../b",
                                           "/a/"
                                           "/b",
                                           "/a/." };
        FreezeRequest request = { NULL };

        assert_int_equal(pass_freeze("/warden.slice/warden-0123456789a.scope", &request), 0);
        assert_string_equal(request.control_group, "/warden.slice/warden-0123456789a.scope");
        freeze_request_done(&request);
        assert_null(request.control_group);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                assert_int_equal(pass_freeze(bad[i], &request), -EBADMSG);
        assert_null(request.control_group);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                { "carries a plan as it is", test_create },
                { "carries the pid of the child, and wants one", test_cloned },
                { "carries each kind of fault", test_failed },
                { "wants a fault with a failure and with nothing else",
                  test_fault_only_with_failed },
                { "carries the limits of a project", test_quota },
                { "refuses limits of no project or directory, and cuts", test_quota_refusals },
                { "carries limits of the bandwidth of our interfaces alone", test_bandwidth },
                { "refuses types that are none", test_types },
                { "refuses faults that are none", test_bad_faults },
                { "cuts and cleans the text of a fault", test_fault_text },
                { "notices each cut and a second pid", test_truncation },
                { "carries directories to be removed", test_remove },
                { "removes nothing whose last component is no id", test_remove_refusals },
                { "bounds the number of directories", test_remove_count },
                { "carries a control group to freeze, and not the root", test_freeze, NULL, NULL,
                  NULL },
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
